"""Why lines have their amounts: in JSON, and as text."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import msgspec

from lotus_server.domain.accounts import Customer
from lotus_server.domain.catalog import Plan, PlanVersion
from lotus_server.domain.invoicing import (
    AppliedDiscount,
    Condition,
    EventListing,
    Explanation,
    Measured,
    TaxSubtotal,
    explain,
    sentences,
)
from lotus_server.kernel.currencies import currency
from lotus_server.kernel.instants import to_text
from lotus_server.kernel.money import round_to_minor_unit
from lotus_server.kernel.quantity import plain
from lotus_server.usecases.drafts import Draft
from lotus_server.usecases.invoices import InvoiceView

Row = dict[str, Any]


def explanation_row(explanation: Explanation) -> Row:
    """Return one line's explanation: what was measured, the steps, the rounding, the terms, and it all in words."""
    line = explanation.line
    return {
        "text": list(sentences(explanation)),
        "quantity": line.quantity,
        "group": line.group,
        "measured": None if explanation.measured is None else _measured_row(explanation.measured, line.metric_id),
        "period": {"start": to_text(line.period.start), "end": to_text(line.period.end)},
        "steps": [
            {"text": step.text, "quantity": step.quantity, "unit_price": step.unit_price, "amount": step.amount}
            for step in explanation.steps
        ],
        "rounding": {
            "exact_amount": line.exact_amount,
            "amount": line.amount,
            "currency": explanation.code,
            "decimal_places": explanation.exponent,
            "mode": "half_up",
        },
        "plan": None if explanation.sold is None else _plan_row(*explanation.sold),
        "events": None if explanation.events is None else _events_row(explanation.events),
    }


def _plan_row(plan: Plan, version: PlanVersion) -> Row:
    return {
        "plan_id": plan.plan_id,
        "plan_name": plan.plan_name,
        "version_id": version.version_id,
        "version": version.version,
    }


def invoice_explanation_row(view: InvoiceView) -> Row:
    """Return an invoice's explanation: of each line, and how the lines become the total."""
    invoice = view.invoice
    return {
        "invoice_id": invoice.invoice_id,
        "invoice_number": invoice.invoice_number,
        "currency": invoice.currency,
        "lines": [
            {"name": each.line.name, "amount": each.line.amount, "explanation": explanation_row(each)}
            for each in invoice_explanations(view)
        ],
        "subtotal": invoice.subtotal,
        "credit_applied": invoice.credit_applied,
        "total": invoice.total,
        "text": invoice_text(view).splitlines(),
    }


def invoice_explanations(view: InvoiceView) -> list[Explanation]:
    """Return the explanation of each line of an invoice."""
    customer_id, code = view.customer.customer_id, view.invoice.currency
    return [explain(line, view.sold(line), customer_id=customer_id, code=code) for line in view.invoice.lines]


def draft_explanations(draft: Draft, customer: Customer) -> list[Explanation]:
    """Return the explanation of each line of a draft."""
    customer_id, code = customer.customer_id, draft.terms.version.currency
    return [explain(line, draft.sold(line), customer_id=customer_id, code=code) for line in draft.lines]


def invoice_text(view: InvoiceView) -> str:
    """Return an invoice's explanation as text, which ends in what is to pay."""
    invoice, code = view.invoice, view.invoice.currency
    head = (
        f"Invoice {invoice.invoice_number} of {invoice.issued_at:%Y-%m-%d} for {view.customer.customer_name} "
        f"({view.customer.customer_id})"
    )
    foot = _sum(invoice.subtotal, invoice.discounts, invoice.taxes, code, is_included=invoice.prices_include_tax)
    if invoice.credit_applied:
        foot.append(f"{_money(invoice.credit_applied, code)} is paid from credit.")
    if invoice.credited:
        foot.append(f"{_money(invoice.credited, code)} is taken off by credit notes.")
    if invoice.gross < 0:
        foot.append("A sum below zero is granted as credit.")
    return _text(head, invoice_explanations(view), [*foot, f"= {_money(invoice.amount_due, code)}"])


def draft_text(draft: Draft, customer: Customer) -> str:
    """Return a draft's explanation as text, which ends in what would be due."""
    code = draft.terms.version.currency
    head = (
        f"Draft for {customer.customer_name} ({customer.customer_id}), subscription "
        f"{draft.terms.subscription.subscription_id} to {draft.terms.plan.plan_name}"
    )
    totals = draft.totals
    foot = _sum(totals.subtotal, totals.discounts, totals.taxes, code, is_included=draft.terms.tax.is_included)
    return _text(head, draft_explanations(draft, customer), [*foot, f"= {_money(totals.gross, code)}"])


def _sum(
    subtotal: Decimal,
    discounts: tuple[AppliedDiscount, ...],
    taxes: tuple[TaxSubtotal, ...],
    code: str,
    *,
    is_included: bool,
) -> list[str]:
    """Return how lines become what is due before credit: their sum, what is taken off, and the tax of each rate."""
    verb = "contains" if is_included else "adds"
    return [
        f"The lines sum to {_money(subtotal, code)}.",
        *(f"{each.name} takes {_money(each.amount, code)} off." for each in discounts),
        *(
            f"Tax of {plain(each.rate.percent)} % on {_money(each.base, code)} {verb} {_money(each.tax, code)}."
            for each in taxes
        ),
    ]


def _money(amount: Decimal, code: str) -> str:
    """Return an amount with all the decimal places of its currency."""
    return f"{round_to_minor_unit(amount, currency(code)):f} {code}"


def _text(head: str, explanations: Iterable[Explanation], foot: list[str]) -> str:
    blocks = [head]
    for explanation in explanations:
        first, *others = sentences(explanation)
        if explanation.events is not None:
            others.insert(-1, f"Its events: GET {_path(explanation.events)}")
        blocks.append("\n".join([first, *(f"  {each}" for each in others)]))
    return "\n\n".join([*blocks, "\n".join(foot)]) + "\n"


def _measured_row(measured: Measured, metric_id: str | None) -> Row:
    return {
        "metric_id": metric_id,
        "metric_name": measured.metric_name,
        "metric_version": measured.metric_version,
        "metric_type": measured.metric_type,
        "event_name": measured.event_name,
        "aggregation_type": measured.aggregation,
        "property_name": measured.property_name,
        "expression": measured.expression,
        "filters": [_condition_row(condition) for condition in measured.conditions],
        "text": measured.aggregated,
        "counted": measured.counted,
        "skipped": measured.skipped,
        "left_out": [{"start": to_text(each.start), "end": to_text(each.end)} for each in measured.without],
    }


def _condition_row(condition: Condition) -> Row:
    value = None if condition.value is None else msgspec.Raw(condition.value.encode())  # JSON already
    return {"property": condition.property_name, "operator": condition.operator, "value": value}


def _events_row(events: EventListing) -> Row:
    return {
        "path": _path(events),
        "customer_id": events.customer_id,
        "event_name": events.event_name,
        "start": to_text(events.start),
        "end": to_text(events.end),
        "filters": [_condition_row(condition) for condition in events.conditions],
    }


def _path(events: EventListing) -> str:
    query = {
        "customer_id": events.customer_id,
        "event_name": events.event_name,
        "start": to_text(events.start),
        "end": to_text(events.end),
    }
    return f"/api/events/?{urlencode(query, safe=':')}"
