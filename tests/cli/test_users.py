"""`lotus users`: people from the command line."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lotus_server.bootstrap.services import open_services_beside
from lotus_server.settings import Settings
from lotus_server.usecases.invitations import accept_as_new, invitation_of
from lotus_server.usecases.password_reset import reset_link_is_open
from lotus_server.usecases.services import Services
from tests.people import token_of
from tests.server_process import ServerProcess, run_lotus

URL = {"LOTUS_PUBLIC_URL": "https://lotus.example/"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with one organization."""
    server = ServerProcess(tmp_path_factory.mktemp("users") / "data")
    with server:
        pass
    return server.data


@pytest.fixture
def services(data: Path) -> Iterator[Services]:
    with open_services_beside(Settings(data=data)) as opened:
        yield opened


def lotus(data: Path, *arguments: str, status: int = 0) -> str:
    done = run_lotus("users", *arguments, "--data", str(data), env=URL)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_somebody_is_invited_accepts_and_is_listed(data: Path, services: Services) -> None:
    said = lotus(data, "invite", "Ben@example.com", "--role", "finance").strip()
    assert re.fullmatch(r"https://lotus\.example/invitations/\S{43}", said)
    view = invitation_of(services, token_of(said))
    assert (view.email, view.role.value) == ("ben@example.com", "finance")
    accept_as_new(services, token_of(said), "Ben", "an unrelated passphrase")

    assert re.search(r"ben@example\.com.*Ben.*finance.*no", lotus(data, "list"))


def test_a_link_for_a_new_password_is_printed(data: Path, services: Services) -> None:
    said = lotus(data, "invite", "cleo@example.com", "--role", "owner").strip()
    accept_as_new(services, token_of(said), "Cleo", "an unrelated passphrase")

    url = lotus(data, "reset-password", "cleo@example.com", "--without-second-factor").strip()

    assert reset_link_is_open(services, token_of(url))


def test_what_is_wrong_is_said(data: Path) -> None:
    assert "owner, admin, developer" in lotus(data, "invite", "x@example.com", "--role", "king", status=1)
    assert "e-mail address" in lotus(data, "invite", "nobody", status=1)
    assert "Nobody has the address" in lotus(data, "reset-password", "who@example.com", status=1)
