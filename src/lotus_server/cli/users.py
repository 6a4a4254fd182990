"""`lotus users`: people from the command line, for who runs the server."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from lotus_server.cli.chosen import Data, OrganizationId, chosen_organization, noted
from lotus_server.cli.terminal import console

if TYPE_CHECKING:
    from lotus_server.domain.accounts import Role

app = typer.Typer(no_args_is_help=True, help="People who sign in to the web app.")


@app.command("list")
def list_users(data: Data = None, organization: OrganizationId = None) -> None:
    """Show the members of an organization with their roles."""
    from lotus_server.kernel.instants import to_text
    from lotus_server.usecases.team import list_members

    with chosen_organization(data, organization) as (services, chosen):
        table = Table("E-mail", "Name", "Role", "Second factor", "Last seen")
        for member in list_members(services, chosen):
            table.add_row(
                member.user.email,
                member.user.name,
                member.membership.role.value,
                "yes" if member.has_second_factor else "no",
                to_text(member.last_seen_at) if member.last_seen_at else "",
            )
    console.print(table)


@app.command("invite")
def invite(
    email: str,
    role: Annotated[str, typer.Option(help="owner, admin, developer, finance or viewer.")] = "viewer",
    data: Data = None,
    organization: OrganizationId = None,
) -> None:
    """Make a link by which somebody joins an organization, and print it."""
    from lotus_server.domain.accounts import Actor, Role
    from lotus_server.usecases.team import InvitationDraft, invite_member

    with chosen_organization(data, organization) as (services, chosen):
        command = "lotus users invite"
        actor = Actor(command, "The operator", Role.OWNER)
        made = invite_member(noted(services, command), chosen, actor, InvitationDraft(email, _role(role)))
    console.print(made.url, highlight=False, soft_wrap=True)


@app.command("reset-password")
def reset_password(
    email: str,
    data: Data = None,
    *,
    without_second_factor: Annotated[
        bool, typer.Option("--without-second-factor", help="Also turn the second factor off, for a lost phone.")
    ] = False,
) -> None:
    """Make a link by which somebody chooses another password, and print it."""
    from lotus_server.usecases.password_reset import new_reset_link, remove_lost_second_factor

    with chosen_organization(data, None) as (services, _):
        url = new_reset_link(services, email)
        if without_second_factor:
            remove_lost_second_factor(services, email)
    console.print(url, highlight=False, soft_wrap=True)


def _role(text: str) -> "Role":
    from lotus_server.domain.accounts import Role
    from lotus_server.kernel.errors import Invalid

    if text not in {each.value for each in Role}:
        raise Invalid.field("role", "invalid_choice", f"A role is one of {', '.join(Role)}.")
    return Role(text)
