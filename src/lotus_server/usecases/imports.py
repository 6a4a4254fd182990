"""Imports as people deal with them: a file comes in parts, is looked at, checked, started, and stopped."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import msgspec

from lotus_server.domain.accounts import Author, Organization
from lotus_server.domain.imports import (
    FILE_BYTES_MAX,
    FILE_NAME_LENGTH_MAX,
    UNDER_WAY,
    Column,
    Existing,
    FileFormat,
    Import,
    ImportKind,
    ImportState,
    Layout,
    RefusedRow,
    Tally,
    check_columns,
)
from lotus_server.kernel.errors import Conflict, FieldProblem, NotFound, Problems, TooLarge
from lotus_server.kernel.identifiers import name_problem
from lotus_server.ports.imports import PART_BYTES_MAX, FilePart
from lotus_server.ports.paging import Page
from lotus_server.ports.records import Transaction
from lotus_server.usecases.import_reading import Reading, Source
from lotus_server.usecases.services import Services

# Each may have a file of `FILE_BYTES_MAX` in the database.
IMPORTS_OPEN_MAX: Final = 20
# So long a file waits for somebody to start it.
IDLE_MAX: Final = timedelta(days=7)


class ImportDraft(msgspec.Struct, frozen=True):
    """An import to be made, before its file has come. `problems` are those that reading the input found."""

    kind: ImportKind
    file_name: str
    author: Author
    existing: Existing = Existing.LEAVE
    problems: tuple[FieldProblem, ...] = ()


class ImportChange(msgspec.Struct, frozen=True):
    """What is to be different about an import; null leaves something as it is.

    `columns` are fields by the names of columns, of which those that are left out stay as they are.
    """

    existing: Existing | None = None
    decimal_comma: bool | None = None
    columns: tuple[Column, ...] | None = None
    problems: tuple[FieldProblem, ...] = ()


def create_import(services: Services, organization: Organization, draft: ImportDraft) -> Import:
    """Make an import to which a file can be sent.

    Raises Invalid with every problem, Conflict `too_many_imports` while too many others have not ended.
    """
    problems = Problems()
    problems.extend(draft.problems)
    if wrong := name_problem(draft.file_name, length_max=FILE_NAME_LENGTH_MAX):
        problems.add("file_name", "invalid", f"file_name {wrong}.")
    problems.raise_if_any()
    made = Import(
        organization.organization_id,
        services.ids.new("import"),
        draft.kind,
        ImportState.RECEIVING,
        draft.file_name,
        draft.author,
        services.clock.now(),
        draft.existing,
    )
    with services.records.transaction() as tx:
        if tx.imports.count_with_files(organization.organization_id) >= IMPORTS_OPEN_MAX:
            detail = f"{IMPORTS_OPEN_MAX} imports have not ended. Start them, or stop those that nobody needs."
            raise Conflict(detail, code="too_many_imports")
        tx.imports.add(made)
    return made


def add_to_file(services: Services, organization: Organization, import_id: str, start: int, content: bytes) -> Import:
    """Keep some bytes of the file, before which `start` others lie; bytes that are there already may come again.

    Raises NotFound `import_not_found`, Conflict `file_complete` or, for bytes that leave a gap, `part_out_of_order`,
    TooLarge for a file beyond `FILE_BYTES_MAX`.
    """
    with services.records.transaction() as tx:
        current = require_import(tx, organization, import_id, for_update=True)
        if current.state is not ImportState.RECEIVING:
            raise Conflict("The file of this import is complete.", code="file_complete")
        if start > current.bytes_total:
            detail = f"The next part of the file begins at byte {current.bytes_total}, not at {start}."
            raise Conflict(detail, code="part_out_of_order")
        new = content[current.bytes_total - start :]
        if current.bytes_total + len(new) > FILE_BYTES_MAX:
            raise TooLarge(f"A file has at most {FILE_BYTES_MAX // 1_000_000_000} GB.", code="file_too_large")
        parts = [
            FilePart(current.bytes_total + at, new[at : at + PART_BYTES_MAX])
            for at in range(0, len(new), PART_BYTES_MAX)
        ]
        tx.imports.keep_parts(current, parts)
        grown = msgspec.structs.replace(
            current, bytes_total=current.bytes_total + len(new), lines_total=current.lines_total + new.count(b"\n")
        )
        tx.imports.keep_progress(grown)
    return grown


def complete_file(services: Services, organization: Organization, import_id: str, reading: Reading) -> Import:
    """Look at a file that has come as a whole: what it is, and where its columns most likely go.

    Done again it changes nothing. Raises NotFound `import_not_found`, Invalid `empty_file`, `not_text`, `not_utf8` or
    `malformed_file`; then the import goes on waiting for a file, or for being stopped.
    """
    current = get_import(services, organization, import_id)
    if current.state is not ImportState.RECEIVING:
        return current
    layout = reading.layout_of(current.kind, source_of(services, current))
    with services.records.transaction() as tx:
        current = require_import(tx, organization, import_id, for_update=True)
        if current.state is not ImportState.RECEIVING:
            return current
        ready = msgspec.structs.replace(current, state=ImportState.READY, layout=layout, place=layout.start)
        tx.imports.keep_progress(ready)
    return ready


def change_import(services: Services, organization: Organization, import_id: str, change: ImportChange) -> Import:
    """Change how the file is taken, before it is started. What a check found is forgotten.

    Raises NotFound `import_not_found`, Conflict `import_not_ready`, Invalid with every problem.
    """
    problems = Problems()
    problems.extend(change.problems)
    with services.records.transaction() as tx:
        current = _ready(tx, organization, import_id)
        layout = _changed_layout(current, change, problems)
        problems.raise_if_any()
        changed = msgspec.structs.replace(
            _fresh(tx, current), layout=layout, existing=change.existing or current.existing
        )
        tx.imports.replace(changed)
    return changed


def _changed_layout(current: Import, change: ImportChange, problems: Problems) -> Layout:
    layout = current.layout
    assert layout is not None, "the import is ready"
    if change.decimal_comma is not None:
        layout = msgspec.structs.replace(layout, decimal_comma=change.decimal_comma)
    if change.columns is None:
        return layout
    said = {column.name: column for column in change.columns}
    for name in said.keys() - {column.name for column in layout.columns}:
        problems.add(f"columns.{name}", "unknown_column", f"The file has no column {name!r}.")
    columns = tuple(said.get(column.name, column) for column in layout.columns)
    check_columns(current.kind, columns, problems)
    return msgspec.structs.replace(layout, columns=columns)


def check_import(services: Services, organization: Organization, import_id: str, author: Author) -> Import:
    """Let the whole file be read in the background without doing anything; what would be refused is told.

    Raises NotFound `import_not_found`, Conflict `import_not_ready`, Invalid for columns that are missing.
    """
    return _begin(services, organization, import_id, author, is_check=True)


def start_import(services: Services, organization: Organization, import_id: str, author: Author) -> Import:
    """Let the file be taken in, in the background, in the name of whoever starts it.

    One that failed goes on where it was. Raises NotFound `import_not_found`, Conflict `import_not_ready`, Invalid for
    columns that are missing.
    """
    return _begin(services, organization, import_id, author, is_check=False)


def _begin(services: Services, organization: Organization, import_id: str, author: Author, *, is_check: bool) -> Import:
    with services.records.transaction() as tx:
        current = require_import(tx, organization, import_id, for_update=True)
        if current.state is ImportState.FAILED and current.layout is not None and current.is_check is is_check:
            begun = current
        else:
            begun = _fresh(tx, _ready(tx, organization, import_id))
        assert begun.layout is not None, "the import is ready"
        problems = Problems()
        if begun.layout.format is FileFormat.CSV:
            check_columns(begun.kind, begun.layout.columns, problems)
        problems.raise_if_any()
        waiting = msgspec.structs.replace(
            begun,
            state=ImportState.WAITING,
            author=author,
            is_check=is_check,
            due_at=services.clock.now(),
            failure=None,
        )
        tx.imports.replace(waiting)
    return waiting


def stop_import(services: Services, organization: Organization, import_id: str) -> Import:
    """End an import where it is. What is done stays, and its file is forgotten; one that has ended stays as it is.

    A check that is stopped only ends itself: the import can still be started. Raises NotFound `import_not_found`.
    """
    with services.records.transaction() as tx:
        current = require_import(tx, organization, import_id, for_update=True)
        if not current.can_be_stopped:
            return current
        if current.is_check and current.state in UNDER_WAY:
            stopped = msgspec.structs.replace(_fresh(tx, current), state=ImportState.READY, due_at=None)
        else:
            stopped = msgspec.structs.replace(
                current, state=ImportState.STOPPED, ended_at=services.clock.now(), due_at=None
            )
            tx.imports.drop_file(current.organization_id, current.import_id)
        tx.imports.replace(stopped)
    return stopped


def stop_idle_imports(services: Services) -> int:
    """Stop imports that nobody has started for `IDLE_MAX`, so that their files go; return how many there were."""
    now = services.clock.now()
    with services.records.transaction() as tx:
        idle = tx.imports.idle(now - IDLE_MAX)
        for each in idle:
            tx.imports.drop_file(each.organization_id, each.import_id)
            tx.imports.keep_progress(msgspec.structs.replace(each, state=ImportState.STOPPED, ended_at=now))
    return len(idle)


def list_imports(services: Services, organization: Organization, page: Page) -> list[Import]:
    """Return the imports, newest first."""
    with services.records.snapshot() as tx:
        return tx.imports.page(organization.organization_id, page)


def get_import(services: Services, organization: Organization, import_id: str) -> Import:
    """Return one import. Raises NotFound `import_not_found`."""
    with services.records.snapshot() as tx:
        return require_import(tx, organization, import_id)


def list_refused_rows(
    services: Services, organization: Organization, import_id: str, *, after: int, limit: int
) -> Sequence[RefusedRow]:
    """Return refused rows beyond the row numbered `after`, in the order of the file.

    Raises NotFound `import_not_found`.
    """
    with services.records.snapshot() as tx:
        require_import(tx, organization, import_id)
        return tx.imports.refused(organization.organization_id, import_id, after=after, limit=limit)


def require_import(tx: Transaction, organization: Organization, import_id: str, *, for_update: bool = False) -> Import:
    """Return an import of the organization. Raises NotFound `import_not_found`."""
    found = tx.imports.get(organization.organization_id, import_id, for_update=for_update)
    if found is None:
        raise NotFound(f"There is no import {import_id!r}.", code="import_not_found")
    return found


def source_of(services: Services, import_: Import) -> Source:
    """Return what reads the file of an import, part by part, each in a transaction of its own."""

    def source(place: int) -> bytes:
        with services.records.snapshot() as tx:
            part = tx.imports.part_at(import_.organization_id, import_.import_id, place)
        return b"" if part is None else part.content[place - part.start :]

    return source


def _ready(tx: Transaction, organization: Organization, import_id: str) -> Import:
    current = require_import(tx, organization, import_id, for_update=True)
    if current.state is not ImportState.READY:
        raise Conflict(f"The import is {current.state.value}, not ready to be started.", code="import_not_ready")
    return current


def _fresh(tx: Transaction, current: Import) -> Import:
    """Return an import as it was before anything of it was read."""
    assert current.layout is not None, "the import is ready"
    tx.imports.forget_refused(current.organization_id, current.import_id)
    return msgspec.structs.replace(
        current,
        place=current.layout.start,
        tally=Tally(),
        worked_us=0,
        started_at=None,
        checked_at=None,
        is_check=False,
        failure=None,
    )
