"""Metrics: made, listed, changed, replaced by further versions, archived."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.catalog import PlanVersion, VersionStatus
from lotus_server.domain.metering import Metric, MetricDefinition
from lotus_server.kernel.errors import Conflict, FieldProblem, NotFound, Problems
from lotus_server.kernel.identifiers import identifier_problem, name_problem
from lotus_server.ports.records import Transaction
from lotus_server.usecases.services import Services, changing, present


class MetricDraft(msgspec.Struct, frozen=True):
    """A metric to be made. Without an id it gets one.

    With `denominator_metric_id` a ratio divides by what that metric measures now. `problems` are those found when the
    input was read.
    """

    metric_name: str
    definition: MetricDefinition
    metric_id: str | None = None
    is_cost_metric: bool = False
    denominator_metric_id: str | None = None
    problems: tuple[FieldProblem, ...] = ()


class MetricChange(msgspec.Struct, frozen=True):
    """What is to be different about a metric; null leaves it as it is. `metric_id` is that of a further version."""

    metric_name: str | None = None
    definition: MetricDefinition | None = None
    metric_id: str | None = None
    is_cost_metric: bool | None = None
    denominator_metric_id: str | None = None
    problems: tuple[FieldProblem, ...] = ()


class MetricView(msgspec.Struct, frozen=True):
    """A metric with all versions of it, itself among them, oldest first."""

    metric: Metric
    versions: tuple[Metric, ...]


def create_metric(services: Services, organization: Organization, draft: MetricDraft) -> Metric:
    """Make a metric, which counts every event, also those that came before it.

    Two metrics may have one definition. Raises Invalid with every problem; Conflict `metric_exists` for a taken id,
    `metric_name_exists` for the name of another metric that is not archived.
    """
    with services.records.transaction() as tx:
        metric = Metric(
            organization_id=organization.organization_id,
            metric_id=draft.metric_id if draft.metric_id is not None else services.ids.new("metric"),
            metric_name=draft.metric_name,
            definition=draft.definition,
            is_cost_metric=draft.is_cost_metric,
        )
        metric = _validated(services, tx, metric, draft.denominator_metric_id, draft.problems)
        tx.metrics.add(metric)
    return metric


def list_metrics(services: Services, organization: Organization, *, include_archived: bool = False) -> list[MetricView]:
    """Return the metrics in the order in which they were made; of several versions the newest, unless all are asked."""
    with services.records.snapshot() as tx:
        metrics = tx.metrics.all(organization.organization_id)
    return _views(metrics, [metric for metric in metrics if include_archived or not metric.archived])


def get_metric(services: Services, organization: Organization, metric_id: str) -> Metric:
    """Return one metric, archived or not. Raises NotFound `metric_not_found`."""
    with services.records.snapshot() as tx:
        return require_metric(tx, organization, metric_id)


def view_metric(services: Services, organization: Organization, metric_id: str) -> MetricView:
    """Return one metric, archived or not, with its versions. Raises NotFound `metric_not_found`."""
    with services.records.snapshot() as tx:
        metric = require_metric(tx, organization, metric_id)
        return _views(tx.metrics.all(organization.organization_id), [metric])[0]


def change_metric(services: Services, organization: Organization, metric_id: str, change: MetricChange) -> MetricView:
    """Change a metric in place: name and kind at any time, its definition only while no plan version has used it.

    Raises NotFound `metric_not_found`; Invalid with every problem; Conflict `metric_name_exists`, and `metric_sold` for
    a new definition of what a plan version uses or ever used: that takes a further version.
    """
    with changing(services, organization) as tx:
        before = require_metric(tx, organization, metric_id)
        changed = _validated(services, tx, _changed(before, change), change.denominator_metric_id, change.problems)
        if not _are_same(before.definition, changed.definition) and _versions_using(tx, organization, metric_id):
            detail = f"Plans were sold with the metric {metric_id!r} as it is defined: make a further version of it."
            raise Conflict(detail, code="metric_sold")
        tx.metrics.replace(changed)
        return _views(tx.metrics.all(organization.organization_id), [changed])[0]


def create_metric_version(
    services: Services, organization: Organization, metric_id: str, change: MetricChange
) -> MetricView:
    """Make a further version of a metric, with an id of its own, and archive the one before.

    What was sold with the older version goes on with it; new plan versions name the new one. Raises NotFound
    `metric_not_found`; Invalid with every problem; Conflict `same_definition` when nothing is new, `metric_archived`,
    `metric_replaced` for any version but the newest, and what `create_metric` raises.
    """
    with changing(services, organization) as tx:
        before = require_metric(tx, organization, metric_id)
        _refuse_what_is_over(before)
        following = msgspec.structs.replace(
            _changed(before, change),
            metric_id=change.metric_id if change.metric_id is not None else services.ids.new("metric"),
            version=before.version + 1,
            replaces=before.metric_id,
        )
        following = _validated(services, tx, following, change.denominator_metric_id, change.problems)
        if _are_same(before.definition, following.definition):
            raise Conflict("The metric is defined like this already.", code="same_definition")
        tx.metrics.replace(msgspec.structs.replace(before, archived=True, replaced_by=following.metric_id))
        tx.metrics.add(following)
        return _views(tx.metrics.all(organization.organization_id), [following])[0]


def archive_metric(services: Services, organization: Organization, metric_id: str) -> Metric:
    """Take a metric out of use: nothing new can be priced by it, and its name is free again. Once more changes nothing.

    Raises NotFound `metric_not_found`; Conflict `metric_in_use` while an active version of a plan prices it.
    """
    with changing(services, organization) as tx:
        metric = require_metric(tx, organization, metric_id)
        if metric.archived:
            return metric
        users = _plans_using(tx, organization, metric_id, present(services, organization))
        if users:
            named = ", ".join(repr(plan_id) for plan_id in users[:3])
            detail = f"The metric {metric_id!r} is used by an active version of the plan {named}."
            raise Conflict(detail, code="metric_in_use")
        archived = msgspec.structs.replace(metric, archived=True)
        tx.metrics.replace(archived)
    return archived


def require_metric(tx: Transaction, organization: Organization, metric_id: str) -> Metric:
    """Return a metric of the organization. Raises NotFound `metric_not_found`."""
    metric = tx.metrics.get(organization.organization_id, metric_id)
    if metric is None:
        raise NotFound(f"There is no metric {metric_id!r}.", code="metric_not_found")
    return metric


def check_definition(services: Services, definition: MetricDefinition, problems: Problems) -> None:
    """Add everything that is wrong with a definition, also that the events' store cannot run its query."""
    problems.extend(definition.problems())
    if definition.sql is not None and not problems.any_below("custom_sql"):
        wrong = services.events.custom_sql_problem(definition.sql)
        if wrong is not None:
            problems.add("custom_sql", "invalid", f"The query {wrong}.")


def with_denominator(
    tx: Transaction,
    organization_id: str,
    definition: MetricDefinition,
    denominator_metric_id: str | None,
    problems: Problems,
) -> MetricDefinition:
    """Return a definition that divides by what an existing metric measures; unchanged without an id."""
    if denominator_metric_id is None:
        return definition
    if definition.denominator is not None:
        problems.add("denominator_metric_id", "ambiguous", "Give denominator or denominator_metric_id, not both.")
        return definition
    divisor = tx.metrics.get(organization_id, denominator_metric_id)
    if divisor is None:
        problems.add("denominator_metric_id", "unknown_metric", f"There is no metric {denominator_metric_id!r}.")
        return definition
    return msgspec.structs.replace(definition, denominator=divisor.definition)


def _changed(metric: Metric, change: MetricChange) -> Metric:
    return msgspec.structs.replace(
        metric,
        metric_name=metric.metric_name if change.metric_name is None else change.metric_name,
        definition=metric.definition if change.definition is None else change.definition,
        is_cost_metric=metric.is_cost_metric if change.is_cost_metric is None else change.is_cost_metric,
    )


def _refuse_what_is_over(metric: Metric) -> None:
    if metric.replaced_by is not None:
        detail = f"The metric {metric.metric_id!r} was replaced by {metric.replaced_by!r}: make a version of that."
        raise Conflict(detail, code="metric_replaced")
    if metric.archived:
        raise Conflict(f"The metric {metric.metric_id!r} is archived.", code="metric_archived")


def _are_same(one: MetricDefinition, other: MetricDefinition) -> bool:
    """Tell whether two definitions let the same events through: the filter values 1 and true are equal in Python."""
    return repr(one) == repr(other)


def _views(every: Iterable[Metric], shown: list[Metric]) -> list[MetricView]:
    by_id = {metric.metric_id: metric for metric in every}
    return [MetricView(metric, tuple(_family(by_id, metric))) for metric in shown]


def _family(by_id: dict[str, Metric], metric: Metric) -> list[Metric]:
    while metric.replaces is not None:
        metric = by_id[metric.replaces]
    family = [metric]
    while metric.replaced_by is not None:
        metric = by_id[metric.replaced_by]
        family.append(metric)
    return family


def _versions_using(tx: Transaction, organization: Organization, metric_id: str) -> list[PlanVersion]:
    return [
        version
        for version in tx.plans.versions(organization.organization_id)
        if any(component.metric_id == metric_id for component in version.components)
    ]


def _plans_using(tx: Transaction, organization: Organization, metric_id: str, now: datetime) -> list[str]:
    archived = {plan.plan_id for plan in tx.plans.all(organization.organization_id) if plan.archived}
    using = _versions_using(tx, organization, metric_id)
    sold = {version.plan_id for version in using if version.status_at(now) is not VersionStatus.INACTIVE}
    return sorted(sold - archived)


def _validated(
    services: Services,
    tx: Transaction,
    metric: Metric,
    denominator_metric_id: str | None,
    known: tuple[FieldProblem, ...],
) -> Metric:
    """Return the metric with what it divides by. Raises Invalid with everything that is wrong with it."""
    problems = Problems()
    problems.extend(known)
    definition = with_denominator(tx, metric.organization_id, metric.definition, denominator_metric_id, problems)
    for field, problem in (
        ("metric_id", identifier_problem(metric.metric_id)),
        ("metric_name", name_problem(metric.metric_name)),
    ):
        if problem:
            problems.add(field, "invalid", f"{field} {problem}.")
    check_definition(services, definition, problems)
    problems.raise_if_any()
    return msgspec.structs.replace(metric, definition=definition)
