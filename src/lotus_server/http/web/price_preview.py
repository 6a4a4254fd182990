"""What a price comes to for a quantity, with the curve around it: the figures are those of the API's price preview."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from lotus_server.domain.catalog import (
    CellPrice,
    Conversion,
    Dynamic,
    Matrix,
    Price,
    needs_only_quantity,
    price_problems,
)
from lotus_server.domain.rating import curve_of
from lotus_server.http.web.charts import Chart, Series
from lotus_server.http.web.price_words import group_text
from lotus_server.kernel.currencies import CURRENCIES
from lotus_server.kernel.errors import Invalid, Problems
from lotus_server.kernel.money import round_to_minor_unit
from lotus_server.kernel.quantity import ONE, ZERO, multiply, plain
from lotus_server.wire.forms import read
from lotus_server.wire.price_preview import QUANTITIES_MAX, PricePreviewForm

_ROWS_MAX: Final = 14


class Asked(msgspec.Struct, frozen=True):
    """The usage whose price is asked for, as it was typed.

    `quantity` is that of a period, or the amount of each of `events` events; `group` is the number of a matrix's cell,
    or the number after the last one for every other group.
    """

    quantity: str = ""
    events: str = ""
    group: str = ""


class Previewed(msgspec.Struct, frozen=True):
    """The answer: what the usage costs, rounded and exact, every step, and the curve of the price."""

    asked: Asked
    amount: Decimal
    exact_amount: Decimal
    currency: str
    steps: tuple[Mapping[str, Any], ...]
    chart: Chart
    rows: tuple[tuple[Decimal, Decimal], ...]
    needs: str
    groups: tuple[str, ...] = ()


def preview_price(terms: Mapping[str, Any], asked: Asked, default_currency: str) -> Previewed:
    """Return what usage costs at a price that is given in the JSON of the API.

    `terms` has `price`, and may have `currency`, `pricing_unit` and `conversion_rate`. Raises Invalid with everything
    that is wrong, at the paths of that JSON; `quantity`, `events` and `group` are those of `asked`.
    """
    price = _read_price(terms)
    number = _group_number(price, asked)
    usage = _usage(price, asked, number)
    problems = Problems()
    question = read(PricePreviewForm, {**terms, **usage}, problems).to_preview(problems, default_currency)
    answer = question.row()
    assert isinstance(answer, dict), "one question has one answer"
    curve = _curve(price, number, question.conversion, up_to=question.usages[0].quantity)
    return Previewed(
        asked=asked,
        amount=answer["amount"],
        exact_amount=answer["exact_amount"],
        currency=answer["currency"],
        steps=tuple(answer["lines"]),
        chart=Chart(
            "line",
            [plain(quantity) for quantity, _ in curve],
            [Series("Cost", [Decimal(plain(amount)) for _, amount in curve])],
            currency=answer["currency"],
            x_kind="number",
        ),
        rows=_rows(curve, answer["currency"]),
        needs=_needs(price, number),
        groups=groups_of(price),
    )


def groups_of(price: Price) -> tuple[str, ...]:
    """Return the groups of a matrix in words; nothing for other prices."""
    if not isinstance(price, Matrix):
        return ()
    return (*(group_text(price.dimensions, cell.when) for cell in price.cells), "every other group")


def _read_price(terms: Mapping[str, Any]) -> Price:
    """Return the price alone, to know which usage it needs. Raises Invalid with all that is wrong with the terms."""
    problems = Problems()
    form = read(PricePreviewForm, {**terms, "quantity": 0}, problems)
    if form.price is None:
        raise Invalid.field("price", "required", "price is required.")
    price = form.price.to_price(problems, "price.")
    problems.extend(price_problems(price), under="price.")
    problems.raise_if_any()
    return price


def _group_number(price: Price, asked: Asked) -> int:
    last = len(price.cells) if isinstance(price, Matrix) else 0
    text = asked.group.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        return 0
    return min(int(text), last)


def _price_of(price: Price, number: int) -> CellPrice | None:
    """Return the price of a matrix's group, or the price itself; null: the group is not charged."""
    if not isinstance(price, Matrix):
        return price
    return price.cells[number].price if number < len(price.cells) else price.default


def _needs(price: Price, number: int) -> str:
    """Return what the usage is: `quantity`, or `events` of an amount each."""
    found = _price_of(price, number)
    is_quantity = found is None or isinstance(found, Dynamic) or needs_only_quantity(found)
    return "quantity" if is_quantity else "events"


def _usage(price: Price, asked: Asked, number: int) -> dict[str, Any]:
    quantity = asked.quantity.strip() or "0"
    if not isinstance(price, Matrix) and _needs(price, number) == "quantity":
        return {"quantity": quantity}
    event: dict[str, Any] = {"value": quantity}
    if isinstance(price, Matrix):
        event["properties"] = _properties(price, number)
    return {"events": [event] * _event_count(asked)}


def _properties(price: Matrix, number: int) -> dict[str, Any]:
    """Return the properties of an event of a group; of every other group when there is no cell of the number."""
    if number < len(price.cells):
        when = price.cells[number].when
        return {name: value for name, value in zip(price.dimensions, when, strict=True) if value is not None}
    taken = {cell.when for cell in price.cells}
    other = next(text for text in map(str, range(len(taken) + 1)) if (text,) * len(price.dimensions) not in taken)
    return dict.fromkeys(price.dimensions, other)


def _event_count(asked: Asked) -> int:
    text = asked.events.strip() or "1"
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= QUANTITIES_MAX):
        raise Invalid.field("events", "invalid_number", f"A whole number from 1 to {QUANTITIES_MAX}.")
    return int(text)


def _curve(
    price: Price, number: int, conversion: Conversion | None, *, up_to: Decimal
) -> tuple[tuple[Decimal, Decimal], ...]:
    shown = _price_of(price, number)
    if shown is None:
        return ((ZERO, ZERO), (ONE, ZERO))
    curve = curve_of(shown, up_to=up_to)
    if conversion is None:
        return curve
    return tuple((quantity, multiply(amount, conversion.rate)) for quantity, amount in curve)


def _rows(curve: tuple[tuple[Decimal, Decimal], ...], currency: str) -> tuple[tuple[Decimal, Decimal], ...]:
    """Return some of the points, evenly, for the table beside the chart."""
    step = max(1, -(-len(curve) // _ROWS_MAX))
    some = [*curve[:-1:step], curve[-1]]
    return tuple((quantity, round_to_minor_unit(amount, CURRENCIES[currency])) for quantity, amount in some)
