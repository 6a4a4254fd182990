"""How many invoices of ten lines a billing run issues in a second, and how much memory it takes.

Beside it what it cannot be quicker than: rating and adding up the same lines without any storage, and inserting the
same rows without any thought. The first period is billed with usage that nobody has asked about before, so that the
aggregates have to be made from the events; the others have their aggregates at hand. Of these the first is billed in
one process, the second with a process beside it that rates ahead, as a server does with so many.

Estimate before measuring: a line costs 5 us to rate and explain, 5 us to become a line and JSON, and 15 us for the
answer about its usage; an invoice 60 us for its row, its subscription's row and its uniqueness. That is 300 us, or
3,000 invoices/s, when aggregates are at hand. Memory does not grow with the number of subscriptions: a batch of some
hundred invoices is held at a time.
"""

import asyncio
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
from sqlalchemy import create_engine, insert, select

from benchmarks.report import Row
from lotus_server.adapters.events_sqlite import SqliteEventStore
from lotus_server.adapters.ids_uuid7 import Uuid7Ids
from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.adapters.records_sql.tables import INVOICES
from lotus_server.bootstrap.documents import LaterDocuments
from lotus_server.bootstrap.event_store import WRITER_COMMAND
from lotus_server.bootstrap.passwords import LaterPasswords
from lotus_server.bootstrap.rating_process import rating_processes
from lotus_server.domain.accounts import Customer, Organization, OrganizationType
from lotus_server.domain.catalog import PerUnit
from lotus_server.domain.invoicing import arrears_lines, total_of
from lotus_server.domain.metering import Aggregation, MetricDefinition
from lotus_server.kernel.instants import to_microseconds
from lotus_server.kernel.period import Duration
from lotus_server.kernel.quantity import ZERO
from lotus_server.ports.event_store import Submission
from lotus_server.ports.paging import Page
from lotus_server.usecases.billing import bill_due
from lotus_server.usecases.catalog_reading import terms_of
from lotus_server.usecases.customers import CustomerDraft, create_customer
from lotus_server.usecases.documents import invoice_pdf
from lotus_server.usecases.metrics import MetricDraft, create_metric
from lotus_server.usecases.organizations import OrganizationDraft, create_organization
from lotus_server.usecases.plans import ComponentDraft, PlanDraft, VersionDraft, create_plan
from lotus_server.usecases.services import Services
from lotus_server.usecases.subscriptions import SubscriptionDraft, create_subscription
from lotus_server.usecases.usage_reading import usages_until, with_usage_at_hand

LINES = 10
START = datetime(2026, 1, 1, tzinfo=UTC)
ENDS = [datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)]
SAMPLE = 500
PRINTED = 20
BATCH = 1_000


class _Standing:
    """A clock that stands still."""

    def now(self) -> datetime:
        return START


def measure(subscriptions: int) -> list[Row]:
    """Bill three periods of so many subscriptions with ten lines each."""
    with tempfile.TemporaryDirectory(prefix="lotus-bench-") as name:
        directory = Path(name)
        records = SqlRecords.open(f"sqlite:///{directory / 'lotus.db'}")
        events = SqliteEventStore.open(directory / "events", WRITER_COMMAND)
        services = Services(
            records,
            events,
            _Standing(),
            Uuid7Ids(),
            LaterDocuments(),
            LaterPasswords(),
            rating_ahead=rating_processes(f"sqlite:///{directory / 'lotus.db'}", directory / "events"),
        )
        try:
            organization = _subscribe(services, subscriptions)
            asyncio.run(_use(services, organization, subscriptions))
            return _measured(services, organization, subscriptions, directory)
        finally:
            events.close()
            records.close()


def _measured(services: Services, organization: Organization, subscriptions: int, directory: Path) -> list[Row]:
    before = _peak_megabytes()
    alone = msgspec.structs.replace(services, rating_ahead=None)
    first = subscriptions / _seconds(lambda: bill_due(alone, until=ENDS[0], organization=organization))
    _ask_usage(services, organization)
    by_itself = time.process_time()
    second = subscriptions / _seconds(lambda: bill_due(alone, until=ENDS[1], organization=organization))
    by_itself = time.process_time() - by_itself
    _ask_usage(services, organization)
    helped, beside = time.process_time(), _seconds_of_ended_processes()
    third = subscriptions / _seconds(lambda: bill_due(services, until=ENDS[2], organization=organization))
    helped, beside = time.process_time() - helped, _seconds_of_ended_processes() - beside
    grown = _peak_megabytes() - before
    rating = _rating_alone(services, organization)
    inserting = _inserting_alone(directory, organization)
    return [
        Row("billing run, aggregates to be made", first, "invoices/s", rating, "rating the same lines alone"),
        Row("aggregates at hand, one process", second, "invoices/s", rating, "rating the same lines alone"),
        Row("aggregates at hand, one process", second, "invoices/s", inserting, "inserting the same rows alone"),
        Row("processor time of it, per invoice", by_itself / subscriptions * 1e6, "us"),
        Row("aggregates at hand, rated ahead", third, "invoices/s", inserting, "inserting the same rows alone"),
        Row("processor time of it, per invoice", helped / subscriptions * 1e6, "us"),
        Row("processor time beside it, per invoice, with its start", beside / subscriptions * 1e6, "us"),
        Row("memory at the peak", before + grown, "MB"),
        Row("memory that the run added, per invoice", grown * 1_024 / (len(ENDS) * subscriptions), "KB"),
        Row("PDF, ten lines on one page", _pages_a_second(services, organization), "pages/s"),
    ]


def _ask_usage(services: Services, organization: Organization) -> None:
    """Ask for the usage of every open period, as access checks do, so that its aggregates are kept."""
    with services.records.snapshot() as tx:
        subscriptions = tx.subscriptions.page(organization.organization_id, Page())
        terms = terms_of(tx, subscriptions[0])
    for start in range(0, len(subscriptions), SAMPLE):
        some = subscriptions[start : start + SAMPLE]
        asked = [msgspec.structs.replace(terms, subscription=subscription) for subscription in some]
        with_usage_at_hand(services, [(each, each.subscription.open_period) for each in asked])


def _subscribe(services: Services, subscriptions: int) -> Organization:
    """Make the customers and their subscriptions; all but the first are copies of it."""
    draft = OrganizationDraft("Bench", OrganizationType.SANDBOX, clock_now=START)
    organization, _ = create_organization(services, draft)
    components = []
    for number in range(LINES):
        definition = MetricDefinition(f"event_{number}", Aggregation.SUM, "n")
        create_metric(services, organization, MetricDraft(f"Metric {number}", definition, f"metric_{number}"))
        components.append(ComponentDraft(f"metric_{number}", PerUnit(Decimal("0.013"))))
    version = VersionDraft(components=tuple(components))
    create_plan(services, organization, PlanDraft("Pro", Duration.MONTHLY, version, "pro"))
    create_customer(services, organization, CustomerDraft("customer_0"))
    first = create_subscription(services, organization, SubscriptionDraft("customer_0", START, "pro")).subscription
    with services.records.transaction() as tx:
        customer = tx.customers.get(organization.organization_id, "customer_0")
        assert customer is not None
        for number in range(1, subscriptions):
            name = f"customer_{number}"
            other: Customer = msgspec.structs.replace(customer, customer_id=name, customer_name=name)
            tx.customers.add(other)
            tx.subscriptions.add(
                msgspec.structs.replace(first, subscription_id=f"subscription_{number}", customer_id=name)
            )
    return organization


async def _use(services: Services, organization: Organization, subscriptions: int) -> None:
    """Let one event a line happen in each of the periods."""
    for body in _bodies(subscriptions):
        await services.events.append(Submission(organization.organization_id, body, ENDS[-1]))


def _bodies(subscriptions: int) -> Iterator[bytes]:
    events: list[dict[str, object]] = []
    for customer in range(subscriptions):
        events += [_event(customer, number, end) for number in range(LINES) for end in ENDS]
        if len(events) >= BATCH or customer == subscriptions - 1:
            yield msgspec.json.encode({"batch": events})
            events = []


def _event(customer: int, number: int, end: datetime) -> dict[str, object]:
    return {
        "event_name": f"event_{number}",
        "customer_id": f"customer_{customer}",
        "idempotency_id": f"{customer}-{number}-{to_microseconds(end)}",
        "time_created": (end - timedelta(days=1 + customer % 20)).isoformat(),
        "properties": {"n": 1 + customer % 977},
    }


def _rating_alone(services: Services, organization: Organization) -> float:
    """Return invoices a second when their terms and usage are at hand and nothing is kept."""
    with services.records.snapshot() as tx:
        subscriptions = tx.subscriptions.page(organization.organization_id, Page(SAMPLE))
        all_terms = [terms_of(tx, subscription) for subscription in subscriptions]
    asked = [(terms, usages_until(services, terms, terms.subscription.open_period, ENDS[-1])) for terms in all_terms]

    def rate_all() -> None:
        for terms, usages in asked:
            lines = arrears_lines(terms, terms.subscription.open_period, usages)
            total_of(lines, balance=ZERO, code=terms.version.currency, tax=terms.tax)

    return len(asked) / min(_seconds(rate_all) for _ in range(3))


def _inserting_alone(directory: Path, organization: Organization) -> float:
    """Return rows a second when invoices that exist are copied into an empty table of the same form."""
    engine = create_engine(f"sqlite:///{directory / 'lotus.db'}")
    of_organization = INVOICES.c.organization_id == organization.organization_id
    copied = select(INVOICES).where(of_organization).limit(10_000)
    with engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(copied).mappings()]
    engine.dispose()
    SqlRecords.open(f"sqlite:///{directory / 'empty.db'}").close()
    empty = create_engine(f"sqlite:///{directory / 'empty.db'}")

    def insert_all() -> None:
        for start in range(0, len(rows), SAMPLE):
            with empty.begin() as connection:
                connection.execute(insert(INVOICES), rows[start : start + SAMPLE])

    took = _seconds(insert_all)
    empty.dispose()
    return len(rows) / took


def _pages_a_second(services: Services, organization: Organization) -> float:
    with services.records.snapshot() as tx:
        invoices = tx.invoices.page(organization.organization_id, Page(PRINTED + 1))
    invoice_pdf(services, organization, invoices[0].invoice_id)  # the typesetter and its fonts are loaded by now

    def print_all() -> None:
        for invoice in invoices[1:]:
            invoice_pdf(services, organization, invoice.invoice_id)

    return (len(invoices) - 1) / _seconds(print_all)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _seconds_of_ended_processes() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
