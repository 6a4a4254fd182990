"""What billing now would issue, as a document that says it is a draft."""

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.kernel.errors import Invalid, NotFound
from lotus_server.ports.documents import DocumentKind, InvoiceDocument
from lotus_server.usecases.documents import deduction_rows, line_rows, notes_of, printed, printed_on, tax_rows
from lotus_server.usecases.drafts import Draft, draft_invoices
from lotus_server.usecases.services import Services, present


def draft_pdf(
    services: Services, organization: Organization, customer_id: str, *, subscription_id: str | None = None
) -> bytes:
    """Return the draft of a customer's active subscription as PDF. Writes nothing.

    Raises NotFound `customer_not_found`, `subscription_not_found` when there is none, or not the one that was asked
    for, and Invalid `ambiguous` when there are several and none was named.
    """
    customer, drafts = draft_invoices(services, organization, customer_id)
    found = [draft for draft in drafts if subscription_id in {None, draft.terms.subscription.subscription_id}]
    if not found:
        raise NotFound("The customer has no such active subscription.", code="subscription_not_found")
    if len(found) > 1:
        detail = "The customer has several active subscriptions; say which one by subscription_id."
        raise Invalid.field("subscription_id", "ambiguous", detail)
    return printed(services, organization, _document_of(services, organization, customer, found[0]))


def _document_of(services: Services, organization: Organization, customer: Customer, draft: Draft) -> InvoiceDocument:
    totals = draft.totals
    return printed_on(
        organization,
        customer,
        kind=DocumentKind.DRAFT,
        number="",
        issued_at=present(services, organization),
        due_at=None,
        currency=draft.terms.version.currency,
        lines=line_rows(draft.lines),
        subtotal=totals.subtotal,
        total=totals.gross,
        amount_due=totals.gross,
        deductions=deduction_rows(totals.discounts),
        taxes=tax_rows(totals.taxes),
        prices_include_tax=draft.terms.tax.is_included,
        notes=notes_of(organization),
    )
