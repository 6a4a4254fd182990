"""Numbers stay exact in both directions."""

import json
import math
from collections import OrderedDict
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus import _json

numbers = st.one_of(
    st.integers(-(10**30), 10**30),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
)
texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_survives_the_round_trip_exactly(number):
    assert number == Decimal(_json.decode(_json.encode(number)))


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_is_written_as_a_json_number_with_its_own_digits(number):
    literal = _json.encode(number).decode()

    assert str(number) == literal
    json.loads(literal)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_read_back_as_the_decimal_with_the_same_shortest_digits(number):
    assert number == float(_json.decode(_json.encode(number)))


@given(values)
def test_what_is_written_means_the_same_to_the_standard_library(value):
    assert json.loads(json.dumps(_plain(value))) == json.loads(_json.encode(value))


@given(values)
def test_no_float_ever_comes_out(value):
    assert "float" not in _types(_json.decode(_json.encode(value)))


def test_amounts_are_read_as_decimals():
    assert {"cost_due": Decimal("61.40"), "count": 3} == _json.decode(b'{"cost_due": 61.40, "count": 3}')
    assert "61.40" == str(_json.decode("61.40"))


@pytest.mark.parametrize("text", [b"", b"{", b"NaN", b"[Infinity]", b"\xff", b"1e99999999999999999999", b"[" * 100_000])
def test_what_is_not_json_is_a_value_error(text):
    with pytest.raises(ValueError, match=r".+"):
        _json.decode(text)


class Colour(str, Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("0.10"), "0.10"),
        (Decimal("1E+3"), "1E+3"),
        (Decimal("-0.000000001"), "-1E-9"),
        (Decimal("123456789012345678901234567890.1234567890"), "123456789012345678901234567890.1234567890"),
        (0.1, "0.1"),
        (True, "true"),
        (None, "null"),
        (Colour.RED, '"red"'),
        (date(2026, 3, 4), '"2026-03-04"'),
        (datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=timezone.utc), '"2026-03-04T05:06:07.000089Z"'),
        (datetime(2026, 3, 4, 5, 6, 7), '"2026-03-04T05:06:07Z"'),  # noqa: DTZ001 - without a zone it is UTC
        (datetime(2026, 3, 4, 1, tzinfo=timezone(timedelta(hours=2))), '"2026-03-03T23:00:00Z"'),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        ((1, "zwölf\n"), '[1,"zwölf\\n"]'),
        (OrderedDict(a={"b": []}), '{"a":{"b":[]}}'),
    ],
)
def test_each_kind_of_value_has_one_form(value, written):
    assert written == _json.encode(value).decode()


CYCLE = {}
CYCLE["again"] = CYCLE


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"a": [{"b": math.nan}]}, r"a\[0\].b is nan"),
        ({"a": Decimal("Infinity")}, "a is Infinity"),
        ({"a": Decimal("sNaN")}, "a is sNaN"),
        ({"a": {1, 2}}, "a is a set"),
        ({"a": {1: 2}}, "a has the key 1"),
        (CYCLE, "nested deeper than 64"),
        ({"a": "\ud800"}, "half a surrogate pair"),
        ({"a": b"bytes"}, "a is a bytes"),
    ],
)
def test_a_value_without_a_json_form_is_refused_with_its_place(value, why):
    with pytest.raises(ValueError, match=why):
        _json.encode(value)


def test_nesting_is_limited_at_64_levels():
    value = 1
    for _ in range(64):
        value = [value]
    _json.encode(value)

    with pytest.raises(ValueError, match="deeper"):
        _json.encode([value])


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value


def _types(value):
    if isinstance(value, dict):
        return set().union({"dict"}, *(_types(member) for member in value.values()))
    if isinstance(value, list):
        return set().union({"list"}, *(_types(item) for item in value))
    return {type(value).__name__}
