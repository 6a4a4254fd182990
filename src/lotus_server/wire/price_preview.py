"""The price preview in JSON: what a price makes of quantities."""

from decimal import Decimal
from typing import Any, Final

import msgspec
from pydantic import Field

from lotus_server.domain.catalog import Price, price_problems
from lotus_server.domain.rating import Rated, Step, rate, rate_each, rate_on_top
from lotus_server.kernel.currencies import CURRENCIES, Currency
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.money import round_to_minor_unit, total
from lotus_server.wire.forms import Form, Number, currency_code
from lotus_server.wire.prices import UNREADABLE, PriceForm

QUANTITIES_MAX: Final = 10_000
_WAYS: Final = ("quantity", "quantities", "events", "windows")


class PreviewEventForm(Form):
    """An event of which only its value matters."""

    value: Number = None


class PricePreviewForm(Form):
    """A price, and one of `quantity`, `quantities`, `events` or `windows`."""

    price: PriceForm | None = None
    currency: Any = Field(None, description="An ISO 4217 code; the organization's when missing.")
    quantity: Number = Field(None, description="What one period used.")
    quantities: list[Number] | None = Field(None, description="Several of them, each a question of its own.")
    events: list[PreviewEventForm] | None = Field(None, description="The events of one period; their values are added.")
    windows: list[Number] | None = Field(None, description="Quantities of one period that are priced one by one.")
    already_rated: Number = Field(None, description="What the same period was charged for before, below the quantity.")

    def to_preview(self, problems: Problems, default_currency: str) -> "PricePreview":
        """Return the question. Raises Invalid with everything that is wrong with it."""
        if self.price is None:
            problems.add("price", "required", "price is required.")
        price = UNREADABLE if self.price is None else self.price.to_price(problems, "price.")
        problems.extend(price_problems(price), under="price.")
        code = default_currency if self.currency is None else currency_code(self.currency)
        if code not in CURRENCIES:
            problems.add("currency", "unknown_currency", f"{self.currency!r} is not an ISO 4217 currency code.")
        given = [way for way in _WAYS if getattr(self, way) is not None]
        is_unreadable = any(problems.any_below(way) for way in _WAYS)
        if len(given) != 1 and not is_unreadable:
            detail = f"Exactly one of {', '.join(_WAYS)} must be given."
            problems.add("quantity", "ambiguous" if given else "required", detail)
        for way in given:
            if way != "quantity" and len(getattr(self, way)) > QUANTITIES_MAX:
                problems.add(way, "too_many", f"{way} has at most {QUANTITIES_MAX} members.")
        if self.windows is not None and self.already_rated is not None:
            problems.add("already_rated", "not_for_windows", "Windows are priced one by one: nothing lies below them.")
        values = self._values(problems)
        problems.raise_if_any()
        assert code is not None
        return PricePreview(price, CURRENCIES[code], given[0], values, self.already_rated)

    def _values(self, problems: Problems) -> tuple[Decimal, ...]:
        if self.quantity is not None:
            return (self.quantity,)
        if self.events is not None:
            named = [(f"events[{index}].value", event.value) for index, event in enumerate(self.events)]
        else:
            way = "windows" if self.windows is not None else "quantities"
            named = [(f"{way}[{index}]", value) for index, value in enumerate(getattr(self, way) or ())]
        for field, value in named:
            if value is None:
                problems.add(field, "required", f"{field} must be a number.")
        return tuple(value for _, value in named if value is not None)


class PricePreview(msgspec.Struct, frozen=True):
    """A price, the way its quantities were given, and the quantities."""

    price: Price
    currency: Currency
    way: str
    values: tuple[Decimal, ...]
    already_rated: Decimal | None

    def row(self) -> dict[str, Any] | list[dict[str, Any]]:
        """Return the answer: of one calculation, or, for `quantities`, one of each."""
        if self.way == "quantities":
            return [self._row(self._rated(quantity)) for quantity in self.values]
        if self.way == "windows":
            return self._row(rate_each(self.price, self.values))
        return self._row(self._rated(total(self.values)))

    def _rated(self, quantity: Decimal) -> Rated:
        if self.already_rated is None:
            return rate(self.price, quantity)
        return rate_on_top(self.price, quantity, self.already_rated)

    def _row(self, rated: Rated) -> dict[str, Any]:
        return {
            "amount": round_to_minor_unit(rated.amount, self.currency),
            "exact_amount": rated.amount,
            "currency": self.currency.code,
            "lines": [step_row(step) for step in rated.steps],
        }


def step_row(step: Step) -> dict[str, Any]:
    """Return one step of a calculation as it is shown."""
    return {"text": step.text, "quantity": step.quantity, "unit_price": step.unit_price, "amount": step.amount}
