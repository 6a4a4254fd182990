"""The law that finance trusts: all lines ever invoiced for usage come to the rating of the final events."""

from decimal import Decimal
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lotus_server.domain.catalog import Commitment, Graduated, Percentage, PerUnit, Prepaid, Tier
from lotus_server.domain.invoicing import LineKind
from lotus_server.domain.metering import (
    Aggregation,
    CorrectionKind,
    EventStatus,
    Granularity,
    MetricDefinition,
    MetricType,
)
from lotus_server.kernel.instants import to_microseconds
from lotus_server.kernel.period import Duration
from lotus_server.kernel.quantity import add
from lotus_server.ports.event_store import CorrectionOrder, EventQuery
from lotus_server.usecases.drafts import draft_invoices
from lotus_server.usecases.metrics import MetricDraft, create_metric
from lotus_server.usecases.plans import ComponentDraft, PlanDraft, VersionDraft, create_plan
from tests.business import Business, at, found_business

D = Decimal
MONTHS: Final = ("2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01")
DEFINITIONS: Final = {
    "groups": MetricDefinition("call", Aggregation.SUM, "n", group_by=("g",)),
    "peaks": MetricDefinition("call", Aggregation.MAX, "n", window=Granularity.WEEK),
    "units": MetricDefinition("call", Aggregation.COUNT),
    "level": MetricDefinition("call", Aggregation.SUM, "n", type=MetricType.GAUGE, granularity=Granularity.DAY),
    "fees": MetricDefinition("call", Aggregation.SUM, "n"),
}
TIERS: Final = Graduated((Tier(D(20), D("0.135")), Tier(None, D("0.07"), D(1))))
times = st.builds(
    lambda month, day, hour: f"2026-{month:02}-{day:02}T{hour:02}:00",
    st.integers(1, 4),
    st.integers(1, 28),
    st.integers(0, 23),
)
numbers, groups, places = st.integers(-3, 30), st.sampled_from("ab"), st.integers(1, 8)
actions = st.one_of(
    st.tuples(st.just("use"), times, numbers, groups),
    st.tuples(st.just("use"), times, numbers, groups),
    st.tuples(st.just("void"), places),
    st.tuples(st.just("amend"), places, times, numbers),
)
# What happens before each of the months is billed: most of it is late, and some of it ahead of its time.
rounds = st.lists(st.lists(actions, min_size=1, max_size=4), min_size=len(MONTHS), max_size=len(MONTHS))


def begin(business: Business) -> None:
    for name, definition in DEFINITIONS.items():
        create_metric(business.services, business.organization, MetricDraft(name, definition, name))
    version = VersionDraft(
        components=(
            ComponentDraft("groups", TIERS),
            ComponentDraft("peaks", PerUnit(D("0.333"))),
            ComponentDraft("units", PerUnit(D("0.31")), prepaid=Prepaid(D(2))),
            ComponentDraft("level", PerUnit(D("0.011"))),
            ComponentDraft("fees", Percentage(D("1.5"), free_events=1, min_per_event=D("0.03"))),
        ),
        commitment=Commitment(D(5), D("1.5")),
    )
    create_plan(business.services, business.organization, PlanDraft("Pro", Duration.MONTHLY, version, "pro"))
    business.subscribe()


def happen(business: Business, action: tuple[object, ...]) -> None:
    """One thing happens to the events."""
    store, organization_id = business.events, business.organization_id
    if action[0] == "use":
        _, when, n, group = action
        store.put(organization_id, "call", "acme", at(str(when)), {"n": n, "g": group})
    elif action[0] == "void":
        order = CorrectionOrder(f"put_{action[1]}", CorrectionKind.VOID, "a mistake")
        store.correct(organization_id, [order], now=at("2026-01-01"))
    else:
        _, place, when, n = action
        order = CorrectionOrder(
            f"put_{place}",
            CorrectionKind.AMEND,
            "a mistake",
            happened_us=to_microseconds(at(str(when))),
            properties_json=f'{{"n": {n}, "g": "a"}}'.encode(),
        )
        store.correct(organization_id, [order], now=at("2026-01-01"))


def sums(business: Business) -> dict[tuple[str | None, str, str], Decimal]:
    """What was invoiced altogether for each thing of each period, without what came to nothing."""
    found: dict[tuple[str | None, str, str], Decimal] = {}
    for invoice in business.invoices():
        for line in invoice.lines:
            if line.kind in {LineKind.USAGE, LineKind.COMMITMENT, LineKind.CORRECTION}:
                key = (line.metric_id, str(line.group), f"{line.period.start:%m}")
                found[key] = add(found.get(key, D(0)), line.amount)
    return {key: amount for key, amount in found.items() if amount}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(done=rounds)
def test_all_that_was_ever_invoiced_is_the_rating_of_the_final_events(
    business: Business, done: list[list[tuple[object, ...]]]
) -> None:
    lived, settled = found_business(business.services), found_business(business.services)
    for twin in (lived, settled):
        begin(twin)
    for month, happened in zip(MONTHS, done, strict=True):
        for action in happened:
            happen(lived, action)
        lived.move(month)
    # One more invoice, so that nothing is left open.
    lived.move("2026-06-01")
    for event in lived.events.events(lived.organization_id, EventQuery(limit=100, after=0)):
        if event.status is not EventStatus.VOIDED:
            settled.events.put(settled.organization_id, "call", "acme", event.happened_at, dict(event.properties))
    settled.move("2026-06-01")

    assert sums(settled) == sums(lived)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(done=rounds)
def test_a_draft_with_corrections_is_the_invoice_that_is_issued_now(
    business: Business, done: list[list[tuple[object, ...]]]
) -> None:
    twin = found_business(business.services)
    begin(twin)
    for month, happened in zip(MONTHS, done, strict=True):
        twin.move(month)
        for action in happened:
            happen(twin, action)
    _, (draft,) = draft_invoices(twin.services, twin.organization, "acme")

    _, invoice = twin.cancel("sub_acme_pro")

    assert invoice is not None
    assert draft.lines == invoice.lines
