"""The writer: takes submissions, judges them, and puts them on disk, one transaction for a whole group of them.

Everything here runs in one thread of one process that owns the file. Nothing becomes visible in memory (guard,
aggregates, numbers) before the transaction that made it true is on disk.
"""

import fcntl
import logging
import os
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from lotus_server.adapters.events_sqlite import corrections, selections
from lotus_server.adapters.events_sqlite.guard import SEQUENCE_MAX, Guard
from lotus_server.adapters.events_sqlite.guard_file import GuardKeeper
from lotus_server.adapters.events_sqlite.hashes import HashIds, hash_ids, seed_of
from lotus_server.adapters.events_sqlite.judge import Group, judge
from lotus_server.adapters.events_sqlite.live import Live, Segment, StreamKey, Streams
from lotus_server.adapters.events_sqlite.messages import NewAggregate
from lotus_server.adapters.events_sqlite.organizations import Organizations, counts_by_day
from lotus_server.adapters.events_sqlite.receipts import Taken, receipt
from lotus_server.adapters.events_sqlite.refused import Refusal, RefusedLog, refusals_of
from lotus_server.adapters.events_sqlite.rows import Row, ids_by_sequence, insert_events
from lotus_server.adapters.events_sqlite.run_index import RUN_EVENTS, Entries, indexed_until, write_run
from lotus_server.adapters.events_sqlite.schema import (
    DATABASE_NAME,
    GUARD_NAME,
    LOCK_NAME,
    last_sequence,
    open_for_writing,
    secret_of,
)
from lotus_server.domain.metering import Selection
from lotus_server.kernel.errors import LotusError, Unavailable
from lotus_server.kernel.instants import to_microseconds
from lotus_server.ports.event_store import (
    CorrectionOrder,
    CorrectionResult,
    CorrectionStatus,
    Decoder,
    IncomingEvent,
    Receipt,
    Submission,
)

_log: Final = logging.getLogger("lotus.events")
EVENTS_PER_COMMIT_MAX: Final = 20_000
CHECKPOINT_PAGES: Final = 2_048
_EVENTS_PER_PAGE: Final = 25

Answer = Receipt | LotusError


class LockedByAnother(Exception):
    """Another writer owns the directory."""


class MemoryIsBehind(BaseException):
    """Something failed between a commit and telling the memory of it.

    The next event might be taken for new although it is stored. Nothing may catch this: the process ends, and the next
    one learns everything from the disk.
    """


class EventWriter:
    """The only writer of a directory's events."""

    def __init__(self, directory: Path, decode: Decoder, hash_function: HashIds = hash_ids) -> None:
        """Take the directory's lock, open the file (making it when there is none), and bring the guard up to date.

        Raises LockedByAnother at once when another process has the lock.
        """
        self._directory = directory
        self.commit_count = 0
        self._pages_since_checkpoint = 0
        self._decode = decode
        self._hash_ids = hash_function
        self._lock = _lock(directory / LOCK_NAME)
        self._connection = open_for_writing(directory / DATABASE_NAME, os.urandom(8))
        self._secret = secret_of(self._connection)
        self._last_seq = last_sequence(self._connection)
        self._guard_keeper = GuardKeeper(directory / GUARD_NAME, self._secret)
        self._guard = self._restored_guard()
        self._organizations = Organizations(self._connection)
        self._streams = Streams(self._connection)
        self._refused = RefusedLog(self._connection, self._organizations)
        self._unindexed: list[Entries] = []
        self._unindexed_count = 0
        self._restore_unindexed()

    @property
    def event_count(self) -> int:
        """Return how many events are on disk."""
        return self._last_seq

    # -- taking events

    def append(self, submissions: Sequence[Submission]) -> list[Answer]:
        """Return one answer per submission, after everything accepted is on disk.

        One transaction, unless something goes wrong.
        """
        answers: dict[int, Answer] = {}
        taken: dict[int, Taken] = {}
        for index, submission in enumerate(submissions):
            try:
                taken[index] = Taken(submission, self._decode(submission))
            except LotusError as error:
                answers[index] = error
            except Exception:  # noqa: BLE001 - a defect of ours must not cost the neighbours their events
                _log.exception("a submission could not be decoded")
                answers[index] = Unavailable(
                    "The events could not be read because of an internal error.", code="internal_error"
                )
        answers |= self._commit_together(taken)
        return [answers[index] for index in range(len(submissions))]

    def _commit_together(self, taken: dict[int, Taken]) -> dict[int, Answer]:
        try:
            return dict(zip(taken, self._commit(list(taken.values())), strict=True))
        except Exception as error:  # noqa: BLE001 - whatever it is, the others must not suffer from it
            self._roll_back()
            _log.exception("a group of %d submissions failed", len(taken))
            if len(taken) == 1:
                return dict.fromkeys(taken, _unavailable(error))
        # One of them may be the cause: alone, it cannot take the others with it.
        answers: dict[int, Answer] = {}
        for index, one in taken.items():
            answers |= self._commit_together({index: one})
        return answers

    def _commit(self, taken: list[Taken]) -> list[Receipt]:
        group = self._group(taken)
        verdicts = judge(self._connection, self._guard, group) if group.events else {}
        receipts: list[Receipt] = []
        refusals: list[Refusal] = []
        start = 0
        for one in taken:
            receipts.append(receipt(one, verdicts, start))
            if receipts[-1].failures:
                refusals += refusals_of(one, verdicts, start)
            start += len(one.batch.events)
        if len(verdicts) < len(group.events) or refusals:
            self._store(group.without(verdicts) if verdicts else group, refusals)
        return receipts

    def _group(self, taken: list[Taken]) -> Group:
        events: list[IncomingEvent] = []
        orgs: list[int] = []
        received: list[int] = []
        hashes = []
        for one in taken:
            batch = one.batch.events
            if not batch:
                continue
            org = self._organizations.number(one.submission.organization_id)
            events += batch
            orgs += [org] * len(batch)
            received += [to_microseconds(one.submission.now)] * len(batch)
            hashes.append(self._hash_ids(seed_of(self._secret, org), [event.idempotency_id for event in batch]))
        return Group(events, orgs, received, np.concatenate(hashes) if hashes else np.zeros(0, dtype=np.uint64))

    def _store(self, group: Group, refusals: list[Refusal]) -> None:
        """Put the events of a group on disk, everything that follows from them, and what was refused beside them."""
        first = self._last_seq + 1
        if self._last_seq + len(group.events) > SEQUENCE_MAX:
            raise Unavailable(f"The event store is full: it numbers {SEQUENCE_MAX} events.")
        self._connection.execute("BEGIN IMMEDIATE")
        insert_events(self._connection, group.events, group.orgs, group.received, first)
        keys = self._stage_aggregates(group, first)
        self._streams.write()
        self._refused.write(refusals)
        self._organizations.write(counts_by_day(group.orgs, [event.happened_us for event in group.events]))
        self._connection.execute("COMMIT")
        try:
            self._pages_since_checkpoint += len(refusals) // _EVENTS_PER_PAGE
            self._remember(group, first, keys)
        except BaseException as error:
            raise MemoryIsBehind("events are on disk that the guard may not know") from error

    def _remember(self, group: Group, first: int, keys: list[int]) -> None:
        """Tell the memory what is on disk now."""
        self.commit_count += 1
        # An estimate is enough: a few pages that every commit changes, and the events themselves.
        self._pages_since_checkpoint += 4 + len(group.events) // _EVENTS_PER_PAGE
        self._organizations.keep()
        self._streams.keep()
        self._guard.add(group.hashes, first)
        self._last_seq += len(group.events)
        times = np.array([event.happened_us for event in group.events], dtype=np.int64)
        sequences = np.arange(first, self._last_seq + 1, dtype=np.int64)
        self._unindexed.append(Entries(np.array(keys, dtype=np.int64), times, sequences))
        self._unindexed_count += len(group.events)

    def _stage_aggregates(self, group: Group, first_seq: int) -> list[int]:
        """Advance every aggregate that counts an event of the group; return the events' index keys."""
        keys: list[int] = []
        touched: list[Segment] = []
        in_memory, load = self._streams.in_memory, self._streams.load
        for place, (event, org) in enumerate(zip(group.events, group.orgs, strict=True)):
            key = (org, event.customer_id, event.event_name)
            stream = in_memory(key) or load(key)
            keys.append(stream.index_key)
            segment = stream.segment
            if not segment.start_us <= event.happened_us < segment.end_us:
                segment = stream.segment_at(event.happened_us)
            if segment.aggregates:
                if not segment.waiting:
                    touched.append(segment)
                segment.waiting.append(place)
        self._streams.stage(touched, group.events, first_seq)
        return keys

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._organizations.forget()
        self._streams.forget()

    # -- aggregates on demand

    def register(self, wanted: Sequence[NewAggregate]) -> None:
        """Keep these aggregates up to date from now on.

        Each brings its states up to a sequence number; what came later is added.
        """
        try:
            self._register(wanted)
        except Exception:
            self._roll_back()
            raise

    def _register(self, wanted: Sequence[NewAggregate]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        added: dict[StreamKey, list[tuple[Live, int]]] = {}
        for new in wanted:
            selection = selections.from_text(new.selection_text)
            org = self._organizations.number(new.organization_id)
            live = self._insert_aggregate(new, selection, org)
            if live is not None:
                key = (org, selection.customer_id, selection.definition.event_name)
                added.setdefault(key, []).append((live, new.until_seq))
        self._catch_up(added)
        self._streams.write()
        self._organizations.write({})
        self._connection.execute("COMMIT")
        self._organizations.keep()
        # The streams are read anew, with the aggregates that they have now.
        self._streams.keep()
        for key in added:
            self._streams.drop(key)

    def _insert_aggregate(self, new: NewAggregate, selection: Selection, org: int) -> Live | None:
        """Insert an aggregate, unless it is there already or a correction has come after it was made."""
        key = (org, selection.customer_id, selection.definition.event_name)
        if corrections.corrected_until(self._connection, key) > new.until_correction:
            return None
        fingerprint = selection.fingerprint(new.organization_id)
        if self._connection.execute("SELECT 1 FROM aggregates WHERE fingerprint = ?", (fingerprint,)).fetchone():
            return None
        cursor = self._connection.execute(
            "INSERT INTO aggregates VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)",
            (
                fingerprint,
                org,
                selection.customer_id,
                selection.definition.event_name,
                to_microseconds(selection.period.start),
                to_microseconds(selection.period.end),
                new.selection_text,
            ),
        )
        aggregate = cursor.lastrowid
        assert aggregate is not None
        states = [(aggregate, group, text) for group, text in new.states.items()]
        self._connection.executemany("INSERT INTO aggregate_states VALUES (?, ?, ?)", states)
        values = [(aggregate, group, value) for group, value in new.values]
        self._connection.executemany("INSERT INTO unique_values VALUES (?, ?, ?)", values)
        return Live(self._connection, aggregate, selection)

    def _catch_up(self, added: dict[StreamKey, list[tuple[Live, int]]]) -> None:
        """Add what was accepted between an aggregate's making and now."""
        oldest = min((until for pairs in added.values() for _, until in pairs), default=self._last_seq)
        if oldest >= self._last_seq:
            return
        for values in self._connection.execute("SELECT * FROM events WHERE seq > ?", (oldest,)):
            row = Row(*values)
            for live, until in added.get((row.org, row.customer, row.name), ()):
                if row.seq > until and live.counts_at(row.happened_us):
                    self._streams.stage_one(live, row, row.seq)

    # -- corrections

    def correct(self, organization_id: str, orders: Sequence[CorrectionOrder], now: datetime) -> list[CorrectionResult]:
        """Carry out corrections in one transaction; everything done is on disk on return."""
        known = self.find(organization_id, {order.idempotency_id for order in orders})
        if not known:
            return [CorrectionResult(order.idempotency_id, CorrectionStatus.UNKNOWN) for order in orders]
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            applied = corrections.apply(self._connection, known, orders, to_microseconds(now))
            self._connection.execute("COMMIT")
        except Exception:
            self._roll_back()
            raise
        try:
            self.commit_count += 1
            self._pages_since_checkpoint += 4 + len(orders)
            for key in applied.streams:
                self._streams.drop(key)
        except BaseException as error:
            raise MemoryIsBehind("aggregates are gone that the memory would advance") from error
        return applied.results

    # -- looking up

    def find(self, organization_id: str, idempotency_ids: Collection[str]) -> dict[str, int]:
        """Return the sequence number of each event that has one of the ids."""
        org = self._organizations.known(organization_id)
        wanted = list(idempotency_ids)
        if org is None or not wanted:
            return {}
        hashes = self._hash_ids(seed_of(self._secret, org), wanted)
        proposed = self._guard.find(hashes)
        stored = ids_by_sequence(self._connection, proposed[proposed > 0].tolist())
        found: dict[str, int] = {}
        for id_, hashed, seq in zip(wanted, hashes.tolist(), proposed.tolist(), strict=True):
            if seq and stored[seq] == (org, id_):
                found[id_] = seq
            elif seq:
                # Two ids with one hash: look at every other event that has it.
                others = ids_by_sequence(self._connection, self._guard.candidates(hashed))
                found |= {event[1]: other for other, event in others.items() if event == (org, id_)}
        return found

    # -- what can wait until the answers are out

    def tidy_up(self) -> None:
        """Write the runs that are due, and do from time to time what keeps files short and the next start quick.

        All of that only saves time later, so a failure (a full disk) is noted and tried again after the next group.
        """
        try:
            self._write_runs()
            self._refused.tidy_up()
            self._checkpoint()
            self._guard_keeper.tend(self._guard, self._last_seq)
        except (sqlite3.Error, OSError):
            _log.exception("tidying up failed")

    def _checkpoint(self) -> None:
        if self._pages_since_checkpoint > CHECKPOINT_PAGES:
            # PASSIVE takes what no reader needs any more, and never waits for one.
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            self._pages_since_checkpoint = 0

    def _write_runs(self) -> None:
        while self._unindexed_count >= RUN_EVENTS:
            entries = Entries.joined(self._unindexed)
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                write_run(self._connection, entries.piece(0, RUN_EVENTS))
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            self._unindexed = [entries.piece(RUN_EVENTS, len(entries.keys))]
            self._unindexed_count -= RUN_EVENTS

    def _restore_unindexed(self) -> None:
        for rows in _in_pieces(
            self._connection.execute(
                "SELECT org, customer, name, happened_us, seq FROM events WHERE seq > ?",
                (indexed_until(self._connection),),
            )
        ):
            keys = [self._streams.get((row[0], row[1], row[2])).index_key for row in rows]
            columns = [
                np.array(column, dtype=np.int64)
                for column in (keys, [row[3] for row in rows], [row[4] for row in rows])
            ]
            self._unindexed.append(Entries(*columns))
            self._unindexed_count += len(rows)
            self.tidy_up()

    # -- the guard and its file

    def _restored_guard(self) -> Guard:
        """Return the guard of every event in the log: from its file as far as that goes, the rest from the log."""
        guard, until = self._guard_keeper.load(self._last_seq)
        if until and not self._is_of_this_log(guard, until):
            guard, until = Guard(), 0
        if not until:
            # It must not be taken for right later, when the log has grown past its sequence number.
            self._guard_keeper.forget()
        if until < self._last_seq:
            _log.info("reading %d events to rebuild the guard", self._last_seq - until)
        rows = self._connection.execute("SELECT seq, org, id FROM events WHERE seq > ? ORDER BY seq", (until,))
        for piece in _in_pieces(rows):
            hashes = np.empty(len(piece), dtype=np.uint64)
            orgs = np.array([row[1] for row in piece])
            for org in np.unique(orgs).tolist():
                places = np.flatnonzero(orgs == org)
                ids = [piece[place][2] for place in places.tolist()]
                hashes[places] = self._hash_ids(seed_of(self._secret, org), ids)
            first = piece[0][0]
            assert piece[-1][0] == first + len(piece) - 1, "the log has a gap"
            guard.add(hashes, first)
        return guard

    def _is_of_this_log(self, guard: Guard, until: int) -> bool:
        """Tell whether the guard knows the log's event of its last sequence number.

        A restored backup has another one there.
        """
        org, id_ = ids_by_sequence(self._connection, [until])[until]
        return until in guard.candidates(int(self._hash_ids(seed_of(self._secret, org), [id_])[0]))

    def close(self) -> None:
        """Leave the directory in order: guard saved, log checkpointed, lock released."""
        self._guard_keeper.save(self._guard, self._last_seq)
        self._connection.close()
        os.close(self._lock)


def _lock(path: Path) -> int:
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise LockedByAnother(f"another process writes to {path.parent}") from None
    return lock


def _unavailable(error: Exception) -> Unavailable:
    if isinstance(error, Unavailable):
        return error
    if isinstance(error, sqlite3.Error):
        return Unavailable(f"The events could not be written: {error}.")
    return Unavailable("The events could not be stored because of an internal error.", code="internal_error")


def _in_pieces(cursor: sqlite3.Cursor) -> Iterator[list[tuple[Any, ...]]]:
    while rows := cursor.fetchmany(50_000):
        yield rows
