"""Column types: how a value of the domain lies in a database, the same value coming back from either one.

The reasons are in `docs/decisions/0004-exact-values-and-change-notes-in-sql.md`.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import BigInteger, Dialect, Numeric, Text, TypeDecorator
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine
from typing_extensions import override

from lotus_server.kernel.instants import from_microseconds, to_microseconds
from lotus_server.kernel.quantity import plain

# What makes a domain's value of one that a driver read. Types return it as a whole, because what SQLAlchemy makes of
# `process_result_value` costs two calls for each value of each row, a quarter of the time that long lists took.
Reads = Callable[[Any], Any]
# Compared and sorted by code point, as Python and SQLite do it. In the language of the database's locale, a page would
# begin somewhere else on each machine.
TEXT: Final[TypeEngine[str]] = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal of any length: NUMERIC without a scale in PostgreSQL, canonical text in SQLite.

    SQLite has no exact type for numbers that are not whole.
    """

    impl = Text
    cache_ok = True

    @override
    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the column's type in one database."""
        return dialect.type_descriptor(Numeric(asdecimal=True) if dialect.name == "postgresql" else Text())

    @override
    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Return what the driver stores: `1.50` and `1.5` alike, so that both databases give back the same."""
        if value is None:
            return None
        text = plain(value)
        return Decimal(text) if dialect.name == "postgresql" else text

    @override
    def result_processor(self, dialect: Dialect, coltype: object) -> Reads | None:
        """Return what makes the exact decimal."""
        if dialect.name == "postgresql":
            return super().result_processor(dialect, coltype)
        return lambda text: None if text is None else Decimal(text)


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant, as microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Return the microseconds. A naive datetime is a defect of the caller and raises TypeError."""
        del dialect
        return None if value is None else to_microseconds(value)

    @override
    def result_processor(self, dialect: Dialect, coltype: object) -> Reads:
        """Return what makes the instant."""
        del dialect, coltype
        return lambda microseconds: None if microseconds is None else from_microseconds(microseconds)


class Choice(TypeDecorator[StrEnum]):
    """One value of an enumeration, as its text. The code decides what it may be, so a new value needs no migration."""

    impl = TEXT
    cache_ok = True

    def __init__(self, choices: type[StrEnum]) -> None:
        """Keep the enumeration."""
        super().__init__()
        self.choices = choices

    @override
    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        """Return the text."""
        del dialect
        return None if value is None else self.choices(value).value

    @override
    def result_processor(self, dialect: Dialect, coltype: object) -> Reads:
        """Return what makes the value of the enumeration."""
        del dialect, coltype
        known: dict[str | None, StrEnum | None] = {None: None, **{each.value: each for each in self.choices}}
        return known.__getitem__


class Structured(TypeDecorator[Any]):
    """Structs, tuples and texts as the JSON that their type describes: decimals are strings, unions are tagged."""

    impl = Text
    cache_ok = True

    def __init__(self, shape: Any) -> None:  # noqa: ANN401 - any type that msgspec can decode
        """Keep the type and its codec."""
        super().__init__()
        self.shape = shape
        self._encode = msgspec.json.Encoder().encode
        self._decode = msgspec.json.Decoder(shape).decode

    @override
    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return the JSON text."""
        del dialect
        return None if value is None else self._encode(value).decode()

    @override
    def result_processor(self, dialect: Dialect, coltype: object) -> Reads:
        """Return what makes the value."""
        del dialect, coltype
        decode = self._decode
        return lambda text: None if text is None else decode(text)


class FreeForm(TypeDecorator[Any]):
    """JSON whose shape its owner decides.

    Numbers keep every digit: what is written without a point or exponent comes back as int, others as Decimal, none as
    float.
    """

    impl = Text
    cache_ok = True

    _encode = msgspec.json.Encoder(decimal_format="number").encode
    _decode = msgspec.json.Decoder(Any, float_hook=Decimal).decode

    @override
    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return the JSON text."""
        del dialect
        return None if value is None else self._encode(value).decode()

    @override
    def result_processor(self, dialect: Dialect, coltype: object) -> Reads:
        """Return what makes the value."""
        del dialect, coltype
        decode = self._decode
        return lambda text: None if text is None else decode(text)
