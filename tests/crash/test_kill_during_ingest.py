"""The server is killed again and again while events come in: nothing acknowledged is lost, nothing is counted twice."""

import random
import threading
import time
from pathlib import Path
from typing import Final

import httpx
import pytest
from typing_extensions import override

from tests.server_process import NO_CERTIFICATES, ServerProcess, run_lotus

SENDERS: Final = 4
SEED: Final = 20_261_122


class Sender(threading.Thread):
    """A client that sends batches and repeats each, with the same ids, until it is acknowledged.

    Every fourth batch is sent once more although it was acknowledged, so that duplicates are common.
    """

    def __init__(self, url: str, key: str, number: int) -> None:
        super().__init__(name=f"sender-{number}")
        self.acknowledged: set[str] = set()
        self.resent_after_ack = 0
        self.failures: list[str] = []
        self.batches_sent_again_after_a_crash = 0
        self._stop_asked = threading.Event()
        self._number = number
        self._random = random.Random(SEED + number)
        self._http = httpx.Client(base_url=url, headers={"X-API-KEY": key}, timeout=10, verify=NO_CERTIFICATES)

    @override
    def run(self) -> None:
        batch_number = 0
        while not self._stop_asked.is_set():
            batch_number += 1
            ids = [f"{self._number}-{batch_number}-{index}" for index in range(self._random.choice((1, 3, 20, 200)))]
            self._send_until_acknowledged(ids)
            if batch_number % 4 == 0:
                self.resent_after_ack += len(ids)
                self._send_until_acknowledged(ids)
        self._http.close()

    def finish(self) -> None:
        """Ask to stop once the present batch is acknowledged."""
        self._stop_asked.set()

    def _send_until_acknowledged(self, ids: list[str]) -> None:
        batch = [
            {"event_name": "call", "customer_id": "acme", "idempotency_id": each, "properties": {"n": 1}}
            for each in ids
        ]
        tries = 0
        while True:
            tries += 1
            try:
                response = self._http.post("/api/track/", json={"batch": batch})
            except httpx.TransportError:
                time.sleep(0.005)
                continue
            if response.status_code == 503:
                time.sleep(0.005)
                continue
            if response.status_code != 201 or response.json()["success"] != "all":
                self.failures.append(response.text[:500])
            self.acknowledged.update(ids)
            self.batches_sent_again_after_a_crash += tries > 1
            return


@pytest.mark.timeout(600)
def test_twelve_kills_lose_nothing_acknowledged_and_count_nothing_twice(tmp_path: Path) -> None:
    kill_and_judge(tmp_path, kills=12)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_two_hundred_kills_lose_nothing_acknowledged_and_count_nothing_twice(tmp_path: Path) -> None:
    kill_and_judge(tmp_path, kills=200)


def kill_and_judge(folder: Path, *, kills: int) -> None:
    """Kill a server so many times while senders are at it, and hold what it counted against what it acknowledged."""
    with ServerProcess(folder / "data") as server:
        subscribe_acme(server)
        senders = [Sender(server.url, server.api_key, number) for number in range(SENDERS)]
        for sender in senders:
            sender.start()
        try:
            kill_again_and_again(server, senders, kills)
        finally:
            for sender in senders:
                sender.finish()
        for sender in senders:
            sender.join(120)
        acknowledged_ids = set().union(*(sender.acknowledged for sender in senders))

        assert [failure for sender in senders for failure in sender.failures] == []
        assert sum(sender.batches_sent_again_after_a_crash for sender in senders) > 0
        assert usage(server) == len(acknowledged_ids)
    done = run_lotus("verify", "--data", str(server.data))
    assert (done.returncode, "drift 0" in done.stdout) == (0, True), done.stdout + done.stderr


def kill_again_and_again(server: ServerProcess, senders: list[Sender], kills: int) -> None:
    """Kill the server at moments within the traffic: every other time its writer with it."""
    moments = random.Random(SEED)
    for kill in range(kills):
        wait_for_more(senders, sum(len(sender.acknowledged) for sender in senders))
        time.sleep(moments.random() * 0.05)  # the kill's instant, not a wait for anything
        server.kill(with_writer=kill % 2 == 0)
        server.start().wait()


def wait_for_more(senders: list[Sender], acknowledged: int) -> None:
    """Return as soon as anything more was acknowledged, so that each kill hits a server that is at work."""
    end = time.monotonic() + 120
    while sum(len(sender.acknowledged) for sender in senders) <= acknowledged:
        assert time.monotonic() < end, "nothing was acknowledged any more"
        time.sleep(0.002)


def subscribe_acme(server: ServerProcess) -> None:
    metric = {"metric_id": "calls", "metric_name": "Calls", "event_name": "call", "metric_type": "counter"}
    component = {"metric_id": "calls", "price": {"model": "per_unit", "unit_price": "0.01"}}
    start = time.strftime("%Y-%m-%d", time.gmtime())
    for path, body in (
        ("/api/metrics/", {**metric, "aggregation_type": "sum", "property_name": "n"}),
        ("/api/plans/", {"plan_id": "p", "plan_name": "P", "plan_duration": "yearly", "components": [component]}),
        ("/api/customers/", {"customer_id": "acme"}),
        ("/api/subscriptions/", {"customer_id": "acme", "billing_plan_id": "p", "start_date": start}),
    ):
        assert server.client.post(path, json=body).status_code == 201
    assert usage(server) == 0  # from here on an aggregate is kept, which every crash puts to the test


def usage(server: ServerProcess) -> int:
    answer = server.client.get("/api/customer_access/", params={"customer_id": "acme", "event_name": "call"})
    quantity: int = answer.json()["usages"][0]["metric_usage"]
    return quantity
