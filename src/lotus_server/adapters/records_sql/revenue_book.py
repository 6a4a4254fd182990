"""Revenue by day, summed up in the order in which invoices and credit notes were made."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, exists, func, select, type_coerce
from sqlalchemy.dialects import postgresql

from lotus_server.adapters.records_sql.analytics_tables import REVENUE_DAYS, REVENUE_MARKS, REVENUE_VOIDS
from lotus_server.adapters.records_sql.discount_tables import CREDIT_NOTES
from lotus_server.adapters.records_sql.rows import of_tenant, portions
from lotus_server.adapters.records_sql.tables import INVOICES
from lotus_server.adapters.records_sql.types import Structured
from lotus_server.domain.analytics import Basis, Dimension, RevenueSum, SoldInvoice, SoldLine, Takeback
from lotus_server.domain.invoicing import PaymentStatus
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import multiply, plain
from lotus_server.ports.analytics_records import Booked, RevenueMark

_UNITS: Final = Decimal(10_000)
_UNIT: Final = Decimal("0.0001")
# Of nine million low parts the sum is still a number that a column holds.
_PART: Final = 10**12
_HIGH_MAX: Final = 10**18
# Read without what revenue does not need, which is most of a line.
_SOLD: Final = (
    INVOICES.c.cause,
    INVOICES.c.customer_id,
    INVOICES.c.currency,
    INVOICES.c.issued_at,
    type_coerce(INVOICES.c.lines, Structured(tuple[SoldLine, ...])),
    INVOICES.c.taxes,
    INVOICES.c.prices_include_tax,
    INVOICES.c.discounts,
)
_MARK: Final = select(*(REVENUE_MARKS.c[name] for name in RevenueMark.__struct_fields__)).where(
    of_tenant(REVENUE_MARKS)
)
_MARK_FOR_UPDATE: Final = _MARK.with_for_update()
_ADD_MARK: Final = (
    postgresql.insert(REVENUE_MARKS)
    .values(organization_id=bindparam("organization_id"), invoices=0, credit_notes=0)
    .on_conflict_do_nothing()
)
_MOVE_MARK: Final = (
    REVENUE_MARKS.update()
    .where(REVENUE_MARKS.c.organization_id == bindparam("key_organization_id"))
    .values(invoices=bindparam("new_invoices"), credit_notes=bindparam("new_credit_notes"))
)
_FORGET: Final = tuple(table.delete().where(of_tenant(table)) for table in (REVENUE_DAYS, REVENUE_VOIDS))
_RESET_MARK: Final = (
    REVENUE_MARKS.update()
    .where(REVENUE_MARKS.c.organization_id == bindparam("key_organization_id"))
    .values(invoices=0, credit_notes=0, timezone=bindparam("new_timezone"))
)
_NEWEST: Final = tuple(
    select(func.coalesce(func.max(table.c.made_number), 0)).where(of_tenant(table))
    for table in (INVOICES, CREDIT_NOTES)
)
_NEXT_INVOICES: Final = (
    select(INVOICES.c.made_number, *_SOLD)
    .where(of_tenant(INVOICES), INVOICES.c.made_number > bindparam("after"))
    .order_by(INVOICES.c.made_number, INVOICES.c.invoice_id)
)
_NEXT_CREDIT_NOTES: Final = (
    select(CREDIT_NOTES.c.made_number, CREDIT_NOTES.c.issued_at, CREDIT_NOTES.c.amounts, *_SOLD)
    .join(
        INVOICES,
        (INVOICES.c.organization_id == CREDIT_NOTES.c.organization_id)
        & (INVOICES.c.invoice_id == CREDIT_NOTES.c.invoice_id),
    )
    .where(of_tenant(CREDIT_NOTES), CREDIT_NOTES.c.made_number > bindparam("after"))
    .order_by(CREDIT_NOTES.c.made_number, CREDIT_NOTES.c.credit_note_id)
)
_ANY_TAKEN_OUT: Final = (
    select(REVENUE_VOIDS.c.invoice_id)
    .where(of_tenant(REVENUE_VOIDS), REVENUE_VOIDS.c.invoice_id.in_(bindparam("invoice_ids", expanding=True)))
    .limit(1)
)
_TAKEN_OUT: Final = exists().where(
    REVENUE_VOIDS.c.organization_id == INVOICES.c.organization_id, REVENUE_VOIDS.c.invoice_id == INVOICES.c.invoice_id
)
_VOIDED: Final = (
    select(INVOICES.c.invoice_id, *_SOLD)
    .where(
        of_tenant(INVOICES),
        INVOICES.c.payment_status == PaymentStatus.VOIDED,
        INVOICES.c.made_number <= bindparam("until"),
        ~_TAKEN_OUT,
    )
    .order_by(INVOICES.c.made_number, INVOICES.c.invoice_id)
    .limit(bindparam("limit"))
)
_ANY_VOIDED: Final = (
    select(INVOICES.c.invoice_id)
    .where(
        of_tenant(INVOICES),
        INVOICES.c.payment_status == PaymentStatus.VOIDED,
        INVOICES.c.made_number <= bindparam("until"),
        ~_TAKEN_OUT,
    )
    .limit(1)
)
_GROUP: Final = (
    of_tenant(REVENUE_DAYS)
    & (REVENUE_DAYS.c.basis == bindparam("basis"))
    & (REVENUE_DAYS.c.dimension == bindparam("dimension"))
)
_WRITE = postgresql.insert(REVENUE_DAYS)
_KEEP: Final = _WRITE.on_conflict_do_update(
    index_elements=list(REVENUE_DAYS.primary_key),
    set_={
        "amount_high": REVENUE_DAYS.c.amount_high + _WRITE.excluded.amount_high,
        "amount_low": REVENUE_DAYS.c.amount_low + _WRITE.excluded.amount_low,
    },
)
_IN_WINDOW: Final = (REVENUE_DAYS.c.day >= bindparam("start")) & (REVENUE_DAYS.c.day < bindparam("end"))
_BY_DAY: Final = (
    select(
        REVENUE_DAYS.c.currency,
        REVENUE_DAYS.c.key,
        REVENUE_DAYS.c.day,
        REVENUE_DAYS.c.amount_high,
        REVENUE_DAYS.c.amount_low,
    )
    .where(_GROUP, _IN_WINDOW)
    .order_by(REVENUE_DAYS.c.currency, REVENUE_DAYS.c.key, REVENUE_DAYS.c.day)
)
_BY_KEY: Final = (
    select(
        REVENUE_DAYS.c.currency,
        REVENUE_DAYS.c.key,
        func.sum(REVENUE_DAYS.c.amount_high),
        func.sum(REVENUE_DAYS.c.amount_low),
    )
    .where(_GROUP, _IN_WINDOW)
    .group_by(REVENUE_DAYS.c.currency, REVENUE_DAYS.c.key)
)


def _split(amount: Decimal) -> tuple[int, int]:
    """Return an amount at the minor unit of a currency as its high and its low part.

    No currency has smaller units than 1/10,000. What is beyond a column, 10^26, counts as the greatest that fits.
    """
    units = int(multiply(amount, _UNITS))
    high, low = divmod(abs(units), _PART)
    high = min(high, _HIGH_MAX)
    return (high, low) if units >= 0 else (-high, -low)


def _joined(high: int, low: int) -> Decimal:
    return Decimal(plain(multiply(Decimal(int(high) * _PART + int(low)), _UNIT)))


class SqlRevenueBook:
    """Revenue by day."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def is_behind(self, organization_id: str) -> bool:
        """Tell whether anything of an organization is not summed up yet."""
        keys = {"organization_id": organization_id}
        row = self._connection.execute(_MARK, keys).first()
        mark = RevenueMark(*row) if row is not None else RevenueMark()
        newest = [self._connection.execute(statement, keys).scalar_one() for statement in _NEWEST]
        if newest != [mark.invoices, mark.credit_notes]:
            return True
        return self._connection.execute(_ANY_VOIDED, {**keys, "until": mark.invoices}).first() is not None

    def timezone(self, organization_id: str) -> str:
        """Return the time zone whose days the sums are of."""
        row = self._connection.execute(_MARK, {"organization_id": organization_id}).first()
        return (RevenueMark() if row is None else RevenueMark(*row)).timezone

    def begin_anew(self, organization_id: str, timezone: str) -> None:
        """Forget all sums; those to come are of the days of a time zone."""
        keys = {"organization_id": organization_id}
        for statement in (_ADD_MARK, *_FORGET):
            self._connection.execute(statement, keys)
        self._connection.execute(_RESET_MARK, {"key_organization_id": organization_id, "new_timezone": timezone})

    def next(self, organization_id: str, limit: int) -> Booked:
        """Return what is to be summed up next."""
        keys = {"organization_id": organization_id}
        row = self._connection.execute(_MARK, keys).first()
        mark = RevenueMark() if row is None else RevenueMark(*row)
        invoices = self._connection.execute(_NEXT_INVOICES.limit(limit), {**keys, "after": mark.invoices}).fetchall()
        notes = self._connection.execute(
            _NEXT_CREDIT_NOTES.limit(limit), {**keys, "after": mark.credit_notes}
        ).fetchall()
        after = RevenueMark(
            invoices[-1][0] if invoices else mark.invoices, notes[-1][0] if notes else mark.credit_notes
        )
        voided = self._connection.execute(_VOIDED, {**keys, "until": after.invoices, "limit": limit})
        return Booked(
            tuple(_sold(row, 1) for row in invoices),
            tuple(Takeback(_sold(row, 3), row[1], row[2].lines) for row in notes),
            tuple((row[0], _sold(row, 1)) for row in voided),
            msgspec.structs.replace(after, timezone=mark.timezone),
            mark,
        )

    def keep(self, organization_id: str, sums: Sequence[RevenueSum], booked: Booked) -> bool:
        """Add sums to those that are kept, and remember what they were made from; not what is in them already."""
        keys = {"organization_id": organization_id}
        self._connection.execute(_ADD_MARK, keys)
        # From here on nobody else keeps anything, so that what is asked still holds when it is written.
        is_next = RevenueMark(*self._connection.execute(_MARK_FOR_UPDATE, keys).one()) == booked.before
        if not is_next or self._has_any_void(keys, [invoice_id for invoice_id, _ in booked.voided]):
            return False
        if sums:
            self._connection.execute(_KEEP, [_row(organization_id, each) for each in sums])
        mark = booked.mark
        self._connection.execute(
            _MOVE_MARK,
            {
                "key_organization_id": organization_id,
                "new_invoices": mark.invoices,
                "new_credit_notes": mark.credit_notes,
            },
        )
        if booked.voided:
            rows = [{"organization_id": organization_id, "invoice_id": invoice_id} for invoice_id, _ in booked.voided]
            self._connection.execute(REVENUE_VOIDS.insert(), rows)
        return True

    def _has_any_void(self, keys: dict[str, str], invoice_ids: Sequence[str]) -> bool:
        return any(
            self._connection.execute(_ANY_TAKEN_OUT, {**keys, "invoice_ids": some}).first() is not None
            for some in portions(invoice_ids)
        )

    def by_day(
        self, organization_id: str, basis: Basis, dimension: Dimension, window: Period
    ) -> list[tuple[str, str, datetime, Decimal]]:
        """Return currency, key, day and amount of each day of a window that has any."""
        rows = self._connection.execute(_BY_DAY, _question(organization_id, basis, dimension, window))
        return [(row[0], row[1], row[2], _joined(row[3], row[4])) for row in rows]

    def by_key(
        self, organization_id: str, basis: Basis, dimension: Dimension, window: Period
    ) -> dict[tuple[str, str], Decimal]:
        """Return what a window comes to by currency and key."""
        rows = self._connection.execute(_BY_KEY, _question(organization_id, basis, dimension, window))
        return {(row[0], row[1]): _joined(row[2], row[3]) for row in rows}


def _row(organization_id: str, added: RevenueSum) -> dict[str, Any]:
    high, low = _split(added.amount)
    return {
        "organization_id": organization_id,
        "basis": added.basis,
        "dimension": added.dimension,
        "day": added.day,
        "currency": added.currency,
        "key": added.key,
        "amount_high": high,
        "amount_low": low,
    }


def _sold(row: Sequence[Any], start: int) -> SoldInvoice:
    return SoldInvoice(*row[start:])


def _question(organization_id: str, basis: Basis, dimension: Dimension, window: Period) -> dict[str, Any]:
    return {
        "organization_id": organization_id,
        "basis": basis,
        "dimension": dimension,
        "start": window.start,
        "end": window.end,
    }
