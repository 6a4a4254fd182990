"""The organization that a command works on: the one that `--organization` names, or the oldest."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lotus_server.cli.terminal import fail

if TYPE_CHECKING:
    from lotus_server.domain.accounts import Organization
    from lotus_server.usecases.services import Services

Data = Annotated[Path | None, typer.Option(help="Directory of the data [LOTUS_DATA, ./data].")]
OrganizationId = Annotated[str | None, typer.Option("--organization", help="An organization's id.")]


@contextmanager
def chosen_organization(data: Path | None, organization_id: str | None) -> "Iterator[tuple[Services, Organization]]":
    """Lend the services beside a server, and the organization; errors are printed and end the command."""
    from lotus_server.bootstrap.services import open_services_beside
    from lotus_server.kernel.errors import LotusError, NotFound
    from lotus_server.settings import read_settings

    try:
        with open_services_beside(read_settings(data=data)) as services:
            with services.records.snapshot() as tx:
                known = tx.organizations.all()
            found = [each for each in known if organization_id in {None, each.organization_id}]
            if not found:
                raise NotFound("There is no such organization here; `lotus serve` makes the first one.")
            yield services, found[0]
    except LotusError as error:
        fail(error)


def noted(services: "Services", command: str) -> "Services":
    """Return services that note in the audit log what a command changes."""
    from lotus_server.domain.accounts import Author, AuthorKind
    from lotus_server.usecases.auditing import audited

    return audited(services, Author(AuthorKind.COMMAND, command, command), command)
