"""What users can meet is documented: error codes, settings, commands."""

import ast
import re
from collections.abc import Iterator

from typer.main import get_command

from lotus_server.cli import app
from lotus_server.http.error_catalog import ALL_CODES
from tests.repository import ROOT

SOURCES = sorted((ROOT / "src").rglob("*.py"))
ERRORS_PAGE = (ROOT / "docs" / "reference" / "errors.md").read_text()
COMMANDS_PAGE = (ROOT / "docs" / "reference" / "commands.md").read_text()
SETTINGS_PAGE = (ROOT / "docs" / "reference" / "settings.md").read_text()


def codes_raised() -> Iterator[tuple[str, str]]:
    """Every literal code handed to an error or a field problem, with its file."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "code" and isinstance(node.value, ast.Constant):
                if isinstance(node.value.value, str) and re.fullmatch(r"[a-z_]+", node.value.value):
                    yield node.value.value, path.name
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in {"add", "field"}
            ):
                texts = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
                owner = ast.unparse(node.func.value)
                if owner in {"problems", "found", "Invalid"} and len(node.args) == 3:
                    code = node.args[1]
                    if isinstance(code, ast.Constant) and texts:
                        yield str(code.value), path.name


def test_every_code_that_is_raised_is_in_the_catalog() -> None:
    missing = {(code, file) for code, file in codes_raised() if code not in ALL_CODES}

    assert missing == set()


def test_every_code_of_the_catalog_is_on_the_page_of_errors() -> None:
    missing = {code for code, meaning in ALL_CODES.items() if f"| `{code}` | {meaning} |" not in ERRORS_PAGE}

    assert missing == set()


def test_every_setting_is_documented() -> None:
    named = set(re.findall(r"LOTUS_[A-Z_]+", (ROOT / "src/lotus_server/settings.py").read_text()))

    assert {name for name in named if f"`{name}`" not in SETTINGS_PAGE} == set()


def test_every_command_and_option_is_documented() -> None:
    group = get_command(app)
    missing = []
    for path, command in commands(group, "lotus"):
        missing += [path] if f"`{path}`" not in COMMANDS_PAGE else []
        for option in vars(command)["params"]:
            names = [name for name in option.opts if name.startswith("--")]
            missing += [f"{path} {name}" for name in names if f"`{name}`" not in COMMANDS_PAGE]

    assert missing == []


def commands(command: object, path: str) -> Iterator[tuple[str, object]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
        return
    for name, child in children.items():
        yield from commands(child, f"{path} {name}")
