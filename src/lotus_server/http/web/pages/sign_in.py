"""Signing in and out, and the first owner's account."""

from starlette.requests import Request
from starlette.responses import Response

from lotus_server.domain.accounts import SESSION_AGE_MAX
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.security import SESSION_COOKIE, forget_session, set_session
from lotus_server.http.web.visit import Visit
from lotus_server.kernel.errors import LotusError, NotFound
from lotus_server.usecases import sign_in as verbs

pages = Pages("anyone")


@pages.get("/sign-in")
def sign_in_page(visit: Visit) -> Response:
    """Ask who it is."""
    return visit.page("sign_in/sign_in.html", next=_next(visit))


@pages.post("/sign-in")
def sign_in(visit: Visit) -> Response:
    """Let somebody in, and lead to where they wanted to go."""
    form = visit.form
    try:
        new = verbs.sign_in(
            visit.services, form.text("email"), form.text("password"), visit=_browser(visit.request)
        )
    except LotusError as error:
        return visit.again(error, "sign_in/sign_in.html", next=_next(visit))
    return _let_in(visit, new, _next(visit))


@pages.get("/welcome/{token}")
def welcome_page(visit: Visit) -> Response:
    """Ask the first owner for an account."""
    token = visit.part("token")
    if not verbs.owner_link_is_open(visit.services, token):
        raise NotFound("This link does not work, or not any more. `lotus serve` prints a new one while nobody can sign in.")
    return visit.page("sign_in/welcome.html", token=token)


@pages.post("/welcome/{token}")
def welcome(visit: Visit) -> Response:
    """Make the first owner's account."""
    form, token = visit.form, visit.part("token")
    draft = verbs.PersonDraft(form.text("email"), form.text("name"), form.text("password"))
    try:
        new = verbs.claim_owner_link(visit.services, token, draft, visit=_browser(visit.request))
    except LotusError as error:
        return visit.again(error, "sign_in/welcome.html", token=token)
    return _let_in(visit, new, "/")


@pages.post("/sign-out")
def sign_out(visit: Visit) -> Response:
    """End the session."""
    token = visit.request.cookies.get(SESSION_COOKIE)
    if token:
        verbs.sign_out(visit.services, token)
    response = visit.redirect("/sign-in")
    forget_session(response)
    return response


def _let_in(visit: Visit, new: verbs.NewSession, url: str) -> Response:
    response = visit.redirect(url)
    set_session(visit.request, response, new.token, seconds_max=int(SESSION_AGE_MAX.total_seconds()))
    return response


def _next(visit: Visit) -> str:
    """Return where to go afterwards: a path of ours, never another site."""
    asked = visit.form.text("next") or visit.query.get("next", "")
    is_ours = asked.startswith("/") and not asked.startswith(("//", "/\\")) and asked.isprintable()
    return asked if is_ours else "/"


def _browser(request: Request) -> verbs.Visit:
    address = request.client.host if request.client else None
    return verbs.Visit(address, request.headers.get("user-agent"))
