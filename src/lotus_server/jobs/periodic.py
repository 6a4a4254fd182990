"""Work that is done again and again while the server runs, outside the event loop."""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog

_log = structlog.get_logger()


class Periodic:
    """Calls a function every so many seconds, one call at a time.

    A failed call is logged and does not end the series.
    """

    def __init__(self, name: str, interval_seconds: float, work: Callable[[], Any]) -> None:
        """Prepare the series; `run` starts it."""
        self._name = name
        self._interval_seconds = interval_seconds
        self._work = work
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Do the work until `stop` is called; a call that is under way is finished first."""
        while not self._stopped.is_set():
            try:
                await asyncio.to_thread(self._work)
            except Exception:  # noqa: BLE001 - the series goes on; the log has the traceback
                _log.exception("periodic_work_failed", work=self._name)
            try:
                async with asyncio.timeout(self._interval_seconds):
                    await self._stopped.wait()
            except TimeoutError:
                continue

    def stop(self) -> None:
        """End the series."""
        self._stopped.set()
