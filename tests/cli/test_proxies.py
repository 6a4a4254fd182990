"""A server behind a proxy: whose word counts about where a person comes from."""

import re
from pathlib import Path

import httpx

from lotus_server.bootstrap.services import open_services_beside
from lotus_server.settings import Settings
from tests.server_process import ServerProcess, run_lotus, wait_for_output

PERSON = {"email": "ada@example.com", "name": "Ada", "password": "engine-weaves-algebra"}
SAID = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}


def come_in(data: Path, env: dict[str, str]) -> tuple[str | None, str]:
    """Make the first owner's account with headers of a proxy: the session's address, and the cookie's words."""
    with ServerProcess(data, env) as server:
        link = re.search(rf"{server.url}(/welcome/\S{{43}})", wait_for_output(server, "/welcome/"))
        assert link is not None
        answer = httpx.post(f"{server.url}{link[1]}", data=PERSON, headers=SAID)
        assert answer.status_code == 303, answer.text
        with open_services_beside(Settings(data=data)) as services, services.records.snapshot() as tx:
            user = tx.people.users.by_email(PERSON["email"])
            assert user is not None
            (session,) = tx.people.sessions.of_user(user.user_id)
        return session.address, answer.headers["set-cookie"]


def test_a_trusted_proxy_says_where_a_person_comes_from(tmp_path: Path) -> None:
    address, cookie = come_in(tmp_path / "data", {"LOTUS_TRUSTED_PROXIES": "192.0.2.7, 127.0.0.0/8"})

    assert address == "203.0.113.9"
    assert "Secure" in cookie


def test_nobody_is_believed_where_no_proxy_is_trusted(tmp_path: Path) -> None:
    address, _ = come_in(tmp_path / "data", {})

    assert address == "127.0.0.1"


def test_what_is_no_address_is_no_trusted_proxy(tmp_path: Path) -> None:
    refused = run_lotus("serve", "--data", str(tmp_path), env={"LOTUS_TRUSTED_PROXIES": "127.0.0.1,proxy"})

    assert refused.returncode != 0
    assert "'proxy' is neither" in refused.stderr
