"""The customer portal in JSON."""

from typing import Any

from pydantic import Field

from lotus_server.domain.accounts import LINK_HOURS_DEFAULT, LINK_HOURS_MAX, Portal
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import to_text
from lotus_server.usecases.portal import PortalChange, PortalLink
from lotus_server.wire.forms import Form, Text, read

Row = dict[str, Any]


class PortalLinkForm(Form):
    """A link to a customer's portal."""

    hours: int | None = Field(None, description=f"How long it opens: 1 to {LINK_HOURS_MAX:,}, 24 when missing.")


class PortalForm(Form):
    """How the portal looks and who may embed it; what is not sent stays."""

    color: Text = Field(None, description="Such as #6d28d9.")
    embed_origins: list[str] | None = Field(None, description="Such as https://app.example.com.")
    end_links: bool | None = Field(None, description="No link made before opens anything any more.")


def link_hours(payload: object) -> int:
    """Return how long a link shall open. Raises Invalid with every problem of reading it."""
    problems = Problems()
    form = read(PortalLinkForm, payload, problems)
    problems.raise_if_any()
    return LINK_HOURS_DEFAULT if form.hours is None else form.hours


def portal_change(payload: object) -> PortalChange:
    """Return what a body changes of a portal. Raises Invalid with every problem of reading it."""
    problems = Problems()
    form = read(PortalForm, payload, problems)
    problems.raise_if_any()
    origins = None if form.embed_origins is None else tuple(form.embed_origins)
    return PortalChange(form.color, origins, bool(form.end_links))


def portal_row(portal: Portal) -> Row:
    """Return a portal as it is shown: without its secret."""
    return {"color": portal.color, "embed_origins": list(portal.embed_origins)}


def link_row(link: PortalLink) -> Row:
    """Return a link; `path` is its address without the server's own."""
    return {
        "url": link.url,
        "path": f"/portal/{link.token}/",
        "token": link.token,
        "expires_at": to_text(link.expires_at),
    }
