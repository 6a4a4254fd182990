"""Pauses that prolong: the time of a subscription stands still, and what was paid lasts as much longer."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lotus_server.domain.catalog import AddOnFrequency, Proration, ProrationUnit, Timing
from lotus_server.domain.invoicing import FlatFeeBehavior
from lotus_server.domain.subscriptions import PausedFees, Status, period_containing
from lotus_server.kernel.errors import Invalid
from lotus_server.kernel.period import Duration
from lotus_server.usecases.addons import AddOnDraft, create_addon
from lotus_server.usecases.attachments import Attachment, attach_addon
from lotus_server.usecases.customers import CustomerDraft, create_customer
from lotus_server.usecases.pauses import PauseOrder, ResumeOrder, pause_subscription, resume_subscription
from lotus_server.usecases.plan_switch import PlanSwitch, switch_plan
from lotus_server.usecases.plans import PlanDraft, VersionDraft, create_plan
from lotus_server.usecases.quantities import QuantityOrder, set_quantity
from lotus_server.usecases.rehearsal import next_invoice
from lotus_server.usecases.subscriptions import Cancellation
from tests.business import Business, Json, at, charge, found_business

SUB = "sub_acme_pro"


def prolong(business: Business, start: str | None, end: str | None, sub: str = SUB, **more: Json) -> None:
    starts_at, ends_at = (None if each is None else at(each) for each in (start, end))
    order = PauseOrder(starts_at, ends_at, PausedFees.PROLONG, **more)
    pause_subscription(business.services, business.organization, sub, order)


def resume(business: Business, when: str | None = None) -> None:
    order = ResumeOrder(None if when is None else at(when))
    resume_subscription(business.services, business.organization, SUB, order)


def starts(business: Business, sub: str = SUB) -> list[str]:
    """The days on which the periods of a subscription begin, from the first one on."""
    subscription = business.subscription(sub).subscription
    period, found = period_containing(subscription, subscription.starts_at), []
    for _ in range(4):
        found.append(f"{period.end:%m-%d}")
        if period.end == subscription.ends_at:
            break
        period = period_containing(subscription, period.end)
    return found


@pytest.mark.parametrize("timing", Timing)
def test_the_period_ends_as_much_later_as_the_pause_lasts(business: Business, timing: Timing) -> None:
    business.plan("pro", charge("31", timing))
    business.subscribe()
    prolong(business, "2026-01-11", "2026-01-16")

    business.move("2026-03-06")

    days = ["2026-02-06", "2026-03-06"]
    expected = [(day, Decimal(31)) for day in days]
    assert ([("2026-01-01", Decimal(31))] if timing is Timing.IN_ADVANCE else []) + expected == business.amounts()


def test_every_boundary_after_it_is_as_much_later(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe("2026-01-31")
    prolong(business, "2026-02-10", "2026-02-20")
    prolong(business, "2026-05-01", "2026-05-02")

    # The 28th of February and 10 days, the 31st of March and 10 days, the 30th of April and 10 days and one more.
    assert ["03-10", "04-10", "05-11", "06-11"] == starts(business)


def test_a_pause_that_begins_with_a_period_prolongs_that_one(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()
    prolong(business, "2026-02-01", "2026-02-11")

    assert ["02-01", "03-11", "04-11", "05-11"] == starts(business)


def test_resuming_earlier_or_later_moves_the_end_again(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()
    prolong(business, "2026-01-11", "2026-01-16")
    resume(business, "2026-01-21")
    later = starts(business)
    business.move("2026-01-13")
    resume(business)

    business.move("2026-02-03")

    assert "02-11" == later[0]
    assert [("2026-01-01", Decimal(31)), ("2026-02-03", Decimal(31))] == business.amounts()


def test_a_pause_that_is_taken_back_leaves_everything_as_it_was(business: Business) -> None:
    business.plan("pro", charge("31"))
    before = business.subscribe(ends_at=at("2026-02-15"))
    prolong(business, "2026-01-11", "2026-01-16")
    resume(business, "2026-01-11")

    assert before == business.subscription(SUB).subscription


def test_a_fixed_end_and_a_trial_last_longer_too(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe(ends_at=at("2026-02-15"), trial_end=at("2026-01-08"))

    prolong(business, "2026-01-05", "2026-01-10")

    subscription = business.subscription(SUB).subscription
    assert (at("2026-02-20"), at("2026-01-13")) == (subscription.ends_at, subscription.trial_end)
    assert at("2026-01-13") == subscription.open_period.end


def test_boundaries_stay_at_midnight_where_clocks_change_in_the_pause(business: Business) -> None:
    create_customer(business.services, business.organization, CustomerDraft("berlin", timezone="Europe/Berlin"))
    business.plan("pro", charge("31"))
    business.subscribe("2026-03-01T23:00", customer_id="berlin")
    prolong(business, "2026-03-20T23:00", "2026-04-09T22:00", "sub_berlin_pro")

    # 20 days after midnight of the 2nd of April, which is summer time.
    assert at("2026-04-21T22:00") == business.subscription("sub_berlin_pro").subscription.open_period.end


def test_seats_cost_their_share_of_the_time_in_use(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()
    prolong(business, "2026-01-11", "2026-01-16")
    business.move("2026-01-13")
    order = QuantityOrder(Decimal(2), invoices_now=True, charge="in_advance")
    set_quantity(business.services, business.organization, SUB, order)

    # 21 of the 31 days in use are left.
    assert [Decimal(31), Decimal(21)] == [amount for _, amount in business.amounts()]


def test_a_cancellation_gives_back_the_days_that_were_not_used(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()
    prolong(business, "2026-01-11", "2026-01-16")
    business.move("2026-01-21")

    business.cancel(SUB, Cancellation(flat_fees=FlatFeeBehavior.CHARGE_PRORATED))

    assert [Decimal(31), Decimal(15 - 31)] == [amount for _, amount in business.amounts()]


def test_whole_days_are_counted_without_those_of_the_pause(business: Business) -> None:
    terms = VersionDraft(recurring_charges=(charge("31"),), proration_unit=ProrationUnit.DAY)
    create_plan(business.services, business.organization, PlanDraft("Pro", Duration.MONTHLY, terms, "pro"))
    business.subscribe()
    prolong(business, "2026-01-11T09:00", "2026-01-16T21:00")
    business.move("2026-01-20T12:00")

    business.cancel(SUB, Cancellation(flat_fees=FlatFeeBehavior.CHARGE_PRORATED))

    # 1 to 10 January, and 16 to 20.
    assert [Decimal(31), Decimal(15 - 31)] == [amount for _, amount in business.amounts()]


def test_a_switch_keeps_the_boundaries(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.plan("big", charge("62"))
    business.subscribe()
    prolong(business, "2026-01-11", "2026-01-16")
    business.move("2026-01-21")
    view = switch_plan(business.services, business.organization, SUB, PlanSwitch("big"))

    business.move("2026-02-06")

    assert at("2026-02-06") == view.subscription.open_period.end
    # 15 of the 31 days were used; then 16 days of the other plan.
    assert [31, 15 - 31, 32, 62] == [amount for _, amount in business.amounts()]


def test_addons_stand_still_with_their_subscription(business: Business) -> None:
    business.plan("pro")
    terms = VersionDraft(recurring_charges=(charge("31"),))
    addon = AddOnDraft("Support", terms, "support", frequency=AddOnFrequency.RECURRING)
    create_addon(business.services, business.organization, addon)
    business.subscribe()
    attach_addon(business.services, business.organization, SUB, Attachment("support"))
    prolong(business, "2026-01-11", "2026-01-16")

    business.move("2026-02-06")

    assert [("2026-01-01", Decimal(31)), ("2026-02-06", Decimal(31))] == business.amounts()


def test_the_next_invoice_in_the_pause_is_what_is_issued(business: Business) -> None:
    business.plan("pro", charge("31"), charge("6", Timing.IN_ARREARS))
    business.subscribe()
    business.move("2026-01-12")
    prolong(business, None, "2026-01-22")
    previewed = next_invoice(business.services, business.organization, SUB)

    business.move("2026-02-11")

    issued = business.invoices()[-1]
    assert [(issued.lines, issued.issued_at)] == [(each.invoice.lines, each.invoice.issued_at) for each in previewed]


def test_a_pause_that_prolongs_says_until_when(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()

    for end in (None, "2300-01-01"):
        with pytest.raises(Invalid) as refused:
            prolong(business, "2026-01-11", end)
        assert ["paused_until"] == [each.field for each in refused.value.problems]


def test_it_does_not_prolong_into_the_time_of_the_next_subscription(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe(ends_at=at("2026-02-01"))
    business.subscribe("2026-02-01", subscription_id="next")

    with pytest.raises(Invalid) as refused:
        prolong(business, "2026-01-11", "2026-01-16")

    assert "overlapping_subscription" == refused.value.code


PAUSES = st.lists(st.integers(1, 60), min_size=2, max_size=6, unique=True).map(sorted)


class Life(msgspec.Struct):
    """How a subscription is sold, and on which of its days in use more seats are taken and it is cancelled."""

    proration: Proration
    unit: ProrationUnit
    ends_on: int | None
    seats_on: int
    cancelled_on: int


LIVES = st.builds(
    Life,
    proration=st.sampled_from(Proration),
    unit=st.sampled_from(ProrationUnit),
    ends_on=st.none() | st.integers(5, 25),
    seats_on=st.integers(0, 60),
    cancelled_on=st.integers(1, 70),
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bounds=PAUSES, life=LIVES)
def test_so_many_days_in_use_cost_the_same_with_pauses_and_without(
    business: Business, bounds: list[int], life: Life
) -> None:
    plain, still = found_business(business.services), found_business(business.services)
    for twin in (plain, still):
        _sell(twin, life)
    paused = []
    for start, end in zip(bounds[::2], bounds[1::2], strict=False):
        ends_at = still.subscription(SUB).subscription.ends_at
        if ends_at is None or at(_day(start)) < ends_at:
            prolong(still, _day(start), _day(end))
            paused.append((start, end))

    def day_in_use(used: int) -> str:
        for start, end in paused:
            used += end - start if start <= used else 0
        return _day(used)

    _live(plain, life, _day)
    _live(still, life, day_in_use)

    assert _sum(plain) == _sum(still)


def _sell(business: Business, life: Life) -> None:
    charges = (charge("9.99", proration=life.proration), charge("3.10", Timing.IN_ARREARS, life.proration))
    terms = VersionDraft(recurring_charges=charges, proration_unit=life.unit)
    create_plan(business.services, business.organization, PlanDraft("Pro", Duration.MONTHLY, terms, "pro"))
    business.subscribe(ends_at=None if life.ends_on is None else at(_day(life.ends_on)))


def _live(business: Business, life: Life, day_of: Callable[[int], str]) -> None:
    for used in sorted({life.seats_on, life.cancelled_on}):
        business.move(day_of(used))
        if business.subscription(SUB).status is not Status.ENDED:
            if used == life.seats_on:
                order = QuantityOrder(Decimal(3), invoices_now=True, charge="in_advance")
                set_quantity(business.services, business.organization, SUB, order)
            if used == life.cancelled_on:
                business.cancel(SUB, Cancellation(flat_fees=FlatFeeBehavior.OWN))
    business.move("2026-08-01")


def _day(count: int) -> str:
    return f"{at('2026-01-01') + timedelta(days=count):%Y-%m-%d}"


def _sum(business: Business) -> Decimal:
    return sum((line.amount for invoice in business.invoices() for line in invoice.lines), Decimal(0))
