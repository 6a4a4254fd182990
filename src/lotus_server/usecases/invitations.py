"""Accepting an invitation."""

import msgspec

from lotus_server.domain.accounts import (
    Author,
    AuthorKind,
    LinkPurpose,
    Membership,
    OneTimeLink,
    Organization,
    Role,
    User,
)
from lotus_server.kernel.errors import Conflict, NotFound
from lotus_server.ports.records import Transaction
from lotus_server.usecases.auditing import audited
from lotus_server.usecases.services import Services
from lotus_server.usecases.sign_in import (
    NewSession,
    PersonDraft,
    SignedIn,
    Visit,
    begin_session,
    new_user,
    token_hash,
)


class InvitationView(msgspec.Struct, frozen=True):
    """An invitation as shown to who is invited. `has_account`: there is somebody with this address already."""

    organization: Organization
    email: str
    role: Role
    invited_by: str
    has_account: bool


def invitation_of(services: Services, token: str) -> InvitationView:
    """Return an invitation by its link. Raises NotFound `link_not_found`."""
    with services.records.snapshot() as tx:
        link = _require_open(services, tx, token)
        assert link.email is not None
        assert link.role is not None
        inviting = None if link.created_by is None else tx.people.users.get(link.created_by)
        organization = _organization(tx, link)
        has_account = tx.people.users.by_email(link.email) is not None
    invited_by = organization.name if inviting is None else inviting.name
    return InvitationView(organization, link.email, link.role, invited_by, has_account)


def accept_as_new(
    services: Services,
    token: str,
    name: str,
    password: str,
    *,
    visit: Visit = Visit(),  # noqa: B008 - frozen
) -> NewSession:
    """Who is invited has an account, is a member, and signed in.

    Raises NotFound `link_not_found`, Invalid with every problem, Conflict `account_exists`.
    """
    view = invitation_of(services, token)
    if view.has_account:
        raise Conflict("You have an account already: sign in first.", code="account_exists")
    user = new_user(services, PersonDraft(view.email, name, password))
    noting = audited(services, Author(AuthorKind.PERSON, user.user_id, user.email), "accept_invitation")
    with noting.records.transaction() as tx:
        link = _require_open(services, tx, token, for_update=True)
        tx.people.users.add(user)
        _join(services, tx, link, user)
        return begin_session(services, tx, user, visit)


def accept_as(services: Services, token: str, signed_in: SignedIn) -> Organization:
    """Who is signed in, and invited, is a member.

    Raises NotFound `link_not_found`, Conflict `invitation_for_another` or `member_exists`.
    """
    user = signed_in.user
    noting = audited(services, Author(AuthorKind.PERSON, user.user_id, user.email), "accept_invitation")
    with noting.records.transaction() as tx:
        link = _require_open(services, tx, token, for_update=True)
        if link.email != user.email:
            detail = f"This invitation is for {link.email}, and you are signed in as {user.email}."
            raise Conflict(detail, code="invitation_for_another")
        _join(services, tx, link, user)
        return _organization(tx, link)


def _join(services: Services, tx: Transaction, link: OneTimeLink, user: User) -> None:
    assert link.organization_id is not None
    assert link.role is not None
    now = services.clock.now()
    tx.people.links.replace(msgspec.structs.replace(link, used_at=now, user_id=user.user_id))
    tx.people.memberships.add(Membership(link.organization_id, user.user_id, link.role, now))


def _require_open(services: Services, tx: Transaction, token: str, *, for_update: bool = False) -> OneTimeLink:
    link = tx.people.links.by_hash(token_hash(token), for_update=for_update)
    is_open = link is not None and link.purpose is LinkPurpose.INVITATION and link.is_open_at(services.clock.now())
    if link is None or not is_open:
        detail = "This invitation does not work, or not any more. Ask for a new one."
        raise NotFound(detail, code="link_not_found")
    return link


def _organization(tx: Transaction, link: OneTimeLink) -> Organization:
    assert link.organization_id is not None
    found = tx.organizations.get(link.organization_id)
    assert found is not None, f"the organization of link {link.link_id} exists"
    return found
