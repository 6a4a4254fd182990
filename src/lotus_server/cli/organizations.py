"""`lotus organizations`: tenants from the command line."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from lotus_server.cli.terminal import console, fail

app = typer.Typer(no_args_is_help=True, help="Organizations: the tenants of this installation.")
Data = Annotated[Path | None, typer.Option(help="Directory of the data [LOTUS_DATA, ./data].")]


@app.command("list")
def list_organizations(data: Data = None) -> None:
    """Show the organizations."""
    from lotus_server.bootstrap.services import open_services_beside
    from lotus_server.kernel.errors import LotusError
    from lotus_server.settings import read_settings

    table = Table("Id", "Name", "Type", "Currency", "Clock")
    try:
        with open_services_beside(read_settings(data=data)) as services, services.records.snapshot() as tx:
            for each in tx.organizations.all():
                clock = str(each.clock_now or "real time")
                table.add_row(each.organization_id, each.name, each.type.value, each.default_currency, clock)
    except LotusError as error:
        fail(error)
    console.print(table)


@app.command("create")
def create(
    name: str,
    *,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="With a clock of its own that can be moved.")] = False,
    currency: Annotated[str, typer.Option(help="Default currency, ISO 4217.")] = "USD",
    data: Data = None,
) -> None:
    """Make an organization and print its first API key, this once."""
    from lotus_server.bootstrap.services import open_services_beside
    from lotus_server.domain.accounts import OrganizationType
    from lotus_server.kernel.errors import LotusError
    from lotus_server.settings import read_settings
    from lotus_server.usecases.organizations import OrganizationDraft, create_organization

    kind = OrganizationType.SANDBOX if sandbox else OrganizationType.PRODUCTION
    try:
        with open_services_beside(read_settings(data=data)) as services:
            made, key = create_organization(services, OrganizationDraft(name, kind, currency.upper()))
    except LotusError as error:
        fail(error)
    console.print(f"{made.organization_id}\n{key.api_key}", highlight=False)
