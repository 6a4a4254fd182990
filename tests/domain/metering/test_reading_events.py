"""What is read in an event is what the oracle reads in it: numbers, texts, nested properties, filters."""

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from lotus_server.domain.metering import Filter, as_number, holds, lookup, oracle_values
from lotus_server.domain.metering.properties import as_text
from tests.domain.metering.strategies import filters, labels, values

spelt = st.text(alphabet="0123456789.eE+- ", max_size=12) | st.from_regex(
    r"-?[0-9]{1,31}(\.[0-9]{1,31})?", fullmatch=True
)
scalars = values | spelt
names = st.lists(st.sampled_from(["a", "b", "a.b", "b.a"]), min_size=1, max_size=4).map(".".join)
nested = st.recursive(
    st.integers(0, 3) | st.none(), lambda inner: st.dictionaries(names, inner, max_size=3), max_leaves=8
).filter(lambda value: isinstance(value, dict))

events: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"f": labels, "g": labels, "o": st.fixed_dictionaries({}, optional={"a": labels, "b.c": labels, "b": st.just({})})},
    optional={"o.a": labels},
)


@settings(max_examples=1_000)
@example("0E30")
@example("0e29")
@example("1e-30")
@example("9" * 31)
@given(scalars)
def test_a_number_and_a_text_are_read_alike(value: object) -> None:
    assert oracle_values.number(value) == as_number(value)
    assert oracle_values.text(value) == as_text(value)


@settings(max_examples=500)
@given(nested, names)
def test_nested_properties_are_found_alike(properties: dict[str, Any], name: str) -> None:
    assert oracle_values.reach(properties, name) == lookup(properties, name)


@settings(max_examples=1_000)
@given(filters(), events)
def test_filters_let_the_same_events_through(condition: Filter, properties: dict[str, Any]) -> None:
    assert oracle_values.is_let_through(condition, properties) == holds(condition, properties)
