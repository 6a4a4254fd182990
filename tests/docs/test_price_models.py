"""Every example in the page about price models comes out as it says."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from lotus_server.domain.catalog import price_problems
from lotus_server.domain.rating import rate
from lotus_server.kernel.errors import Problems
from lotus_server.wire.forms import read
from lotus_server.wire.prices import MODELS, PriceForm
from tests.repository import ROOT

PAGE = (ROOT / "docs/concepts/price-models.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"```json\n(?P<price>(?s:.+?))```\n\n\| quantity .*\n\|[-|]+\|\n(?P<rows>(?:\|.*\|\n)+)")


def _examples() -> Iterator[tuple[dict[str, Any], str, str, str]]:
    for match in EXAMPLE.finditer(PAGE):
        price = json.loads(match["price"], parse_float=Decimal)
        for row in match["rows"].splitlines():
            quantity, amount, how = (cell.strip() for cell in row.strip("|").split("|"))
            yield price, quantity, amount, how


@pytest.mark.parametrize(("payload", "quantity", "amount", "how"), list(_examples()))
def test_the_example_comes_out_as_it_says(payload: dict[str, Any], quantity: str, amount: str, how: str) -> None:
    problems = Problems()
    price = read(PriceForm, payload, problems).to_price(problems)
    rated = rate(price, Decimal(quantity))

    assert () == problems.found + price_problems(price)
    assert Decimal(amount) == rated.amount
    assert how == "; ".join(step.text for step in rated.steps)


def test_every_model_has_an_example() -> None:
    assert set(MODELS) == {price["model"] for price, *_ in _examples()}
    assert PAGE.count("```json") == len(EXAMPLE.findall(PAGE))
