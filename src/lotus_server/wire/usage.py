"""Usage by windows and groups, and previews of metrics, in JSON."""

from typing import Any, Final

from pydantic import ConfigDict, Field

from lotus_server.domain.metering import Granularity, Usage, split_key
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import to_text
from lotus_server.usecases.usage import Asked, MetricPreview, PreviewQuestion, Sample, UsageAnswer, UsageQuestion
from lotus_server.wire.fields import Row, instant
from lotus_server.wire.forms import Text, read, required
from lotus_server.wire.metric_definitions import GRANULARITIES, DefinitionForm

WINDOWS: Final = {
    text: unit
    for text, unit in GRANULARITIES.items()
    if unit in {Granularity.HOUR, Granularity.DAY, Granularity.WEEK, Granularity.MONTH}
}


class PreviewForm(DefinitionForm):
    """A definition, and the customer and time that it is tried on."""

    model_config = ConfigDict(extra="ignore", frozen=True, json_schema_extra={"required": ["customer_id"]})

    customer_id: Text = None
    start: Text = Field(None, description="Included; 30 days before the day of the end when missing.")
    end: Text = Field(None, description="Not included; now when missing.")
    denominator_metric_id: Text = Field(None, description="Instead of denominator: a metric whose definition is taken.")


def preview_question(payload: object) -> PreviewQuestion:
    """Return what is to be tried; it carries everything that is wrong with the form."""
    problems = Problems()
    form = read(PreviewForm, payload, problems)
    return PreviewQuestion(
        customer_id=required(problems, "customer_id", form.customer_id),
        definition=form.to_definition(problems),
        asked=_asked(form.start, form.end, problems),
        denominator_metric_id=form.denominator_metric_id or None,
        problems=problems.found,
    )


def usage_question(
    customer_id: str,
    *,
    metric_id: str | None,
    start: str | None,
    end: str | None,
    window: str | None,
    group_by: list[str] | None,
    fills: bool,
) -> UsageQuestion:
    """Return what is asked for; it carries everything that is wrong with the query.

    `group_by` may be given several times, or once with commas.
    """
    problems = Problems()
    if window and window not in WINDOWS:
        problems.add("window", "invalid_choice", "window must be one of hour, day, week, month.")
    names = [name for text in group_by or () for name in text.split(",") if name]
    return UsageQuestion(
        customer_id=customer_id,
        metric_id=required(problems, "metric_id", metric_id or None),
        asked=_asked(start, end, problems),
        window=WINDOWS.get(window or ""),
        group_by=None if group_by is None else tuple(names),
        fills=fills,
        problems=problems.found,
    )


def _asked(start: str | None, end: str | None, problems: Problems) -> Asked:
    return Asked(instant(problems, "start", start or None), instant(problems, "end", end or None))


def usage_rows(answer: UsageAnswer) -> list[Row]:
    """Return a row for each window and group; `group` is null for a metric without groups."""
    return [
        {
            "window_start": to_text(row.period.start),
            "window_end": to_text(row.period.end),
            "group": _group_row(answer.group_by, row.group),
            "value": row.value,
            "counted": row.counted,
            "skipped": row.skipped,
        }
        for row in answer.rows
    ]


def _group_row(group_by: tuple[str, ...], group: tuple[str | None, ...]) -> dict[str, str | None] | None:
    return dict(zip(group_by, group, strict=True)) if group_by else None


def preview_row(preview: MetricPreview) -> Row:
    """Return what a definition measures: as a whole, by groups, by windows, and event by event."""
    usage, definition = preview.usage, preview.definition
    parts = [
        {
            "window_start": None if start is None else to_text(start),
            "group": _group_row(definition.group_by, group),
            **_counts(part),
        }
        for (start, group), part in ((split_key(definition, key), part) for key, part in usage.groups.items())
    ]
    has_windows = definition.window is not None
    return {
        "start": to_text(preview.period.start),
        "end": to_text(preview.period.end),
        "quantity": usage.quantity,
        **_counts(usage),
        "groups": [] if has_windows else parts,
        "windows": parts if has_windows else [],
        "samples": [_sample_row(sample) for sample in preview.samples],
    }


def _counts(usage: Usage) -> dict[str, Any]:
    return {"value": usage.value, "counted": usage.counted, "skipped": usage.skipped}


def _sample_row(sample: Sample) -> Row:
    event = sample.event
    return {
        "idempotency_id": event.idempotency_id,
        "event_name": event.event_name,
        "time_created": to_text(event.happened_at),
        "properties": event.properties,
        "value": sample.value,
        "reason": sample.reason,
    }
