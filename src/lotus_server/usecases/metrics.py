"""Metrics: made, listed, archived."""

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.catalog import VersionStatus
from lotus_server.domain.metering import Metric, MetricDefinition
from lotus_server.kernel.errors import Conflict, FieldProblem, NotFound, Problems
from lotus_server.kernel.identifiers import identifier_problem, name_problem
from lotus_server.ports.records import Transaction
from lotus_server.usecases.services import Services


class MetricDraft(msgspec.Struct, frozen=True):
    """A metric to be made. Without an id it gets one. `problems` are those found when the input was read."""

    metric_name: str
    definition: MetricDefinition
    metric_id: str | None = None
    is_cost_metric: bool = False
    problems: tuple[FieldProblem, ...] = ()


def create_metric(services: Services, organization: Organization, draft: MetricDraft) -> Metric:
    """Make a metric, which counts every event, also those that came before it.

    Two metrics may have one definition. Raises Invalid with every problem; Conflict `metric_exists` for a taken id,
    `metric_name_exists` for the name of another metric that is not archived.
    """
    metric = Metric(
        organization_id=organization.organization_id,
        metric_id=draft.metric_id if draft.metric_id is not None else services.ids.new("metric"),
        metric_name=draft.metric_name,
        definition=draft.definition,
        is_cost_metric=draft.is_cost_metric,
    )
    _validate(metric, draft.problems)
    with services.records.transaction() as tx:
        tx.metrics.add(metric)
    return metric


def list_metrics(services: Services, organization: Organization, *, include_archived: bool = False) -> list[Metric]:
    """Return the metrics in the order in which they were made."""
    with services.records.snapshot() as tx:
        metrics = tx.metrics.all(organization.organization_id)
    return [metric for metric in metrics if include_archived or not metric.archived]


def get_metric(services: Services, organization: Organization, metric_id: str) -> Metric:
    """Return one metric, archived or not. Raises NotFound `metric_not_found`."""
    with services.records.snapshot() as tx:
        return require_metric(tx, organization, metric_id)


def archive_metric(services: Services, organization: Organization, metric_id: str) -> Metric:
    """Take a metric out of use: nothing new can be priced by it, and its name is free again. Once more changes nothing.

    Raises NotFound `metric_not_found`; Conflict `metric_in_use` while an active version of a plan prices it.
    """
    with services.records.transaction() as tx:
        metric = require_metric(tx, organization, metric_id)
        if metric.archived:
            return metric
        users = _plans_using(tx, organization, metric_id)
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


def _plans_using(tx: Transaction, organization: Organization, metric_id: str) -> list[str]:
    archived = {plan.plan_id for plan in tx.plans.all(organization.organization_id) if plan.archived}
    using = {
        version.plan_id
        for version in tx.plans.versions(organization.organization_id)
        if version.status is VersionStatus.ACTIVE
        and version.plan_id not in archived
        and any(component.metric_id == metric_id for component in version.components)
    }
    return sorted(using)


def _validate(metric: Metric, known: tuple[FieldProblem, ...]) -> None:
    problems = Problems()
    problems.extend(known)
    definition = metric.definition
    texts = [
        ("metric_id", identifier_problem(metric.metric_id)),
        ("metric_name", name_problem(metric.metric_name)),
        ("event_name", identifier_problem(definition.event_name)),
    ]
    if definition.property_name:
        texts.append(("property_name", name_problem(definition.property_name)))
    texts += [(f"group_by[{index}]", name_problem(name)) for index, name in enumerate(definition.group_by)]
    texts += [
        (f"filters[{index}].property", name_problem(condition.property))
        for index, condition in enumerate(definition.filters)
        if condition.property
    ]
    for field, problem in texts:
        if problem:
            problems.add(field, "invalid", f"{field.rpartition('.')[2]} {problem}.")
    problems.extend(definition.problems())
    problems.raise_if_any()
