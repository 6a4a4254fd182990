"""Plans and versions in JSON, in the forms of every generation of clients."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from lotus_server.domain.catalog import (
    Component,
    Feature,
    PerUnit,
    Plan,
    PlanVersion,
    Prepaid,
    Proration,
    RecurringCharge,
    Timing,
)
from lotus_server.domain.metering import Aggregation, Metric, MetricDefinition
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.period import Duration
from lotus_server.usecases.plan_versions import Replace
from lotus_server.usecases.plans import ChargeDraft, ComponentDraft, GrantedFeature, PlanDraft, PlanView, VersionDraft
from lotus_server.wire.components import component_row
from lotus_server.wire.forms import read
from lotus_server.wire.plans import PlanForm, plan_row
from lotus_server.wire.versions import VersionForm

D = Decimal
PRO = {"plan_name": "Pro", "plan_duration": "monthly"}
PRICE = {"model": "per_unit", "unit_price": 1}


def _draft(payload: dict[str, Any]) -> PlanDraft:
    problems = Problems()
    return read(PlanForm, payload, problems).to_draft(problems)


def _problems(changes: dict[str, Any]) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in _draft(PRO | changes).version.problems]


def test_a_plan_is_read() -> None:
    payload = PRO | {
        "plan_id": "pro",
        "description": "For teams",
        "currency": "eur",
        "recurring_charges": [
            {"name": "Base", "amount": "30.00", "timing": "in_arrears", "proration": "full", "quantity": 2}
        ],
        "components": [{"metric_id": "m", "price": PRICE, "limit": 100}],
        "features": ["sso", {"feature_id": "audit"}, {"feature_name": "Support"}],
    }

    assert PlanDraft(
        "Pro",
        Duration.MONTHLY,
        VersionDraft(
            currency="EUR",
            recurring_charges=(ChargeDraft("Base", D(30), Timing.IN_ARREARS, Proration.FULL, D(2)),),
            components=(ComponentDraft("m", PerUnit(D(1)), D(100)),),
            features=(GrantedFeature("sso"), GrantedFeature("audit"), GrantedFeature("Support")),
        ),
        "pro",
        "For teams",
    ) == _draft(payload)


@pytest.mark.parametrize(
    ("pay_in_advance", "timing"), [(True, Timing.IN_ADVANCE), (False, Timing.IN_ARREARS), (None, Timing.IN_ARREARS)]
)
def test_the_first_releases_plan_becomes_ours(pay_in_advance: bool | None, timing: Timing) -> None:
    payload = {
        "name": "Pro",
        "interval": "month",
        "flat_rate": "30",
        "pay_in_advance": pay_in_advance,
        "billing_plan_id": "pro",
    }

    expected = VersionDraft(recurring_charges=(ChargeDraft("Flat Fee", D(30), timing),))
    assert PlanDraft("Pro", Duration.MONTHLY, expected, "pro") == _draft(payload)


def test_units_that_are_bought_before_they_are_used_are_read() -> None:
    component = {"metric_id": "m", "price": PRICE}
    draft = _draft(
        PRO
        | {
            "components": [
                component | {"prepaid_charge": {"units": "100", "charge_behavior": "full"}},
                component | {"prepaid_charge": {}},
                component | {"prepaid_charge": None},
            ]
        }
    )

    expected = [Prepaid(D(100), Proration.FULL), Prepaid(), None]
    assert expected == [each.prepaid for each in draft.version.components]
    assert () == draft.version.problems


def test_a_flat_rate_of_nothing_is_no_charge() -> None:
    assert () == _draft(PRO | {"flat_rate": 0, "pay_in_advance": True}).version.recurring_charges


def test_the_last_releases_plan_becomes_ours() -> None:
    payload = {
        "plan_name": "Pro",
        "plan_duration": "yearly",
        "plan_description": "For teams",
        "initial_version": {
            "currency_code": "USD",
            "version": 1,
            "make_active": True,
            "recurring_charges": [
                {"name": "Base", "amount": 30, "charge_timing": "in_advance", "charge_behavior": "full"}
            ],
            "components": [{"metric_id": "m", "tiers": [{"type": "free", "range_start": 0}]}],
            "features": ["sso"],
        },
    }
    draft = _draft(payload)

    assert () == draft.version.problems
    assert ("USD", 1) == (draft.version.currency, len(draft.version.components))
    assert (GrantedFeature("sso"),) == draft.version.features
    assert (ChargeDraft("Base", D(30), Timing.IN_ADVANCE, Proration.FULL),) == draft.version.recurring_charges


def test_a_wrong_value_within_an_initial_version_is_named() -> None:
    draft = _draft(PRO | {"initial_version": {"recurring_charges": [{"name": "Base", "amount": "much"}]}})

    assert ["recurring_charges[0].amount"] == [problem.field for problem in draft.version.problems]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"plan_name": None}, ("plan_name", "required")),
        ({"plan_name": ["x"]}, ("plan_name", "invalid")),
        ({"plan_duration": None}, ("plan_duration", "required")),
        ({"plan_duration": "hourly"}, ("plan_duration", "invalid_choice")),
        ({"currency": 5}, ("currency", "unknown_currency")),
        ({"price_adjustment": {"price_adjustment_type": "fixed"}}, ("price_adjustment.amount", "required")),
        ({"price_adjustment": {"type": "half", "amount": 1}}, ("price_adjustment.type", "invalid_choice")),
        ({"commitment": {"overage_factor": 2}}, ("commitment.amount", "required")),
        ({"active_to": "soon"}, ("active_to", "invalid_time")),
        ({"features": [{"feature_id": "sso", "value": [1]}]}, ("features[0].value", "invalid")),
        ({"tags": [5]}, ("tags[0]", "invalid")),
        ({"tags": [{"tag_name": 5}]}, ("tags[0]", "invalid")),
        ({"external_links": [{"source": "stripe"}]}, ("external_links[0].external_plan_id", "required")),
        (
            {"components": [{"metric_id": "m", "price": PRICE, "pricing_unit": "credits"}]},
            ("components[0].conversion_rate", "required"),
        ),
        (
            {"components": [{"metric_id": "m", "price": PRICE, "pricing_unit": 5, "conversion_rate": 1}]},
            ("components[0].pricing_unit", "invalid"),
        ),
        (
            {"components": [{"metric_id": "m", "price": PRICE, "conversion_rate": 1}]},
            ("components[0].conversion_rate", "ambiguous"),
        ),
        ({"billing_cycle": "anniversary", "day_anchor": 5}, ("billing_cycle", "ambiguous")),
        ({"usage_billing_frequency": "hourly"}, ("usage_billing_frequency", "invalid_choice")),
        ({"recurring_charges": [{"name": "Base"}]}, ("recurring_charges[0].amount", "required")),
        ({"recurring_charges": [{"amount": 1}]}, ("recurring_charges[0].name", "required")),
        (
            {"recurring_charges": [{"name": "Base", "amount": 1, "timing": "later"}]},
            ("recurring_charges[0].timing", "invalid_choice"),
        ),
        (
            {"recurring_charges": [{"name": "Base", "amount": 1, "charge_behavior": "none"}]},
            ("recurring_charges[0].charge_behavior", "invalid_choice"),
        ),
        (
            {"recurring_charges": [{"name": "Base", "amount": 1, "pricing_unit_code": "EUR"}]},
            ("recurring_charges[0].pricing_unit_code", "unsupported"),
        ),
        ({"flat_rate": -1}, ("flat_rate", "negative")),
        ({"flat_rate": 1, "recurring_charges": [{"name": "Base", "amount": 1}]}, ("flat_rate", "ambiguous")),
        ({"components": [5]}, ("components[0]", "invalid")),
        ({"components": [{"metric_id": "m", "price": 5}]}, ("components[0].price", "invalid")),
        (
            {"components": [{"metric_id": "m", "price": PRICE, "prepaid_charge": {"charge_behavior": "half"}}]},
            ("components[0].prepaid_charge.charge_behavior", "invalid_choice"),
        ),
        ({"features": [5]}, ("features[0]", "invalid")),
        ({"trial_days": "two"}, ("trial_days", "invalid")),
    ],
)
def test_what_is_wrong_with_a_plan_is_named(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert [expected] == _problems(changes)


def test_one_wrong_value_does_not_hide_the_others() -> None:
    changes = {
        "plan_duration": "hourly",
        "components": [
            {"metric_id": "m", "price": {"model": "per_unit", "unit_price": "much", "free_units": True}},
            {"price": {"model": "graduated", "tiers": [{"up_to": "x"}, {"rounding": "sideways"}]}},
        ],
    }

    assert {
        "plan_duration",
        "components[0].price.unit_price",
        "components[0].price.free_units",
        "components[1].metric_id",
        "components[1].price.tiers[0].up_to",
        "components[1].price.tiers[1].rounding",
    } == {field for field, _ in _problems(changes)}


def test_keys_that_say_nothing_are_ignored() -> None:
    assert [] == _problems(
        {"price_adjustment": None, "day_anchor": "", "target_customer_ids": [], "tags": ["x"], "$type": "create_plan"}
    )


def test_a_new_version_is_for_new_subscriptions_unless_it_says_otherwise() -> None:
    problems = Problems()

    assert Replace.NEW_ONLY is read(VersionForm, {}, problems).to_replace(problems)
    assert Replace.ON_RENEWAL is read(VersionForm, {"replace": "on_renewal"}, problems).to_replace(problems)
    assert () == problems.found


def _view() -> PlanView:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    old = PlanVersion("org", "v1", "pro", 1, "USD", now, active_to=now)
    new = PlanVersion(
        "org",
        "v2",
        "pro",
        2,
        "USD",
        now,
        recurring_charges=(RecurringCharge("c", "Base", D("29.99")),),
        components=(Component("k", "m", PerUnit(D(1))),),
        feature_ids=("sso",),
    )
    metric = Metric("org", "m", "Calls", MetricDefinition("call", Aggregation.COUNT))
    return PlanView(
        Plan("org", "pro", "Pro", "For teams", Duration.QUARTERLY, now),
        (old, new),
        {"v1": 2, "v2": 3, "other": 9},
        {"m": metric},
        {"sso": Feature("org", "sso", "SSO")},
        now,
    )


def test_a_plan_is_shown_as_the_first_clients_read_it() -> None:
    row = plan_row(_view())

    expected = {
        "billing_plan_id": "pro",
        "name": "Pro",
        "description": "For teams",
        "currency": "USD",
        "interval": "quarter",
        "flat_rate": D("29.99"),
        "pay_in_advance": True,
        "time_created": "2026-03-01",
        "active_subscriptions": 5,
    }
    assert expected == {key: row[key] for key in expected}
    assert ["Calls"] == [component["billable_metric"]["billable_metric_name"] for component in row["components"]]
    assert ["SSO"] == [feature["feature_name"] for feature in row["features"]]


def test_prepaid_units_are_shown_as_they_are_given() -> None:
    metric = Metric("org", "m", "Calls", MetricDefinition("call", Aggregation.COUNT))
    component = Component("k", "m", PerUnit(D(1)), prepaid=Prepaid(D(5), Proration.FULL))

    assert {"units": D(5), "charge_behavior": "full"} == component_row(component, metric, "USD")["prepaid_charge"]


def test_a_plan_is_shown_as_the_last_clients_read_it() -> None:
    row = plan_row(_view())

    expected = {
        "plan_id": "pro",
        "plan_duration": "quarterly",
        "status": "active",
        "num_versions": 2,
        "active_version": 2,
    }
    assert expected == {key: row[key] for key in expected}
    assert "v2" == row["display_version"]["version_id"]
    assert [("v1", "grandfathered", 2), ("v2", "active", 3)] == [
        (version["version_id"], version["status"], version["active_subscriptions"]) for version in row["versions"]
    ]
    assert {"code": "USD", "name": "US Dollar", "symbol": "$"} == row["display_version"]["currency"]


# What the last Python client of the original (0.12.0, strict) requires of a plan and of what belongs to it.
REQUIRED = {
    "plan": "plan_id plan_name plan_duration plan_description external_links num_versions active_version "
    "active_subscriptions tags versions parent_plan target_customer display_version status",
    "version": "recurring_charges components features price_adjustment version status plan_name currency active_from "
    "active_to localized_name target_customers created_on usage_billing_frequency flat_fee_billing_type flat_rate "
    "description",
    "component": "billable_metric tiers pricing_unit invoicing_interval_unit invoicing_interval_count "
    "reset_interval_unit reset_interval_count prepaid_charge",
    "tier": "type range_start range_end cost_per_batch metric_units_per_batch batch_rounding_type",
    "charge": "name charge_timing charge_behavior amount pricing_unit invoicing_interval_unit invoicing_interval_count "
    "reset_interval_unit reset_interval_count",
    "metric": "metric_id event_name property_name aggregation_type granularity event_type metric_type metric_name "
    "numeric_filters categorical_filters is_cost_metric custom_sql proration",
}


def test_every_key_that_a_strict_client_requires_is_there() -> None:
    row = plan_row(_view())
    version = row["display_version"]
    component = version["components"][0]
    shown = {
        "plan": row,
        "version": version,
        "component": component,
        "tier": component["tiers"][0],
        "charge": version["recurring_charges"][0],
        "metric": component["billable_metric"],
    }

    missing = {name: set(REQUIRED[name].split()) - shown[name].keys() for name in REQUIRED}
    assert {name: set() for name in REQUIRED} == missing
