"""A second opinion on prices: brute force with fractions, sharing no code with the rating it judges.

Batches are counted one by one, tiers are walked by their breakpoints. Slow, obvious, and never to be made fast.
"""

from fractions import Fraction
from typing import Any

Price = dict[str, Any]


def cost(price: Price, quantity: Fraction) -> Fraction:
    """What a quantity costs at a price that is written as a dictionary of fractions."""
    quantity = max(quantity, Fraction(0))
    amount = _MODELS[price["model"]](price, quantity)
    if price.get("minimum_spend") is not None:
        amount = max(amount, price["minimum_spend"])
    if price.get("maximum_spend") is not None:
        amount = min(amount, price["maximum_spend"])
    return Fraction(amount)


def rounded(amount: Fraction, exponent: int) -> Fraction:
    """An amount at the minor unit of a currency, half away from zero."""
    scaled = abs(amount) * 10**exponent
    whole = scaled.numerator // scaled.denominator
    if scaled - whole >= Fraction(1, 2):
        whole += 1
    return Fraction(whole if amount >= 0 else -whole, 10**exponent)


def _batches(units: Fraction, size: Fraction, rounding: str) -> Fraction:
    if rounding == "none":
        return units / size
    count, rest = 0, units
    while rest >= size:
        rest -= size
        count += 1
    if rest and (rounding == "up" or (rounding == "nearest" and rest * 2 >= size)):
        count += 1
    return Fraction(count)


def _per_unit(price: Price, quantity: Fraction) -> Fraction:
    beyond = max(quantity - price["free_units"], Fraction(0))
    return Fraction(_batches(beyond, price["batch_size"], price["rounding"]) * price["unit_price"])


def _package(price: Price, quantity: Fraction) -> Fraction:
    beyond = max(quantity - price["free_units"], Fraction(0))
    return Fraction(_batches(beyond, price["package_size"], price["rounding"]) * price["package_price"])


def _tier_cost(tier: Price, units: Fraction) -> Fraction:
    return Fraction(tier["flat_fee"] + _batches(units, tier["batch_size"], tier["rounding"]) * tier["unit_price"])


def _graduated(price: Price, quantity: Fraction) -> Fraction:
    ends = [tier["up_to"] for tier in price["tiers"][:-1]]
    amount = _tier_cost(price["tiers"][0], min([quantity, *ends[:1]]))
    for number, tier in enumerate(price["tiers"][1:], start=1):
        below = min(quantity, ends[number - 1])
        within = min([quantity, *ends[number : number + 1]]) - below
        if within > 0:
            amount += _tier_cost(tier, within)
    return amount


def _volume(price: Price, quantity: Fraction) -> Fraction:
    fitting = [tier for tier in price["tiers"] if tier["up_to"] is None or tier["up_to"] >= quantity]
    return _tier_cost(fitting[0], quantity)


_MODELS = {"per_unit": _per_unit, "package": _package, "graduated": _graduated, "volume": _volume}
