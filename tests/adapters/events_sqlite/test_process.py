"""The writer as a process: it may be killed at any instant, and so may the process that feeds it."""

import asyncio
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lotus_server.adapters.events_sqlite import SqliteEventStore
from lotus_server.domain.metering import Aggregation, CorrectionKind, MetricDefinition, Selection
from lotus_server.kernel.errors import Unavailable
from lotus_server.ports.event_store import CorrectionOrder, CorrectionStatus, EventQuery, Receipt
from tests.adapters.events_sqlite.writers import COUNT, MAY, WRITER_COMMAND
from tests.contracts.metering_model import NOW, Sent, submission

SUM = Selection(MetricDefinition("call", Aggregation.SUM, "n"), "acme", MAY)
UNIQUE = Selection(MetricDefinition("call", Aggregation.UNIQUE, "n", group_by=("g",)), "acme", MAY)


def open_store(directory: Path, *, in_flight_bytes_max: int = 64 << 20) -> SqliteEventStore:
    return SqliteEventStore.open(
        directory, WRITER_COMMAND, in_flight_bytes_max=in_flight_bytes_max, restart_seconds_min=0
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteEventStore]:
    opened = open_store(tmp_path)
    yield opened
    opened.close()


def kill(process_id: int | None) -> None:
    assert process_id is not None
    os.kill(process_id, signal.SIGKILL)


async def append_until_acknowledged(store: SqliteEventStore, *events: Sent) -> Receipt:
    """What a client does: send it again until there is an answer."""
    while True:
        try:
            return await store.append(submission("org", *events, wants_results=False))
        except Unavailable:
            await asyncio.sleep(0)


def test_concurrent_submissions_share_commits(store: SqliteEventStore) -> None:
    async def work() -> None:
        await asyncio.gather(*(append_until_acknowledged(store, Sent(str(number))) for number in range(500)))

    before = store.commit_count()
    asyncio.run(work())
    assert 500 == store.event_count("org")
    assert store.commit_count() - before < 100


@pytest.mark.parametrize("seed", range(2))
def test_a_writer_killed_at_any_instant_loses_and_doubles_nothing(tmp_path: Path, seed: int) -> None:
    noise = random.Random(seed)
    store = open_store(tmp_path)
    store.usage("org", [COUNT, SUM, UNIQUE])
    batches, batch_size, kills = 60, 40, 3
    kill_after = set(noise.sample(range(2, batches - 10), kills))
    numbers = itertools.count()
    acknowledged = 0

    async def sender() -> None:
        nonlocal acknowledged
        for batch in numbers:
            if batch >= batches:
                return
            # Every batch carries one event of the batch before, so duplicates take part.
            first = max(0, batch * batch_size - 1)
            events = [
                Sent(str(number), properties=f'{{"n":{number % 7},"g":"{number % 2}"}}')
                for number in range(first, (batch + 1) * batch_size)
            ]
            receipt = await append_until_acknowledged(store, *events)
            assert not receipt.failures
            acknowledged += 1
            if acknowledged in kill_after:
                kill(store.writer_process_id)

    async def work() -> None:
        await asyncio.gather(*(sender() for _ in range(8)))

    asyncio.run(work())
    total = batches * batch_size
    for opened in (store, None):
        again = opened or open_store(tmp_path)
        assert total == again.event_count("org")
        ids = [event.idempotency_id for event in again.events("org", EventQuery(limit=total + 1))]
        assert sorted(map(str, range(total))) == sorted(ids)
        at_hand = again.usage_at_hand("org", [COUNT, SUM, UNIQUE])
        assert at_hand is not None
        assert [total, sum(number % 7 for number in range(total)), 14] == [usage.quantity for usage in at_hand]
        assert all(drift.is_zero for drift in again.verify(lambda *_: None))
        again.close()


def correct_until_acknowledged(store: SqliteEventStore, orders: list[CorrectionOrder]) -> set[CorrectionStatus]:
    while True:
        try:
            return {result.status for result in store.correct("org", orders, now=NOW)}
        except Unavailable:
            continue


def test_a_writer_killed_during_corrections_has_done_all_of_a_batch_or_nothing(tmp_path: Path) -> None:
    noise = random.Random(3)
    store = open_store(tmp_path)
    batches, size = 15, 20
    sent = [Sent(str(number), properties='{"n":1}') for number in range(batches * size)]
    asyncio.run(append_until_acknowledged(store, *sent))
    for batch in range(batches):
        store.usage("org", [COUNT, SUM])
        orders = [
            CorrectionOrder(event.id, CorrectionKind.VOID, "a mistake")
            for event in sent[batch * size : (batch + 1) * size]
        ]
        if batch % 5 == 2:
            killer = threading.Timer(noise.random() * 0.004, kill, [store.writer_process_id])
            killer.start()
            done = correct_until_acknowledged(store, orders)
            killer.join()
        else:
            done = correct_until_acknowledged(store, orders)
        assert done in ({CorrectionStatus.DONE}, {CorrectionStatus.UNCHANGED}), "not half of it"
        left = (batches - batch - 1) * size
        assert [left, left] == [usage.quantity for usage in store.usage("org", [COUNT, SUM])]

    assert {1} == {len(store.history("org", event.id)) for event in sent[::size]}
    assert all(drift.is_zero for drift in store.verify(lambda *_: None))
    store.close()


def test_whoever_waits_for_a_writer_that_dies_is_told_and_the_next_one_is_served(store: SqliteEventStore) -> None:
    async def work() -> None:
        assert store.writer_process_id is not None
        os.kill(store.writer_process_id, signal.SIGSTOP)
        waiting = [asyncio.ensure_future(store.append(submission("org", Sent(str(number))))) for number in range(3)]
        await asyncio.sleep(0)
        kill(store.writer_process_id)
        for outcome in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(outcome, Unavailable)
        assert 1 == (await append_until_acknowledged(store, Sent("later"))).accepted

    asyncio.run(work())
    assert 1 == store.usage("org", [COUNT])[0].quantity


def test_questions_survive_the_death_of_the_writer(store: SqliteEventStore) -> None:
    kill(store.writer_process_id)
    assert [0] == [usage.quantity for usage in store.usage("org", [COUNT])]
    with_luck = [store.usage("org", [COUNT]) for _ in range(2)]
    assert [[0], [0]] == [[usage.quantity for usage in usages] for usages in with_luck]
    assert store.usage_at_hand("org", [COUNT]) is not None

    asyncio.run(append_until_acknowledged(store, Sent("a")))
    assert 1 == store.usage("org", [COUNT])[0].quantity


def test_a_store_that_is_overloaded_says_so_and_recovers(tmp_path: Path) -> None:
    store = open_store(tmp_path, in_flight_bytes_max=20_000)

    async def work() -> list[Receipt | BaseException]:
        big = [submission("org", Sent(str(number), properties=f'{{"t":"{"x" * 9_000}"}}')) for number in range(20)]
        return await asyncio.gather(*map(store.append, big), return_exceptions=True)

    outcomes = asyncio.run(work())
    refused = [outcome for outcome in outcomes if isinstance(outcome, Unavailable)]
    taken = [outcome for outcome in outcomes if isinstance(outcome, Receipt)]
    assert 20 == len(refused) + len(taken)
    assert {"overloaded"} == {error.code for error in refused}
    assert len(taken) == store.event_count("org")
    assert 1 == asyncio.run(append_until_acknowledged(store, Sent("later"))).accepted
    store.close()


def test_a_caller_that_gives_up_leaves_no_trace_in_the_accounts(tmp_path: Path) -> None:
    store = open_store(tmp_path, in_flight_bytes_max=20_000)

    async def work() -> None:
        for number in range(10):
            event = Sent(str(number), properties=f'{{"t":"{"x" * 15_000}"}}')
            task = asyncio.ensure_future(store.append(submission("org", event)))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await append_until_acknowledged(store, Sent("last"))

    asyncio.run(work())
    assert 11 == store.event_count("org"), "what was sent is stored, whether or not anybody waits for the receipt"
    store.close()


def test_a_directory_with_a_writer_refuses_another_store(store: SqliteEventStore, tmp_path: Path) -> None:
    refusing = (sys.executable, "-c", _IMPATIENT_WRITER)
    with pytest.raises(Unavailable, match="another process"):
        SqliteEventStore.open(tmp_path, refusing)


_IMPATIENT_WRITER = """
import sys
from lotus_server.adapters.events_sqlite import process
process.open_when_free.__defaults__ = (0.0,)
from lotus_server.bootstrap.event_writer import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_front_that_is_killed_leaves_everything_acknowledged_and_a_free_directory(tmp_path: Path) -> None:
    front = subprocess.Popen([sys.executable, "-c", _FRONT, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert front.stdout is not None
    acknowledged = [json.loads(front.stdout.readline()) for _ in range(200)]
    front.kill()
    acknowledged += [json.loads(line) for line in front.stdout if line.endswith("\n")]
    front.wait()
    front.stdout.close()

    store = open_store(tmp_path)  # waits until the orphaned writer has finished and left
    stored = {event.idempotency_id for event in store.events("org", EventQuery(limit=100_000))}
    assert set(acknowledged) <= stored
    assert len(stored) == store.event_count("org") == store.usage("org", [COUNT])[0].quantity
    store.close()


_FRONT = """
import asyncio, itertools, json, sys
from pathlib import Path
from lotus_server.bootstrap.event_store import open_event_store
from tests.contracts.metering_model import Sent, submission

store = open_event_store(Path(sys.argv[1]))
numbers = itertools.count()

async def sender():
    for number in numbers:
        await store.append(submission("org", Sent(str(number))))
        print(json.dumps(str(number)), flush=True)

async def main():
    await asyncio.gather(*(sender() for _ in range(8)))

asyncio.run(main())
"""


def test_the_writer_loads_only_what_it_needs() -> None:
    """A start, and a restart after a crash, takes a fraction of a second."""
    heavy = "fastapi starlette sqlalchemy alembic pydantic typer rich babel"
    code = (
        "import sys; import lotus_server.bootstrap.event_writer; "
        f"print([name for name in {heavy.split()!r} if name in sys.modules])"
    )
    assert "[]" == subprocess.check_output([sys.executable, "-c", code], text=True).strip()
