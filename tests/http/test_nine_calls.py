"""The calls of the first clients: what they send, and every key that comes back."""

from decimal import Decimal

import pytest

from tests.tenants import Tenant

CUSTOMER_KEYS = {
    "customer_id",
    "customer_name",
    "balance",
    "email",
    "default_currency",
    "payment_provider",
    "payment_provider_id",
    "has_payment_method",
    "integrations",
    "invoices",
    "subscriptions",
    "total_amount_due",
    "address",
    "billing_address",
    "shipping_address",
    "tax_rate",
    "timezone",
    "tax_providers",
    "properties",
}
PLAN_KEYS = {
    "billing_plan_id",
    "name",
    "description",
    "currency",
    "interval",
    "flat_rate",
    "pay_in_advance",
    "components",
    "features",
    "time_created",
    "active_subscriptions",
    "plan_id",
    "plan_name",
    "plan_duration",
    "status",
    "display_version",
    "versions",
    "num_versions",
}
SUBSCRIPTION_KEYS = {
    "customer",
    "billing_plan",
    "start_date",
    "end_date",
    "status",
    "subscription_id",
    "auto_renew",
    "is_new",
    "subscription_filters",
    "fully_billed",
    "addons",
    "metadata",
}
SEED_PLAN_KEYS = {
    "name",
    "description",
    "currency",
    "interval",
    "flat_rate",
    "pay_in_advance",
    "billing_plan_id",
}


# customers


def test_a_customer_row_has_every_key_of_every_generation(tenant: Tenant) -> None:
    tenant.customer("acme")

    (row,) = tenant.get("/api/customers/")

    assert set(row) >= CUSTOMER_KEYS


def test_a_new_customer_is_answered_with_its_row(tenant: Tenant) -> None:
    made = tenant.customer("acme")

    assert made == tenant.get("/api/customers/")[0]


def test_only_the_id_of_a_customer_is_required(tenant: Tenant) -> None:
    made = tenant.post("/api/customers/", {"customer_id": "acme"})

    assert (made["customer_id"], made["customer_name"], made["email"]) == ("acme", "", None)
    assert made["default_currency"] == {"code": "USD", "name": "US Dollar", "symbol": "$"}


def test_a_customer_has_the_currency_that_it_is_given(tenant: Tenant) -> None:
    made = tenant.customer(currency="eur")

    assert made["default_currency"]["code"] == "EUR"


def test_a_payment_provider_id_without_a_provider_is_one_of_stripe(tenant: Tenant) -> None:
    made = tenant.customer(payment_provider_id="cus_123")

    assert (made["payment_provider"], made["payment_provider_id"]) == ("stripe", "cus_123")


def test_a_customer_that_exists_cannot_be_made_again(tenant: Tenant) -> None:
    tenant.customer("acme")

    problem = tenant.post("/api/customers/", {"customer_id": "acme", "customer_name": "Another"}, 409)

    assert problem["title"] == "customer_exists"
    assert tenant.get("/api/customers/")[0]["customer_name"] == "Acme Inc."


@pytest.mark.parametrize("name", ["株式会社　山田", "می‌خواهم", "Zoë & Søn 🪷", "a" * 500])
def test_names_of_any_script_are_kept(tenant: Tenant, name: str) -> None:
    made = tenant.customer(customer_name=name)

    assert made["customer_name"] == name


def test_the_balance_of_a_customer_is_its_credit(sandbox: Tenant) -> None:
    sandbox.customer()
    sandbox.plan(recurring_charges=[{"name": "Fee", "amount": "30"}])
    subscription = sandbox.subscribe()
    path = f"/api/subscriptions/{subscription['subscription_id']}/cancel/"

    sandbox.post(path, {"flat_fee_behavior": "refund"}, 200)

    (row,) = sandbox.get("/api/customers/")
    assert (row["balance"], row["total_amount_due"]) == (Decimal("30.00"), Decimal("30.00"))


# plans


def test_a_plan_row_has_every_key_of_every_generation(tenant: Tenant) -> None:
    tenant.metric()
    tenant.feature()
    component = {"metric_id": "calls", "price": {"model": "per_unit", "unit_price": "0.01", "free_units": 5}}
    tenant.plan(features=["sso"], components=[component], recurring_charges=[{"name": "Fee", "amount": 9.5}])

    (row,) = tenant.get("/api/plans/")

    assert set(row) >= PLAN_KEYS
    assert (row["flat_rate"], row["pay_in_advance"], row["interval"]) == (Decimal("9.5"), True, "month")
    assert row["components"][0]["billable_metric"]["event_name"] == "calls"
    assert row["components"][0]["free_metric_units"] == 5
    assert row["features"][0]["feature_name"] == "sso"


def test_one_plan_is_answered_with_its_row_of_the_list(tenant: Tenant) -> None:
    tenant.plan()

    assert tenant.get("/api/plans/pro/") == tenant.get("/api/plans/")[0]


def test_a_plan_counts_its_active_subscriptions(sandbox: Tenant) -> None:
    sandbox.plan()
    for name in ("one", "two", "three"):
        sandbox.customer(name)
    sandbox.subscribe("one")
    sandbox.subscribe("two", start_date="2026-05-01")
    sandbox.cancel(sandbox.subscribe("three")["subscription_id"])

    assert sandbox.get("/api/plans/pro/")["active_subscriptions"] == 1


# subscriptions


def test_a_subscription_row_has_every_key_of_every_generation(sandbox: Tenant) -> None:
    sandbox.customer(email="billing@acme.example")
    sandbox.plan()
    made = sandbox.subscribe()

    (row,) = sandbox.get("/api/subscriptions/")

    assert set(row) >= SUBSCRIPTION_KEYS
    assert row == made
    assert row["customer"] == {
        "customer_id": "acme",
        "customer_name": "Acme Inc.",
        "email": "billing@acme.example",
    }
    assert set(row["billing_plan"]) >= SEED_PLAN_KEYS | {"plan_name", "plan_id", "version_id", "version"}


def test_the_end_shown_is_the_last_day_included(sandbox: Tenant) -> None:
    sandbox.customer()
    sandbox.plan()

    made = sandbox.subscribe(start_date="2026-02-23")

    assert (made["start_date"], made["end_date"], made["status"]) == ("2026-02-23", "2026-03-22", "not_started")


def test_the_end_given_is_the_last_day_included(sandbox: Tenant) -> None:
    sandbox.customer()
    sandbox.plan()

    made = sandbox.subscribe(end_date="2026-01-10")

    assert (made["end_date"], made["auto_renew"]) == ("2026-01-10", False)
    assert sandbox.get("/api/subscriptions/", customer_id="acme")[0]["end_date"] == "2026-01-10T23:59:59.999999Z"


def test_the_end_that_is_shown_can_be_sent_back(sandbox: Tenant) -> None:
    sandbox.customer("one")
    sandbox.customer("two")
    sandbox.plan()
    sandbox.subscribe("one", end_date="2026-01-10")
    (shown,) = sandbox.get("/api/subscriptions/", customer_id="one")

    made = sandbox.subscribe("two", end_date=shown["end_date"])

    assert made["end_date"] == "2026-01-10"


def test_a_subscription_has_the_id_that_it_is_given(sandbox: Tenant) -> None:
    sandbox.customer()
    sandbox.plan()

    assert sandbox.subscribe(subscription_id="mine")["subscription_id"] == "mine"


def test_an_id_is_made_for_a_subscription_without_one(sandbox: Tenant) -> None:
    sandbox.customer()
    sandbox.plan()

    assert len(sandbox.subscribe()["subscription_id"]) == 36


def test_a_taken_subscription_id_is_a_conflict(sandbox: Tenant) -> None:
    sandbox.customer()
    sandbox.customer("other")
    sandbox.plan()
    sandbox.subscribe(subscription_id="mine")
    body = {
        "customer_id": "other",
        "billing_plan_id": "pro",
        "start_date": "2026-01-01",
        "subscription_id": "mine",
    }

    assert sandbox.post("/api/subscriptions/", body, 409)["title"] == "subscription_exists"


def test_an_overlapping_subscription_is_refused(sandbox: Tenant) -> None:
    sandbox.customer()
    sandbox.plan()
    sandbox.subscribe()
    body = {"customer_id": "acme", "billing_plan_id": "pro", "start_date": "2026-01-15"}

    assert sandbox.post("/api/subscriptions/", body, 400)["title"] == "overlapping_subscription"


def test_a_subscription_can_name_its_version(sandbox: Tenant) -> None:
    sandbox.customer()
    version_id = sandbox.plan()["display_version"]["version_id"]

    made = sandbox.post(
        "/api/subscriptions/", {"customer_id": "acme", "version_id": version_id, "start_date": "2026-01-01"}
    )

    assert made["billing_plan"]["version_id"] == version_id


def test_later_clients_name_a_plan_id_and_read_times(sandbox: Tenant) -> None:
    sandbox.customer()
    sandbox.plan()

    made = sandbox.post(
        "/api/subscriptions/", {"customer_id": "acme", "plan_id": "pro", "start_date": "2026-01-01T00:00:00.000Z"}
    )

    assert (made["start_date"], made["end_date"]) == ("2026-01-01T00:00:00Z", "2026-01-31T23:59:59.999999Z")


@pytest.mark.parametrize("name", ["status", "status[]"])
def test_subscriptions_are_listed_by_status(sandbox: Tenant, name: str) -> None:
    for customer in ("one", "two", "three"):
        sandbox.customer(customer)
    sandbox.plan()
    active = sandbox.subscribe("one")
    to_come = sandbox.subscribe("two", start_date="2026-05-01")
    sandbox.cancel(sandbox.subscribe("three")["subscription_id"])

    rows = sandbox.get("/api/subscriptions/", **{name: ["active", "not_started"]})

    assert {row["subscription_id"] for row in rows} == {active["subscription_id"], to_come["subscription_id"]}


def test_subscriptions_are_listed_by_customer_and_by_plan(sandbox: Tenant) -> None:
    for customer in ("one", "two"):
        sandbox.customer(customer)
    for plan in ("pro", "team"):
        sandbox.plan(plan)
    for customer, plan in (("one", "pro"), ("one", "team"), ("two", "pro")):
        sandbox.subscribe(customer, plan, subscription_id=f"{customer}_{plan}")

    by_customer = sandbox.get("/api/subscriptions/", customer_id="one")
    by_plan = sandbox.get("/api/subscriptions/", plan_id="pro")

    assert [row["subscription_id"] for row in by_customer] == ["one_pro", "one_team"]
    assert [row["subscription_id"] for row in by_plan] == ["one_pro", "two_pro"]


# draft invoices


def priced_sandbox(sandbox: Tenant) -> Tenant:
    sandbox.metric()
    sandbox.customer()
    sandbox.plan(
        description="For teams",
        components=[{"metric_id": "calls", "price": {"model": "per_unit", "unit_price": "0.30"}}],
        recurring_charges=[{"name": "Fee", "amount": "31", "timing": "in_arrears"}],
    )
    sandbox.subscribe(subscription_id="mine")
    return sandbox


def test_a_draft_has_every_key_of_the_first_clients(sandbox: Tenant) -> None:
    priced_sandbox(sandbox).use(2)

    (draft,) = sandbox.drafts()

    usage = draft["line_items"]["components"]["name of calls"]
    assert (draft["cost_due"], draft["cost_due_currency"]) == (Decimal("0.60"), "USD")
    assert draft["cust_connected_to_payment_provider"] is False
    assert draft["org_connected_to_cust_payment_provider"] is False
    assert (usage["usage_qty"], usage["revenue"]) == (2, Decimal("0.60"))
    assert usage["details"]
    assert draft["line_items"]["usage_revenue_due"] == Decimal("0.60")
    assert draft["line_items"]["flat_revenue_due"] == 0
    assert draft["line_items"]["total_revenue_due"] == Decimal("0.60")
    assert draft["organization"] == {"company_name": "Sandbox"}
    assert draft["customer"] == {"customer_id": "acme", "customer_name": "Acme Inc."}
    assert draft["subscription"] == {
        "start_date": "2026-01-01",
        "end_date": "2026-01-31",
        "subscription_id": "mine",
        "billing_plan": {
            "name": "name of pro",
            "description": "For teams",
            "currency": "USD",
            "interval": "month",
            "flat_rate": 31,
            "pay_in_advance": False,
            "billing_plan_id": "pro",
        },
    }


def test_a_draft_equals_the_invoice_that_cancelling_now_issues(sandbox: Tenant) -> None:
    priced_sandbox(sandbox).use(7)
    sandbox.move_clock("2026-01-11")
    (draft,) = sandbox.drafts()

    sandbox.cancel("mine")

    (invoice,) = sandbox.invoices()
    assert draft["lines"] == invoice["line_items"]
    assert draft["cost_due"] == invoice["cost_due"] == Decimal("12.10")


def test_two_components_on_one_metric_are_both_shown(sandbox: Tenant) -> None:
    sandbox.metric()
    sandbox.customer()
    prices = [{"model": "per_unit", "unit_price": "0.01"}, {"model": "per_unit", "unit_price": "0.02"}]
    sandbox.plan(components=[{"metric_id": "calls", "price": price} for price in prices])
    sandbox.subscribe()
    sandbox.use(3)

    (draft,) = sandbox.drafts()

    shown = {name: row["revenue"] for name, row in draft["line_items"]["components"].items()}
    assert shown == {"name of calls": Decimal("0.03"), "name of calls (2)": Decimal("0.06")}
    assert draft["cost_due"] == Decimal("0.09")


def test_a_customer_without_subscriptions_has_no_drafts(tenant: Tenant) -> None:
    tenant.customer()

    assert tenant.drafts() == []


def test_the_draft_of_an_unknown_customer_is_not_found(tenant: Tenant) -> None:
    assert tenant.get("/api/draft_invoice/", 404, customer_id="nobody")["title"] == "customer_not_found"


def test_a_draft_needs_a_customer(tenant: Tenant) -> None:
    problem = tenant.get("/api/draft_invoice/", 400)

    assert [each["field"] for each in problem["validation_errors"]] == ["customer_id"]


def test_amounts_have_no_float_noise(sandbox: Tenant) -> None:
    sandbox.metric()
    sandbox.customer()
    sandbox.plan(components=[{"metric_id": "calls", "price": {"model": "per_unit", "unit_price": 0.1}}])
    sandbox.subscribe()
    sandbox.use(3)

    text = sandbox.client.get("/api/draft_invoice/", params={"customer_id": "acme"}).text

    assert '"cost_due":0.30,' in text
