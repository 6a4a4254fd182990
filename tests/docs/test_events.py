"""The examples in the page about events come out as it says."""

import asyncio
import json
import re
from datetime import UTC, datetime
from typing import Any

from lotus_server.domain.metering import CorrectionKind
from lotus_server.kernel.errors import Problems
from lotus_server.ports.event_store import CorrectionOrder, CorrectionStatus, Submission
from lotus_server.wire.events import AmendForm, VerifyForm, VoidForm, corrections_row
from lotus_server.wire.forms import FormType, read
from tests.events_in_memory import EventsInMemory
from tests.repository import ROOT

PAGE = (ROOT / "docs/concepts/events.md").read_text(encoding="utf-8")
ASKED, VERIFIED, VOID, VOIDED, AMENDMENT = map(json.loads, re.findall(r"```json\n(.+?)```", PAGE, re.DOTALL))
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def store() -> EventsInMemory:
    """A store with the event that the page has, and without the one that it says never came."""
    events = EventsInMemory()
    event = b'{"idempotency_id": "call-17", "customer_id": "acme", "event_name": "call"}'
    asyncio.run(events.append(Submission("org", event, NOW)))
    return events


def form_of(form: type[FormType], payload: dict[str, Any]) -> tuple[FormType, Problems]:
    problems = Problems()
    return read(form, payload, problems), problems


def test_ids_that_never_came_are_told() -> None:
    form, problems = form_of(VerifyForm, ASKED)
    asked = form.to_verification(problems).idempotency_ids

    assert VERIFIED["ids_not_found"] == [each for each in asked if each not in store().find("org", asked)]


def test_voiding_answers_as_shown() -> None:
    form, problems = form_of(VoidForm, VOID)
    ids, reason = form.to_ids(problems)
    orders = [CorrectionOrder(each, CorrectionKind.VOID, reason) for each in ids]

    assert VOIDED == corrections_row(store().correct("org", orders, now=NOW))


def test_the_amendment_is_one() -> None:
    form, problems = form_of(AmendForm, AMENDMENT)
    (amendment,) = form.to_amendments(problems)

    assert () == problems.found
    assert ("call-17", b'{"tokens":120}') == (amendment.idempotency_id, amendment.properties_json)


def test_every_status_of_a_correction_is_explained() -> None:
    assert {status for status in CorrectionStatus if f"| `{status}` |" not in PAGE} == set()
