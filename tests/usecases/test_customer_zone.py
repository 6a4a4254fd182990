"""The time zone of a customer: kept, checked, and handed on to subscriptions that are made afterwards."""

import pytest

from lotus_server.kernel.errors import Invalid
from lotus_server.usecases.customers import CustomerDraft, change_customer, create_customer
from tests.business import Business, at


def test_a_time_zone_that_nobody_knows_is_refused(business: Business) -> None:
    with pytest.raises(Invalid) as refused:
        create_customer(business.services, business.organization, CustomerDraft("new", timezone="Mars/Olympus"))

    assert [(each.field, each.code) for each in refused.value.problems] == [("timezone", "unknown_timezone")]


def test_a_customer_without_a_time_zone_lives_in_utc(business: Business) -> None:
    view = create_customer(business.services, business.organization, CustomerDraft("new"))

    assert view.customer.timezone == "UTC"


def test_a_subscription_keeps_the_zone_in_which_it_was_made(business: Business) -> None:
    business.plan()
    zones = ["Europe/Berlin", None]
    made = []
    for zone in zones:
        change_customer(
            business.services, business.organization, CustomerDraft("acme", timezone=zone), frozenset({"timezone"})
        )
        made.append(
            business.subscribe(
                subscription_id=f"in {zone}",
                ends_at=at("2026-01-02") if zone else None,
                start="2026-01-01" if zone else "2026-01-02",
            )
        )

    kept = [business.subscription(each.subscription_id).subscription.timezone for each in made]

    assert kept == ["Europe/Berlin", "UTC"]


def test_days_begin_at_midnight_of_the_customers_zone(business: Business) -> None:
    change = CustomerDraft("acme", timezone="Asia/Kathmandu")
    change_customer(business.services, business.organization, change, frozenset({"timezone"}))
    business.plan()

    made = business.subscribe("2026-03-01", days=frozenset({"starts_at"}))

    assert made.starts_at == at("2026-02-28T18:15")
