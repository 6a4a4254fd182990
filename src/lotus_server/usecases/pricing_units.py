"""Pricing units: made, listed."""

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.catalog import PricingUnit, pricing_unit_problems
from lotus_server.kernel.errors import FieldProblem, Problems
from lotus_server.usecases.services import Services


class PricingUnitDraft(msgspec.Struct, frozen=True):
    """A pricing unit to be made. `problems` are those found when the input was read."""

    code: str
    name: str
    symbol: str
    problems: tuple[FieldProblem, ...] = ()


def create_pricing_unit(services: Services, organization: Organization, draft: PricingUnitDraft) -> PricingUnit:
    """Make a pricing unit. Raises Invalid with every problem, Conflict `pricing_unit_exists` for a taken code."""
    unit = PricingUnit(organization.organization_id, draft.code, draft.name, draft.symbol)
    problems = Problems()
    problems.extend(draft.problems)
    problems.extend(pricing_unit_problems(unit))
    problems.raise_if_any()
    with services.records.transaction() as tx:
        tx.pricing_units.add(unit)
    return unit


def list_pricing_units(services: Services, organization: Organization) -> list[PricingUnit]:
    """Return the organization's own units in the order in which they were made."""
    with services.records.snapshot() as tx:
        return tx.pricing_units.all(organization.organization_id)
