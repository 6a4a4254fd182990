"""Metrics are changed, get further versions, and divide by one another."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from lotus_server.domain.metering import Aggregation, Filter, Metric, MetricDefinition, MetricType, Operator
from lotus_server.kernel.errors import Conflict, Invalid, LotusError, NotFound
from lotus_server.usecases.metrics import (
    MetricChange,
    MetricDraft,
    archive_metric,
    change_metric,
    create_metric,
    create_metric_version,
    list_metrics,
    view_metric,
)
from lotus_server.usecases.organizations import OrganizationDraft, create_organization
from lotus_server.usecases.plans import archive_plan
from tests.business import PENNY, Business, Json

CALLS = MetricDefinition("call", Aggregation.COUNT)
SLOW = MetricDefinition("call", Aggregation.COUNT, filters=(Filter("ms", Operator.GT, Decimal(100)),))


@pytest.fixture
def calls(business: Business) -> Metric:
    return create_metric(business.services, business.organization, MetricDraft("Calls", CALLS, "calls"))


@pytest.fixture
def sold(business: Business) -> str:
    """The id of a metric that a plan prices."""
    business.plan("pro", price=PENNY)
    return "calls_pro"


def _change(business: Business, of: str, **changes: Json) -> Metric:
    return change_metric(business.services, business.organization, of, MetricChange(**changes)).metric


def _version(business: Business, of: str, definition: MetricDefinition = SLOW, **changes: Json) -> Metric:
    change = MetricChange(definition=definition, **changes)
    return create_metric_version(business.services, business.organization, of, change).metric


def _refusal(call: Callable[[], object]) -> tuple[type[LotusError], str]:
    with pytest.raises(LotusError) as raised:
        call()
    return type(raised.value), raised.value.code


def test_name_and_kind_of_a_metric_can_be_changed_even_when_it_is_sold(business: Business, sold: str) -> None:
    changed = _change(business, sold, metric_name="New", is_cost_metric=True)

    assert ("New", True, CALLS) == (changed.metric_name, changed.is_cost_metric, changed.definition)
    assert changed == view_metric(business.services, business.organization, sold).metric


def test_a_metric_that_no_plan_uses_can_be_defined_anew(business: Business, calls: Metric) -> None:
    assert SLOW == _change(business, calls.metric_id, definition=SLOW).definition


def test_a_metric_that_was_ever_sold_keeps_its_definition(business: Business, sold: str) -> None:
    archive_plan(business.services, business.organization, "pro")

    assert (Conflict, "metric_sold") == _refusal(lambda: _change(business, sold, definition=SLOW))
    assert CALLS == _change(business, sold, definition=CALLS).definition


def test_a_change_is_validated_as_a_whole(business: Business, calls: Metric) -> None:
    with pytest.raises(Invalid) as raised:
        _change(business, "calls", metric_name="", definition=MetricDefinition("", Aggregation.SUM))

    assert {"metric_name", "event_name", "property_name"} == {problem.field for problem in raised.value.problems}


def test_a_further_version_takes_the_place_of_the_one_before(business: Business, sold: str) -> None:
    following = _version(business, sold)

    old = view_metric(business.services, business.organization, sold)
    assert (following.metric_name, 2, sold) == (old.metric.metric_name, following.version, following.replaces)
    assert (True, following.metric_id) == (old.metric.archived, old.metric.replaced_by)
    assert [sold, following.metric_id] == [each.metric_id for each in old.versions]
    listed = list_metrics(business.services, business.organization)
    assert [(following, 2)] == [(view.metric, len(view.versions)) for view in listed]


def test_what_was_sold_goes_on_with_the_version_it_was_sold_with(business: Business, sold: str) -> None:
    business.subscribe()
    business.use(3, "2026-01-02")
    _version(business, sold)
    business.move("2026-01-03")

    assert [[Decimal("0.03")]] == business.draft_amounts()


def test_a_version_may_have_an_id_a_name_and_a_kind_of_its_own(business: Business, calls: Metric) -> None:
    following = _version(business, "calls", metric_id="slow", metric_name="Slow", is_cost_metric=True)

    assert ("slow", "Slow", True) == (following.metric_id, following.metric_name, following.is_cost_metric)


def test_only_the_newest_version_gets_another(business: Business, calls: Metric) -> None:
    _version(business, "calls", metric_id="calls_2")

    assert (Conflict, "metric_replaced") == _refusal(lambda: _version(business, "calls"))
    assert 3 == _version(business, "calls_2", CALLS).version


def test_a_version_that_says_nothing_new_is_refused(business: Business, calls: Metric) -> None:
    assert (Conflict, "same_definition") == _refusal(lambda: _version(business, "calls", CALLS))


def test_the_number_one_and_true_make_two_definitions(business: Business, calls: Metric) -> None:
    one, true = (
        MetricDefinition("call", Aggregation.COUNT, filters=(Filter("a", Operator.EQ, value),))
        for value in (Decimal(1), True)
    )
    _version(business, "calls", one, metric_id="calls_2")

    assert true == _version(business, "calls_2", true).definition


def test_an_archived_metric_gets_no_version(business: Business, calls: Metric) -> None:
    archive_metric(business.services, business.organization, "calls")

    assert (Conflict, "metric_archived") == _refusal(lambda: _version(business, "calls"))


def test_nothing_is_archived_when_the_new_version_cannot_be_made(business: Business, calls: Metric) -> None:
    create_metric(business.services, business.organization, MetricDraft("Other", CALLS, "taken"))

    assert (Conflict, "metric_exists") == _refusal(lambda: _version(business, "calls", metric_id="taken"))
    assert calls == view_metric(business.services, business.organization, "calls").metric


@pytest.mark.parametrize("act", [_change, _version])
def test_another_organizations_metric_is_not_found(
    business: Business, calls: Metric, act: Callable[..., Metric]
) -> None:
    other, _ = create_organization(business.services, OrganizationDraft("Other"))
    stranger = Business(business.services, other.organization_id)

    assert (NotFound, "metric_not_found") == _refusal(lambda: act(stranger, "calls"))


RATIO = MetricDefinition("error", Aggregation.COUNT, type=MetricType.RATIO)


def test_a_ratio_can_divide_by_what_a_metric_measures_now(business: Business, calls: Metric) -> None:
    draft = MetricDraft("Errors", RATIO, denominator_metric_id="calls")

    made = create_metric(business.services, business.organization, draft)
    _change(business, "calls", definition=SLOW)

    assert CALLS == made.definition.denominator


@pytest.mark.parametrize(
    ("denominator", "metric_id", "code"),
    [(None, "nothing", "unknown_metric"), (CALLS, "calls", "ambiguous")],
)
def test_a_ratio_divides_by_one_thing_that_exists(
    business: Business, calls: Metric, denominator: MetricDefinition | None, metric_id: str, code: str
) -> None:
    definition = MetricDefinition("error", Aggregation.COUNT, type=MetricType.RATIO, denominator=denominator)
    draft = MetricDraft("Errors", definition, denominator_metric_id=metric_id)

    with pytest.raises(Invalid) as raised:
        create_metric(business.services, business.organization, draft)
    assert ("denominator_metric_id", code) in {(each.field, each.code) for each in raised.value.problems}


def test_names_within_a_denominator_are_checked_too(business: Business) -> None:
    denominator = MetricDefinition(" call", Aggregation.COUNT)
    definition = MetricDefinition("error", Aggregation.COUNT, type=MetricType.RATIO, denominator=denominator)

    with pytest.raises(Invalid) as raised:
        create_metric(business.services, business.organization, MetricDraft("Errors", definition))
    assert ["denominator.event_name"] == [each.field for each in raised.value.problems]


@pytest.mark.parametrize("sql", ["DELETE FROM events", "SELECT 1 + 1", "SELECT properties FROM customers"])
def test_a_query_that_cannot_run_is_refused(business: Business, sql: str) -> None:
    definition = MetricDefinition("", Aggregation.COUNT, type=MetricType.CUSTOM, sql=sql)

    with pytest.raises(Invalid) as raised:
        create_metric(business.services, business.organization, MetricDraft("M", definition))
    assert [("custom_sql", "invalid")] == [(each.field, each.code) for each in raised.value.problems]


def test_a_query_that_can_run_makes_a_metric(business: Business) -> None:
    definition = MetricDefinition("", Aggregation.COUNT, type=MetricType.CUSTOM, sql="SELECT count(*) FROM events")

    made = create_metric(business.services, business.organization, MetricDraft("M", definition))

    assert definition == view_metric(business.services, business.organization, made.metric_id).metric.definition
