"""Events per second through the writer of the SQLite event store, without HTTP.

Beside it, on the same machine in the same run, what bounds it: decoding the same bodies, and appending the same bytes
to a file with one fdatasync per commit. Run it on an otherwise idle machine:

    python benchmarks/ingest_core.py --stored 0 1000000 10000000
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lotus_server.adapters.events_sqlite import SqliteEventStore
from lotus_server.adapters.events_sqlite.writer import EventWriter
from lotus_server.bootstrap.event_store import WRITER_COMMAND
from lotus_server.domain.metering import Aggregation, MetricDefinition, Selection
from lotus_server.kernel.period import Period
from lotus_server.ports.event_store import Receipt, Submission
from lotus_server.wire.track import make_decoder

CUSTOMERS = 1_000
START = datetime(2026, 11, 1, tzinfo=UTC)
NOW = START + timedelta(days=29)
MONTH = Period(START, START + timedelta(days=30))
EVENT = (
    '{"type":"trackEvent","library":"lotus-node","event_name":"api_call","customer_id":"customer_%04d","idempotency_id":'
    '"%s-%s-4%s-8%s-%s","time_created":"2026-11-%02dT%02d:%02d:%02d.%03dZ","properties":{"$lib":"lotus-node","tokens":%d,'
    '"model":"gpt-large","region":"eu-west-1","cost":%d.00%d,"path":"/v1/chat/completions","latency_ms":%d,"status":200}}'
)


def bodies(count: int, events: int) -> Iterator[bytes]:
    """Bodies of so many events each, with random ids, for random customers, over four weeks."""
    for _ in range(count):
        noise = os.urandom(24 * events)
        batch = []
        for offset in range(0, len(noise), 24):
            piece = noise[offset : offset + 24]
            text = piece.hex()
            a, b, c, d, e, f, g, h = piece[16:24]
            batch.append(
                EVENT
                % (
                    (a << 8 | b) % CUSTOMERS,
                    *(text[:8], text[8:12], text[13:16], text[17:20], text[20:32]),
                    *(1 + c % 28, d % 24, e % 60, f % 60, g * 3),
                    *(h * 17, a, b, c * d),
                )
            )
        yield f'{{"batch":[{",".join(batch)}]}}'.encode()


def selections(per_customer: int) -> list[Selection]:
    """The aggregates that are alive: a count, and a sum of integers, of every customer's month."""
    definitions = [
        MetricDefinition("api_call", Aggregation.COUNT),
        MetricDefinition("api_call", Aggregation.SUM, "tokens"),
    ][:per_customer]
    names = [f"customer_{number:04d}" for number in range(CUSTOMERS)]
    return [Selection(definition, name, MONTH) for name in names for definition in definitions]


def submission(body: bytes, organization: str = "filler") -> Submission:
    return Submission(organization, body, NOW)


def show(what: str, events: int, seconds: float, cpu_seconds: float, note: str = "") -> None:
    """A line of the table. The processor time says what the rate would be on a machine that does nothing else."""
    cost = f"{cpu_seconds / events * 1e6:6.2f} us CPU"
    print(f"{what:<58}{events / seconds:>12,.0f} events/s {cost} {note}", flush=True)


def cpu_of(process_id: int | None) -> float:
    """Processor seconds that another process has used."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def bounds(sample: list[bytes], events: int, folder: Path) -> None:
    """What the writer can at most reach."""
    decode = make_decoder(lambda: "unused")
    start, cpu = time.perf_counter(), time.process_time()
    for body in sample:
        decode(submission(body))
    show("decode and check only", len(sample) * events, time.perf_counter() - start, time.process_time() - cpu)
    file = os.open(folder / "plain.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    start, cpu = time.perf_counter(), time.process_time()
    for body in sample:
        os.write(file, body)
        os.fdatasync(file)
    took, cpu = time.perf_counter() - start, time.process_time() - cpu
    show("append and fdatasync of the same bytes", len(sample) * events, took, cpu)
    os.close(file)


def fill(folder: Path, stored: int) -> None:
    """Bring the store to a number of events, by the writer itself."""
    writer = EventWriter(folder, make_decoder(lambda: "unused"))
    missing = stored - writer.event_count
    while missing > 0:
        writer.append([submission(body) for body in bodies(min(10, -(-missing // 1_000)), 1_000)])
        writer.tidy_up()
        missing = stored - writer.event_count
    writer.close()


def in_process(folder: Path, sample: list[bytes], events: int, group: int) -> None:
    """The writer's own work, without the way to it and without aggregates."""
    start = time.perf_counter()
    writer = EventWriter(folder, make_decoder(lambda: "unused"))
    opened = time.perf_counter() - start
    took: list[float] = []
    start, cpu = time.perf_counter(), time.process_time()
    for place in range(0, len(sample), group):
        before = time.perf_counter()
        writer.append([submission(body) for body in sample[place : place + group]])
        took.append(time.perf_counter() - before)
        writer.tidy_up()
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    note = (
        f"(commit p50 {statistics.median(took) * 1e3:.1f} ms, max {max(took) * 1e3:.0f} ms; opened in {opened:.2f} s)"
    )
    show(f"writer in process, {group} x {events} events a commit", len(sample) * events, seconds, cpu, note)
    writer.close()


async def through_the_socket(store: SqliteEventStore, sample: list[bytes], in_flight: int, organization: str) -> float:
    """Seconds to send the bodies, so many at a time."""
    waiting = iter(sample)

    async def sender() -> None:
        for body in waiting:
            receipt: Receipt = await store.append(submission(body, organization))
            assert not receipt.failures, receipt.failures[:1]

    start = time.perf_counter()
    await asyncio.gather(*(sender() for _ in range(in_flight)))
    return time.perf_counter() - start


def percentile_us(action: Callable[[int], object], times: int = 5_000) -> str:
    """Median and 99th percentile of an action in microseconds."""
    took = []
    for number in range(times):
        start = time.perf_counter_ns()
        action(number)
        took.append((time.perf_counter_ns() - start) / 1_000)
    took.sort()
    return f"p50 {took[times // 2]:.1f} us, p99 {took[times * 99 // 100]:.1f} us"


def with_process(folder: Path, count: int, organization: str) -> None:
    """The whole store: a writer process fed by an event loop, with aggregates alive."""
    start = time.perf_counter()
    store = SqliteEventStore.open(folder, WRITER_COMMAND)
    print(f"opened in {time.perf_counter() - start:.2f} s with {store.event_count():,} events")
    for live in (0, 1, 2):
        if live:
            start = time.perf_counter()
            store.usage(organization, selections(live))
            print(f"making {CUSTOMERS} aggregates took {time.perf_counter() - start:.2f} s")
        sample = list(bodies(count, 1_000))
        for in_flight in (1, 16) if live else (16,):
            half = sample[: count // 2] if in_flight == 1 else sample[count // 2 :]
            cpu = cpu_of(store.writer_process_id)
            seconds = asyncio.run(through_the_socket(store, half, in_flight, organization))
            cpu = cpu_of(store.writer_process_id) - cpu
            show(
                f"writer process, {live} aggregates a customer, {in_flight} x 1,000 waiting",
                len(half) * 1_000,
                seconds,
                cpu,
            )
    wanted = [[selection] for selection in selections(1)]
    took = percentile_us(lambda number: store.usage_at_hand(organization, wanted[number % CUSTOMERS]))
    print(f"usage_at_hand: {took}")
    for in_flight, count_of_singles in ((1, 1_000), (64, 4_000), (256, 8_000)):
        singles = list(bodies(count_of_singles, 1))
        commits, cpu = store.commit_count(), cpu_of(store.writer_process_id)
        seconds = asyncio.run(through_the_socket(store, singles, in_flight, organization))
        note = f"({store.commit_count() - commits} commits)"
        show(
            f"writer process, single events, {in_flight} waiting",
            count_of_singles,
            seconds,
            cpu_of(store.writer_process_id) - cpu,
            note,
        )
    store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--stored", type=int, nargs="+", default=[0, 1_000_000], help="events stored before each measurement"
    )
    parser.add_argument("--count", type=int, default=200, help="bodies of 1,000 events per measurement")
    parser.add_argument("--folder", type=Path, help="where to write; a temporary folder by default")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        print(f"load average at the start: {', '.join(f'{load:.1f}' for load in os.getloadavg())}")
        bounds(list(bodies(options.count, 1_000)), 1_000, folder)
        for stored in options.stored:
            start = time.perf_counter()
            fill(folder, stored)
            print(f"\n-- {stored:,} events stored (filled in {time.perf_counter() - start:.0f} s)", flush=True)
            for group in (1, 10):
                in_process(folder, list(bodies(options.count, 1_000)), 1_000, group)
            # An organization of its own has no aggregates yet.
            with_process(folder, options.count, f"org_{stored}_{os.getpid()}")


if __name__ == "__main__":
    main()
