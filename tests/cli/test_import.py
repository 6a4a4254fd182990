"""`lotus import`: files from the command line, while a server is running and without one."""

from pathlib import Path

import pytest

from tests.server_process import ServerProcess, run_lotus

TABLE = "Account ID,Name,E-mail\nada,Ada,ada@example.com\nbob,Bob,none\n"
CALL = '{"event_name": "call", "customer_id": "ada", "idempotency_id": "e%d", "time_created": "2026-01-01"}\n'


@pytest.fixture
def server(tmp_path: Path) -> ServerProcess:
    return ServerProcess(tmp_path / "data")


def test_files_are_imported_beside_a_server_and_without_one(server: ServerProcess, tmp_path: Path) -> None:
    table, events, wrong = tmp_path / "c.csv", tmp_path / "e.jsonl", tmp_path / "refused.csv"
    table.write_text(TABLE)
    events.write_text("".join(CALL % n for n in range(30)))
    data = ("--data", str(server.data))
    with server:
        beside = run_lotus("import", "customers", str(table), "--refused", str(wrong), *data)
        assert server.client.get("/api/customers/ada/").json()["customer_name"] == "Ada"
    assert beside.returncode == 1, beside.stderr  # a row was refused
    assert "2 rows were read: 1 made, 0 changed, 0 unchanged, 1 refused." in beside.stdout
    assert "Account ID -> customer_id" in beside.stdout
    assert "line 3: email must be an e-mail address." in beside.stdout
    assert "bob,Bob,none" in wrong.read_text()

    checked = run_lotus("import", "events", str(events), "--check", *data)
    assert (checked.returncode, "30 rows would be read: 30 made" in checked.stdout) == (0, True), checked.stdout
    alone = run_lotus("import", "events", str(events), *data)
    assert (alone.returncode, "30 rows were read: 30 made" in alone.stdout) == (0, True), alone.stdout
    named = run_lotus("import", "customers", str(table), "--column", "E-mail=", "--change-existing", *data)
    assert "1 made, 0 changed, 1 unchanged, 0 refused" in named.stdout, named.stdout
    listed = run_lotus("import", "list", *data)
    assert listed.stdout.count("done") == 3, listed.stdout


def test_what_cannot_be_imported_is_said_and_nothing_is_left(server: ServerProcess, tmp_path: Path) -> None:
    table = tmp_path / "c.csv"
    data = ("--data", str(server.data))
    assert "There is no data" in run_lotus("import", "customers", __file__, *data).stderr
    with server:
        assert "There is no file" in run_lotus("import", "customers", str(table), *data).stderr
        table.write_bytes(b"PK\x03\x04")
        assert "Save it as CSV" in run_lotus("import", "customers", str(table), *data).stderr
        table.write_text("a,b\n1,2\n")
        assert "No column goes to customer_id" in run_lotus("import", "customers", str(table), *data).stderr
        states = [each["state"] for each in server.client.get("/api/imports/").json()]
        assert states == ["stopped", "stopped"]
        stopped = run_lotus("import", "stop", server.client.get("/api/imports/").json()[0]["import_id"], *data)
        assert "is stopped, 0 rows are done" in stopped.stdout
