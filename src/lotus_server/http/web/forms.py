"""Forms: fields named by their path in the API's JSON, so that a page and the API take the same and refuse the same."""

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from markupsafe import Markup

from lotus_server.http.web.formats import input_text
from lotus_server.kernel.errors import FieldProblem, Invalid, LotusError, Problems
from lotus_server.kernel.quantity import parse_decimal

_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_ROWS_MAX: Final = 1_000
# What belongs to the page and not to the thing: `csrf_token:hidden`.
_HIDDEN: Final = "hidden"
# A row that stands closed: one field holds what its fields held, as JSON in which names have their kinds.
_FOLDED: Final = "folded"


class Form:
    """What was typed, or what there is to change, with what is wrong with it.

    A field's name is its path in the JSON of the API, such as `components[0].price.tiers[1].up_to`. After a colon it
    may say what its text is: `auto_renew:bool`, `properties:json`, `tags:list` (parted by commas or new lines),
    `value:scalar` (yes, no, a number, or a word), `when:pairs` (`region = eu, tier = gold`; null where nothing
    follows), or `hidden` for what belongs to the page alone. `components[1]:folded` holds all the fields of a row that
    stands closed, so that a page with many rows stays small.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]] = (), *, files: Mapping[str, bytes] | None = None) -> None:
        """Read the pairs of a sent form; of a repeated name the last counts, except for a list, which gets them all."""
        self.files: Mapping[str, bytes] = files or {}
        self._texts: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        self._problems: dict[str, str] = {}
        self._places: dict[str, dict[int, int]] = {}
        self.error: str | None = None
        self._folded: set[str] = set()
        for name, text in self._unfolded(pairs):
            path, _, kind = name.partition(":")
            many = kind == "list" and path in self._texts
            self._texts[path] = f"{self._texts[path]},{text}" if many else text.replace("\r\n", "\n")
            self._kinds[path] = kind
        self._close_gaps()

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> "Form":
        """Return the form that shows what there is: a row of the API, or parts of one."""
        return cls(_flat(payload))

    def text(self, path: str, default: str = "") -> str:
        """Return what stands in a field."""
        return self._texts.get(path, default)

    def put_if_missing(self, path: str, text: str) -> None:
        """Show a text in a field that was not sent."""
        self._texts.setdefault(path, text)

    def has(self, path: str) -> bool:
        """Tell whether a field was sent."""
        return path in self._texts

    def count(self, path: str) -> int:
        """Return how many rows a list has."""
        inner = re.compile(re.escape(path) + r"\[(\d+)\]")
        return len({found.group(1) for name in self._texts if (found := inner.match(name))})

    def payload(self, *, keeps_blank: bool = False, keeps_rows: bool = False) -> dict[str, Any]:
        """Return the JSON that the form describes. A blank field is left out, or is null with `keeps_blank`.

        A row of which every field is blank is left out too, or is an empty object with `keeps_rows`.
        Raises Invalid for a field of JSON that is none, and for names that contradict each other.
        """
        problems = Problems()
        found: dict[str, Any] = {}
        for path, text in self._texts.items():
            if self._kinds.get(path) == _HIDDEN:
                continue
            value = self._value(path, text, problems)
            if value is not None or keeps_blank:
                _put(found, path, value)
            elif keeps_rows and "]." in path:
                _put_row(found, path[: path.rindex("].") + 1])
        problems.raise_if_any()
        return found

    def is_folded(self, path: str) -> bool:
        """Tell whether a row was closed when the form was sent."""
        return path in self._folded

    def folded(self, path: str) -> Markup:
        """Return, for a textarea, what holds all the fields of a row that stands closed. Blank ones are left out."""
        row: dict[str, Any] = {}
        for name, text in self._texts.items():
            kind = self._kinds.get(name, "")
            if not name.startswith(f"{path}.") or kind == _HIDDEN:
                continue
            inner = name[len(path) + 1 :]
            if text:
                _put(row, f"{inner}:{kind}" if kind else inner, text)
            elif "]." in inner:
                _put_row(row, inner[: inner.rindex("].") + 1])
        text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
        # Within a textarea quotation marks stand for themselves: escaped, they would be most of the page.
        return Markup(text.replace("&", "&amp;").replace("<", "&lt;"))  # noqa: S704 - it is escaped here

    def as_in_browser(self) -> "Form":
        """Return the form with its rows numbered as they are in the browser: for a part of a page."""
        form = Form()
        form._texts = {self.in_browser(path): text for path, text in self._texts.items()}
        form._kinds = {self.in_browser(path): kind for path, kind in self._kinds.items()}
        form._problems = {self.in_browser(path): problem for path, problem in self._problems.items()}
        return form

    def with_error(self, error: LotusError) -> "Form":
        """Keep what is wrong: beside the fields that the form has, and the rest above it."""
        known = {path for path in self._texts if self._kinds.get(path) != _HIDDEN}
        rest: list[FieldProblem] = []
        for problem in error.problems:
            self._problems.setdefault(problem.field, problem.detail)
            if problem.field not in known:
                rest.append(problem)
        if not error.problems:
            self.error = error.detail
        elif rest:
            self.error = " ".join(dict.fromkeys(problem.detail for problem in rest))
        return self

    def problem(self, path: str) -> str | None:
        """Return what is wrong with a field."""
        return self._problems.get(path)

    def problems_below(self, path: str) -> list[str]:
        """Return everything that is wrong with a row, in words."""
        return list(dict.fromkeys(text for field, text in self._problems.items() if _is_below(field, path)))

    @property
    def all_problems(self) -> list[str]:
        """Return everything that is wrong, in words, where there is no field to stand beside."""
        return list(dict.fromkeys(self._problems.values())) or ([self.error] if self.error else [])

    def _value(self, path: str, text: str, problems: Problems) -> Any:  # noqa: ANN401 - whatever JSON holds
        kind = self._kinds.get(path, "")
        stripped = text.strip()
        if kind == "bool":
            return stripped == "true"
        if not stripped:
            return None
        if kind == "list":
            return [each.strip() for each in re.split(r"[,\n]", text) if each.strip()]
        if kind == "scalar":
            return _scalar(stripped)
        if kind == "pairs":
            return _pairs(stripped)
        if kind == "json":
            try:
                return json.loads(text, parse_float=Decimal)
            except (ValueError, RecursionError):
                problems.add(path, "malformed_json", f"{path} is not valid JSON.")
        return stripped

    def current(self, path: str) -> str:
        """Return the path of a field, or of a row, that had this one in the browser, where rows may have gaps."""
        return _renumbered(path, self._places)

    def in_browser(self, path: str) -> str:
        """Return the path that a field or a row has in the browser."""
        found, end = "", 0
        for step in re.finditer(r"\[(\d+)\]", path):
            found += path[end : step.start()]
            rows = self._places.get(found, {})
            row = next((old for old, new in rows.items() if new == int(step.group(1))), int(step.group(1)))
            found, end = f"{found}[{row}]", step.end()
        return found + path[end:]

    def _unfolded(self, pairs: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
        """Return the fields, also those of rows that stand closed; what is not readable of these is left out."""
        for name, text in pairs:
            path, _, kind = name.partition(":")
            if kind != _FOLDED:
                yield name, text
                continue
            self._folded.add(path)
            try:
                yield from _flat(json.loads(text, parse_float=Decimal), path)
            except (ValueError, RecursionError):
                continue

    def _close_gaps(self) -> None:
        """Number the rows of lists from 0 on: rows in the midst may have been taken away."""
        places = self._places
        for path in self._texts:
            for found in re.finditer(r"\[(\d+)\]", path):
                places.setdefault(path[: found.start()], {})[min(int(found.group(1)), _ROWS_MAX)] = 0
        for rows in places.values():
            for place, row in enumerate(sorted(rows)):
                rows[row] = place
        if any(row != place for rows in places.values() for row, place in rows.items()):
            self._texts = {_renumbered(path, places): text for path, text in self._texts.items()}
            self._kinds = {_renumbered(path, places): kind for path, kind in self._kinds.items()}
            self._folded = {_renumbered(path, places) for path in self._folded}


def _is_below(field: str, path: str) -> bool:
    return field == path or field.startswith((f"{path}.", f"{path}["))


def _scalar(text: str) -> bool | Decimal | str:
    words = {"yes": True, "true": True, "no": False, "false": False}
    if text.lower() in words:
        return words[text.lower()]
    number = parse_decimal(text)
    return text if number is None else number


def _pairs(text: str) -> dict[str, str | None]:
    """Return names and values, parted by commas or new lines; null is the value of a name with nothing behind it."""
    pairs = (each.partition("=") for each in re.split(r"[,\n]", text) if each.strip())
    return {name.strip(): value.strip() or None for name, _, value in pairs}


def _renumbered(path: str, places: Mapping[str, Mapping[int, int]]) -> str:
    new, end = "", 0
    for found in re.finditer(r"\[(\d+)\]", path):
        row = min(int(found.group(1)), _ROWS_MAX)
        new += f"{path[end : found.start()]}[{places.get(path[: found.start()], {}).get(row, row)}]"
        end = found.end()
    return new + path[end:]


Step = str | int


def _steps(path: str) -> list[Step]:
    return [name or int(row) for name, row in _STEP.findall(path)]


def _put(target: dict[str, Any], path: str, value: Any) -> None:  # noqa: ANN401
    """Set a value in nested objects and lists, which are made on the way."""
    *way, last = _steps(path)
    place = _reached(target, way, last)
    _make_room(place, last)
    place[last] = value


def _put_row(target: dict[str, Any], path: str) -> None:
    """Make the object of a row, unless it is there."""
    _reached(target, _steps(path), "")


def _reached(target: dict[str, Any], way: list[Step], last: Step) -> Any:  # noqa: ANN401
    """Return the object or list at the end of a way, in which `last` is a name or a number."""
    place: Any = target
    for step, following in zip(way, [*way, last][1:], strict=True):
        _make_room(place, step)
        known = place[int(step)] if isinstance(place, list) else place.get(step)
        if known is None:
            place[step] = known = [] if isinstance(following, int) else {}
        place = known
    return place


def _make_room(place: Any, step: Step) -> None:  # noqa: ANN401
    """Make room in a list for a row. Raises Invalid where names and rows do not fit together."""
    if not isinstance(place, list if isinstance(step, int) else dict):
        raise Invalid.field(str(step), "invalid", "The fields of this form contradict each other.")
    while isinstance(place, list) and isinstance(step, int) and len(place) <= step:
        place.append(None)


def _flat(value: Any, path: str = "") -> Iterable[tuple[str, str]]:  # noqa: ANN401
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield from _flat(member, f"{path}.{name}" if path else str(name))
        if not value and path.endswith("]"):
            yield f"{path}.", ""
    elif isinstance(value, list | tuple):
        for index, member in enumerate(value):
            yield from _flat(member, f"{path}[{index}]")
    elif isinstance(value, bool):
        yield path, "true" if value else "false"
    else:
        yield path, input_text(value)
