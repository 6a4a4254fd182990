"""The commands beside `serve`: they work with and without a server on the same data."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.server_process import ServerProcess, run_lotus


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("commands") / "data") as running:
        yield running


def ids(text: str, prefix: str) -> list[str]:
    return re.findall(rf"\b{prefix}_[0-9a-f]{{32}}\b", text)


def test_verify_recounts_while_the_server_is_running(server: ServerProcess) -> None:
    metric = {"metric_id": "calls", "metric_name": "calls", "event_name": "call", "aggregation_type": "count"}
    price = {"model": "per_unit", "unit_price": "0.01"}
    plan = {"plan_id": "pro", "plan_name": "Pro", "plan_duration": "yearly"}
    server.post("/api/metrics/", metric)
    server.post("/api/plans/", {**plan, "components": [{"metric_id": "calls", "price": price}]})
    server.post("/api/customers/", {"customer_id": "acme"})
    today = f"{datetime.now(UTC):%Y-%m-%d}"  # a start of long ago would have several periods, each with its aggregate
    server.post("/api/subscriptions/", {"customer_id": "acme", "billing_plan_id": "pro", "start_date": today})
    server.get("/api/draft_invoice/", customer_id="acme")
    server.post("/api/track/", {"batch": [{"event_name": "call", "customer_id": "acme"}] * 5})

    done = run_lotus("verify", "--data", str(server.data))

    assert (done.returncode, done.stdout.strip().splitlines()[-1]) == (0, "1 aggregates recounted, drift 0")


@pytest.mark.parametrize("command", [["verify"], ["keys", "list"], ["organizations", "list"]])
def test_a_directory_without_data_is_refused_and_left_as_it_is(tmp_path: Path, command: list[str]) -> None:
    done = run_lotus(*command, "--data", str(tmp_path / "typo"))

    assert (done.returncode, done.stdout) == (1, "")
    assert f"There is no data in {tmp_path / 'typo'}; `lotus serve` makes it." in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_created_listed_and_revoked(server: ServerProcess) -> None:
    made = run_lotus("keys", "create", "billing app", "--scope", "read", "--data", str(server.data))
    listed = run_lotus("keys", "list", "--data", str(server.data))
    (line,) = [line for line in listed.stdout.splitlines() if "billing app" in line]
    (key_id,) = ids(line, "key")

    revoked = run_lotus("keys", "revoke", key_id, "--data", str(server.data))

    key = made.stdout.strip()
    with server.new_client(key) as client:
        status = client.get("/api/ping/").status_code
    assert (made.returncode, listed.returncode, revoked.returncode) == (0, 0, 0)
    assert "read" in line
    assert key not in listed.stdout
    assert status == 401


def test_an_unknown_key_cannot_be_revoked(server: ServerProcess) -> None:
    done = run_lotus("keys", "revoke", "nothing", "--data", str(server.data))

    assert (done.returncode, done.stdout) == (1, "")
    assert "There is no API key 'nothing'." in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["keys", "create", "app", "--scope", "root"], "A scope is one of full, ingest, read."),
        (["keys", "create", " "], "A key has a name"),
        (["keys", "list", "--organization", "nothing"], "There is no such organization here"),
        (["organizations", "create", " "], "An organization has a name."),
        (["organizations", "create", "x", "--currency", "XXQ"], "'XXQ' is not an ISO 4217 code."),
    ],
)
def test_a_command_that_cannot_be_done_says_why(server: ServerProcess, arguments: list[str], said: str) -> None:
    done = run_lotus(*arguments, "--data", str(server.data))

    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_organization_made_beside_the_server_is_served_at_once(server: ServerProcess) -> None:
    done = run_lotus("organizations", "create", "New Co", "--sandbox", "--currency", "eur", "--data", str(server.data))

    organization_id, key = done.stdout.split()
    with server.new_client(key) as client:
        ping = client.get("/api/ping/").json()
        currency = client.post("/api/customers/", json={"customer_id": "a"}).json()["default_currency"]["code"]
        clock = client.get("/api/clock/").status_code
    assert ping == {"organization_id": organization_id}
    assert (currency, clock) == ("EUR", 200)


def test_organizations_are_listed(server: ServerProcess) -> None:
    done = run_lotus("organizations", "list", "--data", str(server.data))

    assert done.returncode == 0
    assert "My company" in done.stdout
    assert ids(done.stdout, "org")


def test_the_version_is_told() -> None:
    done = run_lotus("--version")

    assert re.fullmatch(r"lotus \d+\.\d+\.\d+\n", done.stdout)


def test_an_unknown_command_is_refused_without_a_traceback() -> None:
    done = run_lotus("explode")

    assert done.returncode == 2
    assert "No such command 'explode'" in done.stderr
    assert "Traceback" not in done.stderr
