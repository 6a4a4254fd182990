"""The people of an organization: who is a member, what their role is, and who is invited."""

from datetime import datetime

import msgspec

from lotus_server.domain.accounts import (
    INVITATION_AGE_MAX,
    Actor,
    LinkPurpose,
    Membership,
    OneTimeLink,
    Organization,
    OrganizationType,
    Permission,
    Role,
    User,
    email_problem,
    normal_email,
    role_allows,
)
from lotus_server.kernel.errors import Conflict, Forbidden, NotFound, Problems
from lotus_server.ports.mail import OutgoingMail
from lotus_server.ports.records import Transaction
from lotus_server.usecases.organizations import NewKey, OrganizationDraft, create_organization
from lotus_server.usecases.services import Services
from lotus_server.usecases.sign_in import token_hash


class MemberView(msgspec.Struct, frozen=True):
    """A member as shown: `last_seen_at` is when one of the person's sessions was last used, as far as they last."""

    user: User
    membership: Membership
    has_second_factor: bool
    last_seen_at: datetime | None


class InvitationDraft(msgspec.Struct, frozen=True):
    """Somebody to be invited."""

    email: str
    role: Role


class NewInvitation(msgspec.Struct, frozen=True):
    """An invitation just made. `url` is shown this once; `is_mailed` tells that it is sent, too."""

    link: OneTimeLink
    url: str
    is_mailed: bool


def list_members(services: Services, organization: Organization) -> list[MemberView]:
    """Return the organization's members, the oldest first."""
    with services.records.snapshot() as tx:
        memberships = tx.people.memberships.of_organization(organization.organization_id)
        ids = [each.user_id for each in memberships]
        users, factors = tx.people.users.many(ids), tx.people.second_factors.of_users(ids)
        seen = {user_id: tx.people.sessions.of_user(user_id) for user_id in ids}
    return [
        MemberView(
            users[each.user_id],
            each,
            each.user_id in factors and factors[each.user_id].confirmed_at is not None,
            seen[each.user_id][0].last_seen_at if seen[each.user_id] else None,
        )
        for each in memberships
    ]


def list_invitations(services: Services, organization: Organization) -> list[OneTimeLink]:
    """Return the invitations that are open, the oldest first."""
    with services.records.snapshot() as tx:
        return _open_invitations(services, tx, organization)


def invite_member(
    services: Services, organization: Organization, actor: Actor, draft: InvitationDraft
) -> NewInvitation:
    """Somebody can join the organization by a link that works once, within seven days; earlier links end.

    Raises Invalid, Forbidden for a role that the actor may not give, Conflict `member_exists`.
    """
    email, problems = normal_email(draft.email), Problems()
    if wrong := email_problem(email):
        problems.add("email", "invalid", f"The e-mail address {wrong}.")
    problems.raise_if_any()
    _require_may_decide(actor, draft.role)
    now, token = services.clock.now(), services.ids.secret()
    link = OneTimeLink(
        link_id=services.ids.new("link"),
        purpose=LinkPurpose.INVITATION,
        token_hash=token_hash(token),
        created_at=now,
        expires_at=now + INVITATION_AGE_MAX,
        organization_id=organization.organization_id,
        email=email,
        role=draft.role,
        created_by=actor.user_id,
    )
    url = f"{services.public_url}/invitations/{token}"
    with services.records.transaction() as tx:
        user = tx.people.users.by_email(email)
        if user is not None and tx.people.memberships.get(organization.organization_id, user.user_id) is not None:
            raise Conflict(f"{email} is a member already.", code="member_exists")
        for earlier in _open_invitations(services, tx, organization):
            if earlier.email == email:
                tx.people.links.replace(msgspec.structs.replace(earlier, expires_at=now))
        tx.people.links.add(link)
        if services.mail is not None:
            tx.people.mails.add(_invitation_mail(services, organization, actor, link, url))
    return NewInvitation(link, url, services.mail is not None)


def revoke_invitation(services: Services, organization: Organization, link_id: str) -> OneTimeLink:
    """An invitation does not work any more. Raises NotFound `invitation_not_found`."""
    with services.records.transaction() as tx:
        found = [each for each in _open_invitations(services, tx, organization) if each.link_id == link_id]
        if not found:
            raise NotFound("There is no such open invitation.", code="invitation_not_found")
        revoked = msgspec.structs.replace(found[0], expires_at=services.clock.now())
        tx.people.links.replace(revoked)
        return revoked


def change_role(services: Services, organization: Organization, actor: Actor, user_id: str, role: Role) -> Membership:
    """A member has another role, from the next request on.

    Raises NotFound `member_not_found`, Forbidden for a role that the actor may not give or take, Conflict `last_owner`.
    """
    with services.records.transaction() as tx:
        membership = _require_member(tx, organization, user_id)
        check_role_change(tx, organization, actor, membership, role)
        changed = msgspec.structs.replace(membership, role=role)
        tx.people.memberships.replace(changed)
        return changed


def check_role_change(
    tx: Transaction, organization: Organization, actor: Actor, membership: Membership, role: Role
) -> None:
    """Raise Forbidden for a role that the actor may not give or take, Conflict `last_owner`."""
    _require_may_decide(actor, membership.role, role)
    if role is not Role.OWNER:
        _refuse_last_owner(tx, organization, membership)


def remove_member(services: Services, organization: Organization, actor: Actor, user_id: str) -> None:
    """The person is no member any more, from the next request on; the account and other memberships stay.

    Raises NotFound `member_not_found`, Forbidden for an owner whom the actor may not remove, Conflict `last_owner`.
    """
    with services.records.transaction() as tx:
        membership = _require_member(tx, organization, user_id)
        _require_may_decide(actor, membership.role)
        _refuse_last_owner(tx, organization, membership)
        tx.people.memberships.remove(organization.organization_id, user_id)


def create_sandbox(
    services: Services, organization: Organization, actor: Actor, name: str
) -> tuple[Organization, NewKey]:
    """There is a further sandbox, empty, with a clock that stands at the present, and the actor owns it.

    Raises Invalid.
    """
    draft = OrganizationDraft(
        name, OrganizationType.SANDBOX, organization.default_currency, clock_now=services.clock.now()
    )
    made, key = create_organization(services, draft)
    with services.records.transaction() as tx:
        tx.people.memberships.add(Membership(made.organization_id, actor.user_id, Role.OWNER, services.clock.now()))
    return made, key


def _invitation_mail(
    services: Services, organization: Organization, actor: Actor, link: OneTimeLink, url: str
) -> OutgoingMail:
    assert link.email is not None
    assert link.role is not None
    text = (
        f"Hello,\n\n{actor.email} invites you to {organization.name} at Lotus, in the role {link.role.value}.\n"
        f"Accept within the next seven days:\n\n{url}\n"
    )
    mail_id = services.ids.new("mail")
    subject = f"Join {organization.name} at Lotus"
    return OutgoingMail(mail_id, link.email, subject, text, link.created_at, link.created_at, LinkPurpose.INVITATION)


def _open_invitations(services: Services, tx: Transaction, organization: Organization) -> list[OneTimeLink]:
    found = tx.people.links.all(LinkPurpose.INVITATION, organization_id=organization.organization_id)
    return [each for each in found if each.is_open_at(services.clock.now())]


def _require_member(tx: Transaction, organization: Organization, user_id: str) -> Membership:
    """Return a member, after whoever changes members of the organization now has ended."""
    members = tx.people.memberships.of_organization(organization.organization_id, for_update=True)
    found = next((each for each in members if each.user_id == user_id), None)
    if found is None:
        raise NotFound("There is no such member of this organization.", code="member_not_found")
    return found


def _require_may_decide(actor: Actor, *roles: Role) -> None:
    if Role.OWNER in roles and not role_allows(actor.role, Permission.OWNERS):
        raise Forbidden("Only an owner may decide who is an owner.")


def _refuse_last_owner(tx: Transaction, organization: Organization, membership: Membership) -> None:
    members = tx.people.memberships.of_organization(organization.organization_id)
    others = [each for each in members if each.role is Role.OWNER and each.user_id != membership.user_id]
    if membership.role is Role.OWNER and not others:
        raise Conflict("The last owner stays. Make somebody else an owner first.", code="last_owner")
