"""The points that are drawn of a price."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from lotus_server.domain.catalog import CellPrice, Graduated, Package, Percentage, PerUnit, Tier, Volume
from lotus_server.domain.rating import RatedUsage, curve_of, rate
from tests.domain.rating.strategies import percentage_prices, prices, quantities

D = Decimal


@settings(max_examples=60)
@given(prices | percentage_prices(), st.none() | quantities)
def test_a_curve_ascends_from_zero_and_is_short(price: CellPrice, up_to: Decimal | None) -> None:
    places = [quantity for quantity, _ in curve_of(price, up_to=up_to)]

    assert places == sorted(set(places))
    assert places[0] == 0
    assert len(places) < 400
    assert up_to is None or places[-1] >= up_to


@settings(max_examples=60)
@given(prices)
def test_every_point_is_what_the_quantity_costs(price: CellPrice) -> None:
    assert all(amount == rate(price, quantity).amount for quantity, amount in curve_of(price))


def test_a_tier_is_shown_on_both_sides_of_its_end() -> None:
    curve = dict(curve_of(Volume((Tier(D(100), D(2)), Tier(None, D(1))))))

    assert (D(200), D("100.15")) == (curve[D(100)], curve[D("100.15")])


def test_the_range_has_all_tiers() -> None:
    price = Graduated((Tier(D(100), D(2)), Tier(D(1_000), D(1)), Tier(None, D("0.5"))))

    assert curve_of(price)[-1][0] == D(1_500)


def test_packages_are_steps() -> None:
    amounts = [amount for _, amount in curve_of(Package(D(10), D(5)))]

    assert [D(5) * number for number in range(7)] == sorted(set(amounts))


def test_a_price_without_any_bend_is_a_line() -> None:
    curve = curve_of(PerUnit(D("0.01")))

    assert (D(10), D("0.10")) == curve[-1]
    assert all(amount == quantity * D("0.01") for quantity, amount in curve)


def test_what_is_charged_by_the_event_is_shown_for_one_event() -> None:
    price = Percentage(D(2), fixed_fee=D("0.3"))

    assert all(amount == rate(price, RatedUsage.of_events((each,))).amount for each, amount in curve_of(price))
