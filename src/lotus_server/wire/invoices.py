"""Issued invoices on the wire."""

from typing import Any

from lotus_server.domain.accounts import Organization
from lotus_server.domain.catalog import Plan, PlanVersion
from lotus_server.domain.invoicing import Invoice, InvoiceLine, LineReference, PaymentStatus, TaxSubtotal
from lotus_server.domain.rating import Step
from lotus_server.domain.subscriptions import Subscription, last_instant
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import to_text
from lotus_server.usecases.invoices import InvoiceView
from lotus_server.wire.discounts import applied_row
from lotus_server.wire.fields import day_text
from lotus_server.wire.forms import Form, Text, choice, currency_row, read, required

Row = dict[str, Any]
_MARKS = {each.value: each for each in (PaymentStatus.PAID, PaymentStatus.UNPAID, PaymentStatus.UNCOLLECTIBLE)}


class PaymentForm(Form):
    """Whether an invoice was paid."""

    payment_status: Text = None


def payment_status(payload: object) -> PaymentStatus:
    """Return the status that a body sets. Raises Invalid with every problem."""
    problems = Problems()
    form = read(PaymentForm, payload, problems)
    text = required(problems, "payment_status", form.payment_status)
    status = choice(problems, "payment_status", text, _MARKS, PaymentStatus.PAID)
    problems.raise_if_any()
    return status


def invoice_row(view: InvoiceView) -> Row:
    """Return an invoice with its lines and both parties."""
    customer = view.customer
    return {
        **light_invoice_row(view.invoice, view.organization, timezone=customer.timezone),
        "customer": {
            "customer_id": customer.customer_id,
            "customer_name": customer.customer_name,
            "email": customer.email,
            "address": customer.billing_address or customer.address,
        },
        "line_items": [line_row(line, view.sold(line), view.subscription_of(line)) for line in view.invoice.lines],
    }


def light_invoice_row(invoice: Invoice, seller: Organization, *, timezone: str) -> Row:
    """Return an invoice without its lines. `start_date` and `end_date` are its first and last day in a time zone."""
    settings = seller.invoice_settings
    return {
        "invoice_id": invoice.invoice_id,
        "invoice_number": invoice.invoice_number or None,
        "subscription_id": invoice.subscription_id,
        "cost_due": invoice.amount_due,
        "amount": invoice.total,
        "subtotal": invoice.subtotal,
        "discounts": [applied_row(each) for each in invoice.discounts],
        "taxes": [tax_row(each) for each in invoice.taxes],
        "prices_include_tax": invoice.prices_include_tax,
        "total_with_tax": invoice.gross,
        "credit_applied": invoice.credit_applied,
        "credited": invoice.credited,
        "currency": currency_row(invoice.currency),
        "issue_date": to_text(invoice.issued_at),
        "due_date": to_text(invoice.due_at),
        "note": invoice.note,
        "start_date": day_text(invoice.period.start, timezone),
        "end_date": day_text(max(invoice.period.start, last_instant(invoice.period.end)), timezone),
        "seller": {
            "name": settings.legal_name or seller.name,
            "address": settings.address,
            "phone": settings.phone,
            "email": settings.email,
        },
        "payment_status": invoice.payment_status.value,
        "external_payment_obj_id": None,
        "external_payment_obj_type": None,
        "external_payment_obj_status": None,
        "invoice_pdf": None,
    }


def line_row(line: InvoiceLine, sold: tuple[Plan, PlanVersion] | None, subscription: Subscription | None) -> Row:
    """Return one line with the plan that it is by, if any, and the steps that lead to its amount."""
    return {
        "name": line.name,
        "kind": line.kind.value,
        "start_date": to_text(line.period.start),
        "end_date": to_text(max(line.period.start, last_instant(line.period.end))),
        "quantity": line.quantity,
        "billing_type": line.billing_type.value,
        "base": line.amount,
        "subtotal": line.amount,
        "adjustments": [],
        "amount": line.amount,
        "exact_amount": line.exact_amount,
        "plan_id": line.plan_id,
        "version_id": line.version_id,
        "plan": None if sold is None else _plan_row(*sold),
        "subscription_filters": [
            {"property_name": match.property_name, "value": match.value}
            for match in (() if subscription is None else subscription.matches)
        ],
        "subscription_id": None if subscription is None else subscription.subscription_id,
        "charge_id": line.charge_id,
        "metric_id": line.metric_id,
        "group": line.group,
        "refers_to": None if line.refers_to is None else reference_row(line.refers_to),
        "metadata": {},
        "steps": [step_row(step) for step in line.steps],
    }


def _plan_row(plan: Plan, version: PlanVersion) -> Row:
    return {
        "plan_name": plan.plan_name,
        "plan_id": plan.plan_id,
        "version_id": version.version_id,
        "version": version.version,
    }


def reference_row(reference: LineReference) -> Row:
    """Return which line of which invoice is corrected; `line` is its place, counted from 0."""
    return {
        "invoice_id": reference.invoice_id,
        "invoice_number": reference.invoice_number,
        "line": reference.line,
    }


def tax_row(tax: TaxSubtotal) -> Row:
    """Return what the lines of one rate come to."""
    return {
        "category": tax.rate.category.value,
        "rate_percent": tax.rate.percent,
        "base": tax.base,
        "amount": tax.tax,
    }


def step_row(step: Step) -> Row:
    """Return one step of a calculation."""
    return {"text": step.text, "quantity": step.quantity, "unit_price": step.unit_price, "amount": step.amount}
