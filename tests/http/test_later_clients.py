"""The forms of the clients that came after the first ones, each under its own URL."""

import json
from decimal import Decimal

import pytest

from tests.tenants import Tenant


@pytest.fixture
def subscribed(sandbox: Tenant) -> Tenant:
    """Half of Acme's January is over: 31.00 in advance, ten calls at 0.10 with a limit of 12."""
    sandbox.metric()
    sandbox.feature()
    price = {"model": "per_unit", "unit_price": "0.10", "free_units": 2}
    sandbox.plan(
        components=[{"metric_id": "calls", "price": price, "limit": 12}],
        features=["sso"],
        recurring_charges=[{"name": "Fee", "amount": "31"}],
    )
    sandbox.customer(email="billing@acme.example")
    sandbox.subscribe(subscription_id="mine")
    sandbox.use(10)
    sandbox.move_clock("2026-01-16T12:00:00Z")
    return sandbox


def last_lines(tenant: Tenant) -> list[Decimal]:
    return [line["amount"] for line in tenant.invoices()[0]["line_items"]]


# cancelling and changing


@pytest.mark.parametrize(
    ("how", "amounts"),
    [
        ({}, ["0.80", "-15.50"]),
        ({"flat_fee_behavior": "refund"}, ["0.80", "-31.00"]),
        ({"flat_fee_behavior": "prorate"}, ["0.80", "-15.50"]),
        ({"flat_fee_behavior": "charge_prorated"}, ["0.80", "-15.50"]),
        ({"flat_fee_behavior": "charge_full"}, ["0.80"]),
        ({"flat_fee_behavior": "charge_full", "usage_behavior": "bill_full"}, ["0.80"]),
        ({"flat_fee_behavior": "refund", "usage_behavior": "bill_none"}, ["-31.00"]),
        ({"flat_fee_behavior": "charge_full", "invoicing_behavior": "invoice_now"}, ["0.80"]),
    ],
)
def test_a_later_cancellation_settles_as_it_says(subscribed: Tenant, how: dict[str, str], amounts: list[str]) -> None:
    row = subscribed.post("/api/subscriptions/mine/cancel/", how, 200)

    assert row["subscription_id"] == "mine"
    assert last_lines(subscribed) == [Decimal(text) for text in amounts]
    assert subscribed.get("/api/subscriptions/mine/")["status"] == "ended"


def test_a_later_cancellation_needs_no_body(subscribed: Tenant) -> None:
    assert subscribed.post("/api/subscriptions/mine/cancel/", None, 200)["auto_renew"] is False


def test_cancelling_by_plan_and_customer_returns_a_list(subscribed: Tenant) -> None:
    rows = subscribed.post("/api/subscriptions/cancel/?customer_id=acme&plan_id=pro", {}, 200)

    assert [row["subscription_id"] for row in rows] == ["mine"]


def test_cancelling_by_plan_can_be_narrowed_by_filters(subscribed: Tenant) -> None:
    filters = [{"property_name": "region", "value": "eu"}]
    subscribed.subscribe(subscription_id="europe", start_date="2026-01-16", subscription_filters=filters)
    query = f"customer_id=acme&plan_id=pro&subscription_filters={json.dumps(filters)}"

    rows = subscribed.post(f"/api/subscriptions/cancel/?{query}", {}, 200)

    assert [row["subscription_id"] for row in rows] == ["europe"]
    assert subscribed.get("/api/subscriptions/mine/")["status"] == "active"


def test_renewal_is_turned_off_by_patch(subscribed: Tenant) -> None:
    row = subscribed.patch("/api/subscriptions/mine/", {"auto_renew": False})

    assert (row["status"], row["auto_renew"]) == ("active", False)


@pytest.mark.parametrize(
    ("kind", "invoices"), [("end_current_subscription_and_bill", 2), ("end_current_subscription_dont_bill", 1)]
)
def test_a_patch_ends_a_subscription_with_or_without_a_bill(subscribed: Tenant, kind: str, invoices: int) -> None:
    row = subscribed.patch("/api/subscriptions/mine/", {"status": "ended", "replace_immediately_type": kind})

    assert row["status"] == "ended"
    assert len(subscribed.invoices()) == invoices


def test_an_update_sets_end_and_metadata(subscribed: Tenant) -> None:
    body = {"end_date": "2026-01-20", "metadata": {"order": 7}}

    row = subscribed.post("/api/subscriptions/mine/update/", body, 200)

    assert (row["end_date"], row["metadata"]) == ("2026-01-20T23:59:59.999999Z", {"order": 7})


def test_a_subscription_is_added_under_the_url_of_the_middle_clients(subscribed: Tenant) -> None:
    subscribed.customer("other")
    body = {"customer_id": "other", "plan_id": "pro", "start_date": "2026-01-16"}

    row = subscribed.post("/api/subscriptions/add/", body)

    assert (row["customer"]["customer_id"], row["start_date"]) == ("other", "2026-01-16T00:00:00Z")


@pytest.mark.parametrize("path", ["/api/subscriptions/mine", "/api/subscriptions/mine/"])
def test_one_subscription_is_read_with_and_without_a_slash(subscribed: Tenant, path: str) -> None:
    assert subscribed.get(path)["subscription_id"] == "mine"


# access


def test_metric_access_shows_usage_and_limits_for_each_subscription(subscribed: Tenant) -> None:
    answer = subscribed.get("/api/metric_access/", customer_id="acme", metric_id="calls")

    (held,) = answer["access_per_subscription"]
    subscription = held.pop("subscription")
    version_id = subscription["plan"].pop("version_id")
    assert answer["customer"] == {
        "customer_id": "acme",
        "customer_name": "Acme Inc.",
        "email": "billing@acme.example",
    }
    assert answer["metric"] == {"metric_id": "calls", "event_name": "calls", "metric_name": "name of calls"}
    assert answer["access"] is True
    assert held == {"metric_usage": 10, "metric_free_limit": 2, "metric_total_limit": 12}
    assert subscription == {
        "subscription_id": "mine",
        "start_date": "2026-01-01T00:00:00Z",
        "end_date": "2026-01-31T23:59:59.999999Z",
        "subscription_filters": [],
        "plan": {"plan_id": "pro", "plan_name": "name of pro", "version": 1},
    }
    assert version_id.startswith("plan_version_")


def test_a_metric_that_no_subscription_has_grants_no_access(subscribed: Tenant) -> None:
    subscribed.metric("other")

    answer = subscribed.get("/api/metric_access/", customer_id="acme", metric_id="other")

    assert (answer["access"], answer["access_per_subscription"]) == (False, [])


def test_metric_access_asks_about_subscriptions_with_filters(subscribed: Tenant) -> None:
    filters = [{"property_name": "region", "value": "eu"}]
    subscribed.subscribe(subscription_id="europe", start_date="2026-01-16", subscription_filters=filters)
    query = {"subscription_filters[0][property_name]": "region", "subscription_filters[0][value]": "eu"}

    answer = subscribed.get("/api/metric_access/", customer_id="acme", metric_id="calls", **query)

    rows = [each["subscription"]["subscription_id"] for each in answer["access_per_subscription"]]
    assert rows == ["europe"]


def test_feature_access_answers_for_each_subscription(subscribed: Tenant) -> None:
    answer = subscribed.get("/api/feature_access/", customer_id="acme", feature_id="sso_id")

    assert answer["access"] is True
    assert answer["feature"] == {"feature_id": "sso_id", "feature_name": "sso", "feature_description": ""}
    assert [each["access"] for each in answer["access_per_subscription"]] == [True]


@pytest.mark.parametrize("question", [{"event_name": "calls"}, {"metric_id": "calls"}])
def test_customer_metric_access_is_a_row_per_subscription(subscribed: Tenant, question: dict[str, str]) -> None:
    (row,) = subscribed.get("/api/customer_metric_access/", customer_id="acme", **question)

    (usage,) = row["usage_per_component"]
    assert (row["access"], usage["metric_usage"], usage["metric_total_limit"]) == (True, 10, 12)


def test_customer_feature_access_is_a_row_per_subscription(subscribed: Tenant) -> None:
    (row,) = subscribed.get("/api/customer_feature_access/", customer_id="acme", feature_name="sso")

    assert (row["feature_name"], row["access"]) == ("sso", True)


@pytest.mark.parametrize(
    ("path", "question"),
    [("/api/metric_access/", {"metric_id": "nothing"}), ("/api/feature_access/", {"feature_id": "nothing"})],
)
def test_access_to_what_does_not_exist_is_not_found(subscribed: Tenant, path: str, question: dict[str, str]) -> None:
    subscribed.get(path, 404, customer_id="acme", **question)


@pytest.mark.parametrize(
    "path",
    ["/api/metric_access/", "/api/feature_access/", "/api/customer_metric_access/", "/api/customer_feature_access/"],
)
def test_a_question_without_its_parts_names_them_all(tenant: Tenant, path: str) -> None:
    problem = tenant.get(path, 400)

    fields = [each["field"] for each in problem["validation_errors"]]
    assert (len(fields), fields[0]) == (2, "customer_id")


# customers, drafts, plans


def test_one_customer_is_read_by_query_and_by_path(subscribed: Tenant) -> None:
    by_query = subscribed.get("/api/customer_detail/", customer_id="acme")
    by_path = subscribed.get("/api/customers/acme/")

    assert by_query == by_path
    assert [row["subscription_id"] for row in by_path["subscriptions"]] == ["mine"]
    assert [row["amount"] for row in by_path["invoices"]] == [31]


def test_a_plan_is_read_where_an_old_client_asks_for_it(tenant: Tenant) -> None:
    plan = tenant.plan("plan_123")

    assert tenant.get("/api/customers/plan_123/") == plan


def test_a_customer_goes_before_a_plan_of_the_same_id(tenant: Tenant) -> None:
    tenant.plan("plan_123")
    tenant.customer("plan_123")

    assert tenant.get("/api/customers/plan_123/")["customer_id"] == "plan_123"


def test_a_draft_by_currency_has_every_key_of_the_later_clients(subscribed: Tenant) -> None:
    reply = subscribed.get("/api/customers/acme/draft_invoice/", include_next_period="false")

    (invoice,) = reply["invoices"]
    (group,) = invoice["line_items"]
    assert set(invoice) >= {
        "invoice_id",
        "cost_due",
        "amount",
        "currency",
        "issue_date",
        "due_date",
        "start_date",
        "end_date",
        "external_payment_obj_status",
        "line_items",
    }
    assert set(group) >= {"plan_name", "subscription_filters", "base", "start_date", "end_date", "sub_items"}
    assert (invoice["cost_due"], invoice["currency"]["code"]) == (Decimal("0.80"), "USD")
    assert [item["name"] for item in group["sub_items"]] == ["name of calls"]


@pytest.mark.parametrize(
    ("behavior", "name", "email"),
    [(None, "Acme", None), ("ignore", "Acme", None), ("merge", "Acme", "new@x.y"), ("overwrite", "", "new@x.y")],
)
def test_a_batch_treats_customers_that_exist_as_it_says(
    tenant: Tenant, behavior: str | None, name: str, email: str | None
) -> None:
    tenant.customer("acme", customer_name="Acme")
    body = {"customers": [{"customer_id": "acme", "email": "new@x.y"}, {"customer_id": "new"}]}

    reply = tenant.post(
        "/api/batch_create_customers/", body if behavior is None else {**body, "behavior_on_existing": behavior}
    )

    assert reply == {"success": "all", "failed_customers": {}}
    acme, new = tenant.get("/api/customers/")
    assert (acme["customer_name"], acme["email"], new["customer_id"]) == (name, email, "new")


def test_a_batch_may_hold_a_customer_twice(tenant: Tenant) -> None:
    tenant.post("/api/batch_create_customers/", {"customers": [{"customer_id": "a"}, {"customer_id": "a"}]})

    assert len(tenant.get("/api/customers/")) == 1


def test_a_merged_customer_keeps_its_payment_provider_complete(tenant: Tenant) -> None:
    tenant.customer("acme")
    body = {"customers": [{"customer_id": "acme", "payment_provider_id": "cus_1"}], "behavior_on_existing": "merge"}

    tenant.post("/api/batch_create_customers/", body)

    (row,) = tenant.get("/api/customers/")
    assert (row["payment_provider"], row["payment_provider_id"]) == ("stripe", "cus_1")


# invoices


def test_an_invoice_is_marked_as_paid_and_as_unpaid_again(subscribed: Tenant) -> None:
    (invoice,) = subscribed.invoices()
    path = f"/api/invoices/{invoice['invoice_id']}/"

    paid = subscribed.patch(path, {"payment_status": "paid"})
    found = subscribed.invoices(payment_status="paid")
    unpaid = subscribed.patch(path, {"payment_status": "unpaid"})

    assert (paid["payment_status"], unpaid["payment_status"]) == ("paid", "unpaid")
    assert [each["invoice_id"] for each in found] == [invoice["invoice_id"]]


def test_an_invoice_has_every_key(subscribed: Tenant) -> None:
    (row,) = subscribed.invoices(customer_id="acme")

    assert row == subscribed.get(f"/api/invoices/{row['invoice_id']}/")
    assert set(row) >= {
        "invoice_id",
        "invoice_number",
        "cost_due",
        "amount",
        "currency",
        "issue_date",
        "due_date",
        "payment_status",
        "external_payment_obj_id",
        "external_payment_obj_type",
        "external_payment_obj_status",
        "line_items",
        "customer",
        "start_date",
        "end_date",
        "seller",
        "invoice_pdf",
    }
    assert set(row["line_items"][0]) >= {
        "name",
        "start_date",
        "end_date",
        "quantity",
        "billing_type",
        "metadata",
        "base",
        "adjustments",
        "amount",
        "subtotal",
    }
