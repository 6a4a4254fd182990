"""Voiding an invoice takes back what it used up, and what it was written for."""

from decimal import Decimal

import pytest

from lotus_server.domain.credits import CreditStatus
from lotus_server.domain.invoicing import Discount, DiscountTerms, DiscountType, Invoice, PaymentStatus
from lotus_server.kernel.errors import Conflict
from lotus_server.usecases.credits import CreditDraft, CreditView, create_credit, get_credit, void_credit
from lotus_server.usecases.discounts import DiscountDraft, give_discount, list_discounts
from lotus_server.usecases.invoices import set_payment_status, void_invoice
from lotus_server.usecases.one_off_invoices import OneOffDraft, OneOffLine, issue_one_off
from tests.business import Business, at

D = Decimal


def give(business: Business, invoices_max: int | None = None) -> Discount:
    terms = DiscountTerms("Start", DiscountType.FIXED, D(20), "USD")
    return give_discount(
        business.services, business.organization, "acme", DiscountDraft(terms=terms, invoices_max=invoices_max)
    )


def issue(business: Business) -> Invoice:
    draft = OneOffDraft("acme", (OneOffLine("Training", amount=D(100)),), applies_discounts=True)
    return issue_one_off(business.services, business.organization, draft).invoice


def void(business: Business, invoice: Invoice) -> Invoice:
    return void_invoice(business.services, business.organization, invoice.invoice_id).invoice


def left(business: Business) -> list[int | None]:
    return [each.invoices_left for each in list_discounts(business.services, business.organization, "acme")]


def buy(business: Business) -> tuple[CreditView, Invoice]:
    view = create_credit(business.services, business.organization, CreditDraft("acme", D(100), amount_paid=D(80)))
    return view, business.invoices()[-1]


def kept(business: Business, view: CreditView) -> CreditView:
    return get_credit(business.services, business.organization, view.grant.credit_id)


def test_a_discount_for_one_invoice_is_for_the_next_one_when_its_invoice_is_voided(business: Business) -> None:
    give(business, invoices_max=1)
    first = issue(business)

    void(business, first)

    assert [1] == left(business)
    assert (D(80), D(80)) == (first.total, issue(business).total)


def test_voiding_twice_gives_a_discount_back_once(business: Business) -> None:
    give(business, invoices_max=3)
    first = issue(business)

    void(business, first)
    void(business, first)

    assert [3] == left(business)


def test_a_discount_without_a_limit_still_has_none(business: Business) -> None:
    give(business)

    void(business, issue(business))

    assert [None] == left(business)


def test_a_discount_that_took_nothing_off_is_not_given_back(business: Business) -> None:
    give(business, invoices_max=2)
    draft = OneOffDraft("acme", (OneOffLine("Training", amount=D(100)),))
    plain = issue_one_off(business.services, business.organization, draft).invoice

    void(business, plain)

    assert [2] == left(business)


def test_credit_is_voided_with_the_invoice_that_it_was_bought_by(business: Business) -> None:
    view, invoice = buy(business)

    void(business, invoice)

    assert (D(0), CreditStatus.INACTIVE) == (kept(business, view).remaining, kept(business, view).status)
    assert D(0) == business.balance()


def test_what_was_used_of_bought_credit_stays_used_when_its_invoice_is_voided(business: Business) -> None:
    view, bought = buy(business)
    paid = issue(business)

    void(business, bought)

    assert (D(100), PaymentStatus.PAID) == (paid.credit_applied, paid.payment_status)
    assert D(0) == kept(business, view).remaining


def test_what_comes_back_to_credit_whose_invoice_is_void_is_lost(business: Business) -> None:
    _, bought = buy(business)
    paid = issue(business)
    void(business, bought)

    void(business, paid)

    assert D(0) == business.balance()


def test_credit_that_was_voided_before_lets_its_invoice_be_voided(business: Business) -> None:
    view, invoice = buy(business)
    void_credit(business.services, business.organization, view.grant.credit_id)

    assert PaymentStatus.VOIDED is void(business, invoice).payment_status


def test_credit_that_has_expired_lets_its_invoice_be_voided(business: Business) -> None:
    draft = CreditDraft("acme", D(100), amount_paid=D(80), expires_at=at("2026-01-02"))
    create_credit(business.services, business.organization, draft)
    business.move("2026-01-03")

    assert PaymentStatus.VOIDED is void(business, business.invoices()[-1]).payment_status


def test_bought_credit_that_was_paid_for_stays(business: Business) -> None:
    _, invoice = buy(business)
    set_payment_status(business.services, business.organization, invoice.invoice_id, PaymentStatus.PAID)

    with pytest.raises(Conflict):
        void(business, invoice)

    assert D(100) == business.balance()
