"""Who may do what: keys, their scopes and their end, and the wall between organizations."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from lotus_server.settings import Settings
from tests.server_process import ServerProcess, run_lotus
from tests.tenants import Tenant


def make_key(tenant: Tenant, scope: str) -> tuple[str, str]:
    made = tenant.post("/api/api_keys/", {"name": f"for {scope}", "scope": scope})
    return made["key_id"], made["api_key"]


@pytest.mark.parametrize("key", [None, "", "wrong", "wrong.wronger", "é"])
def test_without_a_valid_key_nothing_is_served(server: ServerProcess, key: str | None) -> None:
    headers = [] if key is None else [(b"X-API-KEY", key.encode())]
    with server.new_client(None) as client:
        for method, path in (("GET", "/api/customers/"), ("POST", "/api/track/"), ("GET", "/api/customer_access/")):
            response = client.request(method, path, headers=headers)

            assert (response.status_code, response.json()["title"]) == (401, "authentication_failed")
            assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/api/nothing/", "/api/customers/acme/nothing/"])
def test_an_unknown_path_is_not_told_to_those_without_a_key(server: ServerProcess, path: str) -> None:
    with server.new_client(None) as client:
        assert client.get(path).status_code == 401


@pytest.mark.parametrize(
    ("scope", "statuses"),
    [("full", (201, 200, 201)), ("ingest", (201, 403, 403)), ("read", (403, 200, 403))],
)
def test_a_scope_allows_its_own_calls_only(
    tenant: Tenant, server: ServerProcess, scope: str, statuses: tuple[int, int, int]
) -> None:
    ingests, reads, writes = statuses
    tenant.customer("acme")
    _, api_key = make_key(tenant, scope)

    with server.new_client(api_key) as client:
        assert client.post("/api/track/", json=tenant.event()).status_code == ingests
        assert client.get("/api/customers/").status_code == reads
        assert client.get("/api/customer_access/?customer_id=acme&event_name=x").status_code == reads
        assert client.post("/api/customers/", json={"customer_id": "new"}).status_code == writes


def test_a_revoked_key_opens_nothing_from_then_on(tenant: Tenant, server: ServerProcess) -> None:
    key_id, api_key = make_key(tenant, "full")
    with server.new_client(api_key) as client:
        before = client.get("/api/ping/").status_code
        tenant.post(f"/api/api_keys/{key_id}/revoke/", None, 200)

        assert (before, client.get("/api/ping/").status_code) == (200, 401)


def test_a_key_revoked_on_the_command_line_opens_nothing_from_then_on(tenant: Tenant, server: ServerProcess) -> None:
    key_id, api_key = make_key(tenant, "full")
    with server.new_client(api_key) as client:
        before = client.get("/api/ping/").status_code
        done = run_lotus("keys", "revoke", key_id, "--data", str(server.data), "--organization", tenant.organization_id)

        assert done.returncode == 0, done.stderr
        assert (before, client.get("/api/ping/").status_code) == (200, 401)


def test_a_key_made_on_the_command_line_opens_at_once(tenant: Tenant, server: ServerProcess) -> None:
    made = run_lotus("keys", "create", "app", "--data", str(server.data), "--organization", tenant.organization_id)

    with server.new_client(made.stdout.strip()) as client:
        assert client.get("/api/ping/").json() == {"organization_id": tenant.organization_id}


def test_keys_are_listed_without_the_keys_themselves(tenant: Tenant) -> None:
    _, api_key = make_key(tenant, "read")

    rows = tenant.get("/api/api_keys/")

    assert [row["scope"] for row in rows] == ["full", "read"]
    assert api_key not in str(rows)


def test_revoking_twice_changes_nothing(tenant: Tenant) -> None:
    key_id, _ = make_key(tenant, "read")

    first = tenant.post(f"/api/api_keys/{key_id}/revoke/", None, 200)
    second = tenant.post(f"/api/api_keys/{key_id}/revoke/", None, 200)

    assert first == second


def filled(tenant: Tenant) -> dict[str, str]:
    """Make one of everything; return the ids by kind."""
    tenant.customer("acme")
    tenant.metric("calls")
    tenant.feature("sso")
    tenant.plan("pro", recurring_charges=[{"name": "Fee", "amount": 5}])
    tenant.subscribe(subscription_id="mine", start_date=f"{datetime.now(UTC):%Y-%m-%d}")
    (invoice,) = tenant.invoices()
    key_id, _ = make_key(tenant, "read")
    tenant.track({**tenant.event("calls"), "idempotency_id": "sent"})
    tenant.post("/api/coupons/", {"coupon_id": "HALF", "name": "Half", "type": "percentage", "amount": 50})
    tenant.post("/api/addons/", {"addon_id": "extra", "addon_name": "Extra", "billing_frequency": "one_time"})
    discount = tenant.post("/api/customers/acme/discounts/", {"coupon_id": "HALF"})
    note = tenant.post("/api/credit_notes/", {"invoice_id": invoice["invoice_id"], "reason": "Sorry"})
    schedule = tenant.post("/api/credits/schedules/", {"customer_id": "acme", "amount": 1, "recurs": "yearly"})
    credit = tenant.post("/api/credits/", {"customer_id": "acme", "amount": 1})
    wallet = {"threshold": 100, "top_up_amount": 50}
    assert tenant.client.put("/api/customers/acme/wallet/", json=wallet).is_success
    return {
        "invoice": invoice["invoice_id"],
        "key": key_id,
        "version": tenant.get("/api/plans/pro/")["versions"][0]["version_id"],
        "discount": discount["discount_id"],
        "note": note["credit_note_id"],
        "schedule": schedule["schedule_id"],
        "credit": credit["credit_id"],
        "import": tenant.post("/api/imports/", {"kind": "customers"})["import_id"],
    }


FOREIGN: list[tuple[str, str, Callable[[dict[str, str]], object]]] = [
    ("GET", "/api/customers/acme/", lambda ids: None),
    ("GET", "/api/customers/acme/draft_invoice/", lambda ids: None),
    ("GET", "/api/customer_detail/?customer_id=acme", lambda ids: None),
    ("GET", "/api/draft_invoice/?customer_id=acme", lambda ids: None),
    ("GET", "/api/customer_access/?customer_id=acme&event_name=calls", lambda ids: None),
    ("GET", "/api/metric_access/?customer_id=acme&metric_id=calls", lambda ids: None),
    ("GET", "/api/feature_access/?customer_id=acme&feature_id=sso_id", lambda ids: None),
    ("GET", "/api/customer_metric_access/?customer_id=acme&event_name=calls", lambda ids: None),
    ("GET", "/api/customer_feature_access/?customer_id=acme&feature_name=sso", lambda ids: None),
    ("GET", "/api/plans/pro/", lambda ids: None),
    ("POST", "/api/plans/pro/archive/", lambda ids: {}),
    ("POST", "/api/plans/pro/versions/", lambda ids: {"currency": "EUR"}),
    ("GET", "/api/metrics/calls/", lambda ids: None),
    ("POST", "/api/metrics/calls/archive/", lambda ids: {}),
    ("PATCH", "/api/metrics/calls/", lambda ids: {"metric_name": "Mine"}),
    ("POST", "/api/metrics/calls/versions/", lambda ids: {"event_name": "e", "aggregation_type": "count"}),
    ("GET", "/api/customers/acme/usage/?metric_id=calls", lambda ids: None),
    (
        "POST",
        "/api/metrics/preview/",
        lambda ids: {"event_name": "e", "aggregation_type": "count", "customer_id": "acme"},
    ),
    ("GET", "/api/features/sso_id/", lambda ids: None),
    ("POST", "/api/features/sso_id/archive/", lambda ids: {}),
    ("GET", "/api/subscriptions/mine/", lambda ids: None),
    ("PATCH", "/api/subscriptions/mine/", lambda ids: {"auto_renew": False}),
    ("POST", "/api/subscriptions/mine/update/", lambda ids: {"turn_off_auto_renew": True}),
    ("POST", "/api/subscriptions/mine/cancel/", lambda ids: {}),
    ("POST", "/api/subscriptions/mine/pause/", lambda ids: {}),
    ("POST", "/api/subscriptions/mine/resume/", lambda ids: {}),
    ("POST", "/api/subscriptions/cancel/?customer_id=acme&plan_id=pro", lambda ids: {}),
    ("POST", "/api/cancel_subscription/", lambda ids: {"subscription_id": "mine"}),
    (
        "POST",
        "/api/subscriptions/",
        lambda ids: {"customer_id": "acme", "billing_plan_id": "pro", "start_date": "2026-01-01"},
    ),
    ("GET", "/api/invoices/{invoice}/", lambda ids: None),
    ("PATCH", "/api/invoices/{invoice}/", lambda ids: {"payment_status": "paid"}),
    ("POST", "/api/invoices/{invoice}/finalize/", lambda ids: {}),
    ("GET", "/api/invoices/{invoice}/pdf/", lambda ids: None),
    ("POST", "/api/invoices/{invoice}/void/", lambda ids: {}),
    ("POST", "/api/credit_notes/", lambda ids: {"invoice_id": ids["invoice"], "reason": "theirs"}),
    ("PATCH", "/api/customers/acme/", lambda ids: {"customer_name": "Other"}),
    ("POST", "/api/api_keys/{key}/revoke/", lambda ids: {}),
    ("GET", "/api/customers/acme/draft_invoice/pdf/", lambda ids: None),
    ("GET", "/api/customers/acme/corrections/", lambda ids: None),
    ("POST", "/api/customers/acme/corrections/", lambda ids: {}),
    ("POST", "/api/customers/acme/portal_link/", lambda ids: {}),
    ("GET", "/api/customers/acme/pending_lines/", lambda ids: None),
    ("POST", "/api/customers/acme/pending_lines/invoice_now/", lambda ids: {}),
    ("GET", "/api/customers/acme/discounts/", lambda ids: None),
    ("POST", "/api/customers/acme/discounts/", lambda ids: {"name": "x", "type": "percentage", "amount": 1}),
    ("POST", "/api/customers/acme/discounts/{discount}/end/", lambda ids: {}),
    ("GET", "/api/customers/acme/wallet/", lambda ids: None),
    ("PUT", "/api/customers/acme/wallet/", lambda ids: {"threshold": 1, "top_up_amount": 2}),
    ("PATCH", "/api/customers/acme/wallet/", lambda ids: {"threshold": 1}),
    ("DELETE", "/api/customers/acme/wallet/", lambda ids: None),
    ("GET", "/api/customers/acme/wallet/top_ups/", lambda ids: None),
    ("POST", "/api/customers/acme/wallet/top_ups/any/settle/", lambda ids: {}),
    ("POST", "/api/customers/acme/wallet/top_ups/any/cancel/", lambda ids: {}),
    ("GET", "/api/events/sent/", lambda ids: None),
    ("POST", "/api/coupons/HALF/archive/", lambda ids: {}),
    ("POST", "/api/invoices/", lambda ids: {"customer_id": "acme", "lines": [{"name": "x", "amount": 1}]}),
    ("GET", "/api/invoices/{invoice}/xml/", lambda ids: None),
    ("GET", "/api/invoices/{invoice}/explain/", lambda ids: None),
    ("GET", "/api/credit_notes/{note}/", lambda ids: None),
    ("GET", "/api/credit_notes/{note}/pdf/", lambda ids: None),
    ("GET", "/api/credit_notes/{note}/xml/", lambda ids: None),
    ("GET", "/api/credits/{credit}/", lambda ids: None),
    ("POST", "/api/credits/{credit}/update/", lambda ids: {"description": "theirs"}),
    ("POST", "/api/credits/{credit}/void/", lambda ids: {}),
    ("GET", "/api/credits/schedules/{schedule}/", lambda ids: None),
    ("POST", "/api/credits/schedules/{schedule}/cancel/", lambda ids: {}),
    ("GET", "/api/addons/extra/", lambda ids: None),
    ("POST", "/api/addons/extra/archive/", lambda ids: {}),
    ("PATCH", "/api/plans/pro/", lambda ids: {"plan_name": "Theirs"}),
    ("PATCH", "/api/plans/pro/versions/{version}/", lambda ids: {"localized_name": "Theirs"}),
    ("POST", "/api/plans/pro/versions/{version}/replace/", lambda ids: {}),
    ("POST", "/api/plans/pro/versions/{version}/replace_preview/", lambda ids: {}),
    ("POST", "/api/subscriptions/mine/preview/", lambda ids: {"action": "cancel"}),
    ("GET", "/api/subscriptions/mine/next_invoice/", lambda ids: None),
    ("POST", "/api/subscriptions/mine/finalize/", lambda ids: {}),
    ("POST", "/api/subscriptions/mine/retry/", lambda ids: {}),
    ("POST", "/api/subscriptions/mine/switch_plan/", lambda ids: {"switch_plan_id": "pro"}),
    ("POST", "/api/subscriptions/mine/quantities/", lambda ids: {"charge": "Fee", "quantity": 2}),
    ("POST", "/api/subscriptions/mine/components/calls/change_prepaid_units/", lambda ids: {"units": 2}),
    ("POST", "/api/subscriptions/mine/addons/attach/", lambda ids: {"addon_id": "extra"}),
    ("POST", "/api/subscriptions/mine/addons/extra/cancel/", lambda ids: {}),
    ("GET", "/api/imports/{import}/", lambda ids: None),
    ("PATCH", "/api/imports/{import}/", lambda ids: {"existing": "leave"}),
    ("PUT", "/api/imports/{import}/file/?is_last=true", lambda ids: {}),
    ("GET", "/api/imports/{import}/preview/", lambda ids: None),
    ("POST", "/api/imports/{import}/check/", lambda ids: None),
    ("POST", "/api/imports/{import}/start/", lambda ids: None),
    ("POST", "/api/imports/{import}/stop/", lambda ids: None),
    ("GET", "/api/imports/{import}/refused/", lambda ids: None),
]


def test_every_path_that_names_a_thing_is_tried_by_another_organization(tenant: Tenant) -> None:
    described = tenant.get("/openapi.json")["paths"]
    tried = [(method, path.partition("?")[0]) for method, path, _ in FOREIGN]
    untried = [
        f"{method.upper()} {path}"
        for path, item in described.items()
        if "{" in path
        for method in item
        if not any(
            method.upper() == other and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", path), tried_path)
            for other, tried_path in tried
        )
    ]

    assert untried == []


def test_what_belongs_to_another_organization_does_not_exist(tenant: Tenant, other_tenant: Tenant) -> None:
    ids = filled(tenant)
    before = everything(tenant)

    answers = {
        f"{method} {path}": other_tenant.client.request(method, path.format(**ids), json=body(ids)).status_code
        for method, path, body in FOREIGN
    }

    assert {name: status for name, status in answers.items() if status != 404} == {}
    assert everything(tenant) == before


def test_lists_show_nothing_of_another_organization(tenant: Tenant, other_tenant: Tenant) -> None:
    filled(tenant)

    shown = [other_tenant.get(f"/api/{name}/") for name in LISTS]

    assert shown == [[] for _ in LISTS]


LISTS = (
    "customers",
    "plans",
    "metrics",
    "features",
    "subscriptions",
    "invoices",
    "credit_notes",
    "credits",
    "credits/schedules",
    "coupons",
    "addons",
    "events",
    "events/rejected",
    "imports",
)


def everything(tenant: Tenant) -> list[object]:
    rows = [tenant.get(f"/api/{name}/") for name in LISTS]
    keys = [{**row, "last_used": None} for row in tenant.get("/api/api_keys/")]
    return [*rows, keys]


def test_two_organizations_may_use_the_same_ids(tenant: Tenant, other_tenant: Tenant) -> None:
    filled(tenant)

    filled(other_tenant)

    assert other_tenant.get("/api/subscriptions/mine/")["status"] == "active"


def test_the_last_use_of_a_key_is_kept(tmp_path_factory: pytest.TempPathFactory) -> None:
    data = tmp_path_factory.mktemp("keys") / "data"
    with ServerProcess(data) as server:
        assert server.client.get("/api/ping/").status_code == 200

    shown = run_lotus("keys", "list", "--data", str(Settings(data=data).data)).stdout

    assert "never" not in shown
