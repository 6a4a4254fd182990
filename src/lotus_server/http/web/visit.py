"""One request of a person: who they are, where they are, what they sent, and how they are answered."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, BinaryIO, Concatenate, Final, ParamSpec, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from lotus_server.domain.accounts import Organization, Permission, role_allows
from lotus_server.http.problems import status_of
from lotus_server.http.web.addresses import handle_of
from lotus_server.http.web.csv_files import csv_parts
from lotus_server.http.web.formats import Formats
from lotus_server.http.web.forms import Form
from lotus_server.http.web.security import Toast, protect, set_toast, theme_of, toast_of
from lotus_server.http.web.templating import Templates
from lotus_server.kernel.errors import Forbidden, Invalid, LotusError
from lotus_server.ports.records import Page
from lotus_server.usecases.acting import Acting
from lotus_server.usecases.permissions import Verb
from lotus_server.usecases.services import Services, present
from lotus_server.usecases.sign_in import SignedIn

P = ParamSpec("P")
R = TypeVar("R")

PAGE_ROWS: Final = 25


class Upload(msgspec.Struct, frozen=True):
    """A file that was sent with a form, open for reading while the request lasts."""

    name: str
    file: BinaryIO


class Visit(msgspec.Struct):
    """One request of somebody who is signed in, on a page of an organization."""

    request: Request
    services: Services
    templates: Templates
    form: Form
    csrf_token: str | None = None
    signed_in: SignedIn | None = None
    acting: Acting | None = None
    upload: Upload | None = None

    # Who and where

    @property
    def organization(self) -> Organization:
        """Return the organization whose page it is."""
        assert self.acting is not None, "this page is of no organization"
        return self.acting.organization

    @property
    def now(self) -> datetime:
        """Return the organization's present."""
        return present(self.services, self.organization)

    def can(self, permission: str) -> bool:
        """Tell whether the viewer has a permission, by its name: for what is shown. Verbs ask again."""
        return self.acting is not None and role_allows(self.acting.actor.role, Permission(permission))

    def may(self, verb: Verb) -> bool:
        """Tell whether the viewer's role allows a verb."""
        return self.acting is not None and self.acting.may(verb)

    def require(self, verb: Verb) -> None:
        """Raise Forbidden when the viewer's role does not allow a verb: for the page that asks before it is done."""
        if not self.may(verb):
            raise Forbidden("Your role in this organization does not allow this. Its admins can change that.")

    def do(self, verb: Callable[Concatenate[Services, Organization, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Do something in the organization as the viewer. Raises Forbidden, and what the verb raises."""
        assert self.acting is not None, "this page is of no organization"
        return self.acting.do(verb, *args, **kwargs)

    def undo(self, entry_ids: Sequence[str]) -> None:
        """What the viewer did just now is as it was before. Raises what `Acting.undo` does."""
        assert self.acting is not None, "this page is of no organization"
        self.acting.undo(entry_ids)

    @property
    def formats(self) -> Formats:
        """Return what writes numbers and times as the organization does."""
        return Formats(self.organization.invoice_settings)

    # What was sent

    @property
    def query(self) -> QueryParams:
        """Return what stands behind the question mark."""
        return self.request.query_params

    def part(self, name: str) -> str:
        """Return a part of the path."""
        found: str = self.request.path_params[name]
        return found

    def page_asked(self, rows: int = PAGE_ROWS) -> Page:
        """Return which page of a list is asked for. Raises Invalid for a cursor that is none."""
        cursor = self.query.get("cursor") or None
        if cursor is not None and ("\x00" in cursor or len(cursor) > 500):
            raise Invalid.field("cursor", "invalid", "The cursor is not one of ours.")
        return Page(rows, cursor)

    @property
    def wants_fragment(self) -> bool:
        """Tell whether a script asks for a part of the page."""
        return self.request.headers.get("hx-request") == "true"

    # Addresses

    def url(self, path: str = "", **query: object) -> str:
        """Return the address of a page of this organization; parts that are ids go through `segment` first."""
        return f"/o/{handle_of(self.organization)}/{path}{_query(query)}"

    def here(self, **query: object) -> str:
        """Return this address with changes to its query; None takes something out."""
        kept: dict[str, object] = dict(self.query.multi_items())
        return f"{quote(self.request.url.path, safe='/%:@')}{_query({**kept, **query})}"

    # Answers

    def page(self, template: str, *, fragment: str | None = None, status: int = 200, **data: Any) -> Response:  # noqa: ANN401
        """Show a page; when a script asks and `fragment` is given, only that block of it."""
        block = fragment if self.wants_fragment else None
        toast = None if block else toast_of(self.request)
        organization = self.acting.organization if self.acting is not None else None
        context = {
            "visit": self,
            "fmt": Formats(organization.invoice_settings) if organization is not None else None,
            "form": self.form,
            "toast": toast,
            "theme": theme_of(self.request),
            **data,
        }
        response = Response(self.templates.render(template, block, context), status, media_type="text/html")
        response.headers["vary"] = "hx-request, cookie"
        if toast is not None:
            response.delete_cookie("lotus_toast", httponly=True, samesite="lax")
        return protect(response)

    def again(self, error: LotusError, template: str, *, fragment: str | None = None, **data: Any) -> Response:  # noqa: ANN401
        """Show a form once more, with what was typed and what is wrong with it."""
        self.form.with_error(error)
        status = 422 if isinstance(error, Invalid) else status_of(error)
        return self.page(template, fragment=fragment, status=status, **data)

    def redirect(
        self, url: str, toast: str | None = None, *, offers_undo: bool = True, is_refusal: bool = False
    ) -> Response:
        """Lead to another page, which says what was done; a script's dialog leads the whole window there.

        An undo is offered there if everything that was changed by this request has one.
        """
        if self.wants_fragment:
            response = Response(status_code=204, headers={"hx-redirect": url})
        else:
            response = RedirectResponse(url, 303)
        if toast is not None:
            undo = self.acting.undoable() if offers_undo and self.acting is not None else ()
            set_toast(response, Toast(toast, undo, is_refusal))
        return protect(response)

    def csv(self, name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
        """Answer with a table as a file, which is sent while `rows` are read: they may do so in any thread.

        An error in the first rows is raised here; one in later rows breaks the file off, so that nobody takes it for
        the whole table.
        """
        parts = csv_parts(header, rows)
        first = next(parts)
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        answer = StreamingResponse(chain([first], parts), media_type="text/csv; charset=utf-8", headers=headers)
        return protect(answer)

    def file(self, content: bytes, name: str, media_type: str) -> Response:
        """Answer with a document that is shown where it can be, within our pages too, and saved under its name."""
        headers = {"content-disposition": f'inline; filename="{name}"'}
        return protect(Response(content, media_type=media_type, headers=headers), framed_by="'self'")


def _query(values: dict[str, object]) -> str:
    kept = {name: str(value) for name, value in values.items() if value is not None and value != ""}
    return f"?{urlencode(kept)}" if kept else ""
