"""Scenarios: timelines of plans, usage and expected invoices in a file, played against the API."""

from lotus_server.scenarios.api import Api, Json, Reply, Stage
from lotus_server.scenarios.read import read_scenario
from lotus_server.scenarios.run import Outcome, check_scenario, run_scenario
from lotus_server.scenarios.scenario import FileProblem, Mismatch, Scenario

__all__ = [
    "Api",
    "FileProblem",
    "Json",
    "Mismatch",
    "Outcome",
    "Reply",
    "Scenario",
    "Stage",
    "check_scenario",
    "read_scenario",
    "run_scenario",
]
