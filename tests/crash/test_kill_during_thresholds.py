"""Billing at spend thresholds is killed again and again: each threshold has one invoice, and numbers have no gaps."""

import random
import subprocess
import sys
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec
import pytest

from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.domain.accounts import OrganizationType
from lotus_server.domain.catalog import PerUnit, SpendThreshold, UsageInvoicing
from lotus_server.domain.metering import Aggregation, MetricDefinition
from lotus_server.kernel.money import total
from lotus_server.kernel.period import Duration
from lotus_server.ports.paging import Page
from lotus_server.usecases.metrics import MetricDraft, create_metric
from lotus_server.usecases.organizations import OrganizationDraft, create_organization
from lotus_server.usecases.plans import ComponentDraft, PlanDraft, VersionDraft, create_plan
from lotus_server.usecases.spend_watching import watch_spend
from tests.business import Business
from tests.crash.bill_thresholds_until import START, services_at
from tests.repository import ROOT

CUSTOMERS: Final = 30
SEED: Final = 20_261_122
SECONDS_MAX: Final = 600


@pytest.mark.timeout(600)
def test_five_kills_leave_one_invoice_for_each_threshold(tmp_path: Path) -> None:
    kill_and_judge(tmp_path, kills=5, days=12)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_thirty_kills_leave_one_invoice_for_each_threshold(tmp_path: Path) -> None:
    kill_and_judge(tmp_path, kills=30, days=80)


def kill_and_judge(folder: Path, *, kills: int, days: int) -> None:
    """Go through so many days, each with a threshold that everybody reaches, with so many kills on the way."""
    url = f"sqlite:///{folder / 'lotus.db'}"
    records = SqlRecords.open(url)
    business = subscribe_everybody(records)
    moments = random.Random(SEED)
    hits, counts = 0, []
    for _ in range(kills):
        run = start_billing(url, business, days)
        time.sleep(0.03 + moments.random() * 0.3)  # the kill's instant, not a wait for anything
        hits += run.poll() is None
        run.kill()
        run.wait()
        counts.append(len(causes_of(business)))
    assert start_billing(url, business, days).wait(SECONDS_MAX) == 0

    assert hits == kills, "the run was over before the last kill: it needs more days"
    assert counts == sorted(counts)
    judge(business, days)
    records.close()


def start_billing(url: str, business: Business, days: int) -> "subprocess.Popen[bytes]":
    """Start a run, and return as soon as it begins to bill."""
    more = [url, business.organization_id, str(CUSTOMERS), str(days)]
    command = [sys.executable, "-m", "tests.crash.bill_thresholds_until", *more]
    run = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert run.stdout is not None
    assert run.stdout.readline() == b"billing\n"
    run.stdout.close()
    return run


def subscribe_everybody(records: SqlRecords) -> Business:
    """An organization in real time whose customers pay 10 a call, by the year, with an invoice whenever 10 are due."""
    services = services_at(records, START)
    organization, _ = create_organization(services, OrganizationDraft("Crash", OrganizationType.PRODUCTION))
    business = Business(services, organization.organization_id)
    definition = MetricDefinition("call", Aggregation.COUNT)
    create_metric(services, business.organization, MetricDraft("Calls", definition, "calls"))
    version = VersionDraft(
        components=(ComponentDraft("calls", PerUnit(Decimal(10))),),
        usage_invoicing=UsageInvoicing(None, (SpendThreshold(Decimal(10), is_recurring=True),)),
    )
    create_plan(services, business.organization, PlanDraft("Pro", Duration.YEARLY, version, "pro"))
    business.customer("customer_0")
    first = business.subscribe(customer_id="customer_0")
    with records.transaction() as tx:
        customer = tx.customers.get(organization.organization_id, "customer_0")
        assert customer is not None
        for number in range(1, CUSTOMERS):
            name = f"customer_{number}"
            tx.customers.add(msgspec.structs.replace(customer, customer_id=name))
            subscription = msgspec.structs.replace(first, subscription_id=f"sub_{number}", customer_id=name)
            tx.subscriptions.add(subscription)
            watch_spend(tx, subscription)
    return business


def causes_of(business: Business) -> list[str]:
    with business.services.records.snapshot() as tx:
        return [each.cause for each in tx.invoices.page(business.organization_id, Page())]


def judge(business: Business, days: int) -> None:
    """One invoice of 10 for each threshold of everybody, numbers without a gap, nobody parked."""
    with business.services.records.snapshot() as tx:
        invoices = tx.invoices.page(business.organization_id, Page())
        subscriptions = tx.subscriptions.page(business.organization_id, Page())
    of_each = Counter(each.subscription_id for each in invoices)

    assert (len(of_each), set(of_each.values())) == (CUSTOMERS, {days})
    assert len({each.cause for each in invoices}) == len(invoices)
    assert {Decimal(10)} == {total(line.amount for line in each.lines) for each in invoices}
    assert sorted(int(each.invoice_number.split("-")[-1]) for each in invoices) == list(range(1, len(invoices) + 1))
    assert {each.parked_cause for each in subscriptions} == {None}
    assert {each.cadence.reached for each in subscriptions} == {Decimal(10 * days)}
