"""Imports: a file is sent, looked at, started, and watched."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import msgspec
from starlette.responses import Response, StreamingResponse

from lotus_server.domain.accounts import Author, AuthorKind
from lotus_server.domain.imports import FIELDS, PROPERTIES, UNDER_WAY, Import, ImportKind, ImportState, RefusedRow
from lotus_server.http.web.addresses import segment
from lotus_server.http.web.forms import Form
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.security import protect
from lotus_server.http.web.visit import Upload, Visit
from lotus_server.kernel.errors import Invalid, LotusError
from lotus_server.usecases.import_preview import Preview, preview_import
from lotus_server.usecases.import_reading import Reading
from lotus_server.usecases.imports import (
    add_to_file,
    change_import,
    check_import,
    complete_file,
    create_import,
    get_import,
    list_imports,
    list_refused_rows,
    start_import,
    stop_import,
)
from lotus_server.wire.import_files import make_reading
from lotus_server.wire.imports import import_change, import_draft, refused_csv
from lotus_server.wire.track import make_decoder

REFUSED_SHOWN: Final = 50
# Beyond so many columns a page of choices would be large; there a field's name is typed, with suggestions.
CHOICES_MAX: Final = 60
_PART_BYTES: Final = 8 << 20
_TEXT_MAX: Final = 400
_SAMPLES: Final = 3
_FAILED: Final = 422
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode

pages = Pages()


@pages.get("/settings/imports/")
def list_page(visit: Visit) -> Response:
    """List the imports, newest first."""
    visit.require(create_import)
    asked = visit.page_asked()
    found = visit.do(list_imports, asked)
    cursor = found[-1].import_id if len(found) == asked.limit else None
    return visit.page("imports/list.html", imports=found, next_cursor=cursor)


@pages.get("/settings/imports/new")
def new_page(visit: Visit) -> Response:
    """Ask for a file."""
    visit.require(create_import)
    return _new(visit)


@pages.upload("/settings/imports/new")
def create(visit: Visit) -> Response:
    """Keep the file and look at it; of one that cannot be taken nothing is left."""
    visit.require(create_import)
    upload = visit.upload
    payload = {name: visit.form.text(name) or None for name in ("kind", "existing")}
    try:
        if upload is None or not upload.name:
            raise Invalid.field("file", "required", "Choose a file.")
        made = visit.do(create_import, import_draft({**payload, "file_name": upload.name[-200:]}, _author(visit)))
        _receive(visit, made, upload)
    except LotusError as error:
        visit.form.put_if_missing("file", "")
        visit.form.with_error(error)
        return _new(visit, status=_FAILED)
    return visit.redirect(_url(visit, made))


def _new(visit: Visit, status: int = 200) -> Response:
    kind = visit.form.text("kind") or visit.query.get("kind", ImportKind.CUSTOMERS.value)
    return visit.page("imports/new.html", status=status, kind=kind)


def _receive(visit: Visit, made: Import, upload: Upload) -> None:
    try:
        sent = 0
        while part := upload.file.read(_PART_BYTES):
            visit.do(add_to_file, made.import_id, sent, part)
            sent += len(part)
        visit.do(complete_file, made.import_id, _reading(visit))
    except LotusError:
        visit.do(stop_import, made.import_id)
        raise


@pages.get("/settings/imports/{import_id}/")
def one_page(visit: Visit) -> Response:
    """Show an import: what it would do, how far it is, or what became of it."""
    import_ = visit.do(get_import, visit.part("import_id"))
    visit.require(create_import)
    if visit.wants_fragment and import_.state not in UNDER_WAY:
        # Whoever watched it sees the page of what became of it.
        return protect(Response(status_code=204, headers={"hx-refresh": "true"}))
    return _one(visit, import_)


@pages.post("/settings/imports/{import_id}/change")
def change(visit: Visit) -> Response:
    """Take the file in another way, and show what that would do."""
    import_ = visit.do(get_import, visit.part("import_id"))
    try:
        visit.do(change_import, import_.import_id, import_change(visit.form.payload()))
    except LotusError as error:
        visit.form.with_error(error)
        return _one(visit, import_, status=_FAILED)
    return visit.redirect(_url(visit, import_), "The preview shows the file as it is taken now.", offers_undo=False)


@pages.post("/settings/imports/{import_id}/check")
def check(visit: Visit) -> Response:
    """Let the whole file be read without doing anything."""
    return _begun(visit, check_import, "The file is being checked.")


@pages.post("/settings/imports/{import_id}/start")
def start(visit: Visit) -> Response:
    """Let the file be taken in."""
    return _begun(visit, start_import, "The import is under way. This page may be closed.")


def _begun(visit: Visit, verb: Any, said: str) -> Response:  # noqa: ANN401 - one of two verbs
    import_ = visit.do(get_import, visit.part("import_id"))
    try:
        visit.do(verb, import_.import_id, _author(visit))
    except LotusError as error:
        visit.form = Form().with_error(error)
        return _one(visit, visit.do(get_import, import_.import_id), status=_FAILED)
    return visit.redirect(_url(visit, import_), said, offers_undo=False)


@pages.get("/settings/imports/{import_id}/stop")
def stop_page(visit: Visit) -> Response:
    """Ask before an import is ended."""
    visit.require(stop_import)
    return visit.page("imports/stop.html", fragment="dialog", import_=visit.do(get_import, visit.part("import_id")))


@pages.post("/settings/imports/{import_id}/stop")
def stop(visit: Visit) -> Response:
    """End an import where it is."""
    stopped = visit.do(stop_import, visit.part("import_id"))
    said = (
        "The check is stopped." if stopped.state is ImportState.READY else "The import is stopped. What is done stays."
    )
    return visit.redirect(_url(visit, stopped), said, offers_undo=False)


@pages.get("/settings/imports/{import_id}/refused.csv")
def refused_file(visit: Visit) -> Response:
    """Answer with the refused rows as a table."""
    visit.require(create_import)
    import_ = visit.do(get_import, visit.part("import_id"))
    headers = {"content-disposition": 'attachment; filename="refused-rows.csv"'}
    rows = refused_csv(import_, _all_refused(visit, import_))
    return protect(StreamingResponse(rows, media_type="text/csv; charset=utf-8", headers=headers))


def _all_refused(visit: Visit, import_: Import) -> Iterator[RefusedRow]:
    after = 0
    while rows := visit.do(list_refused_rows, import_.import_id, after=after, limit=1_000):
        yield from rows
        after = rows[-1].row


def _one(visit: Visit, import_: Import, status: int = 200) -> Response:
    preview, broken = None, None
    if import_.state is ImportState.READY:
        try:
            preview = visit.do(preview_import, import_.import_id, _reading(visit))
        except Invalid as error:
            broken = error.detail
    refused = visit.do(list_refused_rows, import_.import_id, after=0, limit=REFUSED_SHOWN)
    return visit.page(
        "imports/one.html",
        fragment="progress",
        status=status,
        import_=import_,
        preview=preview,
        broken=broken,
        refused=refused,
        is_under_way=import_.state in UNDER_WAY,
        fields=FIELDS[import_.kind],
        samples=_samples(preview),
        choices_max=CHOICES_MAX,
        properties=PROPERTIES,
        left=_left(import_.seconds_left),
        json_text=_shown,
        row_text=_row_text,
    )


def _samples(preview: Preview | None) -> list[str]:
    """Return what the first rows have in each column."""
    rows = [] if preview is None else [each.row.cells for each in preview.rows if each.row.cells]
    width = max(map(len, rows), default=0)
    return [_cut(", ".join(row[at] for row in rows[:_SAMPLES] if at < len(row) and row[at]), 60) for at in range(width)]


def _left(seconds: Decimal | None) -> str:
    if seconds is None:
        return ""
    if seconds < 60:
        return "less than a minute left"
    minutes = int(seconds / 60) + 1
    return f"about {minutes} minutes left" if minutes < 120 else f"about {minutes // 60} hours left"


def _shown(payload: object) -> str:
    return _cut("" if payload is None else _encode(payload).decode(), _TEXT_MAX)


def _row_text(row: RefusedRow) -> str:
    return _cut(", ".join(row.cells) if row.cells else row.text, _TEXT_MAX)


def _cut(text: str, length_max: int) -> str:
    return text if len(text) <= length_max else f"{text[:length_max]}…"


def _url(visit: Visit, import_: Import) -> str:
    return visit.url(f"settings/imports/{segment(import_.import_id)}/")


def _author(visit: Visit) -> Author:
    assert visit.acting is not None, "this page is of an organization"
    return Author(AuthorKind.PERSON, visit.acting.actor.user_id, visit.acting.actor.email)


def _reading(visit: Visit) -> Reading:
    return make_reading(make_decoder(visit.services.ids.random_uuid))
