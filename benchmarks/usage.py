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


def measure(stored: int) -> list[Row]:
    """Return the time of an answer for customers asked the first time, not kept, and again."""
    with tempfile.TemporaryDirectory(prefix="lotus-bench-") as name:
        directory = Path(name)
        store = SqliteEventStore.open(directory, WRITER_COMMAND)
        try:
            asyncio.run(_fill(store, stored))
            scan = _seconds(lambda: _scan(directory)) * 1_000
            rows = [Row("the whole log, read once", scan, "ms")]
            for what, definition in DEFINITIONS.items():
                rows += _answers(store, what, definition, scan)
            return rows
        finally:
            store.close()


def _answers(store: SqliteEventStore, what: str, definition: MetricDefinition, scan: float) -> list[Row]:
    selections = [Selection(definition, f"customer_{number:04d}", MONTH) for number in range(ASKED)]
    first = [_seconds(partial(store.usage, "filler", [one], keeps_aggregates=False)) for one in selections]
    for one in selections:
        store.usage("filler", [one])
    again = [_seconds(partial(store.usage, "filler", [one])) for one in selections]
    return [
        Row(f"{what}, from the events, p50", statistics.median(first) * 1_000, "ms", scan, "one sequential read"),
        Row(f"{what}, asked again, p50", statistics.median(again) * 1_000, "ms", scan, "one sequential read"),
    ]


def _scan(directory: Path) -> None:
    connection = sqlite3.connect(directory / DATABASE_NAME)
    connection.execute("SELECT count(*), max(length(properties)), max(customer) FROM events").fetchone()
    connection.close()


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


async def _fill(store: SqliteEventStore, stored: int) -> None:
    waiting: list[bytes] = []
    for body in bodies(stored // 1_000, 1_000):
        waiting.append(body)
        if len(waiting) == 20:
            await asyncio.gather(*(store.append(submission(each)) for each in waiting))
            waiting = []
    await asyncio.gather(*(store.append(submission(each)) for each in waiting))
