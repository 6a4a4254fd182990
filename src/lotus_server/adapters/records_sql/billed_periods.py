"""The periods whose usage was invoiced, with what was invoiced for it so far."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, bindparam, func, or_, select

from lotus_server.adapters.records_sql.billing_tables import BILLED_PERIODS
from lotus_server.adapters.records_sql.rows import Insert, Replace, Unique, Values, can_lock, of_tenant, portions
from lotus_server.adapters.records_sql.tables import INVOICES, SUBSCRIPTIONS
from lotus_server.domain.invoicing import BilledPeriod, PaymentStatus
from lotus_server.kernel.period import Period
from lotus_server.ports.invoicing_records import BilledExtent

_INSERT: Final = Insert(
    BILLED_PERIODS,
    [
        Unique(
            ("organization_id", "subscription_id", "period_start"),
            "billed_period_exists",
            "This period was invoiced already.",
        )
    ],
)
_REPLACE: Final = Replace(
    BILLED_PERIODS,
    ("held_end", "version_id", "invoice_id", "invoice_number", "terms", "lines", "usage_digest"),
    "billed period",
)
_ONE: Final = select(*BILLED_PERIODS.c).where(
    of_tenant(BILLED_PERIODS),
    BILLED_PERIODS.c.subscription_id == bindparam("subscription_id"),
    BILLED_PERIODS.c.period_start == bindparam("period_start"),
)
_OF_CUSTOMER: Final = (
    select(*BILLED_PERIODS.c)
    .join(
        INVOICES,
        and_(
            INVOICES.c.organization_id == BILLED_PERIODS.c.organization_id,
            INVOICES.c.invoice_id == BILLED_PERIODS.c.invoice_id,
        ),
    )
    .where(
        of_tenant(BILLED_PERIODS),
        BILLED_PERIODS.c.customer_id == bindparam("customer_id"),
        INVOICES.c.payment_status != PaymentStatus.VOIDED,
    )
    .order_by(BILLED_PERIODS.c.subscription_id, BILLED_PERIODS.c.period_start)
)
_OF_CUSTOMER_FOR_UPDATE: Final = _OF_CUSTOMER.with_for_update(of=BILLED_PERIODS)
_OF_CUSTOMERS_FOR_UPDATE: Final = (
    select(*BILLED_PERIODS.c, SUBSCRIPTIONS.c.is_fully_billed)
    .join(
        INVOICES,
        and_(
            INVOICES.c.organization_id == BILLED_PERIODS.c.organization_id,
            INVOICES.c.invoice_id == BILLED_PERIODS.c.invoice_id,
        ),
    )
    .join(
        SUBSCRIPTIONS,
        and_(
            SUBSCRIPTIONS.c.organization_id == BILLED_PERIODS.c.organization_id,
            SUBSCRIPTIONS.c.subscription_id == BILLED_PERIODS.c.subscription_id,
        ),
    )
    .where(
        of_tenant(BILLED_PERIODS),
        BILLED_PERIODS.c.customer_id.in_(bindparam("customer_ids", expanding=True)),
        INVOICES.c.payment_status != PaymentStatus.VOIDED,
    )
    .order_by(BILLED_PERIODS.c.subscription_id, BILLED_PERIODS.c.period_start)
    .with_for_update(of=BILLED_PERIODS)
)
_CARRIED_BY: Final = _OF_CUSTOMER.join(
    SUBSCRIPTIONS,
    and_(
        SUBSCRIPTIONS.c.organization_id == BILLED_PERIODS.c.organization_id,
        SUBSCRIPTIONS.c.subscription_id == BILLED_PERIODS.c.subscription_id,
    ),
).where(
    BILLED_PERIODS.c.currency == bindparam("currency"),
    or_(BILLED_PERIODS.c.subscription_id == bindparam("carried_by"), SUBSCRIPTIONS.c.is_fully_billed),
)
# SQLite has no row locks and needs none: there, a transaction that may write is alone from its beginning.
_CARRIED_BY_FOR_UPDATE: Final = _CARRIED_BY.with_for_update(of=BILLED_PERIODS)
_OF_ENDED: Final = (
    select(SUBSCRIPTIONS.c.customer_id, func.count(), func.max(BILLED_PERIODS.c.held_end))
    .join(
        BILLED_PERIODS,
        and_(
            BILLED_PERIODS.c.organization_id == SUBSCRIPTIONS.c.organization_id,
            BILLED_PERIODS.c.subscription_id == SUBSCRIPTIONS.c.subscription_id,
        ),
    )
    .where(
        of_tenant(SUBSCRIPTIONS),
        SUBSCRIPTIONS.c.customer_id.in_(bindparam("customer_ids", expanding=True)),
        SUBSCRIPTIONS.c.is_fully_billed,
    )
    .group_by(SUBSCRIPTIONS.c.customer_id)
)


def billed_period_to_row(value: BilledPeriod) -> Values:
    """Return a billed period's columns."""
    return {
        "organization_id": value.organization_id,
        "subscription_id": value.subscription_id,
        "period_start": value.held.start,
        "held_end": value.held.end,
        "customer_id": value.customer_id,
        "currency": value.currency,
        "version_id": value.version_id,
        "invoice_id": value.invoice_id,
        "invoice_number": value.invoice_number,
        "terms": value.terms,
        "lines": value.lines,
        "usage_digest": value.usage_digest,
    }


def billed_period_from_row(row: Sequence[Any]) -> BilledPeriod:
    """Return the billed period of a row whose columns are in the order of the table."""
    fields = [*row[:2], Period(row[2], row[3]), *row[4:]]
    return BilledPeriod(*fields)


class SqlBilledPeriods:
    """The periods whose usage was invoiced."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def add(self, period: BilledPeriod) -> None:
        _INSERT(self._connection, billed_period_to_row(period))

    def get(self, organization_id: str, subscription_id: str, period_start: datetime) -> BilledPeriod | None:
        keys = {"organization_id": organization_id, "subscription_id": subscription_id, "period_start": period_start}
        row = self._connection.execute(_ONE, keys).first()
        return None if row is None else billed_period_from_row(row)

    def of_customer(self, organization_id: str, customer_id: str, *, for_update: bool = False) -> list[BilledPeriod]:
        query = _OF_CUSTOMER_FOR_UPDATE if for_update and can_lock(self._connection) else _OF_CUSTOMER
        return self._read(query, {"organization_id": organization_id, "customer_id": customer_id})

    def carried_by(
        self, organization_id: str, customer_id: str, subscription_id: str, currency: str
    ) -> list[BilledPeriod]:
        keys = {
            "organization_id": organization_id,
            "customer_id": customer_id,
            "carried_by": subscription_id,
            "currency": currency,
        }
        return self._read(_CARRIED_BY_FOR_UPDATE if can_lock(self._connection) else _CARRIED_BY, keys)

    def of_customers(
        self, organization_id: str, customer_ids: Sequence[str]
    ) -> dict[str, list[tuple[BilledPeriod, bool]]]:
        """Return every billed period of several customers in that order, locked as `carried_by` does.

        Beside each, whether its subscription bills nothing any more. No key without any.
        """
        found: dict[str, list[tuple[BilledPeriod, bool]]] = {}
        for some in portions(customer_ids):
            keys = {"organization_id": organization_id, "customer_ids": some}
            for row in self._connection.execute(_OF_CUSTOMERS_FOR_UPDATE, keys):
                *columns, is_fully_billed = row
                period = billed_period_from_row(columns)
                found.setdefault(period.customer_id, []).append((period, is_fully_billed))
        return found

    def of_ended(self, organization_id: str, customer_ids: Sequence[str]) -> dict[str, BilledExtent]:
        found: dict[str, BilledExtent] = {}
        for some in portions(customer_ids):
            keys = {"organization_id": organization_id, "customer_ids": some}
            rows = self._connection.execute(_OF_ENDED, keys)
            found.update((customer_id, BilledExtent(*extent)) for customer_id, *extent in rows)
        return found

    def replace(self, period: BilledPeriod) -> None:
        _REPLACE(self._connection, billed_period_to_row(period))

    def _read(self, query: Select[Any], keys: Values) -> list[BilledPeriod]:
        return [billed_period_from_row(row) for row in self._connection.execute(query, keys)]
