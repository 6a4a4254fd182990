"""What protects pages in a browser: the policy of what they may load, cookies, and where a form may come from."""

import hmac
from typing import Final
from urllib.parse import quote, unquote, urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import Response

SESSION_COOKIE: Final = "lotus_session"
TOAST_COOKIE: Final = "lotus_toast"
THEME_COOKIE: Final = "lotus_theme"
CSRF_FIELD: Final = "csrf_token"
CSRF_HEADER: Final = "x-csrf-token"
THEMES: Final = ("auto", "light", "dark")

# Tabler's styles carry small pictures, hence `data:`.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'"
)


def protect(response: Response, *, framed_by: str = "'none'") -> Response:
    """Set the headers that every page has; `framed_by` are the origins that may show it within theirs."""
    headers = response.headers
    headers.setdefault("content-security-policy", f"{_POLICY}; frame-ancestors {framed_by}")
    headers.setdefault("x-content-type-options", "nosniff")
    headers.setdefault("referrer-policy", "same-origin")
    headers.setdefault("cross-origin-opener-policy", "same-origin")
    headers.setdefault("permissions-policy", "camera=(), microphone=(), geolocation=()")
    headers.setdefault("cache-control", "no-store")
    return response


def is_secure(request: Request) -> bool:
    """Tell whether the browser came by HTTPS, to us or to a proxy before us."""
    return request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"


def set_session(request: Request, response: Response, token: str, *, seconds_max: int) -> None:
    """Let the browser keep who is signed in; scripts cannot read it, other sites' forms do not send it."""
    response.set_cookie(
        SESSION_COOKIE, token, max_age=seconds_max, httponly=True, samesite="lax", secure=is_secure(request)
    )


def forget_session(response: Response) -> None:
    """Let the browser forget who was signed in."""
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax")


class Toast(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the next page says: that something was done, or why not (`is_refusal`).

    `undo` are the entries of the audit log that an undo would take back, if it can be.
    """

    text: str
    undo: tuple[str, ...] = ()
    is_refusal: bool = False


def set_toast(response: Response, toast: Toast) -> None:
    """Let the next page say what was done."""
    said = quote(msgspec.json.encode(toast))
    response.set_cookie(TOAST_COOKIE, said, max_age=60, httponly=True, samesite="lax")


def toast_of(request: Request) -> Toast | None:
    """Return what the page before left to be said."""
    said = request.cookies.get(TOAST_COOKIE)
    try:
        return msgspec.json.decode(unquote(said), type=Toast) if said else None
    except msgspec.DecodeError:
        return None


def theme_of(request: Request) -> str:
    """Return the colours that the viewer chose."""
    theme = request.cookies.get(THEME_COOKIE, "")
    return theme if theme in THEMES else "auto"


def is_from_our_page(request: Request, sent_token: str | None, expected_token: str | None) -> bool:
    """Tell whether a form was sent from one of our pages.

    A browser says from which site a form comes; besides, the form carries the session's token, where there is one.
    """
    origin = request.headers.get("origin")
    if origin and origin != "null" and urlsplit(origin).netloc != request.headers.get("host"):
        return False
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    return expected_token is None or (
        sent_token is not None and hmac.compare_digest(sent_token.encode(), expected_token.encode())
    )
