"""Draws, for the page of each price model, what a quantity costs at the first price of the page.

`python scripts/price_curves.py` writes the pictures; the tests hold them against what rating says today.
"""

import json
import re
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from lotus_server.domain.rating import RatedUsage, rate
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.quantity import plain
from lotus_server.wire.forms import read
from lotus_server.wire.price_preview import PricePreviewForm

PAGES = Path(__file__).resolve().parent.parent / "docs/concepts/prices"
FIRST_PRICE = re.compile(r"```json\n((?s:.+?))```")
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 560, 260, 64, 36, 16, 16
STEPS = 600
# How far a picture goes, and for prices of events how large each event is.
REACH = {
    "per_unit": 200,
    "graduated": 300,
    "volume": 300,
    "package": 120,
    "percentage": 1000,
    "graduated_percentage": 40,
    "matrix": 200,
    "dynamic": 100,
}


def main() -> None:
    """Write the picture of every page."""
    for name in REACH:
        (PAGES / f"{name}.svg").write_text(picture_of(name), encoding="utf-8")


def picture_of(name: str) -> str:
    """Return the picture of a model's page."""
    found = FIRST_PRICE.search((PAGES / f"{name}.md").read_text(encoding="utf-8"))
    assert found is not None, f"{name}.md has no price"
    price = json.loads(found[1], parse_float=Decimal)
    quantities = [Decimal(REACH[name] * step) / STEPS for step in range(STEPS + 1)]
    return drawn([(quantity, cost(price, quantity)) for quantity in quantities])


def cost(price: dict[str, Any], quantity: Decimal) -> Decimal:
    """Return what a quantity costs; a matrix has it in the group of its last cell, a percentage in events of 100."""
    usage: dict[str, Any] = {"quantity": quantity}
    if price["model"] == "matrix":
        usage = {"events": [{"value": quantity, "properties": price["cells"][-1]["when"]}]}
    elif price["model"] == "percentage":
        whole, rest = divmod(quantity, 100)
        usage = {"events": [{"value": value} for value in [Decimal(100)] * int(whole) + ([rest] if rest else [])]}
        if not usage["events"]:
            return Decimal(0)
    problems = Problems()
    preview = read(PricePreviewForm, {"price": price} | usage, problems).to_preview(problems, "USD")
    assert isinstance(preview.usages[0], RatedUsage | Decimal)
    return rate(preview.price, preview.usages[0]).amount


def drawn(points: list[tuple[Decimal, Decimal]]) -> str:
    """Return a curve with its axes; where the amount jumps, the line is broken."""
    reach, top = points[-1][0], max(amount for _, amount in points) or Decimal(1)
    usual = sorted(abs(after[1] - before[1]) for before, after in pairwise(points))[len(points) // 2]
    jump = max(usual * 4, top / 60)

    def place(quantity: Decimal, amount: Decimal) -> str:
        x = LEFT + quantity / reach * (WIDTH - LEFT - RIGHT)
        y = HEIGHT - BOTTOM - amount / top * (HEIGHT - BOTTOM - TOP)
        return f"{x:.1f},{y:.1f}"

    strokes: list[list[str]] = [[place(*points[0])]]
    for before, after in pairwise(points):
        if abs(after[1] - before[1]) > jump:
            strokes.append([])
        strokes[-1].append(place(*after))
    lines = "".join(f'<polyline points="{" ".join(stroke)}"/>' for stroke in strokes if len(stroke) > 1)
    marks = "".join(_mark(place, reach * part / 4, top * part / 4) for part in range(5))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        "<title>What a quantity costs</title>"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
        '<g font-family="sans-serif" font-size="11" fill="#667085" stroke="none">' + marks + "</g>"
        '<g fill="none" stroke="#2f5fd0" stroke-width="2" stroke-linejoin="round">' + lines + "</g></svg>\n"
    )


def _mark(place: Any, quantity: Decimal, amount: Decimal) -> str:  # noqa: ANN401 - a function of two numbers
    x, bottom = place(quantity, Decimal(0)).split(",")
    left, y = place(Decimal(0), amount).split(",")
    label_x, label_y = plain(quantity.quantize(Decimal("0.1"))), plain(amount.quantize(Decimal("0.01")))
    return (
        f'<path d="M{x} {bottom}V{TOP}M{left} {y}H{WIDTH - RIGHT}" stroke="#e4e7ec"/>'
        f'<text x="{x}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{label_x}</text>'
        f'<text x="{LEFT - 8}" y="{float(y) + 4:.1f}" text-anchor="end">{label_y}</text>'
    )


if __name__ == "__main__":
    main()
