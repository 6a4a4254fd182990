"""The logo on an organization's documents."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from lotus_server.domain.accounts import Logo, Organization
from lotus_server.kernel.errors import Invalid, NotFound
from lotus_server.kernel.quantity import ZERO
from lotus_server.ports.documents import DocumentKind, InvoiceDocument, Party
from lotus_server.usecases.services import Services

# Any document does to find out whether a picture can be printed.
_SPECIMEN: Final = InvoiceDocument(
    kind=DocumentKind.DRAFT,
    number="",
    issued_at=datetime(2026, 1, 1, tzinfo=UTC),
    due_at=None,
    seller=Party("Seller"),
    buyer=Party("Buyer"),
    currency="USD",
    lines=(),
    subtotal=ZERO,
    total=ZERO,
    amount_due=ZERO,
)


def put_logo(services: Services, organization: Organization, *, media_type: str, content: bytes) -> Logo:
    """Keep a picture as the organization's logo, in the place of the one it may have.

    Raises Invalid for another type, too large a picture, and `logo_unreadable` for one that cannot be printed.
    """
    logo = Logo(organization.organization_id, media_type, content)
    if wrong := logo.problem():
        raise Invalid.all_of((wrong,))
    services.documents.pdf(msgspec.structs.replace(_SPECIMEN, logo=content))
    with services.records.transaction() as tx:
        tx.logos.put(logo)
    return logo


def get_logo(services: Services, organization: Organization) -> Logo:
    """Return the organization's logo. Raises NotFound `logo_not_found`."""
    with services.records.snapshot() as tx:
        logo = tx.logos.get(organization.organization_id)
    if logo is None:
        raise NotFound("The organization has no logo.", code="logo_not_found")
    return logo


def remove_logo(services: Services, organization: Organization) -> None:
    """Leave the organization without a logo; once more changes nothing."""
    with services.records.transaction() as tx:
        tx.logos.remove(organization.organization_id)
