"""Signing in and out: password, second factor, forgotten passwords, and the first owner's account."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from lotus_server.http.web.routing import Pages
from lotus_server.http.web.security import SESSION_COOKIE, forget_session, set_session
from lotus_server.http.web.visit import Visit
from lotus_server.kernel.errors import Invalid, LotusError, NotFound
from lotus_server.usecases import sign_in as verbs
from lotus_server.usecases.password_reset import request_password_reset, reset_link_is_open, reset_password
from lotus_server.usecases.second_factor import confirm_sign_in, waits_for_code

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
        new = verbs.sign_in(visit.services, form.text("email"), form.text("password"), visit=browser_of(visit.request))
    except LotusError as error:
        return visit.again(error, "sign_in/sign_in.html", next=_next(visit))
    return let_in(visit, new, _next(visit))


@pages.get("/sign-in/code")
def code_page(visit: Visit) -> Response:
    """Ask for the second factor."""
    if not waits_for_code(visit.services, _token(visit)):
        return visit.redirect("/sign-in")
    return visit.page("sign_in/code.html", next=_next(visit))


@pages.post("/sign-in/code")
def confirm_code(visit: Visit) -> Response:
    """Let somebody in who gave the password before."""
    if not waits_for_code(visit.services, _token(visit)):
        return visit.redirect("/sign-in", "Signing in took too long. Start again.")
    try:
        new = confirm_sign_in(visit.services, _token(visit), visit.form.text("code"), visit=browser_of(visit.request))
    except LotusError as error:
        return visit.again(error, "sign_in/code.html", next=_next(visit))
    return let_in(visit, new, _next(visit))


@pages.get("/forgot-password")
def forgot_page(visit: Visit) -> Response:
    """Ask for the address to which a link is sent."""
    return visit.page("sign_in/forgot.html", has_mail=visit.services.mail is not None, is_asked=False)


@pages.post("/forgot-password")
def forgot(visit: Visit) -> Response:
    """Send a link to whoever has an account with the address, and tell nobody whether there is one."""
    has_mail = visit.services.mail is not None
    try:
        request_password_reset(visit.services, visit.form.text("email"), visit=browser_of(visit.request))
    except LotusError as error:
        return visit.again(error, "sign_in/forgot.html", has_mail=has_mail, is_asked=False)
    return visit.page("sign_in/forgot.html", has_mail=has_mail, is_asked=True)


@pages.get("/reset-password/{token}")
def reset_page(visit: Visit) -> Response:
    """Ask for the new password."""
    token = visit.part("token")
    if not reset_link_is_open(visit.services, token):
        raise NotFound("This link does not work, or not any more. Ask for a new one on the sign-in page.")
    return visit.page("sign_in/reset.html", token=token)


@pages.post("/reset-password/{token}")
def reset(visit: Visit) -> Response:
    """Keep the new password; the person then signs in with it."""
    token = visit.part("token")
    try:
        reset_password(visit.services, token, visit.form.text("password"))
    except Invalid as error:
        return visit.again(error, "sign_in/reset.html", token=token)
    response = visit.redirect("/sign-in", "You have a new password. Sign in with it.")
    forget_session(response)
    return response


@pages.get("/welcome/{token}")
def welcome_page(visit: Visit) -> Response:
    """Ask the first owner for an account."""
    token = visit.part("token")
    if not verbs.owner_link_is_open(visit.services, token):
        raise NotFound(
            "This link does not work, or not any more. `lotus serve` prints a new one while nobody can sign in."
        )
    return visit.page("sign_in/welcome.html", token=token)


@pages.post("/welcome/{token}")
def welcome(visit: Visit) -> Response:
    """Make the first owner's account."""
    form, token = visit.form, visit.part("token")
    draft = verbs.PersonDraft(form.text("email"), form.text("name"), form.text("password"))
    try:
        new = verbs.claim_owner_link(visit.services, token, draft, visit=browser_of(visit.request))
    except LotusError as error:
        return visit.again(error, "sign_in/welcome.html", token=token)
    return let_in(visit, new, "/")


@pages.post("/sign-out")
def sign_out(visit: Visit) -> Response:
    """End the session."""
    verbs.sign_out(visit.services, _token(visit))
    response = visit.redirect("/sign-in")
    forget_session(response)
    return response


def let_in(visit: Visit, new: verbs.NewSession, url: str) -> Response:
    """Give the browser a session's token, and lead on: to the second factor, where there is one."""
    if new.session.needs_second_factor:
        url = f"/sign-in/code?next={quote(url, safe='')}"
    response = visit.redirect(url)
    age = new.session.expires_at - new.session.created_at
    set_session(visit.request, response, new.token, seconds_max=int(age.total_seconds()))
    return response


def _token(visit: Visit) -> str:
    return visit.request.cookies.get(SESSION_COOKIE, "")


def _next(visit: Visit) -> str:
    """Return where to go afterwards: a path of ours, never another site."""
    asked = visit.form.text("next") or visit.query.get("next", "")
    is_ours = asked.startswith("/") and not asked.startswith(("//", "/\\")) and asked.isprintable()
    return asked if is_ours else "/"


def browser_of(request: Request) -> verbs.Visit:
    """Return where a request comes from."""
    address = request.client.host if request.client else None
    return verbs.Visit(address, request.headers.get("user-agent"))
