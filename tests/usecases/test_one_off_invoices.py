"""One-off invoices: what is sold beside subscriptions is invoiced at once, like anything else."""

from decimal import Decimal

import pytest

from lotus_server.domain.invoicing import Invoice, LineKind, PaymentStatus
from lotus_server.kernel.errors import Invalid, NotFound
from lotus_server.usecases.credits import CreditDraft, create_credit
from lotus_server.usecases.invoices import get_invoice, void_invoice
from lotus_server.usecases.one_off_invoices import LINES_MAX, OneOffDraft, OneOffLine, issue_one_off
from tests.business import Business, Json, at, charge

D = Decimal


def issue(business: Business, *lines: OneOffLine, **more: Json) -> Invoice:
    draft = OneOffDraft("acme", lines or (OneOffLine("Training", D(2), D("450.125")),), **more)
    return issue_one_off(business.services, business.organization, draft).invoice


def test_a_line_is_quantity_times_unit_price_rounded_once(business: Business) -> None:
    invoice = issue(business)

    (line,) = invoice.lines
    assert (D("900.25"), D("900.25"), LineKind.ONE_OFF) == (line.exact_amount, line.amount, line.kind)
    assert ([D("900.25")], None, None) == ([step.amount for step in line.steps], line.plan_id, line.version_id)


def test_it_is_of_no_subscription_and_takes_the_next_number(business: Business) -> None:
    business.plan("pro", charge("10"))
    business.subscribe()

    invoice = issue(business)

    assert invoice.subscription_id is None
    assert ["000001", "000002"] == [each.invoice_number[-6:] for each in business.invoices()]
    kept = get_invoice(business.services, business.organization, invoice.invoice_id)
    assert (invoice, None) == (kept.invoice, kept.subscription)


def test_it_is_due_within_the_organization_s_term_or_its_own(business: Business) -> None:
    assert [at("2026-01-31"), at("2026-01-08")] == [issue(business).due_at, issue(business, due_in_days=7).due_at]


def test_it_has_a_note_and_the_time_of_its_services(business: Business) -> None:
    line = OneOffLine("Audit", amount=D(10), period_start=at("2025-11-01"), period_end=at("2025-12-01"))

    invoice = issue(business, line, OneOffLine("Travel", amount=D(5)), note="As agreed on the phone.")

    assert (
        "As agreed on the phone."
        == get_invoice(business.services, business.organization, invoice.invoice_id).invoice.note
    )
    assert (at("2025-11-01"), at("2026-01-01")) == (invoice.period.start, invoice.period.end)


def test_credit_pays_for_it(business: Business) -> None:
    create_credit(business.services, business.organization, CreditDraft("acme", D(100)))

    invoice = issue(business, OneOffLine("Audit", amount=D(60)))

    assert (D(60), D(0), PaymentStatus.PAID) == (invoice.credit_applied, invoice.total, invoice.payment_status)
    assert D(40) == business.balance()


def test_a_voided_one_gives_its_credit_back(business: Business) -> None:
    create_credit(business.services, business.organization, CreditDraft("acme", D(100)))
    invoice = issue(business, OneOffLine("Audit", amount=D(160)))

    void_invoice(business.services, business.organization, invoice.invoice_id)

    assert D(100) == business.balance()


def test_a_line_below_zero_takes_off_the_others(business: Business) -> None:
    assert D(50) == issue(business, OneOffLine("Audit", amount=D(60)), OneOffLine("Rebate", amount=D(-10))).total


@pytest.mark.parametrize(
    ("lines", "field", "code"),
    [
        ((OneOffLine("Audit"),), "lines[0]", "exactly_one"),
        ((OneOffLine("Audit", D(1), D(1), D(1)),), "lines[0]", "exactly_one"),
        ((OneOffLine("", amount=D(1)),), "lines[0].name", "invalid"),
        ((OneOffLine("Audit", amount=D("0.001")),), "lines[0].amount", "too_fine"),
        ((OneOffLine("Audit", amount=D(10) ** 15),), "lines[0].amount", "out_of_range"),
        ((OneOffLine("Audit", D(10) ** 20, D(1)),), "lines[0].quantity", "out_of_range"),
        ((OneOffLine("Audit", amount=D(1)), OneOffLine("Rebate", amount=D(-2))), "lines", "negative"),
        ((OneOffLine("Audit", amount=D(1), period_start=at("2026-01-01")),), "lines[0].period_start", "required"),
        (
            (OneOffLine("Audit", amount=D(1), period_start=at("2026-01-02"), period_end=at("2026-01-02")),),
            "lines[0].period_end",
            "end_before_start",
        ),
        ((OneOffLine("Audit", amount=D(1)),) * (LINES_MAX + 1), "lines", "too_many"),
    ],
)
def test_what_is_refused(business: Business, lines: tuple[OneOffLine, ...], field: str, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        issue(business, *lines)

    assert [(field, code)] == [(each.field, each.code) for each in caught.value.problems]
    assert [] == business.invoices()


@pytest.mark.parametrize(
    ("more", "field", "code"),
    [
        ({"currency": "XXZ"}, "currency", "unknown_currency"),
        ({"due_in_days": -1}, "due_in_days", "out_of_range"),
        ({"note": "a" * 2001}, "note", "too_long"),
        ({"note": "a\0"}, "note", "invalid"),
    ],
)
def test_what_else_is_refused(business: Business, more: Json, field: str, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        issue(business, **more)

    assert [(field, code)] == [(each.field, each.code) for each in caught.value.problems]


def test_an_invoice_without_lines_is_refused(business: Business) -> None:
    with pytest.raises(Invalid) as caught:
        issue_one_off(business.services, business.organization, OneOffDraft("acme", ()))

    assert ["required"] == [each.code for each in caught.value.problems]


def test_nobody_is_invoiced_who_is_no_customer(business: Business) -> None:
    with pytest.raises(NotFound):
        issue_one_off(business.services, business.organization, OneOffDraft("nobody", (OneOffLine("A", amount=D(1)),)))


def test_what_is_paid_for_credit_is_invoiced_without_tax_and_without_using_credit(business: Business) -> None:
    create_credit(business.services, business.organization, CreditDraft("acme", D(5)))
    create_credit(business.services, business.organization, CreditDraft("acme", D(100), amount_paid=D(80)))

    (invoice,) = business.invoices()

    assert (D(80), D(80), ()) == (invoice.subtotal, invoice.total, invoice.taxes)
    assert "Credit of 100 USD" == invoice.lines[0].name
    assert D(105) == business.balance()
