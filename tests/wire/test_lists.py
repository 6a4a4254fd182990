"""What a query says about a list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.kernel.errors import Invalid
from lotus_server.ports.listing import CustomerOrder, CustomerSort, Place, Slice, SubscriptionOrder, SubscriptionSort
from lotus_server.wire.lists import customer_order, place_of, place_text, slice_asked, subscription_order

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)


@given(value=st.none() | texts, key=texts)
def test_a_place_is_read_back_from_its_text(value: str | None, key: str) -> None:
    assert Place(value, key) == place_of(place_text(Place(value, key)))


@pytest.mark.parametrize("text", ["!!", "bm8", "é", "W10", "WzEsMl0", "WyJhIiwiXHUwMDAwIl0"])
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        place_of(text)

    assert ["cursor"] == [problem.field for problem in caught.value.problems]


def test_a_minus_sorts_from_the_greatest_on() -> None:
    assert CustomerOrder(CustomerSort.OUTSTANDING, True, "EUR") == customer_order(
        {"sort": "-outstanding", "currency": "eur"}
    )
    assert SubscriptionOrder(SubscriptionSort.START) == subscription_order({}, "start")


@pytest.mark.parametrize("query", [{"sort": "age"}, {"sort": "--name"}, {"currency": "XXXX"}])
def test_an_order_that_nobody_knows_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        customer_order(query)


def test_the_way_back_goes_before_the_way_on() -> None:
    there = Place("Acme", "acme")

    assert Slice(5, there, is_backward=True) == slice_asked({"back": place_text(there), "cursor": "x"}, 5)
    assert Slice(5, there) == slice_asked({"cursor": place_text(there)}, 5)
    assert Slice(5) == slice_asked({}, 5)
