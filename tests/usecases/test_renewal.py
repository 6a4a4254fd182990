"""Renewal is turned off and on again."""

from decimal import Decimal

import pytest

from lotus_server.domain.catalog import Timing
from lotus_server.kernel.errors import Conflict, Invalid
from lotus_server.usecases.subscriptions import Cancellation, SubscriptionChange, change_subscription
from tests.business import Business, at, charge

SUB = "sub_acme_pro"
AGAIN = SubscriptionChange(renews_again=True)
RUNS_OUT = Cancellation(ends_now=False)


def test_what_is_to_run_out_goes_on_when_renewal_is_turned_on_again(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()
    business.cancel(SUB, RUNS_OUT)
    business.move("2026-01-20")

    view = change_subscription(business.services, business.organization, SUB, AGAIN)
    business.move("2026-02-01")

    assert (view.subscription.ends_at, view.subscription.auto_renew, view.subscription.canceled_at) == (
        None,
        True,
        None,
    )
    assert [day for day, _ in business.amounts()] == ["2026-01-01", "2026-02-01"]


def test_off_and_on_before_the_start_changes_nothing(business: Business) -> None:
    business.plan("pro", charge("31"))
    before = business.subscribe("2026-01-10")
    business.cancel(SUB, RUNS_OUT)

    view = change_subscription(business.services, business.organization, SUB, AGAIN)

    assert view.subscription == before


def test_a_fixed_end_within_a_period_is_lifted_where_charges_are_in_arrears(business: Business) -> None:
    business.plan("pro", charge("31", Timing.IN_ARREARS))
    business.subscribe(ends_at=at("2026-01-11"))

    change_subscription(business.services, business.organization, SUB, AGAIN)
    business.move("2026-02-01")

    assert business.amounts() == [("2026-02-01", Decimal(31))]


def test_what_has_ended_does_not_renew(business: Business) -> None:
    business.plan()
    business.subscribe()
    business.cancel(SUB)

    with pytest.raises(Conflict) as refused:
        change_subscription(business.services, business.organization, SUB, AGAIN)

    assert refused.value.code == "invalid_state"


def test_a_subscription_cannot_renew_into_the_time_of_the_next_one(business: Business) -> None:
    business.plan()
    business.subscribe(ends_at=at("2026-02-01"))
    business.subscribe("2026-02-01", subscription_id="next")

    with pytest.raises(Invalid) as refused:
        change_subscription(business.services, business.organization, SUB, AGAIN)

    assert refused.value.code == "overlapping_subscription"
