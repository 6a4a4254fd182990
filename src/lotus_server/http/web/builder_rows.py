"""The rows of a builder that stand closed, in words and with one hidden field: so its page stays small."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

import msgspec

from lotus_server.domain.catalog import Component, Matrix, PricingUnit, price_problems
from lotus_server.http.web.formats import Formats
from lotus_server.http.web.forms import Form
from lotus_server.http.web.price_words import Amounts, PriceWords, group_text, words_of
from lotus_server.http.web.security import CSRF_FIELD
from lotus_server.http.web.version_words import component_extras, conversion_words
from lotus_server.kernel.errors import LotusError, Problems
from lotus_server.usecases.plan_drafts import ComponentDraft
from lotus_server.wire.components import ComponentForm
from lotus_server.wire.forms import read

# How much the open rows of a page may come to, in about kilobytes: of a component, of a tier, of a group of a matrix.
_OPEN_MAX: Final = 150
_COMPONENT: Final = 20
_TIER: Final = 4
_CELL: Final = 17
_ROW: Final = re.compile(r"components\[\d+\](?:\.price\.cells\[\d+\])?")


class RowWords(msgspec.Struct, frozen=True):
    """A closed row as it is read. `price` null: it cannot be told, because something is wrong or missing."""

    title: str
    price: PriceWords | None
    extras: tuple[str, ...] = ()


class BuilderRows:
    """Which components, and which groups of a matrix, stand open in a builder, and what the closed ones say.

    All do while they are few. Else those do that somebody asked for, that have a problem, or that were open when the
    form was sent, in this order, as far as the page stays small.
    """

    def __init__(
        self, form: Form, metrics: Mapping[str, str], units: Mapping[str, PricingUnit], fmt: Formats, currency: str
    ) -> None:
        """Look at a form, whose problems may still be added. `metrics` has names by id, `currency` is the usual one."""
        self._form = form
        self._metrics = metrics
        self._units = units
        self._fmt = fmt
        self._currency = currency

    def is_open(self, path: str) -> bool:
        """Tell whether a row shows its fields."""
        return path in self._open or "__" in path

    def words_of_component(self, path: str) -> RowWords:
        """Return what a closed component says."""
        metric_id = self._form.text(f"{path}.metric_id")
        title = self._metrics.get(metric_id, metric_id) or "Usage"
        draft = self._drafts.get(path)
        if draft is None:
            return RowWords(title, None)
        component = Component("", draft.metric, *msgspec.structs.astuple(draft)[1:])
        extras = [
            *conversion_words(draft.conversion, self._units, self._amounts),
            *component_extras(component, self._fmt, "billing period"),
        ]
        return RowWords(title, words_of(draft.price, self._amounts_of(draft)), tuple(extras))

    def words_of_cell(self, path: str) -> RowWords:
        """Return what a closed group of a matrix says."""
        owner, _, place = path.removesuffix("]").rpartition(".price.cells[")
        draft = self._drafts.get(owner)
        if draft is None or not isinstance(draft.price, Matrix) or int(place) >= len(draft.price.cells):
            return RowWords(self._form.text(f"{path}.when") or "Group", None)
        cell = draft.price.cells[int(place)]
        return RowWords(group_text(draft.price.dimensions, cell.when), words_of(cell.price, self._amounts_of(draft)))

    @cached_property
    def _open(self) -> frozenset[str]:
        form = self._form
        components = [f"components[{number}]" for number in range(form.count("components"))]
        cells = {path: self._cells_of(path) for path in components}
        asked = _ROW.fullmatch(form.text("open"))
        rows = [row for path in components for row in (path, *cells[path])]
        sizes = {row: self._size(row) for row in rows}
        if sum(sizes.values()) <= _OPEN_MAX:
            return frozenset(rows)
        wanted = [asked.group(), _owner(asked.group())] if asked else []
        wanted += [row for row in rows if form.problems_below(row)]
        if form.has(CSRF_FIELD):
            wanted += [row for row in rows if not form.is_folded(row) and not form.is_folded(_owner(row))]
        found: dict[str, None] = {}
        left = _OPEN_MAX
        for row in wanted:
            if row in sizes and row not in found and (sizes[row] <= left or not found):
                found[row] = None
                left -= sizes[row]
        return frozenset(found)

    def _cells_of(self, path: str) -> list[str]:
        cells = f"{path}.price.cells"
        return [f"{cells}[{number}]" for number in range(self._form.count(cells))]

    def _size(self, row: str) -> int:
        """Return about how much a row alone comes to when it is open, without the groups that it may have."""
        own = _CELL if ".price.cells" in row else _COMPONENT
        return own + _TIER * (self._form.count(f"{row}.price.tiers") + self._form.count(f"{row}.price.default.tiers"))

    @cached_property
    def _amounts(self) -> Amounts:
        return Amounts(self._fmt, self._form.text("currency") or self._currency)

    def _amounts_of(self, draft: ComponentDraft) -> Amounts:
        unit = None if draft.conversion is None else self._units.get(draft.conversion.unit)
        return self._amounts.of(draft.conversion if unit is not None else None, unit)

    @cached_property
    def _drafts(self) -> dict[str, ComponentDraft]:
        """Return the components that are complete and right, by their path."""
        try:
            rows: list[Any] = self._form.payload(keeps_rows=True).get("components") or []
        except LotusError:
            return {}
        found: dict[str, ComponentDraft] = {}
        for number, row in enumerate(rows):
            try:
                problems = Problems()
                draft = read(ComponentForm, row or {}, problems).to_draft(problems, "", self._amounts.currency)
                problems.extend(price_problems(draft.price))
                problems.raise_if_any()
            except LotusError:
                continue
            found[f"components[{number}]"] = draft
        return found


def _owner(row: str) -> str:
    """Return the path of the component that a row is, or to which it belongs."""
    return row.partition(".price.cells")[0]
