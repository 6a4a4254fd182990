"""Customers on the wire."""

from typing import Any

from pydantic import Field

from lotus_server.domain.accounts import TaxStatus
from lotus_server.kernel.errors import Invalid, Problems
from lotus_server.usecases.customers import BATCH_MAX, CustomerDraft, CustomerView, ExistingBehavior
from lotus_server.wire.addresses import AddressForm
from lotus_server.wire.forms import Form, Number, Text, choice, currency_code, currency_row, read, required
from lotus_server.wire.free_form import free_form
from lotus_server.wire.groupings import invoice_grouping_of
from lotus_server.wire.invoices import light_invoice_row
from lotus_server.wire.subscriptions import subscription_record

Row = dict[str, Any]


class CustomerForm(Form):
    """A customer to be made. Only `customer_id` is required."""

    customer_id: Text = None
    customer_name: Text = None
    email: Text = None
    currency: Text = None
    default_currency_code: Text = None
    payment_provider: Text = None
    payment_provider_id: Text = None
    properties: dict[str, Any] | None = None
    address: AddressForm | None = None
    billing_address: AddressForm | None = None
    shipping_address: AddressForm | None = None
    tax_rate: Number = None
    tax_status: Text = None
    tax_id: Text = None
    invoice_grouping: Text = Field(
        None,
        description="subscription, customer or customer_and_requests: what is on one invoice; as the organization has "
        "it when missing.",
    )
    timezone: Text = Field(
        None, description="On whose wall clock its billing periods begin, such as Europe/Berlin; UTC."
    )


class BatchForm(Form):
    """Customers to be made at once; `behavior_on_existing` says what happens to those that exist."""

    customers: list[CustomerForm] | None = None
    behavior_on_existing: Text = None


def customer_batch(payload: object) -> tuple[list[CustomerDraft], ExistingBehavior]:
    """Return the drafts of a batch. Raises Invalid with every problem of every customer."""
    problems = Problems()
    rest = dict(payload) if isinstance(payload, dict) else payload
    entries = rest.pop("customers", None) if isinstance(rest, dict) else None
    form = read(BatchForm, rest, problems)
    behaviors = {each.value: each for each in ExistingBehavior}
    behavior = choice(problems, "behavior_on_existing", form.behavior_on_existing, behaviors, ExistingBehavior.IGNORE)
    if not isinstance(entries, list) or not entries:
        problems.add("customers", "required", "customers must be a list with at least one customer.")
        entries = []
    if len(entries) > BATCH_MAX:
        problems.add("customers", "too_many", f"A batch has at most {BATCH_MAX} customers.")
        entries = []
    drafts: list[CustomerDraft] = []
    for index, entry in enumerate(entries):
        try:
            draft = customer_draft(entry)
            problems.extend(draft.problems, f"customers[{index}].")
            drafts.append(draft)
        except Invalid:
            problems.add(f"customers[{index}]", "invalid", f"customers[{index}] must be an object.")
    problems.raise_if_any()
    return drafts, behavior


def customer_draft(payload: object) -> CustomerDraft:
    """Return the draft that a body describes, with the problems found in it. Raises Invalid for what is no object."""
    problems = Problems()
    form = read(CustomerForm, payload, problems)
    customer_id = required(problems, "customer_id", form.customer_id)
    properties = free_form(problems, "properties", form.properties)
    return CustomerDraft(
        customer_id=customer_id,
        customer_name=form.customer_name or "",
        email=form.email or None,
        currency=currency_code(form.currency or form.default_currency_code),
        payment_provider=form.payment_provider or None,
        payment_provider_id=form.payment_provider_id or None,
        properties=properties,
        address=form.address.to_fields() if form.address else None,
        billing_address=form.billing_address.to_fields() if form.billing_address else None,
        shipping_address=form.shipping_address.to_fields() if form.shipping_address else None,
        tax_rate=form.tax_rate,
        tax_status=_tax_status(form.tax_status, problems),
        tax_id=form.tax_id or None,
        timezone=form.timezone or None,
        invoice_grouping=invoice_grouping_of(problems, form.invoice_grouping),
        problems=problems.found,
    )


def customer_change(customer_id: str, payload: object) -> tuple[CustomerDraft, frozenset[str]]:
    """Return the draft of a change, and the names of the fields that the body sends, null included.

    Raises Invalid for what is no object, and for another id than that of the path.
    """
    if not isinstance(payload, dict):
        raise Invalid("The body must be a JSON object.", code="malformed_body")
    if payload.get("customer_id", customer_id) != customer_id:
        raise Invalid.field("customer_id", "unchangeable", "A customer keeps its customer_id.")
    sent = {"currency" if name == "default_currency_code" else name for name in payload}
    return customer_draft({**payload, "customer_id": customer_id}), frozenset(sent)


def _tax_status(text: str | None, problems: Problems) -> TaxStatus | None:
    return (
        None
        if text is None
        else choice(problems, "tax_status", text, {each.value: each for each in TaxStatus}, TaxStatus.TAXABLE)
    )


def customer_row(view: CustomerView) -> Row:
    """Return a customer as every generation of clients reads it."""
    customer = view.customer
    return {
        "customer_id": customer.customer_id,
        "customer_name": customer.customer_name,
        "balance": view.balance,
        "email": customer.email,
        "default_currency": currency_row(customer.currency),
        "payment_provider": customer.payment_provider,
        "payment_provider_id": customer.payment_provider_id,
        "has_payment_method": False,
        "integrations": _integrations(view),
        "invoices": [
            light_invoice_row(invoice, view.organization, timezone=customer.timezone) for invoice in view.invoices
        ],
        "subscriptions": [subscription_record(each) for each in view.subscriptions],
        "total_amount_due": view.total_amount_due,
        "address": customer.address,
        "billing_address": customer.billing_address,
        "shipping_address": customer.shipping_address,
        "tax_rate": customer.tax_rate,
        "tax_status": customer.tax_status.value,
        "tax_id": customer.tax_id,
        "timezone": customer.timezone,
        "invoice_grouping": None if customer.invoice_grouping is None else customer.invoice_grouping.value,
        "tax_providers": [],
        "properties": customer.properties,
    }


def _integrations(view: CustomerView) -> Row:
    customer = view.customer
    if customer.payment_provider is None:
        return {}
    linked = {f"{customer.payment_provider}_id": customer.payment_provider_id, "has_payment_method": False}
    return {customer.payment_provider: linked}
