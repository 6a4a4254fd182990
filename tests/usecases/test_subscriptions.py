"""Starting, listing and changing subscriptions."""

from decimal import Decimal

import pytest

from lotus_server.domain.catalog import Timing
from lotus_server.domain.metering import PropertyMatch
from lotus_server.domain.subscriptions import Status
from lotus_server.kernel.errors import Conflict, Invalid, NotFound
from lotus_server.ports.records import Page
from lotus_server.usecases.plan_versions import create_version
from lotus_server.usecases.plans import VersionDraft, archive_plan
from lotus_server.usecases.subscriptions import SubscriptionChange, change_subscription, list_subscriptions
from tests.business import PENNY, Business, at, charge

SUB = "sub_acme_pro"


@pytest.mark.parametrize(
    ("start", "end", "new_start", "new_end"),
    [
        ("2026-01-01", None, "2026-05-01", None),
        ("2026-01-10", "2026-01-20", "2026-01-19", "2026-01-25"),
        ("2026-01-10", "2026-01-20", "2026-01-01", "2026-01-11"),
        ("2026-01-10", "2026-01-20", "2026-01-12", "2026-01-14"),
    ],
)
def test_the_same_plan_cannot_be_held_twice_at_a_time(
    business: Business, start: str, end: str | None, new_start: str, new_end: str | None
) -> None:
    business.plan()
    business.subscribe(start, ends_at=end and at(end))

    with pytest.raises(Invalid) as refused:
        business.subscribe(new_start, ends_at=new_end and at(new_end), subscription_id="second")

    assert refused.value.code == "overlapping_subscription"


def test_one_subscription_may_begin_at_the_instant_where_another_ends(business: Business) -> None:
    business.plan()
    business.subscribe("2026-01-01", ends_at=at("2026-01-10"))

    second = business.subscribe("2026-01-10", subscription_id="second")

    assert second.starts_at == at("2026-01-10")


def test_the_same_plan_can_be_held_twice_with_different_filters(business: Business) -> None:
    business.plan()
    business.subscribe(matches=(PropertyMatch("region", "eu"),))

    second = business.subscribe(matches=(PropertyMatch("region", "us"),), subscription_id="second")

    assert second.subscription_id == "second"


def test_an_id_can_be_taken_once(business: Business) -> None:
    business.plan()
    business.plan("other")
    business.subscribe(subscription_id="taken")

    with pytest.raises(Conflict) as refused:
        business.subscribe(plan_id="other", subscription_id="taken")

    assert refused.value.code == "subscription_exists"


def test_a_refused_subscription_leaves_no_invoice(business: Business) -> None:
    business.plan("pro", charge("10"))
    business.plan("other", charge("10"))
    business.subscribe(subscription_id="taken")
    before = business.invoices()

    with pytest.raises(Conflict):
        business.subscribe(plan_id="other", subscription_id="taken")

    assert business.invoices() == before


def test_new_subscriptions_get_the_newest_version_and_old_ones_keep_theirs(business: Business) -> None:
    business.plan("pro", charge("10"))
    business.customer("later")
    business.subscribe()
    draft = VersionDraft(recurring_charges=(charge("20"),))
    create_version(business.services, business.organization, "pro", draft)

    business.subscribe(customer_id="later")
    business.move("2026-02-01")

    assert [invoice.subtotal for invoice in business.invoices("acme")] == [Decimal(10), Decimal(10)]
    assert [invoice.subtotal for invoice in business.invoices("later")] == [Decimal(20), Decimal(20)]


def test_an_archived_plan_is_not_sold_but_its_subscriptions_go_on(business: Business) -> None:
    business.plan("pro", charge("10"))
    business.customer("later")
    business.subscribe()
    archive_plan(business.services, business.organization, "pro")

    with pytest.raises(Invalid) as refused:
        business.subscribe(customer_id="later")
    business.move("2026-02-01")

    assert refused.value.code == "plan_archived"
    assert len(business.invoices()) == 2


def test_unknown_customers_and_plans_are_not_found(business: Business) -> None:
    business.plan()

    with pytest.raises(NotFound) as customer:
        business.subscribe(customer_id="nobody")
    with pytest.raises(NotFound) as plan:
        business.subscribe(plan_id="nothing")

    assert (customer.value.code, plan.value.code) == ("customer_not_found", "plan_not_found")


def test_only_matching_events_are_billed_to_a_subscription_with_filters(business: Business) -> None:
    business.plan("pro", price=PENNY)
    business.subscribe(matches=(PropertyMatch("region", "eu"),))
    for region in ("eu", "us", "eu"):
        business.events.put(business.organization_id, "call", "acme", at("2026-01-02"), {"region": region})

    business.move("2026-02-01")

    assert business.amounts() == [("2026-02-01", Decimal("0.02"))]


def test_pages_have_every_subscription_once(business: Business) -> None:
    business.plan()
    for number in range(7):
        business.customer(f"customer_{number}")
        business.subscribe(customer_id=f"customer_{number}")

    seen, after = [], None
    while page := list_subscriptions(business.services, business.organization, Page(3, after)):
        seen += [view.subscription.subscription_id for view in page]
        after = seen[-1]

    assert seen == [f"sub_customer_{number}_pro" for number in range(7)]


def test_a_new_end_within_the_period_shortens_what_is_billed(business: Business) -> None:
    business.plan("pro", charge("31", Timing.IN_ARREARS))
    business.subscribe()
    change = SubscriptionChange(ends_at=at("2026-01-11"))

    change_subscription(business.services, business.organization, SUB, change)
    business.move("2026-06-01")

    assert business.amounts() == [("2026-01-11", Decimal("10.00"))]


def test_a_new_end_in_a_later_period_bills_everything_before_it(business: Business) -> None:
    business.plan("pro", charge("31", Timing.IN_ARREARS))
    business.subscribe()
    change = SubscriptionChange(ends_at=at("2026-02-15"))

    change_subscription(business.services, business.organization, SUB, change)
    business.move("2026-06-01")

    assert business.amounts() == [("2026-02-01", Decimal("31.00")), ("2026-02-15", Decimal("15.50"))]


def test_an_end_cannot_lie_in_the_past(business: Business) -> None:
    business.plan()
    business.subscribe()
    business.move("2026-01-10")

    with pytest.raises(Invalid) as refused:
        change_subscription(business.services, business.organization, SUB, SubscriptionChange(ends_at=at("2026-01-09")))

    assert [problem.field for problem in refused.value.problems] == ["end_date"]


def test_an_end_cannot_be_moved_into_the_time_of_the_next_subscription(business: Business) -> None:
    business.plan()
    business.subscribe(ends_at=at("2026-01-20"))
    business.subscribe("2026-01-20", subscription_id="next")

    with pytest.raises(Invalid) as refused:
        change_subscription(business.services, business.organization, SUB, SubscriptionChange(ends_at=at("2026-02-20")))

    assert refused.value.code == "overlapping_subscription"


def test_metadata_can_be_changed_alone(business: Business) -> None:
    business.plan()
    before = business.subscribe()

    view = change_subscription(
        business.services, business.organization, SUB, SubscriptionChange(metadata={"order": Decimal("1.50")})
    )

    assert view.subscription.metadata == {"order": Decimal("1.50")}
    assert view.subscription.ends_at == before.ends_at


def test_a_subscription_that_has_not_started_is_not_billed_yet(business: Business) -> None:
    business.plan("pro", charge("10"))

    business.subscribe("2026-01-02")

    assert business.subscription(SUB).status is Status.NOT_STARTED
    assert business.invoices() == []


def test_a_later_end_lengthens_what_is_billed_in_arrears(business: Business) -> None:
    business.plan("pro", charge("31", Timing.IN_ARREARS))
    business.subscribe(ends_at=at("2026-01-11"))

    change_subscription(business.services, business.organization, SUB, SubscriptionChange(ends_at=at("2026-01-21")))
    business.move("2026-06-01")

    assert business.amounts() == [("2026-01-21", Decimal("20.00"))]
