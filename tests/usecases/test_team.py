"""The people of an organization: invitations, roles, and the owner who stays."""

import msgspec
import pytest

from lotus_server.domain.accounts import INVITATION_AGE_MAX, Actor, OrganizationType, Role
from lotus_server.kernel.errors import Conflict, Forbidden, Invalid, LotusError, NotFound
from lotus_server.ports.audit_records import AuditQuestion
from lotus_server.ports.records import Page
from lotus_server.usecases.acting import Acting
from lotus_server.usecases.audit import list_audit
from lotus_server.usecases.invitations import accept_as, accept_as_new, invitation_of
from lotus_server.usecases.mails import send_mail_due
from lotus_server.usecases.services import Services
from lotus_server.usecases.sign_in import SignedIn, session_of, sign_in
from lotus_server.usecases.team import (
    InvitationDraft,
    change_role,
    create_sandbox,
    invite_member,
    list_invitations,
    list_members,
    remove_member,
    revoke_invitation,
)
from tests.business import SetClock
from tests.people import PASSWORD, Postbox, as_member, first_owner, signed_in, token_of

BEN = InvitationDraft("Ben@Example.com", Role.ADMIN)


@pytest.fixture
def owner(peopled: Services) -> Acting:
    """The owner at work in the organization `First`."""
    return as_member(peopled, signed_in(peopled, first_owner(peopled)))


def invited(owner: Acting, draft: InvitationDraft = BEN) -> str:
    """The token of a new invitation."""
    return token_of(owner.do(invite_member, owner.actor, draft).url)


def joined(owner: Acting, draft: InvitationDraft = BEN) -> SignedIn:
    """Somebody new who accepted an invitation."""
    session = accept_as_new(owner.services, invited(owner, draft), "Ben", "an unrelated passphrase")
    return signed_in(owner.services, session)


def roles(owner: Acting) -> dict[str, Role]:
    return {view.user.email: view.membership.role for view in owner.do(list_members)}


def test_who_accepts_an_invitation_is_a_member_of_that_organization_alone(owner: Acting) -> None:
    ben = joined(owner)

    assert roles(owner) == {"ada@example.com": Role.OWNER, "ben@example.com": Role.ADMIN}
    assert [(each.organization.name, each.role) for each in ben.memberships] == [("First", Role.ADMIN)]


def test_an_invitation_tells_where_to_and_from_whom(owner: Acting) -> None:
    view = invitation_of(owner.services, invited(owner))

    assert (view.organization.name, view.email, view.role) == ("First", "ben@example.com", Role.ADMIN)
    assert (view.invited_by, view.has_account) == ("Ada Lovelace", False)


def test_an_invitation_works_once(owner: Acting) -> None:
    token = invited(owner)
    accept_as_new(owner.services, token, "Ben", "an unrelated passphrase")

    with pytest.raises(NotFound):
        accept_as_new(owner.services, token, "Eve", "an unrelated passphrase")
    assert owner.do(list_invitations) == []


def test_an_invitation_ends_after_seven_days_or_when_it_is_revoked(owner: Acting, clock: SetClock) -> None:
    first = invited(owner)
    (link,) = owner.do(list_invitations)
    owner.do(revoke_invitation, link.link_id)
    second = invited(owner)
    clock.instant += INVITATION_AGE_MAX

    for token in (first, second):
        with pytest.raises(NotFound):
            invitation_of(owner.services, token)
    with pytest.raises(NotFound):
        owner.do(revoke_invitation, link.link_id)


def test_a_further_invitation_ends_the_one_before(owner: Acting) -> None:
    first, second = invited(owner), invited(owner)

    with pytest.raises(NotFound):
        invitation_of(owner.services, first)
    assert invitation_of(owner.services, second).email == "ben@example.com"
    assert len(owner.do(list_invitations)) == 1


def test_who_has_an_account_joins_with_it(peopled: Services, owner: Acting) -> None:
    ben = joined(owner)
    second = as_member(peopled, signed_in(peopled, sign_in(peopled, owner.actor.email, PASSWORD)), 1)
    token = invited(second, InvitationDraft("ben@example.com", Role.VIEWER))

    with pytest.raises(Conflict) as caught:
        accept_as_new(peopled, token, "Ben", "an unrelated passphrase")
    organization = accept_as(peopled, token, ben)

    assert caught.value.code == "account_exists"
    assert organization.name == "Second"
    assert roles(second)["ben@example.com"] is Role.VIEWER


def test_an_invitation_is_for_nobody_else(owner: Acting) -> None:
    ben = joined(owner)
    token = invited(owner, InvitationDraft("eve@example.com", Role.OWNER))

    with pytest.raises(Conflict) as caught:
        accept_as(owner.services, token, ben)

    assert caught.value.code == "invitation_for_another"


def test_a_member_is_not_invited_again(owner: Acting) -> None:
    joined(owner)

    with pytest.raises(Conflict) as caught:
        invited(owner)

    assert caught.value.code == "member_exists"


def test_an_invitation_is_mailed_with_its_link(owner: Acting, postbox: Postbox) -> None:
    made = owner.do(invite_member, owner.actor, BEN)

    assert send_mail_due(owner.services) == 1
    (message,) = postbox.messages
    assert (message.recipient, made.is_mailed) == ("ben@example.com", True)
    assert made.url in message.text
    assert made.url.startswith("https://lotus.example/invitations/")
    assert send_mail_due(owner.services) == 0


def test_without_mail_the_link_is_there_to_be_copied(owner: Acting, postbox: Postbox) -> None:
    silent = msgspec.structs.replace(owner.services, mail=None)

    made = invite_member(silent, owner.organization, owner.actor, BEN)

    assert not made.is_mailed
    assert send_mail_due(owner.services) == 0
    assert invitation_of(silent, token_of(made.url)).role is Role.ADMIN


def test_an_address_that_is_none_is_refused(owner: Acting) -> None:
    with pytest.raises(Invalid):
        invited(owner, InvitationDraft("ben", Role.VIEWER))


def test_an_admin_neither_makes_nor_takes_owners(owner: Acting) -> None:
    ben = as_member(owner.services, joined(owner))

    with pytest.raises(Forbidden):
        ben.do(invite_member, ben.actor, InvitationDraft("eve@example.com", Role.OWNER))
    with pytest.raises(Forbidden):
        ben.do(change_role, ben.actor, ben.actor.user_id, Role.OWNER)
    with pytest.raises(Forbidden):
        ben.do(change_role, ben.actor, owner.actor.user_id, Role.VIEWER)
    with pytest.raises(Forbidden):
        ben.do(remove_member, ben.actor, owner.actor.user_id)
    assert roles(owner) == {"ada@example.com": Role.OWNER, "ben@example.com": Role.ADMIN}


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.FINANCE, Role.VIEWER])
def test_others_do_not_decide_about_the_team(owner: Acting, role: Role) -> None:
    other = Acting(owner.services, owner.organization, Actor("user_x", "x@example.com", role))

    for verb in (invite_member, change_role, remove_member, revoke_invitation, list_invitations):
        assert not other.may(verb)
    assert other.may(list_members)


def test_a_role_counts_from_the_next_request_on(owner: Acting) -> None:
    ben = joined(owner)
    owner.do(change_role, owner.actor, ben.user.user_id, Role.VIEWER)

    assert roles(owner)["ben@example.com"] is Role.VIEWER


def test_who_is_removed_keeps_the_account_and_nothing_here(owner: Acting) -> None:
    session = accept_as_new(owner.services, invited(owner), "Ben", "an unrelated passphrase")
    owner.do(remove_member, owner.actor, session.session.user_id)

    found = session_of(owner.services, session.token)
    assert found is not None
    assert found.memberships == ()


def test_the_last_owner_stays(owner: Acting) -> None:
    ben = joined(owner)
    for verb in (
        lambda: owner.do(remove_member, owner.actor, owner.actor.user_id),
        lambda: owner.do(change_role, owner.actor, owner.actor.user_id, Role.ADMIN),
    ):
        with pytest.raises(LotusError) as caught:
            verb()
        assert caught.value.code == "last_owner"

    owner.do(change_role, owner.actor, ben.user.user_id, Role.OWNER)
    owner.do(remove_member, owner.actor, owner.actor.user_id)
    assert roles(owner) == {"ben@example.com": Role.OWNER}


def test_who_is_no_member_has_no_role_to_change(owner: Acting) -> None:
    with pytest.raises(NotFound):
        owner.do(change_role, owner.actor, "user_unknown", Role.VIEWER)


def test_a_new_sandbox_is_owned_by_who_made_it(owner: Acting) -> None:
    made, key = owner.do(create_sandbox, owner.actor, "Playground")

    assert (made.type, made.clock_now) == (OrganizationType.SANDBOX, owner.services.clock.now())
    assert key.api_key
    there = Acting(owner.services, made, owner.actor)
    assert roles(there) == {"ada@example.com": Role.OWNER}


def test_what_happens_to_the_team_is_in_the_audit_log(owner: Acting) -> None:
    ben = joined(owner)
    owner.do(change_role, owner.actor, ben.user.user_id, Role.VIEWER)
    owner.do(remove_member, owner.actor, ben.user.user_id)

    entries = list_audit(owner.services, owner.organization, Page(), AuditQuestion())
    told = [(entry.author.name, entry.action, entry.kind) for entry in reversed(entries)]
    assert told == [
        ("ada@example.com", "invite_member", "invitation"),
        ("ben@example.com", "accept_invitation", "invitation"),
        ("ben@example.com", "accept_invitation", "member"),
        ("ada@example.com", "change_role", "member"),
        ("ada@example.com", "remove_member", "member"),
    ]
    assert "token_hash" not in repr(entries)
