"""Everything that is wrong with a price, a component, a charge or a version is found at once, with its path."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from lotus_server.domain.catalog import (
    COMPONENTS_MAX,
    TIERS_MAX,
    Component,
    Graduated,
    Package,
    PerUnit,
    Plan,
    PlanVersion,
    Price,
    RecurringCharge,
    Tier,
    Volume,
    charge_problems,
    component_problems,
    plan_problems,
    price_problems,
    version_problems,
)
from lotus_server.kernel.errors import FieldProblem
from lotus_server.kernel.period import Duration

D = Decimal
NOW = datetime(2026, 3, 1, tzinfo=UTC)
VERSION = PlanVersion("org", "v", "p", 1, "USD", NOW)
PLAN = Plan("org", "p", "Pro", "", Duration.MONTHLY, NOW)


def _found(problems: tuple[FieldProblem, ...]) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in problems]


@pytest.mark.parametrize(
    "price",
    [
        PerUnit(D(0)),
        PerUnit(D("0.000001"), D(10), D(1000), minimum_spend=D(5), maximum_spend=D(5)),
        Graduated((Tier(),)),
        Graduated((Tier(D(10), D(1)), Tier(D("10.5")), Tier(None, D(2), D(3)))),
        Volume((Tier(D(10), flat_fee=D(1)), Tier(None, D(2)))),
        Package(D(10), D(100), D(5)),
    ],
)
def test_a_good_price_has_no_problems(price: Price) -> None:
    assert () == price_problems(price)


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (PerUnit(D(-1)), ("unit_price", "negative")),
        (PerUnit(D(10) ** 15), ("unit_price", "out_of_range")),
        (PerUnit(D("1e-31")), ("unit_price", "out_of_range")),
        (PerUnit(D("NaN")), ("unit_price", "out_of_range")),
        (PerUnit(D(1), D(-1)), ("free_units", "negative")),
        (PerUnit(D(1), batch_size=D(0)), ("batch_size", "not_positive")),
        (PerUnit(D(1), batch_size=D(-2)), ("batch_size", "not_positive")),
        (PerUnit(D(1), batch_size=D("0.0000001")), ("batch_size", "out_of_range")),
        (PerUnit(D(1), minimum_spend=D(-1)), ("minimum_spend", "negative")),
        (PerUnit(D(1), minimum_spend=D(2), maximum_spend=D(1)), ("maximum_spend", "below_minimum")),
        (PerUnit(D(1), minimum_spend=D("NaN"), maximum_spend=D(1)), ("minimum_spend", "out_of_range")),
        (Package(D(0), D(1)), ("package_size", "not_positive")),
        (Package(D(1), D(-1)), ("package_price", "negative")),
        (Graduated(()), ("tiers", "required")),
        (Graduated((Tier(),) * (TIERS_MAX + 1)), ("tiers", "too_many")),
        (Graduated((Tier(D(10)),)), ("tiers[0].up_to", "last_tier_not_open")),
        (Graduated((Tier(), Tier())), ("tiers[0].up_to", "required")),
        (Graduated((Tier(D(0)), Tier())), ("tiers[0].up_to", "not_ascending")),
        (Volume((Tier(D(10)), Tier(D(10)), Tier())), ("tiers[1].up_to", "not_ascending")),
        (Volume((Tier(D(-1)), Tier())), ("tiers[0].up_to", "negative")),
        (Volume((Tier(D(10), D(-1)), Tier())), ("tiers[0].unit_price", "negative")),
        (Volume((Tier(D(10)), Tier(None, D(1), D(-1)))), ("tiers[1].flat_fee", "negative")),
        (Volume((Tier(None, D(1), batch_size=D(0)),)), ("tiers[0].batch_size", "not_positive")),
    ],
)
def test_a_bad_price_is_named_with_its_place(price: Price, expected: tuple[str, str]) -> None:
    assert [expected] == _found(price_problems(price))


def test_all_problems_are_found_at_once() -> None:
    price = Graduated((Tier(D(10), D(-1), D(-1)), Tier(D(5)), Tier(D(20))), minimum_spend=D(-1))

    assert [
        ("tiers[0].unit_price", "negative"),
        ("tiers[0].flat_fee", "negative"),
        ("tiers[1].up_to", "not_ascending"),
        ("tiers[2].up_to", "last_tier_not_open"),
        ("minimum_spend", "negative"),
    ] == _found(price_problems(price))


def test_exactly_as_many_tiers_as_allowed_are_taken() -> None:
    tiers = (*(Tier(D(number)) for number in range(1, TIERS_MAX)), Tier())

    assert () == price_problems(Graduated(tiers))


def test_a_component_has_a_price_and_perhaps_a_limit() -> None:
    component = Component("c", "m", PerUnit(D(-1)), limit=D(-5))

    assert [("price.unit_price", "negative"), ("limit", "negative")] == _found(component_problems(component))
    assert () == component_problems(Component("c", "m", PerUnit(D(1)), limit=D(0)))


def test_a_charge_has_a_name_an_amount_and_a_quantity() -> None:
    charge = RecurringCharge("c", "  ", D(-1), quantity=D("1e20"))

    assert [("name", "invalid"), ("amount", "negative"), ("quantity", "out_of_range")] == _found(
        charge_problems(charge)
    )


def test_a_version_names_the_place_of_each_problem() -> None:
    version = msgspec.structs.replace(
        VERSION,
        currency="XXX",
        trial_days=14,
        recurring_charges=(RecurringCharge("a", "Fee", D(1)), RecurringCharge("b", "Fee", D(-1))),
        components=(Component("c", "m", PerUnit(D(1))), Component("d", "m", Volume((Tier(D(1)), Tier(D(2)))))),
    )

    assert [
        ("currency", "unknown_currency"),
        ("trial_days", "unsupported"),
        ("recurring_charges[1].amount", "negative"),
        ("components[1].price.tiers[1].up_to", "last_tier_not_open"),
    ] == _found(version_problems(version))


def test_a_version_has_a_limited_number_of_components() -> None:
    component = Component("c", "m", PerUnit(D(1)))

    assert () == version_problems(msgspec.structs.replace(VERSION, components=(component,) * COMPONENTS_MAX))
    assert [("components", "too_many")] == _found(
        version_problems(msgspec.structs.replace(VERSION, components=(component,) * (COMPONENTS_MAX + 1)))
    )


def test_a_plan_has_an_id_and_a_name() -> None:
    assert () == plan_problems(msgspec.structs.replace(PLAN, description="Two\nlines."))
    assert [("plan_id", "invalid"), ("plan_name", "invalid"), ("description", "invalid")] == _found(
        plan_problems(msgspec.structs.replace(PLAN, plan_id="", plan_name="a\x00", description="b\x00"))
    )


def test_a_version_knows_what_a_whole_period_costs_in_charges() -> None:
    charges = (RecurringCharge("a", "Fee", D("9.99")), RecurringCharge("b", "Seats", D("0.1"), quantity=D(3)))
    version = msgspec.structs.replace(VERSION, recurring_charges=charges)

    assert D("10.29") == version.flat_rate
    assert version.is_paid_in_advance
    assert not VERSION.is_paid_in_advance
