"""What belongs to this repository, as the tests of its shape see it."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "lotus_server"
LOCK_FILES = frozenset({"uv.lock", "package-lock.json"})


@cache
def repository_files() -> tuple[Path, ...]:
    """Every file that is committed or would be, without what .gitignore names."""
    listed = subprocess.run(
        # A clone may belong to another user than the one who runs the tests.
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = sorted({ROOT / name for name in listed.split("\0") if name})
    return tuple(path for path in paths if path.is_file())


def python_files(*roots: Path) -> list[Path]:
    """The Python files of the repository below any of the roots."""
    return [
        path for path in repository_files() if path.suffix == ".py" and any(path.is_relative_to(root) for root in roots)
    ]


def relative(path: Path) -> str:
    """The path as it is written in messages: from the repository's root, with forward slashes."""
    return path.relative_to(ROOT).as_posix()


def text_of(path: Path) -> str | None:
    """The file's text, or None for a picture and the like."""
    content = path.read_bytes()
    if b"\0" in content:
        return None
    return content.decode("utf-8", errors="replace")
