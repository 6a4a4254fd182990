"""Random events, random valid definitions of every type but custom, and questions about them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from lotus_server.domain.metering import (
    Aggregation,
    Event,
    Filter,
    Granularity,
    LevelForm,
    MetricDefinition,
    MetricType,
    Operator,
    PropertyMatch,
    Selection,
)
from lotus_server.kernel.period import Period
from tests.domain.metering.meanings import MEANINGS

D = Decimal
CUSTOMER = "c"
EVENT_NAME = "call"
RESOLUTION = timedelta(microseconds=1)


def _at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


# A month; a month that is joined late; months from the 31st at half past ten; two ragged days; no time at all.
MARCH = Period(_at(2026, 3, 1), _at(2026, 4, 1))
JOINED_LATE = Period(_at(2026, 3, 5), _at(2026, 4, 1))
FROM_THE_31ST = Period(_at(2026, 1, 31, 10, 30), _at(2026, 5, 31, 10, 30))
RAGGED = Period(_at(2026, 3, 1, 10, 30), _at(2026, 3, 3, 7, 15, 30, 500_000))
NO_TIME = Period(MARCH.start, MARCH.start)
PERIODS: list[tuple[Period, Period | None]] = [
    (MARCH, None),
    (JOINED_LATE, MARCH),
    (FROM_THE_31ST, None),
    (RAGGED, None),
    (RAGGED, Period(_at(2026, 2, 27, 10, 30), _at(2026, 3, 27, 10, 30))),
    (NO_TIME, MARCH),
]

values = st.one_of(
    st.integers(min_value=-(10**20), max_value=10**20),
    st.integers(min_value=-5, max_value=20),
    st.decimals(min_value=-1000, max_value=1000, places=6),
    st.sampled_from(["1", "1.0", " 1", "1e0", "+2.", "2", "-.5", "1e31", "1e-31", "many", "", "true", "."]),
    st.none(),
    st.booleans(),
    st.just([1]),
    st.just({"a": 1}),
)
levels = st.integers(min_value=-5, max_value=20)
# What filters meet: the same few numbers and words in every form.
labels = st.sampled_from([1, D("1.0"), "1", "1.0", " 1", "1e0", 2, "2", -1, 7, "many", "", "x", True, False, None, [1]])
# Most events have a number to count, so that the few others are skipped beside them.
property_sets: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"p": st.one_of(levels, levels, levels, values), "q": st.integers(min_value=-3, max_value=3)},
    optional={
        "g": st.sampled_from(["x", "y", 1, None]),
        "f": labels | values,
        "l": st.lists(st.integers(min_value=0, max_value=9), max_size=3),
        "o": st.fixed_dictionaries({}, optional={"a": labels, "b.c": levels, "b": st.just({"c": "x"})}),
        "o.a": st.sampled_from([1, None]),
    },
) | st.fixed_dictionaries({}, optional={"p": values, "g": st.sampled_from(["x", "y"])})


EXPRESSIONS = list(MEANINGS)


def instants(period: Period) -> st.SearchStrategy[datetime]:
    """Times in, around and long before a period; often equal, often at its ends and at full hours, days and minutes."""
    day = timedelta(days=1)
    steps = [timedelta(0), RESOLUTION, timedelta(minutes=1), timedelta(hours=1), day, 3 * day, 31 * day]
    marks = {period.start + step for step in steps} | {period.start - step for step in steps}
    marks |= {period.end - RESOLUTION, period.end}
    marks |= {mark.replace(minute=0, second=0, microsecond=0) for mark in marks}
    marks |= {mark.replace(hour=0) for mark in marks}
    anywhere = st.datetimes(
        min_value=(period.start - 40 * day).replace(tzinfo=None),
        max_value=(period.end + day).replace(tzinfo=None),
        timezones=st.just(UTC),
    )
    exactly = st.sampled_from([period.start, period.start - RESOLUTION, period.end - RESOLUTION])
    return st.one_of(exactly, st.sampled_from(sorted(marks)), st.sampled_from(sorted(marks)), anywhere)


@st.composite
def event_lists(draw: st.DrawFn, period: Period = MARCH, max_size: int = 12) -> list[Event]:
    """Events in order of acceptance, most of them of one customer and one name."""
    at = instants(period)
    count = draw(st.integers(min_value=0, max_value=max_size))
    return [
        Event(
            sequence=number,
            idempotency_id=f"e{number}",
            customer_id=draw(st.sampled_from([CUSTOMER] * 7 + ["other"])),
            event_name=draw(st.sampled_from([EVENT_NAME] * 7 + ["visit"])),
            happened_at=draw(at),
            received_at=period.start,
            properties=draw(property_sets),
        )
        for number in range(1, count + 1)
    ]


def _some(*given: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401 - parts of a definition
    return st.sampled_from(given)


_FILTERED = _some("f", "f", "o.a", "o.b.c", "g", "l", "missing")
_WANTED = _some(D(1), D("1.0"), D(2), D(-1), "1", "1.0", "2", "many", "", "x", True, False)


@st.composite
def filters(draw: st.DrawFn) -> Filter:
    """A condition of any operator on a property of any kind, also a nested or a missing one."""
    operator = draw(st.sampled_from(Operator))
    name = draw(_FILTERED)
    match operator:
        case Operator.EXISTS | Operator.NOT_EXISTS:
            return Filter(name, operator)
        case Operator.IN | Operator.NOT_IN:
            return Filter(name, operator, tuple(draw(st.lists(_WANTED, min_size=1, max_size=3))))
        case Operator.EQ | Operator.NE:
            return Filter(name, operator, draw(_WANTED))
        case _:
            return Filter(name, operator, draw(_some(D(0), D("1.0"), D("-0.5"), D(7))))


_FILTERS = st.one_of(st.just(()), st.just(()), st.lists(filters(), min_size=1, max_size=2).map(tuple))
_GROUPS = _some((), (), ("g",), ("g", "q"), ("o.b.c", "o.a", "f", "g", "q"))
_WINDOWS = _some(None, None, Granularity.HOUR, Granularity.DAY, Granularity.WEEK, Granularity.MONTH)
_UNITS = list(Granularity)
_STRETCHES = _some(Granularity.SECOND, Granularity.MINUTE, Granularity.HOUR, Granularity.DAY, Granularity.WEEK)
_NOT_FOR_RATES = {Aggregation.LATEST, Aggregation.PERCENTILE}


def _taken(draw: st.DrawFn, aggregation: Aggregation) -> dict[str, Any]:
    """What a definition takes from events: a property, an expression, or nothing for a count."""
    if aggregation is Aggregation.COUNT:
        return {}
    taken: dict[str, Any] = {}
    if aggregation is Aggregation.PERCENTILE:
        taken["percentile"] = draw(_some(D(1), D(50), D("99.9"), D(100)))
    if draw(st.booleans()):
        return taken | {"property_name": "p"}
    return taken | {"expression": draw(_some(*EXPRESSIONS))}


@st.composite
def counters(draw: st.DrawFn, aggregations: list[Aggregation] | None = None) -> MetricDefinition:
    """Counters, with or without windows."""
    aggregation = draw(st.sampled_from(aggregations or list(Aggregation)))
    taken = _taken(draw, aggregation)
    return MetricDefinition(
        EVENT_NAME,
        aggregation,
        filters=draw(_FILTERS),
        group_by=draw(_GROUPS),
        window=draw(_WINDOWS),
        **taken,
    )


@st.composite
def gauges(draw: st.DrawFn) -> MetricDefinition:
    """Gauges, with or without units of time and windows."""
    aggregation = draw(_some(Aggregation.SUM, Aggregation.SUM, Aggregation.MAX, Aggregation.LATEST))
    needs_unit = aggregation is Aggregation.SUM
    granularity = draw(st.sampled_from(_UNITS) if needs_unit else st.none() | st.sampled_from(_UNITS))
    proration = None
    if granularity is not None and aggregation is not Aggregation.LATEST:
        finer = _UNITS[: _UNITS.index(granularity) + 1]
        proration = draw(st.none() | st.sampled_from(finer))
    return MetricDefinition(
        EVENT_NAME,
        aggregation,
        filters=draw(_FILTERS),
        group_by=draw(_GROUPS),
        type=MetricType.GAUGE,
        level_form=draw(st.sampled_from(LevelForm)),
        granularity=granularity,
        proration=proration,
        window=draw(_WINDOWS),
        **_taken(draw, aggregation),
    )


@st.composite
def rates(draw: st.DrawFn) -> MetricDefinition:
    """Rates."""
    aggregation = draw(st.sampled_from([each for each in Aggregation if each not in _NOT_FOR_RATES]))
    return MetricDefinition(
        EVENT_NAME,
        aggregation,
        filters=draw(_FILTERS),
        group_by=draw(_GROUPS),
        type=MetricType.RATE,
        granularity=draw(_STRETCHES),
        **_taken(draw, aggregation),
    )


@st.composite
def ratios(draw: st.DrawFn) -> MetricDefinition:
    """Ratios of a counter to a counter, a gauge or a rate."""
    above = draw(counters())
    below = draw(st.one_of(counters(), gauges(), rates()))
    fields = {field: getattr(above, field) for field in above.__struct_fields__}
    shared = {"group_by": above.group_by, "window": None}
    below_fields = {field: getattr(below, field) for field in below.__struct_fields__}
    return MetricDefinition(
        **fields | shared | {"type": MetricType.RATIO, "denominator": MetricDefinition(**below_fields | shared)}
    )


definitions = st.one_of(counters(), gauges(), rates(), ratios())


def stretches_of(period: Period) -> st.SearchStrategy[tuple[Period, ...]]:
    """Stretches that are left out: mostly none; the first hours, the middle, the end and beyond it, or two of them."""
    first = Period(period.start, period.start + timedelta(hours=3))
    middle = Period(period.start + timedelta(days=1), period.start + timedelta(days=3, minutes=30))
    last = Period(max(period.start, period.end - timedelta(days=1)), period.end + timedelta(days=1))
    return _some((), (), (), (), (first,), (middle,), (last,), (first, middle))


@st.composite
def selections(
    draw: st.DrawFn, definitions: st.SearchStrategy[MetricDefinition] = definitions, *, matches: bool = True
) -> Selection:
    """Questions about one customer, of every kind; hours as windows only over short periods."""
    definition = draw(definitions)
    is_short = definition.window is Granularity.HOUR
    period, cycle = draw(st.sampled_from(PERIODS[3:] if is_short else PERIODS))
    wanted = draw(_some((), (), (), (PropertyMatch("g", "1"),))) if matches else ()
    return Selection(definition, CUSTOMER, period, wanted, cycle, draw(stretches_of(period)))


@st.composite
def questions(
    draw: st.DrawFn, definitions: st.SearchStrategy[MetricDefinition] = definitions
) -> tuple[Selection, list[Event]]:
    """A question together with events around its period."""
    selection = draw(selections(definitions))
    return selection, draw(event_lists(selection.period))
