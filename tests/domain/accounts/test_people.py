"""What roles may do, what an e-mail address is, and when sessions and links have ended."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.accounts import (
    PERMISSIONS,
    SESSION_AGE_MAX,
    SESSION_IDLE_MAX,
    LinkPurpose,
    OneTimeLink,
    Permission,
    Role,
    UserSession,
    email_problem,
    normal_email,
    role_allows,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SESSION = UserSession("session_1", "user_1", "hash", NOW, NOW, NOW + SESSION_AGE_MAX)
LINK = OneTimeLink("link_1", LinkPurpose.INVITATION, "hash", NOW, NOW + timedelta(days=7))


def test_every_role_may_read() -> None:
    assert set(Role) == {role for role in Role if role_allows(role, Permission.READ)}


def test_a_viewer_may_only_read() -> None:
    assert {Permission.READ} == PERMISSIONS[Role.VIEWER]


def test_an_owner_may_do_everything_and_an_admin_all_but_decide_who_owns() -> None:
    assert set(Permission) == PERMISSIONS[Role.OWNER]
    assert {Permission.OWNERS} == PERMISSIONS[Role.OWNER] - PERMISSIONS[Role.ADMIN]


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.FINANCE, Role.VIEWER])
def test_nobody_else_may_decide_about_people_or_settings(role: Role) -> None:
    assert set() == PERMISSIONS[role] & {Permission.TEAM, Permission.OWNERS, Permission.SETTINGS}


def test_money_is_not_for_developers_and_keys_are_not_for_finance() -> None:
    assert set() == PERMISSIONS[Role.DEVELOPER] & {Permission.INVOICES, Permission.CREDITS}
    assert set() == PERMISSIONS[Role.FINANCE] & {Permission.KEYS, Permission.CATALOG, Permission.EVENTS}


@pytest.mark.parametrize("text", ["ada@example.com", " Ada@Example.COM ", "ADA@EXAMPLE.COM\n"])
def test_spaces_and_capitals_do_not_make_another_address(text: str) -> None:
    assert normal_email(text) == "ada@example.com"


@given(st.text(max_size=30))
def test_a_normal_address_stays_as_it_is(text: str) -> None:
    normal = normal_email(text)

    assert normal == normal_email(normal)


@pytest.mark.parametrize("text", ["ada@example.com", "a.b+c@sub.example.co", "jörg@exämple.de"])
def test_an_address_is_one(text: str) -> None:
    assert email_problem(normal_email(text)) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "ada", "ada@", "@example.com", "ada@example", "ada@@example.com", "a b@example.com", "ada@example."),
        *("ada@example.com,b@c.de", "ada\x00@example.com", f"{'a' * 243}@example.com", "ada\r\nBcc: eve@example.com"),
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert email_problem(text) is not None


def test_an_address_has_254_characters_at_most() -> None:
    assert email_problem(f"{'a' * 242}@example.com") is None


def test_a_session_ends_when_it_is_idle_for_too_long() -> None:
    assert SESSION.is_valid_at(NOW + SESSION_IDLE_MAX - timedelta(microseconds=1))
    assert not SESSION.is_valid_at(NOW + SESSION_IDLE_MAX)


def test_a_session_in_use_ends_at_its_greatest_age() -> None:
    used = msgspec.structs.replace(SESSION, last_seen_at=NOW + SESSION_AGE_MAX - timedelta(seconds=1))

    assert used.is_valid_at(NOW + SESSION_AGE_MAX - timedelta(microseconds=1))
    assert not used.is_valid_at(NOW + SESSION_AGE_MAX)


def test_a_link_works_until_it_is_used_or_over() -> None:
    used = msgspec.structs.replace(LINK, used_at=NOW)
    for_ever = msgspec.structs.replace(LINK, expires_at=None)

    assert LINK.is_open_at(NOW + timedelta(days=7) - timedelta(microseconds=1))
    assert not LINK.is_open_at(NOW + timedelta(days=7))
    assert not used.is_open_at(NOW)
    assert for_ever.is_open_at(NOW + timedelta(days=10_000))
