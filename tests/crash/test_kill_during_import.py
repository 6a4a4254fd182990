"""The server is killed again and again within imports: each row is there once, and every row."""

import random
import time
from pathlib import Path
from typing import Any, Final

import pytest

from lotus_server.bootstrap.event_store import open_event_store_for_reading
from tests.server_process import ServerProcess, run_lotus

CUSTOMERS: Final = 5_000
EVENTS: Final = 40_000
KILLS: Final = 3
SEED: Final = 20_261_122
SECONDS_MAX: Final = 240
PART_BYTES: Final = 5_000_000


@pytest.mark.timeout(900)
def test_kills_within_imports_leave_each_row_there_once(tmp_path: Path) -> None:
    customers = "id,name\n" + "".join(f"c{n},Customer {n}\n" for n in range(CUSTOMERS))
    calls = "event_name,customer_id,time_created,idempotency_id,n\n" + "".join(
        f"call,c{n % CUSTOMERS},2026-01-01T00:00:00Z,e{n},1\n" for n in range(EVENTS)
    )
    with ServerProcess(tmp_path / "data") as server:
        ids = [start(server, "customers", customers), start(server, "events", calls)]
        hits = kill_again_and_again(server, ids)
        done = [wait_for(server, each) for each in ids]

        assert hits > 0, "the imports were over before the first kill"
        assert [each["state"] for each in done] == ["done", "done"]
        assert (done[0]["rows_made"], done[0]["rows_read"]) == (CUSTOMERS, CUSTOMERS)
        # Of a portion that was stored but not noted when the server died, events are found there again.
        assert done[1]["rows_made"] + done[1]["rows_unchanged"] == done[1]["rows_read"] == EVENTS
        seen = server.client.get("/api/events/", params={"customer_id": "c7", "limit": 100}).json()
        assert len(seen) == EVENTS // CUSTOMERS
    events = open_event_store_for_reading(server.data)
    assert events.event_count() == EVENTS
    events.close()
    verified = run_lotus("verify", "--data", str(server.data))
    assert (verified.returncode, "drift 0" in verified.stdout) == (0, True), verified.stdout


def start(server: ServerProcess, kind: str, content: str) -> str:
    """Send a file and start its import."""
    import_id: str = server.post("/api/imports/", {"kind": kind, "file_name": kind})["import_id"]
    body = content.encode()
    for begin in range(0, len(body), PART_BYTES):
        part = body[begin : begin + PART_BYTES]
        query = {"start": str(begin), "is_last": str(begin + len(part) == len(body)).lower()}
        answer = server.client.put(f"/api/imports/{import_id}/file/", params=query, content=part)
        assert answer.status_code == 200, answer.text
    assert server.client.post(f"/api/imports/{import_id}/start/").status_code == 200
    return import_id


def kill_again_and_again(server: ServerProcess, ids: list[str]) -> int:
    """Kill the server while rows are being read, and return how many times it was."""
    moments, hits, read = random.Random(SEED), 0, 0
    for kill in range(KILLS):
        give_up_at = time.monotonic() + SECONDS_MAX
        while True:
            now = [server.client.get(f"/api/imports/{each}/").json() for each in ids]
            if all(each["state"] == "done" for each in now):
                return hits
            if sum(each["rows_read"] for each in now) > read:
                read = sum(each["rows_read"] for each in now)
                break
            assert time.monotonic() < give_up_at, now
            time.sleep(0.02)
        time.sleep(moments.random() * 0.3)  # the kill's instant, not a wait for anything
        server.kill(with_writer=kill % 2 == 0)
        server.start().wait()
        hits += 1
    return hits


def wait_for(server: ServerProcess, import_id: str) -> dict[str, Any]:
    """The import once it has ended."""
    give_up_at = time.monotonic() + SECONDS_MAX
    while True:
        found: dict[str, Any] = server.client.get(f"/api/imports/{import_id}/").json()
        if found["state"] not in {"waiting", "running"}:
            return found
        assert time.monotonic() < give_up_at, found
        time.sleep(0.1)
