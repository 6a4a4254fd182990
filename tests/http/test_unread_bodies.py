"""A body that nobody asked for is read before the answer: otherwise the client would see a reset instead of it."""

import httpx
import pytest

from tests.server_process import ServerProcess

LARGE = b'{"customer_id": "' + b"x" * 5_000_000 + b'"}'


@pytest.mark.parametrize("attempt", range(10))
def test_a_large_body_with_a_wrong_key_reads_that_the_key_is_wrong(server: ServerProcess, attempt: int) -> None:
    answer = httpx.post(f"{server.url}/api/customers/", content=LARGE, headers={"X-API-KEY": "wrong"}, timeout=60)

    assert (answer.status_code, answer.json()["title"]) == (401, "authentication_failed")


@pytest.mark.parametrize(
    "path", ["/api/customers/", "/api/customer_access/?customer_id=a&event_name=b", "/docs/errors"]
)
def test_a_get_with_a_body_is_answered(server: ServerProcess, path: str) -> None:
    with httpx.Client(base_url=server.url, headers={"X-API-KEY": server.api_key}, timeout=60) as client:
        for _ in range(10):
            answer = client.request("GET", path, content=LARGE[:400_000])

            assert answer.status_code in {200, 404}


def test_a_large_body_for_a_path_that_is_not_there_reads_so(server: ServerProcess) -> None:
    answer = httpx.post(f"{server.url}/api/nothing/", content=LARGE, headers={"X-API-KEY": server.api_key}, timeout=60)

    assert answer.status_code == 404
