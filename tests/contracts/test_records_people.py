"""People in every database of records: unique addresses, roles, sessions and links."""

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.domain.accounts import LinkPurpose, Membership, OneTimeLink, Role, User, UserSession
from lotus_server.kernel.errors import Conflict, NotFound
from lotus_server.ports.people_records import People
from tests import records_values as values
from tests.records_values import NOW

ADA = User("user_ada", "ada@example.com", "Ada", NOW, "hash", NOW)
BEN = User("user_ben", "ben@example.com", "Ben 🪷", NOW)
LATER = NOW + timedelta(hours=1)


def session(session_id: str = "session_1", **changes: object) -> UserSession:
    value = UserSession(session_id, "user_ada", f"hash of {session_id}", NOW, NOW, LATER)
    return msgspec.structs.replace(value, **changes)


def link(link_id: str = "link_1", **changes: object) -> OneTimeLink:
    value = OneTimeLink(link_id, LinkPurpose.INVITATION, f"hash of {link_id}", NOW)
    return msgspec.structs.replace(value, **changes)


@pytest.fixture
def peopled(records: SqlRecords) -> SqlRecords:
    """Two organizations and two people; Ada owns the first, Ben sees both."""
    with records.transaction() as tx:
        tx.organizations.add(values.organization())
        tx.organizations.add(values.organization("other", created_at=LATER))
        tx.people.users.add(ADA)
        tx.people.users.add(BEN)
        tx.people.memberships.add(Membership("org", "user_ada", Role.OWNER, NOW))
        tx.people.memberships.add(Membership("org", "user_ben", Role.VIEWER, LATER))
        tx.people.memberships.add(Membership("other", "user_ben", Role.ADMIN, NOW))
        tx.people.sessions.add(session())
        tx.people.links.add(link())
    return records


def test_there_is_somebody_once_somebody_is_added(records: SqlRecords) -> None:
    with records.transaction() as tx:
        assert not tx.people.users.any()
        tx.people.users.add(BEN)
        assert tx.people.users.any()


def test_people_come_back_by_id_and_by_address(peopled: SqlRecords) -> None:
    with peopled.snapshot() as tx:
        assert tx.people.users.get("user_ada") == ADA
        assert tx.people.users.get("user_ada", for_update=True) == ADA
        assert tx.people.users.by_email("ben@example.com") == BEN
        assert tx.people.users.by_email("nobody@example.com") is None
        assert tx.people.users.all() == [ADA, BEN]
        assert tx.people.users.many(["user_ben", "nobody", "user_ben"]) == {"user_ben": BEN}


def test_a_person_has_new_values(peopled: SqlRecords) -> None:
    changed = msgspec.structs.replace(BEN, email="benjamin@example.com", password_hash="new", password_changed_at=LATER)
    with peopled.transaction() as tx:
        tx.people.users.replace(changed)

    with peopled.snapshot() as tx:
        assert tx.people.users.by_email("benjamin@example.com") == changed


CONFLICTS: dict[str, tuple[Callable[[People], object], str]] = {
    "person": (lambda to: to.users.add(msgspec.structs.replace(ADA, email="new@example.com")), "user_exists"),
    "address": (lambda to: to.users.add(msgspec.structs.replace(ADA, user_id="user_new")), "user_exists"),
    "new address": (lambda to: to.users.replace(msgspec.structs.replace(BEN, email=ADA.email)), "user_exists"),
    "member": (lambda to: to.memberships.add(Membership("org", "user_ben", Role.ADMIN, NOW)), "member_exists"),
    "session": (lambda to: to.sessions.add(session(token_hash="other")), "user_session_exists"),
    "token of a session": (
        lambda to: to.sessions.add(session("session_2", token_hash="hash of session_1")),
        "user_session_exists",
    ),
    "link": (lambda to: to.links.add(link(token_hash="other")), "link_exists"),
    "token of a link": (lambda to: to.links.add(link("link_2", token_hash="hash of link_1")), "link_exists"),
}


@pytest.mark.parametrize("what", CONFLICTS)
def test_what_exists_cannot_be_added_again(peopled: SqlRecords, what: str) -> None:
    write, code = CONFLICTS[what]

    with pytest.raises(Conflict) as caught, peopled.transaction() as tx:
        write(tx.people)

    assert code == caught.value.code


def test_a_person_is_found_with_the_organizations_and_the_role_in_each(peopled: SqlRecords) -> None:
    with peopled.snapshot() as tx:
        found = [
            (organization.organization_id, role) for organization, role in tx.people.memberships.of_user("user_ben")
        ]
        alone = tx.people.memberships.of_user("user_ada")

    assert found == [("org", Role.VIEWER), ("other", Role.ADMIN)]
    assert alone == [(values.organization(), Role.OWNER)]


def test_members_are_those_of_one_organization_the_oldest_first(peopled: SqlRecords) -> None:
    with peopled.transaction() as tx:
        ada = Membership("org", "user_ada", Role.OWNER, NOW)
        ben = Membership("org", "user_ben", Role.VIEWER, LATER)
        assert tx.people.memberships.of_organization("org") == [ada, ben]
        assert tx.people.memberships.of_organization("org", for_update=True) == [ada, ben]
        assert tx.people.memberships.get("org", "user_ben") == ben
        assert tx.people.memberships.get("other", "user_ada") is None


def test_a_member_has_another_role_and_then_none(peopled: SqlRecords) -> None:
    changed = Membership("org", "user_ben", Role.FINANCE, LATER)
    with peopled.transaction() as tx:
        tx.people.memberships.replace(changed)
        assert changed == tx.people.memberships.get("org", "user_ben")
        tx.people.memberships.remove("org", "user_ben")
        assert tx.people.memberships.get("org", "user_ben") is None
        assert tx.people.memberships.get("other", "user_ben") is not None


def test_who_is_no_member_gets_no_role(peopled: SqlRecords) -> None:
    with pytest.raises(NotFound), peopled.transaction() as tx:
        tx.people.memberships.replace(Membership("other", "user_ada", Role.OWNER, NOW))


def test_sessions_are_found_by_their_hash_and_listed_by_use(peopled: SqlRecords) -> None:
    newer = session("session_2", last_seen_at=LATER, address="::1", user_agent="Firefox", needs_second_factor=True)
    with peopled.transaction() as tx:
        tx.people.sessions.add(newer)

        assert newer == tx.people.sessions.by_hash("hash of session_2")
        assert tx.people.sessions.by_hash("session_2") is None
        assert tx.people.sessions.of_user("user_ada") == [newer, session()]
        assert tx.people.sessions.of_user("user_ben") == []


def test_a_session_is_seen_and_then_gone(peopled: SqlRecords) -> None:
    seen = session(last_seen_at=LATER)
    with peopled.transaction() as tx:
        tx.people.sessions.replace(seen)
        assert seen == tx.people.sessions.by_hash("hash of session_1")
        tx.people.sessions.remove(["session_1", "unknown"])
        assert tx.people.sessions.by_hash("hash of session_1") is None


def test_links_are_found_by_their_hash_and_listed_by_purpose(peopled: SqlRecords) -> None:
    reset = link(
        "link_2",
        purpose=LinkPurpose.PASSWORD_RESET,
        user_id="user_ada",
        created_at=LATER,
        expires_at=LATER,
        used_at=NOW,
    )
    invitation = link("link_3", organization_id="org", email="c@example.com", role=Role.FINANCE, created_by="user_ada")
    with peopled.transaction() as tx:
        tx.people.links.add(reset)
        tx.people.links.add(invitation)

        assert reset == tx.people.links.by_hash("hash of link_2")
        assert reset == tx.people.links.by_hash("hash of link_2", for_update=True)
        assert tx.people.links.all(LinkPurpose.INVITATION) == [link(), invitation]
        assert tx.people.links.all(LinkPurpose.INVITATION, organization_id="org") == [invitation]
        assert tx.people.links.all(LinkPurpose.PASSWORD_RESET, user_id="user_ada") == [reset]
        assert tx.people.links.all(LinkPurpose.PASSWORD_RESET, user_id="user_ben") == []


def test_a_link_is_used_and_then_gone(peopled: SqlRecords) -> None:
    used = link(used_at=LATER)
    with peopled.transaction() as tx:
        tx.people.links.replace(used)
        assert used == tx.people.links.by_hash("hash of link_1")
        tx.people.links.remove(["link_1", "unknown"])
        assert tx.people.links.by_hash("hash of link_1") is None
