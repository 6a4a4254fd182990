"""Every example in the pages about prices comes out as it says, and every picture shows what rating says."""

import json
import re
import runpy
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from lotus_server.domain.rating import rate
from lotus_server.kernel.errors import Problems
from lotus_server.wire.forms import read
from lotus_server.wire.price_preview import PricePreviewForm
from lotus_server.wire.prices import MODELS
from lotus_server.wire.proration_preview import ProrationPreviewForm
from tests.repository import ROOT

PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs/concepts/prices").glob("*.md"))}
PAGE = "\n".join(PAGES.values())
EXAMPLE = re.compile(
    r"```json\n(?P<price>[^`]+)```\n\n\| (?P<way>quantity|events) .*\n\|[-|]+\|\n(?P<rows>(?:\|.*\|\n)+)"
)
CHANGE = re.compile(r"```json\n(?P<question>[^`]+)```\n\n```json\n(?P<answer>[^`]+)```")
EVENT = re.compile(r"(?P<value>[\d.]+)(?: \((?P<name>\w+)=(?P<text>\w+)\))?")


def _examples() -> Iterator[tuple[dict[str, Any], dict[str, Any], str, str]]:
    for match in EXAMPLE.finditer(PAGE):
        price = json.loads(match["price"], parse_float=Decimal)
        for row in match["rows"].splitlines():
            usage, amount, how = (cell.strip() for cell in row.strip("|").split("|"))
            given = usage if match["way"] == "quantity" else [_event(event) for event in usage.split(", ")]
            yield price, {match["way"]: given}, amount, how


def _event(text: str) -> dict[str, Any]:
    """An event as the page writes it: `40`, or `40 (model=small)`."""
    match = EVENT.fullmatch(text)
    assert match is not None, text
    return {"value": match["value"], "properties": {match["name"]: match["text"]} if match["name"] else {}}


@pytest.mark.parametrize(("price", "usage", "amount", "how"), list(_examples()))
def test_the_example_comes_out_as_it_says(price: dict[str, Any], usage: dict[str, Any], amount: str, how: str) -> None:
    problems = Problems()
    preview = read(PricePreviewForm, {"price": price} | usage, problems).to_preview(problems, "USD")
    rated = rate(preview.price, preview.usages[0])

    assert Decimal(amount) == rated.amount
    assert how == "; ".join(step.text for step in rated.steps)


def test_every_model_has_an_example() -> None:
    assert set(MODELS) == {price["model"] for price, *_ in _examples()}
    assert PAGE.count("```json") == len(EXAMPLE.findall(PAGE)) + 2 * len(CHANGE.findall(PAGE))


def test_the_example_of_a_change_comes_out_as_it_says() -> None:
    match = CHANGE.search(PAGE)
    assert match is not None
    payload, expected = (json.loads(match[name], parse_float=Decimal) for name in ("question", "answer"))
    problems = Problems()

    assert expected == read(ProrationPreviewForm, payload, problems).to_preview(problems, "USD").row()


@pytest.mark.parametrize("name", MODELS)
def test_every_model_has_a_page_whose_picture_shows_what_rating_says(name: str) -> None:
    drawing = runpy.run_path(str(ROOT / "scripts/price_curves.py"))["picture_of"](name)

    assert f"({name}.svg)" in PAGES[name]
    assert (ROOT / f"docs/concepts/prices/{name}.svg").read_text(encoding="utf-8") == drawing
