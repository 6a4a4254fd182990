"""`lotus keys`: API keys from the command line. They take effect at once, also in a running server."""

from typing import Annotated

import typer
from rich.table import Table

from lotus_server.cli.chosen import Data, OrganizationId, chosen_organization, noted
from lotus_server.cli.terminal import console

app = typer.Typer(no_args_is_help=True, help="API keys of the first organization, or of --organization.")


@app.command("list")
def list_keys(data: Data = None, organization: OrganizationId = None) -> None:
    """Show keys by name, scope and last use. The keys themselves are not kept."""
    from lotus_server.kernel.instants import to_text
    from lotus_server.usecases.organizations import list_api_keys

    with chosen_organization(data, organization) as (services, chosen):
        table = Table("Id", "Name", "Begins with", "Scope", "Created", "Last used", "Revoked")
        for key in list_api_keys(services, chosen):
            used, revoked = key.last_used_at, key.revoked_at
            table.add_row(
                key.key_id,
                key.name,
                key.prefix,
                key.scope.value,
                to_text(key.created_at),
                to_text(used) if used else "never",
                to_text(revoked) if revoked else "",
            )
    console.print(table)


@app.command("create")
def create(
    name: str,
    scope: Annotated[str, typer.Option(help="full, ingest or read.")] = "full",
    data: Data = None,
    organization: OrganizationId = None,
) -> None:
    """Make a key and print it, this once."""
    from lotus_server.domain.accounts import Scope
    from lotus_server.kernel.errors import Invalid
    from lotus_server.usecases.organizations import create_api_key

    with chosen_organization(data, organization) as (services, chosen):
        if scope not in {each.value for each in Scope}:
            raise Invalid.field("scope", "invalid_choice", "A scope is one of full, ingest, read.")
        made = create_api_key(noted(services, "lotus keys create"), chosen, name=name, scope=Scope(scope))
    console.print(made.api_key, highlight=False)


@app.command("revoke")
def revoke(key_id: str, data: Data = None, organization: OrganizationId = None) -> None:
    """End a key at once."""
    from lotus_server.usecases.organizations import revoke_api_key

    with chosen_organization(data, organization) as (services, chosen):
        revoke_api_key(noted(services, "lotus keys revoke"), chosen, key_id)
    console.print(f"{key_id} is revoked.", highlight=False)
