"""The obvious event store: a dictionary of accepted events by id, with the oracle for usage.

It says what a store must answer.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from lotus_server.domain.metering import Event, Selection, Usage, Verdict, usage_of
from lotus_server.ports.event_store import Submission

NOW = datetime(2026, 5, 15, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Sent:
    """One event as a client sends it; `at` is None when the client leaves the time to the server."""

    id: str
    customer: str = "acme"
    name: str = "call"
    at: datetime | None = None
    properties: str = "{}"

    def to_json(self) -> str:
        time = "" if self.at is None else f',"time_created":"{self.at.isoformat()}"'
        return (
            f'{{"idempotency_id":"{self.id}","customer_id":"{self.customer}","event_name":"{self.name}"{time},'
            f'"properties":{self.properties}}}'
        )


def submission(organization: str, *events: Sent, now: datetime = NOW, wants_results: bool = True) -> Submission:
    body = '{"batch":[' + ",".join(event.to_json() for event in events) + "]}"
    return Submission(organization, body.encode(), now, wants_results=wants_results)


@dataclass
class Model:
    accepted: dict[str, tuple[Sent, Event]] = field(default_factory=dict)

    def append(self, event: Sent, now: datetime = NOW) -> Verdict:
        known = self.accepted.get(event.id)
        if known is None:
            properties = msgspec.json.Decoder(float_hook=Decimal).decode(event.properties)
            stored = Event(
                len(self.accepted) + 1, event.id, event.customer, event.name, event.at or now, now, properties or {}
            )
            self.accepted[event.id] = (event, stored)
            return Verdict.ACCEPTED
        first = known[0]
        is_same = (
            (first.customer, first.name) == (event.customer, event.name)
            and _meaning(first.properties) == _meaning(event.properties)
            and (first.at is None or event.at is None or first.at == event.at)
        )
        return Verdict.DUPLICATE if is_same else Verdict.CONFLICT

    def usage(self, selection: Selection) -> Usage:
        return usage_of(selection, [event for _, event in self.accepted.values()])


def _meaning(text: str) -> object:
    """A JSON value in a form in which Python's equality is JSON's: numbers by value, booleans apart from numbers."""
    return _tagged(json.loads(text, parse_float=Decimal, parse_int=Decimal) or {})


def _tagged(value: object) -> object:
    if isinstance(value, dict):
        return {key: _tagged(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_tagged(member) for member in value]
    return (type(value).__name__, value)


def days(count: float) -> datetime:
    """The instant so many days after the first of May."""
    return datetime(2026, 5, 1, tzinfo=UTC) + timedelta(days=count)
