"""Exact sums in SQL: of NUMERIC by PostgreSQL itself, of canonical decimal text by two whole sums in SQLite.

SQLite's own sum of such a column is a binary float. Its sums of whole numbers are exact, so what stands before the
point is added up apart from what stands behind it. A row that does not fit is told, and then Python adds up.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Integer,
    Select,
    Text,
    case,
    cast,
    func,
    literal_column,
    select,
    type_coerce,
)

from lotus_server.kernel.quantity import EXACT, add, plain

# Of nine million rows with the greatest numbers that fit, the sums are still below 2^63.
_WHOLE_DIGITS_MAX: Final = 12
_FRACTION_DIGITS_MAX: Final = 6

Keys = tuple[Any, ...]


def sums_by(
    connection: Connection,
    keys: Sequence[ColumnElement[Any]],
    amounts: Sequence[Column[Decimal]],
    query: "Query",
    parameters: dict[str, Any],
) -> dict[Keys, tuple[Decimal, ...]]:
    """Return the exact sum of each amount by the values of some columns, of the rows that `query` chooses."""
    if connection.dialect.name == "postgresql":
        totals = [type_coerce(func.sum(amount), amount.type) for amount in amounts]
        rows = connection.execute(query.of(*keys, *totals).group_by(*keys), parameters)
        return {tuple(row[: len(keys)]): tuple(row[len(keys) :]) for row in rows}
    parts = [part for amount in amounts for part in _whole_sums(amount)]
    found: dict[Keys, tuple[Decimal, ...]] = {}
    for row in connection.execute(query.of(*keys, *parts).group_by(*keys), parameters):
        numbers = row[len(keys) :]
        if any(numbers[2::3]):
            return _added_up(connection, keys, amounts, query, parameters)
        found[tuple(row[: len(keys)])] = tuple(
            _joined(whole, fraction) for whole, fraction in zip(numbers[::3], numbers[1::3], strict=True)
        )
    return found


def _joined(whole: int, fraction: int) -> Decimal:
    if not fraction:
        return Decimal(whole)
    return Decimal(plain(EXACT.add(Decimal(whole), Decimal(fraction).scaleb(-_FRACTION_DIGITS_MAX))))


class Query:
    """The rows to add up: a choice of columns is made later."""

    def __init__(self, *conditions: ColumnElement[bool]) -> None:
        """Choose the rows that meet all conditions."""
        self._conditions = conditions

    def of(self, *columns: ColumnElement[Any]) -> Select[Any]:
        """Return the statement that reads columns of the chosen rows."""
        return select(*columns).where(*self._conditions)


def _whole_sums(amount: Column[Decimal]) -> tuple[ColumnElement[Any], ...]:
    written = type_coerce(amount, Text)
    point = func.instr(written, ".")
    before = case((point == 0, written), else_=func.substr(written, 1, point - 1))
    behind = case((point == 0, ""), else_=func.substr(written, point + 1))
    digits = func.substr(behind.concat("0" * _FRACTION_DIGITS_MAX), 1, _FRACTION_DIGITS_MAX)
    sign = case((func.substr(written, 1, 1) == "-", -1), else_=1)
    fits = (func.length(before) <= _WHOLE_DIGITS_MAX) & (func.length(behind) <= _FRACTION_DIGITS_MAX)
    whole = case((fits, cast(before, BigInteger)), else_=literal_column("0"))
    fraction = case((fits, cast(digits, BigInteger) * sign), else_=literal_column("0"))
    misfit = case((fits, literal_column("0")), else_=literal_column("1"))
    return tuple(type_coerce(func.sum(part), Integer) for part in (whole, fraction, misfit))


def _added_up(
    connection: Connection,
    keys: Sequence[ColumnElement[Any]],
    amounts: Sequence[Column[Decimal]],
    query: Query,
    parameters: dict[str, Any],
) -> dict[Keys, tuple[Decimal, ...]]:
    found: dict[Keys, tuple[Decimal, ...]] = {}
    for row in connection.execute(query.of(*keys, *amounts), parameters):
        key, values = tuple(row[: len(keys)]), tuple(row[len(keys) :])
        before = found.get(key)
        found[key] = values if before is None else tuple(add(*pair) for pair in zip(before, values, strict=True))
    return found
