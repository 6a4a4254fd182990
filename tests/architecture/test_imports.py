"""The contracts of pyproject.toml about who may import whom hold, and would be noticed if they did not."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.repository import ROOT

# One breach of each contract, as a file that is added to a copy of the package.
BREACHES = {
    "usecases/breach.py": "import lotus_server.http",
    "domain/metering/breach.py": "import lotus_server.domain.invoicing",
    "kernel/breach.py": "def hidden() -> None:\n    import time",
    "ports/breach.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import sqlalchemy",
    "adapters/first/__init__.py": "import lotus_server.adapters.second",
    "adapters/second/__init__.py": "import lotus_server.usecases",
    "cli/breach.py": "import lotus_server.adapters.first",
    "jobs/breach.py": "import lotus_server.jobs.other.part",
    "jobs/other/__init__.py": "",
    "jobs/other/part.py": "import lotus_server.jobs.breach",
}


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))",
        ],
        cwd=folder,
        # The copy must win over the installed package.
        env=os.environ | {"PYTHONPATH": str(folder / "src"), "COLUMNS": "200"},
        check=False,
        capture_output=True,
        text=True,
    )


def _contracts() -> list[str]:
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [contract["name"] for contract in configuration["tool"]["importlinter"]["contracts"]]


def test_every_import_contract_holds() -> None:
    result = _lint(ROOT)

    assert result.returncode == 0, result.stdout + result.stderr


def test_a_breach_of_any_contract_is_noticed(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name, code in BREACHES.items():
        path = tmp_path / "src" / "lotus_server" / name
        path.parent.mkdir(exist_ok=True)
        for folder in (path.parent, path.parent.parent):
            (folder / "__init__.py").touch()
        path.write_text(f'"""A breach."""\n\n{code}\n', encoding="utf-8")

    result = _lint(tmp_path)

    assert result.returncode == 1, result.stdout + result.stderr
    not_noticed = [name for name in _contracts() if f"{name} BROKEN" not in result.stdout]
    assert not_noticed == [], result.stdout


def test_a_room_without_a_place_is_noticed(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for room in ("utilities", "domain/sundries"):
        path = tmp_path / "src" / "lotus_server" / room / "__init__.py"
        path.parent.mkdir()
        path.write_text('"""A new room."""\n', encoding="utf-8")

    result = _lint(tmp_path)

    assert result.returncode == 1, result.stdout + result.stderr
    assert "Rooms depend downwards only BROKEN" in result.stdout
    assert "Domain rooms have one order BROKEN" in result.stdout
