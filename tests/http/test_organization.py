"""`/api/organization/`: the settings that an organization's own key may change."""

from tests.tenants import Tenant


def test_the_organization_is_shown_with_its_settings(tenant: Tenant) -> None:
    row = tenant.get("/api/organization/")

    assert set(row) == {
        "organization_id",
        "organization_name",
        "organization_type",
        "default_currency",
        "rejects_unknown_customers",
        "created",
    }
    assert row["rejects_unknown_customers"] is False


def test_events_of_unknown_customers_are_rejected_once_the_organization_says_so(tenant: Tenant) -> None:
    event = {"event_name": "call", "customer_id": "nobody"}
    assert tenant.client.post("/api/track/", json=event).status_code == 201

    changed = tenant.client.patch("/api/organization/", json={"rejects_unknown_customers": True})
    rejected = tenant.client.post("/api/track/", json=event)

    assert (changed.status_code, changed.json()["rejects_unknown_customers"]) == (200, True)
    assert (rejected.status_code, rejected.json()["success"]) == (400, "none")


def test_a_setting_of_the_wrong_type_is_refused(tenant: Tenant) -> None:
    answer = tenant.client.patch("/api/organization/", json={"rejects_unknown_customers": "perhaps"})

    assert (answer.status_code, answer.json()["validation_errors"][0]["field"]) == (400, "rejects_unknown_customers")


def test_a_plan_that_charges_nothing_issues_no_invoice(sandbox: Tenant) -> None:
    sandbox.plan("free")
    sandbox.customer()
    sandbox.subscribe(plan_id="free", subscription_id="free")
    sandbox.move_clock("2026-03-15T00:00:00Z")

    answer = sandbox.post("/api/cancel_subscription/", {"subscription_id": "free"}, 200)

    assert "invoice_id" not in answer
    assert sandbox.invoices() == []
