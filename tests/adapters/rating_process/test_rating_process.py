"""The process that rates beside a billing run: what it answers, and that a run goes on without it."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from lotus_server.adapters.events_sqlite import SqliteEventStore
from lotus_server.adapters.ids_uuid7 import Uuid7Ids
from lotus_server.adapters.rating_process import RatingProcesses
from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.bootstrap.documents import LaterDocuments
from lotus_server.bootstrap.event_store import WRITER_COMMAND
from lotus_server.bootstrap.rating_process import rating_processes
from lotus_server.ports.event_store import Submission
from lotus_server.ports.rating_ahead import NextDue, RatedOrganization, Rater
from lotus_server.usecases.rating_ahead import rate_next
from lotus_server.usecases.services import Services
from tests.business import PENNY, Business, SetClock, at, charge, found_business
from tests.people import quick_passwords

_QUESTION = NextDue(datetime(2026, 2, 1, tzinfo=UTC), "org", (datetime(2026, 1, 1, tzinfo=UTC), "", ""), 10)

# Says that it is ready, as the real one does, and then behaves as told when it is asked.
_BEGINS = """
import socket, sys, os
from lotus_server.adapters.rating_process.frames import receive, send
asked = socket.socket(fileno=int(sys.argv[1]))
receive(asked)
send(asked, [])
receive(asked)
"""


@pytest.mark.parametrize(
    "behaviour",
    ["os._exit(1)", "receive(asked)", "asked.sendall(bytes([2, 0, 0, 0]) + b'no')"],
    ids=["it dies", "it does not answer in time", "it answers nonsense"],
)
def test_a_run_goes_on_without_a_process_that_fails(behaviour: str) -> None:
    command = (sys.executable, "-c", _BEGINS + behaviour)

    with capture_logs() as logs, RatingProcesses(command, "sqlite://", "").rater() as rater:
        ask_until(rater, _QUESTION, lambda: len(logs) == 1)
        rater.ask(_QUESTION)
        after = rater.take()

    assert ["rating_ahead_ended"] == [each["event"] for each in logs]
    assert [] == after


def test_a_process_that_cannot_start_fails_no_run() -> None:
    with capture_logs() as logs, RatingProcesses((sys.executable, "-c", ""), "sqlite://", "").rater() as rater:
        ask_until(rater, _QUESTION, lambda: len(logs) == 1)

    assert ["rating_ahead_ended"] == [each["event"] for each in logs]


def test_it_answers_what_rating_here_answers(records_url: str, tmp_path: Path) -> None:
    question = _QUESTION
    with opened(records_url, tmp_path) as business:
        question = msgspec.structs.replace(question, organization_id=business.organization_id)
        found: list[RatedOrganization] = []

        with rating_processes(records_url, tmp_path).rater() as rater:
            ask_until(rater, question, lambda: bool(found), found)

        assert rate_next(business.services, question) == found
        assert [7, 0] == [each.lines[0].quantity for each in found[0].periods]


def ask_until(rater: Rater, question: NextDue, is_enough: object, found: list[RatedOrganization] | None = None) -> None:
    """Ask again and again; the test's time limit is the limit."""
    assert callable(is_enough)
    while not is_enough():
        rater.ask(question)
        answer = rater.take()
        if found is not None:
            found += answer


@contextmanager
def opened(url: str, directory: Path) -> Iterator[Business]:
    """Two customers in real stores, one with seven events in January."""
    records = SqlRecords.open(url)
    events = SqliteEventStore.open(directory, WRITER_COMMAND)
    services = Services(records, events, SetClock(at("2026-01-01")), Uuid7Ids(), LaterDocuments(), quick_passwords())
    try:
        business = found_business(services)
        business.plan("pro", charge("10"), price=PENNY)
        business.customer("boots")
        for customer_id in ("acme", "boots"):
            business.subscribe(customer_id=customer_id)
        happened = [
            {"event_name": "call", "customer_id": "acme", "idempotency_id": str(number), "time_created": "2026-01-09"}
            for number in range(7)
        ]
        body = msgspec.json.encode({"batch": happened})
        asyncio.run(events.append(Submission(business.organization_id, body, at("2026-01-10"))))
        yield business
    finally:
        events.close()
        records.close()
