"""`/api/audit/`: what programs changed, and who may read it."""

from tests.server_process import ServerProcess, run_lotus
from tests.tenants import Tenant


def test_a_change_is_told_with_the_key_the_call_and_the_fields(tenant: Tenant) -> None:
    tenant.customer("acme")
    tenant.patch("/api/customers/acme/", {"customer_name": "Acme & Co"})

    changed, made = tenant.get("/api/audit/")
    assert changed["author"]["type"] == "api_key"
    assert changed["author"]["name"] == "First key"
    assert (changed["action"], changed["object_type"], changed["object_id"]) == (
        "PATCH /api/customers/{customer_id}/",
        "customer",
        "acme",
    )
    assert changed["changes"] == [{"field": "customer_name", "before": "Acme Inc.", "after": "Acme & Co"}]
    assert (made["is_new"], changed["is_new"], changed["is_gone"]) == (True, False, False)


def test_the_log_is_paged_by_a_link(tenant: Tenant) -> None:
    for number in range(3):
        tenant.customer(f"c{number}")
    first = tenant.client.get("/api/audit/", params={"limit": 2, "object_type": "customer"})
    second = tenant.client.get(first.links["next"]["url"])

    assert [row["object_id"] for row in first.json() + second.json()] == ["c2", "c1", "c0"]
    assert "next" not in second.links


def test_conditions_are_those_of_the_query(tenant: Tenant) -> None:
    tenant.customer("acme")
    (entry,) = tenant.get("/api/audit/")

    assert tenant.get("/api/audit/", object_id="acme", object_type="customer") == [entry]
    assert tenant.get("/api/audit/", author_id=entry["author"]["id"]) == [entry]
    assert tenant.get("/api/audit/", author_id="another") == []
    assert tenant.get("/api/audit/", until=entry["time"]) == []
    assert tenant.get("/api/audit/", since=entry["time"]) == [entry]


def test_a_time_that_is_none_is_refused(tenant: Tenant) -> None:
    problem = tenant.get("/api/audit/", 400, since="yesterday", until="tomorrow")

    assert [each["field"] for each in problem["validation_errors"]] == ["since", "until"]


def test_events_that_come_in_leave_no_note(tenant: Tenant) -> None:
    event = {
        "event_name": "call",
        "customer_id": "acme",
        "idempotency_id": "e1",
        "time_created": "2026-01-01T00:00:00Z",
    }
    tenant.client.post("/api/track/", json=event).raise_for_status()

    assert tenant.get("/api/audit/") == []


def test_the_log_of_another_organization_is_not_shown(tenant: Tenant, other_tenant: Tenant) -> None:
    tenant.customer("acme")

    assert other_tenant.get("/api/audit/") == []
    assert other_tenant.get("/api/audit/", object_id="acme") == []


def test_a_key_that_only_sends_events_may_not_read_the_log(tenant: Tenant, server: ServerProcess) -> None:
    keys = {scope: tenant.post("/api/api_keys/", {"name": scope, "scope": scope}) for scope in ("ingest", "read")}

    answers = {}
    for scope, key in keys.items():
        with server.new_client(key["api_key"]) as client:
            answers[scope] = client.get("/api/audit/").status_code
    assert answers == {"ingest": 403, "read": 200}
    assert keys["read"]["api_key"] not in str(tenant.get("/api/audit/"))


def test_what_a_command_changes_is_told_with_its_name(tenant: Tenant, server: ServerProcess) -> None:
    options = ("--data", str(server.data), "--organization", tenant.organization_id)
    made = run_lotus("keys", "create", "Worker", *options)
    assert made.returncode == 0, made.stderr

    (entry,) = tenant.get("/api/audit/")
    assert entry["author"] == {"type": "command", "id": "lotus keys create", "name": "lotus keys create"}
    assert made.stdout.strip() not in str(entry)
