"""The `lotus` command: one file per subcommand."""

from importlib.metadata import version
from typing import Annotated

import typer

from lotus_server.cli import imports, keys, organizations, scenario, users
from lotus_server.cli.explain import explain
from lotus_server.cli.serve import serve
from lotus_server.cli.verify import verify

app = typer.Typer(name="lotus", no_args_is_help=True, help="Usage-based billing in one process.")


app.command()(serve)
app.command()(verify)
app.command()(explain)
app.add_typer(imports.app, name="import")
app.add_typer(keys.app, name="keys")
app.add_typer(organizations.app, name="organizations")
app.add_typer(scenario.app, name="scenario")
app.add_typer(users.app, name="users")


def _print_version(asked: bool) -> None:  # noqa: FBT001 - the shape of an option callback
    if asked:
        typer.echo(f"lotus {version('lotus-server')}")
        raise typer.Exit


@app.callback()
def options(
    *,
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Usage-based billing in one process."""


def main() -> None:
    """Run the command that the arguments name."""
    app()
