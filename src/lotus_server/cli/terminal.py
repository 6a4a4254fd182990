"""How commands speak: the console, and one form for errors."""

from typing import NoReturn

import typer
from rich.console import Console

from lotus_server.kernel.errors import LotusError

console = Console()
errors = Console(stderr=True)


def fail(error: LotusError) -> NoReturn:
    """Print an error with all its problems, and end the command with status 1."""
    errors.print(f"[bold red]lotus:[/bold red] {error.detail}", soft_wrap=True)
    if len(error.problems) > 1:
        for problem in error.problems:
            errors.print(f"  {problem.field}: {problem.detail}", soft_wrap=True)
    raise typer.Exit(1)
