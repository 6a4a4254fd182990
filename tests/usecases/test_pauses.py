"""Pausing and resuming: what it costs, what may be used, and what becomes of it when other things happen."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lotus_server.domain.catalog import Proration, Timing
from lotus_server.domain.invoicing import FlatFeeBehavior, LineKind, explain, sentences
from lotus_server.domain.subscriptions import PausedFees, PausedUsage
from lotus_server.kernel.errors import Conflict, Invalid, LotusError
from lotus_server.kernel.period import Duration
from lotus_server.usecases.access import active_components, load_entitlements, selection_of, subscriptions_with_feature
from lotus_server.usecases.pauses import PauseOrder, ResumeOrder, pause_subscription, resume_subscription
from lotus_server.usecases.plan_switch import PlanSwitch, switch_plan
from lotus_server.usecases.plans import ComponentDraft, PlanDraft, VersionDraft, create_plan
from lotus_server.usecases.quantities import QuantityOrder, set_quantity
from lotus_server.usecases.rehearsal import next_invoice, preview_of
from lotus_server.usecases.subscriptions import Cancellation, cancel_subscription
from tests.business import PENNY, Business, Json, at, charge, found_business

SUB = "sub_acme_pro"


def pause(business: Business, start: str | None = None, end: str | None = None, **more: Json) -> None:
    order = PauseOrder(None if start is None else at(start), None if end is None else at(end), **more)
    pause_subscription(business.services, business.organization, SUB, order)


def resume(business: Business, when: str | None = None, **more: Json) -> None:
    order = ResumeOrder(None if when is None else at(when), **more)
    resume_subscription(business.services, business.organization, SUB, order)


def seats(business: Business, quantity: int, *, invoices_now: bool = False, charge: str = "in_advance") -> None:
    order = QuantityOrder(Decimal(quantity), invoices_now, charge=charge)
    set_quantity(business.services, business.organization, SUB, order)


def subscribed(business: Business, *, timing: Timing = Timing.IN_ADVANCE, **more: Json) -> None:
    """A plan of 31 a month, so that each day of January costs 1, and of March too; a cent for each call."""
    business.plan("pro", charge("31", timing), price=PENNY)
    business.subscribe(**more)


def test_paused_days_come_back_with_the_next_invoice(business: Business) -> None:
    subscribed(business)
    business.move("2026-01-11")
    pause(business)
    business.move("2026-01-16")
    resume(business)

    business.move("2026-02-01")

    # 21 days back, 16 days again: five days were paused.
    assert [Decimal(31), Decimal(31 - 21 + 16)] == [amount for _, amount in business.amounts()]


def test_paused_days_of_a_charge_in_arrears_are_not_charged(business: Business) -> None:
    subscribed(business, timing=Timing.IN_ARREARS)
    business.move("2026-01-11")
    pause(business, end="2026-01-16")

    business.move("2026-02-01")

    assert [("2026-02-01", Decimal(26))] == business.amounts()


def test_a_pause_can_be_settled_at_once_and_is_then_not_settled_again(business: Business) -> None:
    subscribed(business)
    business.move("2026-01-11")
    pause(business, invoices_now=True)
    business.move("2026-01-16")
    resume(business, invoices_now=True)

    business.move("2026-02-01")

    issued = [("2026-01-01", 31), ("2026-01-11", -21), ("2026-01-16", 16), ("2026-02-01", 31)]
    assert [(day, Decimal(amount)) for day, amount in issued] == business.amounts()


def test_a_pause_may_leave_the_charges_as_they_are(business: Business) -> None:
    subscribed(business)
    business.move("2026-01-11")
    pause(business, fees=PausedFees.CHARGE_FULL)

    business.move("2026-03-01")

    assert [Decimal(31)] * 3 == [amount for _, amount in business.amounts()]


def test_a_renewal_in_a_pause_charges_nothing_until_it_goes_on(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()
    business.move("2026-01-31")
    pause(business)
    business.move("2026-03-11")
    resume(business)

    business.move("2026-04-01")

    # 1 day of January back; nothing for February and at the start of March; then 21 days of March, and April.
    assert [("2026-01-01", Decimal(31)), ("2026-02-01", Decimal(-1)), ("2026-04-01", Decimal(21 + 31))] == (
        business.amounts()
    )


def test_a_pause_that_is_planned_happens_by_itself(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()
    pause(business, "2026-02-01", "2026-03-11")

    business.move("2026-04-01")

    assert [("2026-01-01", Decimal(31)), ("2026-04-01", Decimal(21 + 31))] == business.amounts()


def test_a_pause_that_ends_with_a_period_leaves_the_next_one_whole(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()
    pause(business, "2026-01-11", "2026-02-01")

    business.move("2026-03-01")

    assert [Decimal(31), Decimal(31 - 21), Decimal(31)] == [amount for _, amount in business.amounts()]


def test_a_charge_that_is_never_prorated_is_due_in_full_for_a_period_with_any_time_in_use(business: Business) -> None:
    business.plan("pro", charge("31", proration=Proration.FULL))
    business.subscribe()
    pause(business, "2026-01-11", "2026-03-11")

    business.move("2026-04-01")

    assert [("2026-01-01", Decimal(31)), ("2026-04-01", Decimal(31 + 31))] == business.amounts()


def test_what_is_used_in_a_pause_is_billed(business: Business) -> None:
    subscribed(business, timing=Timing.IN_ARREARS)
    pause(business)
    business.use(50, "2026-01-05")

    business.move("2026-02-01")

    assert [("2026-02-01", Decimal("0.50"))] == business.amounts()


@pytest.mark.parametrize("starts", ["2026-01-06", None])
def test_what_is_used_in_a_pause_can_be_let_off(business: Business, starts: str | None) -> None:
    subscribed(business, timing=Timing.IN_ARREARS)
    business.use(7, "2026-01-05")
    business.move("2026-01-06" if starts is None else "2026-01-04")
    pause(business, starts, "2026-01-16", fees=PausedFees.CHARGE_FULL, usage=PausedUsage.BILL_NONE)
    business.use(50, "2026-01-06")
    business.use(50, "2026-01-15T23:59")
    business.use(20, "2026-01-16")

    business.move("2026-02-01")

    assert [("2026-02-01", Decimal("31.27"))] == business.amounts()
    (usage, _) = business.invoices()[0].lines
    explained = "; those from 2026-01-06 00:00 until 2026-01-16 00:00, in a pause, were left out"
    assert explained in " ".join(sentences(explain(usage, None, customer_id="acme", code="USD")))


def test_what_came_late_out_of_a_pause_whose_usage_is_let_off_corrects_nothing(business: Business) -> None:
    subscribed(business, timing=Timing.IN_ARREARS)
    pause(business, "2026-01-06", "2026-01-16", usage=PausedUsage.BILL_NONE)
    business.use(7, "2026-01-05")
    business.move("2026-02-01")
    business.use(30, "2026-01-10")
    business.use(1, "2026-01-20")

    business.move("2026-03-01")

    assert [Decimal("21.07"), Decimal("31.01")] == [amount for _, amount in business.amounts()]


def test_until_somebody_resumes_usage_is_let_off_in_every_period(business: Business) -> None:
    subscribed(business, timing=Timing.IN_ARREARS)
    pause(business, fees=PausedFees.CHARGE_FULL, usage=PausedUsage.BILL_NONE)
    business.use(5, "2026-01-10")
    business.use(5, "2026-02-10")
    business.move("2026-02-15")
    resume(business)
    business.use(3, "2026-02-15")

    business.move("2026-03-01")

    assert [Decimal(31), Decimal("31.03")] == [amount for _, amount in business.amounts()]


@pytest.mark.parametrize("carries", [True, False])
def test_a_switch_bills_nothing_that_was_let_off(business: Business, *, carries: bool) -> None:
    subscribed(business, timing=Timing.IN_ARREARS)
    component = ComponentDraft("calls_pro", PENNY)
    terms = VersionDraft(components=(component,))
    create_plan(business.services, business.organization, PlanDraft("Max", Duration.MONTHLY, terms, "max"))
    business.use(1, "2026-01-01")
    pause(business, "2026-01-06", "2026-01-16", fees=PausedFees.CHARGE_FULL, usage=PausedUsage.BILL_NONE)
    business.use(50, "2026-01-10")
    business.use(50, "2026-01-15")
    business.use(3, "2026-01-20")
    business.move("2026-01-13")
    switch_plan(business.services, business.organization, SUB, PlanSwitch("max", carries_usage=carries))

    business.move("2026-02-01")

    usage = [line.amount for each in business.invoices() for line in each.lines if line.kind is LineKind.USAGE]
    assert ([Decimal("0.04")] if carries else [Decimal("0.01"), Decimal("0.03")]) == usage


def test_what_is_let_off_counts_for_no_limit(business: Business) -> None:
    subscribed(business)
    pause(business, "2026-01-06", "2026-01-16", usage=PausedUsage.BILL_NONE)
    business.use(2, "2026-01-05")
    business.use(50, "2026-01-10")
    held = load_entitlements(business.services, business.organization, "acme")
    (component,) = active_components(held, at("2026-01-20"), event_name="call")

    asked = selection_of(component, at("2026-01-20"))

    assert [Decimal(2)] == [each.value for each in business.events.usage(business.organization_id, [asked])]


def test_nothing_may_be_used_in_a_pause(business: Business) -> None:
    subscribed(business)
    pause(business, "2026-01-11", "2026-01-16")
    held = load_entitlements(business.services, business.organization, "acme")

    def usable(when: str) -> tuple[int, int]:
        found = subscriptions_with_feature(held, at(when), feature_name="any")
        return len(active_components(held, at(when), event_name="call")), len(found)

    assert [(1, 1), (0, 0), (1, 1)] == [usable("2026-01-10"), usable("2026-01-11"), usable("2026-01-16")]


def test_seats_that_change_in_a_pause_are_charged_when_it_is_over(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()
    business.move("2026-01-11")
    pause(business)
    seats(business, 3, invoices_now=True)
    business.move("2026-01-16")
    resume(business)

    business.move("2026-02-01")

    assert [("2026-01-01", Decimal(31)), ("2026-02-01", Decimal(-21 + 3 * 16 + 93))] == business.amounts()


def test_seats_pauses_and_resumptions_of_one_instant_come_in_their_order(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()
    business.move("2026-01-11")
    pause(business, invoices_now=True)
    resume(business, invoices_now=True)
    seats(business, 3, invoices_now=True)
    pause(business, invoices_now=True)
    seats(business, 2, invoices_now=True)
    resume(business, invoices_now=True)

    business.move("2026-02-01")

    invoiced = [31, -21, 21, 42, -63, 42, 62]
    assert [Decimal(amount) for amount in invoiced] == [amount for _, amount in business.amounts()]


def test_cancelling_in_a_pause_charges_the_time_before_it(business: Business) -> None:
    subscribed(business)
    pause(business, "2026-01-11", "2026-01-16")
    business.move("2026-01-13")

    _, invoice = business.cancel(SUB, Cancellation(flat_fees=FlatFeeBehavior.CHARGE_PRORATED))

    assert invoice is not None
    assert Decimal(-21) == invoice.subtotal


@pytest.mark.parametrize("behavior", FlatFeeBehavior)
def test_a_pause_to_come_changes_nothing_of_a_cancellation(business: Business, behavior: FlatFeeBehavior) -> None:
    subscribed(business)
    business.move("2026-01-13")

    def previewed() -> list[Decimal]:
        how, organization = Cancellation(flat_fees=behavior), business.organization
        found = preview_of(
            business.services, organization, lambda services: cancel_subscription(services, organization, SUB, how)
        )
        return [view.invoice.subtotal for view in found]

    before = previewed()
    pause(business, "2026-01-21", "2026-02-21")

    assert before == previewed()


def test_a_switch_of_plan_in_a_pause_stays_paused(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.plan("big", charge("62"))
    business.subscribe()
    business.move("2026-01-11")
    pause(business, end="2026-01-21")
    business.move("2026-01-16")

    view = switch_plan(business.services, business.organization, SUB, PlanSwitch("big"))
    business.move("2026-02-01")

    assert view.is_paused
    # 21 days of the old plan back; then 11 days of the new one, and a whole month.
    assert [Decimal(31), Decimal(-21), Decimal(22 + 62)] == [amount for _, amount in business.amounts()]


def test_a_preview_of_the_next_invoice_in_a_pause_is_what_is_issued(business: Business) -> None:
    subscribed(business)
    pause(business, "2026-01-11", "2026-02-11")
    business.move("2026-01-13")
    previewed = next_invoice(business.services, business.organization, SUB)

    business.move("2026-02-01")

    issued = business.invoices()[-1]
    assert [issued.lines] == [view.invoice.lines for view in previewed]
    assert Decimal(-21) == issued.subtotal


def test_a_pause_that_has_not_begun_can_be_taken_back(business: Business) -> None:
    subscribed(business)
    pause(business, "2026-01-11")
    resume(business)

    business.move("2026-02-01")

    assert [Decimal(31), Decimal(31)] == [amount for _, amount in business.amounts()]


def test_a_pause_can_be_made_longer_and_shorter(business: Business) -> None:
    subscribed(business, timing=Timing.IN_ARREARS)
    pause(business, "2026-01-11", "2026-01-13")
    resume(business, "2026-01-29")
    resume(business, "2026-01-16")

    business.move("2026-02-01")

    assert [("2026-02-01", Decimal(26))] == business.amounts()


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        ("2025-12-31", None, "paused_from"),
        ("2026-01-11", "2026-01-11", "paused_until"),
        ("2026-03-01", None, "paused_from"),
    ],
)
def test_a_pause_lies_ahead_and_within_the_subscription(
    business: Business, start: str, end: str | None, field: str
) -> None:
    subscribed(business, ends_at=at("2026-02-01"))

    with pytest.raises(Invalid) as refused:
        pause(business, start, end)

    assert [field] == [problem.field for problem in refused.value.problems]


def test_two_pauses_do_not_overlap(business: Business) -> None:
    subscribed(business)
    pause(business, "2026-01-11", "2026-01-16")

    with pytest.raises(Conflict) as refused:
        pause(business, "2026-01-15")

    assert "already_paused" == refused.value.code


def test_only_a_pause_can_be_ended(business: Business) -> None:
    subscribed(business)

    with pytest.raises(Conflict) as refused:
        resume(business)

    assert "not_paused" == refused.value.code


def test_only_what_takes_effect_now_is_invoiced_now(business: Business) -> None:
    subscribed(business)

    with pytest.raises(Invalid) as refused:
        pause(business, "2026-01-11", invoices_now=True)

    assert ["invoicing_behavior"] == [problem.field for problem in refused.value.problems]


DAYS = (31, 28, 31)
orders = st.lists(
    st.tuples(
        st.integers(0, 88),
        st.one_of(
            st.tuples(st.just("pause"), st.integers(0, 9), st.none() | st.integers(1, 40)),
            st.tuples(st.just("resume"), st.integers(0, 9), st.none()),
            st.tuples(st.just("seats"), st.integers(0, 4), st.none()),
        ),
        st.booleans(),
    ),
    max_size=7,
).map(lambda found: sorted(found, key=lambda order: order[0]))


def carry_out(business: Business, order: tuple[str, int, int | None], *, at_once: bool) -> None:
    what, number, days = order
    now = business.organization.clock_now
    assert now is not None
    later = None if number == 0 else (now + timedelta(days=number)).isoformat()
    is_now = at_once and later is None
    if what == "pause":
        until = None if days is None else (now + timedelta(days=number + days)).isoformat()
        pause(business, later, until, invoices_now=is_now)
    elif what == "resume":
        resume(business, later, invoices_now=is_now)
    else:
        for timing in Timing:
            seats(business, number, invoices_now=at_once, charge=timing.value)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ordered=orders, cancelled_on=st.integers(0, 89), taken_as=st.sampled_from(["prorated", "own"]))
@example(ordered=[(30, ("pause", 1, 28), False)], cancelled_on=70, taken_as="own")
def test_each_day_is_paid_once_for_what_is_held_and_not_paused(
    business: Business,
    ordered: list[tuple[int, tuple[str, int, int | None], bool]],
    cancelled_on: int,
    taken_as: str,
) -> None:
    twin = found_business(business.services)
    month = Decimal(31 * 28)
    twin.plan("pro", *(charge(str(month), timing) for timing in Timing))
    start = at("2026-01-01")
    twin.subscribe()
    held = [1] * 90
    for day, order, at_once in ordered:
        if day > cancelled_on:
            continue
        twin.move((start + timedelta(days=day)).isoformat())
        try:
            carry_out(twin, order, at_once=at_once)
        except LotusError:
            continue
        if order[0] == "seats":
            held[day:] = [order[1]] * (90 - day)
    end = start + timedelta(days=cancelled_on)
    kept = twin.subscription(SUB).subscription
    twin.move(end.isoformat())
    behavior = FlatFeeBehavior.CHARGE_PRORATED if taken_as == "prorated" else FlatFeeBehavior.OWN
    twin.cancel(SUB, Cancellation(flat_fees=behavior))

    paused = [kept.is_paused_at(start + timedelta(days=day)) for day in range(90)]
    lengths = [length for length in DAYS for _ in range(length)]
    paid = sum(
        (
            month / length * number
            for number, length, free in list(zip(held, lengths, paused, strict=True))[:cancelled_on]
            if not free
        ),
        Decimal(0),
    )
    lines = [line for invoice in twin.invoices() for line in invoice.lines]
    for timing in Timing:
        assert paid == sum(line.amount for line in lines if line.billing_type.value == timing.value)
