"""What old clients and strange proxies do to a request without meaning anything by it."""

import gzip
import json

import pytest

from tests.server_process import ServerProcess
from tests.tenants import Tenant


@pytest.mark.parametrize(
    "path",
    [
        "/api/customers/",
        "/api/customers",
        "//api/customers/",
        "/api//customers//",
        "//api//customers",
        "/api/customers//",
    ],
)
def test_slashes_may_be_missing_or_doubled(tenant: Tenant, server: ServerProcess, path: str) -> None:
    tenant.customer()

    response = tenant.client.get(f"{server.url}{path}")

    assert (response.status_code, len(response.json())) == (200, 1)


@pytest.mark.parametrize("path", ["/api/track", "//api/track/"])
def test_slashes_of_the_hot_calls_may_be_missing_or_doubled(tenant: Tenant, server: ServerProcess, path: str) -> None:
    response = tenant.client.post(f"{server.url}{path}", json=tenant.event())

    assert response.status_code == 201


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER"])
def test_a_key_may_be_a_bearer_token(tenant: Tenant, server: ServerProcess, kind: str) -> None:
    with server.new_client(None) as client:
        response = client.get("/api/ping/", headers={"Authorization": f"{kind} {tenant.api_key}"})

    assert response.json() == {"organization_id": tenant.organization_id}


def test_unknown_keys_of_bodies_and_queries_are_ignored(tenant: Tenant) -> None:
    noise = {"$type": "create_customer", "library": "x", "nested": {"a": [1, {"b": None}]}}

    made = tenant.post("/api/customers/", {"customer_id": "acme", **noise})

    assert made["customer_id"] == "acme"
    assert len(tenant.get("/api/customers/", library="x", sentAt="now")) == 1


def test_the_path_decides_and_not_the_content_type(tenant: Tenant) -> None:
    content = json.dumps({"customer_id": "acme"})

    response = tenant.client.post("/api/customers/", content=content, headers={"Content-Type": "text/plain"})

    assert response.status_code == 201


def test_bodies_may_be_packed_with_gzip(tenant: Tenant) -> None:
    body = gzip.compress(json.dumps({"customer_id": "acme"}).encode())

    response = tenant.client.post("/api/customers/", content=body, headers={"Content-Encoding": "gzip"})

    assert response.status_code == 201


def test_a_gzip_body_may_have_several_members(tenant: Tenant) -> None:
    body = gzip.compress(b'{"customer_id"') + gzip.compress(b': "acme"}')

    response = tenant.client.post("/api/customers/", content=body, headers={"Content-Encoding": "gzip"})

    assert response.json()["customer_id"] == "acme"


def test_a_post_without_a_body_is_an_empty_object(tenant: Tenant) -> None:
    request = tenant.client.build_request("POST", "/api/customers/")

    problem = tenant.client.send(request).json()

    assert [each["field"] for each in problem["validation_errors"]] == ["customer_id"]


def test_numbers_may_be_texts(tenant: Tenant) -> None:
    tenant.metric()
    price = {"model": "per_unit", "unit_price": "0.10", "free_units": " 7 "}

    plan = tenant.plan(components=[{"metric_id": "calls", "price": price, "limit": "20"}])

    (component,) = plan["components"]
    assert (component["limit"], component["price"]["free_units"]) == (20, 7)


def test_the_health_check_needs_no_key(server: ServerProcess) -> None:
    with server.new_client(None) as client:
        response = client.get("/api/healthcheck")

    assert (response.status_code, response.json()) == (200, {})


def test_every_answer_has_an_id_of_its_own(tenant: Tenant) -> None:
    ids = {tenant.client.get("/api/ping/").headers["x-request-id"] for _ in range(3)}

    assert len(ids) == 3


@pytest.mark.parametrize("name", ["a b", "ünïcode", "100%", "a?b", "a&b=c", "a#b", "plus+plus", "a;b", "q\"uote'"])
def test_ids_may_have_any_letters_and_punctuation(tenant: Tenant, name: str) -> None:
    tenant.customer(name)

    assert tenant.get("/api/customer_detail/", customer_id=name)["customer_id"] == name
    assert tenant.access(name, event_name="x")["access"] is False


@pytest.mark.parametrize("name", ["a b", "ünïcode", "100%", "plus+plus", "a;b", "a/b", "a//b", "/", "a%2Fb"])
def test_ids_in_paths_are_read_as_they_were_encoded(tenant: Tenant, server: ServerProcess, name: str) -> None:
    tenant.customer(name)
    encoded = "".join(f"%{byte:02X}" for byte in name.encode())

    response = tenant.client.get(f"{server.url}/api/customers/{encoded}/")

    assert (response.status_code, response.json().get("customer_id")) == (200, name)
