"""Another end within a period that was invoiced in advance: what is missing is charged, what is too much comes back."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lotus_server.domain.catalog import AddOnFrequency, PerUnit, Prepaid, Proration, ProrationUnit
from lotus_server.domain.invoicing import BillingType, FlatFeeBehavior, Invoice, InvoiceLine, LineKind
from lotus_server.domain.metering import Aggregation, MetricDefinition
from lotus_server.kernel.period import Duration
from lotus_server.usecases.addons import AddOnDraft, create_addon
from lotus_server.usecases.attachments import Attachment, attach_addon
from lotus_server.usecases.metrics import MetricDraft, create_metric
from lotus_server.usecases.plans import ComponentDraft, PlanDraft, VersionDraft, create_plan
from lotus_server.usecases.quantities import QuantityOrder, set_quantity
from lotus_server.usecases.rehearsal import effect_of, next_invoice
from lotus_server.usecases.subscriptions import Cancellation, SubscriptionChange, change_subscription
from tests.business import Business, at, charge, found_business

SUB = "sub_acme_pro"
SEATS = "in_advance"


def end(business: Business, when: str | None, *, invoices_now: bool = False) -> None:
    """Give the subscription an end, or none."""
    change = SubscriptionChange(renews_again=True, invoices_now=invoices_now)
    if when is not None:
        change = SubscriptionChange(ends_at=at(when), invoices_now=invoices_now)
    change_subscription(business.services, business.organization, SUB, change)


def lines_of(business: Business) -> list[tuple[str, str, str, Decimal]]:
    return [
        (line.name, f"{line.period.start:%m-%d}", f"{line.period.end:%m-%d}", line.amount)
        for invoice in business.invoices()
        for line in invoice.lines
    ]


def test_a_later_end_is_charged_from_the_end_before_on(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe(ends_at=at("2026-01-11"))

    end(business, "2026-01-21")
    business.move("2026-06-01")

    expected = [("Pro in_advance", "01-01", "01-11", Decimal(10)), ("Pro in_advance", "01-11", "01-21", Decimal(10))]
    assert expected == lines_of(business)


def test_it_waits_for_the_next_invoice_or_is_invoiced_at_once(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe(ends_at=at("2026-01-11"))
    business.move("2026-01-05")

    end(business, "2026-01-16")
    waiting = business.amounts()
    end(business, "2026-01-21", invoices_now=True)

    assert [("2026-01-01", Decimal(10))] == waiting
    assert [("2026-01-01", Decimal(10)), ("2026-01-05", Decimal(10))] == business.amounts()


def test_an_earlier_end_gives_back_what_lies_behind_it(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()

    end(business, "2026-01-21")
    business.move("2026-06-01")

    back = ("Pro in_advance (unused)", "01-21", "02-01", Decimal(-11))
    assert [("Pro in_advance", "01-01", "02-01", Decimal(31)), back] == lines_of(business)


def test_an_end_that_is_taken_away_charges_the_rest_of_the_period(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe(ends_at=at("2026-01-11"))

    end(business, None)
    business.move("2026-02-01")

    assert [("2026-01-01", Decimal(10)), ("2026-02-01", Decimal(21 + 31))] == business.amounts()


def test_a_charge_that_is_never_prorated_is_due_once_wherever_the_end_goes(business: Business) -> None:
    business.plan("pro", charge("31", proration=Proration.FULL))
    business.subscribe(ends_at=at("2026-01-11"))

    end(business, "2026-01-21")
    end(business, "2026-01-06")
    business.move("2026-06-01")

    assert [("2026-01-01", Decimal(31))] == business.amounts()


def test_whole_days_are_counted_where_the_version_counts_them(business: Business) -> None:
    terms = VersionDraft(recurring_charges=(charge("31"),), proration_unit=ProrationUnit.DAY)
    create_plan(business.services, business.organization, PlanDraft("Pro", Duration.MONTHLY, terms, "pro"))
    business.subscribe(ends_at=at("2026-01-11T12:00"))

    end(business, "2026-01-20T06:00")
    business.move("2026-06-01")

    assert [Decimal(11), Decimal(9)] == [amount for *_, amount in lines_of(business)]


def test_an_end_in_a_later_period_first_charges_the_rest_of_this_one(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe(ends_at=at("2026-01-11"))

    end(business, "2026-02-15", invoices_now=True)
    business.move("2026-06-01")

    amounts = [("2026-01-01", Decimal(10)), ("2026-01-01", Decimal(21)), ("2026-02-01", Decimal("15.50"))]
    assert amounts == business.amounts()


def test_seats_that_were_invoiced_are_charged_to_the_new_end_too(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe(ends_at=at("2026-01-11"))
    business.move("2026-01-06")
    set_quantity(business.services, business.organization, SUB, QuantityOrder(Decimal(3), True, charge=SEATS))

    end(business, "2026-01-21", invoices_now=True)
    business.move("2026-06-01")

    assert [Decimal(10), Decimal(2 * 5), Decimal(3 * 10)] == [amount for _, amount in business.amounts()]


def test_prepaid_units_are_charged_to_the_new_end(business: Business) -> None:
    create_metric(
        business.services,
        business.organization,
        MetricDraft("calls", MetricDefinition("call", Aggregation.COUNT), "calls"),
    )
    component = ComponentDraft("calls", PerUnit(Decimal(1)), prepaid=Prepaid(Decimal(31)))
    terms = VersionDraft(components=(component,))
    create_plan(business.services, business.organization, PlanDraft("Pro", Duration.MONTHLY, terms, "pro"))
    business.subscribe(ends_at=at("2026-01-11"))

    end(business, "2026-01-21", invoices_now=True)

    assert [Decimal(10), Decimal(10)] == [amount for _, amount in business.amounts()]


def test_recurring_addons_are_charged_to_the_new_end_too(business: Business) -> None:
    business.plan("pro")
    addon = AddOnDraft(
        "Support", VersionDraft(recurring_charges=(charge("62"),)), "support", frequency=AddOnFrequency.RECURRING
    )
    create_addon(business.services, business.organization, addon)
    business.subscribe(ends_at=at("2026-01-11"))
    attach_addon(business.services, business.organization, SUB, Attachment("support"))

    end(business, "2026-01-21", invoices_now=True)
    end(business, "2026-01-16", invoices_now=True)

    assert [Decimal(20), Decimal(20), Decimal(-10)] == [amount for _, amount in business.amounts()]


def test_what_lies_ahead_or_is_on_trial_is_not_charged_for_another_end(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe("2026-01-05", ends_at=at("2026-01-11"))
    end(business, "2026-01-21", invoices_now=True)
    business.subscribe(plan_id="pro", subscription_id="trial", start="2026-03-01", trial_end=at("2026-03-20"))
    business.move("2026-03-05")

    change = SubscriptionChange(ends_at=at("2026-03-10"), invoices_now=True)
    change_subscription(business.services, business.organization, "trial", change)

    assert [("2026-01-05", Decimal(16))] == business.amounts()


def test_a_cancellation_after_a_later_end_gives_back_what_is_unused(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe(ends_at=at("2026-01-11"))
    end(business, "2026-01-21")
    business.move("2026-01-06")

    business.cancel(SUB, Cancellation(flat_fees=FlatFeeBehavior.CHARGE_PRORATED))

    # 10 were invoiced, 10 more wait, and 15 of the 20 days are unused.
    assert [Decimal(10), Decimal(10 - 15)] == [amount for _, amount in business.amounts()]


@pytest.mark.parametrize("invoices_now", [True, False])
def test_the_preview_of_another_end_is_what_is_issued(business: Business, *, invoices_now: bool) -> None:
    business.plan("pro", charge("31"))
    business.subscribe(ends_at=at("2026-01-11"))
    business.move("2026-01-06")
    organization = business.organization
    change = SubscriptionChange(ends_at=at("2026-01-21"), invoices_now=invoices_now)
    effect = effect_of(
        business.services,
        organization,
        "acme",
        lambda services: change_subscription(services, organization, SUB, change),
    )

    end(business, "2026-01-21", invoices_now=invoices_now)
    following = [view.invoice.lines for view in next_invoice(business.services, organization, SUB)]
    issued = [invoice.lines for invoice in business.invoices()[1:]]
    business.move("2026-01-21")
    after = [invoice.lines for invoice in business.invoices()[1 + len(issued) :]]

    assert [view.invoice.lines for view in effect.issued] == issued
    assert following == after == ([] if effect.following is None else [effect.following.invoice.lines])
    assert Decimal(10) == sum(line.amount for lines in (*issued, *after) for line in lines)


def test_the_line_of_another_end_explains_itself(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe(ends_at=at("2026-01-11"))
    end(business, "2026-01-21", invoices_now=True)

    (line,) = business.invoices()[-1].lines

    steps = [(step.text, step.amount) for step in line.steps]
    assert [Decimal(20), Decimal(-10)] == [amount for _, amount in steps]
    assert "less what was invoiced in advance to the end before" == steps[-1][0]


moves = st.lists(st.tuples(st.integers(1, 70 * 24) | st.none(), st.booleans()), min_size=1, max_size=6)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=st.integers(6 * 24, 31 * 24) | st.none(),
    moved=moves,
    seats=st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=2),
    prorates=st.booleans(),
)
@example(first=240, moved=[(480, False), (121, True), (480, False)], seats=[(3, True)], prorates=True)
def test_however_an_end_is_moved_it_costs_what_the_last_one_costs_alone(
    business: Business,
    first: int | None,
    moved: list[tuple[int | None, bool]],
    seats: list[tuple[int, bool]],
    *,
    prorates: bool,
) -> None:
    step_by_step, at_once = found_business(business.services), found_business(business.services)
    proration = Proration.PRORATE if prorates else Proration.FULL
    ends = [(None if each is None else max(each, 121), invoices_now) for each, invoices_now in moved]
    for twin in (step_by_step, at_once):
        twin.plan("pro", charge("9.99", proration=proration))
        twin.subscribe(ends_at=None if first is None else _hours_in(first), auto_renew=first is None)
        twin.move("2026-01-03T07:13")
        for quantity, invoices_now in seats:
            order = QuantityOrder(Decimal(quantity), invoices_now, charge=SEATS)
            set_quantity(twin.services, twin.organization, SUB, order)
    for hour, invoices_now in ends:
        _end_at(step_by_step, hour, invoices_now=invoices_now)
    _end_at(at_once, ends[-1][0], invoices_now=ends[-1][1])
    for twin in (step_by_step, at_once):
        twin.move("2026-04-01")

    assert _sum(at_once) == _sum(step_by_step)
    if not seats and prorates:
        subscription = step_by_step.subscription(SUB).subscription
        covered = subscription.ends_at or subscription.open_period.end
        assert {1} == _times_covered(step_by_step.invoices(), until=f"{covered:%Y-%m-%dT%H:%M}")


def _hours_in(hours: int) -> datetime:
    return at("2026-01-01") + timedelta(hours=hours)


def _end_at(business: Business, hour: int | None, *, invoices_now: bool) -> None:
    end(business, None if hour is None else f"{_hours_in(hour):%Y-%m-%dT%H:%M}", invoices_now=invoices_now)


def _sum(business: Business) -> Decimal:
    return sum((line.amount for invoice in business.invoices() for line in invoice.lines), Decimal(0))


def _times_covered(invoices: list[Invoice], *, until: str) -> set[int]:
    """How often each instant from the start to an end is charged for, less how often it was given back."""
    lines = [line for invoice in invoices for line in invoice.lines if _is_in_advance(line)]
    bounds = {at("2026-01-01"), at(until), *(each for line in lines for each in (line.period.start, line.period.end))}
    inside = [each for each in sorted(bounds) if each <= at(until)]
    return {
        sum((-1 if line.amount < 0 else 1) for line in lines if line.period.start <= one < line.period.end)
        for one, _ in pairwise(inside)
    }


def _is_in_advance(line: InvoiceLine) -> bool:
    return line.kind is LineKind.RECURRING and line.billing_type is BillingType.IN_ADVANCE
