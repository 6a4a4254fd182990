"""An application that is still being loaded while the server answers already."""

import asyncio
from collections.abc import Callable

from lotus_server.http.requests import App, Receive, Scope, Send


class LaterApp:
    """Stands for an application until it is there: a request that needs it waits for it.

    Loading a web framework takes as long as everything else of a start together, and the hot paths do not need it.
    """

    def __init__(self, load: Callable[[], App]) -> None:
        """Load with `load`, in a thread, once `begin` is called or the first request needs it."""
        self._load = load
        self._loading: asyncio.Future[App] | None = None

    def begin(self) -> asyncio.Future[App]:
        """Begin to load, and return what will be the application."""
        if self._loading is None:
            self._loading = asyncio.ensure_future(asyncio.to_thread(self._load))
        return self._loading

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request with the application, as soon as it is there."""
        # Shielded: a request that is given up must not end the loading for all others.
        app = await asyncio.shield(self.begin())
        await app(scope, receive, send)
