"""The customer portal: what a customer sees by a link, how it looks, and making links."""

from typing import Final

from starlette.responses import Response

from lotus_server.http.files import PDF
from lotus_server.http.web.addresses import segment
from lotus_server.http.web.formats import Formats
from lotus_server.http.web.forms import Form
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.security import protect
from lotus_server.http.web.visit import Visit
from lotus_server.kernel.errors import LotusError
from lotus_server.usecases.portal import (
    PortalGuest,
    change_portal,
    create_portal_link,
    get_portal,
    guest_of,
    portal_invoice_pdf,
    view_portal,
)
from lotus_server.wire.portal import link_hours, portal_change, portal_row

# What customers of customers see: by the link in the address alone, whoever else is signed in.
open_pages = Pages("anyone")
pages = Pages()

_NOBODY: Final = "'none'"
_HOURS: Final = [("24", "a day"), ("168", "a week"), ("720", "30 days"), ("8760", "a year")]


@open_pages.get("/portal/{token}/")
def portal_page(visit: Visit) -> Response:
    """Show a customer its plan, usage, invoices and credits."""
    guest = guest_of(visit.services, visit.part("token"))
    response = visit.page(
        "portal/portal.html",
        view=view_portal(visit.services, guest),
        guest=guest,
        base=f"/portal/{segment(visit.part('token'))}/",
        fmt=Formats(guest.organization.invoice_settings),
    )
    return _framed(response, guest)


@open_pages.get("/portal/{token}/colors.css")
def colors(visit: Visit) -> Response:
    """Set the organization's colour, as a file: nothing inline passes the page's policy."""
    color = guest_of(visit.services, visit.part("token")).portal.color
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    rules = f":root, [data-bs-theme] {{ --tblr-primary: {color}; --tblr-primary-rgb: {red}, {green}, {blue}; }}"
    return protect(Response(rules, media_type="text/css"))


@open_pages.get("/portal/{token}/invoices/{invoice_id}.pdf")
def invoice_document(visit: Visit) -> Response:
    """Show one of the customer's invoices."""
    guest = guest_of(visit.services, visit.part("token"))
    number, content = portal_invoice_pdf(visit.services, guest, visit.part("invoice_id"))
    return visit.file(content, f"{number}.pdf", PDF)


@pages.get("/settings/portal/")
def settings_page(visit: Visit) -> Response:
    """Show how the portal looks."""
    row = portal_row(visit.do(get_portal))
    visit.form = Form.of({**row, "embed_origins": "\n".join(row["embed_origins"])})
    return visit.page("settings/portal.html")


@pages.post("/settings/portal/")
def change(visit: Visit) -> Response:
    """Change how the portal looks, or end all links."""
    payload = {"embed_origins": [], **visit.form.payload()}
    ends = bool(payload.get("end_links"))
    try:
        visit.do(change_portal, portal_change(payload))
    except LotusError as error:
        return visit.again(error, "settings/portal.html")
    said = "No link made before opens anything any more." if ends else "The portal looks like this from now on."
    return visit.redirect(visit.url("settings/portal/"), said, offers_undo=not ends)


@pages.get("/customers/{customer_id}/portal-link")
def link_page(visit: Visit) -> Response:
    """Ask how long a link shall open."""
    visit.require(create_portal_link)
    return visit.page("portal/link.html", fragment="dialog", customer_id=visit.part("customer_id"), hours=_HOURS)


@pages.post("/customers/{customer_id}/portal-link")
def make_link(visit: Visit) -> Response:
    """Make a link and show it."""
    customer_id = visit.part("customer_id")
    payload = visit.form.payload()
    text = str(payload.get("hours", ""))
    hours = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else payload.get("hours")
    try:
        link = visit.do(create_portal_link, customer_id, hours=link_hours({"hours": hours}))
    except LotusError as error:
        return visit.again(error, "portal/link.html", fragment="dialog", customer_id=customer_id, hours=_HOURS)
    return visit.page("portal/link_made.html", fragment="dialog", customer_id=customer_id, link=link)


def _framed(response: Response, guest: PortalGuest) -> Response:
    """Let those pages show the portal within theirs that the organization names."""
    allowed = " ".join(guest.portal.embed_origins) or _NOBODY
    policy = response.headers["content-security-policy"]
    response.headers["content-security-policy"] = policy.replace(
        f"frame-ancestors {_NOBODY}", f"frame-ancestors {allowed}"
    )
    # The address is the key: no page that a link leads to may learn it.
    response.headers["referrer-policy"] = "no-referrer"
    return response
