"""Imports at work: whatever is due is taken on, portion by portion, each kept before the next one begins.

A portion of customers is one transaction with how far the import is. Events are in another store: they are appended
first, and a portion that is appended again after a crash finds its events there, by their ids.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.imports import (
    REFUSED_ROWS_KEPT,
    UNDER_WAY,
    Import,
    ImportKind,
    ImportState,
    Place,
)
from lotus_server.kernel.errors import Conflict, Invalid, Unavailable
from lotus_server.ports.records import Transaction
from lotus_server.usecases.auditing import audited
from lotus_server.usecases.import_portions import (
    Done,
    Portion,
    check_customers,
    check_events,
    take_customers,
    take_events,
)
from lotus_server.usecases.import_reading import Append, FileRow, Reading
from lotus_server.usecases.imports import require_import, source_of
from lotus_server.usecases.services import Services

# Small enough that others get their turn at the database in between.
ROWS_AT_ONCE: Final = {ImportKind.CUSTOMERS: 500, ImportKind.EVENTS: 5_000}
BYTES_AT_ONCE: Final = 4_000_000
# So long one import is worked at before the next one that is due has its turn, and the server hears that it shall stop.
SLICE: Final = timedelta(seconds=1)
# A worker that was heard of for so long works on; after that others take its import.
LEASE: Final = timedelta(seconds=10)
RETRY: Final = timedelta(seconds=5)
_MICROSECOND: Final = timedelta(microseconds=1)


class Work(msgspec.Struct, frozen=True):
    """What a worker works with."""

    services: Services
    reading: Reading
    append: Append


def run_imports(services: Services, reading: Reading, append: Append, *, rows_at_once: int | None = None) -> int:
    """Take imports on that are due, for about a second in all, and return how many times one was worked at.

    `append` stores events from this thread. What goes wrong with one import is kept with it, and stops no other; a
    defect is raised at the end.
    """
    work = Work(services, reading, append)
    until = services.clock.now() + SLICE
    count, defect = 0, None
    while (claimed := _claim(services)) is not None:
        count += 1
        try:
            _work_on(work, *claimed, until=until, rows_at_once=rows_at_once or ROWS_AT_ONCE[claimed[0].kind])
        except (Unavailable, Conflict) as error:
            _put_off(services, *claimed, error.detail)
        except Invalid as error:
            _fail(services, *claimed, error.detail)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one import, the others go on
            _fail(services, *claimed, "Something broke here. The server's log says more. Start it again to go on.")
            defect = defect or error
        if services.clock.now() >= until:
            break
    if defect is not None:
        raise defect
    return count


def _claim(services: Services) -> tuple[Import, Organization] | None:
    """Return the import that is due the longest, which nobody else takes while a lease lasts; null without one."""
    now = services.clock.now()
    with services.records.snapshot() as tx:
        due = tx.imports.due(now)
    if due is None:
        return None
    with services.records.transaction() as tx:
        organization = tx.organizations.get(due.organization_id)
        assert organization is not None, "an import's organization exists"
        current = require_import(tx, organization, due.import_id, for_update=True)
        if current.state not in UNDER_WAY or current.due_at is None or current.due_at > now:
            return None
        claimed = msgspec.structs.replace(
            current, state=ImportState.RUNNING, started_at=current.started_at or now, due_at=now + LEASE
        )
        tx.imports.keep_progress(claimed)
    return claimed, organization


def _work_on(work: Work, import_: Import, organization: Organization, *, until: datetime, rows_at_once: int) -> None:
    """Do portions of an import until its file ends, its time is over, or somebody stops it."""
    clock = work.services.clock
    rows = work.reading.rows(import_, source_of(work.services, import_))
    while True:
        began = clock.now()
        some, broken = _some(rows, rows_at_once)
        if some:
            moved = _do(work, Portion(work.services, organization, import_, work.reading, began, some))
            if moved is None:
                return
            import_ = moved
        if broken is not None:
            raise broken
        if not some:
            _end(work.services, import_, organization)
            return
        if clock.now() >= until:
            _let_go(work.services, import_, organization)
            return


def _some(rows: Iterator[FileRow], count: int) -> tuple[list[FileRow], Invalid | None]:
    """Return the next rows, so many, or fewer when they are long; and why nothing behind them can be read."""
    some: list[FileRow] = []
    size = 0
    try:
        for row in rows:
            some.append(row)
            size += len(row.payload) if isinstance(row.payload, bytes) else 0
            if len(some) >= count or size >= BYTES_AT_ONCE:
                break
    except Invalid as error:
        return some, error
    return some, None


def _do(work: Work, portion: Portion) -> Import | None:
    """Do a portion and keep how far the import is; null when somebody else took it on, or stopped it, meanwhile."""
    if portion.import_.kind is ImportKind.EVENTS:
        return _do_events(work, portion)
    drafts = [portion.reading.customer(row.payload) for row in portion.good]
    take = check_customers if portion.import_.is_check else take_customers
    # What becomes of customers is noted as done by whoever started the import.
    author = portion.import_.author
    with audited(work.services, author, f"import {portion.import_.import_id}").records.transaction() as tx:
        current = _still(tx, portion)
        if current is None or current.state is not ImportState.RUNNING:
            return None
        return _keep(work.services, tx, current, portion, take(tx, portion, drafts))


def _do_events(work: Work, portion: Portion) -> Import | None:
    done = check_events(portion) if portion.import_.is_check else take_events(portion, work.append)
    with work.services.records.transaction() as tx:
        current = _still(tx, portion)
        if current is None:
            return None
        # The events are there, also when somebody has stopped the import meanwhile; then this portion was the last one.
        kept = _keep(work.services, tx, current, portion, done)
        return kept if kept.state is ImportState.RUNNING else None


def _still(tx: Transaction, portion: Portion) -> Import | None:
    """Return the import as it is kept, locked; null when it is no longer where the portion begins."""
    import_ = portion.import_
    current = require_import(tx, portion.organization, import_.import_id, for_update=True)
    is_there = current.place == import_.place and current.is_check is import_.is_check
    return current if is_there and current.state in {ImportState.RUNNING, ImportState.STOPPED} else None


def _keep(services: Services, tx: Transaction, current: Import, portion: Portion, done: Done) -> Import:
    """The import is behind a portion, with what became of its rows."""
    room = max(REFUSED_ROWS_KEPT - current.tally.refused, 0)
    tx.imports.refuse(current, done.refused[:room])
    now = services.clock.now()
    moved = msgspec.structs.replace(
        current,
        place=portion.rows[-1].end,
        tally=current.tally.plus(done.tally),
        worked_us=current.worked_us + (now - portion.began) // _MICROSECOND,
        due_at=now + LEASE if current.state is ImportState.RUNNING else None,
        failure=None,
    )
    tx.imports.keep_progress(moved)
    return moved


def _end(services: Services, import_: Import, organization: Organization) -> None:
    """The file is read to its end: an import is done, a check tells what it found."""
    now = services.clock.now()
    with services.records.transaction() as tx:
        current = _running(tx, import_, organization)
        if current is None or current.place != import_.place:
            return
        end = Place(current.bytes_total, current.lines_total, current.place.rows_read)
        current = msgspec.structs.replace(current, place=end, due_at=None, failure=None)
        if current.is_check:
            tx.imports.keep_progress(msgspec.structs.replace(current, state=ImportState.READY, checked_at=now))
            return
        tx.imports.drop_file(current.organization_id, current.import_id)
        tx.imports.keep_progress(msgspec.structs.replace(current, state=ImportState.DONE, ended_at=now))


def _let_go(services: Services, import_: Import, organization: Organization) -> None:
    """Others may take the import on at once."""
    with services.records.transaction() as tx:
        current = _running(tx, import_, organization)
        if current is not None:
            tx.imports.keep_progress(msgspec.structs.replace(current, due_at=services.clock.now()))


def _put_off(services: Services, import_: Import, organization: Organization, cause: str) -> None:
    """It waits a little, and tells why."""
    due_at = services.clock.now() + RETRY
    with services.records.transaction() as tx:
        current = _running(tx, import_, organization)
        if current is not None:
            waiting = msgspec.structs.replace(current, state=ImportState.WAITING, due_at=due_at, failure=cause)
            tx.imports.keep_progress(waiting)


def _fail(services: Services, import_: Import, organization: Organization, cause: str) -> None:
    """It ends without its file being read to the end, and tells why; it can be started again."""
    with services.records.transaction() as tx:
        current = _running(tx, import_, organization)
        if current is not None:
            failed = msgspec.structs.replace(current, state=ImportState.FAILED, due_at=None, failure=cause)
            tx.imports.keep_progress(failed)


def _running(tx: Transaction, import_: Import, organization: Organization) -> Import | None:
    current = require_import(tx, organization, import_.import_id, for_update=True)
    return current if current.state is ImportState.RUNNING else None
