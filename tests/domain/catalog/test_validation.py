"""Everything that is wrong with a price, a component, a charge or a version is found at once, with its path."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from lotus_server.domain.catalog import (
    CELLS_MAX,
    COMPONENTS_MAX,
    DIMENSIONS_MAX,
    TIERS_MAX,
    Component,
    Dynamic,
    Graduated,
    GraduatedPercentage,
    Matrix,
    MatrixCell,
    Package,
    Percentage,
    PercentageTier,
    PerUnit,
    Plan,
    PlanVersion,
    Prepaid,
    Price,
    RecurringCharge,
    Tier,
    Volume,
    charge_problems,
    component_problems,
    free_units,
    needs_event_count,
    needs_event_values,
    needs_only_quantity,
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
        Percentage(D("1.3"), D(2), 3, D(250), D(1), D(1)),
        Percentage(D(0), free_events=0),
        Percentage(D(1), free_events=0, free_amount=D(0)),
        GraduatedPercentage((PercentageTier(D(10), D(1), D(200)), PercentageTier(None, D(2)))),
        Dynamic("cost"),
        Matrix(("model", "region"), (MatrixCell(("a", None), PerUnit(D(1))),)),
        Matrix(("model",), (), Dynamic("cost")),
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
        (Percentage(D(-1)), ("rate_percent", "negative")),
        (Percentage(D(1), D(-1)), ("fixed_fee", "negative")),
        (Percentage(D(1), free_events=-1), ("free_events", "negative")),
        (Percentage(D(1), free_amount=D(-1)), ("free_amount", "negative")),
        (Percentage(D(1), free_events=0, free_amount=D(5)), ("free_events", "ambiguous")),
        (Percentage(D(1), free_events=5, free_amount=D(0)), ("free_amount", "ambiguous")),
        (Percentage(D(1), min_per_event=D(-1)), ("min_per_event", "negative")),
        (Percentage(D(1), min_per_event=D(2), max_per_event=D(1)), ("max_per_event", "below_minimum")),
        (Percentage(D(1), minimum_spend=D(2), maximum_spend=D(1)), ("maximum_spend", "below_minimum")),
        (GraduatedPercentage(()), ("tiers", "required")),
        (GraduatedPercentage((PercentageTier(),) * (TIERS_MAX + 1)), ("tiers", "too_many")),
        (GraduatedPercentage((PercentageTier(None, D(-1)),)), ("tiers[0].rate_percent", "negative")),
        (GraduatedPercentage((PercentageTier(None, D(1), D(-1)),)), ("tiers[0].flat_fee", "negative")),
        (GraduatedPercentage((PercentageTier(D(1)),)), ("tiers[0].up_to", "last_tier_not_open")),
        (Dynamic(" "), ("amount_property", "invalid")),
        (Dynamic("cost", D(-1)), ("multiplier", "negative")),
        (Matrix((), (), PerUnit(D(1))), ("dimensions", "required")),
        (Matrix(("",), (), PerUnit(D(1))), ("dimensions[0]", "invalid")),
        (Matrix(("a", "a"), (), PerUnit(D(1))), ("dimensions[1]", "duplicate")),
        (Matrix(tuple("abcdef"), (), PerUnit(D(1))), ("dimensions", "too_many")),
        (Matrix(("a",)), ("cells", "required")),
        (Matrix(("a",), (), PerUnit(D(-1))), ("default.unit_price", "negative")),
        (Matrix(("a",), (MatrixCell(("x", "y"), PerUnit(D(1))),)), ("cells[0].when", "invalid")),
        (Matrix(("a",), (MatrixCell(("x",), PerUnit(D(1))),) * 2), ("cells[1].when", "duplicate")),
        (Matrix(("a",), (MatrixCell(("x",), PerUnit(D(-1))),)), ("cells[0].price.unit_price", "negative")),
        (Matrix(("a",), (MatrixCell(("x",), PerUnit(D(1))),) * (CELLS_MAX + 1)), ("cells", "too_many")),
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


def test_exactly_as_many_cells_and_dimensions_as_allowed_are_taken() -> None:
    dimensions = tuple(f"d{number}" for number in range(DIMENSIONS_MAX))
    cells = tuple(MatrixCell((str(number),) * DIMENSIONS_MAX, PerUnit(D(1))) for number in range(CELLS_MAX))

    assert () == price_problems(Matrix(dimensions, cells))


@pytest.mark.parametrize(
    ("price", "is_enough"),
    [
        (Percentage(D(1)), True),
        (GraduatedPercentage((PercentageTier(None, D(1)),)), True),
        (Percentage(D(1), D(1)), False),
        (Percentage(D(1), free_amount=D(1)), True),
        (Percentage(D(1), D(1), free_amount=D(1)), False),
        (Percentage(D(1), free_events=1), False),
        (Percentage(D(1), min_per_event=D(1)), False),
        (Dynamic("cost"), False),
        (Matrix(("a",), (), PerUnit(D(1))), False),
    ],
)
def test_it_is_known_of_a_price_whether_its_quantity_is_enough_for_it(price: Price, is_enough: bool) -> None:
    assert is_enough == needs_only_quantity(price)


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (PerUnit(D(1), D(5)), D(5)),
        (PerUnit(D(0), D(5)), None),
        (Package(D(1), D(0)), None),
        (Graduated((Tier(D(10)), Tier(None, D(1)))), D(10)),
        (GraduatedPercentage((PercentageTier(D(10)), PercentageTier(None, D(1)))), D(10)),
        (GraduatedPercentage((PercentageTier(),)), None),
        (Percentage(D(1), free_amount=D(5)), D(5)),
        (Percentage(D(1), D(1), free_amount=D(5)), D(0)),
        (Percentage(D(0)), None),
        (Percentage(D(1), max_per_event=D(0)), None),
        (Dynamic("cost"), D(0)),
        (Dynamic("cost", D(0)), None),
        (Matrix(("a",), (), PerUnit(D(1))), D(0)),
        (Matrix(("a",), (MatrixCell(("x",), PerUnit(D(0))),), Dynamic("cost", D(0))), None),
    ],
)
def test_a_price_knows_how_many_units_are_free(price: Price, expected: Decimal | None) -> None:
    assert expected == free_units(price)


def test_what_a_price_needs_of_the_events_is_known() -> None:
    fee, allowance, plain = Percentage(D(1), D(1)), Percentage(D(1), free_events=1), Percentage(D(1))

    assert [(True, False), (False, True), (False, False)] == [
        (needs_event_count(price), needs_event_values(price)) for price in (fee, allowance, plain)
    ]


def test_a_component_has_a_price_and_perhaps_a_limit_and_prepaid_units() -> None:
    component = Component("c", "m", PerUnit(D(-1)), limit=D(-5), prepaid=Prepaid(D(-1)))

    assert [("price.unit_price", "negative"), ("limit", "negative"), ("prepaid_charge.units", "negative")] == _found(
        component_problems(component)
    )
    assert () == component_problems(Component("c", "m", PerUnit(D(1)), limit=D(0), prepaid=Prepaid()))


def test_a_charge_has_a_name_an_amount_and_a_quantity() -> None:
    charge = RecurringCharge("c", "  ", D(-1), quantity=D("1e20"))

    assert [("name", "invalid"), ("amount", "negative"), ("quantity", "out_of_range")] == _found(
        charge_problems(charge)
    )


def test_a_version_names_the_place_of_each_problem() -> None:
    version = msgspec.structs.replace(
        VERSION,
        currency="XXX",
        trial_days=-14,
        recurring_charges=(RecurringCharge("a", "Fee", D(1)), RecurringCharge("b", "Fee", D(-1))),
        components=(Component("c", "m", PerUnit(D(1))), Component("d", "m", Volume((Tier(D(1)), Tier(D(2)))))),
    )

    assert [
        ("currency", "unknown_currency"),
        ("trial_days", "out_of_range"),
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
