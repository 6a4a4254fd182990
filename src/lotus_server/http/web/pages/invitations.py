"""Accepting an invitation."""

from starlette.responses import Response

from lotus_server.http.web.addresses import handle_of
from lotus_server.http.web.pages.sign_in import browser_of, let_in
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import Visit
from lotus_server.kernel.errors import Invalid
from lotus_server.usecases.invitations import accept_as, accept_as_new, invitation_of

pages = Pages("anyone")


@pages.get("/invitations/{token}")
def invitation_page(visit: Visit) -> Response:
    """Say who invites whom to what, and ask for what is needed to accept."""
    token = visit.part("token")
    return visit.page("sign_in/invitation.html", token=token, view=invitation_of(visit.services, token))


@pages.post("/invitations/{token}")
def accept(visit: Visit) -> Response:
    """Make somebody a member: who is signed in, or who has no account yet."""
    token = visit.part("token")
    view = invitation_of(visit.services, token)
    home = f"/o/{handle_of(view.organization)}/"
    if visit.signed_in is not None:
        accept_as(visit.services, token, visit.signed_in)
        return visit.redirect(home, f"Welcome to {view.organization.name}.")
    name, password = visit.form.text("name"), visit.form.text("password")
    try:
        new = accept_as_new(visit.services, token, name, password, visit=browser_of(visit.request))
    except Invalid as error:
        return visit.again(error, "sign_in/invitation.html", token=token, view=view)
    return let_in(visit, new, home)
