"""`lotus import`: files of customers and events from the command line, with or without a server that is running."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from lotus_server.cli.chosen import Data, OrganizationId, chosen_organization, noted
from lotus_server.cli.terminal import console, fail

if TYPE_CHECKING:
    from lotus_server.domain.accounts import Organization
    from lotus_server.domain.imports import Import
    from lotus_server.settings import Settings
    from lotus_server.usecases.services import Services

app = typer.Typer(
    no_args_is_help=True, help="Files of customers and events, into the first organization or --organization."
)

_PART_BYTES: Final = 8 << 20
_LOOK_SECONDS: Final = 0.2
_REFUSED_SHOWN: Final = 10

File = Annotated[Path, typer.Argument(help="A CSV file with a header, JSON Lines, or JSON as the API takes it.")]
Columns = Annotated[
    list[str] | None, typer.Option("--column", help="NAME=FIELD: where a column goes; NAME= takes it nowhere.")
]
CheckOnly = Annotated[bool, typer.Option("--check", help="Read the whole file, and do nothing.")]
RefusedFile = Annotated[Path | None, typer.Option("--refused", help="Write the refused rows to this CSV file.")]


@app.command("customers")
def customers(
    file: File,
    *,
    change_existing: Annotated[bool, typer.Option(help="Change customers that exist.")] = False,
    column: Columns = None,
    check: CheckOnly = False,
    refused: RefusedFile = None,
    data: Data = None,
    organization: OrganizationId = None,
) -> None:
    """Import customers, known by their customer_id."""
    form = {"kind": "customers", "existing": "change" if change_existing else "leave"}
    _import(file, form, column or [], check=check, refused=refused, data=data, organization_id=organization)


@app.command("events")
def events(
    file: File,
    *,
    column: Columns = None,
    check: CheckOnly = False,
    refused: RefusedFile = None,
    data: Data = None,
    organization: OrganizationId = None,
) -> None:
    """Import events, known by their idempotency_id."""
    form = {"kind": "events"}
    _import(file, form, column or [], check=check, refused=refused, data=data, organization_id=organization)


@app.command("list")
def list_all(data: Data = None, organization: OrganizationId = None) -> None:
    """Show the newest imports."""
    from rich.table import Table

    from lotus_server.ports.paging import Page
    from lotus_server.usecases.imports import list_imports

    with chosen_organization(data, organization) as (services, chosen):
        table = Table("Id", "Kind", "File", "State", "Rows", "Refused")
        for each in list_imports(services, chosen, Page(20)):
            rows, wrong = f"{each.place.rows_read:,}", f"{each.tally.refused:,}"
            table.add_row(each.import_id, each.kind.value, each.file_name, each.state.value, rows, wrong)
    console.print(table)


@app.command("stop")
def stop(import_id: str, data: Data = None, organization: OrganizationId = None) -> None:
    """End an import where it is. What is done stays."""
    from lotus_server.usecases.imports import stop_import

    with chosen_organization(data, organization) as (services, chosen):
        stopped = stop_import(noted(services, "lotus import stop"), chosen, import_id)
    console.print(f"{import_id} is {stopped.state.value}, {stopped.tally.total:,} rows are done.", highlight=False)


def _import(
    file: Path,
    form: dict[str, str],
    columns: list[str],
    *,
    check: bool,
    refused: Path | None,
    data: Path | None,
    organization_id: str | None,
) -> None:
    from lotus_server.kernel.errors import LotusError, NotFound
    from lotus_server.settings import read_settings

    try:
        if not file.is_file():
            raise NotFound(f"There is no file {file}.")
        with _at_work(read_settings(data=data), organization_id) as (services, chosen, work):
            import_ = _send(services, chosen, file, form, columns)
            ended = _follow(services, chosen, import_, work, check=check)
            _report(services, chosen, ended, refused)
    except LotusError as error:
        fail(error)
    if ended.tally.refused or ended.failure:
        raise typer.Exit(1)


@contextmanager
def _at_work(
    settings: "Settings", organization_id: str | None
) -> "Iterator[tuple[Services, Organization, Callable[[], object]]]":
    """Lend services, the organization, and what makes an import go on.

    A server that is running does it by itself; without one, this process is it for as long as the import takes.
    """
    from lotus_server.bootstrap.server import appending
    from lotus_server.bootstrap.services import DataDirectoryInUse, open_services, owned_data_directory
    from lotus_server.kernel.errors import NotFound
    from lotus_server.usecases.import_runs import run_imports
    from lotus_server.wire.import_files import make_reading
    from lotus_server.wire.track import make_decoder

    if not (settings.data / "lotus.db").exists():
        raise NotFound(f"There is no data in {settings.data}; `lotus serve` makes it.")
    try:
        with owned_data_directory(settings.data), open_services(settings) as services, _loop() as loop:
            with services.records.snapshot() as tx:
                known = tx.organizations.all()
            chosen = next((each for each in known if organization_id in {None, each.organization_id}), None)
            if chosen is None:
                raise NotFound("There is no such organization here; `lotus serve` makes the first one.")
            reading = make_reading(make_decoder(services.ids.random_uuid))
            yield services, chosen, lambda: run_imports(services, reading, appending(services, loop))
    except DataDirectoryInUse:
        with chosen_organization(settings.data, organization_id) as (services, chosen):
            yield services, chosen, lambda: time.sleep(_LOOK_SECONDS)


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Run an event loop in a thread of its own until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def _send(
    services: "Services", organization: "Organization", file: Path, form: dict[str, str], columns: list[str]
) -> "Import":
    """Make an import, and give it the file, part by part. Of a file that cannot be taken nothing is left."""
    from lotus_server.domain.accounts import Author, AuthorKind
    from lotus_server.kernel.errors import LotusError
    from lotus_server.usecases.imports import add_to_file, change_import, complete_file, create_import, stop_import
    from lotus_server.wire.import_files import make_reading
    from lotus_server.wire.imports import import_change, import_draft
    from lotus_server.wire.track import make_decoder

    services = noted(services, "lotus import")
    author = Author(AuthorKind.COMMAND, "lotus import", "lotus import")
    made = create_import(services, organization, import_draft({**form, "file_name": file.name}, author))
    try:
        with file.open("rb") as source:
            sent = 0
            while part := source.read(_PART_BYTES):
                add_to_file(services, organization, made.import_id, sent, part)
                sent += len(part)
        reading = make_reading(make_decoder(services.ids.random_uuid))
        ready = complete_file(services, organization, made.import_id, reading)
        if columns:
            said = [dict(zip(("name", "field"), each.rsplit("=", 1), strict=False)) for each in columns]
            ready = change_import(services, organization, made.import_id, import_change({"columns": said}))
    except (LotusError, OSError):
        stop_import(services, organization, made.import_id)
        raise
    for column in ready.layout.columns if ready.layout is not None else ():
        console.print(f"  {column.name} -> {column.field or 'nowhere'}", markup=False, highlight=False)
    return ready


def _follow(
    services: "Services", organization: "Organization", import_: "Import", work: Callable[[], object], *, check: bool
) -> "Import":
    """Start an import and show how far it is until it has ended."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from lotus_server.domain.imports import UNDER_WAY
    from lotus_server.kernel.errors import LotusError
    from lotus_server.usecases.imports import check_import, get_import, start_import, stop_import

    begin = check_import if check else start_import
    try:
        begin(noted(services, "lotus import"), organization, import_.import_id, import_.author)
    except LotusError:
        stop_import(services, organization, import_.import_id)
        raise
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(import_.file_name, total=import_.bytes_total)
        while (current := get_import(services, organization, import_.import_id)).state in UNDER_WAY:
            described = f"{import_.file_name}: {current.place.rows_read:,} rows"
            shown.update(task, completed=current.place.bytes_read, description=described)
            work()
    if check:
        stop_import(services, organization, import_.import_id)
    return current


def _report(services: "Services", organization: "Organization", ended: "Import", refused: Path | None) -> None:
    from lotus_server.domain.imports import REFUSED_ROWS_KEPT
    from lotus_server.usecases.imports import list_refused_rows
    from lotus_server.wire.imports import refused_csv

    tally, verb = ended.tally, "would be" if ended.is_check else "were"
    console.print(
        f"{ended.place.rows_read:,} rows {verb} read: {tally.made:,} made, {tally.changed:,} changed, "
        f"{tally.unchanged:,} unchanged, {tally.refused:,} refused.",
        highlight=False,
    )
    if ended.failure:
        console.print(f"It ended before the end of the file: {ended.failure}", markup=False, highlight=False)
    rows = list_refused_rows(services, organization, ended.import_id, after=0, limit=REFUSED_ROWS_KEPT)
    for row in rows[:_REFUSED_SHOWN]:
        console.print(f"  line {row.line}: {' '.join(row.problems)}", markup=False, highlight=False, soft_wrap=True)
    if refused is not None:
        refused.write_text("".join(refused_csv(ended, rows)), encoding="utf-8", newline="")
        console.print(f"Refused rows are in {refused}.", markup=False, highlight=False)
