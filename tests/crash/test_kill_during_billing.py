"""A billing run is killed again and again: each period has one invoice, numbers have no gaps, and credit adds up."""

import random
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec
import pytest

from lotus_server.adapters.ids_uuid7 import Uuid7Ids
from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.bootstrap.documents import LaterDocuments
from lotus_server.bootstrap.passwords import LaterPasswords
from lotus_server.domain.accounts import OrganizationType
from lotus_server.domain.credits import CreditAccount, CreditGrant, grant_posting
from lotus_server.ports.credit_records import CreditQuestion
from lotus_server.ports.paging import Page
from lotus_server.usecases.organizations import OrganizationDraft, create_organization
from lotus_server.usecases.services import Services
from tests.business import PENNY, Business, SetClock, charge
from tests.events_in_memory import EventsInMemory
from tests.repository import ROOT

SUBSCRIPTIONS: Final = 2_000
START: Final = datetime(2026, 1, 1, tzinfo=UTC)
SEED: Final = 20_261_122
SECONDS_MAX: Final = 300


@pytest.mark.timeout(600)
def test_five_kills_leave_one_invoice_for_each_period(tmp_path: Path) -> None:
    kill_and_judge(tmp_path, kills=5, months=2)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_thirty_kills_leave_one_invoice_for_each_period(tmp_path: Path) -> None:
    kill_and_judge(tmp_path, kills=30, months=8)


def kill_and_judge(folder: Path, *, kills: int, months: int) -> None:
    """Bill so many months of everybody with so many kills on the way, and look at what there is in the end."""
    url = f"sqlite:///{folder / 'lotus.db'}"
    until = datetime(2026, 1 + months, 1, tzinfo=UTC)
    records = SqlRecords.open(url)
    business = subscribe_everybody(records)
    moments = random.Random(SEED)
    hits = 0
    for _ in range(kills):
        before = invoice_count(business)
        run = start_billing(url, until)
        time.sleep(0.03 + moments.random() * 0.3)  # the kill's instant, not a wait for anything
        hits += run.poll() is None
        run.kill()
        run.wait()
        assert invoice_count(business) >= before
    assert start_billing(url, until).wait(SECONDS_MAX) == 0

    assert hits == kills, "the run was over before the last kill: it needs more months"
    judge(business, months)
    records.close()


def start_billing(url: str, until: datetime) -> "subprocess.Popen[bytes]":
    """Start a run, and return as soon as it begins to bill."""
    command = [sys.executable, "-m", "tests.crash.bill_until", url, until.isoformat()]
    run = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert run.stdout is not None
    assert run.stdout.readline() == b"billing\n"
    run.stdout.close()
    return run


def subscribe_everybody(records: SqlRecords) -> Business:
    """An organization in real time, all of whose customers have the plan; every tenth has credit for two months."""
    services = Services(records, EventsInMemory(), SetClock(START), Uuid7Ids(), LaterDocuments(), LaterPasswords())
    organization, _ = create_organization(services, OrganizationDraft("Crash", OrganizationType.PRODUCTION))
    business = Business(services, organization.organization_id)
    business.plan("pro", charge("10"), price=PENNY)
    business.customer("customer_0")
    first = business.subscribe(customer_id="customer_0")
    with records.transaction() as tx:
        customer = tx.customers.get(organization.organization_id, "customer_0")
        assert customer is not None
        for number in range(1, SUBSCRIPTIONS):
            name = f"customer_{number}"
            tx.customers.add(msgspec.structs.replace(customer, customer_id=name))
            tx.subscriptions.add(msgspec.structs.replace(first, subscription_id=f"sub_{number}", customer_id=name))
            if number % 10 == 0:
                given = grant(organization.organization_id, name)
                tx.credits.add_grant(given)
                tx.credits.add(grant_posting(given, posting_id=f"posting_{number}"))
    return business


def grant(organization_id: str, customer_id: str) -> CreditGrant:
    return CreditGrant(
        organization_id=organization_id,
        credit_id=f"credit of {customer_id}",
        customer_id=customer_id,
        currency="USD",
        amount=Decimal(15),
        granted_at=START,
        effective_at=START,
    )


def invoice_count(business: Business) -> int:
    with business.services.records.snapshot() as tx:
        return len(tx.invoices.page(business.organization_id, Page()))


def judge(business: Business, months: int) -> None:
    """Exactly one invoice for each period, numbers without a gap, credit that adds up, nobody parked."""
    with business.services.records.snapshot() as tx:
        invoices = tx.invoices.page(business.organization_id, Page())
        subscriptions = tx.subscriptions.page(business.organization_id, Page())
        grants = tx.credits.page(business.organization_id, Page(), CreditQuestion())
        postings = tx.credits.postings(business.organization_id, [each.credit_id for each in grants])
    periods = Counter((each.subscription_id, each.issued_at) for each in invoices if not each.cause.endswith(":start"))
    numbers = sorted(int(each.invoice_number.split("-")[-1]) for each in invoices)
    balances: Counter[CreditAccount] = Counter()
    for posting in (each for found in postings.values() for each in found):
        balances[posting.source] -= posting.amount  # type: ignore[assignment]
        balances[posting.target] += posting.amount  # type: ignore[assignment]

    assert (len(periods), set(periods.values())) == (SUBSCRIPTIONS * months, {1})
    assert numbers == list(range(1, len(invoices) + 1))
    assert {each.parked_cause for each in subscriptions} == {None}
    assert sum(balances.values()) == 0
    assert balances[CreditAccount.APPLIED] == sum(each.credit_applied for each in invoices)
    assert sum(each.credit_applied for each in invoices) == min(15, 10 * months) * (SUBSCRIPTIONS // 10 - 1)
