"""The event writer's process dies alone: the server says so, starts another one, and goes on."""

import os
import signal
import time
from pathlib import Path

from tests.server_process import ServerProcess

SECONDS_MAX = 60


def test_events_are_taken_again_soon_after_the_writer_died(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server:
        server.post("/api/track/", {"event_name": "call", "customer_id": "acme", "idempotency_id": "before"})
        (writer,) = server.writer_process_ids()
        os.kill(writer, signal.SIGKILL)

        refusals, give_up_at = [], time.monotonic() + SECONDS_MAX
        event = {"event_name": "call", "customer_id": "acme", "idempotency_id": "after"}
        while (response := server.client.post("/api/track/", json=event)).status_code != 201:
            assert time.monotonic() < give_up_at, response.text
            refusals.append((response.status_code, response.json()["title"]))
            time.sleep(0.05)
        again = server.post("/api/track/", {**event, "idempotency_id": "before"})

    assert set(refusals) <= {(503, "unavailable")}
    assert (again["accepted"], again["duplicates"]) == (0, 1)
