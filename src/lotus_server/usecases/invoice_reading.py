"""Reading invoices as lists: by state and filters, and what they come to. Nothing is written here."""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum

import msgspec

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.domain.invoicing import Invoice, PaymentStatus
from lotus_server.ports.invoice_reading import EVERY_INVOICE, InvoiceQuestion
from lotus_server.ports.paging import Page
from lotus_server.usecases.services import Services, present


class InvoiceState(StrEnum):
    """Where an invoice stands, for whoever looks for those that want something done.

    `past_due` is the part of `unpaid` whose due date is over.
    """

    UNPAID = "unpaid"
    PAST_DUE = "past_due"
    PAID = "paid"
    VOIDED = "voided"
    UNCOLLECTIBLE = "uncollectible"


class InvoiceHead(msgspec.Struct, frozen=True):
    """An invoice, without its lines, and its customer. `is_past_due`: it is unpaid and its due date is over."""

    invoice: Invoice
    customer: Customer
    is_past_due: bool


class StateSum(msgspec.Struct, frozen=True):
    """How many invoices are in a state, and what is left to pay of them, or was, by currency."""

    state: InvoiceState
    count: int
    amounts_due: dict[str, Decimal]


def narrowed(
    services: Services, organization: Organization, question: InvoiceQuestion, state: InvoiceState | None
) -> InvoiceQuestion:
    """Return a question about the invoices in a state (null: in any), as of the organization's present."""
    if state is None:
        return question
    if state is not InvoiceState.PAST_DUE:
        return msgspec.structs.replace(question, payment_status=PaymentStatus(state.value))
    now = present(services, organization)
    before = now if question.due_before is None else min(now, question.due_before)
    return msgspec.structs.replace(question, payment_status=PaymentStatus.UNPAID, due_before=before)


def list_invoice_heads(
    services: Services,
    organization: Organization,
    page: Page,
    question: InvoiceQuestion = EVERY_INVOICE,
    state: InvoiceState | None = None,
) -> list[InvoiceHead]:
    """Return the invoices asked for in a state (null: in any), without their lines; `page.after` is an invoice id."""
    organization_id = organization.organization_id
    asked = narrowed(services, organization, question, state)
    now = present(services, organization)
    with services.records.snapshot() as tx:
        invoices = tx.invoices.heads(organization_id, page, asked)
        customers = tx.customers.many(organization_id, sorted({each.customer_id for each in invoices}))
    return [
        InvoiceHead(
            each, customers[each.customer_id], each.payment_status is PaymentStatus.UNPAID and each.due_at < now
        )
        for each in invoices
    ]


def sum_invoices(
    services: Services,
    organization: Organization,
    question: InvoiceQuestion = EVERY_INVOICE,
    states: Sequence[InvoiceState] = tuple(InvoiceState),
) -> list[StateSum]:
    """Return what the invoices asked for come to in each of some states, whatever status the question names."""
    organization_id = organization.organization_id
    with services.records.snapshot() as tx:
        sums = [
            (state, tx.invoices.sums(organization_id, narrowed(services, organization, question, state)))
            for state in states
        ]
    return [
        StateSum(state, sum(each.count for each in found), {each.currency: each.amount_due for each in found})
        for state, found in sums
    ]
