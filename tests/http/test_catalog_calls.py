"""Plans with tags and schedules, add-ons and pricing units over HTTP."""

from decimal import Decimal

from tests.tenants import Tenant

JUNE = "2026-06-01T00:00:00Z"


def test_a_plans_name_tags_and_links_can_be_changed(tenant: Tenant) -> None:
    tenant.plan(tags=["new"], external_links=[{"source": "stripe", "external_plan_id": "price_1"}])
    tag = {"tag_name": "old", "tag_hex": "#ff0000", "tag_color": "red"}

    row = tenant.patch("/api/plans/pro/", {"plan_name": "Professional", "tags": [tag, "old"]})

    assert ("Professional", [tag]) == (row["plan_name"], row["tags"])
    assert [{"source": "stripe", "external_plan_id": "price_1"}] == row["external_links"]
    assert row == tenant.get("/api/plans/pro/")


def test_a_scheduled_version_is_shown_as_such(sandbox: Tenant) -> None:
    sandbox.plan()
    row = sandbox.post("/api/plans/pro/versions/", {"active_from": JUNE, "localized_name": "Profi"})

    assert ("not_started", JUNE, None, "Profi") == tuple(
        row[key] for key in ("status", "active_from", "active_to", "localized_name")
    )
    first, second = sandbox.get("/api/plans/pro/")["versions"]
    assert ("active", JUNE, "not_started") == (first["status"], first["active_to"], second["status"])


def test_the_times_of_sale_of_a_version_can_be_changed(sandbox: Tenant) -> None:
    version_id = sandbox.plan()["display_version"]["version_id"]
    path = f"/api/plans/pro/versions/{version_id}/"

    assert JUNE == sandbox.patch(path, {"active_to": JUNE})["active_to"]
    assert None is sandbox.patch(path, {"active_to": None})["active_to"]
    problem = sandbox.patch(path, {"active_to": "never", "replace_with": "none"}, 400)
    assert ["active_to", "replace_with"] == [each["field"] for each in problem["validation_errors"]]


def test_terms_are_shown_as_they_were_given(tenant: Tenant) -> None:
    tenant.metric()
    tenant.feature()
    tenant.customer()
    tenant.post("/api/pricing_units/", {"code": "credits", "name": "Credits", "symbol": "¤"})
    component = {
        "metric_id": "calls",
        "price": {"model": "per_unit", "unit_price": 2},
        "pricing_unit": "credits",
        "conversion_rate": "0.005",
    }

    row = tenant.plan(
        components=[component],
        features=[{"feature_id": "sso_id", "value": 5}],
        price_adjustment={"type": "percentage", "amount": "-12.5", "name": "Launch"},
        commitment={"amount": 1000, "overage_factor": "1.5", "includes_recurring_charges": False},
        target_customer_ids=["acme"],
    )["display_version"]

    shown = row["components"][0]
    assert {"code": "credits", "name": "Credits", "symbol": "¤"} == shown["pricing_unit"]
    assert Decimal("0.005") == shown["conversion_rate"]
    assert ("sso_id", 5) == (row["features"][0]["feature_id"], row["features"][0]["value"])
    assert ("percentage", Decimal("-12.5")) == (row["price_adjustment"]["type"], row["price_adjustment"]["amount"])
    assert "Launch" == row["price_adjustment"]["price_adjustment_name"]
    assert {"amount": 1000, "overage_factor": Decimal("1.5"), "includes_recurring_charges": False} == row["commitment"]
    assert ["acme"] == [customer["customer_id"] for customer in row["target_customers"]]


def test_pricing_units_are_listed(tenant: Tenant) -> None:
    unit = tenant.post("/api/pricing_units/", {"code": "credits", "name": "Credits", "symbol": "¤"})

    assert {"code": "credits", "name": "Credits", "symbol": "¤", "custom": True} == unit
    assert [unit] == tenant.get("/api/pricing_units/")


def test_add_ons_are_made_shown_and_archived(tenant: Tenant) -> None:
    row = tenant.post(
        "/api/addons/",
        {
            "addon_id": "support",
            "addon_name": "Support",
            "addon_description": "Somebody who answers",
            "billing_frequency": "recurring",
            "flat_rate": 50,
            "pay_in_advance": True,
        },
    )

    expected = {
        "addon_id": "support",
        "addon_name": "Support",
        "addon_description": "Somebody who answers",
        "addon_type": "flat",
        "billing_frequency": "recurring",
        "invoice_when": "invoice_on_attach",
        "flat_rate": 50,
        "active_instances": 0,
    }
    assert expected == {key: row[key] for key in expected}
    assert row == tenant.get("/api/addons/support/")
    assert [row] == tenant.get("/api/addons/")
    assert [] == tenant.get("/api/plans/")
    assert "archived" == tenant.post("/api/addons/support/archive/", status=200)["status"]
    assert [] == tenant.get("/api/addons/")


def test_everything_wrong_with_an_add_on_is_named(tenant: Tenant) -> None:
    problem = tenant.post("/api/addons/", {"addon_type": "huge", "billing_frequency": "often"}, 400)

    assert ["addon_name", "addon_type", "billing_frequency"] == [each["field"] for each in problem["validation_errors"]]


def test_another_tenants_add_ons_are_not_seen(tenant: Tenant, other_tenant: Tenant) -> None:
    tenant.post("/api/addons/", {"addon_id": "support", "addon_name": "Support"})

    assert [] == other_tenant.get("/api/addons/")
    assert "addon_not_found" == other_tenant.get("/api/addons/support/", 404)["title"]


def test_a_version_that_replaces_others_immediately_says_what_became_of_each(sandbox: Tenant) -> None:
    sandbox.customer()
    sandbox.plan(recurring_charges=[{"name": "Fee", "amount": 31}])
    sandbox.subscribe(subscription_id="mine")
    sandbox.move_clock("2026-01-16T12:00:00Z")
    terms = {"recurring_charges": [{"name": "Fee", "amount": 62}]}
    version_id = sandbox.post("/api/plans/pro/versions/", {**terms, "replace": "on_renewal"})["version_id"]
    path = f"/api/plans/pro/versions/{version_id}"

    (row,) = sandbox.post(f"{path}/replace_preview/?limit=5", status=200)
    assert ("mine", Decimal("15.5"), 31, Decimal("15.5")) == tuple(
        row[key] for key in ("subscription_id", "credit", "charge", "net")
    )
    (replaced,) = sandbox.post(f"{path}/replace/", status=200)["replaced"]
    assert "mine" == replaced["subscription_id"]
    assert {"replaced": [], "failed": []} == sandbox.post(f"{path}/replace/", status=200)

    again = sandbox.post("/api/plans/pro/versions/", {**terms, "replace": "immediately"})
    assert [replaced["new_subscription_id"]] == [each["subscription_id"] for each in again["replacement"]["replaced"]]
    assert "retiring" not in {version["status"] for version in sandbox.get("/api/plans/pro/")["versions"]}


def test_access_says_what_the_plan_says_of_a_feature(sandbox: Tenant) -> None:
    sandbox.customer()
    sandbox.feature("seats")
    sandbox.feature("beta")
    sandbox.plan(features=[{"feature_id": "seats_id", "value": 25}, {"feature_id": "beta_id", "value": False}])
    sandbox.subscribe()

    assert {"access": True, "value": 25} == sandbox.access(feature_name="seats")
    by_id = sandbox.get("/api/feature_access/", customer_id="acme", feature_id="seats_id")
    assert [(True, 25)] == [(each["access"], each["value"]) for each in by_id["access_per_subscription"]]
    (row,) = sandbox.get("/api/customer_feature_access/", customer_id="acme", feature_name="beta")
    assert (False, False) == (row["access"], row["value"])
    assert sandbox.access(feature_name="beta")["access"] is False


def test_a_preview_of_a_price_in_credits_ends_in_money(tenant: Tenant) -> None:
    question = {"price": {"model": "per_unit", "unit_price": 2}, "quantity": 10}

    row = tenant.post("/api/price_preview/", {**question, "pricing_unit": "credits", "conversion_rate": "0.05"}, 200)

    assert (1, "USD") == (row["amount"], row["currency"])
    assert ["10 units x 2 = 20 credits", "20 credits at 0.05 each"] == [line["text"] for line in row["lines"]]
    problem = tenant.post("/api/price_preview/", {**question, "pricing_unit": "credits", "conversion_rate": 0}, 400)
    assert ["conversion_rate"] == [each["field"] for each in problem["validation_errors"]]
