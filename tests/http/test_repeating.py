"""Requests that are sent again, and lists that are read page by page."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.server_process import ServerProcess
from tests.tenants import Tenant

KEY = {"Idempotency-Key": "once"}


def test_a_repeated_request_gets_the_first_answer_and_does_nothing(tenant: Tenant) -> None:
    first = tenant.client.post("/api/customers/", json={"customer_id": "acme"}, headers=KEY)
    second = tenant.client.post("/api/customers/", json={"customer_id": "acme"}, headers=KEY)

    assert (first.status_code, second.status_code, first.content == second.content) == (201, 201, True)
    assert second.headers["idempotent-replayed"] == "true"
    assert len(tenant.get("/api/customers/")) == 1


def test_a_refusal_is_repeated_as_a_refusal(tenant: Tenant) -> None:
    first = tenant.client.post("/api/customers/", json={}, headers=KEY)
    second = tenant.client.post("/api/customers/", json={}, headers=KEY)

    assert (second.status_code, second.content) == (400, first.content)
    assert second.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "body"),
    [("/api/customers/", {"customer_id": "another"}), ("/api/features/", {"customer_id": "acme"})],
)
def test_a_key_cannot_be_used_for_another_request(tenant: Tenant, path: str, body: dict[str, str]) -> None:
    tenant.client.post("/api/customers/", json={"customer_id": "acme"}, headers=KEY)

    response = tenant.client.post(path, json=body, headers=KEY)

    assert (response.status_code, response.json()["title"]) == (409, "idempotency_key_reused")


def test_the_keys_of_two_organizations_are_their_own(tenant: Tenant, other_tenant: Tenant) -> None:
    tenant.client.post("/api/customers/", json={"customer_id": "one"}, headers=KEY)

    response = other_tenant.client.post("/api/customers/", json={"customer_id": "two"}, headers=KEY)

    assert response.json()["customer_id"] == "two"


def test_the_same_request_many_times_at_once_is_carried_out_once(sandbox: Tenant) -> None:
    sandbox.plan(recurring_charges=[{"name": "Fee", "amount": "10"}])
    sandbox.customer()
    body = {"customer_id": "acme", "billing_plan_id": "pro", "start_date": "2026-01-01"}

    def send(_: int) -> httpx.Response:
        return sandbox.client.post("/api/subscriptions/", json=body, headers=KEY)

    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(send, range(16)))

    assert {response.status_code for response in responses} == {201}
    assert len({response.content for response in responses}) == 1
    assert len(sandbox.invoices()) == 1


def test_an_answer_is_not_given_again_to_an_api_key_of_another_scope(tenant: Tenant, server: ServerProcess) -> None:
    body = {"customer_id": "acme"}
    assert tenant.client.post("/api/customers/", json=body, headers=KEY).status_code == 201
    reading = tenant.post("/api/api_keys/", {"name": "reader", "scope": "read"})["api_key"]

    with server.new_client(reading) as client:
        answer = client.post("/api/customers/", json=body, headers=KEY)

    assert (answer.status_code, answer.json()["title"]) == (409, "idempotency_key_reused")


def test_a_refusal_for_lack_of_scope_is_not_kept(tenant: Tenant, server: ServerProcess) -> None:
    reading = tenant.post("/api/api_keys/", {"name": "reader", "scope": "read"})["api_key"]
    with server.new_client(reading) as client:
        assert client.post("/api/customers/", json={"customer_id": "acme"}, headers=KEY).status_code == 403

    answer = tenant.client.post("/api/customers/", json={"customer_id": "acme"}, headers=KEY)

    assert answer.status_code == 201


def test_an_answer_that_shows_a_new_api_key_is_never_kept(tenant: Tenant) -> None:
    body = {"name": "second", "scope": "full"}

    first, second = (tenant.client.post("/api/api_keys/", json=body, headers=KEY) for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["api_key"] != second.json()["api_key"]


def test_a_key_has_a_limit_of_length(tenant: Tenant) -> None:
    accepted = tenant.client.post("/api/customers/", json={"customer_id": "a"}, headers={"Idempotency-Key": "k" * 255})
    refused = tenant.client.post("/api/customers/", json={"customer_id": "b"}, headers={"Idempotency-Key": "k" * 256})

    assert (accepted.status_code, refused.status_code) == (201, 400)


def pages(tenant: Tenant, path: str, limit: int) -> list[list[dict[str, str]]]:
    """The bodies of all pages, as the Link headers lead to them."""
    found, url = [], f"{path}?limit={limit}"
    while url:
        response = tenant.client.get(url)
        assert response.status_code == 200, response.text
        found.append(response.json())
        url = response.links.get("next", {}).get("url", "")
    return found


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("customers", "customer_id"),
        ("plans", "plan_id"),
        ("metrics", "metric_id"),
        ("features", "feature_id"),
        ("subscriptions", "subscription_id"),
        ("invoices", "invoice_id"),
    ],
)
def test_pages_have_every_row_once_and_in_the_order_of_the_whole_list(sandbox: Tenant, name: str, key: str) -> None:
    for number in range(5):
        sandbox.customer(f"customer {number}")
        sandbox.metric(f"metric_{number}")
        sandbox.feature(f"feature_{number}")
        sandbox.plan(f"plan_{number}", recurring_charges=[{"name": "Fee", "amount": 1}])
        sandbox.subscribe(f"customer {number}", f"plan_{number}")
    whole = sandbox.get(f"/api/{name}/")

    found = pages(sandbox, f"/api/{name}/", 2)

    assert [row[key] for page in found for row in page] == [row[key] for row in whole]
    assert [len(page) for page in found] == [2, 2, 1]


def test_a_list_without_a_limit_is_whole(tenant: Tenant) -> None:
    response = tenant.client.get("/api/customers/")

    assert (response.json(), response.links) == ([], {})


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "many", "1.5", ""])
def test_a_wrong_limit_is_refused(tenant: Tenant, limit: str) -> None:
    problem = tenant.get("/api/customers/", 400, limit=limit)

    assert [each["field"] for each in problem["validation_errors"]] == ["limit"]


@pytest.mark.parametrize("name", ["plans", "metrics", "features"])
def test_a_made_up_cursor_is_refused(tenant: Tenant, name: str) -> None:
    problem = tenant.get(f"/api/{name}/", 400, limit=2, cursor="made up")

    assert [each["field"] for each in problem["validation_errors"]] == ["cursor"]
