"""From a request to a page's function: the form is read, the visitor is known, and every error becomes a page."""

from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import parse_qsl, quote

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typing_extensions import override

from lotus_server.domain.accounts import Actor
from lotus_server.domain.imports import FILE_BYTES_MAX
from lotus_server.http.problems import status_of
from lotus_server.http.requests import Receive, read_body
from lotus_server.http.web.addresses import handle_of
from lotus_server.http.web.forms import Form
from lotus_server.http.web.security import (
    CSRF_FIELD,
    CSRF_HEADER,
    SESSION_COOKIE,
    forget_session,
    is_from_our_page,
)
from lotus_server.http.web.templating import Templates
from lotus_server.http.web.visit import Upload, Visit
from lotus_server.kernel.errors import Forbidden, LotusError, NotFound, TooLarge, Unauthenticated
from lotus_server.usecases.acting import Acting
from lotus_server.usecases.services import Services
from lotus_server.usecases.sign_in import MemberOf, SignedIn, csrf_token, session_of

_log = structlog.get_logger()
_ORGANIZATION: Final = "/o/{handle}"
# What a form with a file has beside the file.
_FORM_BYTES_MAX: Final = 100_000
Handler = Callable[[Visit], Response]


class Pages:
    """The pages of one area, and who may open them.

    `of` is `organization` (below `/o/HANDLE`, for its members), `person` (for whoever is signed in) or `anyone`.
    """

    def __init__(self, of: str = "organization") -> None:
        """Start without pages."""
        self.of = of
        self._handlers: list[tuple[str, str, Handler]] = []
        self._uploads: set[str] = set()

    def get(self, path: str) -> Callable[[Handler], Handler]:
        """Register a page."""
        return self._register("GET", path)

    def post(self, path: str) -> Callable[[Handler], Handler]:
        """Register what a form does."""
        return self._register("POST", path)

    def upload(self, path: str) -> Callable[[Handler], Handler]:
        """Register what a form with a large file does: the file is in `visit.upload`, and at no time in memory."""
        self._uploads.add(path)
        return self._register("POST", path)

    def _register(self, method: str, path: str) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self._handlers.append((method, path, handler))
            return handler

        return register

    def paths(self, method: str) -> list[str]:
        """Return the paths of pages that take a method."""
        return [path for each, path, _ in self._handlers if each == method]

    def routes(self, services: Services, templates: Templates) -> list[Route]:
        """Return the routes."""
        prefix = _ORGANIZATION if self.of == "organization" else ""
        return [
            Route(prefix + path, self._endpoint(services, templates, method, path, handler).respond, methods=[method])
            for method, path, handler in self._handlers
        ]

    def _endpoint(
        self, services: Services, templates: Templates, method: str, path: str, handler: Handler
    ) -> "_Endpoint":
        kind = _Upload if method == "POST" and path in self._uploads else _Endpoint
        return kind(services, templates, handler, self.of)


class _Endpoint:
    """One page's function, with what stands before it."""

    def __init__(self, services: Services, templates: Templates, handler: Handler, of: str) -> None:
        self._services = services
        self._templates = templates
        self._handler = handler
        self._of = of

    async def respond(self, request: Request) -> Response:
        """Read the form, and answer in a thread: use cases wait for databases."""
        visit = Visit(request, self._services, self._templates, Form())
        try:
            visit.form = await _sent_form(request)
        except LotusError as error:
            return _error_page(visit, error)
        return await run_in_threadpool(self._answer, visit)

    def _answer(self, visit: Visit) -> Response:
        try:
            self._admit(visit)
            return self._handler(visit)
        except Unauthenticated as error:
            return _to_sign_in(visit) if self._of != "anyone" else _error_page(visit, error)
        except LotusError as error:
            return _error_page(visit, error)
        except Exception:  # noqa: BLE001 - whatever broke, people get a page and the log the traceback
            request_id = visit.request.scope.get("lotus.request_id", b"").decode()
            _log.exception("page_failed", path=visit.request.url.path, request_id=request_id)
            detail = f"Something broke here, and nothing was changed. The request's id is {request_id}."
            return visit.page("error.html", status=500, title="That did not work", detail=detail, problems=())

    def _admit(self, visit: Visit) -> None:
        """Find out who it is.

        Raises Unauthenticated, NotFound for an organization of others, Forbidden for a form that is not of our pages.
        """
        token = visit.request.cookies.get(SESSION_COOKIE)
        signed_in = session_of(self._services, token) if token else None
        if signed_in is not None:
            visit.signed_in, visit.csrf_token = signed_in, csrf_token(signed_in.session)
        elif self._of != "anyone":
            raise Unauthenticated("Nobody is signed in.")
        if visit.request.method == "POST":
            sent = visit.request.headers.get(CSRF_HEADER) or visit.form.text(CSRF_FIELD)
            if not is_from_our_page(visit.request, sent, visit.csrf_token):
                raise Forbidden("This form is too old, or was not sent from here. Go back and try again.", code="csrf")
        if self._of == "organization":
            assert signed_in is not None
            member = _membership(signed_in, visit.part("handle"))
            actor = Actor(signed_in.user.user_id, signed_in.user.email, member.role)
            visit.acting = Acting(self._services, member.organization, actor)


class _Upload(_Endpoint):
    """A form with a large file, which goes to the disk while it comes; only for who is signed in."""

    @override
    async def respond(self, request: Request) -> Response:
        """Take the file in, and answer in a thread, before the file is forgotten."""
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            return await super().respond(request)
        visit = Visit(request, self._services, self._templates, Form())
        token = request.cookies.get(SESSION_COOKIE)
        if token is None or await run_in_threadpool(session_of, self._services, token) is None:
            return _to_sign_in(visit)
        announced = request.headers.get("content-length", "")
        if not announced.isdigit() or int(announced) > FILE_BYTES_MAX + _FORM_BYTES_MAX:
            detail = f"A file has at most {FILE_BYTES_MAX // 1_000_000_000} GB."
            return _error_page(visit, TooLarge(detail, code="file_too_large"))
        try:
            async with request.form(max_files=1, max_fields=20) as sent:
                visit.form = Form((name, value) for name, value in sent.multi_items() if isinstance(value, str))
                files = [value for _, value in sent.multi_items() if not isinstance(value, str)]
                visit.upload = Upload(files[0].filename or "file", files[0].file) if files else None
                return await run_in_threadpool(self._answer, visit)
        except MultiPartException as error:
            return _error_page(visit, Forbidden(f"The form cannot be read: {error.message}."))


async def _sent_form(request: Request) -> Form:
    """Return what was sent. Raises TooLarge beyond 10 MB."""
    if request.method != "POST":
        return Form()
    body = await read_body(request.scope, request.receive)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return Form(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    try:
        async with Request(request.scope, _replayed(body)).form(max_files=10) as sent:
            texts = [(name, value) for name, value in sent.multi_items() if isinstance(value, str)]
            files = {name: await value.read() for name, value in sent.multi_items() if not isinstance(value, str)}
    except MultiPartException as error:
        raise Forbidden(f"The form cannot be read: {error.message}.") from None
    return Form(texts, files=files)


def _replayed(body: bytes) -> Receive:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _membership(signed_in: SignedIn, handle: str) -> MemberOf:
    found = [each for each in signed_in.memberships if handle_of(each.organization) == handle]
    if len(found) != 1:
        raise NotFound("There is no such organization, or you are not a member of it.")
    return found[0]


def _to_sign_in(visit: Visit) -> Response:
    """Lead to the sign-in page, and back here afterwards."""
    request = visit.request
    back = quote(f"{request.url.path}?{request.url.query}".removesuffix("?"), safe="")
    response = visit.redirect(f"/sign-in?next={back}" if request.method == "GET" else "/sign-in")
    forget_session(response)
    return response


def _error_page(visit: Visit, error: LotusError) -> Response:
    titles = {403: "That is not allowed", 404: "There is nothing here", 409: "That is not possible now"}
    status = status_of(error)
    title = titles.get(status, "That did not work")
    return visit.page("error.html", status=status, title=title, detail=error.detail, problems=error.problems)


def all_routes(areas: Sequence[Pages], services: Services, templates: Templates) -> list[Route]:
    """Return the routes of many areas."""
    return [route for area in areas for route in area.routes(services, templates)]
