"""How long one customer's month of usage takes to answer, by windows and groups, on a store with many events.

Beside it one sequential read of the whole log, which is what an answer would cost without an index by customer.
Estimate before measuring: with 10 M events of 1,000 customers a month of one has 10,000 events; finding, reading and
decoding one costs about 6 us, a state of an aggregate 2 to 4 us, so 60 to 100 ms the first time; what is kept (an
aggregate, the points of a series) answers in under 1 ms.
"""

import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.ingest_core import MONTH, bodies, submission
from benchmarks.report import Row
from lotus_server.adapters.events_sqlite import SqliteEventStore
from lotus_server.adapters.events_sqlite.schema import DATABASE_NAME
from lotus_server.bootstrap.event_store import WRITER_COMMAND
from lotus_server.domain.metering import Aggregation, Granularity, MetricDefinition, MetricType, Selection

SUM = MetricDefinition("api_call", Aggregation.SUM, "tokens")
DEFINITIONS = {
    "sum of a month": SUM,
    "sum by hour": msgspec.structs.replace(SUM, window=Granularity.HOUR),
    "sum by day and latency": msgspec.structs.replace(SUM, window=Granularity.DAY, group_by=("latency_ms",)),
    "unique values": MetricDefinition("api_call", Aggregation.UNIQUE, "cost"),
    "95th percentile": MetricDefinition("api_call", Aggregation.PERCENTILE, "latency_ms", percentile=Decimal(95)),
    "gauge, level times time": MetricDefinition(
        "api_call", Aggregation.SUM, "tokens", type=MetricType.GAUGE, granularity=Granularity.HOUR
    ),
    "rate, greatest hour": MetricDefinition(
        "api_call", Aggregation.SUM, "tokens", type=MetricType.RATE, granularity=Granularity.HOUR
    ),
    "expression": MetricDefinition("api_call", Aggregation.SUM, expression="tokens * 2 + latency_ms"),
}
ASKED = 20


class Cost(NamedTuple):
    """How long something took by the clock, and what of it this process used: on a busy machine the two differ."""

    clock_ms: float
    processor_ms: float


def measure(stored: int) -> list[Row]:
    """Return the time of an answer for customers asked the first time, not kept, and again."""
    with tempfile.TemporaryDirectory(prefix="lotus-bench-") as name:
        directory = Path(name)
        store = SqliteEventStore.open(directory, WRITER_COMMAND)
        try:
            asyncio.run(_fill(store, stored))
            read = _cost(lambda: _scan(directory))
            rows = [Row("the whole log, read once", read.clock_ms, "ms"), *_by_processor("the whole log", read)]
            for what, definition in DEFINITIONS.items():
                rows += _answers(store, what, definition, read)
            return rows
        finally:
            store.close()


def _answers(store: SqliteEventStore, what: str, definition: MetricDefinition, read: Cost) -> list[Row]:
    selections = [Selection(definition, f"customer_{number:04d}", MONTH) for number in range(ASKED)]
    first = [_cost(partial(store.usage, "filler", [one], keeps_aggregates=False)) for one in selections]
    for one in selections:
        store.usage("filler", [one])
    again = [_cost(partial(store.usage, "filler", [one])) for one in selections]
    rows = []
    for name, costs in ((f"{what}, from the events", first), (f"{what}, asked again", again)):
        middle = Cost(statistics.median(each.clock_ms for each in costs), _median_of_processor(costs))
        rows += [Row(f"{name}, p50", middle.clock_ms, "ms", read.clock_ms, "one sequential read")]
        rows += _by_processor(name, middle)
    return rows


def _median_of_processor(costs: list[Cost]) -> float:
    return statistics.median(each.processor_ms for each in costs)


def _by_processor(what: str, cost: Cost) -> list[Row]:
    return [Row(f"{what}, processor", cost.processor_ms, "ms")]


def _scan(directory: Path) -> None:
    connection = sqlite3.connect(directory / DATABASE_NAME)
    connection.execute("SELECT count(*), max(length(properties)), max(customer) FROM events").fetchone()
    connection.close()


def _cost(work: Callable[[], object]) -> Cost:
    began, used = time.perf_counter(), time.process_time()
    work()
    return Cost((time.perf_counter() - began) * 1_000, (time.process_time() - used) * 1_000)


async def _fill(store: SqliteEventStore, stored: int) -> None:
    waiting: list[bytes] = []
    for body in bodies(stored // 1_000, 1_000):
        waiting.append(body)
        if len(waiting) == 20:
            await asyncio.gather(*(store.append(submission(each)) for each in waiting))
            waiting = []
    await asyncio.gather(*(store.append(submission(each)) for each in waiting))
