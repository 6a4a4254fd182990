"""Add-ons of a subscription: attached, billed with its periods, cancelled with it."""

from decimal import Decimal

import pytest

from lotus_server.domain.catalog import AddOnFrequency, AddOnInvoicing, PerUnit, Proration, Timing
from lotus_server.domain.metering import Aggregation, MetricDefinition
from lotus_server.domain.subscriptions import Status
from lotus_server.kernel.errors import Conflict, Invalid, NotFound
from lotus_server.usecases.addons import AddOnDraft, create_addon
from lotus_server.usecases.attachments import AttachedView, Attachment, attach_addon, cancel_addon
from lotus_server.usecases.metrics import MetricDraft, create_metric
from lotus_server.usecases.plan_switch import PlanSwitch, switch_plan
from lotus_server.usecases.plans import ChargeDraft, ComponentDraft, VersionDraft
from lotus_server.usecases.subscriptions import Cancellation, SubscriptionChange, change_subscription
from tests.business import PENNY, Business, Json, at, charge

SUBSCRIPTION = "sub_acme_pro"
ONCE, RECURRING = AddOnFrequency.ONE_TIME, AddOnFrequency.RECURRING


def addon(
    business: Business,
    frequency: AddOnFrequency = RECURRING,
    invoicing: AddOnInvoicing = AddOnInvoicing.ON_ATTACH,
    **terms: Json,
) -> None:
    """Make the add-on `support` for 31 a month."""
    terms = terms or {"recurring_charges": (ChargeDraft("support", Decimal(31), Timing.IN_ADVANCE, Proration.PRORATE),)}
    draft = AddOnDraft("Support", VersionDraft(**terms), "support", frequency=frequency, invoicing=invoicing)
    create_addon(business.services, business.organization, draft)


def attach(business: Business, **more: Json) -> AttachedView:
    return attach_addon(business.services, business.organization, SUBSCRIPTION, Attachment("support", **more))


def detach(business: Business, how: Cancellation | None = None) -> AttachedView:
    return cancel_addon(business.services, business.organization, SUBSCRIPTION, "support", how or Cancellation())


@pytest.fixture
def subscribed(business: Business) -> Business:
    """`acme` has the plan `pro`, which costs nothing, since the beginning of 2026, and it is 11 January."""
    business.plan("pro", price=None)
    business.subscribe()
    business.move("2026-01-11")
    return business


def test_a_recurring_addon_is_prorated_first_and_then_renews_with_the_subscription(subscribed: Business) -> None:
    addon(subscribed)

    attach(subscribed)
    subscribed.move("2026-03-01")

    assert [
        ("2026-01-11", Decimal(21)),
        ("2026-02-01", Decimal(31)),
        ("2026-03-01", Decimal(31)),
    ] == subscribed.amounts()


def test_an_addon_that_is_charged_once_is_charged_in_full_and_never_again(subscribed: Business) -> None:
    addon(subscribed, ONCE)

    view = attach(subscribed)
    subscribed.move("2026-03-01")

    assert [("2026-01-11", Decimal(31))] == subscribed.amounts()
    assert at("2026-02-01") == view.addon.subscription.ends_at


def test_an_addon_can_be_invoiced_with_the_end_of_the_period(subscribed: Business) -> None:
    addon(subscribed, ONCE, AddOnInvoicing.ON_SUBSCRIPTION_END)

    attach(subscribed)
    subscribed.move("2026-03-01")

    assert [("2026-02-01", Decimal(31))] == subscribed.amounts()


def test_a_quantity_multiplies_the_charges(subscribed: Business) -> None:
    addon(subscribed)

    attach(subscribed, quantity=Decimal(3))

    assert [("2026-01-11", Decimal(63))] == subscribed.amounts()


def test_usage_counts_from_the_attachment_on(subscribed: Business) -> None:
    create_metric(
        subscribed.services,
        subscribed.organization,
        MetricDraft("calls", MetricDefinition("call", Aggregation.COUNT), "calls"),
    )
    addon(subscribed, components=(ComponentDraft("calls", PerUnit(Decimal(1))),))
    subscribed.use(5, "2026-01-10")
    subscribed.use(2, "2026-01-12")

    attach(subscribed)
    subscribed.move("2026-02-01")

    assert [("2026-02-01", Decimal(2))] == subscribed.amounts()


def test_an_addon_ends_now_with_its_subscription_and_settles_like_it(subscribed: Business) -> None:
    addon(subscribed, recurring_charges=(ChargeDraft("support", Decimal(31), Timing.IN_ARREARS),))
    attach(subscribed)
    subscribed.move("2026-01-21")

    subscribed.cancel(SUBSCRIPTION)
    subscribed.move("2026-03-01")

    assert [("2026-01-21", Decimal(10))] == subscribed.amounts()
    assert [Status.ENDED] == [each.status for each in subscribed.subscription(SUBSCRIPTION).addons]


def test_an_addon_ends_with_the_period_when_its_subscription_does(subscribed: Business) -> None:
    addon(subscribed)
    attach(subscribed)

    subscribed.cancel(SUBSCRIPTION, Cancellation(ends_now=False))
    subscribed.move("2026-04-01")

    assert [("2026-01-11", Decimal(21))] == subscribed.amounts()


def test_an_addon_ends_when_its_subscription_is_given_an_end(subscribed: Business) -> None:
    addon(subscribed)
    attach(subscribed)

    change_subscription(
        subscribed.services, subscribed.organization, SUBSCRIPTION, SubscriptionChange(ends_at=at("2026-02-15"))
    )
    subscribed.move("2026-04-01")

    # February has 28 days; the add-on has the first 14 of them.
    assert [("2026-01-11", Decimal(21)), ("2026-02-01", Decimal("15.50"))] == subscribed.amounts()


def test_a_later_end_of_a_subscription_is_that_of_its_recurring_addons_too(subscribed: Business) -> None:
    addon(subscribed)
    attach(subscribed)
    for end in ("2026-02-15", "2026-03-15"):
        change = SubscriptionChange(ends_at=at(end))
        change_subscription(subscribed.services, subscribed.organization, SUBSCRIPTION, change)

    (attached,) = subscribed.subscription(SUBSCRIPTION).addons
    subscribed.move("2026-04-01")

    assert at("2026-03-15") == attached.subscription.ends_at
    assert [Decimal(21), Decimal(31), Decimal(14)] == [amount for _, amount in subscribed.amounts()]


def test_cancelling_an_addon_leaves_its_subscription_alone(subscribed: Business) -> None:
    addon(subscribed)
    attach(subscribed)

    view = detach(subscribed)
    subscribed.move("2026-03-01")

    assert (Status.ENDED, Status.ACTIVE) == (view.addon.status, view.parent.status)
    assert [("2026-01-11", Decimal(21))] == subscribed.amounts()


def test_what_is_not_attached_cannot_be_cancelled(subscribed: Business) -> None:
    addon(subscribed)
    attach(subscribed)
    detach(subscribed)

    with pytest.raises(NotFound):
        detach(subscribed)


def test_a_recurring_addon_is_attached_once_and_one_that_is_charged_once_as_often_as_wanted(
    subscribed: Business,
) -> None:
    addon(subscribed)
    attach(subscribed)
    create_addon(
        subscribed.services, subscribed.organization, AddOnDraft("Extra", VersionDraft(), "extra", frequency=ONCE)
    )

    for _ in range(2):
        attach_addon(subscribed.services, subscribed.organization, SUBSCRIPTION, Attachment("extra"))

    with pytest.raises(Conflict) as caught:
        attach(subscribed)
    assert "addon_attached" == caught.value.code


def test_an_addon_goes_with_its_subscription_to_another_plan(subscribed: Business) -> None:
    addon(subscribed)
    attach(subscribed)
    subscribed.plan("max", price=PENNY)

    view = switch_plan(subscribed.services, subscribed.organization, SUBSCRIPTION, PlanSwitch("max"))
    subscribed.move("2026-02-01")

    assert ["support"] == [each.plan.plan_id for each in view.addons]
    assert ("2026-02-01", Decimal(31)) in subscribed.amounts()


def test_an_addon_to_an_addon_is_refused(subscribed: Business) -> None:
    addon(subscribed)
    view = attach(subscribed)

    with pytest.raises(Conflict):
        attach_addon(
            subscribed.services,
            subscribed.organization,
            view.addon.subscription.subscription_id,
            Attachment("support"),
        )


def test_an_addon_in_another_currency_is_refused(subscribed: Business) -> None:
    addon(subscribed, currency="EUR", recurring_charges=(charge("5"),))

    with pytest.raises(Invalid) as caught:
        attach(subscribed)

    assert ["other_currency"] == [each.code for each in caught.value.problems]


def test_an_addon_waits_for_a_subscription_that_has_not_started(business: Business) -> None:
    business.plan("pro", charge("10"))
    addon(business)
    business.subscribe("2026-02-01")

    attach(business)
    business.move("2026-02-01")

    assert [("2026-02-01", Decimal(10)), ("2026-02-01", Decimal(31))] == sorted(business.amounts())


def test_billing_everything_that_is_due_again_changes_nothing(subscribed: Business) -> None:
    addon(subscribed)
    attach(subscribed, quantity=Decimal(2))
    subscribed.move("2026-02-01")
    before = subscribed.invoices()

    subscribed.move("2026-02-01")

    assert before == subscribed.invoices()
