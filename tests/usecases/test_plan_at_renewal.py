"""A subscription that turns to another plan when it renews, because that was chosen for it."""

from decimal import Decimal

import pytest

from lotus_server.domain.catalog import PerUnit, Prepaid, Timing
from lotus_server.domain.metering import Aggregation, MetricDefinition
from lotus_server.kernel.errors import Conflict, Invalid
from lotus_server.kernel.period import Duration
from lotus_server.usecases.metrics import MetricDraft, create_metric
from lotus_server.usecases.plan_switch import PlanSwitch, switch_plan
from lotus_server.usecases.plans import ComponentDraft, PlanDraft, VersionDraft, create_plan
from lotus_server.usecases.rehearsal import next_invoice
from lotus_server.usecases.subscription_views import SubscriptionView
from lotus_server.usecases.subscriptions import Cancellation
from tests.business import Business, Json, at, charge

SUB = "sub_acme_pro"


def sell(business: Business, **more: Json) -> None:
    business.plan("pro", charge("31"), charge("6", Timing.IN_ARREARS))
    business.plan("big", charge("62"), charge("12", Timing.IN_ARREARS))
    business.subscribe(**more)


def turn(business: Business, plan_id: str | None = "big", **more: Json) -> SubscriptionView:
    return switch_plan(business.services, business.organization, SUB, PlanSwitch(plan_id, at_renewal=True, **more))


def test_the_next_period_is_that_of_the_other_plan(business: Business) -> None:
    sell(business)
    business.move("2026-01-10")

    view = turn(business)
    business.move("2026-03-01")

    after = business.subscription(SUB)
    assert ("pro", SUB) == (view.plan.plan_id, view.subscription.subscription_id)
    assert ("big", None) == (after.plan.plan_id, after.subscription.next_plan)
    # Each invoice has what the last period comes to afterwards, and the next one in advance.
    assert [31, 6 + 62, 12 + 62] == [amount for _, amount in business.amounts()]


def test_the_preview_of_the_next_invoice_knows_of_it(business: Business) -> None:
    sell(business)
    turn(business)
    (preview,) = next_invoice(business.services, business.organization, SUB)

    business.move("2026-02-01")

    assert business.invoices()[-1].lines == preview.invoice.lines


def test_who_chooses_the_version_that_there_is_keeps_it(business: Business) -> None:
    sell(business)
    version_id = business.subscription(SUB).version.version_id
    turn(business)

    view = turn(business, None, version_id=version_id)
    business.move("2026-02-01")

    assert view.subscription.next_plan is None
    assert [31, 6 + 31] == [amount for _, amount in business.amounts()]


def test_a_trial_is_followed_by_the_other_plan(business: Business) -> None:
    sell(business, trial_end=at("2026-01-08"))
    turn(business)

    business.move("2026-01-08")

    assert [("2026-01-08", Decimal(62))] == business.amounts()


def test_prepaid_units_are_those_that_were_said(business: Business) -> None:
    sell(business)
    create_metric(
        business.services,
        business.organization,
        MetricDraft("calls", MetricDefinition("call", Aggregation.COUNT), "calls"),
    )
    terms = VersionDraft(components=(ComponentDraft("calls", PerUnit(Decimal(1)), prepaid=Prepaid(None)),))
    create_plan(business.services, business.organization, PlanDraft("Units", Duration.MONTHLY, terms, "units"))
    with pytest.raises(Invalid) as refused:
        turn(business, "units")
    turn(business, "units", prepaid_units={"calls": Decimal(7)})

    business.move("2026-03-01")

    assert "prepayment_cant_determine_units" == refused.value.code
    assert [31, 6 + 7, 7] == [amount for _, amount in business.amounts()]


def test_a_switch_or_a_cancellation_before_the_renewal_has_the_last_word(business: Business) -> None:
    sell(business)
    business.plan("huge", charge("93"))
    turn(business)
    business.move("2026-01-16")
    view = switch_plan(business.services, business.organization, SUB, PlanSwitch("huge"))

    business.move("2026-02-01")

    assert view.subscription.next_plan is None
    assert Decimal(93) == business.amounts()[-1][1]


def test_nothing_follows_what_does_not_renew(business: Business) -> None:
    sell(business)
    business.cancel(SUB, Cancellation(ends_now=False))

    with pytest.raises(Conflict) as refused:
        turn(business)

    assert "invalid_state" == refused.value.code


def test_a_plan_of_another_length_is_refused(business: Business) -> None:
    sell(business)
    business.plan("year", charge("300"), duration=Duration.YEARLY)

    with pytest.raises(Invalid) as refused:
        turn(business, "year")

    assert "other_duration" == refused.value.code


def test_a_plan_that_the_customer_has_by_then_is_not_turned_into(business: Business) -> None:
    sell(business)
    turn(business)
    business.subscribe("2026-01-20", plan_id="big")

    business.move("2026-02-01")

    assert ("pro", None) == (business.subscription(SUB).plan.plan_id, business.subscription(SUB).subscription.next_plan)
