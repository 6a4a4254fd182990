"""The event store on SQLite.

A writer process for everything that changes, and readers on the file for everything else.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final, Self

from lotus_server.adapters.events_sqlite.custom_sql import problem_of
from lotus_server.adapters.events_sqlite.link import IN_FLIGHT_BYTES_MAX, RESTART_SECONDS_MIN, WriterLink
from lotus_server.adapters.events_sqlite.making import Making
from lotus_server.adapters.events_sqlite.messages import Correct, Find, Register, Status
from lotus_server.adapters.events_sqlite.reader import EventReader
from lotus_server.adapters.events_sqlite.verify import drifts
from lotus_server.domain.metering import (
    Correction,
    Event,
    LogPosition,
    MetricDefinition,
    Selection,
    Usage,
    combine,
    has_states,
    parts_of,
    usage_of_parts,
)
from lotus_server.kernel.errors import TooLarge, Unavailable
from lotus_server.kernel.period import Period
from lotus_server.ports.event_store import (
    CORRECTIONS_MAX,
    IDS_MAX,
    CorrectionOrder,
    CorrectionResult,
    Drift,
    EventQuery,
    Receipt,
    RefusedEvent,
    RefusedQuery,
    Since,
    Submission,
)

_AGGREGATES_PER_MESSAGE: Final = 1_000
_IDS_PER_MESSAGE: Final = 2_000


class SqliteEventStore:
    """Keeps events in one directory. See `ports/event_store.py` for what each method promises."""

    def __init__(self, reader: EventReader, link: WriterLink | None) -> None:
        """Use an open reader, and a running writer if events are to be taken."""
        self._reader = reader
        self._link = link

    @classmethod
    def open(
        cls,
        directory: Path,
        writer_command: Sequence[str],
        *,
        in_flight_bytes_max: int = IN_FLIGHT_BYTES_MAX,
        restart_seconds_min: float = RESTART_SECONDS_MIN,
    ) -> Self:
        """Return the store of a directory, which is made when missing, with its writer running.

        `writer_command` starts the program of the writer's process. At most `in_flight_bytes_max` bytes of submissions
        wait for the writer; what comes beyond is turned away. Raises Unavailable when the writer does not start.
        """
        directory.mkdir(parents=True, exist_ok=True)
        link = WriterLink(
            writer_command,
            directory.absolute(),
            in_flight_bytes_max=in_flight_bytes_max,
            restart_seconds_min=restart_seconds_min,
        )
        try:
            return cls(EventReader(directory), link)
        except BaseException:
            link.close()
            raise

    @classmethod
    def open_for_reading(cls, directory: Path) -> Self:
        """Return the store of a directory without a writer: submissions are refused.

        A server may be running beside it.
        """
        return cls(EventReader(directory), None)

    async def append(self, submission: Submission) -> Receipt:
        """Store a submission; every event accepted is on disk when this returns."""
        if self._link is None:
            raise Unavailable("The event store is open for reading only.")
        return await self._link.append(submission)

    def usage_at_hand(self, organization_id: str, selections: Sequence[Selection]) -> list[Usage] | None:
        """Return the usage of each selection when all aggregates exist already, or None."""
        return self._reader.usage_at_hand(organization_id, selections)

    def usage(
        self, organization_id: str, selections: Sequence[Selection], *, keeps_aggregates: bool = True
    ) -> list[Usage]:
        """Return the usage of each selection; aggregates that are missing are made, and kept up to date if wanted."""
        answers, makings = self._reader.usage(organization_id, selections)
        if self._link is not None and keeps_aggregates:
            self._reader.catch_up(organization_id, makings)
            self._register(self._link, makings)
        return answers

    def usage_by_customer(
        self, organization_id: str, definition: MetricDefinition, periods: Sequence[Period]
    ) -> list[dict[str, Usage]] | None:
        """Return the usage of each of some periods by customer, or None for metrics that have no states."""
        parts = parts_of(definition)
        if not all(map(has_states, parts)):
            return None
        each = [self._reader.totals.usage_by_customer(organization_id, part, periods) for part in parts]
        return [_joined(definition, usages) for usages in zip(*each, strict=True)]

    def usage_together(
        self, organization_id: str, definition: MetricDefinition, periods: Sequence[Period]
    ) -> list[Usage]:
        """Return the usage of each of some periods as if all events were one customer's."""
        assert has_states(definition), "else there is nothing to add to"
        return self._reader.totals.usage_together(organization_id, definition, periods)

    def values(self, organization_id: str, selection: Selection) -> list[tuple[str, tuple[Decimal, ...]]]:
        """Return the numbers of a period's events in order of happening, per group."""
        return self._reader.values(organization_id, selection)

    def custom_sql_problem(self, sql: str) -> str | None:
        """Return why a query cannot be a custom metric, or None when it can."""
        return problem_of(sql)

    def _register(self, link: WriterLink, makings: list[Making]) -> None:
        for start in range(0, len(makings), _AGGREGATES_PER_MESSAGE):
            piece = [making.to_new_aggregate() for making in makings[start : start + _AGGREGATES_PER_MESSAGE]]
            try:
                link.ask(Register(piece))
            except Unavailable:
                # The answers are right all the same; the aggregates are made at the next question.
                return

    def events(self, organization_id: str, query: EventQuery) -> list[Event]:
        """Return events with the content that counts now, in the order that the query asks for."""
        sequence = None
        if query.idempotency_id is not None:
            sequence = self._sequences(organization_id, [query.idempotency_id]).get(query.idempotency_id)
            if sequence is None:
                return []
        return self._reader.events(organization_id, query, sequence)

    def find(self, organization_id: str, idempotency_ids: Collection[str]) -> frozenset[str]:
        """Return which of the ids belong to an event that was ever accepted."""
        if len(idempotency_ids) > IDS_MAX:
            raise TooLarge(f"{len(idempotency_ids)} ids were asked for; at most {IDS_MAX} can be looked up at once.")
        return frozenset(self._sequences(organization_id, list(idempotency_ids)))

    def _sequences(self, organization_id: str, ids: list[str]) -> dict[str, int]:
        """Return the sequence numbers of events by their ids."""
        if self._link is None:
            # Only the writer has the guard; without one the log is read.
            return self._reader.sequences(organization_id, frozenset(ids))
        found: dict[str, int] = {}
        # In pieces, so that events that come in meanwhile need not wait for all of it.
        for start in range(0, len(ids), _IDS_PER_MESSAGE):
            found |= self._link.ask(Find(organization_id, ids[start : start + _IDS_PER_MESSAGE])).found
        return found

    def correct(
        self, organization_id: str, orders: Sequence[CorrectionOrder], *, now: datetime
    ) -> list[CorrectionResult]:
        """Void or amend events; everything done is on disk on return."""
        if len(orders) > CORRECTIONS_MAX:
            raise TooLarge(f"{len(orders)} corrections are too many; at most {CORRECTIONS_MAX} are made at once.")
        if self._link is None:
            raise Unavailable("The event store is open for reading only.")
        return self._link.ask(Correct(organization_id, list(orders), now)).corrected

    def history(self, organization_id: str, idempotency_id: str) -> list[Correction]:
        """Return every correction of an event, the first one first."""
        sequence = self._sequences(organization_id, [idempotency_id]).get(idempotency_id)
        return [] if sequence is None else self._reader.history(sequence)

    def refused(self, organization_id: str, query: RefusedQuery) -> list[RefusedEvent]:
        """Return the events that were rejected or in conflict, newest first."""
        return self._reader.refused(organization_id, query)

    def position(self, organization_id: str) -> LogPosition:  # noqa: ARG002 - all organizations have one log
        """Return how far the log goes."""
        return self._reader.position()

    def changed(self, organization_id: str, since: Mapping[str, Since]) -> frozenset[str]:
        """Return of which customers an event of the past came in or was corrected; it may name others, too."""
        return self._reader.changed(organization_id, since)

    def event_days(self, organization_id: str, window: Period) -> dict[datetime, int]:
        """Return how many events happened on each day of a window."""
        return self._reader.event_days(organization_id, window)

    def event_count(self, organization_id: str | None = None) -> int:
        """Return how many events are stored, of one organization or of all."""
        return self._reader.event_count(organization_id)

    def verify(self, progress: Callable[[int, int], None]) -> Iterator[Drift]:
        """Recount every aggregate from the raw events; see `verify.py`."""
        return drifts(self._reader, progress)

    def commit_count(self) -> int:
        """Return how many transactions the writer that runs has made."""
        if self._link is None:
            return 0
        return self._link.ask(Status()).commit_count

    @property
    def writer_process_id(self) -> int | None:
        """Return the process id of the writer, None while there is none."""
        return None if self._link is None else self._link.process_id

    def close(self) -> None:
        """Let the writer finish, and close the file."""
        if self._link is not None:
            self._link.close()
        self._reader.close()


def _joined(definition: MetricDefinition, usages: Sequence[dict[str, Usage]]) -> dict[str, Usage]:
    """Return a metric's usage by customer from those of its parts."""
    if len(usages) == 1:
        return usages[0]
    nones = [combine(part, {}) for part in parts_of(definition)]
    customers = dict.fromkeys(customer for some in usages for customer in some)
    return {
        customer: usage_of_parts(
            definition, [some.get(customer, none) for some, none in zip(usages, nones, strict=True)]
        )
        for customer in customers
    }
