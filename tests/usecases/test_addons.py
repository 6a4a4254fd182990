"""Add-ons and pricing units are made and listed; an add-on is not a plan that can be subscribed to."""

from decimal import Decimal

import pytest

from lotus_server.domain.catalog import (
    AddOnFrequency,
    AddOnInvoicing,
    AddOnKind,
    AddOnTerms,
    Conversion,
    PerUnit,
    PricingUnit,
)
from lotus_server.domain.metering import Aggregation, MetricDefinition
from lotus_server.kernel.errors import Conflict, FieldProblem, Invalid, NotFound
from lotus_server.kernel.period import Duration
from lotus_server.usecases.addons import AddOnDraft, archive_addon, create_addon, get_addon, list_addons
from lotus_server.usecases.metrics import MetricDraft, create_metric
from lotus_server.usecases.plans import (
    ComponentDraft,
    PlanDraft,
    VersionDraft,
    create_plan,
    get_plan,
    list_plans,
)
from lotus_server.usecases.pricing_units import PricingUnitDraft, create_pricing_unit, list_pricing_units
from tests.business import Business, charge

D = Decimal
SUPPORT = AddOnDraft("Support", VersionDraft(recurring_charges=(charge("50"),)), "support")


def _priced_in(unit: str) -> VersionDraft:
    return VersionDraft(components=(ComponentDraft("calls", PerUnit(D(1)), conversion=Conversion(unit, D("0.02"))),))


def _metric(business: Business) -> None:
    definition = MetricDefinition("call", Aggregation.COUNT)
    create_metric(business.services, business.organization, MetricDraft("Calls", definition, "calls"))


def test_an_add_on_that_was_made_is_found(business: Business) -> None:
    view = create_addon(business.services, business.organization, SUPPORT)

    assert AddOnTerms() == view.plan.addon
    assert D(50) == view.current_version.flat_rate
    assert view == get_addon(business.services, business.organization, "support")
    assert [view] == list_addons(business.services, business.organization)


def test_an_add_on_without_an_id_or_a_type_gets_both(business: Business) -> None:
    _metric(business)
    version = VersionDraft(components=(ComponentDraft("calls", PerUnit(D(1))),))
    draft = AddOnDraft(
        "Calls", version, frequency=AddOnFrequency.RECURRING, invoicing=AddOnInvoicing.ON_SUBSCRIPTION_END
    )

    plan = create_addon(business.services, business.organization, draft).plan

    assert plan.plan_id.startswith("addon_")
    expected = AddOnTerms(AddOnKind.USAGE_BASED, AddOnFrequency.RECURRING, AddOnInvoicing.ON_SUBSCRIPTION_END)
    assert expected == plan.addon


def test_an_add_on_is_no_plan(business: Business) -> None:
    view = create_addon(business.services, business.organization, SUPPORT)

    assert [] == list_plans(business.services, business.organization)
    with pytest.raises(NotFound) as raised:
        get_plan(business.services, business.organization, "support")
    assert "plan_not_found" == raised.value.code
    for wish in ({"plan_id": "support"}, {"plan_id": None, "version_id": view.current_version.version_id}):
        with pytest.raises(NotFound):
            business.subscribe(**wish)


def test_a_plan_is_no_add_on(business: Business) -> None:
    business.plan()

    assert [] == list_addons(business.services, business.organization)
    with pytest.raises(NotFound) as raised:
        get_addon(business.services, business.organization, "pro")
    assert "addon_not_found" == raised.value.code


def test_plans_and_add_ons_share_their_ids(business: Business) -> None:
    create_addon(business.services, business.organization, SUPPORT)

    with pytest.raises(Conflict) as raised:
        business.plan("support")

    assert "plan_exists" == raised.value.code


def test_an_archived_add_on_is_not_listed(business: Business) -> None:
    create_addon(business.services, business.organization, SUPPORT)

    view = archive_addon(business.services, business.organization, "support")

    assert view.plan.archived
    assert view == archive_addon(business.services, business.organization, "support")
    assert [] == list_addons(business.services, business.organization)
    assert [view] == list_addons(business.services, business.organization, include_archived=True)


def test_everything_wrong_with_an_add_on_is_reported_at_once(business: Business) -> None:
    known = (FieldProblem("billing_frequency", "invalid_choice", "no"),)
    draft = AddOnDraft("", VersionDraft(problems=known), kind=AddOnKind.USAGE_BASED)

    with pytest.raises(Invalid) as raised:
        create_addon(business.services, business.organization, draft)

    assert ["billing_frequency", "addon_name", "components"] == [problem.field for problem in raised.value.problems]


def test_pricing_units_are_made_and_listed(business: Business) -> None:
    draft = PricingUnitDraft("credits", "Credits", "¤")
    unit = create_pricing_unit(business.services, business.organization, draft)

    assert PricingUnit(business.organization_id, "credits", "Credits", "¤") == unit
    assert [unit] == list_pricing_units(business.services, business.organization)
    with pytest.raises(Conflict) as raised:
        create_pricing_unit(business.services, business.organization, draft)
    assert "pricing_unit_exists" == raised.value.code


def test_a_component_is_priced_in_a_unit_that_exists(business: Business) -> None:
    _metric(business)
    draft = PlanDraft("Pro", Duration.MONTHLY, _priced_in("credits"), "pro")

    with pytest.raises(Invalid) as raised:
        create_plan(business.services, business.organization, draft)
    assert [("components[0].pricing_unit", "unknown_pricing_unit")] == [
        (problem.field, problem.code) for problem in raised.value.problems
    ]
    create_pricing_unit(business.services, business.organization, PricingUnitDraft("credits", "Credits", "¤"))
    _, version = create_plan(business.services, business.organization, draft)

    assert Conversion("credits", D("0.02")) == version.components[0].conversion
