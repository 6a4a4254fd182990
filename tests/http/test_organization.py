"""`/api/organization/`: the settings that an organization's own key may change."""

import pytest

from tests.tenants import Tenant


def test_the_organization_is_shown_with_its_settings(tenant: Tenant) -> None:
    row = tenant.get("/api/organization/")

    assert row["rejects_unknown_customers"] is False
    assert (row["tax_rate"], row["payment_grace_period"], row["locale"]) == (None, 30, "en_US")


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


def test_settings_that_are_not_sent_stay_and_null_clears_one(tenant: Tenant) -> None:
    address = {"line1": "1 Main St", "country": "US"}
    tenant.patch("/api/organization/", {"tax_rate": "19", "legal_name": "Lotus Ltd", "address": address})

    changed = tenant.patch("/api/organization/", {"legal_name": None, "organization_name": "Lotus"})

    assert (changed["legal_name"], changed["organization_name"]) == (None, "Lotus")
    assert changed["tax_rate"] == 19
    assert changed["address"]["line1"] == "1 Main St"


def test_every_wrong_setting_is_named_at_once(tenant: Tenant) -> None:
    body = {"tax_rate": 101, "timezone": "Mars/Base", "payment_grace_period": -1, "note": "x" * 2001}

    answer = tenant.client.patch("/api/organization/", json=body)

    assert {each["field"] for each in answer.json()["validation_errors"]} == set(body)


@pytest.mark.parametrize(("field", "value"), [("locale", "xx_yy_zz"), ("paper", "a3"), ("organization_name", "")])
def test_a_setting_that_does_not_exist_is_refused(tenant: Tenant, field: str, value: str) -> None:
    answer = tenant.client.patch("/api/organization/", json={field: value})

    assert (answer.status_code, answer.json()["validation_errors"][0]["field"]) == (400, field)


def test_a_plan_that_charges_nothing_issues_no_invoice(sandbox: Tenant) -> None:
    sandbox.plan("free")
    sandbox.customer()
    sandbox.subscribe(plan_id="free", subscription_id="free")
    sandbox.move_clock("2026-03-15T00:00:00Z")

    answer = sandbox.post("/api/cancel_subscription/", {"subscription_id": "free"}, 200)

    assert "invoice_id" not in answer
    assert sandbox.invoices() == []
