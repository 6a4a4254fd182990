"""The web app: an application of its own beside the API's resources, behind the same front."""

from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from lotus_server.http.paths import read_slashes_within_segments
from lotus_server.http.requests import App
from lotus_server.http.web.assets import Assets
from lotus_server.http.web.forms import Form
from lotus_server.http.web.pages import AREAS
from lotus_server.http.web.routing import all_routes
from lotus_server.http.web.templating import Templates
from lotus_server.http.web.visit import Visit
from lotus_server.kernel.errors import Unavailable
from lotus_server.usecases.services import Services

_NOT_FOUND: Final = "There is no page at this address."


def build_pages(services: Services, *, version: str) -> App:
    """Return the application that serves the pages; without its assets, one that tells how to install them."""
    try:
        assets = Assets()
    except Unavailable as error:
        return PlainTextResponse(error.detail, 503)
    read_slashes_within_segments()
    templates = Templates(assets, version=version)

    async def not_found(request: Request, _: Exception) -> Response:
        visit = Visit(request, services, templates, Form())
        return visit.page("error.html", status=404, title="There is nothing here", detail=_NOT_FOUND, problems=())

    routes = [
        Route("/assets/{digest}/{name:path}", assets.respond),
        *all_routes(AREAS, services, templates),
    ]
    return Starlette(routes=routes, exception_handlers={404: not_found, 405: not_found})
