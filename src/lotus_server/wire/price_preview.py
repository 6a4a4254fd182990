"""The price preview in JSON: what a price makes of usage."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
from pydantic import Field

from lotus_server.domain.catalog import (
    CellPrice,
    Conversion,
    DimensionValues,
    Dynamic,
    Matrix,
    Price,
    conversion_problems,
    needs_only_quantity,
    price_problems,
)
from lotus_server.domain.metering import as_number, lookup
from lotus_server.domain.rating import Rated, RatedUsage, Step, in_money, rate, rate_each, rate_on_top
from lotus_server.kernel.currencies import CURRENCIES, Currency
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.money import round_to_minor_unit
from lotus_server.kernel.quantity import ZERO
from lotus_server.wire.forms import Form, Number, currency_code
from lotus_server.wire.prices import UNREADABLE, PriceForm, dimension_values
from lotus_server.wire.pricing_units import conversion_of

QUANTITIES_MAX: Final = 10_000
_WAYS: Final = ("quantity", "quantities", "events", "windows")
_NEEDS_EVENTS: Final = (
    "This price needs more than a quantity (each event's value, the number of events, or the usage of each group): "
    "give {instead}."
)


class PreviewEventForm(Form):
    """An event: its value, and the properties by which a price groups it or reads its amount."""

    value: Number = Field(None, description="What the metric takes from the event.")
    properties: dict[str, Any] | None = Field(
        None, description="matrix: the values of the dimensions; dynamic: the amount, instead of value."
    )

    def amount(self, price: CellPrice | None, problems: Problems, path: str) -> Decimal:
        """Return what a price takes from the event; 0, with a problem below `path`, when that is missing."""
        if isinstance(price, Dynamic) and self.properties is not None:
            given = lookup(self.properties, price.amount_property)
            if given is not None:
                return self._named_amount(price.amount_property, given, problems, path)
        if self.value is None:
            problems.add(f"{path}value", "required", f"{path}value must be a number.")
            return ZERO
        return self.value

    def _named_amount(self, name: str, given: object, problems: Problems, path: str) -> Decimal:
        amount = as_number(given)
        if amount is None:
            problems.add(f"{path}properties.{name}", "invalid_number", f"{name} must be a number.")
            return ZERO
        if self.value is not None and self.value != amount:
            problems.add(f"{path}value", "ambiguous", f"{name} says another amount: leave value out.")
        return amount


class PricePreviewForm(Form):
    """A price, and one of `quantity`, `quantities`, `events` or `windows`."""

    price: PriceForm | None = None
    currency: Any = Field(None, description="An ISO 4217 code; the organization's when missing.")
    pricing_unit: Any = Field(None, description="What the price is in, if it is not in money: any code.")
    conversion_rate: Number = Field(None, description="What one pricing unit costs in the currency.")
    quantity: Number = Field(None, description="What one period used.")
    quantities: list[Number] | None = Field(None, description="Several of them, each a question of its own.")
    events: list[PreviewEventForm] | None = Field(
        None, description="The events of one period in their order; a price of quantities adds their values."
    )
    windows: list[Number] | None = Field(None, description="Quantities of one period that are priced one by one.")
    already_rated: Number = Field(None, description="What the same period was charged for before, below the quantity.")
    already_rated_events: list[PreviewEventForm] | None = Field(
        None, description="The same as events, for a price that needs more than a quantity."
    )

    def to_preview(self, problems: Problems, default_currency: str) -> "PricePreview":
        """Return the question. Raises Invalid with everything that is wrong with it."""
        if self.price is None:
            problems.add("price", "required", "price is required.")
        price = UNREADABLE if self.price is None else self.price.to_price(problems, "price.")
        problems.extend(price_problems(price), under="price.")
        code = default_currency if self.currency is None else currency_code(self.currency)
        if code not in CURRENCIES:
            problems.add("currency", "unknown_currency", f"{self.currency!r} is not an ISO 4217 currency code.")
        conversion = conversion_of(self.pricing_unit, self.conversion_rate, problems, path="", currency=code)
        if conversion is not None:
            problems.extend(conversion_problems(conversion))
        given = [way for way in _WAYS if getattr(self, way) is not None]
        is_unreadable = any(problems.any_below(way) for way in _WAYS)
        if len(given) != 1 and not is_unreadable:
            detail = f"Exactly one of {', '.join(_WAYS)} must be given."
            problems.add("quantity", "ambiguous" if given else "required", detail)
        self._check_lengths(problems)
        self._check_ways(price, problems)
        usages = self._usages(price, problems)
        earlier = self._earlier(price, problems)
        problems.raise_if_any()
        assert code is not None
        return PricePreview(price, CURRENCIES[code], given[0], usages, earlier, conversion)

    def _check_lengths(self, problems: Problems) -> None:
        for key in (*_WAYS[1:], "already_rated_events"):
            if len(getattr(self, key) or ()) > QUANTITIES_MAX:
                problems.add(key, "too_many", f"{key} has at most {QUANTITIES_MAX} members.")

    def _check_ways(self, price: Price, problems: Problems) -> None:
        """Refuse the ways that do not say what the price needs, and ways that contradict each other."""
        for key in ("already_rated", "already_rated_events"):
            if self.windows is not None and getattr(self, key) is not None:
                problems.add(key, "not_for_windows", "Windows are priced one by one: nothing lies below them.")
        if self.already_rated is not None and self.already_rated_events is not None:
            problems.add("already_rated", "ambiguous", "Give already_rated or already_rated_events.")
        if needs_only_quantity(price) or isinstance(price, Dynamic):
            return
        for way in ("quantity", "quantities", "windows"):
            if getattr(self, way) is not None:
                problems.add(way, "not_for_model", _NEEDS_EVENTS.format(instead="events"))
        if self.already_rated is not None:
            detail = _NEEDS_EVENTS.format(instead="already_rated_events")
            problems.add("already_rated", "not_for_model", detail)

    def _usages(self, price: Price, problems: Problems) -> tuple[RatedUsage, ...]:
        if self.events is not None:
            return (_usage_of(self.events, price, problems, "events"),)
        if self.quantity is not None:
            return (RatedUsage(self.quantity),)
        way = "windows" if self.windows is not None else "quantities"
        values: list[Decimal | None] = getattr(self, way) or []
        for index, value in enumerate(values):
            if value is None:
                problems.add(f"{way}[{index}]", "required", f"{way}[{index}] must be a number.")
        return tuple(RatedUsage(value) for value in values if value is not None)

    def _earlier(self, price: Price, problems: Problems) -> RatedUsage | None:
        if self.already_rated_events is not None:
            return _usage_of(self.already_rated_events, price, problems, "already_rated_events")
        return None if self.already_rated is None else RatedUsage(self.already_rated)


def _usage_of(events: Sequence[PreviewEventForm], price: Price, problems: Problems, field: str) -> RatedUsage:
    """Return the usage that events make for a price, in groups for a matrix."""
    if price is UNREADABLE:
        return RatedUsage(ZERO)  # its problem is known; what it needs of the events is not
    if not isinstance(price, Matrix):
        return RatedUsage.of_events(
            event.amount(price, problems, f"{field}[{index}].") for index, event in enumerate(events)
        )
    prices: dict[DimensionValues, CellPrice | None] = {}
    values: dict[DimensionValues, list[Decimal]] = {}
    for index, event in enumerate(events):
        group = dimension_values(price.dimensions, event.properties or {})
        if group not in prices:
            prices[group], values[group] = price.price_of(group), []
        values[group].append(event.amount(prices[group], problems, f"{field}[{index}]."))
    return RatedUsage.of_groups({group: RatedUsage.of_events(amounts) for group, amounts in values.items()})


class PricePreview(msgspec.Struct, frozen=True):
    """A price, the way its usage was given, and the usage: one, or one per question or window."""

    price: Price
    currency: Currency
    way: str
    usages: tuple[RatedUsage, ...]
    already_rated: RatedUsage | None
    conversion: Conversion | None = None

    def row(self) -> dict[str, Any] | list[dict[str, Any]]:
        """Return the answer: of one calculation, or, for `quantities`, one of each."""
        if self.way == "quantities":
            return [self._row(self._rated(usage)) for usage in self.usages]
        if self.way == "windows":
            return self._row(rate_each(self.price, self.usages))
        return self._row(self._rated(self.usages[0]))

    def _rated(self, usage: RatedUsage) -> Rated:
        if self.already_rated is None:
            return rate(self.price, usage)
        return rate_on_top(self.price, usage, self.already_rated)

    def _row(self, rated: Rated) -> dict[str, Any]:
        rated = in_money(rated, self.conversion)
        return {
            "amount": round_to_minor_unit(rated.amount, self.currency),
            "exact_amount": rated.amount,
            "currency": self.currency.code,
            "lines": [step_row(step) for step in rated.steps],
        }


def step_row(step: Step) -> dict[str, Any]:
    """Return one step of a calculation as it is shown."""
    return {"text": step.text, "quantity": step.quantity, "unit_price": step.unit_price, "amount": step.amount}
