"""The people of an organization, and further sandboxes."""

from starlette.responses import Response

from lotus_server.domain.accounts import Actor, Role
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import Visit
from lotus_server.kernel.errors import Invalid, LotusError, NotFound
from lotus_server.usecases.team import (
    InvitationDraft,
    MemberView,
    change_role,
    create_sandbox,
    invite_member,
    list_invitations,
    list_members,
    remove_member,
    revoke_invitation,
)

pages = Pages()
_TEAM = "settings/team/"
ROLES = (
    ("owner", "Owner", "Everything, and decides who is an owner."),
    ("admin", "Admin", "Everything but that: settings, team and audit log, too."),
    ("developer", "Developer", "Customers, catalog, subscriptions, events, API keys and a sandbox's clock."),
    ("finance", "Finance", "Customers, subscriptions, invoices, credits and discounts, and the audit log."),
    ("viewer", "Viewer", "Sees everything but keys and the audit log, and changes nothing."),
)


@pages.get("/settings/team/")
def team_page(visit: Visit) -> Response:
    """List members, and who is invited."""
    invitations = visit.do(list_invitations) if visit.may(list_invitations) else []
    return visit.page("settings/team.html", members=visit.do(list_members), invitations=invitations)


@pages.get("/settings/team/invite")
def invite_page(visit: Visit) -> Response:
    """Show the empty form."""
    visit.require(invite_member)
    return visit.page("settings/team_invite.html", fragment="dialog", roles=_roles(visit))


@pages.post("/settings/team/invite")
def invite(visit: Visit) -> Response:
    """Make an invitation and show its link, this once."""
    visit.require(invite_member)
    try:
        draft = InvitationDraft(visit.form.text("email"), _role(visit.form.text("role")))
        made = visit.do(invite_member, _actor(visit), draft)
    except LotusError as error:
        return visit.again(error, "settings/team_invite.html", fragment="dialog", roles=_roles(visit))
    return visit.page("settings/team_invited.html", fragment="dialog", made=made)


@pages.get("/settings/team/invitations/{link_id}/revoke")
def revoke_page(visit: Visit) -> Response:
    """Ask before an invitation is ended."""
    link_id = visit.part("link_id")
    link = next((each for each in visit.do(list_invitations) if each.link_id == link_id), None)
    if link is None:
        raise NotFound("There is no such open invitation.")
    return visit.page("settings/team_revoke.html", fragment="dialog", link=link)


@pages.post("/settings/team/invitations/{link_id}/revoke")
def revoke(visit: Visit) -> Response:
    """End an invitation."""
    link = visit.do(revoke_invitation, visit.part("link_id"))
    return visit.redirect(visit.url(_TEAM), f"The invitation of {link.email} does not work any more.")


@pages.get("/settings/team/{user_id}/role")
def role_page(visit: Visit) -> Response:
    """Ask which role a member is to have."""
    visit.require(change_role)
    member = _member(visit)
    visit.form.put_if_missing("role", member.membership.role.value)
    return visit.page("settings/team_role.html", fragment="dialog", member=member, roles=_roles(visit))


@pages.post("/settings/team/{user_id}/role")
def give_role(visit: Visit) -> Response:
    """Give a member another role."""
    visit.require(change_role)
    member = _member(visit)
    try:
        visit.do(change_role, _actor(visit), member.user.user_id, _role(visit.form.text("role")))
    except LotusError as error:
        data = {"member": member, "roles": _roles(visit)}
        return visit.again(error, "settings/team_role.html", fragment="dialog", **data)
    return visit.redirect(visit.url(_TEAM), f"{member.user.name} has another role now.")


@pages.get("/settings/team/{user_id}/remove")
def remove_page(visit: Visit) -> Response:
    """Ask before somebody is removed."""
    visit.require(remove_member)
    return visit.page("settings/team_remove.html", fragment="dialog", member=_member(visit))


@pages.post("/settings/team/{user_id}/remove")
def remove(visit: Visit) -> Response:
    """Take somebody out of the organization."""
    visit.require(remove_member)
    member = _member(visit)
    try:
        visit.do(remove_member, _actor(visit), member.user.user_id)
    except LotusError as error:
        return visit.again(error, "settings/team_remove.html", fragment="dialog", member=member)
    if member.user.user_id == _actor(visit).user_id:
        return visit.redirect("/account/", f"You have left {visit.organization.name}.")
    return visit.redirect(visit.url(_TEAM), f"{member.user.name} is no member any more.")


@pages.get("/settings/sandboxes/new")
def sandbox_page(visit: Visit) -> Response:
    """Show the empty form."""
    visit.require(create_sandbox)
    return visit.page("settings/sandbox_new.html", fragment="dialog")


@pages.post("/settings/sandboxes/new")
def make_sandbox(visit: Visit) -> Response:
    """Make a sandbox and show its first API key, this once."""
    try:
        made, key = visit.do(create_sandbox, _actor(visit), visit.form.text("name"))
    except LotusError as error:
        return visit.again(error, "settings/sandbox_new.html", fragment="dialog")
    return visit.page("settings/sandbox_made.html", fragment="dialog", made=made, new_key=key)


def _actor(visit: Visit) -> Actor:
    assert visit.acting is not None, "these pages are of an organization"
    return visit.acting.actor


def _member(visit: Visit) -> MemberView:
    user_id = visit.part("user_id")
    found = next((each for each in visit.do(list_members) if each.user.user_id == user_id), None)
    if found is None:
        raise NotFound("There is no such member of this organization.", code="member_not_found")
    return found


def _roles(visit: Visit) -> list[tuple[str, str, str]]:
    """Return the roles that the viewer may give."""
    return [each for each in ROLES if each[0] != Role.OWNER or visit.can("owners")]


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise Invalid.field("role", "invalid_choice", "Choose a role.") from None
