"""Generated prices and quantities."""

from decimal import Decimal

from hypothesis import strategies as st

from lotus_server.domain.catalog import (
    CellPrice,
    Dynamic,
    Graduated,
    GraduatedPercentage,
    Matrix,
    MatrixCell,
    Package,
    Percentage,
    PercentageTier,
    PerUnit,
    Price,
    Rounding,
    Tier,
    Volume,
)
from lotus_server.domain.rating import RatedUsage

quantities = st.decimals(min_value=0, max_value=5_000, places=2)
amounts = st.decimals(min_value=0, max_value=100, places=4)
sizes = st.sampled_from([Decimal(text) for text in ("1", "2", "3", "7", "10", "0.5", "100", "12.5")])
roundings = st.sampled_from(Rounding)
optional_spends = st.none() | st.decimals(min_value=0, max_value=2_000, places=2)


@st.composite
def spend_limits(draw: st.DrawFn) -> tuple[Decimal | None, Decimal | None]:
    """A minimum and a maximum spend, either of which may be missing, in their order."""
    minimum, maximum = draw(optional_spends), draw(optional_spends)
    if minimum is not None and maximum is not None:
        return min(minimum, maximum), max(minimum, maximum)
    return minimum, maximum


@st.composite
def tier_lists(draw: st.DrawFn) -> tuple[Tier, ...]:
    """Valid tiers: ascending ends, the last without one."""
    ends = draw(st.lists(st.decimals(min_value=1, max_value=3_000, places=1), max_size=5, unique=True).map(sorted))
    return tuple(Tier(end, draw(amounts), draw(amounts), draw(sizes), draw(roundings)) for end in [*ends, None])


per_unit_prices = st.builds(
    lambda price, free, size, rounding, spend: PerUnit(price, free, size, rounding, *spend),
    amounts,
    quantities,
    sizes,
    roundings,
    spend_limits(),
)
package_prices = st.builds(
    lambda size, price, free, rounding, spend: Package(size, price, free, rounding, *spend),
    sizes,
    amounts,
    quantities,
    roundings,
    spend_limits(),
)
graduated_prices = st.builds(lambda tiers, spend: Graduated(tiers, *spend), tier_lists(), spend_limits())
volume_prices = st.builds(lambda tiers, spend: Volume(tiers, *spend), tier_lists(), spend_limits())


@st.composite
def percentage_tier_lists(draw: st.DrawFn) -> tuple[PercentageTier, ...]:
    """Valid tiers of a graduated percentage."""
    ends = draw(st.lists(st.decimals(min_value=1, max_value=3_000, places=1), max_size=5, unique=True).map(sorted))
    return tuple(PercentageTier(end, draw(amounts), draw(amounts)) for end in [*ends, None])


@st.composite
def percentage_prices(draw: st.DrawFn) -> Percentage:
    """Percentages with and without an allowance and bounds of an event."""
    lowest = draw(st.none() | amounts)
    span = draw(st.none() | amounts)
    return Percentage(
        draw(amounts),
        draw(amounts),
        draw(st.none() | st.integers(min_value=1, max_value=6)),
        draw(st.none() | st.decimals(min_value="0.01", max_value=5_000, places=2)),
        lowest,
        None if span is None else (lowest or 0) + span,
        *draw(spend_limits()),
    )


graduated_percentage_prices = st.builds(
    lambda tiers, spend: GraduatedPercentage(tiers, *spend), percentage_tier_lists(), spend_limits()
)
dynamic_prices = st.builds(lambda by, spend: Dynamic("cost", by, *spend), amounts, spend_limits())
plain_percentages = st.builds(
    lambda rate, spend: Percentage(rate, Decimal(0), None, None, None, None, *spend), amounts, spend_limits()
)
rising_prices: st.SearchStrategy[CellPrice] = (
    per_unit_prices
    | package_prices
    | graduated_prices
    | graduated_percentage_prices
    | dynamic_prices
    | plain_percentages
)
prices: st.SearchStrategy[CellPrice] = rising_prices | volume_prices
"""Prices that a quantity alone can be rated by."""

DIMENSIONS = ("model", "region")
groups = st.tuples(st.sampled_from("abc"), st.sampled_from(["eu", "us", None]))


@st.composite
def matrix_prices(draw: st.DrawFn) -> Matrix:
    """Matrices whose cells have prices of every model, with a default and without."""
    cell_prices = prices | percentage_prices()
    cells = tuple(MatrixCell(group, draw(cell_prices)) for group in draw(st.lists(groups, unique=True, max_size=4)))
    default = draw(st.none() | cell_prices) if cells else draw(cell_prices)
    return Matrix(DIMENSIONS, cells, default, *draw(spend_limits()))


event_prices: st.SearchStrategy[Price] = percentage_prices() | matrix_prices()
"""Prices that need the events of a period."""
every_price: st.SearchStrategy[Price] = prices | event_prices
event_lists = st.lists(st.tuples(quantities, groups), max_size=8)


def usage_of(price: Price, events: list[tuple[Decimal, tuple[str, str | None]]]) -> RatedUsage:
    """The usage that events, each a value and its group, make for a price."""
    if not isinstance(price, Matrix):
        return RatedUsage.of_events(value for value, _ in events)
    found = dict.fromkeys(group for _, group in events)
    return RatedUsage.of_groups(
        {group: RatedUsage.of_events(value for value, its in events if its == group) for group in found}
    )
