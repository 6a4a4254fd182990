"""`lotus verify`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lotus_server.cli.terminal import console, fail


def verify(
    data: Annotated[Path | None, typer.Option(help="Directory of the data [LOTUS_DATA, ./data].")] = None,
) -> None:
    """Recount every aggregate from the raw events and print the drift, which must be 0. A server may be running."""
    from lotus_server.bootstrap.services import open_services_beside
    from lotus_server.kernel.errors import LotusError
    from lotus_server.settings import read_settings
    from lotus_server.usecases.verification import verify_usage

    try:
        settings = read_settings(data=data)
        with open_services_beside(settings) as services, _progress() as progress:
            task = progress.add_task("Recounting", total=services.events.event_count())
            aggregates = wrong = 0
            for drift in verify_usage(services, lambda done, total: progress.update(task, completed=done, total=total)):
                aggregates += 1
                if not drift.is_zero:
                    wrong += 1
                    progress.console.print(_describe(drift), highlight=False, soft_wrap=True)
    except LotusError as error:
        fail(error)
    console.print(f"{aggregates} aggregates recounted, drift {wrong}")
    if wrong:
        raise typer.Exit(1)


def _describe(drift: object) -> str:
    from lotus_server.ports.event_store import Drift

    assert isinstance(drift, Drift)
    selection = drift.selection
    return (
        f"DRIFT {drift.organization_id} {selection.customer_id} {selection.definition.event_name} "
        f"[{selection.period.start}, {selection.period.end}): kept {drift.kept}, recounted {drift.recounted}"
    )


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    )
