"""Credit that expires, rolls over and comes again, and wallets, over HTTP."""

from decimal import Decimal

import msgspec
import pytest

from tests.tenants import Json, Tenant


@pytest.fixture
def acme(sandbox: Tenant) -> Tenant:
    """A sandbox with the customer acme."""
    sandbox.customer()
    return sandbox


def balance(tenant: Tenant) -> Json:
    return tenant.get("/api/customers/acme/")["balance"]


def wallet(tenant: Tenant, **query: Json) -> Json:
    return tenant.get("/api/customers/acme/wallet/", **query)


def put(tenant: Tenant, body: Json, status: int = 200) -> Json:
    response = tenant.client.put("/api/customers/acme/wallet/", content=msgspec.json.encode(body))
    assert response.status_code == status, response.text
    return msgspec.json.decode(response.content)


def test_a_credit_shows_that_it_rolled_over_and_what_was_lost(acme: Tenant) -> None:
    rollover = {"expires_after": "P1M", "max_amount": "4.5"}
    made = acme.post(
        "/api/credits/", {"customer_id": "acme", "amount": 10, "expires_at": "2026-01-10", "rollover": rollover}
    )
    assert made["rollover"] == {"expires_after": "P1M", "max_amount": Decimal("4.5"), "max_times": 1}

    acme.move_clock("2026-01-10")
    old, new = acme.get("/api/credits/")

    assert [(row["to"], row["amount"]) for row in old["drawdowns"]] == [
        ("expired", Decimal("-5.5")),
        ("rolled_over", Decimal("-4.5")),
    ]
    assert (old["status"], old["amount_remaining"]) == ("inactive", 0)
    assert (new["rolled_over_from"], new["amount"], new["expires_at"]) == (
        made["credit_id"],
        Decimal("4.5"),
        "2026-02-10T00:00:00Z",
    )


def test_a_schedule_gives_credit_until_it_is_cancelled(acme: Tenant) -> None:
    body = {"customer_id": "acme", "amount": 3, "recurs": "weekly", "expires_after": "P7D", "starts_at": "2026-01-05"}
    schedule = acme.post("/api/credits/schedules/", body)
    path = f"/api/credits/schedules/{schedule['schedule_id']}/"
    assert (schedule["status"], schedule["next_at"], schedule["given_count"]) == ("active", "2026-01-05T00:00:00Z", 0)

    acme.move_clock("2026-01-20")
    assert balance(acme) == 3
    assert acme.get(path)["given_count"] == 3
    assert {row["schedule_id"] for row in acme.get("/api/credits/")} == {schedule["schedule_id"]}

    canceled = acme.post(f"{path}cancel/", None, 200)
    assert (canceled["status"], canceled["next_at"]) == ("canceled", None)
    assert acme.get("/api/credits/schedules/", customer_id="acme") == [canceled]
    assert acme.post(f"{path}cancel/", None, 400)["title"] == "invalid_state"


def test_every_wrong_field_of_a_schedule_is_named(acme: Tenant) -> None:
    body = {"customer_id": "acme", "recurs": "hourly", "expires_after": "a month", "rollover": {"max_times": 0}}

    problem = acme.post("/api/credits/schedules/", body, 400)

    fields = {(each["field"], each["code"]) for each in problem["validation_errors"]}
    assert fields >= {
        ("amount", "required"),
        ("recurs", "invalid_choice"),
        ("expires_after", "invalid"),
        ("rollover.expires_after", "required"),
    }
    assert acme.get("/api/credits/schedules/none/", 404)["title"] == "credit_schedule_not_found"


def test_a_wallet_asks_for_money_and_has_it_once_it_has_come(acme: Tenant) -> None:
    assert (wallet(acme)["balance"], wallet(acme)["threshold"], wallet(acme)["is_low"]) == (0, None, False)

    (top_up,) = put(acme, {"threshold": 10, "top_up_amount": "25.5", "max_per_month": 100})["pending_top_ups"]
    path = f"/api/customers/acme/wallet/top_ups/{top_up['top_up_id']}/"
    settled = acme.post(f"{path}settle/", None, 200)

    found = wallet(acme)
    assert (found["balance"], found["is_low"], found["pending_top_ups"]) == (Decimal("25.5"), False, [])
    assert [row["credit_id"] for row in found["credits"]] == [settled["credit_id"]]
    assert acme.get(f"/api/credits/{settled['credit_id']}/")["amount_paid"] == Decimal("25.5")
    assert acme.get("/api/customers/acme/wallet/top_ups/") == [settled]
    assert acme.post(f"{path}cancel/", None, 400)["title"] == "invalid_state"


def test_a_wallet_s_settings_are_changed_and_taken_away(acme: Tenant) -> None:
    put(acme, {"threshold": 10, "top_up_amount": 20, "max_per_month": 100, "currency_code": "EUR"})

    changed = acme.patch("/api/customers/acme/wallet/", {"max_per_month": None, "currency_code": "eur"})
    assert (changed["threshold"], changed["max_per_month"], changed["currency"]["code"]) == (10, None, "EUR")
    assert wallet(acme)["threshold"] is None

    gone = acme.client.delete("/api/customers/acme/wallet/", params={"currency_code": "EUR"})
    assert (gone.status_code, gone.json()["threshold"]) == (200, None)


def test_wrong_settings_and_unknown_top_ups_are_refused(acme: Tenant) -> None:
    assert put(acme, {"threshold": 0}, 400)["title"] in {"validation_error", "required"}
    assert wallet_problem(acme, "XXX") == "unknown_currency"
    assert acme.post("/api/customers/acme/wallet/top_ups/none/settle/", None, 404)["title"] == "top_up_not_found"
    assert acme.get("/api/customers/nobody/wallet/", 404)["title"] == "customer_not_found"


def wallet_problem(tenant: Tenant, code: str) -> str:
    title: str = tenant.get("/api/customers/acme/wallet/", 400, currency_code=code)["title"]
    return title
