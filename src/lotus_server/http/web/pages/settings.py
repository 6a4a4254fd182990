"""Settings: the organization, how its invoices come out (seen while they are changed), its logo, a sandbox's clock."""

import base64
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import available_timezones

from babel.localedata import locale_identifiers
from dateutil.relativedelta import relativedelta
from starlette.responses import Response

from lotus_server.domain.accounts import OrganizationType
from lotus_server.http.files import PDF
from lotus_server.http.web.forms import Form
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import Visit
from lotus_server.kernel.errors import Invalid, LotusError, NotFound
from lotus_server.kernel.instants import parse_instant
from lotus_server.usecases.clock import read_clock_run, start_clock_run, stop_clock_run
from lotus_server.usecases.logos import get_logo, put_logo, remove_logo
from lotus_server.usecases.organizations import change_organization
from lotus_server.usecases.specimen import specimen_pdf, specimen_picture
from lotus_server.wire.organization import organization_change, organization_row

pages = Pages()

_SLIDER_DAYS: Final = 730
_RUNS: Final = {
    "day": relativedelta(days=1),
    "week": relativedelta(weeks=1),
    "month": relativedelta(months=1),
    "year": relativedelta(years=1),
}
_LOGO_BEGINNINGS: Final = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg"}
# What of an address is not asked for is no problem, but all of it empty means that there is none.
_ADDRESS: Final = ("line1", "line2", "city", "state", "postal_code", "country")


@pages.get("/settings/")
def organization_page(visit: Visit) -> Response:
    """Show the organization."""
    visit.form = Form.of(organization_row(visit.organization))
    return visit.page("settings/organization.html", organization_row=organization_row(visit.organization))


@pages.post("/settings/")
def change(visit: Visit) -> Response:
    """Change the organization."""
    try:
        visit.do(change_organization, organization_change(visit.form.payload(keeps_blank=True)))
    except LotusError as error:
        return visit.again(error, "settings/organization.html", organization_row=organization_row(visit.organization))
    return visit.redirect(visit.url("settings/"), "The settings were saved.")


@pages.get("/settings/invoices/")
def invoices_page(visit: Visit) -> Response:
    """Show how invoices come out."""
    visit.form = Form.of(_shown(organization_row(visit.organization)))
    return _invoices(visit)


@pages.post("/settings/invoices/")
def change_invoices(visit: Visit) -> Response:
    """Change how invoices come out from now on."""
    try:
        visit.do(change_organization, organization_change(_invoice_settings(visit)))
    except LotusError as error:
        return _invoices(visit, error)
    return visit.redirect(visit.url("settings/invoices/"), "Invoices issued from now on follow these settings.")


@pages.post("/settings/invoices/specimen")
def specimen(visit: Visit) -> Response:
    """Show an example of an invoice with what stands in the form: a picture within the page."""
    try:
        picture = visit.do(specimen_picture, organization_change(_invoice_settings(visit)))
    except LotusError as error:
        return visit.page("settings/_specimen.html", picture=None, error=error)
    return visit.page("settings/_specimen.html", picture=base64.b64encode(picture).decode(), error=None)


@pages.get("/settings/invoices/specimen.pdf")
def specimen_document(visit: Visit) -> Response:
    """Show an example of an invoice with the settings as they are."""
    return visit.file(visit.do(specimen_pdf, organization_change({})), "example.pdf", PDF)


@pages.post("/settings/logo")
def change_logo(visit: Visit) -> Response:
    """Put a picture on documents, or take it off."""
    try:
        if visit.form.text("action") == "remove":
            visit.do(remove_logo)
            return visit.redirect(visit.url("settings/invoices/"), "Documents show the name instead of a logo.")
        content = visit.form.files.get("logo", b"")
        visit.do(put_logo, media_type=_media_type(content), content=content)
    except LotusError as error:
        visit.form = Form.of(_shown(organization_row(visit.organization)))
        return _invoices(visit, error)
    return visit.redirect(visit.url("settings/invoices/"), "Documents show the new logo.")


@pages.get("/settings/clock/")
def clock_page(visit: Visit) -> Response:
    """Show a sandbox's present, and how far its clock has run; a script asks again while it runs."""
    run = visit.do(read_clock_run)
    return visit.page(
        "settings/clock.html",
        fragment="clock",
        run=run,
        is_sandbox=visit.organization.type is OrganizationType.SANDBOX,
        now=visit.now,
        days_max=_SLIDER_DAYS,
    )


@pages.post("/settings/clock/run")
def run_clock(visit: Visit) -> Response:
    """Let the clock run: by a day, a week, a month, a year, by so many days, or until an instant."""
    try:
        run = visit.do(start_clock_run, _wanted(visit))
    except LotusError as error:
        return visit.again(
            error,
            "settings/clock.html",
            run=visit.do(read_clock_run),
            is_sandbox=visit.organization.type is OrganizationType.SANDBOX,
            now=visit.now,
            days_max=_SLIDER_DAYS,
        )
    return visit.redirect(visit.url("settings/clock/"), f"The clock runs to {run.until:%Y-%m-%d %H:%M} UTC.")


@pages.post("/settings/clock/stop")
def stop_clock(visit: Visit) -> Response:
    """Let the clock stand still."""
    visit.do(stop_clock_run)
    return visit.redirect(visit.url("settings/clock/"), "The clock stands still.")


def _wanted(visit: Visit) -> datetime:
    """Return to where the clock shall run. Raises Invalid."""
    form, now = visit.form, visit.now
    try:
        if form.text("by") in _RUNS:
            return now + _RUNS[form.text("by")]
        if form.text("days"):
            return now + timedelta(days=int(form.text("days")))
    except (ValueError, OverflowError):
        raise Invalid.field("now", "invalid", "That is further than the calendar goes.") from None
    found = parse_instant(form.text("now").strip())
    if found is None:
        raise Invalid.field("now", "invalid", "Give a time in UTC, such as 2026-02-01T00:00:00Z.")
    return found


def _invoices(visit: Visit, error: LotusError | None = None) -> Response:
    data: dict[str, Any] = {
        "zones": sorted(available_timezones()),
        "locales": sorted(locale_identifiers()),
        "has_logo": _has_logo(visit),
    }
    if error is not None:
        return visit.again(error, "settings/invoices.html", **data)
    return visit.page("settings/invoices.html", **data)


def _invoice_settings(visit: Visit) -> dict[str, Any]:
    """Return the settings as they were typed; a blank field takes the setting away."""
    payload = visit.form.payload(keeps_blank=True)
    address = payload.get("address")
    if isinstance(address, dict) and not any(address.values()):
        payload["address"] = None
    for name in ("payment_grace_period", "invoice_grace_hours"):
        text = str(payload.get(name) or "")
        if text.isascii() and text.lstrip("-").isdigit() and len(text) < 10:
            payload[name] = int(text)
    return payload


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    address = row["address"] or {}
    return {**row, "address": {name: address.get(name) for name in _ADDRESS}}


def _has_logo(visit: Visit) -> bool:
    try:
        visit.do(get_logo)
    except NotFound:
        return False
    return True


def _media_type(content: bytes) -> str:
    """Return what kind of picture a file is, by how it begins: browsers go by its name alone."""
    for beginning, media_type in _LOGO_BEGINNINGS.items():
        if content.startswith(beginning):
            return media_type
    return "image/svg+xml" if b"<svg" in content[:1_000] else "application/octet-stream"
