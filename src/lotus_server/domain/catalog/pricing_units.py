"""Pricing units: what prices can be in beside money."""

import msgspec

from lotus_server.kernel.currencies import CURRENCIES
from lotus_server.kernel.errors import FieldProblem, Problems
from lotus_server.kernel.identifiers import identifier_problem, name_problem

CODE_LENGTH_MAX = 30
SYMBOL_LENGTH_MAX = 10


class PricingUnit(msgspec.Struct, frozen=True):
    """A unit of an organization's own, such as credits or tokens. What one costs is said by each version's terms."""

    organization_id: str
    code: str
    name: str
    symbol: str


def pricing_unit_problems(unit: PricingUnit) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with a pricing unit."""
    found = Problems()
    for field, problem in (
        ("code", identifier_problem(unit.code, length_max=CODE_LENGTH_MAX)),
        ("name", name_problem(unit.name)),
        ("symbol", name_problem(unit.symbol, length_max=SYMBOL_LENGTH_MAX)),
    ):
        if problem:
            found.add(field, "invalid", f"{field} {problem}.")
    if unit.code.upper() in CURRENCIES:
        found.add("code", "invalid", f"{unit.code.upper()} is a currency.")
    return found.found
