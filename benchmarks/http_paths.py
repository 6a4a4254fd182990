"""The hot paths over HTTP, on stores that hold events already."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from itertools import cycle
from pathlib import Path

import msgspec

from benchmarks.ingest_core import bodies
from benchmarks.load import Result, request_bytes, run
from benchmarks.report import Row
from lotus_server.adapters.events_sqlite import SqliteEventStore
from lotus_server.bootstrap.event_store import WRITER_COMMAND
from lotus_server.bootstrap.services import first_organization, open_services
from lotus_server.ports.event_store import Submission
from lotus_server.settings import Settings
from lotus_server.wire.track import make_decoder

KEY = "benchmark.key"
CUSTOMERS = 1_000
NOW = "2026-11-30T12:00:00Z"
PREVIEW = (
    b'{"quantity":1234,"price":{"model":"graduated","tiers":[{"up_to":100,"unit_price":"0.05","flat_fee":10},'
    b'{"up_to":1000,"unit_price":"0.02"},{"unit_price":"0.01"}]}}'
)
CASES = ((1, 64), (20, 32), (100, 16), (1_000, 8))


def limits(seconds: float) -> list[Row]:
    """Return what the machine can do at best: the bare server, decoding, the disk."""
    with _bare_server() as port:
        one = _load(
            port, "GET", "/api/customer_access/?customer_id=a&event_name=b", [b""], connections=1, seconds=seconds
        )
        many = _load(
            port, "GET", "/api/customer_access/?customer_id=a&event_name=b", [b""], connections=32, seconds=seconds
        )
        batch = _load(port, "POST", "/api/track/", list(bodies(64, 1_000)), connections=8, seconds=seconds)
    return [
        Row("bare server, small answer, 1 connection, p50", one.percentile(50), "ms"),
        Row("bare server, small answer, 1 connection, p99", one.percentile(99), "ms"),
        Row("bare server, small answers, 32 connections", many.per_second, "requests/s"),
        Row("bare server, bodies of 1,000 events", batch.per_second * 1_000, "events/s"),
        Row("decoding alone, one core", _decode_rate(), "events/s"),
        Row("append + fdatasync of the same bytes, 1,000 a commit", _disk_rate(1_000), "events/s"),
        Row("append + fdatasync of the same bytes, 1 a commit", _disk_rate(1), "events/s"),
    ]


def measure(stored: int, seconds: float) -> list[Row]:
    """Return our figures on a store that holds so many events of 1,000 subscribed customers."""
    with tempfile.TemporaryDirectory(prefix="lotus-bench-") as name:
        directory = Path(name)
        _prepare(directory, stored)
        with _lotus(directory) as port:
            return [*_ingest(port, seconds), *_reads(port, seconds), *_reads_beside_ingest(port, seconds)]


def _ingest(port: int, seconds: float) -> list[Row]:
    rows = []
    with _bare_server() as bare:
        for size, connections in CASES:
            made = list(bodies(max(64, min(20_000, int(150_000 * seconds) // size)), size))
            limit = _load(bare, "POST", "/api/track/", made[:64], connections=connections, seconds=min(seconds, 3.0))
            ours = _load(port, "POST", "/api/track/", made, connections=connections, seconds=seconds, repeats=False)
            assert set(ours.statuses) == {201}, ours.statuses
            name = f"ingest, {size:,} a request, {connections} connections"
            rows.append(Row(name, ours.per_second * size, "events/s", limit.per_second * size, "bare server"))
    single = list(bodies(int(2_000 * seconds), 1))
    alone = _load(port, "POST", "/api/track/", single, connections=1, seconds=seconds, repeats=False)
    disk = 1000 / _disk_rate(1)
    rows += [
        Row("one event, 1 connection, p50", alone.percentile(50), "ms", disk, "append + fdatasync"),
        Row("one event, 1 connection, p99", alone.percentile(99), "ms", disk, "append + fdatasync (mean)"),
    ]
    return rows


def _reads(port: int, seconds: float) -> list[Row]:
    access = [f"/api/customer_access/?customer_id=customer_{number:04d}&event_name=api_call" for number in range(500)]
    draft = [f"/api/draft_invoice/?customer_id=customer_{number:04d}" for number in range(500)]
    for path in (access, draft):
        _get(port, path, 4, 3.0)  # aggregates are made at the first question
    with _bare_server() as bare:
        bare_one, bare_many = _get(bare, access, 1, seconds), _get(bare, access, 32, seconds)
    one, many = _get(port, access, 1, seconds), _get(port, access, 32, seconds)
    drafts = _get(port, draft, 1, seconds)
    previews = _load(port, "POST", "/api/price_preview/", [PREVIEW], connections=1, seconds=seconds)
    assert set(previews.statuses) == {200}, previews.statuses
    return [
        Row("access, 1 connection, p50", one.percentile(50), "ms", bare_one.percentile(50), "bare server"),
        Row("access, 1 connection, p99", one.percentile(99), "ms", bare_one.percentile(99), "bare server"),
        Row("access, 32 connections", many.per_second, "requests/s", bare_many.per_second, "bare server"),
        Row("price_preview, 1 connection, p50", previews.percentile(50), "ms", bare_one.percentile(50), "bare server"),
        Row("price_preview, 1 connection, p99", previews.percentile(99), "ms", bare_one.percentile(99), "bare server"),
        Row("draft_invoice, 1 connection, p50", drafts.percentile(50), "ms", bare_one.percentile(50), "bare server"),
        Row("draft_invoice, 1 connection, p99", drafts.percentile(99), "ms", bare_one.percentile(99), "bare server"),
    ]


def _reads_beside_ingest(port: int, seconds: float) -> list[Row]:
    """Measure access while another process sends batches of 1,000 over 4 connections as fast as it can."""
    made = list(bodies(int(150 * seconds), 1_000))
    access = [f"/api/customer_access/?customer_id=customer_{number:04d}&event_name=api_call" for number in range(500)]
    with ProcessPoolExecutor(1) as pool:
        ingest = pool.submit(_load_here, port, _requests("POST", "/api/track/", made), 4, seconds, repeats=False)
        ours = _get(port, access, 1, seconds)
        sent = ingest.result()
    with _bare_server() as bare, ProcessPoolExecutor(1) as pool:
        ingest = pool.submit(_load_here, bare, _requests("POST", "/api/track/", made), 4, seconds)
        limit = _get(bare, access, 1, seconds)
        ingest.result()
    return [
        Row(
            "access beside full ingest, p50", ours.percentile(50), "ms", limit.percentile(50), "bare server beside load"
        ),
        Row(
            "access beside full ingest, p99", ours.percentile(99), "ms", limit.percentile(99), "bare server beside load"
        ),
        Row("ingest meanwhile", sent.per_second * 1_000, "events/s"),
    ]


def _get(port: int, paths: list[str], connections: int, seconds: float) -> Result:
    requests = [request_bytes("GET", path, KEY) for path in paths]
    with ProcessPoolExecutor(1) as pool:
        result = pool.submit(_load_here, port, requests, connections, seconds).result()
    assert set(result.statuses) == {200}, result.statuses
    return result


def _load(
    port: int, method: str, path: str, made: list[bytes], *, connections: int, seconds: float, repeats: bool = True
) -> Result:
    with ProcessPoolExecutor(1) as pool:
        requests = _requests(method, path, made)
        return pool.submit(_load_here, port, requests, connections, seconds, repeats=repeats).result()


def _requests(method: str, path: str, made: list[bytes]) -> list[bytes]:
    return [request_bytes(method, path, KEY, body) for body in made]


def _load_here(port: int, requests: list[bytes], connections: int, seconds: float, *, repeats: bool = True) -> Result:
    """Send requests in turn; without `repeats` each only once, so that every event is new."""
    turn = cycle(requests)
    made: Callable[[], bytes] = turn.__next__
    most = None if repeats else len(requests)
    return asyncio.run(run(port, made, connections=connections, seconds=seconds, requests_max=most))


def _prepare(directory: Path, stored: int) -> None:
    """Make 1,000 customers with a subscription each to a plan on one metric, and store events of theirs."""
    settings = Settings(
        data=directory, bootstrap_api_key=KEY, bootstrap_type="sandbox", bootstrap_now=datetime.fromisoformat(NOW)
    )
    with open_services(settings) as services:
        organization, _ = first_organization(services, settings)
    with _lotus(directory) as port:
        _post(port, "/api/metrics/", {"metric_id": "calls", "metric_name": "Calls", "event_name": "api_call",
              "metric_type": "counter", "aggregation_type": "sum", "property_name": "tokens"})  # fmt: skip
        price = {"model": "per_unit", "unit_price": "0.001", "free_units": 1000}
        _post(port, "/api/plans/", {"plan_id": "plan", "plan_name": "Plan", "plan_duration": "monthly",
              "components": [{"metric_id": "calls", "price": price}]})  # fmt: skip
        for number in range(CUSTOMERS):
            _post(port, "/api/customers/", {"customer_id": f"customer_{number:04d}"})
            _post(port, "/api/subscriptions/", {"customer_id": f"customer_{number:04d}", "billing_plan_id": "plan",
                  "start_date": "2026-11-01"})  # fmt: skip
            path = f"/api/customer_access/?customer_id=customer_{number:04d}&event_name=api_call"
            request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"X-API-KEY": KEY})
            urllib.request.urlopen(request).read()  # its aggregate is kept from now on
    if stored:
        asyncio.run(_fill(directory, organization.organization_id, stored))


async def _fill(directory: Path, organization_id: str, stored: int) -> None:
    store = SqliteEventStore.open(directory, WRITER_COMMAND)
    now = datetime.fromisoformat(NOW)
    try:
        for body_set in _chunks(bodies(stored // 1_000, 1_000), 20):
            await asyncio.gather(*(store.append(Submission(organization_id, body, now)) for body in body_set))
    finally:
        store.close()


def _chunks(made: Iterator[bytes], size: int) -> Iterator[list[bytes]]:
    chunk: list[bytes] = []
    for body in made:
        chunk.append(body)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _post(port: int, path: str, payload: object) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", msgspec.json.encode(payload), {"X-API-KEY": KEY}, method="POST"
    )
    urllib.request.urlopen(request).read()


@contextlib.contextmanager
def _lotus(directory: Path) -> Iterator[int]:
    port = _free_port()
    command = [sys.executable, "-m", "lotus_server", "serve", "--data", str(directory), "--port", str(port)]
    environment = {**os.environ, "LOTUS_BOOTSTRAP_API_KEY": KEY}
    with _process(command, port, "/api/healthcheck/", environment):
        yield port


@contextlib.contextmanager
def _bare_server() -> Iterator[int]:
    port = _free_port()
    with _process([sys.executable, "-m", "benchmarks.bare_server", str(port)], port, "/", dict(os.environ)):
        yield port


@contextlib.contextmanager
def _process(command: list[str], port: int, path: str, environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    try:
        deadline = time.monotonic() + 120
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).read()
                break
            assert process.poll() is None, "the server did not start"
            assert time.monotonic() < deadline, "the server did not answer"
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(60)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _decode_rate() -> float:
    decode = make_decoder(lambda: "unused")
    made = list(bodies(100, 1_000))
    now = datetime.fromisoformat(NOW)
    began = time.perf_counter()
    for body in made:
        decode(Submission("org", body, now))
    return len(made) * 1_000 / (time.perf_counter() - began)


def _disk_rate(events: int) -> float:
    made = list(bodies(100, events))
    with tempfile.TemporaryFile() as file:
        began = time.perf_counter()
        for body in made:
            file.write(body)
            file.flush()
            os.fdatasync(file.fileno())
        return len(made) * events / (time.perf_counter() - began)
