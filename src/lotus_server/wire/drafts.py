"""Draft invoices on the wire: the seed's form and the later clients'."""

from typing import Any, Final

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.domain.invoicing import InvoiceLine, LineKind
from lotus_server.domain.subscriptions import last_instant
from lotus_server.kernel.instants import to_text
from lotus_server.kernel.money import total
from lotus_server.usecases.drafts import Draft
from lotus_server.wire.discounts import applied_row
from lotus_server.wire.explain import draft_explanations, explanation_row
from lotus_server.wire.fields import INTERVALS, day_text
from lotus_server.wire.forms import currency_row
from lotus_server.wire.invoices import line_row, step_row, tax_row

Row = dict[str, Any]
# What the lines of one group have in common is said of the group.
_OF_THE_GROUP: Final = frozenset({"plan", "plan_id", "version_id", "subscription_filters"})


def draft_row(draft: Draft, customer: Customer, organization: Organization, *, explains: bool = False) -> Row:
    """Return what a subscription owes so far, in the seed's form; `explains` adds to each line why it is that much."""
    terms, version = draft.terms, draft.terms.version
    totals = draft.totals
    lines = [line_row(line, draft.sold(line), terms.subscription) for line in draft.lines]
    if explains:
        for row, explanation in zip(lines, draft_explanations(draft, customer), strict=True):
            row["explanation"] = explanation_row(explanation)
    flat = total(line.amount for line in draft.lines if line.kind in {LineKind.RECURRING, LineKind.PREPAID})
    usage = total(line.amount for line in draft.lines if line.kind is LineKind.USAGE)
    return {
        "cost_due": totals.gross,
        "cost_due_currency": version.currency,
        "cust_connected_to_payment_provider": customer.payment_provider_id is not None,
        "org_connected_to_cust_payment_provider": False,
        "line_items": {
            "components": _components(draft),
            "usage_revenue_due": usage,
            "flat_revenue_due": flat,
            "total_revenue_due": totals.subtotal,
        },
        "discounts": [applied_row(each) for each in totals.discounts],
        "taxes": [tax_row(each) for each in totals.taxes],
        "lines": lines,
        "common_invoice": _common_row(draft),
        "organization": {"company_name": organization.name},
        "customer": {"customer_name": customer.customer_name, "customer_id": customer.customer_id},
        "subscription": {
            "start_date": day_text(draft.period.start, terms.subscription.timezone),
            "end_date": day_text(last_instant(draft.period.end), terms.subscription.timezone),
            "subscription_id": terms.subscription.subscription_id,
            "billing_plan": {
                "name": terms.plan.plan_name,
                "description": terms.plan.description,
                "currency": version.currency,
                "interval": INTERVALS[terms.plan.duration],
                "flat_rate": version.flat_rate,
                "pay_in_advance": version.is_paid_in_advance,
                "billing_plan_id": terms.plan.plan_id,
            },
        },
    }


def _common_row(draft: Draft) -> Row | None:
    """Return the invoice that a draft comes on together with those of other subscriptions."""
    if draft.common is None:
        return None
    totals = draft.common.totals
    return {
        "subscription_ids": list(draft.common.subscription_ids),
        "cost_due": totals.gross,
        "discounts": [applied_row(each) for each in totals.discounts],
        "taxes": [tax_row(each) for each in totals.taxes],
    }


def _components(draft: Draft) -> Row:
    """Return the usage lines by metric name, and group if the usage is grouped.

    A further component of the same metric gets a number behind the name.
    """
    rows: Row = {}
    for line in draft.lines:
        if line.kind is LineKind.USAGE:
            name, number = _component_name(line), 2
            key = name
            while key in rows:
                key, number = f"{name} ({number})", number + 1
            rows[key] = {
                "usage_qty": line.quantity,
                "revenue": line.amount,
                "details": [step_row(step) for step in line.steps],
            }
    return rows


def _component_name(line: InvoiceLine) -> str:
    if not line.group:
        return line.name
    values = ", ".join(f"{name}={value or ''}" for name, value in line.group.items())
    return f"{line.name} ({values})"


def later_draft(drafts: list[Draft]) -> Row:
    """Return the drafts of a customer in the later clients' form: one invoice per currency."""
    by_currency: dict[str, list[Draft]] = {}
    for draft in drafts:
        by_currency.setdefault(draft.terms.version.currency, []).append(draft)
    return {"invoices": [_invoice(code, found) for code, found in sorted(by_currency.items())]}


def _invoice(code: str, drafts: list[Draft]) -> Row:
    # What comes on one invoice is discounted and taxed there, and counts once.
    together = {id(draft.common): draft.common.totals for draft in drafts if draft.common is not None}
    alone = [draft.totals for draft in drafts if draft.common is None]
    due = total(each.gross for each in (*together.values(), *alone))
    start, end = min(draft.period.start for draft in drafts), max(draft.period.end for draft in drafts)
    return {
        "invoice_id": None,
        "invoice_number": None,
        "cost_due": due,
        "amount": due,
        "currency": currency_row(code),
        "issue_date": None,
        "due_date": None,
        "start_date": to_text(start),
        "end_date": to_text(last_instant(end)),
        "external_payment_obj_id": None,
        "external_payment_obj_type": None,
        "external_payment_obj_status": None,
        "payment_status": "draft",
        "line_items": [_group(draft) for draft in drafts],
    }


def _group(draft: Draft) -> Row:
    base = total(line.amount for line in draft.lines)
    return {
        "plan_name": draft.terms.plan.plan_name,
        "subscription_filters": [
            {"property_name": match.property_name, "value": match.value} for match in draft.terms.subscription.matches
        ],
        "base": base,
        "amount": base,
        "start_date": to_text(draft.period.start),
        "end_date": to_text(last_instant(draft.period.end)),
        "sub_items": [_sub_item(draft, line) for line in draft.lines],
    }


def _sub_item(draft: Draft, line: InvoiceLine) -> Row:
    row = line_row(line, draft.sold(line), draft.terms.subscription)
    return {key: value for key, value in row.items() if key not in _OF_THE_GROUP}
