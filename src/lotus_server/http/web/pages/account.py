"""What people change about themselves: name, password, second factor, and where they are signed in."""

from typing import Any

import segno
from markupsafe import Markup
from starlette.responses import Response

from lotus_server.domain.accounts import InvoiceSettings, SecondFactor
from lotus_server.http.web.formats import Formats
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import Visit
from lotus_server.kernel.errors import LotusError
from lotus_server.usecases.my_account import (
    change_name,
    change_password,
    end_other_sessions,
    end_session,
    list_sessions,
)
from lotus_server.usecases.second_factor import (
    begin_second_factor,
    confirm_second_factor,
    provisioning_uri,
    remove_second_factor,
    renew_recovery_codes,
    second_factor_of,
)
from lotus_server.usecases.sign_in import SignedIn

pages = Pages("person")
_ACCOUNT = "/account/"


@pages.get(_ACCOUNT)
def account_page(visit: Visit) -> Response:
    """Show the account."""
    visit.form.put_if_missing("name", _who(visit).user.name)
    return visit.page("account/account.html", **_shown(visit))


@pages.post("/account/name")
def rename(visit: Visit) -> Response:
    """Keep another name."""
    try:
        change_name(visit.services, _who(visit), visit.form.text("name"))
    except LotusError as error:
        return visit.again(error, "account/account.html", **_shown(visit))
    return visit.redirect(_ACCOUNT, "Your name is changed.")


@pages.get("/account/password")
def password_page(visit: Visit) -> Response:
    """Ask for the present password and another one."""
    return visit.page("account/password.html")


@pages.post("/account/password")
def new_password(visit: Visit) -> Response:
    """Keep another password; everywhere else the person is signed out."""
    form = visit.form
    try:
        change_password(
            visit.services, _who(visit), current=form.text("current_password"), password=form.text("password")
        )
    except LotusError as error:
        return visit.again(error, "account/password.html")
    return visit.redirect(_ACCOUNT, "Your password is changed, and you are signed out everywhere else.")


@pages.get("/account/second-factor/new")
def second_factor_page(visit: Visit) -> Response:
    """Ask for the password before a second factor is set up."""
    return visit.page("account/second_factor_new.html")


@pages.post("/account/second-factor/new")
def begin(visit: Visit) -> Response:
    """Make the secret that the person's app is to know."""
    try:
        begin_second_factor(visit.services, _who(visit), visit.form.text("password"))
    except LotusError as error:
        return visit.again(error, "account/second_factor_new.html")
    return visit.redirect("/account/second-factor/confirm")


@pages.get("/account/second-factor/confirm")
def confirm_page(visit: Visit) -> Response:
    """Show what the app reads, and ask for a code of it."""
    factor = second_factor_of(visit.services, _who(visit))
    if factor is None or factor.confirmed_at is not None:
        return visit.redirect(_ACCOUNT)
    return visit.page("account/second_factor_confirm.html", factor=factor, picture=_picture(visit, factor))


@pages.post("/account/second-factor/confirm")
def confirm(visit: Visit) -> Response:
    """Turn the second factor on, and show the recovery codes, this once."""
    factor = second_factor_of(visit.services, _who(visit))
    if factor is None or factor.confirmed_at is not None:
        return visit.redirect(_ACCOUNT)
    try:
        codes = confirm_second_factor(visit.services, _who(visit), visit.form.text("code"))
    except LotusError as error:
        return visit.again(error, "account/second_factor_confirm.html", factor=factor, picture=_picture(visit, factor))
    return visit.page("account/recovery_codes.html", codes=codes)


@pages.get("/account/second-factor/codes")
def codes_page(visit: Visit) -> Response:
    """Ask for the password before recovery codes are made anew."""
    return visit.page("account/second_factor_codes.html")


@pages.post("/account/second-factor/codes")
def new_codes(visit: Visit) -> Response:
    """Show further recovery codes, this once; the earlier ones end."""
    try:
        codes = renew_recovery_codes(visit.services, _who(visit), visit.form.text("password"))
    except LotusError as error:
        return visit.again(error, "account/second_factor_codes.html")
    return visit.page("account/recovery_codes.html", codes=codes)


@pages.get("/account/second-factor/remove")
def remove_page(visit: Visit) -> Response:
    """Ask for the password before the second factor is turned off."""
    return visit.page("account/second_factor_remove.html")


@pages.post("/account/second-factor/remove")
def remove(visit: Visit) -> Response:
    """Turn the second factor off."""
    try:
        remove_second_factor(visit.services, _who(visit), visit.form.text("password"))
    except LotusError as error:
        return visit.again(error, "account/second_factor_remove.html")
    return visit.redirect(_ACCOUNT, "The second factor is off.")


@pages.post("/account/sessions/end-others")
def end_others(visit: Visit) -> Response:
    """Sign the person out everywhere else."""
    count = end_other_sessions(visit.services, _who(visit))
    return visit.redirect(_ACCOUNT, f"{count} other sessions are ended.")


@pages.post("/account/sessions/{session_id}/end")
def end_one(visit: Visit) -> Response:
    """Sign the person out in one other place."""
    end_session(visit.services, _who(visit), visit.part("session_id"))
    return visit.redirect(_ACCOUNT, "The session is ended.")


def _who(visit: Visit) -> SignedIn:
    assert visit.signed_in is not None, "these pages are of persons"
    return visit.signed_in


def _shown(visit: Visit) -> dict[str, Any]:
    who = _who(visit)
    factor = second_factor_of(visit.services, who)
    return {
        "fmt": Formats(InvoiceSettings()),
        "user": who.user,
        "here": who.session.session_id,
        "sessions": list_sessions(visit.services, who),
        "factor": factor if factor is not None and factor.confirmed_at is not None else None,
    }


def _picture(visit: Visit, factor: SecondFactor) -> Markup:
    uri = provisioning_uri(factor, _who(visit).user)
    drawn = segno.make(uri, error="m").svg_inline(scale=5, border=3, dark="#000", light="#fff")
    return Markup(drawn)  # noqa: S704 - drawn by us from black and white squares
