"""Usage that is invoiced in parts of a billing period."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lotus_server.domain.catalog import (
    AdjustmentKind,
    Graduated,
    Package,
    PerUnit,
    Price,
    PriceAdjustment,
    Tier,
    UsageInvoicing,
    Volume,
)
from lotus_server.domain.invoicing import InvoiceLine, LineKind, explain, sentences
from lotus_server.domain.metering import Aggregation, Granularity, MetricDefinition, MetricType
from lotus_server.kernel.money import total
from lotus_server.kernel.period import Duration, Period
from lotus_server.usecases.billing import bill_due
from lotus_server.usecases.corrections import list_open_corrections
from lotus_server.usecases.invoices import void_invoice
from lotus_server.usecases.metrics import MetricDraft, create_metric
from lotus_server.usecases.plan_versions import Replace, create_version
from lotus_server.usecases.plans import ComponentDraft, PlanDraft, VersionDraft, create_plan
from lotus_server.usecases.rehearsal import next_invoice
from tests.business import PENNY, Business, Json, at, found_business

SUB = "sub_acme_pro"
D = Decimal
MONTHLY = UsageInvoicing(Duration.MONTHLY)
CALLS = MetricDefinition("call", Aggregation.COUNT)
CHEAPER_BEYOND = Graduated((Tier(D(10), D(1)), Tier(None, D("0.5"))))


def sell(
    business: Business,
    price: Price = PENNY,
    *,
    definition: MetricDefinition = CALLS,
    duration: Duration = Duration.QUARTERLY,
    usage_invoicing: UsageInvoicing = MONTHLY,
    reset: Duration | None = None,
    **more: Json,
) -> None:
    """Sell calls at a price to acme, invoiced in parts of a quarter."""
    create_metric(business.services, business.organization, MetricDraft("Calls", definition, "calls"))
    component = ComponentDraft("calls", price, reset_interval=reset)
    version = VersionDraft(components=(component,), usage_invoicing=usage_invoicing)
    create_plan(business.services, business.organization, PlanDraft("Pro", duration, version, "pro"))
    business.subscribe(**more)


def usage_lines(business: Business) -> list[InvoiceLine]:
    return [line for invoice in business.invoices() for line in invoice.lines]


def test_usage_that_is_invoiced_within_a_period_is_not_invoiced_again_at_its_end(business: Business) -> None:
    sell(business, PerUnit(D(1)))
    business.use(7, "2026-01-10")

    business.move("2026-04-01")

    assert [D(7), D(0), D(0)] == [line.amount for line in usage_lines(business)]


def test_each_invoice_has_the_price_of_everything_so_far_less_what_was_invoiced(business: Business) -> None:
    sell(business, CHEAPER_BEYOND)
    business.use(8, "2026-01-10")
    business.use(8, "2026-02-10")

    business.move("2026-03-01")

    first, second = usage_lines(business)
    assert (D(8), D(8)) == (first.quantity, first.amount)
    assert (D(8), D(5), D(5)) == (second.quantity, second.exact_amount, second.amount)
    assert Period(at("2026-02-01"), at("2026-03-01")) == second.period


def test_a_line_of_a_part_explains_what_it_is_a_part_of(business: Business) -> None:
    sell(business, CHEAPER_BEYOND)
    business.use(8, "2026-01-10")
    business.use(8, "2026-02-10")
    business.move("2026-03-01")

    explanation = explain(usage_lines(business)[-1], None, customer_id="acme", code="USD")

    assert (
        "Calls, from 2026-02-01 00:00 until 2026-03-01 00:00 UTC",
        'Quantity 8, of 16 since 2026-01-01 00:00: the number of events, made from 16 events named "call".',
        "tier 1 (up to 10): 10 units x 1 = 10",
        "tier 2 (above 10): 6 units x 0.5 = 3",
        "less what was invoiced of it before = -8",
        "= 5.00 USD",
    ) == sentences(explanation)
    assert explanation.events is not None
    assert at("2026-01-01") == explanation.events.start


def test_the_steps_of_a_part_come_to_its_exact_amount(business: Business) -> None:
    sell(business, CHEAPER_BEYOND)
    business.use(8, "2026-01-10")
    business.use(8, "2026-02-10")
    business.move("2026-04-01")

    for line in usage_lines(business):
        assert line.exact_amount == total(step.amount for step in line.steps if step.amount is not None)


def test_billing_again_changes_nothing(business: Business) -> None:
    sell(business, PerUnit(D(1)))
    business.use(7, "2026-01-10")
    business.move("2026-03-15")

    bill_due(business.services, until=at("2026-03-15"), organization=business.organization)

    assert [("2026-02-01", D(7)), ("2026-03-01", D(0))] == business.amounts()


def test_how_the_clock_is_moved_makes_no_difference(business: Business) -> None:
    twin = found_business(business.services)
    for each in (business, twin):
        sell(each, CHEAPER_BEYOND)
        each.use(8, "2026-01-10")
        each.use(8, "2026-02-10")
        each.use(8, "2026-04-10")

    business.move("2026-07-15")
    for day in ("2026-01-31", "2026-02-01", "2026-02-20", "2026-03-02", "2026-05-01", "2026-07-15"):
        twin.move(day)

    assert business.amounts() == twin.amounts()


def test_what_cannot_be_invoiced_is_parked_and_invoiced_later(business: Business) -> None:
    sell(business, PerUnit(D(1)))
    business.use(7, "2026-01-10")
    business.events.is_answering = False
    business.move("2026-02-01")
    parked = business.subscription(SUB).subscription.parked_cause

    business.events.is_answering = True
    business.move("2026-02-02")

    assert parked is not None
    assert [("2026-02-01", D(7))] == business.amounts()


def test_the_next_invoice_is_that_of_the_next_part(business: Business) -> None:
    sell(business, PerUnit(D(1)))
    business.use(7, "2026-01-10")
    business.move("2026-01-20")

    (preview,) = next_invoice(business.services, business.organization, SUB)
    business.move("2026-02-01")

    (issued,) = business.invoices()
    assert (issued.cause, issued.total, issued.lines) == (
        preview.invoice.cause,
        preview.invoice.total,
        preview.invoice.lines,
    )


def test_the_draft_is_what_no_invoice_has_so_far(business: Business) -> None:
    sell(business, CHEAPER_BEYOND)
    business.use(8, "2026-01-10")
    business.move("2026-02-10")
    business.use(4, "2026-02-10")

    assert [[D(3)]] == business.draft_amounts()


def test_a_late_event_of_a_part_is_on_the_next_invoice_and_no_correction(business: Business) -> None:
    sell(business, PerUnit(D(1)))
    business.move("2026-02-01")
    business.use(3, "2026-01-10")

    open_now = list_open_corrections(business.services, business.organization, "acme")[1]
    business.move("2026-03-01")

    assert [] == open_now
    assert [(LineKind.USAGE, D(0)), (LineKind.USAGE, D(3))] == [
        (line.kind, line.amount) for line in usage_lines(business)
    ]


def test_a_late_event_of_a_finished_period_corrects_the_line_that_had_its_usage_last(business: Business) -> None:
    sell(business, PerUnit(D(1)))
    business.move("2026-04-01")
    business.use(3, "2026-01-10")

    business.move("2026-05-01")

    last_of_quarter, following = business.invoices()[-2:]
    _, correction = following.lines
    assert (LineKind.CORRECTION, D(3)) == (correction.kind, correction.amount)
    assert correction.refers_to is not None
    assert (last_of_quarter.invoice_id, 0) == (correction.refers_to.invoice_id, correction.refers_to.line)


def test_a_late_event_of_an_interval_that_is_over_corrects_its_line_within_the_period(business: Business) -> None:
    sell(business, PerUnit(D(1)), reset=Duration.MONTHLY)
    business.move("2026-02-01")
    business.use(3, "2026-01-10")
    business.use(1, "2026-02-10")

    business.move("2026-03-01")
    business.use(2, "2026-01-11")
    business.move("2026-05-01")

    january, february, march, april = business.invoices()
    assert [(LineKind.CORRECTION, D(3)), (LineKind.USAGE, D(1))] == [(x.kind, x.amount) for x in february.lines]
    assert [(LineKind.CORRECTION, D(2)), (LineKind.USAGE, D(0))] == [(x.kind, x.amount) for x in march.lines]
    assert [D(0)] == [line.amount for line in april.lines]
    for each in (february.lines[0], march.lines[0]):
        assert each.refers_to is not None
        assert january.invoice_id == each.refers_to.invoice_id


def test_voiding_the_invoice_of_a_part_does_not_bill_it_again(business: Business) -> None:
    sell(business, PerUnit(D(1)))
    business.use(7, "2026-01-10")
    business.move("2026-02-01")

    void_invoice(business.services, business.organization, business.invoices()[0].invoice_id)
    business.use(2, "2026-02-10")
    business.move("2026-04-01")

    assert [D(7), D(2), D(0)] == [line.amount for line in usage_lines(business)]


def test_nothing_is_invoiced_within_a_trial(business: Business) -> None:
    sell(business, PerUnit(D(1)), duration=Duration.YEARLY, trial_end=at("2026-03-10"))

    business.move("2026-04-10")

    assert [("2026-04-10", D(0))] == business.amounts()


def test_a_renewal_onto_another_version_has_the_intervals_of_that_version(business: Business) -> None:
    sell(business, PerUnit(D(1)))
    version = VersionDraft(components=(ComponentDraft("calls", PerUnit(D(2))),))
    create_version(business.services, business.organization, "pro", version, Replace.ON_RENEWAL)

    business.move("2026-07-01")

    assert ["02-01", "03-01", "04-01", "07-01"] == [day[5:] for day, _ in business.amounts()]


def test_an_end_within_the_period_cuts_the_last_part(business: Business) -> None:
    sell(business, PerUnit(D(1)), ends_at=at("2026-02-10"))

    business.move("2026-03-01")

    assert [("2026-02-01", D(0)), ("2026-02-10", D(0))] == business.amounts()


def test_a_percentage_is_on_every_invoice_and_a_fixed_amount_on_that_of_the_period(business: Business) -> None:

    create_metric(business.services, business.organization, MetricDraft("Calls", CALLS, "calls"))
    component = ComponentDraft("calls", PerUnit(D(10)))
    for plan_id, adjustment in (
        ("pro", PriceAdjustment(AdjustmentKind.PERCENTAGE, D(-10))),
        ("fix", PriceAdjustment(AdjustmentKind.FIXED, D(-1))),
    ):
        version = VersionDraft(components=(component,), usage_invoicing=MONTHLY, price_adjustment=adjustment)
        create_plan(business.services, business.organization, PlanDraft("P", Duration.QUARTERLY, version, plan_id))
        business.subscribe(plan_id=plan_id)
    for month in (1, 2, 3):
        business.use(1, f"2026-0{month}-10")

    business.move("2026-04-01")

    amounts = {
        plan_id: [each.total for each in business.invoices() if each.subscription_id == f"sub_acme_{plan_id}"]
        for plan_id in ("pro", "fix")
    }
    assert {"pro": [D(9), D(9), D(9)], "fix": [D(10), D(10), D(9)]} == amounts


@pytest.mark.parametrize("reset", [None, Duration.MONTHLY])
def test_a_subscription_of_many_years_has_an_invoice_every_month(business: Business, reset: Duration | None) -> None:
    sell(business, PerUnit(D(1)), duration=Duration.YEARLY, reset=reset)

    business.move("2029-01-01")

    assert 36 == len(business.amounts())


PRICES = st.sampled_from(
    [
        PerUnit(D("0.335"), free_units=D(3)),
        PerUnit(D("0.335"), minimum_spend=D(9), maximum_spend=D(20)),
        CHEAPER_BEYOND,
        Graduated((Tier(D(5), D("0.111"), D(2)), Tier(None, D("0.07"), D(1)))),
        Volume((Tier(D(10), D(2)), Tier(None, D(1)))),
        Package(D(7), D("3.33")),
    ]
)
DEFINITIONS = st.sampled_from(
    [
        MetricDefinition("call", Aggregation.SUM, "n"),
        MetricDefinition("call", Aggregation.SUM, "n", group_by=("g",)),
        MetricDefinition("call", Aggregation.MAX, "n"),
        MetricDefinition("call", Aggregation.UNIQUE, "n"),
        MetricDefinition("call", Aggregation.AVERAGE, "n"),
        MetricDefinition("call", Aggregation.LATEST, "n"),
        MetricDefinition("call", Aggregation.SUM, "n", type=MetricType.GAUGE, granularity=Granularity.DAY),
        MetricDefinition("call", Aggregation.SUM, "n", type=MetricType.GAUGE, granularity=Granularity.TOTAL),
    ]
)
# Month and day of arrival; how many days it is late; value; group.
EVENTS = st.lists(
    st.tuples(st.integers(0, 80), st.integers(0, 60), st.integers(-2, 12), st.sampled_from("ab")), max_size=8
).map(sorted)


def billed(business: Business, events: list[tuple[int, int, int, str]]) -> Decimal:
    """What a quarter and the month after it come to when the events arrive on their days."""
    start = at("2026-01-01")
    for day, late, size, group in events:
        arrives = start.replace(month=1 + day // 28, day=1 + day % 28)
        happens = max(start, arrives.replace(month=max(1, arrives.month - late // 28)))
        business.move(f"{arrives:%Y-%m-%d}T12:00")
        business.events.put(business.organization_id, "call", "acme", happens, {"n": size, "g": group})
    business.move("2026-04-01")
    return total(line.amount for line in usage_lines(business))


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(price=PRICES, definition=DEFINITIONS, events=EVENTS)
def test_usage_in_parts_comes_to_what_it_comes_to_in_one_piece(
    business: Business, price: Price, definition: MetricDefinition, events: list[tuple[int, int, int, str]]
) -> None:
    parts, whole = found_business(business.services), found_business(business.services)
    sell(parts, price, definition=definition)
    sell(whole, price, definition=definition, usage_invoicing=UsageInvoicing())

    assert billed(parts, events) == billed(whole, events)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(price=PRICES, definition=DEFINITIONS, events=EVENTS)
def test_intervals_that_begin_anew_come_to_the_same_however_they_are_invoiced(
    business: Business, price: Price, definition: MetricDefinition, events: list[tuple[int, int, int, str]]
) -> None:
    parts, whole = found_business(business.services), found_business(business.services)
    sell(parts, price, definition=definition, reset=Duration.MONTHLY)
    sell(whole, price, definition=definition, reset=Duration.MONTHLY, usage_invoicing=UsageInvoicing())

    assert billed(parts, events) == billed(whole, events)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(price=PRICES, definition=DEFINITIONS, events=EVENTS, later=EVENTS)
def test_late_events_of_a_finished_period_come_to_the_same_too(
    business: Business,
    price: Price,
    definition: MetricDefinition,
    events: list[tuple[int, int, int, str]],
    later: list[tuple[int, int, int, str]],
) -> None:
    parts, whole = found_business(business.services), found_business(business.services)
    sell(parts, price, definition=definition)
    sell(whole, price, definition=definition, usage_invoicing=UsageInvoicing())
    for each in (parts, whole):
        billed(each, events)
        for day, _, size, group in later:
            when = at("2026-01-01").replace(month=1 + day // 28, day=1 + day % 28)
            each.events.put(each.organization_id, "call", "acme", when, {"n": size, "g": group})
        each.move("2026-07-01")

    assert total(line.amount for line in usage_lines(parts)) == total(line.amount for line in usage_lines(whole))
