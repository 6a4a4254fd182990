"""What the pages of one customer show."""

from decimal import Decimal

import pytest

from lotus_server.domain.catalog import PerUnit
from lotus_server.domain.metering import Aggregation, MetricDefinition
from lotus_server.domain.subscriptions import Status, TurnKind
from lotus_server.kernel.errors import Invalid, NotFound
from lotus_server.kernel.period import Duration
from lotus_server.usecases.access_trial import AccessTrial, preview_access
from lotus_server.usecases.credits import CreditDraft, create_credit
from lotus_server.usecases.customer_overview import view_customer, view_customer_due, view_customer_subscriptions
from lotus_server.usecases.metrics import MetricDraft, create_metric
from lotus_server.usecases.plans import ComponentDraft, PlanDraft, VersionDraft, create_plan
from tests.business import PENNY, Business, at, charge


def test_a_customer_at_a_glance(business: Business) -> None:
    business.plan("pro", charge("31"), price=PENNY)
    business.plan("other", price=PENNY)
    business.subscribe()
    business.use(3, "2026-01-01")
    create_credit(business.services, business.organization, CreditDraft("acme", Decimal(5)))
    business.move("2026-01-02")

    seen = view_customer(business.services, business.organization, "acme")

    assert ({"USD": Decimal("0.03")}, {"USD": Decimal(31)}) == (seen.due.by_currency, seen.outstanding)
    assert {"USD": Decimal(5)} == seen.balances
    assert seen.next_turn is not None
    assert (at("2026-02-01"), TurnKind.RENEWS) == (seen.next_turn.at, seen.next_turn.kind)
    assert ["calls_pro", "calls_other"] == [metric.metric_id for metric in seen.metrics]


def test_what_is_due_is_summed_by_currency(business: Business) -> None:
    business.plan("pro", price=PENNY)
    business.plan("euro", price=PENNY, currency="EUR")
    business.subscribe()
    business.subscribe(plan_id="euro")
    business.use(7, "2026-01-01")
    business.move("2026-01-02")

    due = view_customer_due(business.services, business.organization, "acme")

    assert {"USD": Decimal("0.07"), "EUR": Decimal("0.07")} == due.by_currency
    assert 2 == len(due.drafts)


def test_subscriptions_of_all_times_are_in_the_order_of_their_start(business: Business) -> None:
    business.plan("pro")
    business.plan("basic")
    business.subscribe("2026-03-01", plan_id="basic")
    business.subscribe()
    business.cancel("sub_acme_pro")

    timeline = view_customer_subscriptions(business.services, business.organization, "acme")

    assert [("Pro", Status.ENDED, None), ("Basic", Status.NOT_STARTED, TurnKind.STARTS)] == [
        (each.sold_as.plan_name, each.status, each.next_turn.kind if each.next_turn else None) for each in timeline.held
    ]


@pytest.mark.parametrize("verb", [view_customer, view_customer_due, view_customer_subscriptions])
def test_a_customer_that_does_not_exist_has_no_pages(business: Business, verb: object) -> None:
    assert callable(verb)
    with pytest.raises(NotFound):
        verb(business.services, business.organization, "nobody")


@pytest.fixture
def limited(business: Business) -> Business:
    """A customer whose plan has 2 free calls and at most 10, of which 4 were made."""
    definition = MetricDefinition("call", Aggregation.COUNT)
    create_metric(business.services, business.organization, MetricDraft("Calls", definition, "calls"))
    component = ComponentDraft("calls", PerUnit(Decimal(1), Decimal(2)), Decimal(10))
    plan = PlanDraft("Pro", Duration.MONTHLY, VersionDraft(components=(component,)), "pro")
    create_plan(business.services, business.organization, plan)
    business.subscribe()
    business.use(4, "2026-01-01")
    return business


@pytest.mark.parametrize(("more", "access"), [("1", True), ("6", True), ("6.5", True), ("7", False), ("1000", False)])
def test_as_many_more_are_allowed_as_each_alone_would_be(limited: Business, more: str, access: bool) -> None:
    trial = AccessTrial("acme", metric_id="calls", more=Decimal(more))

    answer = preview_access(limited.services, limited.organization, trial)

    (tried,) = answer.components
    assert (access, access, Decimal(4)) == (answer.access, tried.is_allowed, tried.usage.quantity)
    assert not tried.is_free
    assert (answer.reason is None) is access


def test_who_has_no_such_component_is_refused(business: Business) -> None:
    business.plan("pro", price=PENNY)

    answer = preview_access(business.services, business.organization, AccessTrial("acme", metric_id="calls_pro"))

    assert (False, ()) == (answer.access, answer.components)
    assert answer.reason is not None


def test_one_thing_is_tried_and_at_least_one_of_it(business: Business) -> None:
    with pytest.raises(Invalid) as caught:
        preview_access(business.services, business.organization, AccessTrial("acme", more=Decimal(0)))

    assert {"metric_id", "more"} == {problem.field for problem in caught.value.problems}
