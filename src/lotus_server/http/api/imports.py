"""`/api/imports/`: files of customers and events."""

from collections.abc import Iterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from lotus_server.domain.accounts import Author, AuthorKind, Principal
from lotus_server.domain.imports import REFUSED_ROWS_KEPT, Import, RefusedRow
from lotus_server.http.api.deps import Caller, link_to_next, paging, reading, writing
from lotus_server.http.body import json_body
from lotus_server.http.json_reply import json_reply
from lotus_server.http.openapi import PROBLEMS, body_of
from lotus_server.kernel.errors import Invalid
from lotus_server.ports.records import Page
from lotus_server.usecases.import_preview import preview_import
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
from lotus_server.wire.imports import (
    ImportChangeForm,
    ImportForm,
    import_change,
    import_draft,
    import_row,
    preview_row,
    refused_csv,
    refused_row,
)
from lotus_server.wire.track import make_decoder

router = APIRouter(prefix="/api/imports", tags=["Imports"], responses=PROBLEMS)

_BYTES: Final[dict[str, Any]] = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_TABLE: Final[dict[str, Any]] = {"text/csv": {"schema": {"type": "string"}}, "application/json": {}}
_SLICE: Final = 1_000


async def _body(request: Request) -> bytes:
    return await request.body()


def author_of(request: Request) -> Author:
    """Return whose key a request came with."""
    principal: Principal = request.scope["lotus.principal"]
    return Author(AuthorKind.API_KEY, principal.key_id, principal.key_name)


Asking = Annotated[Caller, Depends(reading)]
Acting = Annotated[Caller, Depends(writing)]
By = Annotated[Author, Depends(author_of)]


@router.get("/", summary="List imports")
def list_all(request: Request, caller: Asking, page: Annotated[Page, Depends(paging)]) -> Response:
    """Return the imports, newest first."""
    found = list_imports(caller.services, caller.organization, page)
    link = link_to_next(request, page, [each.import_id for each in found])
    return json_reply(200, [import_row(each) for each in found], link)


@router.post("/", status_code=201, summary="Begin an import", openapi_extra=body_of(ImportForm))
def create(caller: Acting, author: By, payload: Annotated[object, Depends(json_body)]) -> Response:
    """Make an import to which a file can be sent in parts."""
    return _one(create_import(caller.services, caller.organization, import_draft(payload, author)), 201)


@router.get("/{import_id}/", summary="One import, and how far it is")
def one(import_id: str, caller: Asking) -> Response:
    """Return one import."""
    return _one(get_import(caller.services, caller.organization, import_id))


@router.put(
    "/{import_id}/file/",
    summary="Send a part of the file",
    openapi_extra={"requestBody": {"required": True, "content": _BYTES}},
)
def put_part(
    import_id: str,
    caller: Acting,
    content: Annotated[bytes, Depends(_body)],
    start: Annotated[int, Query(ge=0, description="How many bytes of the file lie before this part.")] = 0,
    *,
    is_last: Annotated[bool, Query(description="Whether the file ends with this part.")] = False,
) -> Response:
    """Add up to 10 MB to the file. A part that came already may come again; `bytes_total` is where the next one begins.

    With the last part the file is looked at: what it is, and where its columns most likely go.
    """
    kept = add_to_file(caller.services, caller.organization, import_id, start, content)
    if is_last:
        kept = complete_file(caller.services, caller.organization, import_id, _reading(caller))
    return _one(kept)


@router.patch("/{import_id}/", summary="Change how a file is taken", openapi_extra=body_of(ImportChangeForm))
def change(import_id: str, caller: Acting, payload: Annotated[object, Depends(json_body)]) -> Response:
    """Say where columns go and what becomes of customers that exist, before the import is started."""
    return _one(change_import(caller.services, caller.organization, import_id, import_change(payload)))


@router.get("/{import_id}/preview/", summary="What the first rows would do")
def preview(import_id: str, caller: Asking) -> Response:
    """Return the first rows as the API would get them, with what is wrong with them; nothing is done."""
    found = preview_import(caller.services, caller.organization, import_id, _reading(caller))
    return json_reply(200, preview_row(found))


@router.post("/{import_id}/check/", summary="Check the whole file")
def check(import_id: str, caller: Acting, author: By) -> Response:
    """Let the whole file be read in the background without doing anything."""
    return _one(check_import(caller.services, caller.organization, import_id, author))


@router.post("/{import_id}/start/", summary="Start an import")
def start(import_id: str, caller: Acting, author: By) -> Response:
    """Let the file be taken in, in the background. An import that failed goes on where it was."""
    return _one(start_import(caller.services, caller.organization, import_id, author))


@router.post("/{import_id}/stop/", summary="Stop an import")
def stop(import_id: str, caller: Acting) -> Response:
    """End an import where it is. What is done stays; one that has ended stays as it is."""
    return _one(stop_import(caller.services, caller.organization, import_id))


@router.get(
    "/{import_id}/refused/",
    summary="The rows that were refused",
    response_class=Response,
    responses={200: {"description": "The rows", "content": _TABLE}},
)
def refused(
    request: Request,
    import_id: str,
    caller: Asking,
    page: Annotated[Page, Depends(paging)],
    form: Annotated[str, Query(description="json, or csv: a table to be put right and imported in its turn.")] = "json",
) -> Response:
    """Return the first 10,000 rows that were refused, in the order of the file, each with all its problems."""
    import_ = get_import(caller.services, caller.organization, import_id)
    if form == "csv":
        return StreamingResponse(refused_csv(import_, all_refused(caller, import_)), media_type="text/csv")
    after = _after(page.after)
    rows = list_refused_rows(
        caller.services, caller.organization, import_id, after=after, limit=page.limit or REFUSED_ROWS_KEPT
    )
    link = link_to_next(request, page, [str(each.row) for each in rows])
    return json_reply(200, [refused_row(import_, each) for each in rows], link)


def all_refused(caller: Caller, import_: Import) -> Iterator[RefusedRow]:
    """Yield all refused rows that are kept, some at a time."""
    after = 0
    while rows := list_refused_rows(caller.services, caller.organization, import_.import_id, after=after, limit=_SLICE):
        yield from rows
        after = rows[-1].row


def _after(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 16):
        raise Invalid.field("cursor", "invalid", "The cursor is not one of ours.")
    return int(cursor)


def _one(import_: Import, status: int = 200) -> Response:
    return json_reply(status, import_row(import_))


def _reading(caller: Caller) -> Reading:
    return make_reading(make_decoder(caller.services.ids.random_uuid))
