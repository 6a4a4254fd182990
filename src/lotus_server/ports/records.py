"""The records: everything but events.

Organizations, keys, customers, catalog, subscriptions, invoices, the credit ledger. A use case opens one transaction,
which commits when the block ends and rolls back when it raises. Uniqueness is kept by the database: `add` raises
Conflict when the thing exists. Every look-up takes the organization, so no tenant can reach another's rows. Every
adapter passes `tests/contracts/test_records.py`.
"""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

import msgspec

from lotus_server.domain.accounts import ApiKey, Organization
from lotus_server.domain.catalog import Feature, Plan, PlanVersion, PricingUnit
from lotus_server.domain.invoicing import Invoice
from lotus_server.domain.metering import Metric
from lotus_server.domain.subscriptions import Subscription
from lotus_server.ports.analytics_records import Figures, RevenueBook
from lotus_server.ports.audit_records import AuditLog
from lotus_server.ports.credit_records import CreditLedger, CreditSchedules, Wallets
from lotus_server.ports.customer_records import Customers, Subscriptions
from lotus_server.ports.imports import Imports
from lotus_server.ports.invoice_reading import EVERY_INVOICE, InvoiceQuestion, InvoiceSum
from lotus_server.ports.invoicing_records import (
    BilledPeriods,
    BillingRuns,
    Coupons,
    CreditNotes,
    Discounts,
    SpendWatches,
    WaitingLines,
)
from lotus_server.ports.listing import (
    Outstanding,
    SoldAs,
)
from lotus_server.ports.logos import Logos
from lotus_server.ports.paging import Page as Page  # noqa: PLC0414 - a part of this port
from lotus_server.ports.people_records import People
from lotus_server.ports.portals import Portals


class Organizations(Protocol):
    """The tenants."""

    def add(self, organization: Organization) -> None:
        """Keep a new organization. Raises Conflict `organization_exists`."""
        ...

    def get(self, organization_id: str, *, for_update: bool = False) -> Organization | None:
        """Return one organization; `for_update` lets transactions that ask so for the same one go one by one."""
        ...

    def all(self) -> list[Organization]:
        """Return every organization, oldest first."""
        ...

    def with_running_clock(self) -> list[Organization]:
        """Return the sandboxes whose clock runs, oldest first."""
        ...

    def replace(self, organization: Organization) -> None:
        """Keep new values of an existing organization."""
        ...


class ApiKeys(Protocol):
    """The API keys, by the hash of their secret."""

    def add(self, key: ApiKey) -> None:
        """Keep a new key. Raises Conflict `api_key_exists`."""
        ...

    def by_hash(self, secret_hash: str) -> ApiKey | None:
        """Return the key of a hash, of whichever organization, revoked or not."""
        ...

    def all(self, organization_id: str) -> list[ApiKey]:
        """Return an organization's keys, oldest first, revoked ones too."""
        ...

    def get(self, organization_id: str, key_id: str) -> ApiKey | None:
        """Return one key."""
        ...

    def replace(self, key: ApiKey) -> None:
        """Keep new values of an existing key."""
        ...

    def note_use(self, key_ids: Sequence[str], used_at: datetime) -> None:
        """Keep when keys were last used. Does not count as a change that empties caches."""
        ...


class Metrics(Protocol):
    """The metrics."""

    def add(self, metric: Metric) -> None:
        """Keep a new metric.

        Raises Conflict `metric_exists` for the id, `metric_name_exists` for a name that an unarchived one has, and
        `metric_replaced` when another one replaces the same metric.
        """
        ...

    def get(self, organization_id: str, metric_id: str) -> Metric | None:
        """Return one metric."""
        ...

    def all(self, organization_id: str) -> list[Metric]:
        """Return all metrics, archived ones too, in the order in which they were made."""
        ...

    def replace(self, metric: Metric) -> None:
        """Keep new values of an existing metric."""
        ...


class Features(Protocol):
    """The features."""

    def add(self, feature: Feature) -> None:
        """Keep a new feature.

        Raises Conflict `feature_exists` for the id, `feature_name_exists` for a name that an unarchived one has.
        """
        ...

    def get(self, organization_id: str, feature_id: str) -> Feature | None:
        """Return one feature."""
        ...

    def all(self, organization_id: str) -> list[Feature]:
        """Return all features, archived ones too, in the order in which they were made."""
        ...

    def replace(self, feature: Feature) -> None:
        """Keep new values of an existing feature."""
        ...


class Plans(Protocol):
    """The plans and their versions."""

    def add(self, plan: Plan) -> None:
        """Keep a new plan. Raises Conflict `plan_exists`."""
        ...

    def get(self, organization_id: str, plan_id: str) -> Plan | None:
        """Return one plan."""
        ...

    def all(self, organization_id: str) -> list[Plan]:
        """Return all plans and add-ons, archived ones too, in the order in which they were made."""
        ...

    def replace(self, plan: Plan) -> None:
        """Keep new values of an existing plan."""
        ...

    def add_version(self, version: PlanVersion) -> None:
        """Keep a new version. Raises Conflict `plan_version_exists` for the id or for (plan, number)."""
        ...

    def version(self, organization_id: str, version_id: str) -> PlanVersion | None:
        """Return one version."""
        ...

    def sold_as(self, organization_id: str, version_ids: Sequence[str]) -> dict[str, SoldAs]:
        """Return what versions are called, by version id, in one query."""
        ...

    def versions(self, organization_id: str, plan_id: str | None = None) -> list[PlanVersion]:
        """Return the versions of one plan or of all, in the order of plan and number."""
        ...

    def replace_version(self, version: PlanVersion) -> None:
        """Keep when and to whom an existing version is sold, and what replaces it; its terms stay as they are."""
        ...


class PricingUnits(Protocol):
    """The pricing units of an organization's own."""

    def add(self, unit: PricingUnit) -> None:
        """Keep a new unit. Raises Conflict `pricing_unit_exists`."""
        ...

    def get(self, organization_id: str, code: str) -> PricingUnit | None:
        """Return one unit."""
        ...

    def all(self, organization_id: str) -> list[PricingUnit]:
        """Return all units in the order in which they were made."""
        ...


class Invoices(Protocol):
    """The invoices with their lines."""

    def add(self, invoice: Invoice) -> None:
        """Keep a new invoice. Raises Conflict `invoice_exists` when its cause was invoiced before."""
        ...

    def by_cause(self, organization_id: str, cause: str) -> Invoice | None:
        """Return the invoice that bills a cause."""
        ...

    def get(self, organization_id: str, invoice_id: str, *, for_update: bool = False) -> Invoice | None:
        """Return one invoice; `for_update` keeps everybody else from changing it until the transaction ends."""
        ...

    def page(self, organization_id: str, page: Page, question: InvoiceQuestion = EVERY_INVOICE) -> list[Invoice]:
        """Return the invoices asked for, in the order asked for; `page.after` is an invoice id."""
        ...

    def heads(self, organization_id: str, page: Page, question: InvoiceQuestion = EVERY_INVOICE) -> list[Invoice]:
        """Return what `page` does, without their lines."""
        ...

    def sums(self, organization_id: str, question: InvoiceQuestion = EVERY_INVOICE) -> list[InvoiceSum]:
        """Return what the invoices asked for come to, by status, then currency, only where there are any."""
        ...

    def of_customers(self, organization_id: str, customer_ids: Sequence[str]) -> dict[str, list[Invoice]]:
        """Return the invoices of several customers without their lines, newest number first, in one query."""
        ...

    def outstanding(self, organization_id: str, customer_ids: Sequence[str]) -> dict[str, Outstanding]:
        """Return what is due on the unpaid invoices of several customers, by customer; who owes nothing is left out."""
        ...

    def take_number(self, organization_id: str) -> int:
        """Return the next number of the organization's series 1, 2, 3....

        A rolled-back transaction gives its number back.
        """
        ...

    def replace_status(self, invoice: Invoice) -> None:
        """Keep an invoice's new payment status, and what credit notes have taken off it."""
        ...


class StoredReply(msgspec.Struct, frozen=True):
    """The reply to a request that carried an `Idempotency-Key`, kept to be given again.

    `request_hash` tells a true repeat from another request.
    """

    organization_id: str
    key: str
    request_hash: str
    status: int
    body: bytes
    created_at: datetime


class Replies(Protocol):
    """The stored replies."""

    def add(self, reply: StoredReply) -> None:
        """Keep a reply. Raises Conflict `idempotency_key_exists`."""
        ...

    def get(self, organization_id: str, key: str) -> StoredReply | None:
        """Return the reply of a key."""
        ...


class Transaction(Protocol):
    """Everything that can be read and written within one transaction."""

    @property
    def organizations(self) -> Organizations:
        """The tenants."""
        ...

    @property
    def logos(self) -> Logos:
        """The logos of organizations."""
        ...

    @property
    def portals(self) -> Portals:
        """The portals of organizations."""
        ...

    @property
    def imports(self) -> Imports:
        """The imports."""
        ...

    @property
    def api_keys(self) -> ApiKeys:
        """The API keys."""
        ...

    @property
    def customers(self) -> Customers:
        """The customers."""
        ...

    @property
    def metrics(self) -> Metrics:
        """The metrics."""
        ...

    @property
    def features(self) -> Features:
        """The features."""
        ...

    @property
    def plans(self) -> Plans:
        """The plans and their versions."""
        ...

    @property
    def pricing_units(self) -> PricingUnits:
        """The pricing units."""
        ...

    @property
    def subscriptions(self) -> Subscriptions:
        """The subscriptions."""
        ...

    @property
    def invoices(self) -> Invoices:
        """The invoices."""
        ...

    @property
    def billed_periods(self) -> BilledPeriods:
        """The periods whose usage was invoiced."""
        ...

    @property
    def billing_runs(self) -> BillingRuns:
        """The billing runs under way."""
        ...

    @property
    def spend_watches(self) -> SpendWatches:
        """The subscriptions whose usage is compared with thresholds."""
        ...

    @property
    def pending_lines(self) -> WaitingLines:
        """The lines that wait for their customer's next invoice."""
        ...

    @property
    def coupons(self) -> Coupons:
        """The coupons."""
        ...

    @property
    def discounts(self) -> Discounts:
        """The discounts that customers have."""
        ...

    @property
    def credit_notes(self) -> CreditNotes:
        """The credit notes."""
        ...

    @property
    def credits(self) -> CreditLedger:
        """The credit ledger."""
        ...

    @property
    def credit_schedules(self) -> CreditSchedules:
        """The schedules by which credit is given."""
        ...

    @property
    def wallets(self) -> Wallets:
        """The settings of wallets, and the top-ups wanted."""
        ...

    @property
    def revenue(self) -> RevenueBook:
        """Revenue by day."""
        ...

    @property
    def figures(self) -> Figures:
        """What there is, counted."""
        ...

    @property
    def replies(self) -> Replies:
        """The stored replies."""
        ...

    @property
    def people(self) -> People:
        """The people who sign in."""
        ...

    @property
    def audit(self) -> AuditLog:
        """Who changed what."""
        ...

    def read_ahead(
        self,
        subscriptions: Sequence[Subscription],
        causes: Sequence[str],
        at: datetime,
        *,
        without_past: Collection[tuple[str, str]] = (),
    ) -> AbstractContextManager["Transaction"]:
        """Open a part of this transaction in which billing subscriptions that are claimed costs no query for each.

        What is asked about them until an instant, and the invoices of causes, are read at the beginning, in a number of
        queries that does not depend on how many they are; what is written is written together, at the end at the
        latest. It answers as this transaction would, but may raise a Conflict only at its end. While it is open, it is
        used instead of this transaction. The billed periods of customers in `without_past`, given as (organization id,
        customer id), are not read before anybody asks for them.
        """
        ...


class Change(msgspec.Struct, frozen=True):
    """A note that something cached may be stale: of one customer, or (null) anything of the organization."""

    organization_id: str
    customer_id: str | None


class Records(Protocol):
    """A database of records."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Open a transaction that may write; it commits when the block ends and rolls back when it raises."""
        ...

    def snapshot(self) -> AbstractContextManager[Transaction]:
        """Open a transaction that only reads, and sees one state throughout."""
        ...

    def changes(self) -> list[Change] | None:
        """Return what changed since this was last called, in microseconds when nothing did.

        Null means anything may have changed. It sees every transaction that had committed before the call, of this
        process and of others. Changes of organizations, keys, metrics, features and plans concern the whole
        organization, those of customers, subscriptions and credits one customer. For a single caller that keeps the
        cache.
        """
        ...

    def close(self) -> None:
        """Release every connection."""
        ...
