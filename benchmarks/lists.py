"""Lists of customers and subscriptions as people look through them, among very many.

Time of the processor, so that whatever else a machine does is left out; reading from the file of a database that was
just written hardly waits.
"""

import random
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, Final

from sqlalchemy import create_engine, insert

from benchmarks.report import Row
from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.adapters.records_sql.accounts import customer_to_row
from lotus_server.adapters.records_sql.invoices import invoice_to_row
from lotus_server.adapters.records_sql.subscriptions import subscription_to_row
from lotus_server.adapters.records_sql.tables import CUSTOMERS, INVOICES, SUBSCRIPTIONS
from lotus_server.domain.accounts import Customer, Organization, OrganizationType
from lotus_server.domain.catalog import Plan, PlanVersion
from lotus_server.domain.invoicing import Invoice, PaymentStatus
from lotus_server.domain.subscriptions import Status, Subscription
from lotus_server.kernel.period import Duration, Period
from lotus_server.ports.listing import (
    CustomerOrder,
    CustomerQuestion,
    CustomerSort,
    Slice,
    SubscriptionOrder,
    SubscriptionQuestion,
    SubscriptionSort,
)
from lotus_server.ports.records import Transaction
from lotus_server.usecases.customer_lists import view_customers
from lotus_server.usecases.services import Services
from lotus_server.usecases.subscription_lists import view_subscriptions

NOW: Final = datetime(2026, 3, 1, tzinfo=UTC)
ORGANIZATION: Final = Organization("org", "Lotus Eaters", OrganizationType.SANDBOX, "USD", NOW, clock_now=NOW)
INVOICES_EACH: Final = 6
PLANS: Final = 20
ROWS_AT_ONCE: Final = 10_000
TRIES: Final = 9
_NAMES: Final = ("Acme", "Globex", "Initech", "Umbrella", "Hooli", "Stark", "Wayne", "Wonka", "Müller", "Étoile")
_ACTIVE: Final = frozenset({Status.ACTIVE})


def measure(customers: int) -> list[Row]:
    """Fill a database, and return what a page of 25 rows with its count costs, in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lotus.db"
        records = SqlRecords.open(f"sqlite:///{path}")
        with records.transaction() as tx:
            _fill_catalog(tx)
        _fill(path, customers)
        unused = dict.fromkeys(name for name in Services.__struct_fields__ if name not in {"records", "usage_at_hand"})
        services = Services(records=records, **unused)  # type: ignore[arg-type] # only the records are asked
        rows = [Row(name, _milliseconds(ask), "ms") for name, ask in _questions(services, customers)]
        records.close()
    return rows


def _questions(services: Services, customers: int) -> Iterator[tuple[str, Callable[[], object]]]:
    page = Slice(25)

    def people(question: CustomerQuestion, order: CustomerOrder) -> Callable[[], object]:
        return lambda: view_customers(services, ORGANIZATION, question, order, page)

    def sold(question: SubscriptionQuestion, order: SubscriptionOrder) -> Callable[[], object]:
        return lambda: view_subscriptions(services, ORGANIZATION, question, order, page)

    by_name, everybody = CustomerOrder(CustomerSort.NAME), CustomerQuestion()
    yield "customers by name", people(everybody, by_name)
    yield "customers, newest first", people(everybody, CustomerOrder(CustomerSort.CREATED, is_descending=True))
    yield "customers by what they owe", people(everybody, CustomerOrder(CustomerSort.OUTSTANDING, is_descending=True))
    yield "customers, a common word", people(CustomerQuestion(search="acme"), by_name)
    yield "customers, one e-mail address", people(CustomerQuestion(search=f"billing{customers - 1}@"), by_name)
    yield "customers without a subscription", people(CustomerQuestion(is_subscribed=False), by_name)
    yield "customers of a plan", people(CustomerQuestion(plan_id="plan_1"), by_name)
    yield "customers who owe something", people(CustomerQuestion(is_owing=True), by_name)
    renewal = SubscriptionOrder(SubscriptionSort.RENEWAL)
    yield "active subscriptions by renewal", sold(SubscriptionQuestion(statuses=_ACTIVE), renewal)
    yield (
        "subscriptions, latest start first",
        sold(SubscriptionQuestion(), SubscriptionOrder(SubscriptionSort.START, is_descending=True)),
    )
    yield "active subscriptions that end", sold(SubscriptionQuestion(statuses=_ACTIVE, is_renewing=False), renewal)


def _milliseconds(ask: Callable[[], object]) -> float:
    ask()
    spent = []
    for _ in range(TRIES):
        before = time.process_time()
        ask()
        spent.append((time.process_time() - before) * 1000)
    return median(spent)


def _fill_catalog(tx: Transaction) -> None:
    tx.organizations.add(ORGANIZATION)
    for number in range(PLANS):
        tx.plans.add(Plan("org", f"plan_{number}", f"Plan {number}", "", Duration.MONTHLY, NOW))
        tx.plans.add_version(PlanVersion("org", f"plan_{number}_1", f"plan_{number}", 1, "USD", NOW))


def _fill(path: Path, customers: int) -> None:
    engine = create_engine(f"sqlite:///{path}")
    chance = random.Random(1)
    with engine.begin() as connection:
        for table, rows in (
            (CUSTOMERS, _customers(chance, customers)),
            (SUBSCRIPTIONS, _subscriptions(chance, customers)),
            (INVOICES, _invoices(chance, customers)),
        ):
            for some in _portions(rows):
                connection.execute(insert(table), some)
    engine.dispose()


def _portions(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    rest = iter(rows)
    while some := list(islice(rest, ROWS_AT_ONCE)):
        yield some


def _customers(chance: random.Random, count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        name = f"{chance.choice(_NAMES)} {chance.randrange(100_000)}"
        made = NOW - timedelta(minutes=chance.randrange(1_000_000))
        properties = {"crm": f"x{number}", "notes": "n" * 100}
        email = f"billing{number}@example.com"
        yield customer_to_row(Customer("org", f"cus_{number:06}", name, made, "USD", email, properties=properties))


def _subscriptions(chance: random.Random, count: int) -> Iterator[dict[str, Any]]:
    """Yield one for nine of ten customers, some of which end, and one that has ended for each second customer."""
    for number in range(count):
        starts_at = NOW - timedelta(minutes=chance.randrange(1, 800_000))
        opened = Period(
            NOW - timedelta(minutes=chance.randrange(1, 40_000)), NOW + timedelta(days=chance.random() * 31)
        )
        plan_id, ends = f"plan_{chance.randrange(PLANS)}", chance.random() < 0.05
        now = Subscription(
            organization_id="org",
            subscription_id=f"sub_{number:06}",
            customer_id=f"cus_{number:06}",
            plan_id=plan_id,
            version_id=f"{plan_id}_1",
            duration=Duration.MONTHLY,
            starts_at=starts_at,
            anchor=starts_at,
            ends_at=opened.end if ends else None,
            auto_renew=not ends,
            is_new=True,
            open_period=opened,
            created_at=starts_at,
            due_at=opened.end,
        )
        if number % 10:
            yield subscription_to_row(now)
        if number % 2:
            before = {"subscription_id": f"old_{number:06}", "starts_at": NOW - timedelta(days=900), "due_at": None}
            yield subscription_to_row(now) | before | {"ends_at": starts_at, "is_fully_billed": True}


def _invoices(chance: random.Random, count: int) -> Iterator[dict[str, Any]]:
    for number in range(count * INVOICES_EACH):
        total = Decimal(chance.randrange(100_000)) / 100
        invoice = Invoice(
            organization_id="org",
            invoice_id=f"inv_{number:08}",
            invoice_number=f"LOT-{number:08}",
            cause=f"cause {number}",
            customer_id=f"cus_{number % count:06}",
            subscription_id=None,
            currency="USD",
            period=Period(NOW - timedelta(days=31), NOW),
            issued_at=NOW,
            due_at=NOW,
            lines=(),
            subtotal=total,
            credit_applied=Decimal(0),
            total=total,
            payment_status=PaymentStatus.UNPAID if chance.random() < 0.5 else PaymentStatus.PAID,
        )
        yield invoice_to_row(invoice) | {"made_number": number}
