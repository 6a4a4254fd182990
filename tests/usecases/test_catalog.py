"""Metrics, features and plans are made, listed and archived, over a database."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

import msgspec
import pytest

from lotus_server.adapters.ids_uuid7 import Uuid7Ids
from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.bootstrap.documents import LaterDocuments
from lotus_server.bootstrap.passwords import LaterPasswords
from lotus_server.domain.accounts import Organization
from lotus_server.domain.catalog import Component, Graduated, PerUnit, Tier, VersionStatus
from lotus_server.domain.metering import Aggregation, MetricDefinition
from lotus_server.kernel.errors import Conflict, FieldProblem, Invalid, LotusError, NotFound
from lotus_server.kernel.period import Duration
from lotus_server.ports.event_store import EventStore
from lotus_server.usecases.features import FeatureDraft, archive_feature, create_feature, get_feature, list_features
from lotus_server.usecases.metrics import MetricDraft, archive_metric, create_metric, get_metric, list_metrics
from lotus_server.usecases.plan_versions import create_version
from lotus_server.usecases.plans import (
    ChargeDraft,
    ComponentDraft,
    GrantedFeature,
    PlanDraft,
    VersionDraft,
    archive_plan,
    create_plan,
    get_plan,
    list_plans,
)
from lotus_server.usecases.services import Services
from tests.records_databases import sqlite_template, sqlite_url
from tests.records_values import customer, organization, subscription

__all__ = ["sqlite_template"]

D = Decimal
NOW = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
COUNT = MetricDefinition("call", Aggregation.COUNT)
CALLS = MetricDraft("Calls", COUNT, "calls")
TERMS = VersionDraft(components=(ComponentDraft("calls", PerUnit(D("0.01"))),))
PRO = PlanDraft("Pro", Duration.MONTHLY, TERMS, "pro")
EMPTY = PlanDraft("Pro", Duration.MONTHLY, VersionDraft(), "pro")
ORG = organization()
ANOTHER = organization("another")


@dataclass(frozen=True)
class FixedClock:
    """A clock that stands."""

    instant: datetime = NOW

    def now(self) -> datetime:
        return self.instant


@pytest.fixture
def services(sqlite_template: Path, tmp_path: Path) -> Iterator[Services]:
    path = tmp_path / "records.db"
    shutil.copy(sqlite_template, path)
    records = SqlRecords.open(sqlite_url(path))
    with records.transaction() as tx:
        tx.organizations.add(ORG)
        tx.organizations.add(ANOTHER)
    yield Services(records, cast("EventStore", None), FixedClock(), Uuid7Ids(), LaterDocuments(), LaterPasswords())
    records.close()


def _found(error: pytest.ExceptionInfo[Invalid]) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in error.value.problems]


def _code(error: pytest.ExceptionInfo[LotusError]) -> str:
    return error.value.code


def test_a_metric_that_was_made_is_found(services: Services) -> None:
    metric = create_metric(services, ORG, CALLS)

    assert metric == get_metric(services, ORG, "calls")
    assert [metric] == [view.metric for view in list_metrics(services, ORG)]
    assert [] == list_metrics(services, ANOTHER)


def test_a_metric_without_an_id_gets_one(services: Services) -> None:
    assert create_metric(services, ORG, MetricDraft("Calls", COUNT)).metric_id.startswith("metric_")


def test_one_definition_may_have_two_names(services: Services) -> None:
    create_metric(services, ORG, CALLS)
    create_metric(services, ORG, MetricDraft("The same", COUNT))

    assert 2 == len(list_metrics(services, ORG))


@pytest.mark.parametrize(
    ("draft", "code"),
    [(MetricDraft("Other", COUNT, "calls"), "metric_exists"), (MetricDraft("Calls", COUNT, "m"), "metric_name_exists")],
)
def test_ids_and_names_of_metrics_are_unique(services: Services, draft: MetricDraft, code: str) -> None:
    create_metric(services, ORG, CALLS)

    with pytest.raises(Conflict) as raised:
        create_metric(services, ORG, draft)

    assert code == _code(raised)


def test_everything_wrong_with_a_metric_is_reported_at_once(services: Services) -> None:
    known = (FieldProblem("metric_type", "unsupported", "no"),)
    draft = MetricDraft("", MetricDefinition("a\n", Aggregation.SUM, group_by=("",)), " m", problems=known)

    with pytest.raises(Invalid) as raised:
        create_metric(services, ORG, draft)

    assert {"metric_type", "metric_id", "metric_name", "event_name", "group_by[0]", "property_name"} == {
        field for field, _ in _found(raised)
    }


def test_an_archived_metric_gives_its_name_back(services: Services) -> None:
    create_metric(services, ORG, CALLS)
    archived = archive_metric(services, ORG, "calls")
    create_metric(services, ORG, MetricDraft("Calls", COUNT, "calls_2"))

    assert archived.archived
    assert ["calls_2"] == [view.metric.metric_id for view in list_metrics(services, ORG)]
    assert 2 == len(list_metrics(services, ORG, include_archived=True))
    assert archived == archive_metric(services, ORG, "calls")


def test_a_metric_in_use_cannot_be_archived(services: Services) -> None:
    create_metric(services, ORG, CALLS)
    create_plan(services, ORG, PRO)

    with pytest.raises(Conflict) as raised:
        archive_metric(services, ORG, "calls")

    assert "metric_in_use" == _code(raised)


def test_a_metric_that_only_archived_plans_and_old_versions_use_can_be_archived(services: Services) -> None:
    create_metric(services, ORG, CALLS)
    create_plan(services, ORG, PRO)
    create_version(services, ORG, "pro", VersionDraft())
    create_plan(services, ORG, msgspec.structs.replace(PRO, plan_id="old"))
    archive_plan(services, ORG, "old")

    assert archive_metric(services, ORG, "calls").archived


def test_another_organizations_things_are_not_found(services: Services) -> None:
    create_metric(services, ORG, CALLS)
    create_feature(services, ORG, FeatureDraft("SSO", "sso"))
    create_plan(services, ORG, PRO)

    for look in (
        lambda: get_metric(services, ANOTHER, "calls"),
        lambda: archive_metric(services, ANOTHER, "calls"),
        lambda: get_feature(services, ANOTHER, "sso"),
        lambda: archive_feature(services, ANOTHER, "sso"),
        lambda: get_plan(services, ANOTHER, "pro"),
        lambda: archive_plan(services, ANOTHER, "pro"),
        lambda: create_version(services, ANOTHER, "pro", VersionDraft()),
    ):
        with pytest.raises(NotFound):
            look()
    with pytest.raises(Invalid) as raised:
        create_plan(services, ANOTHER, PRO)
    assert [("components[0].metric_id", "unknown_metric")] == _found(raised)


def test_features_are_made_listed_and_archived(services: Services) -> None:
    feature = create_feature(services, ORG, FeatureDraft("SSO", feature_description="Sign in once"))

    assert feature.feature_id.startswith("feature_")
    assert [feature] == list_features(services, ORG)
    archive_feature(services, ORG, feature.feature_id)
    assert [] == list_features(services, ORG)
    assert 1 == len(list_features(services, ORG, include_archived=True))


def test_ids_and_names_of_features_are_unique(services: Services) -> None:
    create_feature(services, ORG, FeatureDraft("SSO", "sso"))

    for draft, code in (
        (FeatureDraft("Other", "sso"), "feature_exists"),
        (FeatureDraft("SSO", "other"), "feature_name_exists"),
    ):
        with pytest.raises(Conflict) as raised:
            create_feature(services, ORG, draft)
        assert code == _code(raised)


def test_everything_wrong_with_a_feature_is_reported_at_once(services: Services) -> None:
    with pytest.raises(Invalid) as raised:
        create_feature(services, ORG, FeatureDraft("", "", "\x00"))

    assert ["feature_id", "feature_name", "feature_description"] == [field for field, _ in _found(raised)]


def test_a_plan_is_made_with_its_first_version(services: Services) -> None:
    create_metric(services, ORG, CALLS)
    create_feature(services, ORG, FeatureDraft("SSO", "sso"))
    draft = msgspec.structs.replace(
        TERMS,
        features=(GrantedFeature("SSO"), GrantedFeature("sso")),
        recurring_charges=(ChargeDraft("Base", D("29.99")),),
    )

    plan, version = create_plan(services, ORG, PlanDraft("Pro", Duration.YEARLY, draft))

    view = get_plan(services, ORG, plan.plan_id)
    assert (plan, (version,)) == (view.plan, view.versions)
    assert ("USD", 1, ("sso",), NOW) == (version.currency, version.version, version.feature_ids, version.created_at)
    assert (plan.plan_id.startswith("plan_"), version.version_id.startswith("plan_version_")) == (True, True)
    assert D("29.99") == version.flat_rate


def test_a_component_finds_its_metric_by_name_too(services: Services) -> None:
    create_metric(services, ORG, CALLS)
    draft = VersionDraft(components=(ComponentDraft("Calls", PerUnit(D(1)), D(5)),))

    _, version = create_plan(services, ORG, PlanDraft("Pro", Duration.MONTHLY, draft))

    component = version.components[0]
    assert Component(component.component_id, "calls", PerUnit(D(1)), D(5)) == component


def test_everything_wrong_with_a_plan_is_reported_at_once(services: Services) -> None:
    create_metric(services, ORG, CALLS)
    archive_metric(services, ORG, "calls")
    draft = VersionDraft(
        currency="XXX",
        components=(ComponentDraft("calls", PerUnit(D(-1))), ComponentDraft("?", Graduated((Tier(D(5)),)))),
        recurring_charges=(ChargeDraft("", D(1)),),
        features=(GrantedFeature("?"),),
        trial_days=-3,
        problems=(FieldProblem("price_adjustment", "unsupported", "no"),),
    )

    with pytest.raises(Invalid) as raised:
        create_plan(services, ORG, PlanDraft("\n", Duration.MONTHLY, draft, ""))

    assert {
        ("price_adjustment", "unsupported"),
        ("plan_id", "invalid"),
        ("plan_name", "invalid"),
        ("currency", "unknown_currency"),
        ("components[0].metric_id", "metric_archived"),
        ("components[0].price.unit_price", "negative"),
        ("components[1].metric_id", "unknown_metric"),
        ("components[1].price.tiers[0].up_to", "last_tier_not_open"),
        ("recurring_charges[0].name", "invalid"),
        ("features[0]", "unknown_feature"),
        ("trial_days", "out_of_range"),
    } == set(_found(raised))
    assert [] == list_plans(services, ORG)


def test_a_taken_plan_id_is_a_conflict_and_leaves_nothing_behind(services: Services) -> None:
    create_plan(services, ORG, EMPTY)

    with pytest.raises(Conflict) as raised:
        create_plan(services, ORG, msgspec.structs.replace(EMPTY, plan_name="Again"))

    assert "plan_exists" == _code(raised)
    assert [("Pro", 1)] == [(view.plan.plan_name, len(view.versions)) for view in list_plans(services, ORG)]


def test_a_new_version_takes_over_in_its_currency(services: Services) -> None:
    create_plan(services, ORG, EMPTY)
    create_version(services, ORG, "pro", VersionDraft(currency="EUR"))
    create_version(services, ORG, "pro", VersionDraft())

    assert [
        (1, "USD", VersionStatus.INACTIVE),
        (2, "EUR", VersionStatus.ACTIVE),
        (3, "USD", VersionStatus.ACTIVE),
    ] == [(each.version, each.currency, each.status_at(NOW)) for each in get_plan(services, ORG, "pro").versions]
    assert 3 == get_plan(services, ORG, "pro").current_version.version


def test_an_archived_plan_is_not_listed_and_gets_no_versions(services: Services) -> None:
    create_plan(services, ORG, EMPTY)
    archive_plan(services, ORG, "pro")

    assert [] == list_plans(services, ORG)
    assert ["pro"] == [view.plan.plan_id for view in list_plans(services, ORG, include_archived=True)]
    with pytest.raises(Conflict) as raised:
        create_version(services, ORG, "pro", VersionDraft())
    assert "plan_archived" == _code(raised)


def test_plans_know_how_many_subscriptions_they_have(services: Services) -> None:
    _, version = create_plan(services, ORG, EMPTY)
    with services.records.transaction() as tx:
        tx.customers.add(customer())
        for number in range(2):
            tx.subscriptions.add(subscription(f"sub_{number}", plan_id="pro", version_id=version.version_id))

    assert {version.version_id: 2} == dict(list_plans(services, ORG)[0].active_subscriptions)


def test_a_sandbox_makes_things_in_its_own_present(services: Services) -> None:
    later = NOW + timedelta(days=400)
    sandbox: Organization = msgspec.structs.replace(ORG, clock_now=later)

    plan, version = create_plan(services, sandbox, EMPTY)

    assert (later, later) == (plan.created_at, version.created_at)
