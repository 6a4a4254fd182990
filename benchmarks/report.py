"""How results look: one row per figure, with the limit it is held against."""

import os
import platform
from datetime import UTC, datetime

import msgspec
from rich.console import Console
from rich.table import Table

_console = Console(width=130)


class Row(msgspec.Struct, frozen=True):
    """One figure, in `unit`, beside a limit measured in the same run (in the same unit), if there is one."""

    name: str
    figure: float
    unit: str
    limit: float | None = None
    limit_name: str = ""


def print_machine() -> None:
    now = datetime.now(UTC)
    _console.print(
        f"{now:%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
    )


def print_rows(title: str, rows: list[Row]) -> None:
    table = Table("what", "ours", "unit", "limit", "ours / limit", "limit is", title=title, title_justify="left")
    for row in rows:
        ratio = f"{row.figure / row.limit:.2f}" if row.limit else ""
        limit = f"{row.limit:,.2f}" if row.limit else ""
        table.add_row(row.name, f"{row.figure:,.2f}", row.unit, limit, ratio, row.limit_name)
    _console.print(table)
