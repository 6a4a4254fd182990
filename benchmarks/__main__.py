"""`python -m benchmarks`: run some or all benchmarks and print our figures beside their limits.

python -m benchmarks                        # sizes that take a few minutes
python -m benchmarks http --stored 0 --stored 1000000 --stored 10000000
"""

from typing import Annotated

import typer

from benchmarks import billing as billing_run
from benchmarks import http_paths
from benchmarks import lists as lists_of_many
from benchmarks import rating as rating_models
from benchmarks import usage as usage_queries
from benchmarks.report import print_machine, print_rows

app = typer.Typer(add_completion=False)


@app.callback(invoke_without_command=True)
def everything(context: typer.Context) -> None:
    """Run everything at the default sizes."""
    print_machine()
    if context.invoked_subcommand is None:
        rating(seconds=5.0)
        usage(stored=[1_000_000])
        billing(subscriptions=[10_000])
        lists(customers=[40_000])
        http(stored=[0, 1_000_000], seconds=5.0)


@app.command()
def http(
    stored: Annotated[list[int], typer.Option(help="How many events are stored before; may be repeated.")],
    seconds: Annotated[float, typer.Option(help="How long each figure is measured.")] = 10.0,
) -> None:
    """Ingest, access checks and draft invoices over HTTP, beside a bare server, decoding alone and the disk alone."""
    print_rows("limits", http_paths.limits(seconds))
    for size in sorted(stored):
        print_rows(f"{size:,} events stored", http_paths.measure(size, seconds))


@app.command()
def usage(
    stored: Annotated[list[int], typer.Option(help="How many events are stored; may be repeated.")],
) -> None:
    """Usage of one customer by windows and groups, beside one sequential read of the log."""
    for size in sorted(stored):
        print_rows(f"usage, {size:,} events stored", usage_queries.measure(size))


@app.command()
def rating(seconds: Annotated[float, typer.Option(help="How long all models are measured together.")] = 10.0) -> None:
    """Lines rated a second, per price model, beside the bare arithmetic."""
    print_rows("rating", rating_models.measure(seconds))


@app.command()
def lists(
    customers: Annotated[list[int], typer.Option(help="How many customers there are; may be repeated.")],
) -> None:
    """A page of customers or subscriptions, searched, filtered and sorted, with its count."""
    for count in customers:
        print_rows(f"lists, {count:,} customers", lists_of_many.measure(count))


@app.command()
def billing(
    subscriptions: Annotated[list[int], typer.Option(help="How many subscriptions are billed; may be repeated.")],
) -> None:
    """Invoices of ten lines issued a second, beside rating alone and inserting alone; memory; pages of PDF a second."""
    for size in sorted(subscriptions):
        print_rows(f"billing run, {size:,} subscriptions", billing_run.measure(size))


if __name__ == "__main__":
    app()
