"""Aggregates that are being made from raw events, because a question is asked for the first time."""

from lotus_server.adapters.events_sqlite import selections
from lotus_server.adapters.events_sqlite.messages import NewAggregate
from lotus_server.adapters.events_sqlite.rows import Row
from lotus_server.domain.metering import Selection, State, Usage, advance, combine, compile_filters, group_key
from lotus_server.kernel.instants import to_microseconds


class Making:
    """An aggregate that is being made from the raw events: its states over every event up to `until_seq`."""

    def __init__(self, organization_id: str, selection: Selection) -> None:
        """Start from nothing."""
        self.selection = selection
        self.until_seq = 0
        self.until_correction: int | None = None
        self._organization_id = organization_id
        self._definition = selection.definition
        self.start_us = to_microseconds(selection.period.start)
        self.end_us = to_microseconds(selection.period.end)
        self._passes = compile_filters(selection.definition.filters, selection.matches)
        self._states: dict[str, State] = {}
        self._seen = _Values()

    def add(self, row: Row) -> None:
        """Take an event of the selection's customer and name into account, if it counts."""
        if not self.start_us <= row.happened_us < self.end_us or self.selection.leaves_out(row.happened_us):
            return
        properties = row.properties
        if self._passes is not None and not self._passes(properties):
            return
        group = group_key(self._definition, properties, row.happened_us)
        state = self._states.setdefault(group, State())
        advance(self._definition, state, properties, group=group, at=row.happened_us, order=row.seq, seen=self._seen)

    def usage(self) -> Usage:
        """Return the answer so far."""
        return combine(self._definition, self._states)

    def to_new_aggregate(self) -> NewAggregate:
        """Return what the writer needs to keep the aggregate up to date."""
        assert self.until_correction is not None, "an aggregate is made before it is handed on"
        return NewAggregate(
            self._organization_id,
            selections.to_text(self.selection),
            self.until_seq,
            self.until_correction,
            {group: state.to_text() for group, state in self._states.items()},
            list(self._seen.values),
        )


class _Values:
    """The values seen, to be handed on."""

    def __init__(self) -> None:
        self.values: set[tuple[str, str]] = set()

    def is_new(self, group: str, value: str) -> bool:
        """Remember a value of a group; tell whether it was not there before."""
        before = len(self.values)
        self.values.add((group, value))
        return len(self.values) > before
