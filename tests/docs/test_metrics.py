"""Every example in the pages about metrics comes out as they say."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from lotus_server.domain.metering import Aggregation, MetricType, Selection, Usage, split_key
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import to_text
from lotus_server.kernel.period import Period
from lotus_server.wire.forms import read
from lotus_server.wire.metric_definitions import DefinitionForm
from tests.business import at
from tests.events_in_memory import EventsInMemory
from tests.repository import ROOT

PAGES = sorted((ROOT / "docs/concepts/metrics").glob("*.md"))
EXAMPLE = re.compile(
    r"```json\n(?P<definition>(?s:.+?))```\n\n\| when \| event \| properties \|\n\|[-|]+\|\n(?P<events>(?:\|.*\|\n)+)"
    r"\n\| from \| to \|(?: (?P<part>\w+) \|)? quantity \|\n\|[-|]+\|\n(?P<answers>(?:\|.*\|\n)+)"
)


def _cells(table: str) -> Iterator[list[str]]:
    for row in table.splitlines():
        yield [cell.strip() for cell in row.strip("|").split("|")]


def _examples() -> Iterator[Any]:
    for page in PAGES:
        for number, match in enumerate(EXAMPLE.finditer(page.read_text(encoding="utf-8")), 1):
            definition = json.loads(match["definition"], parse_float=Decimal)
            yield pytest.param(definition, match["events"], match["part"], match["answers"], id=f"{page.stem}-{number}")


@pytest.mark.parametrize(("definition", "events", "part", "answers"), list(_examples()))
def test_the_example_comes_out_as_it_says(
    definition: dict[str, Any], events: str, part: str | None, answers: str
) -> None:
    problems = Problems()
    read_definition = read(DefinitionForm, definition, problems).to_definition(problems)
    store = EventsInMemory()
    for when, name, properties in _cells(events):
        store.put("org", name, "acme", at(when), json.loads(properties, parse_float=Decimal))

    assert () == (*problems.found, *read_definition.problems())
    for start, end, *label, quantity in _cells(answers):
        selection = Selection(read_definition, "acme", Period(at(start), at(end)))
        (usage,) = store.usage("org", [selection])
        assert Decimal(quantity) == _part(selection, usage, part, label[0] if label else "").quantity


def _part(selection: Selection, usage: Usage, part: str | None, label: str) -> Usage:
    """The usage that a row of answers is about: the whole, a group by its texts, or a window by its start."""
    if not label:
        return usage
    for key, found in usage.groups.items():
        start, group = split_key(selection.definition, key)
        name = ", ".join("(none)" if text is None else text for text in group)
        if part == "group" and name == label:
            return found
        if part == "window" and start is not None and to_text(start) == to_text(at(label)):
            return found
    raise AssertionError(f"There is no {part} {label!r} in {list(usage.groups)}")


def test_every_table_of_an_example_is_looked_at() -> None:
    tables = sum(page.read_text(encoding="utf-8").count("```json") for page in PAGES)

    assert tables == len(list(_examples()))


def test_every_type_and_aggregation_has_a_page() -> None:
    pages = {page.stem for page in PAGES}

    types = {kind.value for kind in MetricType if kind not in {MetricType.COUNTER, MetricType.CUSTOM}}
    assert types | {"custom-sql", "window", "expression"} | {each.value for each in Aggregation} <= pages
