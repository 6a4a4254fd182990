"""Generated prices and quantities."""

from decimal import Decimal

from hypothesis import strategies as st

from lotus_server.domain.catalog import Graduated, Package, PerUnit, Price, Rounding, Tier, Volume

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
rising_prices: st.SearchStrategy[Price] = per_unit_prices | package_prices | graduated_prices
prices: st.SearchStrategy[Price] = rising_prices | volume_prices
