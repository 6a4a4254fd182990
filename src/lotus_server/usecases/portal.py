"""The customer portal: links to it, how it looks, and what somebody with a link sees."""

from datetime import datetime
from typing import Final

import msgspec

from lotus_server.domain.accounts import (
    LINK_HOURS_MAX,
    Customer,
    Organization,
    Portal,
    PortalClaim,
    claim_for,
    claimed,
    is_signed,
    signed,
)
from lotus_server.domain.credits import CreditStatus
from lotus_server.kernel.errors import Invalid, NotFound, Problems
from lotus_server.ports.credit_records import CreditQuestion
from lotus_server.ports.invoice_reading import InvoiceQuestion
from lotus_server.ports.records import Page
from lotus_server.usecases.credits import CreditView, list_credits
from lotus_server.usecases.customer_overview import (
    CustomerDue,
    CustomerTimeline,
    view_customer_due,
    view_customer_subscriptions,
)
from lotus_server.usecases.customers import require_customer
from lotus_server.usecases.documents import invoice_pdf
from lotus_server.usecases.invoice_reading import InvoiceHead, list_invoice_heads
from lotus_server.usecases.services import Services, changing

INVOICES_SHOWN: Final = 100


class PortalLink(msgspec.Struct, frozen=True):
    """A link just made: it opens the portal until `expires_at`. `token` is the last part of its address, `url`."""

    token: str
    url: str
    expires_at: datetime


class PortalChange(msgspec.Struct, frozen=True):
    """What is to change of a portal (null: nothing). `ends_links`: no link made before opens anything any more."""

    color: str | None = None
    embed_origins: tuple[str, ...] | None = None
    ends_links: bool = False


class PortalGuest(msgspec.Struct, frozen=True):
    """Who came by a link: a customer of an organization, whose portal looks so."""

    organization: Organization
    customer: Customer
    portal: Portal


class PortalView(msgspec.Struct, frozen=True):
    """What a customer sees: what runs up, what it subscribes to, its newest invoices, and the credit it can use."""

    due: CustomerDue
    timeline: CustomerTimeline
    invoices: tuple[InvoiceHead, ...]
    credits: tuple[CreditView, ...]


def get_portal(services: Services, organization: Organization) -> Portal:
    """Return an organization's portal, made the first time that it is asked for."""
    with services.records.snapshot() as tx:
        portal = tx.portals.get(organization.organization_id)
    if portal is not None:
        return portal
    with services.records.transaction() as tx:
        tx.portals.add_if_missing(Portal(organization.organization_id, services.ids.secret()))
        made = tx.portals.get(organization.organization_id)
    assert made is not None, "it was made if it was missing"
    return made


def change_portal(services: Services, organization: Organization, change: PortalChange) -> Portal:
    """Change how a portal looks, who may embed it, or end all links. Raises Invalid with every problem."""
    get_portal(services, organization)  # whoever changes it first makes it
    with changing(services, organization) as tx:
        present_one = tx.portals.get(organization.organization_id)
        assert present_one is not None, "portals are never removed"
        changed = Portal(
            organization.organization_id,
            services.ids.secret() if change.ends_links else present_one.secret,
            present_one.color if change.color is None else change.color.strip().lower(),
            present_one.embed_origins if change.embed_origins is None else change.embed_origins,
        )
        if wrong := changed.problems():
            raise Invalid.all_of(wrong)
        tx.portals.put(changed)
    return changed


def create_portal_link(services: Services, organization: Organization, customer_id: str, *, hours: int) -> PortalLink:
    """Return a link by which a customer's portal opens for so many hours of real time, in a sandbox too.

    Raises NotFound `customer_not_found`, Invalid for a number of hours below 1 or above a year's.
    """
    problems = Problems()
    if not 1 <= hours <= LINK_HOURS_MAX:
        problems.add("hours", "out_of_range", f"hours is a number from 1 to {LINK_HOURS_MAX:,}.")
    problems.raise_if_any()
    with services.records.snapshot() as tx:
        require_customer(tx, organization, customer_id)
    claim = claim_for(organization.organization_id, customer_id, services.clock.now(), hours)
    token = signed(claim, get_portal(services, organization).secret)
    return PortalLink(token, f"{services.public_url}/portal/{token}/", claim.expires_at)


def guest_of(services: Services, token: str) -> PortalGuest:
    """Return who a link is for. Raises NotFound `portal_link_not_found` for any that does not open (any more)."""
    claim = claimed(token)
    guest = _guest(services, token, claim) if claim is not None else None
    if guest is None:
        detail = "This link does not work, or not any more. Ask for a new one where you got it."
        raise NotFound(detail, code="portal_link_not_found")
    return guest


def view_portal(services: Services, guest: PortalGuest) -> PortalView:
    """Return what a customer sees. Writes nothing."""
    organization, customer_id = guest.organization, guest.customer.customer_id
    invoices = list_invoice_heads(
        services, organization, Page(INVOICES_SHOWN, None), InvoiceQuestion(customer_id=customer_id)
    )
    granted, _ = list_credits(
        services,
        organization,
        Page(None, None),
        CreditQuestion(customer_id=customer_id),
        frozenset({CreditStatus.ACTIVE}),
    )
    return PortalView(
        view_customer_due(services, organization, customer_id),
        view_customer_subscriptions(services, organization, customer_id),
        tuple(invoices),
        tuple(granted),
    )


def portal_invoice_pdf(services: Services, guest: PortalGuest, invoice_id: str) -> tuple[str, bytes]:
    """Return number and PDF of an invoice of the customer. Raises NotFound `invoice_not_found`, also for others'."""
    with services.records.snapshot() as tx:
        invoice = tx.invoices.get(guest.organization.organization_id, invoice_id)
    if invoice is None or invoice.customer_id != guest.customer.customer_id:
        raise NotFound(f"There is no invoice {invoice_id!r}.", code="invoice_not_found")
    return invoice_pdf(services, guest.organization, invoice_id)


def _guest(services: Services, token: str, claim: PortalClaim) -> PortalGuest | None:
    with services.records.snapshot() as tx:
        portal = tx.portals.get(claim.organization_id)
        if portal is None or not is_signed(token, portal.secret) or not claim.is_valid_at(services.clock.now()):
            return None
        organization = tx.organizations.get(claim.organization_id)
        customer = tx.customers.get(claim.organization_id, claim.customer_id)
    return PortalGuest(organization, customer, portal) if organization and customer else None
