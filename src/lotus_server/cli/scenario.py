"""`lotus scenario`: timelines in files, checked and played."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from lotus_server.cli.terminal import console, errors, fail

if TYPE_CHECKING:
    from lotus_server.scenarios import Mismatch, Scenario, Stage

app = typer.Typer(no_args_is_help=True, help="Scenarios: plans, usage and expected invoices over time, in YAML files.")
Files = Annotated[list[Path], typer.Argument(help="YAML files, or directories that are searched for them.")]


@app.command()
def run(
    files: Files,
    *,
    url: Annotated[str | None, typer.Option(help="A running server; without it the application runs here.")] = None,
    api_key: Annotated[str | None, typer.Option(help="With --url: the key of an empty sandbox, for one file.")] = None,
    data: Annotated[Path | None, typer.Option(help="With --url: that server's data directory [LOTUS_DATA].")] = None,
) -> None:
    """Play scenarios, each in a sandbox of its own, and print every mismatch. Exit status 1 if there is one."""
    from lotus_server.kernel.errors import LotusError
    from lotus_server.scenarios import run_scenario

    scenarios = _read_all(files)
    wrong = 0
    try:
        with _stage(url, api_key, data, len(scenarios)) as stage, _progress() as progress:
            overall = progress.add_task("Scenarios", total=len(scenarios))
            steps = progress.add_task("")
            for path, scenario in scenarios:

                def show_step(done: int, total: int, name: str = scenario.name) -> None:
                    progress.update(steps, description=name, completed=done, total=total)

                outcome = run_scenario(stage, scenario, show_step)
                wrong += not outcome.is_as_expected
                _show(path, scenario, outcome.mismatches)
                progress.advance(overall)
    except LotusError as error:
        fail(error)
    console.print(f"{_count(len(scenarios))} played, {wrong} not as expected")
    if wrong:
        raise typer.Exit(1)


@app.command()
def check(files: Files) -> None:
    """Say everything that is wrong with scenario files, by line, without playing them.

    What a setup makes is made for a trial, so that wrong plans and metrics are found too.
    """
    from lotus_server.bootstrap.logs import configure_logs
    from lotus_server.bootstrap.scenarios import stage_in_process
    from lotus_server.kernel.errors import LotusError
    from lotus_server.scenarios import check_scenario

    scenarios = _read_all(files)
    wrong = 0
    configure_logs("text")
    try:
        with stage_in_process() as stage:
            for path, scenario in scenarios:
                outcome = check_scenario(stage, scenario)
                wrong += not outcome.is_as_expected
                for each in outcome.mismatches:
                    _print_problem(path, each.line, f"{each.what}: {each.actual}")
    except LotusError as error:
        fail(error)
    console.print(f"{_count(len(scenarios))} checked, {wrong} with problems")
    if wrong:
        raise typer.Exit(1)


def _read_all(files: list[Path]) -> "list[tuple[Path, Scenario]]":
    """Return the scenarios of all files; when one cannot be read, print everything wrong and end with status 1."""
    from lotus_server.scenarios import FileProblem, read_scenario

    found: list[tuple[Path, Scenario]] = []
    is_good = True
    for path in _yaml_files(files):
        try:
            scenario, problems = read_scenario(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            scenario, problems = None, (FileProblem(1, f"The file cannot be read: {reason}."),)
        for each in problems:
            _print_problem(path, each.line, each.detail)
        is_good = is_good and scenario is not None
        if scenario is not None:
            found.append((path, scenario))
    if not is_good or not found:
        if is_good:
            errors.print("[bold red]lotus:[/bold red] There is no YAML file here.")
        raise typer.Exit(1)
    return found


def _yaml_files(files: list[Path]) -> Iterator[Path]:
    for path in files:
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.suffix in {".yaml", ".yml"} and each.is_file())
        else:
            yield path


def _print_problem(path: Path, line: int, detail: str) -> None:
    errors.print(f"{path}:{line}: {detail}", soft_wrap=True, highlight=False, markup=False)


@contextmanager
def _stage(url: str | None, api_key: str | None, data: Path | None, count: int) -> "Iterator[Stage]":
    from lotus_server.kernel.errors import Invalid
    from lotus_server.scenarios.over_http import OneOrganization
    from lotus_server.settings import read_settings

    if url is None:
        if api_key is not None or data is not None:
            raise Invalid("--api-key and --data say where on a server scenarios are played: give --url too.")
        from lotus_server.bootstrap.logs import configure_logs
        from lotus_server.bootstrap.scenarios import stage_in_process

        configure_logs("text")
        with stage_in_process() as stage:
            yield stage
    elif api_key is not None:
        if count > 1:
            detail = "An API key belongs to one organization, in which one scenario can be played: give one file."
            raise Invalid(detail)
        yield OneOrganization(url, api_key)
    else:
        from lotus_server.bootstrap.scenarios import stage_on_server

        with stage_on_server(read_settings(data=data), url) as stage:
            yield stage


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)


def _show(path: Path, scenario: "Scenario", mismatches: "tuple[Mismatch, ...]") -> None:
    if not mismatches:
        return
    console.print(f"{scenario.name} ({path})", soft_wrap=True, highlight=False, markup=False)
    table = Table("Line", "When", "What", "Expected", "Actual", show_lines=True)
    for each in mismatches:
        # As texts: what comes from a file or a server is no markup.
        table.add_row(*map(Text, (str(each.line), each.where, each.what, each.expected, each.actual)))
    console.print(table)


def _count(number: int) -> str:
    return f"{number} scenario" if number == 1 else f"{number} scenarios"
