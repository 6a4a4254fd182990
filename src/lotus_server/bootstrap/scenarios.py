"""Where scenarios are played: the whole application in this process, or a server that is running on a directory."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from lotus_server.bootstrap.services import open_services, open_services_beside
from lotus_server.domain.accounts import OrganizationType
from lotus_server.http.app import build_resources
from lotus_server.http.front import Front
from lotus_server.scenarios.api import Api, Stage
from lotus_server.scenarios.asgi import App, AsgiApi
from lotus_server.scenarios.over_http import HttpApi
from lotus_server.settings import Settings
from lotus_server.usecases.access import AccessCache
from lotus_server.usecases.organizations import OrganizationDraft, create_organization
from lotus_server.usecases.services import Services
from lotus_server.wire.track import make_decoder


@contextmanager
def stage_in_process() -> Iterator[Stage]:
    """Open the application on a temporary directory, which goes when the block ends. Nothing listens on a port."""
    with (
        TemporaryDirectory(prefix="lotus-scenarios-") as folder,
        open_services(Settings(data=Path(folder))) as services,
        asyncio.Runner() as runner,
    ):
        resources = build_resources(services, version=version("lotus-server"))
        front = Front(
            services,
            AccessCache(services),
            resources,
            resources,  # a scenario opens no pages
            decode=make_decoder(services.ids.random_uuid),
            boot_id=services.ids.random_uuid()[:8],
        )
        yield _InProcess(services, front, runner)


@contextmanager
def stage_on_server(settings: Settings, url: str) -> Iterator[Stage]:
    """Open the stage of a server that is running on a data directory and listens at `url`.

    Organizations are made beside it, in its directory. Raises NotFound when there is no data.
    """
    with open_services_beside(settings) as services:
        yield _OnServer(services, url)


class _InProcess:
    def __init__(self, services: Services, app: App, runner: asyncio.Runner) -> None:
        self._services = services
        self._app = app
        self._runner = runner

    @contextmanager
    def open(self, name: str, start: datetime) -> Iterator[Api]:
        yield AsgiApi(self._app, self._runner, _new_sandbox(self._services, name, start))


class _OnServer:
    def __init__(self, services: Services, url: str) -> None:
        self._services = services
        self._url = url

    @contextmanager
    def open(self, name: str, start: datetime) -> Iterator[Api]:
        api = HttpApi(self._url, _new_sandbox(self._services, name, start))
        try:
            yield api
        finally:
            api.close()


def _new_sandbox(services: Services, name: str, start: datetime) -> str:
    """Make a sandbox whose clock stands at `start`, and return its API key."""
    draft = OrganizationDraft(name, OrganizationType.SANDBOX, clock_now=start)
    return create_organization(services, draft)[1].api_key
