"""A scenario from its first step to its last."""

from collections.abc import Callable
from contextlib import suppress

import msgspec

from lotus_server.kernel.instants import to_text
from lotus_server.scenarios.actions import entries, perform
from lotus_server.scenarios.api import Stage
from lotus_server.scenarios.compare import abridged, show
from lotus_server.scenarios.expectations import INVOICE_NAMES, expect, new_invoices
from lotus_server.scenarios.play import Play, Refused
from lotus_server.scenarios.scenario import Action, Mismatch, Scenario, Step


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
            _set_up(play)
            for index, step in enumerate(scenario.steps):
                progress(index, len(scenario.steps))
                _take(play, step)
            _refuse_unseen_invoices(play)
        progress(len(scenario.steps), len(scenario.steps))
    return Outcome(tuple(play.mismatches))


def check_setup(stage: Stage, scenario: Scenario) -> Outcome:
    """Make everything of a scenario's setup, without taking a step, and return what is refused."""
    with stage.open(scenario.name, scenario.start) as api:
        play = Play(scenario, api)
        for action in scenario.setup:
            for entry, path in entries(action.arguments, action.path):
                with suppress(Refused):
                    perform(play, Action(action.name, entry, path))
    return Outcome(tuple(play.mismatches))


def _set_up(play: Play) -> None:
    for action in play.scenario.setup:
        perform(play, action)


def _take(play: Play, step: Step) -> None:
    play.where = f"{to_text(step.at).removesuffix('T00:00:00Z')} {step.note}".rstrip()
    play.move_clock(step.at)
    for action in step.actions:
        if action.name == "expect":
            expect(play, action)
        else:
            perform(play, action)


def _refuse_unseen_invoices(play: Play) -> None:
    play.where = "at the end"
    for row in new_invoices(play):
        play.mismatch(("steps",), "an invoice that no step expects", "none", show(abridged(row, INVOICE_NAMES)))
