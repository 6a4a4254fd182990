"""A scenario being played: the API, the present, the names given so far, and the mismatches found so far."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from lotus_server.kernel.instants import to_text
from lotus_server.scenarios.api import Api, Json, Reply
from lotus_server.scenarios.compare import NO_NAMES, Difference, Names, differences, show
from lotus_server.scenarios.described import Description
from lotus_server.scenarios.scenario import Mismatch, Scenario
from lotus_server.scenarios.yaml_text import Path

_SAVED: Final = re.compile(r"\$([A-Za-z]\w*)", re.ASCII)
_STEPS: Final = re.compile(r"\w+", re.ASCII)


class Refused(Exception):
    """A call was refused that nobody expected to be: what comes after it means nothing."""


class Play:
    """One run of one scenario."""

    def __init__(self, scenario: Scenario, api: Api) -> None:
        """Begin at the scenario's start, with nothing made yet."""
        self.scenario = scenario
        self.api = api
        self.now: datetime = scenario.start
        self.where = "setup"
        self.mismatches: list[Mismatch] = []
        # Ids in the order in which they were made: where there is only one, it may be left out.
        self.made: dict[str, list[str]] = {"customer_id": [], "plan_id": [], "subscription_id": [], "metric_id": []}
        self.seen_invoices: set[str] = set()
        self.description = Description(api.call("GET", "/openapi.json").body)
        self._saved: dict[str, Json] = {}
        self._events = 0

    def call(self, method: str, path: str, body: Json = None) -> Reply:
        """Carry out one call."""
        return self.api.call(method, path, body)

    def move_clock(self, at: datetime) -> None:
        """Move the organization's present to an instant, if it lies ahead."""
        if at > self.now:
            reply = self.call("POST", "/api/clock/", {"now": to_text(at)})
            self.now = at
            if not reply.is_success:
                self.mismatch((), "clock", "moves", refusal(reply))
                raise Refused

    def mismatch(self, path: Path, what: str, expected: str, actual: str) -> None:
        """Remember a mismatch at what a path leads to."""
        line = self.scenario.line_of(path)
        self.mismatches.append(Mismatch(line, self.where, what, expected, actual))

    def compare(self, expected: Json, actual: Json, path: Path, names: Names = NO_NAMES) -> None:
        """Remember every difference between what a path leads to and what came."""
        self.note(differences(self.filled(expected), actual, path, names))

    def note(self, found: Iterable[Difference]) -> None:
        """Remember differences as mismatches."""
        for each in found:
            self.mismatch(each.path, path_text(each.path), each.expected, each.actual)

    def read(self, path: str, origin: Path) -> Json:
        """Return what a GET answers; a refusal is a mismatch, and the answer then null."""
        reply = self.call("GET", path)
        if reply.is_success:
            return reply.body
        self.mismatch(origin, path_text(origin), "an answer", refusal(reply))
        return None

    def only(self, key: str) -> str | None:
        """Return the one id of a kind that was made so far; None when there are none or several."""
        found = self.made[key]
        return found[0] if len(found) == 1 else None

    def note_made(self, key: str, value: Json) -> None:
        """Remember that an id was made."""
        if key in self.made and isinstance(value, str) and value not in self.made[key]:
            self.made[key].append(value)

    def next_event_id(self) -> str:
        """Return an id for an event that was given none: the same at each run."""
        self._events += 1
        return f"event-{self._events}"

    def save(self, name: str, value: Json) -> None:
        """Give a value a name, under which `$name` stands for it from then on."""
        self._saved[name] = value

    def filled(self, value: Json) -> Json:
        """Return a value with each text `$name` replaced by what was saved under the name."""
        if isinstance(value, str):
            match = _SAVED.fullmatch(value)
            return self._saved.get(match[1], value) if match else value
        if isinstance(value, dict):
            return {key: self.filled(each) for key, each in value.items()}
        return [self.filled(each) for each in value] if isinstance(value, list) else value

    def filled_text(self, text: str) -> str:
        """Return a text with each `$name` within it replaced."""
        return _SAVED.sub(lambda match: str(self._saved.get(match[1], match[0])), text)


def refusal(reply: Reply) -> str:
    """Return a refusal as people read it: status, code, and every problem."""
    body = reply.body
    if not isinstance(body, dict):
        return f"{reply.status} {show(body)}"
    problems = body.get("validation_errors") or []
    head = f"{reply.status} {body.get('title') or ''}: {body.get('detail') or show(body)}"
    return "\n".join([head, *(f"- {each['field']}: {each['detail']}" for each in problems)])


def path_text(path: Path) -> str:
    """Return a path without the steps that the place of the mismatch tells already."""
    rest = path[2:] if path[:1] == ("steps",) else path
    rest = rest[1:] if rest[:1] == ("expect",) else rest
    return "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in rest).removeprefix(".")


def field_path(field: str) -> Path:
    """Return the path that a field of a problem names: `components[2].price` is components, 2, price."""
    return tuple(int(each) if each.isdecimal() else each for each in _STEPS.findall(field))
