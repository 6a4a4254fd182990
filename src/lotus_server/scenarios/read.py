"""From the text of a file to a scenario, with everything that is wrong with its shape at once."""

from datetime import UTC, datetime
from typing import Any, Final

from lotus_server.scenarios.actions import ACTIONS, action_problems
from lotus_server.scenarios.expectations import expectation_problems
from lotus_server.scenarios.scenario import SETUP, Action, FileProblem, Scenario, Step
from lotus_server.scenarios.times import REPEAT_MAX, instant_of, instants, is_distance, repetition
from lotus_server.scenarios.yaml_text import Path, read_yaml

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
STEPS_MAX: Final = 20_000
_TOP: Final = ("name", "description", "start", "currency", *SETUP, "steps")
_STEP: Final = ("at", "note", "repeat", "every", "expect", *ACTIONS)


def read_scenario(text: str) -> tuple[Scenario | None, tuple[FileProblem, ...]]:
    """Return the scenario of a text, or None with every problem of its shape, in the order of lines."""
    reader = _Reader(text)
    scenario = reader.scenario()
    problems = tuple(sorted(reader.problems, key=lambda each: each.line))
    return (None if problems else scenario), problems


class _Reader:
    """Reads one text and collects what is wrong with it."""

    def __init__(self, text: str) -> None:
        self.document = read_yaml(text)
        self.problems = [FileProblem(each.line, each.detail) for each in self.document.problems]

    def add(self, path: Path, detail: str) -> None:
        """Remember a problem of the value that a path leads to."""
        self.problems.append(FileProblem(self.document.line_of(path), detail))

    def scenario(self) -> Scenario | None:
        """Return the scenario as far as it can be read."""
        value = self.document.value
        if not isinstance(value, dict):
            if not self.problems:
                self.add((), "A scenario is a mapping with name and steps.")
            return None
        self._known(value, _TOP, (), "a scenario")
        if not isinstance(value.get("name"), str) or not value["name"].strip():
            self.add(("name",), "A scenario has a name.")
        start = START
        if "start" in value:
            start = self._instant(value["start"], ("start",)) or START
        currency = value.get("currency")
        if currency is not None and not isinstance(currency, str):
            self.add(("currency",), "currency is an ISO 4217 code such as USD.")
        setup = tuple(self._action(name, value[name], (name,)) for name in SETUP if name in value)
        return Scenario(
            name=str(value.get("name")),
            description=str(value.get("description") or ""),
            start=start,
            currency=currency,
            setup=setup,
            steps=tuple(self._steps(value.get("steps"), start)),
            document=self.document,
        )

    def _steps(self, value: object, start: datetime) -> list[Step]:
        if not isinstance(value, list) or not value:
            self.add(("steps",), "A scenario has a list of steps.")
            return []
        made: list[Step] = []
        now = start
        for index, entry in enumerate(value):
            path: Path = ("steps", index)
            if not isinstance(entry, dict):
                self.add(path, "A step is a mapping with at and what happens then.")
                continue
            self._known(entry, _STEP, path, "a step")
            at = now if "at" not in entry else self._instant(entry["at"], (*path, "at")) or now
            if at < now:
                self.add((*path, "at"), "A step does not lie before the one above it, nor before the start.")
            actions = tuple(
                self._action(name, entry[name], (*path, name)) for name in entry if name in ACTIONS or name == "expect"
            )
            whens = self._repeated(entry, at, path)
            made += [Step(when, actions, path, str(entry.get("note") or "")) for when in whens]
            now = max([now, *whens])
        if len(made) > STEPS_MAX:
            self.add(("steps",), f"A scenario has at most {STEPS_MAX} steps, repeated ones counted.")
        return made[:STEPS_MAX]

    def _repeated(self, entry: dict[str, Any], at: datetime, path: Path) -> list[datetime]:
        count, every = repetition(entry)
        if count is None:
            self.add((*path, "repeat"), f"repeat is a whole number from 1 to {REPEAT_MAX}.")
        elif count > 1 and every is None:
            self.add((*path, "repeat"), "A repeated step says how far apart: every: 1 month.")
        elif every is not None and not is_distance(every):
            self.add((*path, "every"), "every is a distance such as 15 minutes, 1 day or 1 month.")
        elif every is not None:
            return list(instants(at, every, count))
        return [at]

    def _action(self, name: str, value: object, path: Path) -> Action:
        found = expectation_problems(value, path) if name == "expect" else action_problems(name, value, path)
        for where, detail in found:
            self.add(where, detail)
        return Action(name, value, path)

    def _instant(self, value: object, path: Path) -> datetime | None:
        found = instant_of(value)
        if found is None:
            self.add(path, "A time is a date (2026-01-31) or RFC 3339 (2026-01-31T12:00:00Z).")
        return found

    def _known(self, value: dict[str, Any], known: tuple[str, ...], path: Path, what: str) -> None:
        for key in value:
            if key not in known:
                self.add((*path, key), f"{key!r} is nothing that {what} has; there are {', '.join(known)}.")
