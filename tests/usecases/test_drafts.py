"""Drafts: what billing now would issue, without a trace."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lotus_server.domain.catalog import Timing
from lotus_server.kernel.errors import NotFound
from lotus_server.usecases.drafts import draft_invoices
from tests.business import PENNY, Business, charge, found_business


def test_a_draft_shows_usage_of_the_present_period_only(business: Business) -> None:
    business.plan("pro", price=PENNY)
    business.subscribe()
    business.use(100, "2026-01-10")
    business.use(7, "2026-02-02")

    business.move("2026-02-10")

    assert business.draft_amounts() == [[Decimal("0.07")]]


def test_a_charge_in_arrears_grows_with_the_time_held(business: Business) -> None:
    business.plan("pro", charge("31", Timing.IN_ARREARS))
    business.subscribe()

    business.move("2026-01-04T12:00")

    assert business.draft_amounts() == [[Decimal("3.50")]]


def test_a_draft_leaves_out_events_that_lie_ahead(business: Business) -> None:
    business.plan("pro", price=PENNY)
    business.subscribe()
    business.use(1, "2026-01-01T12:00")
    business.move("2026-01-01T11:00")

    before = business.draft_amounts()
    business.move("2026-01-01T12:00")

    assert (before, business.draft_amounts()) == ([[Decimal("0.00")]], [[Decimal("0.01")]])


def test_there_is_one_draft_for_each_active_subscription(business: Business) -> None:
    business.plan("pro", price=PENNY)
    business.plan("other", charge("31", Timing.IN_ARREARS))
    business.plan("to_come", charge("5", Timing.IN_ARREARS))
    business.subscribe()
    business.subscribe(plan_id="other")
    business.subscribe("2026-05-01", plan_id="to_come")
    business.use(1, "2026-01-01")

    business.move("2026-01-02")

    assert sorted(business.draft_amounts()) == [[Decimal("0.01")], [Decimal("1.00")]]


def test_a_customer_without_subscriptions_owes_nothing(business: Business) -> None:
    assert business.draft_amounts() == []


def test_an_unknown_customer_is_not_found(business: Business) -> None:
    with pytest.raises(NotFound):
        draft_invoices(business.services, business.organization, "nobody")


def test_a_draft_writes_nothing(business: Business) -> None:
    business.plan("pro", charge("10"), price=PENNY)
    business.subscribe()
    before = (business.invoices(), business.subscription("sub_acme_pro").subscription)

    business.draft_amounts()

    assert (business.invoices(), business.subscription("sub_acme_pro").subscription) == before


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    hours=st.lists(st.integers(0, 24 * 75), max_size=12),
    cancelled_after=st.integers(0, 24 * 75),
    fee=st.decimals(0, 1000, places=3),
)
def test_cancelling_at_any_hour_issues_exactly_the_draft(
    business: Business, hours: list[int], cancelled_after: int, fee: Decimal
) -> None:
    twin = found_business(business.services)
    twin.plan("pro", charge(str(fee)), charge(str(fee), Timing.IN_ARREARS), price=PENNY)
    twin.subscribe()
    start = twin.organization.clock_now
    assert start is not None
    for hour in hours:
        twin.use(1, _hours_later(hour))
    twin.move(_hours_later(cancelled_after))
    _, (draft,) = draft_invoices(twin.services, twin.organization, "acme")

    _, invoice = twin.cancel("sub_acme_pro")

    assert invoice is not None
    assert invoice.lines == draft.lines
    billed = sum(line.quantity for each in twin.invoices() for line in each.lines if line.metric_id)
    assert billed == sum(1 for hour in hours if hour <= cancelled_after)


def _hours_later(hours: int) -> str:
    day, hour = divmod(hours, 24)
    month, day = (1, day + 1) if day < 31 else (2, day - 30) if day < 59 else (3, day - 58)
    return f"2026-{month:02}-{day:02}T{hour:02}:00"
