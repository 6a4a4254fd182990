"""Metrics that are queries: exact, and able to reach nothing but the events they may count."""

import sqlite3
from contextlib import closing
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lotus_server.adapters.events_sqlite import custom_sql
from lotus_server.adapters.events_sqlite.custom_sql import load_events, problem_of, usage_by_query
from lotus_server.adapters.events_sqlite.rows import Row
from lotus_server.adapters.events_sqlite.sql_json import like
from lotus_server.domain.metering import Aggregation, MetricDefinition, MetricType, Selection, Usage
from lotus_server.kernel.errors import Invalid, LotusError, Unavailable
from lotus_server.kernel.instants import to_microseconds
from lotus_server.kernel.quantity import in_range
from tests.adapters.events_sqlite.writers import MAY
from tests.contracts.metering_model import days


def ask(sql: str, *properties: str) -> Usage:
    selection = Selection(MetricDefinition("", Aggregation.COUNT, type=MetricType.CUSTOM, sql=sql), "acme", MAY)
    rows = [
        Row(seq, 1, to_microseconds(days(seq)), 0, 0, "acme", "call", f"id-{seq}", text)
        for seq, text in enumerate(properties, 1)
    ]
    with closing(load_events(rows)) as loaded:
        return usage_by_query(selection, loaded)


def value(sql: str, *properties: str) -> Decimal | None:
    return ask(sql, *properties).value


N = "json_extract(properties, '$.n')"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT count(*) FROM events", "3"),
        ("SELECT count(*) AS usage_qty, 'x' AS other FROM events", "3"),
        ("WITH big AS (SELECT * FROM events WHERE properties ->> 'n' > 0.15) SELECT count(*) FROM big", "2"),
        (f"SELECT sum({N}) FROM events", "0.6"),
        ("SELECT sum(properties ->> '$.n') FROM events", "0.6"),
        (f"SELECT avg({N}) FROM events", "0.2"),
        (f"SELECT max({N}) FROM events", "0.3"),
        (f"SELECT min({N}) FROM events", "0.1"),
        (f"SELECT decimal_mul(sum({N}), 3.1) FROM events", "1.86"),
        (f"SELECT round(decimal_div(sum({N}), 7), 4) FROM events", "0.0857"),
        (f"SELECT ceil(sum({N})) FROM events", "1"),
        ("SELECT total(properties ->> 'missing') FROM events", "0"),
        ("SELECT decimal_sub(1, abs(-0.25))", "0.75"),
        ("SELECT count(DISTINCT properties -> 'o' ->> 'p') FROM events", "1"),
        ("SELECT sum(json_extract(properties, '$.list[#-1]')) FROM events", "6"),
        ("SELECT count(*) FROM events WHERE time_created >= :start_date AND time_created < :end_date", "3"),
        ("SELECT count(*) FROM events WHERE customer_id = :customer_id AND event_name LIKE 'C%l'", "3"),
        ("SELECT count(*) FROM events WHERE date(time_created) = '2026-05-03'", "1"),
        ("SELECT '1.50'", "1.5"),
        ("SELECT decimal('12345678901234567890.123')", "12345678901234567890.123"),
        ("SELECT decimal_add('1.00000000000000000001', 1)", "2.00000000000000000001"),
        ("SELECT decimal('1.00000000000000000001') > 1", "1"),
        ("SELECT decimal('0.99999999999999999999') < 1", "1"),
        ("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT 2 FROM r LIMIT 5) SELECT count(*) FROM r", "5"),
    ],
)
def test_a_query_gives_an_exact_quantity(sql: str, expected: str) -> None:
    events = [f'{{"n":{n},"o":{{"p":"q"}},"list":[1,2]}}' for n in ("0.1", "0.2", "0.3")]

    assert Decimal(expected) == value(sql, *events)
    assert problem_of(sql) is None


def test_a_query_that_finds_nothing_gives_nothing() -> None:
    assert Usage(None, 0, 0) == ask(f"SELECT sum({N}) FROM events")
    assert value("SELECT 1 FROM events") is None


def test_the_events_that_a_query_could_see_are_counted() -> None:
    assert Usage(Decimal(7), 2, 0, to_microseconds(days(2))) == ask("SELECT 7", "{}", "{}")


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "DELETE FROM events",
        "INSERT INTO events SELECT * FROM events",
        "UPDATE events SET properties = '{}'",
        "DROP TABLE events",
        "SELECT 1; SELECT 2",
        "PRAGMA database_list",
        "ATTACH 'x.db' AS x",
        "VACUUM INTO '/tmp/stolen.db'",
        "EXPLAIN SELECT 1",
        "SELECT name FROM sqlite_schema",
        "SELECT count(*) FROM sqlite_master",
        "SELECT count(*) FROM pragma_database_list",
        "SELECT * FROM pragma_table_info('events')",
        "SELECT count(*) FROM json_each('[1,2]')",
        "SELECT load_extension('x')",
        "SELECT randomblob(10)",
        "SELECT random()",
        "SELECT CURRENT_TIMESTAMP",
        "SELECT strftime('%s', 'now')",
        "SELECT strftime('%s', ' NOW ')",
        "SELECT sqlite_version()",
        "SELECT hex(zeroblob(10))",
        "SELECT 1 AS a, 2 AS b",
        "SELECT :other",
        "SELECT ?",
        "SELECT nothing FROM events",
        "WITH x AS (SELECT 1) DELETE FROM events",
        "SELECT 1 + 1",
        "SELECT count(*) * 2 FROM events",
        "SELECT sum(properties ->> 'n') / 3 FROM events",
        "SELECT CAST('0.1' AS REAL)",
        "SELECT CAST('0.1' AS NUMERIC)",
        "SELECT 0.1234567890123456789",
        "SELECT 1e3",
        "SELECT 12345678901234567890",
        "SELECT 'a text'",
        "SELECT " + "(" * 200 + "1" + ")" * 200,
        "SELECT '" + "x" * 10_001 + "'",
    ],
)
def test_a_query_that_is_no_metric_is_refused_before_it_is_used(sql: str) -> None:
    assert problem_of(sql) is not None


@pytest.mark.parametrize(
    "sql",
    ["SELECT sum(properties ->> 'n') / 3 FROM events", "SELECT properties ->> 'n' - 1 FROM events"],
)
def test_operators_are_refused_by_naming_the_exact_functions(sql: str) -> None:
    with pytest.raises(Invalid, match="decimal_mul") as refused:
        ask(sql, '{"n":0.1}')
    assert "custom_metric_failed" == refused.value.code


@pytest.mark.parametrize(
    "sql",
    [
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n FROM r) SELECT count(*) FROM r",
        "SELECT count(*) FROM events a, events b, events c, events d, events e",
    ],
)
def test_a_query_that_takes_too_long_is_ended(sql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom_sql, "SECONDS_MAX", 0.1)
    with pytest.raises(Unavailable) as late:
        ask(sql, *([f'{{"t":"{"a" * 5_000}"}}'] * 300))
    assert "custom_metric_failed" == late.value.code


def test_a_pattern_with_many_wildcards_takes_no_time() -> None:
    """The function that SQLite brings would be at it for years."""
    events = [f'{{"t":"{"a" * 20_000}"}}'] * 3

    assert 0 == value("SELECT count(*) FROM events WHERE properties LIKE '%a%a%a%a%a%a%a%a%a%a%a%a%b'", *events)
    assert 3 == value("SELECT count(*) FROM events WHERE properties LIKE '%A%a_a%\"}'", *events)


@given(pattern=st.text("aAbß%_.\n", max_size=8), text=st.text("aAbBß%_.\n", max_size=8))
def test_like_is_that_of_sqlite(pattern: str, text: str) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        (expected,) = connection.execute("SELECT ? LIKE ?", (text, pattern)).fetchone()

    assert expected == like(pattern, text)


def test_a_text_grows_to_a_limit_only() -> None:
    doubled = "SELECT length(" + "replace(" * 20 + "'aaaaaaaaaa'" + ", 'a', 'aaaaaaaaaa')" * 20 + ")"
    with pytest.raises(Invalid, match="too big"):
        ask(doubled)


def test_more_events_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom_sql, "EVENTS_MAX", 3)

    assert 3 == value("SELECT count(*) FROM events", "{}", "{}", "{}")
    with pytest.raises(Invalid, match="more than 3 events"):
        ask("SELECT count(*) FROM events", "{}", "{}", "{}", "{}")


@pytest.mark.parametrize(
    "sql",
    [
        # As binary numbers they are one; a sum of them would be wrong without anybody noticing.
        "SELECT decimal_add(decimal('1.00000000000000000001'), decimal('1.00000000000000000002'))",
        "SELECT json_extract(properties, '$') FROM events",
        "SELECT json_extract(properties, 'n') FROM events",
        "SELECT json_extract(properties, '$.n', '$.m') FROM events",
        "SELECT sum(json_extract(event_name, '$.n')) FROM events",
        "SELECT properties LIKE 'a!%' ESCAPE '!' FROM events",
        f"SELECT properties LIKE '{'%a' * 101}' FROM events",
        "SELECT sum(DISTINCT properties ->> 'n') OVER () FROM events",
    ],
)
def test_what_cannot_be_told_exactly_or_read_is_an_error(sql: str) -> None:
    with pytest.raises(LotusError) as refused:
        ask(sql, '{"n":0.1}')
    assert "custom_metric_failed" == refused.value.code


def test_division_by_zero_and_texts_give_nothing() -> None:
    assert value("SELECT decimal_div(1, 0)") is None
    assert value("SELECT decimal_add('x', 1)") is None
    assert value(f"SELECT sum({N}) FROM events", '{"n":"x"}', '{"n":"2.5"}', '{"n":null}', "{}") == Decimal("2.5")


_decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=9)


_floats = st.floats(-1e9, 1e9).map(lambda value: Decimal(repr(value))).filter(in_range)


def _unless_too_close(sql: str, *events: str) -> Decimal | None:
    """The value of a query; two numbers that one float stands for are refused, and then there is nothing to compare."""
    try:
        return value(sql, *events)
    except Invalid as refused:
        assume("cannot be told from another number" not in refused.detail)
        raise


@given(numbers=st.lists(_decimals | _floats, max_size=20))
def test_sums_products_and_comparisons_are_those_of_fractions(numbers: list[Decimal]) -> None:
    events = [f'{{"n":{number:f}}}' for number in numbers]
    total = sum(map(Fraction, numbers), Fraction(0))

    assert total == Fraction(_unless_too_close(f"SELECT total({N}) FROM events", *events) or 0)
    scaled = _unless_too_close(f"SELECT decimal_mul(total({N}), 0.003) FROM events", *events)
    assert total * 3 / 1000 == Fraction(scaled or 0)
    assert sum(number > 1 for number in numbers) == value(f"SELECT count(*) FROM events WHERE {N} > 1", *events)
    assert max(numbers, default=None) == value(f"SELECT max({N}) FROM events", *events)
