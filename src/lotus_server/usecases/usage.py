"""Looking at usage: of one customer by windows and groups, and what a metric would measure before there is one."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.metering import (
    Aggregation,
    Event,
    EventStatus,
    Granularity,
    MetricDefinition,
    MetricType,
    Selection,
    Usage,
    holds,
    nothing,
    split_key,
    value_of,
    windows_within,
)
from lotus_server.kernel.errors import FieldProblem, Invalid, Problems
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import add
from lotus_server.ports.event_store import EventQuery
from lotus_server.usecases.customers import require_customer
from lotus_server.usecases.metrics import check_definition, require_metric, with_denominator
from lotus_server.usecases.services import Services, present

ROWS_MAX: Final = 10_000
# Each is a question of its own to the event store.
SEPARATE_WINDOWS_MAX: Final = 1_000
SAMPLES_MAX: Final = 20
DAYS_BACK: Final = timedelta(days=30)
YEARS: Final = range(1900, 2201)
_LEAST: Final = timedelta(microseconds=1)

Group = tuple[str | None, ...]


class Asked(msgspec.Struct, frozen=True):
    """The time that is asked about: `end` is not included.

    Null means up to now, included, and from 30 days before the day of the end.
    """

    start: datetime | None = None
    end: datetime | None = None


class UsageQuestion(msgspec.Struct, frozen=True):
    """What one customer used of a metric.

    With `window` by the hours, days, weeks or months of UTC; with `group_by` by these properties instead of the
    metric's own. `fills` asks for a row also where there was no usage.
    """

    customer_id: str
    metric_id: str
    asked: Asked = Asked()
    window: Granularity | None = None
    group_by: tuple[str, ...] | None = None
    fills: bool = False
    problems: tuple[FieldProblem, ...] = ()


class UsageRow(msgspec.Struct, frozen=True):
    """What was used in a period, by one group: the texts of `group_by`, null for a property that events lack.

    `value` is null where there is nothing to take a value from. `counted` is the number of events that it was made of,
    `skipped` that of those without a usable value.
    """

    period: Period
    group: Group
    value: Decimal | None
    counted: int
    skipped: int


class UsageAnswer(msgspec.Struct, frozen=True):
    """The rows by time, then group, and the properties that their groups are made of."""

    rows: tuple[UsageRow, ...]
    group_by: tuple[str, ...]


class PreviewQuestion(msgspec.Struct, frozen=True):
    """What a definition would measure of one customer."""

    customer_id: str
    definition: MetricDefinition
    asked: Asked = Asked()
    denominator_metric_id: str | None = None
    problems: tuple[FieldProblem, ...] = ()


class Sample(msgspec.Struct, frozen=True):
    """One event beside what the definition takes from it: a value, or the reason why nothing."""

    event: Event
    value: Decimal | str | None
    reason: str | None


class MetricPreview(msgspec.Struct, frozen=True):
    """What a definition measures of a period, and the newest of its events."""

    definition: MetricDefinition
    period: Period
    usage: Usage
    samples: tuple[Sample, ...]


def customer_usage(services: Services, organization: Organization, question: UsageQuestion) -> UsageAnswer:
    """Return what a customer used; every event acknowledged before counts. Writes nothing.

    Raises Invalid with every problem, `too_many` for more rows than `ROWS_MAX`; NotFound `customer_not_found`,
    `metric_not_found`.
    """
    problems = Problems()
    problems.extend(question.problems)
    period = _period(question.asked, present(services, organization), problems)
    problems.raise_if_any()
    with services.records.snapshot() as tx:
        require_customer(tx, organization, question.customer_id)
        definition = require_metric(tx, organization, question.metric_id).definition
    if question.group_by is not None:
        definition = _grouped(definition, question.group_by)
    problems.extend(tuple(each for each in definition.problems() if each.field.startswith("group_by")))
    problems.raise_if_any()
    rows = _rows(services, organization.organization_id, question, definition, period)
    if len(rows) > ROWS_MAX:
        raise _too_many_rows()
    return UsageAnswer(tuple(rows), definition.group_by)


def preview_metric(services: Services, organization: Organization, question: PreviewQuestion) -> MetricPreview:
    """Return what a metric of a definition would measure, with up to 20 of the newest events. Writes nothing.

    Raises Invalid with every problem; NotFound `customer_not_found`.
    """
    problems = Problems()
    problems.extend(question.problems)
    period = _period(question.asked, present(services, organization), problems)
    with services.records.snapshot() as tx:
        definition = with_denominator(
            tx, organization.organization_id, question.definition, question.denominator_metric_id, problems
        )
        check_definition(services, definition, problems)
        problems.raise_if_any()
        require_customer(tx, organization, question.customer_id)
    organization_id = organization.organization_id
    selection = Selection(definition, question.customer_id, period)
    (usage,) = services.events.usage(organization_id, [selection], keeps_aggregates=False)
    return MetricPreview(definition, period, usage, _samples(services, organization_id, selection))


def _period(asked: Asked, now: datetime, problems: Problems) -> Period:
    """Return the period that is asked about; what happens at this instant counts, too."""
    for field, instant in (("start", asked.start), ("end", asked.end)):
        # Windows and billing cycles reach beyond a period, and the calendar must not end there.
        if instant is not None and not YEARS[0] <= instant.year <= YEARS[-1]:
            problems.add(field, "out_of_range", f"{field} must lie in the years {YEARS[0]} to {YEARS[-1]}.")
            return Period(now, now)
    end = now + _LEAST if asked.end is None else asked.end
    start = asked.start
    if start is None:
        start = end.replace(hour=0, minute=0, second=0, microsecond=0) - DAYS_BACK
    if end <= start:
        problems.add("end", "end_before_start", "end must lie after start.")
        return Period(start, start)
    return Period(start, end)


def _grouped(definition: MetricDefinition, group_by: tuple[str, ...]) -> MetricDefinition:
    """Return a definition by other groups; both parts of a ratio have the same."""
    below = definition.denominator
    return msgspec.structs.replace(
        definition, group_by=group_by, denominator=None if below is None else _grouped(below, group_by)
    )


def _in_windows(definition: MetricDefinition, window: Granularity) -> MetricDefinition:
    """Return a definition of which every window is a quantity of its own, in both parts of a ratio.

    That a rate or a ratio has no windows is a rule for what is priced; the arithmetic is the same for all.
    """
    below = definition.denominator
    return msgspec.structs.replace(
        definition, window=window, denominator=None if below is None else _in_windows(below, window)
    )


def _rows(
    services: Services,
    organization_id: str,
    question: UsageQuestion,
    definition: MetricDefinition,
    period: Period,
) -> list[UsageRow]:
    periods = [period]
    if question.window is not None:
        found = windows_within(question.window, period, ROWS_MAX)
        if found is None:
            raise _too_many_rows()
        periods = found
        if definition.window in {None, question.window} and definition.type is not MetricType.CUSTOM:
            windowed = _in_windows(definition, question.window)
            selection = Selection(windowed, question.customer_id, period)
            (usage,) = services.events.usage(organization_id, [selection], keeps_aggregates=False)
            return _arranged(definition, periods, _by_window(windowed, usage, periods), question)
    if len(periods) > SEPARATE_WINDOWS_MAX:
        detail = f"Each window of this metric is measured on its own, and at most {SEPARATE_WINDOWS_MAX:,} at once."
        raise Invalid.field("window", "too_many", detail)
    selections = [Selection(definition, question.customer_id, each, cycle=period) for each in periods]
    usages = services.events.usage(organization_id, selections, keeps_aggregates=False)
    return _arranged(definition, periods, [_by_group(definition, usage) for usage in usages], question)


def _by_group(definition: MetricDefinition, usage: Usage) -> dict[Group, Usage]:
    """Return the usage of each group; with windows of the metric's own, a group is the sum of its windows."""
    if not definition.group_by:
        return {(): usage}
    groups: dict[Group, Usage] = {}
    for key, part in usage.groups.items():
        group = split_key(definition, key)[1]
        before = groups.get(group)
        groups[group] = part if before is None else _sum(before, part)
    return groups


def _sum(one: Usage, other: Usage) -> Usage:
    value = one.value if other.value is None else add(one.quantity, other.quantity)
    return Usage(value, one.counted + other.counted, one.skipped + other.skipped)


def _by_window(definition: MetricDefinition, usage: Usage, periods: list[Period]) -> list[dict[Group, Usage]]:
    """Return the usage of each group of each window; a window begins where it does in UTC, or where the period does."""
    starts = [each.start for each in periods]
    found: list[dict[Group, Usage]] = [{} for _ in periods]
    indices = {start: index for index, start in enumerate(starts)}
    for key, part in usage.groups.items():
        start, group = split_key(definition, key)
        assert start is not None, f"{key} has no window"
        found[indices.get(start, 0)][group] = part
    return found


def _arranged(
    definition: MetricDefinition, periods: list[Period], found: list[dict[Group, Usage]], question: UsageQuestion
) -> list[UsageRow]:
    """Return the rows by time, then group; where nothing was used only if that is asked for."""
    every: set[Group] = {group for groups in found for group in groups} or {()}
    unused = Usage(nothing(definition), 0, 0)
    rows = []
    for period, groups in zip(periods, found, strict=True):
        shown = every if question.fills else groups.keys()
        for group in sorted(shown, key=_in_order):
            usage = groups.get(group, unused)
            if question.fills or usage.counted or usage.quantity:
                rows.append(UsageRow(period, group, usage.value, usage.counted, usage.skipped))
        if len(rows) > ROWS_MAX:
            raise _too_many_rows()
    return rows


def _in_order(group: Group) -> list[tuple[bool, str]]:
    return [(text is not None, text or "") for text in group]


def _too_many_rows() -> Invalid:
    detail = f"The answer would have more than {ROWS_MAX:,} rows: ask about less time, or in longer windows."
    return Invalid.field("window", "too_many", detail)


def _samples(services: Services, organization_id: str, selection: Selection) -> tuple[Sample, ...]:
    definition, period = selection.definition, selection.period
    if definition.type is MetricType.CUSTOM:
        return ()
    query = EventQuery(
        customer_id=selection.customer_id,
        event_name=definition.event_name,
        start=period.start,
        end=period.end,
        limit=SAMPLES_MAX,
    )
    return tuple(_sample(definition, event) for event in services.events.events(organization_id, query))


def _sample(definition: MetricDefinition, event: Event) -> Sample:
    if event.status is EventStatus.VOIDED:
        return Sample(event, None, "The event was voided.")
    for index, condition in enumerate(definition.filters):
        if not holds(condition, event.properties):
            return Sample(event, None, f"filters[{index}], on {condition.property!r}, does not let it through.")
    value = value_of(definition, event.properties)
    if value is not None:
        return Sample(event, value, None)
    wanted = "text, number or boolean" if definition.aggregation is Aggregation.UNIQUE else "number"
    source = "The expression" if definition.expression is not None else f"The property {definition.property_name!r}"
    return Sample(event, None, f"{source} has no {wanted} for it.")
