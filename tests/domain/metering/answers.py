"""What the code that is fast answers: running states, series and ratios, as an event store puts them together."""

from collections.abc import Iterable

import msgspec

from lotus_server.domain.metering import (
    Event,
    Point,
    Selection,
    State,
    Usage,
    ValuesInMemory,
    advance,
    combine,
    compile_filters,
    group_key,
    is_series,
    parts_of,
    point_of,
    usage_of_parts,
    usage_of_points,
)
from lotus_server.kernel.instants import to_microseconds


def answer(selection: Selection, events: Iterable[Event]) -> Usage:
    """The usage, from events in any order."""
    events = list(events)
    parts = [msgspec.structs.replace(selection, definition=part) for part in parts_of(selection.definition)]
    usages = [
        usage_of_points(part, points_of(part, events)) if is_series(part.definition) else _running(part, events)
        for part in parts
    ]
    return usage_of_parts(selection.definition, usages)


def points_of(selection: Selection, events: Iterable[Event]) -> list[Point]:
    """The points of the selection's stream that pass the filters, of any time."""
    return [
        point_of(selection.definition, event.properties, to_microseconds(event.happened_at), event.sequence)
        for event in events
        if _passes(selection, event)
    ]


def _passes(selection: Selection, event: Event) -> bool:
    definition = selection.definition
    if (event.customer_id, event.event_name) != (selection.customer_id, definition.event_name):
        return False
    passes = compile_filters(definition.filters, selection.matches)
    return passes is None or passes(event.properties)


def _running(selection: Selection, events: Iterable[Event]) -> Usage:
    """The answer of running states that take the events one by one, in the order given."""
    definition = selection.definition
    states: dict[str, State] = {}
    seen = ValuesInMemory()
    for event in events:
        at = to_microseconds(event.happened_at)
        if not selection.period.contains(event.happened_at) or selection.leaves_out(at):
            continue
        if not _passes(selection, event):
            continue
        group = group_key(definition, event.properties, at)
        state = State.from_text(states.pop(group, State()).to_text())  # a state survives as text at any moment
        advance(definition, state, event.properties, group=group, at=at, order=event.sequence, seen=seen)
        states[group] = state
    return combine(definition, states)
