"""Prices in words: what people read instead of `{"model": "graduated", ...}`."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from lotus_server.domain.catalog import (
    Conversion,
    DimensionValues,
    Dynamic,
    Graduated,
    GraduatedPercentage,
    Matrix,
    Package,
    Percentage,
    PerUnit,
    Price,
    PricingUnit,
    Rounding,
    Tier,
    Volume,
)
from lotus_server.http.web.formats import Formats
from lotus_server.kernel.quantity import ZERO

MODELS: Final = {
    "per_unit": "Per unit",
    "graduated": "Graduated tiers",
    "volume": "Volume tiers",
    "package": "Packages",
    "percentage": "Percentage of amounts",
    "graduated_percentage": "Graduated percentage",
    "matrix": "Matrix over groups",
    "dynamic": "Amounts that the events say",
}
MEANINGS: Final = {
    "per_unit": "Every unit costs the same.",
    "graduated": "Each tier prices the part of the quantity that falls into it.",
    "volume": "The tier that contains the whole quantity prices all of it.",
    "package": "Units are sold in whole packages.",
    "percentage": "A part of the amounts that events have, and a fee for each event.",
    "graduated_percentage": "Each tier charges its percentage of the part of the amount that falls into it.",
    "matrix": "Each group of the usage has a price of its own.",
    "dynamic": "A property of each event says what it costs.",
}
ROUNDINGS: Final = {
    Rounding.NONE: "a part of a batch costs its share",
    Rounding.UP: "a batch begun counts as a whole one",
    Rounding.DOWN: "a part of a batch costs nothing",
    Rounding.NEAREST: "parts of a batch are rounded to the nearest whole one",
}


class TierWords(msgspec.Struct, frozen=True):
    """A row of a table of tiers: for which quantities, at what price, and what is due once."""

    reach: str
    price: str
    flat_fee: str


class PriceWords(msgspec.Struct, frozen=True):
    """A price in words: its model, sentences, a table of tiers, and the prices of groups by what they are."""

    model: str
    meaning: str
    sentences: tuple[str, ...]
    tiers: tuple[TierWords, ...] = ()
    cells: tuple[tuple[str, "PriceWords"], ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """Return everything as lines of text."""
        tiers = (f"{tier.reach}: {tier.price}{tier.flat_fee and f', {tier.flat_fee}'}" for tier in self.tiers)
        cells = (f"{group}: {words.model}. {'. '.join(words.lines)}" for group, words in self.cells)
        return (*tiers, *self.sentences, *cells)


class Amounts:
    """Writes the amounts of one version: in its currency, or in a pricing unit."""

    def __init__(self, fmt: Formats, currency: str) -> None:
        """Write amounts in a currency."""
        self.fmt = fmt
        self.currency = currency
        self._unit: PricingUnit | None = None

    def of(self, conversion: Conversion | None, unit: PricingUnit | None) -> "Amounts":
        """Return what writes the amounts of something that is priced in a unit, if it is."""
        amounts = Amounts(self.fmt, self.currency)
        amounts._unit = unit if conversion is not None else None
        return amounts

    def text(self, amount: Decimal) -> str:
        """Return an amount with what it is in."""
        if self._unit is None:
            return self.fmt.money(amount, self.currency)
        return f"{self.fmt.number(amount)} {self._unit.symbol}"


def words_of(price: Price, amounts: Amounts) -> PriceWords:
    """Return a price in words."""
    model = model_of(price)
    tiers = _tiers(price, amounts)
    cells = _cells(price, amounts) if isinstance(price, Matrix) else ()
    sentences = _sentences(price, amounts)
    if price.minimum_spend is not None:
        sentences.append(f"At least {amounts.text(price.minimum_spend)} a period, also without usage")
    if price.maximum_spend is not None:
        sentences.append(f"At most {amounts.text(price.maximum_spend)} a period")
    return PriceWords(MODELS[model], MEANINGS[model], tuple(sentences), tiers, cells)


def _sentences(price: Price, amounts: Amounts) -> list[str]:
    match price:
        case PerUnit():
            return _per_unit(price, amounts)
        case Package():
            return _package(price, amounts)
        case Percentage():
            return _percentage(price, amounts)
        case Dynamic():
            return _dynamic(price, amounts)
        case Matrix():
            return ["Other groups cost nothing"] if price.default is None else []
        case _:
            return []


def _tiers(price: Price, amounts: Amounts) -> tuple[TierWords, ...]:
    if isinstance(price, Graduated | Volume):
        reaches = _reaches([tier.up_to for tier in price.tiers], amounts.fmt.number)
        return tuple(
            TierWords(reach, _tier_price(tier, amounts), _flat_fee(tier.flat_fee, amounts))
            for reach, tier in zip(reaches, price.tiers, strict=True)
        )
    if isinstance(price, GraduatedPercentage):
        reaches = _reaches([tier.up_to for tier in price.tiers], amounts.text)
        return tuple(
            TierWords(reach, f"{amounts.fmt.number(tier.rate_percent)}%", _flat_fee(tier.flat_fee, amounts))
            for reach, tier in zip(reaches, price.tiers, strict=True)
        )
    return ()


def model_of(price: Price) -> str:
    """Return the name of a price's model."""
    name = price.__struct_config__.tag
    assert isinstance(name, str)
    return name


def short_words(price: Price, amounts: Amounts) -> str:
    """Return a price in a few words, for a list."""
    match price:
        case PerUnit():
            return _batch_price(price.unit_price, price.batch_size, amounts)
        case Package():
            return f"{amounts.text(price.package_price)} per {amounts.fmt.number(price.package_size)}"
        case Percentage():
            return f"{amounts.fmt.number(price.rate_percent)}%"
        case Graduated() | Volume():
            dearest = max(price.tiers, key=lambda tier: tier.unit_price)
            text = _batch_price(dearest.unit_price, dearest.batch_size, amounts)
            return text if len(price.tiers) == 1 else f"up to {text}"
        case GraduatedPercentage():
            return f"up to {amounts.fmt.number(max(tier.rate_percent for tier in price.tiers))}%"
        case Matrix():
            return f"by {', '.join(price.dimensions)}"
        case Dynamic():
            return f"what {price.amount_property} says"


def group_text(dimensions: Sequence[str], when: DimensionValues) -> str:
    """Return the values of a group in words."""
    return ", ".join(
        f"{name} = {'(none)' if value is None else value}" for name, value in zip(dimensions, when, strict=True)
    )


def _batch_price(price: Decimal, size: Decimal, amounts: Amounts) -> str:
    return f"{amounts.text(price)} per {'unit' if size == 1 else f'{amounts.fmt.number(size)} units'}"


def _rounded(size: Decimal, rounding: Rounding) -> str:
    return "" if size == 1 and rounding is Rounding.NONE else f" ({ROUNDINGS[rounding]})"


def _free(units: Decimal, amounts: Amounts) -> list[str]:
    return [f"The first {amounts.fmt.number(units)} units are free"] if units else []


def _per_unit(price: PerUnit, amounts: Amounts) -> list[str]:
    text = _batch_price(price.unit_price, price.batch_size, amounts)
    return [text + _rounded(price.batch_size, price.rounding), *_free(price.free_units, amounts)]


def _package(price: Package, amounts: Amounts) -> list[str]:
    size = amounts.fmt.number(price.package_size)
    text = f"{amounts.text(price.package_price)} per package of {size} units ({ROUNDINGS[price.rounding]})"
    return [text, *_free(price.free_units, amounts)]


def _percentage(price: Percentage, amounts: Amounts) -> list[str]:
    fee = f" and {amounts.text(price.fixed_fee)} for each event" if price.fixed_fee else ""
    found = [f"{amounts.fmt.number(price.rate_percent)}% of the amounts{fee}"]
    limits = []
    if price.free_events:
        limits.append(f"{amounts.fmt.number(price.free_events)} events")
    if price.free_amount:
        limits.append(amounts.text(price.free_amount))
    if limits:
        ending = ", whichever is reached first" if len(limits) > 1 else ""
        found.append(f"The first {' or '.join(limits)} of a period are free{ending}")
    if price.min_per_event is not None:
        found.append(f"An event costs at least {amounts.text(price.min_per_event)}")
    if price.max_per_event is not None:
        found.append(f"An event costs at most {amounts.text(price.max_per_event)}")
    return found


def _dynamic(price: Dynamic, amounts: Amounts) -> list[str]:
    times = "" if price.multiplier == 1 else f", times {amounts.fmt.number(price.multiplier)}"
    return [f"The sum of {price.amount_property} of all events{times}"]


def _cells(price: Matrix, amounts: Amounts) -> tuple[tuple[str, PriceWords], ...]:
    cells = [(group_text(price.dimensions, cell.when), words_of(cell.price, amounts)) for cell in price.cells]
    if price.default is not None:
        cells.append(("every other group", words_of(price.default, amounts)))
    return tuple(cells)


def _reaches(ends: Sequence[Decimal | None], text: Callable[[Decimal], str]) -> list[str]:
    """Return for which quantities each tier is; a quantity equal to the end of one belongs to it."""
    found = []
    start = ZERO
    for end in ends:
        if end is None:
            found.append(f"Above {text(start)}" if start else "Everything")
        else:
            found.append(f"Above {text(start)}, up to {text(end)}" if start else f"Up to {text(end)}")
            start = end
    return found


def _tier_price(tier: Tier, amounts: Amounts) -> str:
    if tier.is_free or not tier.unit_price:
        return "free"
    return _batch_price(tier.unit_price, tier.batch_size, amounts) + _rounded(tier.batch_size, tier.rounding)


def _flat_fee(fee: Decimal, amounts: Amounts) -> str:
    return f"{amounts.text(fee)} once" if fee else ""
