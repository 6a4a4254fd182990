"""Laws: importing in any portions is importing at once, and is sending the same rows over the API."""

import asyncio
from typing import Any

import hypothesis
import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.accounts import Customer
from lotus_server.domain.imports import Existing, ImportKind
from lotus_server.domain.metering import Event
from lotus_server.kernel.errors import Invalid
from lotus_server.ports.event_store import EventQuery, Submission
from lotus_server.ports.records import Page
from lotus_server.usecases.customers import ExistingBehavior, create_customers
from lotus_server.usecases.services import Services
from lotus_server.wire.customers import customer_batch
from tests.business import Business, at, found_business
from tests.imports import FileOfBytes, lines_of

hypothesis_settings = hypothesis.settings(
    max_examples=12, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture], deadline=None
)
TEXTS = st.sampled_from(["", "x", "ada@example.com", "EUR", "nonsense", " "])
CUSTOMER = st.fixed_dictionaries(
    {"customer_id": st.sampled_from(["a", "b", "c", "d", "", "x" * 201])},
    optional={
        "customer_name": TEXTS,
        "email": TEXTS,
        "currency": TEXTS,
        "tax_rate": st.sampled_from(["5", 7, "x", 101, None]),
        "tax_status": st.sampled_from(["exempt", "taxable", "odd"]),
        "properties": st.dictionaries(st.sampled_from("pq"), st.integers(0, 2)),
    },
)
EVENT = st.fixed_dictionaries(
    {
        "event_name": st.sampled_from(["call", "", "save"]),
        "customer_id": st.sampled_from(["acme", "nobody"]),
        "idempotency_id": st.sampled_from(["e1", "e2", "e3", "e4"]),
    },
    optional={
        "time_created": st.sampled_from(["2025-12-31", "nonsense", "2027-01-01", "2025-12-30T10:00:00Z"]),
        "properties": st.dictionaries(st.sampled_from("pq"), st.integers(0, 2)),
    },
)
EXISTING = {Existing.LEAVE: ExistingBehavior.IGNORE, Existing.CHANGE: ExistingBehavior.MERGE}


def customers_of(business: Business) -> list[Customer]:
    with business.services.records.snapshot() as tx:
        found = tx.customers.page(business.organization_id, Page())
    return [msgspec.structs.replace(each, organization_id="") for each in found]


def events_of(business: Business) -> list[Event]:
    found = business.events.events(business.organization_id, EventQuery(limit=1_000))
    return [msgspec.structs.replace(each, sequence=0) for each in found]


def over_the_api(business: Business, rows: list[dict[str, Any]], existing: Existing) -> None:
    """Each row in a request of its own, as a program would send them."""
    for row in rows:
        try:
            drafts, _ = customer_batch({"customers": [row]})
        except Invalid:
            continue
        create_customers(business.services, business.organization, drafts, EXISTING[existing])


@hypothesis_settings
@given(st.lists(CUSTOMER, min_size=1, max_size=12), st.integers(1, 5), st.sampled_from(Existing))
def test_customers_in_portions_are_those_at_once_and_those_of_the_api(
    services: Services, rows: list[dict[str, Any]], rows_at_once: int, existing: Existing
) -> None:
    one, other, sent = (found_business(services) for _ in range(3))
    content = lines_of(*rows)
    some = FileOfBytes(one).taken_in(ImportKind.CUSTOMERS, content, existing, rows_at_once=rows_at_once, part_bytes=211)
    whole = FileOfBytes(other).taken_in(ImportKind.CUSTOMERS, content, existing)
    over_the_api(sent, rows, existing)

    assert customers_of(one) == customers_of(other) == customers_of(sent)
    assert (some.tally, some.tally.total) == (whole.tally, len(rows))
    assert FileOfBytes(one).refused(some) == FileOfBytes(other).refused(whole)


@hypothesis_settings
@given(st.lists(EVENT, min_size=1, max_size=12), st.integers(1, 5))
def test_events_in_portions_are_those_at_once_and_those_of_the_api(
    services: Services, rows: list[dict[str, Any]], rows_at_once: int
) -> None:
    one, other, sent = (found_business(services) for _ in range(3))
    content = lines_of(*rows)
    some = FileOfBytes(one).taken_in(ImportKind.EVENTS, content, rows_at_once=rows_at_once, part_bytes=211)
    whole = FileOfBytes(other).taken_in(ImportKind.EVENTS, content)
    submission = Submission(sent.organization_id, msgspec.json.encode({"batch": rows}), at("2026-01-01"))
    receipt = asyncio.run(services.events.append(submission))

    assert events_of(one) == events_of(other) == events_of(sent)
    assert some.tally == whole.tally
    assert (receipt.accepted, receipt.duplicates, len(receipt.failures)) == (
        some.tally.made, some.tally.unchanged, some.tally.refused
    )  # fmt: skip
