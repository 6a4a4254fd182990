"""What can be wrong with plans, add-ons and the terms of versions."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from lotus_server.domain.catalog import (
    LINKS_MAX,
    TAGS_MAX,
    TARGET_CUSTOMERS_MAX,
    AddOnKind,
    AddOnTerms,
    AdjustmentKind,
    Commitment,
    Component,
    Conversion,
    ExternalLink,
    PerUnit,
    Plan,
    PlanVersion,
    PriceAdjustment,
    PricingUnit,
    RecurringCharge,
    Tag,
    addon_problems,
    plan_problems,
    pricing_unit_problems,
    version_problems,
)
from lotus_server.kernel.errors import FieldProblem
from lotus_server.kernel.period import Duration

D = Decimal
NOW = datetime(2026, 3, 1, tzinfo=UTC)
VERSION = PlanVersion("org", "v1", "pro", 1, "USD", NOW)
PLAN = Plan("org", "pro", "Pro", "", Duration.MONTHLY, NOW)
CALLS = Component("c", "calls", PerUnit(D(1)))


def _found(problems: tuple[FieldProblem, ...]) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in problems]


def _adjusted(kind: AdjustmentKind, amount: str, name: str = "") -> PriceAdjustment:
    return PriceAdjustment(kind, D(amount), name)


@pytest.mark.parametrize(
    "changes",
    [
        {"price_adjustment": _adjusted(AdjustmentKind.PERCENTAGE, "-100")},
        {"price_adjustment": _adjusted(AdjustmentKind.FIXED, "-5000", "Partner discount")},
        {"price_adjustment": _adjusted(AdjustmentKind.OVERRIDE, "0")},
        {"commitment": Commitment(D(1000), D("1.5"))},
        {"active_from": NOW},
        {"target_customer_ids": tuple(f"c{number}" for number in range(TARGET_CUSTOMERS_MAX))},
        {"feature_ids": ("sso", "seats", "level"), "feature_values": {"seats": D(5), "level": "gold"}},
        {"components": (msgspec.structs.replace(CALLS, conversion=Conversion("credits", D("0.01"))),)},
    ],
)
def test_good_terms_have_no_problems(changes: dict[str, Any]) -> None:
    assert () == version_problems(msgspec.structs.replace(VERSION, **changes))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"price_adjustment": _adjusted(AdjustmentKind.PERCENTAGE, "-100.01")},
            ("price_adjustment.amount", "out_of_range"),
        ),
        ({"price_adjustment": _adjusted(AdjustmentKind.OVERRIDE, "-1")}, ("price_adjustment.amount", "negative")),
        ({"price_adjustment": _adjusted(AdjustmentKind.FIXED, "-1e15")}, ("price_adjustment.amount", "out_of_range")),
        ({"price_adjustment": _adjusted(AdjustmentKind.FIXED, "1", "\n")}, ("price_adjustment.name", "invalid")),
        ({"commitment": Commitment(D(-1))}, ("commitment.amount", "negative")),
        ({"commitment": Commitment(D(1), D("0.9"))}, ("commitment.overage_factor", "out_of_range")),
        ({"active_from": NOW, "active_to": NOW}, ("active_to", "end_before_start")),
        ({"localized_name": ""}, ("localized_name", "invalid")),
        (
            {"target_customer_ids": tuple(f"c{number}" for number in range(TARGET_CUSTOMERS_MAX + 1))},
            ("target_customer_ids", "too_many"),
        ),
        ({"feature_ids": ("sso",), "feature_values": {"sso": D("1e31")}}, ("features[0].value", "out_of_range")),
        ({"feature_ids": ("sso",), "feature_values": {"sso": " "}}, ("features[0].value", "invalid")),
        (
            {"components": (msgspec.structs.replace(CALLS, conversion=Conversion("credits", D(0))),)},
            ("components[0].conversion_rate", "not_positive"),
        ),
        (
            {"components": (msgspec.structs.replace(CALLS, conversion=Conversion("credits", D("1e-16"))),)},
            ("components[0].conversion_rate", "too_precise"),
        ),
        (
            {"components": (msgspec.structs.replace(CALLS, conversion=Conversion("credits", D("1e9"))),)},
            ("components[0].conversion_rate", "out_of_range"),
        ),
        (
            {"recurring_charges": (RecurringCharge("r", "Fee", D(1), conversion=Conversion("credits", D(-1))),)},
            ("recurring_charges[0].conversion_rate", "not_positive"),
        ),
    ],
)
def test_bad_terms_are_named(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert [expected] == _found(version_problems(msgspec.structs.replace(VERSION, **changes)))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"tags": (Tag(""),)}, ("tags[0].tag_name", "invalid")),
        ({"tags": (Tag("new", "\n"),)}, ("tags[0].tag_hex", "invalid")),
        ({"tags": tuple(Tag(str(number)) for number in range(TAGS_MAX + 1))}, ("tags", "too_many")),
        ({"external_links": (ExternalLink("stripe", ""),)}, ("external_links[0].external_plan_id", "invalid")),
        ({"external_links": (ExternalLink("a", "b"),) * (LINKS_MAX + 1)}, ("external_links", "too_many")),
        ({"addon": AddOnTerms(), "plan_id": " "}, ("addon_id", "invalid")),
        ({"addon": AddOnTerms(), "description": "\0"}, ("addon_description", "invalid")),
    ],
)
def test_what_is_wrong_with_a_plan_or_add_on_is_named(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert [expected] == _found(plan_problems(msgspec.structs.replace(PLAN, **changes)))


def test_as_many_tags_and_links_as_allowed_are_taken() -> None:
    tags = tuple(Tag(str(number), "#fff", "white") for number in range(TAGS_MAX))
    links = (ExternalLink("stripe", "price_1"),) * LINKS_MAX

    assert () == plan_problems(msgspec.structs.replace(PLAN, tags=tags, external_links=links))


def test_an_add_on_sells_what_its_type_says() -> None:
    with_usage = msgspec.structs.replace(VERSION, components=(CALLS,))

    assert () == addon_problems(AddOnTerms(), VERSION)
    assert () == addon_problems(AddOnTerms(AddOnKind.USAGE_BASED), with_usage)
    assert [("components", "not_for_type")] == _found(addon_problems(AddOnTerms(), with_usage))
    assert [("components", "required")] == _found(addon_problems(AddOnTerms(AddOnKind.USAGE_BASED), VERSION))


def test_a_pricing_unit_is_no_currency_and_has_a_code_a_name_and_a_symbol() -> None:
    assert () == pricing_unit_problems(PricingUnit("org", "credits", "Credits", "¤"))
    assert [("code", "invalid"), ("name", "invalid"), ("symbol", "invalid")] == _found(
        pricing_unit_problems(PricingUnit("org", "", "", "more than ten"))
    )
    assert [("code", "invalid")] == _found(pricing_unit_problems(PricingUnit("org", "usd", "Dollars", "$")))
