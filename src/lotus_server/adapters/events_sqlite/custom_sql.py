"""Metrics that are a query of the organization's own, run where it can reach nothing but the events it may count.

The events of one customer and period are copied into a private temporary database, which has nothing else in it; the
query reads them as the table `events`. Numbers are exact: `sql_numbers.py` says how, and the operators of SQL, which
calculate in binary, are refused before anything runs.
"""

import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from decimal import Decimal
from typing import Final

from lotus_server.adapters.events_sqlite.rows import Row
from lotus_server.adapters.events_sqlite.sql_json import JsonFunctions, NotReadable, like, like_with_escape
from lotus_server.adapters.events_sqlite.sql_numbers import ARITHMETIC_ERRORS, ExactSum, SqlNumbers, SqlValue
from lotus_server.domain.metering import Selection, Usage
from lotus_server.domain.metering.definition import SQL_LENGTH_MAX
from lotus_server.kernel.errors import Invalid, LotusError, Unavailable
from lotus_server.kernel.instants import from_microseconds, to_microseconds

CODE: Final = "custom_metric_failed"
EVENTS_MAX: Final = 500_000
SECONDS_MAX: Final = 2.0
_COLUMN: Final = "usage_qty"
# A text, or a row of an intermediate result. An event has at most 32 KiB of properties and 2.4 KB of names.
_VALUE_BYTES_MAX: Final = 40_000
_CACHE_KIB: Final = 16_384
# Instructions between two looks at the clock. Few, because one instruction may search a whole text.
_INSTRUCTIONS_PER_LOOK: Final = 100
_LIMITS: Final = (
    (sqlite3.SQLITE_LIMIT_LENGTH, _VALUE_BYTES_MAX),
    (sqlite3.SQLITE_LIMIT_SQL_LENGTH, 2 * SQL_LENGTH_MAX),
    (sqlite3.SQLITE_LIMIT_COLUMN, 100),
    (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 100),
    (sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, 20),
    (sqlite3.SQLITE_LIMIT_VDBE_OP, 25_000),
    (sqlite3.SQLITE_LIMIT_FUNCTION_ARG, 20),
    (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
    (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1),
    (sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0),
)
_FUNCTIONS: Final = frozenset(
    {"->>", "->", "json_extract", "json_type", "json_valid", "json_array_length", "like", "decimal", "decimal_add"}
    | {"decimal_sub", "decimal_mul", "decimal_div", "abs", "round", "ceil", "ceiling", "floor", "sum", "total", "avg"}
    | {"count", "min", "max", "coalesce", "ifnull", "nullif", "iif", "length", "lower", "upper", "trim", "ltrim"}
    | {"rtrim", "substr", "substring", "instr", "replace", "typeof", "row_number", "rank", "dense_rank"}
    | {"first_value", "last_value", "date", "time", "datetime", "strftime", "unixepoch"}
)
_OPERATORS: Final = {
    "Add": "+",
    "Subtract": "-",
    "Multiply": "*",
    "Divide": "/",
    "Remainder": "%",
    "BitAnd": "&",
    "BitOr": "|",
    "BitNot": "~",
    "ShiftLeft": "<<",
    "ShiftRight": ">>",
}
_OWN_TABLES: Final = ("sqlite_", "pragma_", "json_")
_CASTS: Final = {67: "NUMERIC", 69: "REAL"}
_TOKEN: Final = re.compile(
    r"""(?P<skipped>\s+|--[^\n]*|/\*.*?(?:\*/|\Z)|'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])"""
    r"|(?P<word>[^\W\d][\w$]*)|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\w*)|(?P<other>.)",
    re.DOTALL,
)
_NOW: Final = re.compile(r"""['"]\s*now\s*['"]""", re.IGNORECASE)
_LITERAL: Final = re.compile(r"\d{1,18}|(?=(?:\.?\d){1,15}(?!\.?\d))(?:\d+\.\d*|\.\d+)")


class _Refused(Exception):
    """The query is not one that may run, or gave no quantity; the text is the end of `The query of this metric ...`."""


def problem_of(sql: str) -> str | None:
    """Return why a query cannot be a metric, as the end of a sentence that begins with it, or None when it can."""
    if not sql.strip():
        return "must not be empty"
    if len(sql) > SQL_LENGTH_MAX:
        return f"must have at most {SQL_LENGTH_MAX} characters"
    sandbox = _Sandbox()
    try:
        sandbox.quantity(sql, "", "", "")
    except _Refused as refused:
        return str(refused)
    except LotusError as error:
        return error.detail.removeprefix("The query of this metric ").rstrip(".")
    finally:
        sandbox.close()
    return None


class LoadedEvents:
    """Events that were copied for a query: a database of their own, how many they are, and when the last happened."""

    def __init__(self, sandbox: "_Sandbox", counted: int, last_us: int | None) -> None:
        """Hold the events until they are queried."""
        self.sandbox = sandbox
        self.counted = counted
        self.last_us = last_us

    def close(self) -> None:
        """Let go of the events."""
        self.sandbox.close()


def load_events(rows: Iterable[Row]) -> LoadedEvents:
    """Copy the events that a query may see, in any order. Raises Invalid (`custom_metric_failed`) for too many."""
    sandbox = _Sandbox()
    try:
        return LoadedEvents(sandbox, *sandbox.fill(rows))
    except _Refused as refused:
        sandbox.close()
        raise Invalid(f"The query of this metric {refused}.", code=CODE) from None
    except BaseException:
        sandbox.close()
        raise


def usage_by_query(selection: Selection, loaded: LoadedEvents) -> Usage:
    """Return the usage of a custom metric over the events that count for it.

    Raises Invalid (`custom_metric_failed`) when the query fails or gives no exact number; Unavailable with the same
    code when it takes too long.
    """
    assert selection.definition.sql is not None, "a custom metric has a query"
    period = selection.period
    start, end = (_time_text(to_microseconds(instant)) for instant in (period.start, period.end))
    try:
        value = loaded.sandbox.quantity(selection.definition.sql, start, end, selection.customer_id)
    except _Refused as refused:
        raise Invalid(f"The query of this metric {refused}.", code=CODE) from None
    return Usage(value, loaded.counted, 0, loaded.last_us)


def _time_text(microseconds: int) -> str:
    """Return an instant as text of fixed length, so that texts are in the order of time."""
    return f"{from_microseconds(microseconds):%Y-%m-%dT%H:%M:%S.%fZ}"


class _Sandbox:
    """A private database with the table `events`, and the functions that a query may use."""

    def __init__(self) -> None:
        self._failure: Exception | None = None
        self._give_up_at = 0.0
        self._numbers = SqlNumbers()
        # Without a name, it is a file of its own that spills from memory when it is large and goes when it is closed.
        self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute(
            "CREATE TABLE events (properties TEXT, time_created TEXT, event_name TEXT, idempotency_id TEXT,"
            " customer_id TEXT)"
        )
        self._add_functions()

    def close(self) -> None:
        self._connection.close()

    def fill(self, rows: Iterable[Row]) -> tuple[int, int | None]:
        """Put the events into the table; return their number and the time of the last to happen."""
        times: list[int] = []

        def values() -> Iterator[tuple[str, ...]]:
            for row in rows:
                times.append(row.happened_us)
                if len(times) > EVENTS_MAX:
                    raise _Refused(f"would have to read more than {EVENTS_MAX} events")
                yield row.properties_text, _time_text(row.happened_us), row.name, row.id, row.customer

        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", values())
        self._connection.execute("COMMIT")
        return len(times), max(times, default=None)

    def quantity(self, sql: str, start: str, end: str, customer: str) -> Decimal | None:
        """Return the number that the query comes to, null when it gives none."""
        _check_text(sql)
        arguments = {"start_date": start, "end_date": end, "customer_id": customer}
        for limit, value in _LIMITS:
            self._connection.setlimit(limit, value)
        self._connection.set_authorizer(_authorize)
        self._give_up_at = time.monotonic() + SECONDS_MAX
        self._connection.set_progress_handler(self._is_late, _INSTRUCTIONS_PER_LOOK)
        try:
            self._check_instructions(sql, arguments)
            with closing(self._connection.execute(sql, arguments)) as cursor:
                place = _place_of_quantity([column[0] for column in cursor.description])
                row = cursor.fetchone()
            return None if row is None or row[place] is None else self._number(row[place])
        except ARITHMETIC_ERRORS as error:
            raise _Refused(f"does not give an exact number: {error}") from None
        except (sqlite3.Error, sqlite3.Warning, OverflowError, ValueError) as error:
            raise self._explained(error) from None

    def _check_instructions(self, sql: str, arguments: dict[str, str]) -> None:
        """Refuse operators that calculate in binary, wherever they stand in the query."""
        for row in self._connection.execute(f"EXPLAIN {sql}", arguments).fetchall():
            instruction, detail = row[1], row[3]
            if instruction in _OPERATORS:
                raise _Refused(
                    f"uses the operator {_OPERATORS[instruction]}, which calculates in binary floating point; use "
                    "decimal_add, decimal_sub, decimal_mul and decimal_div"
                )
            if instruction == "Cast" and detail in _CASTS:
                raise _Refused(f"casts to {_CASTS[detail]}, which is binary floating point; use decimal(...)")

    def _number(self, value: SqlValue) -> Decimal:
        number = self._numbers.from_sql(value)
        if number is None:
            raise _Refused(f"gives {value!r:.50}, which is no number")
        return number

    def _explained(self, error: Exception) -> Exception:
        """Return what an error of SQLite means for whoever wrote the query."""
        failure = self._failure
        if isinstance(failure, ARITHMETIC_ERRORS):
            return _Refused(f"does not give an exact number: {failure}")
        if failure is not None:
            return _Refused(f"fails: {failure}")
        if "interrupted" in str(error):
            return Unavailable(f"The query of this metric takes longer than {SECONDS_MAX:g} seconds.", code=CODE)
        if "not authorized" in str(error) or "prohibited" in str(error):
            return _Refused(f"is not allowed: it may only select from the table events ({error})")
        return _Refused(f"fails: {str(error).rstrip('.')}")

    def _is_late(self) -> bool:
        return time.monotonic() > self._give_up_at

    def _add_functions(self) -> None:
        numbers, json = self._numbers, JsonFunctions(self._numbers)
        functions: tuple[tuple[str, int, Callable[..., SqlValue]], ...] = (
            ("->>", 2, json.arrow),
            ("json_extract", -1, json.extract),
            ("like", 2, like),
            ("like", 3, like_with_escape),
            ("decimal", 1, numbers.decimal),
            ("decimal_add", 2, numbers.add),
            ("decimal_sub", 2, numbers.subtract),
            ("decimal_mul", 2, numbers.multiply),
            ("decimal_div", 2, numbers.divide),
            ("abs", 1, numbers.absolute),
            ("round", 1, numbers.round),
            ("round", 2, numbers.round),
            ("ceil", 1, numbers.ceiling),
            ("ceiling", 1, numbers.ceiling),
            ("floor", 1, numbers.floor),
        )
        for name, arguments, function in functions:
            self._connection.create_function(name, arguments, self._noting(function), deterministic=True)
        for name, finish in (("sum", ExactSum.sum), ("total", ExactSum.total), ("avg", ExactSum.average)):
            self._connection.create_aggregate(name, 1, self._aggregate(finish))

    def _noting(self, function: Callable[..., SqlValue]) -> Callable[..., SqlValue]:
        """Return a function whose error is kept: SQLite tells only that there was one."""

        def noting(*arguments: SqlValue) -> SqlValue:
            try:
                return function(*arguments)
            except (*ARITHMETIC_ERRORS, NotReadable) as error:
                self._failure = error
                raise

        return noting

    def _aggregate(self, finish: Callable[[ExactSum], SqlValue]) -> type:
        noting, numbers = self._noting, self._numbers

        class Aggregate:
            def __init__(self) -> None:
                self._sum = ExactSum(numbers)
                self._add = noting(self._sum.add)

            def step(self, value: SqlValue) -> None:
                self._add(value)

            def finalize(self) -> SqlValue:
                return noting(finish)(self._sum)

        return Aggregate


def _check_text(sql: str) -> None:
    """Refuse what is no query, and numbers that SQLite would round when it reads them."""
    tokens = [found for found in _TOKEN.finditer(sql) if found["skipped"] is None]
    first = tokens[0]["word"] if tokens else None
    if first is None or first.upper() not in {"SELECT", "WITH"}:
        raise _Refused("must be one SELECT, or WITH ... SELECT")
    if _NOW.search(sql):
        raise _Refused("asks for the present with 'now'; use :end_date, so that the answer does not change by itself")
    for token in tokens:
        if token["number"] is not None and _LITERAL.fullmatch(token["number"]) is None:
            raise _Refused(
                f"has the number {token['number']}; write numbers with at most 15 digits and without an exponent, "
                "or as a text within decimal('...')"
            )


def _place_of_quantity(columns: list[str]) -> int:
    named = [place for place, column in enumerate(columns) if column.lower() == _COLUMN]
    if len(named) == 1:
        return named[0]
    if len(columns) == 1:
        return 0
    raise _Refused(f"must give one column, or name the one with the quantity {_COLUMN}")


def _authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    """Let a query select from the table `events` with the functions that are known to be harmless; nothing else."""
    if action in {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE}:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and second is not None and second.lower() in _FUNCTIONS:
        return sqlite3.SQLITE_OK
    # A part of the query itself (WITH name AS) has no column when only its rows are counted.
    if action == sqlite3.SQLITE_READ and first is not None:
        is_part = second == "" and not first.lower().startswith(_OWN_TABLES)
        return sqlite3.SQLITE_OK if first == "events" or is_part else sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_DENY
