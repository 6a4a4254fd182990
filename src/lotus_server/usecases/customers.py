"""Customers."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import msgspec

from lotus_server.domain.accounts import Customer, InvoiceGrouping, Organization, TaxStatus
from lotus_server.domain.invoicing import Invoice, PaymentStatus
from lotus_server.domain.subscriptions import Status, Subscription
from lotus_server.kernel.currencies import CURRENCIES
from lotus_server.kernel.errors import FieldProblem, Invalid, NotFound, Problems
from lotus_server.kernel.identifiers import identifier_problem, name_problem
from lotus_server.kernel.money import total
from lotus_server.kernel.quantity import ZERO
from lotus_server.kernel.zones import UTC_NAME, is_time_zone
from lotus_server.ports.listing import EVERY_CUSTOMER, CustomerQuestion
from lotus_server.ports.records import Page, Transaction
from lotus_server.usecases.credit_settlement import balances_at
from lotus_server.usecases.services import Services, present
from lotus_server.usecases.subscription_views import SubscriptionView, views_of

NAME_LENGTH_MAX: Final = 500
BATCH_MAX: Final = 1_000
_CHANGEABLE: Final = frozenset(
    {
        "customer_name",
        "email",
        "currency",
        "payment_provider",
        "payment_provider_id",
        "properties",
        "address",
        "billing_address",
        "shipping_address",
        "tax_rate",
        "tax_status",
        "tax_id",
        "timezone",
        "invoice_grouping",
    }
)


class ExistingBehavior(StrEnum):
    """What a batch does with a customer that exists.

    Leave it, fill in what is sent, or put what is sent in its place.
    """

    IGNORE = "ignore"
    MERGE = "merge"
    OVERWRITE = "overwrite"


class CustomerDraft(msgspec.Struct, frozen=True):
    """A customer to be made. Without a currency it is billed in the organization's, without a time zone in UTC.

    Without a tax status it is taxable. `problems` are those that reading the input found already; they are reported
    together with the others.
    """

    customer_id: str
    customer_name: str = ""
    email: str | None = None
    currency: str | None = None
    payment_provider: str | None = None
    payment_provider_id: str | None = None
    properties: dict[str, Any] = msgspec.field(default_factory=dict)
    address: dict[str, Any] | None = None
    billing_address: dict[str, Any] | None = None
    shipping_address: dict[str, Any] | None = None
    tax_rate: Decimal | None = None
    tax_status: TaxStatus | None = None
    tax_id: str | None = None
    timezone: str | None = None
    invoice_grouping: InvoiceGrouping | None = None
    problems: tuple[FieldProblem, ...] = ()


class Taken(StrEnum):
    """What became of a draft that was taken in beside what there was already."""

    MADE = "made"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class CustomerView(msgspec.Struct, frozen=True):
    """A customer with what belongs to it.

    The balance in its currency, its invoices without lines, its active subscriptions.
    """

    customer: Customer
    balance: Decimal
    invoices: tuple[Invoice, ...]
    subscriptions: tuple[SubscriptionView, ...]
    organization: Organization

    @property
    def total_amount_due(self) -> Decimal:
        """Return what is still to be paid, over all unpaid invoices in the customer's currency."""
        unpaid = [invoice for invoice in self.invoices if invoice.payment_status is PaymentStatus.UNPAID]
        return total(invoice.amount_due for invoice in unpaid if invoice.currency == self.customer.currency)


def create_customer(services: Services, organization: Organization, draft: CustomerDraft) -> CustomerView:
    """Make a customer. Raises Invalid with every problem, Conflict `customer_exists`."""
    _validate(draft)
    customer = _new_customer(services, organization, draft)
    with services.records.transaction() as tx:
        tx.customers.add(customer)
    return CustomerView(customer, ZERO, (), (), organization)


def create_customers(
    services: Services, organization: Organization, drafts: list[CustomerDraft], behavior: ExistingBehavior
) -> dict[str, str]:
    """Make many customers in one transaction, and return the reason for each that could not be made, by its id."""
    ids = [draft.customer_id for draft in drafts]
    with services.records.transaction() as tx:
        known = tx.customers.many(organization.organization_id, ids)
        verdicts, touched = take_in_customers(services, organization, drafts, known, behavior)
        for customer_id, customer in touched.items():
            keep = tx.customers.replace if customer_id in known else tx.customers.add
            keep(customer)
    return {
        draft.customer_id: verdict.detail
        for draft, verdict in zip(drafts, verdicts, strict=True)
        if isinstance(verdict, Invalid)
    }


def take_in_customers(
    services: Services,
    organization: Organization,
    drafts: Sequence[CustomerDraft],
    known: Mapping[str, Customer],
    behavior: ExistingBehavior,
) -> tuple[list[Taken | Invalid], dict[str, Customer]]:
    """Return what becomes of each draft, one after the other, and how the customers are then that are not as before.

    `known` are those of the drafts' customers that exist. A draft with problems is answered with Invalid, which has all
    of them, and hinders no other.
    """
    verdicts: list[Taken | Invalid] = []
    current, touched = dict(known), dict[str, Customer]()
    for draft in drafts:
        try:
            _validate(draft)
        except Invalid as error:
            verdicts.append(error)
            continue
        existing = current.get(draft.customer_id)
        new = _beside(services, organization, draft, existing, behavior)
        if new == existing:
            verdicts.append(Taken.UNCHANGED)
            continue
        current[draft.customer_id] = touched[draft.customer_id] = new
        verdicts.append(Taken.MADE if existing is None else Taken.CHANGED)
    return verdicts, touched


def _beside(
    services: Services,
    organization: Organization,
    draft: CustomerDraft,
    existing: Customer | None,
    behavior: ExistingBehavior,
) -> Customer:
    """Return the customer that a draft comes to beside the one that exists."""
    if existing is None:
        return _new_customer(services, organization, draft)
    if behavior is ExistingBehavior.IGNORE:
        return existing
    if behavior is ExistingBehavior.MERGE:
        return _merged(existing, draft)
    new = _new_customer(services, organization, draft)
    return msgspec.structs.replace(new, created_at=existing.created_at)


def change_customer(
    services: Services, organization: Organization, draft: CustomerDraft, sent: frozenset[str]
) -> CustomerView:
    """Change those fields of a customer that were sent; null or an empty text clears what can be empty.

    Raises Invalid with every problem, NotFound `customer_not_found`.
    """
    _validate(draft)
    with services.records.transaction() as tx:
        existing = require_customer(tx, organization, draft.customer_id, for_update=True)
        said = {name: getattr(draft, name) for name in sent & _CHANGEABLE}
        if "currency" in said:
            said["currency"] = draft.currency or existing.currency
        if "timezone" in said:
            said["timezone"] = draft.timezone or UTC_NAME
        if "tax_status" in said:
            said["tax_status"] = draft.tax_status or TaxStatus.TAXABLE
        if "payment_provider_id" in said:
            said["payment_provider"] = _provider(draft, existing.payment_provider)
        tx.customers.replace(msgspec.structs.replace(existing, **said))
        return _views(services, tx, organization, [require_customer(tx, organization, draft.customer_id)])[0]


def _merged(existing: Customer, draft: CustomerDraft) -> Customer:
    """Return a customer with what a draft says and everything else as it was; properties are merged key by key."""
    draft = msgspec.structs.replace(draft, payment_provider=_provider(draft, existing.payment_provider))
    said = {
        name: value
        for name, value in msgspec.structs.asdict(draft).items()
        if name != "problems" and value not in (None, "", {})
    }
    if "properties" in said:
        said["properties"] = {**existing.properties, **draft.properties}
    return msgspec.structs.replace(existing, **said)


def _new_customer(services: Services, organization: Organization, draft: CustomerDraft) -> Customer:
    return Customer(
        organization_id=organization.organization_id,
        customer_id=draft.customer_id,
        customer_name=draft.customer_name,
        created_at=present(services, organization),
        currency=draft.currency or organization.default_currency,
        email=draft.email,
        payment_provider=_provider(draft, None),
        payment_provider_id=draft.payment_provider_id,
        properties=draft.properties,
        address=draft.address,
        billing_address=draft.billing_address,
        shipping_address=draft.shipping_address,
        tax_rate=draft.tax_rate,
        tax_status=draft.tax_status or TaxStatus.TAXABLE,
        tax_id=draft.tax_id,
        timezone=draft.timezone or UTC_NAME,
        invoice_grouping=draft.invoice_grouping,
    )


def _provider(draft: CustomerDraft, known: str | None) -> str | None:
    """Return who knows the customer by its payment_provider_id: as said, as known before, or Stripe."""
    return draft.payment_provider or (known or "stripe" if draft.payment_provider_id else None)


def list_customers(
    services: Services, organization: Organization, page: Page, question: CustomerQuestion = EVERY_CUSTOMER
) -> list[CustomerView]:
    """Return the customers asked for in the order of their ids."""
    with services.records.snapshot() as tx:
        customers = tx.customers.page(organization.organization_id, page, question, present(services, organization))
        return _views(services, tx, organization, customers)


def get_customer(services: Services, organization: Organization, customer_id: str) -> CustomerView:
    """Return one customer. Raises NotFound `customer_not_found`."""
    with services.records.snapshot() as tx:
        return _views(services, tx, organization, [require_customer(tx, organization, customer_id)])[0]


def require_customer(
    tx: Transaction, organization: Organization, customer_id: str, *, for_update: bool = False
) -> Customer:
    """Return a customer of the organization; `for_update` keeps others waiting who ask so for the same customer.

    Raises NotFound `customer_not_found`.
    """
    customer = tx.customers.get(organization.organization_id, customer_id, for_update=for_update)
    if customer is None:
        raise NotFound(f"There is no customer {customer_id!r}.", code="customer_not_found")
    return customer


def _views(
    services: Services, tx: Transaction, organization: Organization, customers: list[Customer]
) -> list[CustomerView]:
    """Return customers with what belongs to them, in a fixed number of queries whatever the number of customers."""
    now = present(services, organization)
    ids = [customer.customer_id for customer in customers]
    balances = balances_at(tx, organization.organization_id, ids, now)
    invoices = tx.invoices.of_customers(organization.organization_id, ids)
    subscriptions = tx.subscriptions.of_customers(organization.organization_id, ids)
    views = {view.subscription.subscription_id: view for view in views_of(tx, organization, _flat(subscriptions), now)}
    return [
        CustomerView(
            customer,
            balances.get((customer.customer_id, customer.currency), ZERO),
            tuple(invoices.get(customer.customer_id, ())),
            tuple(
                views[subscription.subscription_id]
                for subscription in subscriptions.get(customer.customer_id, ())
                if subscription.status_at(now) is Status.ACTIVE and subscription.parent_id is None
            ),
            organization,
        )
        for customer in customers
    ]


def _flat(subscriptions: dict[str, list[Subscription]]) -> list[Subscription]:
    return [subscription for found in subscriptions.values() for subscription in found]


def _validate(draft: CustomerDraft) -> None:
    problems = Problems()
    problems.extend(draft.problems)
    wrong = identifier_problem(draft.customer_id)
    if wrong:
        problems.add("customer_id", "invalid", f"customer_id {wrong}.")
    for field, text in (("customer_name", draft.customer_name), ("email", draft.email or "")):
        if text and (wrong := name_problem(text, length_max=NAME_LENGTH_MAX)):
            problems.add(field, "invalid", f"{field} {wrong}.")
    if draft.email and "@" not in draft.email:
        problems.add("email", "invalid", "email must be an e-mail address.")
    if draft.currency is not None and draft.currency not in CURRENCIES:
        problems.add("currency", "unknown_currency", f"{draft.currency!r} is not an ISO 4217 currency code.")
    for field, small in _small_texts(draft):
        if small and (wrong := name_problem(small)):
            problems.add(field, "invalid", f"{field} {wrong}.")
    _check_zone(draft, problems)
    if draft.payment_provider and not draft.payment_provider_id:
        problems.add("payment_provider_id", "required", "A payment_provider needs a payment_provider_id.")
    if draft.tax_rate is not None and not 0 <= draft.tax_rate <= 100:
        problems.add("tax_rate", "invalid", "tax_rate is a percentage from 0 to 100.")
    problems.raise_if_any()


def _check_zone(draft: CustomerDraft, problems: Problems) -> None:
    if draft.timezone is not None and not is_time_zone(draft.timezone):
        problems.add("timezone", "unknown_timezone", f"{draft.timezone!r} is not a time zone, such as Europe/Berlin.")


def _small_texts(draft: CustomerDraft) -> Iterator[tuple[str, str | None]]:
    yield "tax_id", draft.tax_id
    yield "payment_provider", draft.payment_provider
    yield "payment_provider_id", draft.payment_provider_id
    for field in ("address", "billing_address", "shipping_address"):
        for name, text in (getattr(draft, field) or {}).items():
            yield f"{field}.{name}", text
