"""What holds for a subscription with seats, prepaid units, groups and levels, whatever happens when."""

from decimal import Decimal
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lotus_server.domain.catalog import Graduated, PerUnit, Prepaid, Proration, Tier, Timing
from lotus_server.domain.metering import Aggregation, Granularity, MetricDefinition, MetricType
from lotus_server.kernel.period import Duration
from lotus_server.usecases.drafts import draft_invoices
from lotus_server.usecases.metrics import MetricDraft, create_metric
from lotus_server.usecases.plans import ChargeDraft, ComponentDraft, PlanDraft, VersionDraft, create_plan
from lotus_server.usecases.quantities import QuantityOrder, set_quantity
from tests.business import Business, at, found_business

SUBSCRIPTION: Final = "sub_acme_pro"
DEFINITIONS: Final = {
    "groups": MetricDefinition("call", Aggregation.SUM, "n", group_by=("g",)),
    "units": MetricDefinition("call", Aggregation.SUM, "n"),
    "level": MetricDefinition(
        "call", Aggregation.SUM, "n", type=MetricType.GAUGE, granularity=Granularity.DAY, group_by=("g",)
    ),
}
days = st.integers(0, 58)
events = st.lists(st.tuples(days, st.integers(0, 23), st.integers(-3, 40), st.sampled_from("ab")), max_size=8)
changes = st.lists(
    st.tuples(days, st.sampled_from(["seats", "desks", "units"]), st.integers(0, 9), st.booleans()), max_size=5
).map(lambda found: sorted(found, key=lambda change: change[0]))


def text_of(day: int, hour: int = 0) -> str:
    month, day = (1, day + 1) if day < 31 else (2, day - 30)
    return f"2026-{month:02}-{day:02}T{hour:02}:00"


def begin(business: Business, happened: list[tuple[int, int, int, str]]) -> None:
    """Sell everything at once to `acme`, and let the events happen."""
    for name, definition in DEFINITIONS.items():
        create_metric(business.services, business.organization, MetricDraft(name, definition, name))
    tiers = Graduated((Tier(Decimal(30), Decimal("0.13")), Tier(None, Decimal("0.07"), Decimal(1))))
    version = VersionDraft(
        recurring_charges=(
            ChargeDraft("seats", Decimal("9.99"), Timing.IN_ADVANCE),
            ChargeDraft("desks", Decimal("4.01"), Timing.IN_ARREARS, Proration.PRORATE),
        ),
        components=(
            ComponentDraft("groups", tiers),
            ComponentDraft("units", PerUnit(Decimal("0.31")), prepaid=Prepaid(Decimal(7))),
            ComponentDraft("level", PerUnit(Decimal("0.011"))),
        ),
    )
    create_plan(business.services, business.organization, PlanDraft("Pro", Duration.MONTHLY, version, "pro"))
    business.subscribe()
    for day, hour, size, group in happened:
        when = at(text_of(day, hour))
        business.events.put(business.organization_id, "call", "acme", when, {"n": size, "g": group})


def change(business: Business, name: str, quantity: int, *, at_once: bool) -> None:
    order = (
        QuantityOrder(Decimal(quantity), at_once, metric_id=name)
        if name == "units"
        else QuantityOrder(Decimal(quantity), at_once, charge=name)
    )
    set_quantity(business.services, business.organization, SUBSCRIPTION, order)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happened=events, changed=changes, cancelled_on=days)
def test_the_draft_is_the_invoice_that_is_issued_now(
    business: Business,
    happened: list[tuple[int, int, int, str]],
    changed: list[tuple[int, str, int, bool]],
    cancelled_on: int,
) -> None:
    twin = found_business(business.services)
    begin(twin, happened)
    for day, name, quantity, at_once in changed:
        if day <= cancelled_on:
            twin.move(text_of(day))
            change(twin, name, quantity, at_once=at_once)
    twin.move(text_of(cancelled_on, 12))
    _, (draft,) = draft_invoices(twin.services, twin.organization, "acme")

    _, invoice = twin.cancel(SUBSCRIPTION)

    assert invoice is not None
    assert draft.lines == invoice.lines


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happened=events, changed=changes, stops=st.lists(days, max_size=4).map(sorted))
def test_what_is_billed_does_not_depend_on_how_often_it_is_billed(
    business: Business,
    happened: list[tuple[int, int, int, str]],
    changed: list[tuple[int, str, int, bool]],
    stops: list[int],
) -> None:
    often, once = found_business(business.services), found_business(business.services)
    for twin in (often, once):
        begin(twin, happened)
        for day, name, quantity, at_once in changed:
            if day < 31:
                twin.move(text_of(day))
                change(twin, name, quantity, at_once=at_once)
    for day in stops:
        if day >= 31:
            often.move(text_of(day))
            often.move(text_of(day))
    for twin in (often, once):
        twin.move("2026-03-01")

    assert once.amounts() == often.amounts()
