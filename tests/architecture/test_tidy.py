"""The repository stays readable: small files and functions, explained rooms, exact numbers in the core."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repository import LOCK_FILES, ROOT, SOURCE, python_files, relative, repository_files, text_of

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
TEST_FILE_LINES_MAX = 800
TEST_FUNCTION_LINES_MAX = 100
FILE_BYTES_MAX = 200_000

# Today's exceptions: "path" or "path::function" -> its lines. The list may only shrink: a number here must be the real
# one, so whoever shortens the file or function lowers it, and nobody can add to what is too long already.
LONGER_THAN_ALLOWED: dict[str, int] = {}

CORE = (SOURCE / "kernel", SOURCE / "domain")
DOCUMENTED = (*CORE, SOURCE / "ports")
ROOM_HEADINGS = ("Owns", "Does not own", "Invariants", "Time")

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _definitions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Definition]]:
    """Every function and class in the tree with its dotted name, also those inside others."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, DEFINITIONS):
            yield prefix + node.name, node
            yield from _definitions(node, f"{prefix}{node.name}.")
        else:
            yield from _definitions(node, prefix)


def _lines(function: Function) -> int:
    """Lines from `def` to the end, without the docstring: explaining more must not cost a function its space."""
    last = function.end_lineno or function.lineno
    lines = last - function.lineno + 1
    if ast.get_docstring(function) is not None:
        docstring = function.body[0]
        lines -= (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
    return lines


def _lengths(path: Path) -> Iterator[tuple[str, int, bool]]:
    """Name, length and "is a function" of the file and everything in it."""
    yield relative(path), len(path.read_text(encoding="utf-8").splitlines()), False
    for name, node in _definitions(_parsed(path)):
        if not isinstance(node, ast.ClassDef):
            yield f"{relative(path)}::{name}", _lines(node), True


def _is_test(path: Path) -> bool:
    return "tests" in path.relative_to(ROOT).parts


def test_files_and_functions_are_short() -> None:
    too_long: dict[str, int] = {}
    for path in python_files(ROOT):
        file_limit, function_limit = FILE_LINES_MAX, FUNCTION_LINES_MAX
        if _is_test(path):
            file_limit, function_limit = TEST_FILE_LINES_MAX, TEST_FUNCTION_LINES_MAX
        too_long |= {
            name: lines
            for name, lines, is_function in _lengths(path)
            if lines > (function_limit if is_function else file_limit)
        }

    assert too_long == LONGER_THAN_ALLOWED


def test_the_core_has_no_binary_floating_point() -> None:
    found = []
    for path in python_files(*CORE):
        for node in ast.walk(_parsed(path)):
            is_name = isinstance(node, ast.Name) and node.id == "float"
            is_literal = isinstance(node, ast.Constant) and isinstance(node.value, float | complex)
            if is_name or is_literal:
                found.append(f"{relative(path)}:{getattr(node, 'lineno', '?')}")

    assert found == [], "money and quantities are exact: use Decimal, Fraction or int"


def _domain_rooms_with_code() -> list[Path]:
    rooms = []
    for room in sorted(path for path in (SOURCE / "domain").iterdir() if (path / "__init__.py").exists()):
        files = python_files(room)
        is_empty = all(path.name == "__init__.py" and len(_parsed(path).body) <= 1 for path in files)
        if not is_empty:
            rooms.append(room)
    return rooms


def test_each_domain_room_says_what_it_owns() -> None:
    missing = []
    for room in _domain_rooms_with_code():
        readme = room / "README.md"
        text = readme.read_text(encoding="utf-8") if readme.exists() else ""
        headings = re.findall(r"^#{2,3} +(.+?) *$", text, flags=re.MULTILINE)
        missing += [f"{relative(readme)}: {heading}" for heading in ROOM_HEADINGS if heading not in headings]

    assert missing == []


def _public_without_docstring(path: Path) -> Iterator[str]:
    tree = _parsed(path)
    if ast.get_docstring(tree) is None:
        yield relative(path)
    nodes = dict(_definitions(tree))
    for name, node in nodes.items():
        parts = name.split(".")
        is_public = not any(part.startswith("_") for part in parts)
        is_local = any(not isinstance(nodes[".".join(parts[:depth])], ast.ClassDef) for depth in range(1, len(parts)))
        decorators = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
        is_expected = is_public and not is_local and not decorators & {"overload", "override", "setter"}
        if is_expected and ast.get_docstring(node) is None:
            yield f"{relative(path)}::{name}"


def test_public_names_of_the_core_and_the_ports_are_documented() -> None:
    missing = [name for path in python_files(*DOCUMENTED) for name in _public_without_docstring(path)]

    assert missing == []


def test_nothing_is_left_for_later_in_the_code() -> None:
    pattern = re.compile(rf"\b({'TO' + 'DO'}|{'FIX' + 'ME'})\b")
    found = [
        f"{relative(path)}:{number}"
        for path in repository_files()
        if path.name not in LOCK_FILES
        for number, line in enumerate((text_of(path) or "").splitlines(), start=1)
        if pattern.search(line)
    ]

    assert found == []


def test_no_file_is_large() -> None:
    large = [
        f"{relative(path)}: {path.stat().st_size} bytes"
        for path in repository_files()
        if path.name not in LOCK_FILES and path.stat().st_size > FILE_BYTES_MAX
    ]

    assert large == [], "generated files and pictures are built, not committed"


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("def f():\n    return 1\n", 2),
        ('def f():\n    """One."""\n    return 1\n', 2),
        ('def f():\n    """One.\n\n    Two.\n    """\n    return 1\n', 2),
    ],
)
def test_a_docstring_does_not_count_as_length(code: str, lines: int) -> None:
    function = ast.parse(code).body[0]

    assert isinstance(function, ast.FunctionDef)
    assert lines == _lines(function)


def test_a_public_method_without_a_docstring_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.repository.ROOT", tmp_path)
    path = tmp_path / "room.py"
    path.write_text(
        '"""A room."""\n'
        "class Thing:\n"
        '    """A thing."""\n'
        "    def said(self):\n"
        "        def inside(): ...\n"
        "    def _private(self): ...\n"
        "class _Hidden:\n"
        "    def method(self): ...\n",
        encoding="utf-8",
    )

    assert ["room.py::Thing.said"] == list(_public_without_docstring(path))
