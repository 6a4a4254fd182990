"""`lotus serve`: what it says when it starts, when it cannot, and how it ends."""

import os
import re
import shlex
import signal
import socket
import time
from pathlib import Path

import pytest

from tests.server_process import ServerProcess, free_port, run_lotus, wait_for_output
from tests.tenants import NEW_YEAR

STOP_SECONDS = 20


@pytest.fixture
def server(tmp_path: Path) -> ServerProcess:
    return ServerProcess(tmp_path / "data")


def test_the_first_start_prints_address_key_and_three_calls_to_try(server: ServerProcess) -> None:
    with server:
        said = wait_for_output(server, "draft_invoice")

    assert f"Lotus is serving on {server.url}" in said
    assert f"API key, shown this once: {server.api_key}" in said
    assert [line.split()[0] for line in said.splitlines() if line.startswith("  ")] == ["curl"] * 3


def test_each_start_shows_the_only_link_by_which_somebody_becomes_the_owner(server: ServerProcess) -> None:
    links = []
    for _ in range(2):
        with server:
            said = wait_for_output(server, "draft_invoice")
        links = re.findall(rf"{server.url}/welcome/(\S{{43}})\n", said)

    first, second = links
    assert first != second


def test_the_calls_to_try_work_as_they_are_printed(server: ServerProcess) -> None:
    with server:
        said = wait_for_output(server, "draft_invoice")
        server.post("/api/customers/", {"customer_id": "acme"})
        for line in [line.strip() for line in said.splitlines() if line.startswith("  curl")]:
            words = shlex.split(line)
            url = next(word for word in words if word.startswith("http"))
            headers = dict([words[words.index("-H") + 1].split(": ")])
            body = words[words.index("-d") + 1] if "-d" in words else None

            response = server.client.request("GET" if body is None else "POST", url, content=body, headers=headers)

            assert response.status_code in {200, 201}, line


def test_a_key_is_made_up_where_none_is_given(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data", {"LOTUS_BOOTSTRAP_API_KEY": ""})
    with server:
        said = wait_for_output(server, "draft_invoice")
        (key,) = re.findall(r"shown this once: (\S+)", said)
        with server.new_client(key) as client:
            status = client.get("/api/ping/").status_code

    assert (status, len(key) >= 40) == (200, True)


def test_later_starts_keep_organization_and_key_and_show_no_key(server: ServerProcess) -> None:
    with server:
        first = server.get("/api/ping/")
        server.post("/api/customers/", {"customer_id": "acme"})
    said_before = len(server.output)
    with server:
        second = server.get("/api/ping/")
        customers = server.get("/api/customers/")
        said = wait_for_output(server, "draft_invoice")[said_before:]

    assert first == second
    assert [row["customer_id"] for row in customers] == ["acme"]
    assert server.api_key not in said


def test_a_sandbox_starts_where_it_is_told(tmp_path: Path) -> None:
    env = {"LOTUS_BOOTSTRAP_TYPE": "sandbox", "LOTUS_BOOTSTRAP_NOW": NEW_YEAR}
    with ServerProcess(tmp_path / "data", env) as server:
        assert server.get("/api/clock/") == {"now": NEW_YEAR}


def test_ctrl_c_ends_the_server_cleanly_within_seconds(server: ServerProcess) -> None:
    server.start()
    server.get("/api/customers/")  # a connection stays open
    began = time.monotonic()

    status = server.stop()

    assert (status, time.monotonic() - began < STOP_SECONDS) == (0, True)
    assert "Traceback" not in server.log


def test_a_service_manager_ends_the_server_cleanly(server: ServerProcess) -> None:
    server.start()

    os.kill(server.process_id, signal.SIGTERM)

    assert server.wait_for_end() == 0


def test_the_writer_ends_with_the_server(server: ServerProcess) -> None:
    with server:
        writers = server.writer_process_ids()

    assert len(writers) == 1
    assert not Path(f"/proc/{writers[0]}").exists()


def test_the_writer_ends_when_the_server_is_killed(server: ServerProcess) -> None:
    server.start()
    (writer,) = server.writer_process_ids()

    server.kill()

    give_up_at = time.monotonic() + STOP_SECONDS
    while Path(f"/proc/{writer}").exists() and Path(f"/proc/{writer}/cmdline").read_bytes():
        assert time.monotonic() < give_up_at, "the writer outlives its server"
        time.sleep(0.02)


def test_a_second_server_on_the_same_data_is_refused(server: ServerProcess) -> None:
    with server:
        refused = run_lotus("serve", "--data", str(server.data), "--port", str(free_port()))

        assert server.is_answering()
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "Another `lotus serve` is running on the data directory" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_port_in_use_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        refused = run_lotus("serve", "--data", str(tmp_path / "data"), "--port", port)

    assert refused.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}: Address already in use" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"LOTUS_PORT": "eighty"}, "LOTUS_PORT is a number from 0 to 65535."),
        ({"LOTUS_PORT": "70000"}, "LOTUS_PORT is a number from 0 to 65535."),
        ({"LOTUS_BOOTSTRAP_TYPE": "test"}, "LOTUS_BOOTSTRAP_TYPE is `production` or `sandbox`."),
        (
            {"LOTUS_BOOTSTRAP_TYPE": "sandbox", "LOTUS_BOOTSTRAP_NOW": "soon"},
            "LOTUS_BOOTSTRAP_NOW is an RFC 3339 time.",
        ),
        ({"LOTUS_BOOTSTRAP_NOW": NEW_YEAR}, "Only a sandbox has a clock of its own."),
        ({"LOTUS_LOG_FORMAT": "xml"}, "LOTUS_LOG_FORMAT is `text` or `json`."),
        ({"LOTUS_BOOTSTRAP_API_KEY": "two words"}, "LOTUS_BOOTSTRAP_API_KEY"),
        ({"LOTUS_BOOTSTRAP_API_KEY": "schlüssel"}, "LOTUS_BOOTSTRAP_API_KEY"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, env: dict[str, str], said: str) -> None:
    port = [] if "LOTUS_PORT" in env else ["--port", str(free_port())]

    refused = run_lotus("serve", "--data", str(tmp_path / "data"), *port, env=env)

    assert refused.returncode == 1
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


def test_all_wrong_settings_are_named_at_once(tmp_path: Path) -> None:
    env = {"LOTUS_PORT": "x", "LOTUS_BOOTSTRAP_TYPE": "x", "LOTUS_LOG_FORMAT": "x"}

    refused = run_lotus("serve", "--data", str(tmp_path / "data"), env=env)

    assert all(name in refused.stderr for name in env)


def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    refused = run_lotus("serve", "--data", str(tmp_path / "file" / "data"), "--port", str(free_port()))

    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert str(tmp_path / "file" / "data") in refused.stderr


def test_logs_are_json_where_machines_read_them(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data", {"LOTUS_LOG_FORMAT": "json"}) as server:
        server.get("/api/customers/")

    assert "\x1b[" not in server.log
