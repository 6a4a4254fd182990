"""Where people begin: the way from the bare address to a page of an organization."""

from starlette.responses import Response

from lotus_server.http.web.addresses import handle_of
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import Visit
from lotus_server.kernel.errors import NotFound

open_pages = Pages("person")


@open_pages.get("/")
def root(visit: Visit) -> Response:
    """Lead to the first of the viewer's organizations."""
    assert visit.signed_in is not None
    memberships = visit.signed_in.memberships
    if not memberships:
        raise NotFound("You are not a member of any organization. Ask somebody who is to invite you.")
    return visit.redirect(f"/o/{handle_of(memberships[0].organization)}/")
