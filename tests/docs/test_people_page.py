"""The page about people and roles says what holds."""

import re

from lotus_server.domain.accounts import (
    INVITATION_AGE_MAX,
    OF_ACCOUNT,
    OF_ADDRESS,
    PERMISSIONS,
    SESSION_AGE_MAX,
    SESSION_IDLE_MAX,
    Permission,
    Role,
)
from lotus_server.usecases.second_factor import RECOVERY_CODES, STEP_SECONDS
from lotus_server.usecases.sign_in import PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN
from tests.repository import ROOT

PAGE = (ROOT / "docs" / "concepts" / "people-and-roles.md").read_text()


def test_the_table_of_roles_is_that_of_the_code() -> None:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line[:2] == "| "]
    header, *body = rows
    roles = [Role(name) for name in header[1:]]
    told = {
        (Permission(re.findall(r"\(`(\w+)`\)", label)[0]), role): cell == "yes"
        for label, *cells in body
        for role, cell in zip(roles, cells, strict=True)
    }

    assert told == {(permission, role): permission in PERMISSIONS[role] for permission in Permission for role in Role}


def test_the_numbers_are_those_of_the_code() -> None:
    assert f"{PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters" in PAGE
    assert (OF_ACCOUNT.free, OF_ACCOUNT.wait_max.total_seconds(), OF_ADDRESS.free) == (5, 15 * 60, 30)
    assert (SESSION_IDLE_MAX.days, SESSION_AGE_MAX.days, INVITATION_AGE_MAX.days) == (3, 30, 7)
    assert (STEP_SECONDS, RECOVERY_CODES) == (30, 10)
