"""Repositories that answer from what was read ahead for many subscriptions, as billing them one by one would ask.

Each answers exactly as the one that it is made from. What it does not know, that one is asked.
"""

from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast

import msgspec
from sqlalchemy import Connection
from typing_extensions import override

from lotus_server.adapters.records_sql.accounts import SqlCustomers, SqlOrganizations
from lotus_server.adapters.records_sql.backlog import Backlog
from lotus_server.adapters.records_sql.billed_periods import SqlBilledPeriods
from lotus_server.adapters.records_sql.changes import Notes
from lotus_server.adapters.records_sql.credits import SqlCreditLedger
from lotus_server.adapters.records_sql.discounts import SqlDiscounts
from lotus_server.adapters.records_sql.invoices import SqlInvoices, keep_number, last_numbers
from lotus_server.adapters.records_sql.metrics import SqlMetrics
from lotus_server.adapters.records_sql.pending_lines import SqlPendingLines
from lotus_server.adapters.records_sql.plans import SqlPlans
from lotus_server.adapters.records_sql.subscriptions import SqlSubscriptions
from lotus_server.domain.accounts import Customer, Organization
from lotus_server.domain.catalog import Plan, PlanVersion
from lotus_server.domain.credits import CreditAccount, CreditGrant, CreditPosting, HeldCredit
from lotus_server.domain.invoicing import BilledPeriod, Discount, Invoice, PendingLines
from lotus_server.domain.metering import Metric
from lotus_server.domain.subscriptions import Subscription
from lotus_server.kernel.quantity import ZERO, add, subtract

Found = TypeVar("Found")


class Known:
    """What was read ahead, as far as this transaction has not changed it since."""

    def __init__(self, connection: Connection, notes: Notes) -> None:
        """Know nothing yet, in a transaction that has begun."""
        self.backlog = Backlog(connection)
        # Everything that repositories call is there.
        self.connection = cast("Connection", self.backlog)
        self.notes = notes
        self.invoices: dict[tuple[str, str], Invoice | None] = {}
        self.last_numbers: dict[str, int] = {}
        self.discounts: dict[tuple[str, str], list[Discount]] = {}
        self.billed_periods: dict[tuple[str, str], list[BilledPeriod]] = {}
        self.billed_by_start: dict[tuple[str, str, datetime], BilledPeriod] = {}
        self.fully_billed: set[tuple[str, str]] = set()
        self.held: dict[tuple[str, str], dict[str, HeldCredit]] = {}
        self._answers: dict[tuple[str, Hashable], Any] = {}

    def once(self, table_name: str, question: Hashable, ask: Callable[[], Found]) -> Found:
        """Return the answer to a question about one table, which is asked once unless the table is written to."""
        if table_name in self.backlog.written_tables:
            return ask()
        key = (table_name, question)
        if key not in self._answers:
            self._answers[key] = ask()
        found: Found = self._answers[key]
        return found

    def read(
        self,
        subscriptions: Sequence[Subscription],
        causes: Sequence[str],
        at: datetime,
        without_past: frozenset[tuple[str, str]] = frozenset(),
    ) -> None:
        """Read what billing the subscriptions asks for until an instant, in as many queries for many as for one."""
        by_organization: dict[str, list[str]] = {}
        for subscription in subscriptions:
            by_organization.setdefault(subscription.organization_id, []).append(subscription.customer_id)
        # Everybody locks in this order: subscriptions, discounts, billed periods, grants,
        # series; and each kind in that of its keys.
        organization_ids = sorted(by_organization)
        for organization_id in organization_ids:
            self._read_customers(organization_id, sorted(set(by_organization[organization_id])), at, without_past)
            found = SqlInvoices(self.connection).by_causes(organization_id, causes)
            self.invoices.update({(organization_id, cause): found.get(cause) for cause in causes})
        self.last_numbers = last_numbers(self.connection, organization_ids)

    def _read_customers(
        self, organization_id: str, customer_ids: list[str], at: datetime, without_past: frozenset[tuple[str, str]]
    ) -> None:
        customers = SqlCustomers(self.connection, self.notes).many(organization_id, customer_ids)
        for customer_id, customer in customers.items():
            self._answers["customers", (organization_id, customer_id)] = customer
        discounts = SqlDiscounts(self.connection).of_customers(organization_id, customer_ids)
        looked_at = [each for each in customer_ids if (organization_id, each) not in without_past]
        billed = SqlBilledPeriods(self.connection).of_customers(organization_id, looked_at)
        for customer_id in looked_at:
            periods = billed.get(customer_id, [])
            self.billed_periods[organization_id, customer_id] = [period for period, _ in periods]
            self.billed_by_start.update({_start_of(period): period for period, _ in periods})
            self.fully_billed.update(
                (organization_id, period.subscription_id) for period, is_over in periods if is_over
            )
        ledger = SqlCreditLedger(self.connection, self.notes)
        standing = ledger.standing_of(organization_id, customer_ids)
        due = frozenset(ledger.due_among(organization_id, customer_ids, at))
        for customer_id in customer_ids:
            self.discounts[organization_id, customer_id] = discounts.get(customer_id, [])
            held = standing.get(customer_id, [])
            # Of others, time or a wallet may change what they have in the middle of the run.
            if customer_id not in due and not any(each.grant.is_prepaid for each in held):
                self.held[organization_id, customer_id] = {each.grant.credit_id: each for each in held}


class AheadOrganizations(SqlOrganizations):
    """The tenants, each read once."""

    def __init__(self, known: Known) -> None:
        """Answer from what is known."""
        super().__init__(known.connection, known.notes)
        self._known = known

    @override
    def get(self, organization_id: str, *, for_update: bool = False) -> Organization | None:
        ask = super().get
        if for_update:
            return ask(organization_id, for_update=True)
        return self._known.once("organizations", organization_id, lambda: ask(organization_id))


class AheadCustomers(SqlCustomers):
    """The customers, read ahead."""

    def __init__(self, known: Known) -> None:
        """Answer from what is known."""
        super().__init__(known.connection, known.notes)
        self._known = known

    @override
    def get(self, organization_id: str, customer_id: str, *, for_update: bool = False) -> Customer | None:
        ask = super().get
        if for_update:
            return ask(organization_id, customer_id, for_update=True)
        return self._known.once("customers", (organization_id, customer_id), lambda: ask(organization_id, customer_id))


class AheadMetrics(SqlMetrics):
    """The metrics, read once."""

    def __init__(self, known: Known) -> None:
        """Answer from what is known."""
        super().__init__(known.connection, known.notes)
        self._known = known

    @override
    def all(self, organization_id: str) -> list[Metric]:
        ask = super().all
        return self._known.once("metrics", organization_id, lambda: ask(organization_id))


class AheadPlans(SqlPlans):
    """The plans and their versions, each read once."""

    def __init__(self, known: Known) -> None:
        """Answer from what is known."""
        super().__init__(known.connection, known.notes)
        self._known = known

    @override
    def get(self, organization_id: str, plan_id: str) -> Plan | None:
        ask = super().get
        return self._known.once("plans", (organization_id, plan_id), lambda: ask(organization_id, plan_id))

    @override
    def version(self, organization_id: str, version_id: str) -> PlanVersion | None:
        ask = super().version
        key = ("one", organization_id, version_id)
        return self._known.once("plan_versions", key, lambda: ask(organization_id, version_id))

    @override
    def versions(self, organization_id: str, plan_id: str | None = None) -> list[PlanVersion]:
        ask = super().versions
        key = ("all", organization_id, plan_id)
        return self._known.once("plan_versions", key, lambda: ask(organization_id, plan_id))


class AheadDiscounts(SqlDiscounts):
    """The discounts of the customers that are billed, read ahead and locked."""

    def __init__(self, known: Known) -> None:
        """Answer from what is known."""
        super().__init__(known.connection)
        self._known = known

    @override
    def of_customer(self, organization_id: str, customer_id: str, *, for_update: bool = False) -> list[Discount]:
        found = self._known.discounts.get((organization_id, customer_id))
        return super().of_customer(organization_id, customer_id, for_update=for_update) if found is None else found

    @override
    def add(self, discount: Discount) -> None:
        self._known.discounts.pop((discount.organization_id, discount.customer_id), None)
        super().add(discount)

    @override
    def replace(self, discount: Discount) -> None:
        key = (discount.organization_id, discount.customer_id)
        if key in self._known.discounts:
            self._known.discounts[key] = [
                discount if each.discount_id == discount.discount_id else each for each in self._known.discounts[key]
            ]
        super().replace(discount)


class AheadSubscriptions(SqlSubscriptions):
    """The subscriptions; those that bill nothing any more are noticed."""

    def __init__(self, known: Known) -> None:
        """Tell what is known."""
        super().__init__(known.connection, known.notes)
        self._known = known

    @override
    def replace(self, subscription: Subscription) -> None:
        super().replace(subscription)
        if subscription.is_fully_billed:
            self._known.fully_billed.add((subscription.organization_id, subscription.subscription_id))


class AheadBilledPeriods(SqlBilledPeriods):
    """The billed periods of the customers that are billed, read ahead and locked."""

    def __init__(self, known: Known) -> None:
        """Answer from what is known."""
        super().__init__(known.connection)
        self._known = known

    @override
    def carried_by(
        self, organization_id: str, customer_id: str, subscription_id: str, currency: str
    ) -> list[BilledPeriod]:
        found = self._known.billed_periods.get((organization_id, customer_id))
        if found is None:
            return super().carried_by(organization_id, customer_id, subscription_id, currency)
        is_over = self._known.fully_billed
        return [
            each
            for each in found
            if each.currency == currency
            and (each.subscription_id == subscription_id or (organization_id, each.subscription_id) in is_over)
        ]

    @override
    def get(self, organization_id: str, subscription_id: str, period_start: datetime) -> BilledPeriod | None:
        found = self._known.billed_by_start.get((organization_id, subscription_id, period_start))
        return super().get(organization_id, subscription_id, period_start) if found is None else found

    @override
    def add(self, period: BilledPeriod) -> None:
        super().add(period)
        key = (period.organization_id, period.customer_id)
        if key in self._known.billed_periods:
            found = [*self._known.billed_periods[key], period]
            self._known.billed_periods[key] = sorted(found, key=lambda each: (each.subscription_id, each.starts_at))
            self._known.billed_by_start[_start_of(period)] = period

    @override
    def replace(self, period: BilledPeriod) -> None:
        super().replace(period)
        key = (period.organization_id, period.customer_id)
        if key in self._known.billed_periods:
            place = (period.subscription_id, period.starts_at)
            self._known.billed_periods[key] = [
                period if (each.subscription_id, each.starts_at) == place else each
                for each in self._known.billed_periods[key]
            ]
            self._known.billed_by_start[_start_of(period)] = period


def _start_of(period: BilledPeriod) -> tuple[str, str, datetime]:
    """Return what names a billed period among those of all organizations."""
    return period.organization_id, period.subscription_id, period.starts_at


class AheadInvoices(SqlInvoices):
    """The invoices, of which those that may exist already are known, and the series, which are locked."""

    def __init__(self, known: Known) -> None:
        """Answer from what is known."""
        super().__init__(known.connection)
        self._known = known

    @override
    def add(self, invoice: Invoice) -> None:
        super().add(invoice)
        self._known.invoices[invoice.organization_id, invoice.cause] = invoice

    @override
    def by_cause(self, organization_id: str, cause: str) -> Invoice | None:
        key = (organization_id, cause)
        return self._known.invoices[key] if key in self._known.invoices else super().by_cause(organization_id, cause)

    @override
    def take_number(self, organization_id: str) -> int:
        if organization_id not in self._known.last_numbers:
            return super().take_number(organization_id)
        number = self._known.last_numbers[organization_id] = self._known.last_numbers[organization_id] + 1
        keep_number(self._known.connection, organization_id, number)
        return number


class AheadPendingLines(SqlPendingLines):
    """The lines that wait, of which it is known whose there are any."""

    def __init__(self, known: Known) -> None:
        """Answer from what is known."""
        super().__init__(known.connection)
        self._known = known

    @override
    def customers(self, organization_id: str) -> frozenset[str]:
        ask = super().customers
        return self._known.once("pending_lines", organization_id, lambda: ask(organization_id))

    @override
    def has_cause(self, organization_id: str, cause: str) -> bool:
        return bool(self.customers(organization_id)) and super().has_cause(organization_id, cause)

    @override
    def waiting(self, organization_id: str, customer_id: str) -> list[PendingLines]:
        if customer_id not in self.customers(organization_id):
            return []
        return super().waiting(organization_id, customer_id)


class AheadCredits(SqlCreditLedger):
    """The ledger, of which the grants of customers whom only invoices change are known and locked."""

    def __init__(self, known: Known) -> None:
        """Answer from what is known."""
        super().__init__(known.connection, known.notes)
        self._known = known

    @override
    def is_due(self, organization_id: str, customer_id: str, at: datetime) -> bool:
        return (organization_id, customer_id) not in self._known.held and super().is_due(
            organization_id, customer_id, at
        )

    @override
    def held(self, organization_id: str, customer_id: str, currency: str, at: datetime) -> list[HeldCredit]:
        found = self._known.held.get((organization_id, customer_id))
        if found is None:
            return super().held(organization_id, customer_id, currency, at)
        return [each for each in found.values() if each.grant.currency == currency and each.grant.pays_at(at)]

    @override
    def add_grant(self, grant: CreditGrant) -> None:
        super().add_grant(grant)
        key = (grant.organization_id, grant.customer_id)
        if grant.due_at is not None or grant.is_prepaid:
            self._known.held.pop(key, None)
        elif key in self._known.held:
            self._known.held[key][grant.credit_id] = HeldCredit(grant, ZERO)

    @override
    def replace_grant(self, grant: CreditGrant) -> None:
        super().replace_grant(grant)
        self._known.held.pop((grant.organization_id, grant.customer_id), None)

    @override
    def add(self, posting: CreditPosting) -> None:
        super().add(posting)
        held = self._known.held.get((posting.organization_id, posting.customer_id))
        if held is None:
            return
        known = held[posting.credit_id]
        remaining = known.remaining
        if posting.source is CreditAccount.AVAILABLE:
            remaining = subtract(remaining, posting.amount)
        if posting.target is CreditAccount.AVAILABLE:
            remaining = add(remaining, posting.amount)
        held[posting.credit_id] = msgspec.structs.replace(known, remaining=remaining)
