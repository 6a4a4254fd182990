"""May this customer go on: below every limit, and there is one component at least."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.access import ComponentUsage, LimitType, MeteredComponent, decide, is_below
from lotus_server.domain.catalog import Component, Graduated, PerUnit, Price, Tier
from tests.records_values import metric, plan, plan_version, subscription

quantities = st.decimals(0, 100, places=2)
limits = st.none() | quantities


def usage(
    quantity: Decimal | int, limit: Decimal | int | None = None, price: Price | None = None, name: str = "calls"
) -> ComponentUsage:
    component = Component("component", name, price or PerUnit(Decimal(1)), None if limit is None else Decimal(limit))
    held = MeteredComponent(subscription(), plan(), plan_version(), component, metric(name))
    return ComponentUsage(held, Decimal(quantity))


@pytest.mark.parametrize(
    ("quantity", "limit", "expected"), [(0, 0, False), (4, 5, True), (5, 5, False), (6, 5, False), (10**9, None, True)]
)
def test_at_the_limit_nothing_more_is_allowed(quantity: int, limit: int | None, expected: bool) -> None:
    assert is_below(Decimal(quantity), None if limit is None else Decimal(limit)) is expected


def test_without_any_component_there_is_no_access() -> None:
    decision = decide((), LimitType.TOTAL)

    assert decision.access is False
    assert decision.reason


@given(st.lists(st.tuples(quantities, limits), min_size=1, max_size=5))
def test_access_needs_every_component_below_its_limit(pairs: list[tuple[Decimal, Decimal | None]]) -> None:
    usages = tuple(usage(quantity, limit) for quantity, limit in pairs)

    decision = decide(usages, LimitType.TOTAL)

    assert decision.access is all(decision.allowed)
    assert decision.allowed == tuple(limit is None or quantity < limit for quantity, limit in pairs)
    assert (decision.reason is None) is decision.access


@given(quantities, limits, quantities)
def test_more_usage_never_grants_more(quantity: Decimal, limit: Decimal | None, more: Decimal) -> None:
    before = decide((usage(quantity, limit),), LimitType.TOTAL).access
    after = decide((usage(quantity + more, limit),), LimitType.TOTAL).access

    assert before or not after


@given(quantities, quantities, quantities)
def test_free_and_total_are_judged_by_their_own_limits(quantity: Decimal, free: Decimal, limit: Decimal) -> None:
    asked = (usage(quantity, limit, PerUnit(Decimal(1), free)),)

    assert decide(asked, LimitType.FREE).access is (quantity < free)
    assert decide(asked, LimitType.TOTAL).access is (quantity < limit)


def test_what_never_costs_anything_is_always_free() -> None:
    assert decide((usage(10**6, None, PerUnit(Decimal(0))),), LimitType.FREE).access is True


def test_the_free_units_of_tiers_are_those_before_the_first_that_costs() -> None:
    price = Graduated((Tier(Decimal(10)), Tier(None, Decimal(1))))

    assert decide((usage(9, None, price),), LimitType.FREE).access is True
    assert decide((usage(10, None, price),), LimitType.FREE).access is False


def test_the_reason_names_what_is_used_up_once() -> None:
    decision = decide((usage(5, 5), usage(1, 1), usage(1, 2, name="users")), LimitType.TOTAL)

    assert decision.reason == "The total limit is reached for name of calls."
