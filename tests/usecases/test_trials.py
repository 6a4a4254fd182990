"""Trials: nothing is charged before their end, whatever happens in them."""

from decimal import Decimal

import pytest

from lotus_server.domain.catalog import AdjustmentKind, Calendar, Commitment, PriceAdjustment, Proration, Timing
from lotus_server.domain.subscriptions import Status
from lotus_server.kernel.errors import Invalid
from lotus_server.kernel.period import Duration
from lotus_server.usecases.plan_switch import PlanSwitch, switch_plan
from lotus_server.usecases.plans import PlanDraft, VersionDraft, create_plan
from lotus_server.usecases.quantities import QuantityOrder, set_quantity
from lotus_server.usecases.subscriptions import Cancellation
from tests.business import PENNY, Business, Json, at, charge

SUB = "sub_acme_pro"


def _plan(business: Business, plan_id: str = "pro", **terms: Json) -> None:
    version = VersionDraft(**{"trial_days": 14, **terms})
    create_plan(
        business.services, business.organization, PlanDraft(plan_id.title(), Duration.MONTHLY, version, plan_id)
    )


def test_nothing_is_invoiced_before_the_end_of_a_trial(business: Business) -> None:
    _plan(business, recurring_charges=(charge("31"), charge("62", Timing.IN_ARREARS)))
    business.subscribe()

    business.move("2026-01-14T23:59:59")

    assert business.invoices() == []


def test_the_first_charged_period_begins_at_the_end_of_the_trial(business: Business) -> None:
    _plan(business, recurring_charges=(charge("31"),))
    business.subscribe()

    business.move("2026-02-15")

    assert business.amounts() == [("2026-01-15", Decimal(31)), ("2026-02-15", Decimal(31))]
    assert business.subscription(SUB).subscription.open_period.start == at("2026-02-15")


def test_a_customer_on_trial_is_active(business: Business) -> None:
    _plan(business)
    business.subscribe()

    view = business.subscription(SUB)

    assert view.status is Status.ACTIVE
    assert view.subscription.is_trial_at(view.now)


def test_usage_of_a_trial_is_free(business: Business) -> None:
    business.plan("pro", price=PENNY)
    business.subscribe(trial_end=at("2026-01-11"))
    business.use(100, "2026-01-10T23:59:59")
    business.use(7, "2026-01-11")
    drafts = business.draft_amounts()

    business.move("2026-02-11")

    assert drafts == [[]]
    assert business.amounts() == [("2026-02-11", Decimal("0.07"))]


@pytest.mark.parametrize("how", [Cancellation(), Cancellation(bills=False), Cancellation(ends_now=False)])
def test_cancelling_in_a_trial_bills_nothing(business: Business, how: Cancellation) -> None:
    _plan(business, recurring_charges=(charge("31"), charge("62", Timing.IN_ARREARS, Proration.FULL)))
    business.subscribe()
    business.move("2026-01-10")

    business.cancel(SUB, how)
    business.move("2026-06-01")

    assert business.invoices() == []
    assert business.subscription(SUB).status is Status.ENDED


def test_a_subscription_can_do_without_the_trial_of_its_plan(business: Business) -> None:
    _plan(business, recurring_charges=(charge("31"),))

    business.subscribe(trial_end=at("2026-01-01"))

    assert business.amounts() == [("2026-01-01", Decimal(31))]


def test_a_trial_before_the_start_is_refused(business: Business) -> None:
    business.plan()

    with pytest.raises(Invalid) as refused:
        business.subscribe("2026-01-10", trial_end=at("2026-01-09"))

    assert [(each.field, each.code) for each in refused.value.problems] == [("trial_end", "end_before_start")]


def test_a_trial_that_would_go_on_longer_than_the_subscription_ends_with_it(business: Business) -> None:
    _plan(business, recurring_charges=(charge("31"),))

    business.subscribe(ends_at=at("2026-01-08"))
    business.move("2026-03-01")

    assert business.invoices() == []
    assert business.subscription(SUB).subscription.is_fully_billed


def test_after_a_trial_the_first_part_of_a_calendar_month_costs_its_share(business: Business) -> None:
    _plan(business, recurring_charges=(charge("31"),), calendar=Calendar())
    business.subscribe()

    business.move("2026-02-01")

    assert business.amounts() == [("2026-01-15", Decimal(17)), ("2026-02-01", Decimal(31))]


def test_seats_that_change_in_a_trial_cost_nothing_until_it_ends(business: Business) -> None:
    _plan(business, recurring_charges=(charge("10"),))
    business.subscribe()
    business.move("2026-01-05")
    order = QuantityOrder(Decimal(3), invoices_now=True, charge="in_advance")

    set_quantity(business.services, business.organization, SUB, order)
    business.move("2026-01-20")

    assert business.amounts() == [("2026-01-15", Decimal(30))]


def test_what_is_left_of_a_trial_is_kept_by_a_switch_of_plan(business: Business) -> None:
    _plan(business, recurring_charges=(charge("10"),))
    business.plan("big", charge("20"))
    business.subscribe()
    business.move("2026-01-05")

    switch_plan(business.services, business.organization, SUB, PlanSwitch(plan_id="big"))
    business.move("2026-02-01")

    assert business.amounts() == [("2026-01-15", Decimal(20))]


def test_commitments_and_adjustments_leave_a_trial_alone(business: Business) -> None:
    _plan(
        business,
        commitment=Commitment(Decimal(100)),
        price_adjustment=PriceAdjustment(AdjustmentKind.FIXED, Decimal(5)),
    )
    business.subscribe()

    business.move("2026-02-14")

    assert business.invoices() == []


def test_a_late_event_of_a_trial_is_free_too(business: Business) -> None:
    business.plan("pro", charge("31"), price=PENNY)
    business.subscribe(trial_end=at("2026-01-11"))
    business.move("2026-01-20")
    business.use(100, "2026-01-05")

    business.move("2026-02-11")

    assert [line.name for line in business.invoices()[-1].lines] == ["calls of pro", "Pro in_advance"]
    assert business.amounts() == [("2026-01-11", Decimal(31)), ("2026-02-11", Decimal(31))]
