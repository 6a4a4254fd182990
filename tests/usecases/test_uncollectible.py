"""Of an uncollectible invoice nobody expects the money any more; for the rest it is as valid as before."""

from decimal import Decimal

import pytest

from lotus_server.domain.invoicing import Invoice, PaymentStatus
from lotus_server.kernel.errors import Conflict
from lotus_server.usecases.credits import CreditDraft, create_credit
from lotus_server.usecases.customers import get_customer
from lotus_server.usecases.invoice_reading import InvoiceState, sum_invoices
from lotus_server.usecases.invoices import set_payment_status, void_invoice
from lotus_server.usecases.one_off_invoices import OneOffDraft, OneOffLine, issue_one_off
from tests.business import Business

D = Decimal
UNCOLLECTIBLE, UNPAID, PAID = PaymentStatus.UNCOLLECTIBLE, PaymentStatus.UNPAID, PaymentStatus.PAID


@pytest.fixture
def issued(business: Business) -> Invoice:
    """An invoice of 100, of which credit has paid 30."""
    create_credit(business.services, business.organization, CreditDraft("acme", D(30)))
    draft = OneOffDraft("acme", (OneOffLine("Training", amount=D(100)),))
    return issue_one_off(business.services, business.organization, draft).invoice


def mark(business: Business, invoice: Invoice, status: PaymentStatus) -> Invoice:
    return set_payment_status(business.services, business.organization, invoice.invoice_id, status).invoice


def owed(business: Business) -> Decimal:
    return get_customer(business.services, business.organization, "acme").total_amount_due


def test_the_customer_owes_it_no_longer_and_credit_stays_used(business: Business, issued: Invoice) -> None:
    before = owed(business)

    mark(business, issued, UNCOLLECTIBLE)

    assert (D(70), D(0), D(0)) == (before, owed(business), business.balance())


def test_it_is_no_longer_past_due_but_its_amount_is_known(business: Business, issued: Invoice) -> None:
    business.move("2026-06-01")
    mark(business, issued, UNCOLLECTIBLE)

    sums = {
        each.state: (each.count, each.amounts_due) for each in sum_invoices(business.services, business.organization)
    }

    assert (0, {}) == sums[InvoiceState.PAST_DUE]
    assert (1, {"USD": D(70)}) == sums[InvoiceState.UNCOLLECTIBLE]


@pytest.mark.parametrize("status", [PAID, UNPAID])
def test_it_can_be_paid_after_all_or_unpaid_again(business: Business, issued: Invoice, status: PaymentStatus) -> None:
    mark(business, issued, UNCOLLECTIBLE)

    assert status is mark(business, issued, status).payment_status
    assert (D(70) if status is UNPAID else D(0)) == owed(business)


def test_it_can_be_voided_and_gives_its_credit_back(business: Business, issued: Invoice) -> None:
    mark(business, issued, UNCOLLECTIBLE)

    void_invoice(business.services, business.organization, issued.invoice_id)

    assert D(30) == business.balance()


def test_a_void_one_stays_void(business: Business, issued: Invoice) -> None:
    void_invoice(business.services, business.organization, issued.invoice_id)

    with pytest.raises(Conflict):
        mark(business, issued, UNCOLLECTIBLE)
