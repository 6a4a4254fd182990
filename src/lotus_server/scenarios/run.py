"""A scenario from its first step to its last."""

from collections.abc import Callable
from contextlib import suppress

import msgspec

from lotus_server.kernel.instants import to_text
from lotus_server.scenarios.actions import entries, note_unknown_keys, perform
from lotus_server.scenarios.api import Stage
from lotus_server.scenarios.compare import abridged, show
from lotus_server.scenarios.expectations import INVOICE_NAMES, expect, new_invoices
from lotus_server.scenarios.play import Play, Refused
from lotus_server.scenarios.scenario import Action, Mismatch, Scenario, Step
from lotus_server.scenarios.yaml_text import Path


class Outcome(msgspec.Struct, frozen=True):
    """What a run showed: every mismatch, in the order of time."""

    mismatches: tuple[Mismatch, ...]

    @property
    def is_as_expected(self) -> bool:
        """Tell whether everything was as the scenario expects it."""
        return not self.mismatches


def run_scenario(stage: Stage, scenario: Scenario, progress: Callable[[int, int], None] = lambda *_: None) -> Outcome:
    """Play a scenario in a new organization. `progress` is told the steps done and all steps.

    It goes on after a mismatch, and stops at a call that is refused unexpectedly. At the end every invoice must have
    been looked at by an expectation.
    """
    with stage.open(scenario.name, scenario.start) as api:
        play = Play(scenario, api)
        with suppress(Refused):
            _note_unknown_keys(play)
            _set_up(play)
            for index, step in enumerate(scenario.steps):
                progress(index, len(scenario.steps))
                _take(play, step)
            _refuse_unseen_invoices(play)
        progress(len(scenario.steps), len(scenario.steps))
    return Outcome(tuple(play.mismatches))


def check_scenario(stage: Stage, scenario: Scenario) -> Outcome:
    """Return what is wrong with a scenario before its first step.

    Keys that the API does not know, in the setup and in steps, and what it refuses of the setup, which is made for it.
    """
    with stage.open(scenario.name, scenario.start) as api:
        play = Play(scenario, api)
        _note_unknown_keys(play)
        for action in scenario.setup:
            for entry, path in entries(action.arguments, action.path):
                with suppress(Refused):
                    perform(play, Action(action.name, entry, path))
    return Outcome(tuple(play.mismatches))


def _note_unknown_keys(play: Play) -> None:
    for action in play.scenario.setup:
        note_unknown_keys(play, action)
    is_first: dict[Path, Step] = {}
    for step in play.scenario.steps:
        if is_first.setdefault(step.path, step) is step:  # a repeated step is written once
            play.where = where(step)
            for action in step.actions:
                note_unknown_keys(play, action)
    play.where = "setup"


def _set_up(play: Play) -> None:
    for action in play.scenario.setup:
        perform(play, action)


def _take(play: Play, step: Step) -> None:
    play.where = where(step)
    play.move_clock(step.at)
    for action in step.actions:
        if action.name == "expect":
            expect(play, action)
        else:
            perform(play, action)


def where(step: Step) -> str:
    """Return how a step is named in a mismatch: its time, and its note."""
    return f"{to_text(step.at).removesuffix('T00:00:00Z')} {step.note}".rstrip()


def _refuse_unseen_invoices(play: Play) -> None:
    play.where = "at the end"
    for row in new_invoices(play):
        play.mismatch(("steps",), "an invoice that no step expects", "none", show(abridged(row, INVOICE_NAMES)))
