"""A second opinion on prices: brute force with fractions, sharing no code with the rating it judges.

Batches are counted one by one, tiers are walked by their breakpoints. Slow, obvious, and never to be made fast.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

Price = dict[str, Any]
Event = tuple[Fraction, Sequence[str | None]]


def cost(price: Price, quantity: Fraction) -> Fraction:
    """What a quantity costs at a price that is written as a dictionary of fractions."""
    quantity = max(quantity, Fraction(0))
    return _within_spend(price, _MODELS[price["model"]](price, quantity))


def cost_of_events(price: Price, events: Sequence[Event]) -> Fraction:
    """What events cost at a price; an event is its value and the values of its dimensions."""
    if price["model"] == "matrix":
        return _within_spend(price, _matrix(price, events))
    if price["model"] == "percentage":
        return _within_spend(price, _percentage(price, [value for value, _ in events]))
    return cost(price, sum((value for value, _ in events), Fraction(0)))


def _within_spend(price: Price, amount: Fraction) -> Fraction:
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


def _graduated_percentage(price: Price, amount: Fraction) -> Fraction:
    cost, start = Fraction(0), Fraction(0)
    for tier in price["tiers"]:
        end = amount if tier["up_to"] is None else min(amount, tier["up_to"])
        if start == 0 or amount > start:
            cost += tier["flat_fee"] + (end - start) * tier["rate_percent"] / 100
        start = max(end, start)
        if tier["up_to"] is None or amount <= tier["up_to"]:
            break
    return cost


def _dynamic(price: Price, amount: Fraction) -> Fraction:
    return Fraction(amount * price["multiplier"])


def _percentage(price: Price, values: list[Fraction]) -> Fraction:
    """Whether an event is free is asked anew for each, from the sums of all the events up to it."""
    charged = []
    for index, value in enumerate(values):
        before = sum(values[:index], Fraction(0))
        left = _allowance_left(price, index, before)
        if left == 0:
            charged.append(value)
        elif left is not None and value > left:
            charged.append(value - left)
    costs = [value * price["rate_percent"] / 100 + price["fixed_fee"] for value in charged]
    if price["min_per_event"] is not None:
        costs = [max(cost, price["min_per_event"]) for cost in costs]
    if price["max_per_event"] is not None:
        costs = [min(cost, price["max_per_event"]) for cost in costs]
    return sum(costs, Fraction(0))


def _allowance_left(price: Price, index: int, before: Fraction) -> Fraction | None:
    """What of the allowance is left for the event at an index: nothing, an amount, or no end to it (None)."""
    if not price["free_events"] and not price["free_amount"]:
        return Fraction(0)
    if price["free_events"] is not None and index >= price["free_events"]:
        return Fraction(0)
    if price["free_amount"] is None:
        return None
    return Fraction(max(price["free_amount"] - before, Fraction(0)))


def _matrix(price: Price, events: Sequence[Event]) -> Fraction:
    cost = Fraction(0)
    for group in {group for _, group in events}:
        within = [event for event in events if event[1] == group]
        prices = [cell["price"] for cell in price["cells"] if tuple(cell["when"]) == group] or [price["default"]]
        if prices[0] is not None:
            cost += cost_of_events(prices[0], within)
    return cost


_MODELS = {
    "per_unit": _per_unit,
    "package": _package,
    "graduated": _graduated,
    "volume": _volume,
    "graduated_percentage": _graduated_percentage,
    "dynamic": _dynamic,
}
