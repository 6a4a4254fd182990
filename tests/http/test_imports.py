"""Imports over HTTP: a file in parts, what becomes of it, and who may not."""

import time
from typing import Any

import pytest

from lotus_server.domain.accounts import Scope
from lotus_server.usecases.organizations import create_api_key
from lotus_server.usecases.services import Services
from tests.server_process import ServerProcess
from tests.tenants import Json, Tenant

SECONDS_MAX = 60
TABLE = b"id,name,email\nada,Ada,ada@example.com\nbob,Bob,none\n"


def put(tenant: Tenant, import_id: str, content: bytes, status: int = 200, **query: Json) -> Json:
    answer = tenant.client.put(f"/api/imports/{import_id}/file/", params=query, content=content)
    assert answer.status_code == status, answer.text
    return answer.json()


def sent(tenant: Tenant, kind: str, content: bytes, **form: Json) -> str:
    """The id of an import whose file has come."""
    made = tenant.post("/api/imports/", {"kind": kind, "file_name": "a.csv", **form})
    put(tenant, made["import_id"], content, is_last="true")
    import_id: str = made["import_id"]
    return import_id


def ended(tenant: Tenant, import_id: str) -> dict[str, Any]:
    """The import once nothing is under way any more."""
    give_up_at = time.monotonic() + SECONDS_MAX
    while True:
        found: dict[str, Any] = tenant.get(f"/api/imports/{import_id}/")
        if found["state"] not in {"waiting", "running"}:
            return found
        assert time.monotonic() < give_up_at, found
        time.sleep(0.05)


def test_customers_are_imported_from_a_table(tenant: Tenant) -> None:
    import_id = sent(tenant, "customers", TABLE)
    ready = tenant.get(f"/api/imports/{import_id}/")
    assert (ready["state"], ready["format"], ready["delimiter"]) == ("ready", "csv", ",")
    assert [each["field"] for each in ready["columns"]] == ["customer_id", "customer_name", "email"]

    tenant.post(f"/api/imports/{import_id}/start/", status=200)
    done = ended(tenant, import_id)
    counts = {name: done[f"rows_{name}"] for name in ("read", "made", "changed", "unchanged", "refused")}
    assert (done["state"], counts) == (
        "done",
        {"read": 2, "made": 1, "changed": 0, "unchanged": 0, "refused": 1},
    )
    assert (done["share_read"], done["seconds_left"]) == (1, None)
    assert tenant.get("/api/customers/ada/")["customer_name"] == "Ada"
    assert tenant.get("/api/imports/") == [done]


def test_refused_rows_are_told_as_json_and_as_a_table(tenant: Tenant) -> None:
    import_id = sent(tenant, "customers", TABLE + b"cid,C,none\n")
    tenant.post(f"/api/imports/{import_id}/start/", status=200)
    ended(tenant, import_id)

    (row,) = tenant.get(f"/api/imports/{import_id}/refused/", limit=1)
    assert row == {
        "row": 2,
        "line": 3,
        "values": {"id": "bob", "name": "Bob", "email": "none"},
        "text": None,
        "problems": ["email must be an e-mail address."],
    }
    answer = tenant.client.get(f"/api/imports/{import_id}/refused/", params={"limit": 1})
    following = tenant.client.get(answer.links["next"]["url"]).json()
    assert [each["line"] for each in following] == [4]
    table = tenant.client.get(f"/api/imports/{import_id}/refused/", params={"form": "csv"})
    assert table.headers["content-type"].startswith("text/csv")
    assert table.text.splitlines()[:2] == [
        "lotus_line,lotus_problems,id,name,email",
        "3,email must be an e-mail address.,bob,Bob,none",
    ]


def test_events_come_in_parts_and_count(tenant: Tenant) -> None:
    made = tenant.post("/api/imports/", {"kind": "events", "file_name": "e.jsonl"})
    lines = [
        b'{"event_name":"call","customer_id":"acme","idempotency_id":"e%d","time_created":"2026-01-01"}\n' % n
        for n in range(20)
    ]
    content = b"".join(lines)
    for start in range(0, len(content), 300):
        put(tenant, made["import_id"], content[start : start + 300], start=start)
    put(tenant, made["import_id"], b"", start=len(content), is_last="true")
    tenant.post(f"/api/imports/{made['import_id']}/start/", status=200)

    assert ended(tenant, made["import_id"])["rows_made"] == 20
    assert len(tenant.get("/api/events/", limit=100)) == 20


def test_a_check_does_nothing_and_a_preview_shows_what_would_be(tenant: Tenant) -> None:
    import_id = sent(tenant, "customers", TABLE, existing="change")
    preview = tenant.get(f"/api/imports/{import_id}/preview/")
    assert preview["rows"][0]["payload"] == {
        "customer_id": "ada", "customer_name": "Ada", "email": "ada@example.com"
    }  # fmt: skip
    assert (preview["rows_judged"], preview["rows_refused"]) == (2, 1)

    tenant.post(f"/api/imports/{import_id}/check/", status=200)
    checked = ended(tenant, import_id)
    assert (checked["state"], checked["is_check"], checked["rows_refused"]) == ("ready", True, 1)
    tenant.get("/api/customers/ada/", 404)


def test_columns_can_be_changed_before_the_start(tenant: Tenant) -> None:
    import_id = sent(tenant, "customers", b"id,tier\nada,gold\n")
    path = f"/api/imports/{import_id}/"
    wrong = tenant.patch(path, {"columns": [{"name": "tier", "field": "nonsense"}]}, 400)
    assert wrong["title"] == "invalid_choice"
    tenant.patch(path, {"columns": [{"name": "tier", "field": "properties.tier"}]})
    tenant.post(f"{path}start/", status=200)
    ended(tenant, import_id)

    assert tenant.get("/api/customers/ada/")["properties"] == {"tier": "gold"}
    assert tenant.patch(path, {"existing": "change"}, 409)["title"] == "import_not_ready"


def test_a_file_that_is_none_is_refused_with_the_reason(tenant: Tenant) -> None:
    made = tenant.post("/api/imports/", {"kind": "customers"})
    answer = put(tenant, made["import_id"], b"PK\x03\x04", 400, is_last="true")

    assert (answer["title"], answer["validation_errors"][0]["field"]) == ("not_text", "file")
    stopped = tenant.post(f"/api/imports/{made['import_id']}/stop/", status=200)
    assert stopped["state"] == "stopped"


def test_a_part_beyond_a_gap_is_refused(tenant: Tenant) -> None:
    made = tenant.post("/api/imports/", {"kind": "customers"})

    assert put(tenant, made["import_id"], b"x", 409, start=5)["title"] == "part_out_of_order"


def test_all_problems_of_a_request_are_told_at_once(tenant: Tenant) -> None:
    problem = tenant.post("/api/imports/", {"kind": "plans", "existing": "burn", "file_name": "\x07"}, 400)

    assert {each["field"] for each in problem["validation_errors"]} == {"kind", "existing", "file_name"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "preview/"),
        ("GET", "refused/"),
        ("PUT", "file/"),
        ("PATCH", ""),
        ("POST", "check/"),
        ("POST", "start/"),
        ("POST", "stop/"),
    ],
)
def test_an_import_of_others_is_not_there(tenant: Tenant, other_tenant: Tenant, method: str, path: str) -> None:
    import_id = sent(tenant, "customers", TABLE)
    answer = other_tenant.client.request(method, f"/api/imports/{import_id}/{path}", content=b"{}")

    assert (answer.status_code, answer.json()["title"]) == (404, "import_not_found")
    assert other_tenant.get("/api/imports/") == []


def test_a_key_that_only_reads_starts_nothing(tenant: Tenant, server: ServerProcess, services: Services) -> None:
    with services.records.snapshot() as tx:
        organization = tx.organizations.get(tenant.organization_id)
    assert organization is not None
    key = create_api_key(services, organization, name="reader", scope=Scope.READ)
    with server.new_client(key.api_key) as reader:
        assert reader.get("/api/imports/").status_code == 200
        assert reader.post("/api/imports/", json={"kind": "customers"}).status_code == 403


def test_who_imported_is_in_the_audit_log(tenant: Tenant) -> None:
    import_id = sent(tenant, "customers", TABLE)
    tenant.post(f"/api/imports/{import_id}/start/", status=200)
    ended(tenant, import_id)

    entries = tenant.get("/api/audit/")
    assert {(each["object_type"], each["author"]["type"]) for each in entries} == {
        ("import", "api_key"),
        ("customer", "api_key"),
    }
