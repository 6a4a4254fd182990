"""Matrix: each group of the usage is priced on its own, at the cell of its values."""

from collections.abc import Callable, Mapping

import msgspec

from lotus_server.domain.catalog import CellPrice, DimensionValues, Matrix
from lotus_server.domain.rating.lines import Rated, Step
from lotus_server.domain.rating.usage import RatedUsage
from lotus_server.kernel.quantity import ZERO, readable


def matrix_steps(
    price: Matrix,
    groups: Mapping[DimensionValues, RatedUsage],
    steps: list[Step],
    rate_group: Callable[[CellPrice, RatedUsage], Rated],
) -> None:
    """Append the steps of every group, each as if it were alone, by `rate_group`.

    The groups of cells come in the order of the cells, then the others. Cells without usage have no steps: nobody
    reached their price. A group without a cell is priced at the default, or, without one, not charged, visibly.
    """
    prices = {cell.when: cell.price for cell in price.cells}
    in_order = [when for when in prices if when in groups] + sorted(groups.keys() - prices.keys(), key=_sort_key)
    for group in in_order:
        name, usage = _name(price, group), groups[group]
        found = prices.get(group, price.default)
        if found is None:
            steps.append(Step(f"{name}no price, {readable(usage.quantity)} not charged", usage.quantity, ZERO, ZERO))
            continue
        steps += [msgspec.structs.replace(step, text=f"{name}{step.text}") for step in rate_group(found, usage).steps]
    if not groups:
        steps.append(Step("no usage", ZERO, None, ZERO))


def _name(price: Matrix, group: DimensionValues) -> str:
    assert len(group) == len(price.dimensions), f"the group {group} has not a value for each of {price.dimensions}"
    return ", ".join(_value(name, value) for name, value in zip(price.dimensions, group, strict=True)) + ": "


def _value(name: str, value: str | None) -> str:
    return f"without {name}" if value is None else f"{name} {value}"


def _sort_key(group: DimensionValues) -> list[tuple[bool, str]]:
    return [(value is None, value or "") for value in group]
