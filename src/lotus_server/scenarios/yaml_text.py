"""YAML to plain values: numbers stay exact, dates stay texts, and each value's line is known."""

import re
from decimal import Decimal
from typing import Any, Final

import msgspec

Path = tuple[str | int, ...]
DEPTH_MAX: Final = 40
VALUES_MAX: Final = 500_000
# The scalars of JSON. What YAML takes for more (`yes`, `1:30`, `010`, a date) is a text here: in a billing document
# nothing may change its meaning quietly.
_INTEGER: Final = re.compile(r"-?(?:0|[1-9]\d*)", re.ASCII)
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d{1,3})?", re.ASCII)
_WORDS: Final[dict[str, bool | None]] = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER_DIGITS_MAX: Final = 100


class TextProblem(msgspec.Struct, frozen=True):
    """Something that is wrong with a text, and its line, counted from 1."""

    line: int
    detail: str


class Document(msgspec.Struct, frozen=True):
    """A text as values, the line of each value by its path, and what could not be read."""

    value: Any
    lines: dict[Path, int]
    problems: tuple[TextProblem, ...]

    def line_of(self, path: Path) -> int:
        """Return the line of a value, or of the nearest value that holds it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_yaml(text: str) -> Document:
    """Return one YAML document. It never raises for what the text holds; everything wrong is in `problems`."""
    import yaml  # noqa: PLC0415 - only those who run scenarios pay for it

    try:
        # The loader only parses: values are made below, from the nodes.
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        # What people stumble over most: `note: 2 tiers: one is free`.
        hint = " A text with ': ' in it stands in quotes." if "mapping values" in str(error.problem) else ""
        return Document(None, {(): line}, (TextProblem(line, f"This is no YAML: {error.problem}.{hint}"),))
    except yaml.YAMLError as error:
        first = str(error).splitlines()[0]
        return Document(None, {(): 1}, (TextProblem(1, f"This is no YAML: {first}."),))
    maker = _Maker()
    value = None if root is None else maker.value(root, ())
    return Document(value, maker.lines, tuple(maker.problems))


class _Maker:
    """Makes values of nodes, and notes where each came from."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.problems: list[TextProblem] = []

    def value(self, node: Any, path: Path) -> Any:  # noqa: ANN401 - whatever YAML holds
        import yaml  # noqa: PLC0415 - as above

        line: int = node.start_mark.line + 1
        self.lines[path] = line
        if len(path) > DEPTH_MAX or len(self.lines) > VALUES_MAX:
            # Also what a file that repeats itself by aliases comes to.
            if len(self.lines) <= VALUES_MAX + 1 and not self.problems:
                self.problems.append(TextProblem(line, "The file is nested too deeply or has too many values."))
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(each, (*path, index)) for index, each in enumerate(node.value)]
        return node.value if node.style is not None else _scalar(node.value)

    def _mapping(self, node: Any, path: Path) -> dict[str, Any]:  # noqa: ANN401 - a node
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str):
                self.problems.append(TextProblem(key_node.start_mark.line + 1, "A key is a text."))
            elif key in made:
                self.problems.append(TextProblem(key_node.start_mark.line + 1, f"{key!r} stands here twice."))
            else:
                made[key] = self.value(value_node, (*path, key))
                self.lines[(*path, key)] = key_node.start_mark.line + 1
        return made


def _scalar(text: str) -> Any:  # noqa: ANN401 - a JSON scalar
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) and len(text) <= _INTEGER_DIGITS_MAX:
        return int(text)
    return Decimal(text) if _NUMBER.fullmatch(text) else text
