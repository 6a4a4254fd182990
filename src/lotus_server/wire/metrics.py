"""Metrics in JSON."""

from typing import Any

from pydantic import ConfigDict, Field
from typing_extensions import override

from lotus_server.domain.metering import Metric, MetricDefinition
from lotus_server.kernel.errors import Problems
from lotus_server.usecases.metrics import MetricChange, MetricDraft, MetricView
from lotus_server.wire.forms import Text, required
from lotus_server.wire.metric_definitions import DefinitionForm, definition_row


class MetricForm(DefinitionForm):
    """A metric to be made."""

    model_config = ConfigDict(extra="ignore", frozen=True, json_schema_extra={"required": ["metric_name"]})

    metric_id: Text = Field(None, description="Made when missing.")
    metric_name: Text = None
    billable_metric_name: Text = Field(None, description="Another name for metric_name.")
    denominator_metric_id: Text = Field(None, description="Instead of denominator: a metric whose definition is taken.")
    is_cost_metric: bool | None = None

    def to_draft(self, problems: Problems) -> MetricDraft:
        """Return the draft; it carries everything that is wrong with the form, besides what the use case will find."""
        return MetricDraft(
            metric_name=required(problems, "metric_name", self._name()),
            definition=self.to_definition(problems),
            metric_id=self.metric_id,
            is_cost_metric=bool(self.is_cost_metric),
            denominator_metric_id=self.denominator_metric_id or None,
            problems=problems.found,
        )

    def _name(self) -> str | None:
        return self.metric_name if self.metric_name is not None else self.billable_metric_name


class MetricVersionForm(MetricForm):
    """Another definition of a metric: the whole of it. Without a name it keeps the one that it has."""

    model_config = ConfigDict(extra="ignore", frozen=True, json_schema_extra={"required": []})

    metric_id: Text = Field(None, description="Of the new version; made when missing.")

    def to_change(self, problems: Problems) -> MetricChange:
        """Return what the next version is to be."""
        return self._change(problems, self.to_definition(problems), self.metric_id)

    def _change(
        self, problems: Problems, definition: MetricDefinition | None, metric_id: str | None = None
    ) -> MetricChange:
        return MetricChange(
            metric_name=self._name(),
            definition=definition,
            metric_id=metric_id,
            is_cost_metric=self.is_cost_metric,
            denominator_metric_id=self.denominator_metric_id or None,
            problems=problems.found,
        )


class MetricUpdateForm(MetricVersionForm):
    """What is to change of a metric: its name, whether it is a cost, or its whole definition while no plan uses it."""

    metric_id: Text = Field(None, description="Never changes.")

    @override
    def to_change(self, problems: Problems) -> MetricChange:
        """Return the change; a definition is in it as soon as one field of a definition is sent."""
        sent = self.model_fields_set & DefinitionForm.model_fields.keys()
        has_definition = bool(sent) or self.denominator_metric_id is not None
        return self._change(problems, self.to_definition(problems) if has_definition else None)


def metric_row(metric: Metric) -> dict[str, Any]:
    """Return a metric as it is shown; the keys of every generation of clients, null where there is nothing to say."""
    return {
        "metric_id": metric.metric_id,
        "metric_name": metric.metric_name,
        "billable_metric_name": metric.metric_name,
        **definition_row(metric.definition),
        "is_cost_metric": metric.is_cost_metric,
        "status": _status(metric),
        "version": metric.version,
        "replaces": metric.replaces,
        "replaced_by": metric.replaced_by,
    }


def metric_view_row(view: MetricView) -> dict[str, Any]:
    """Return a metric with the versions of it, oldest first."""
    versions = [
        {"metric_id": each.metric_id, "version": each.version, "status": _status(each)} for each in view.versions
    ]
    return {**metric_row(view.metric), "versions": versions}


def _status(metric: Metric) -> str:
    if metric.replaced_by is not None:
        return "replaced"
    return "archived" if metric.archived else "active"
