"""The server process: HTTP, the ticker, and the event writer's process beside it."""

import asyncio
import gc
import signal
from collections.abc import Callable
from importlib.metadata import version

import structlog
import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from granian.utils.proxies import wrap_asgi_with_proxy_headers

from lotus_server.http.front import Front
from lotus_server.http.later import LaterApp
from lotus_server.http.requests import App
from lotus_server.jobs.periodic import Periodic
from lotus_server.ports.event_store import Receipt, Submission
from lotus_server.settings import Settings
from lotus_server.usecases.access import AccessCache
from lotus_server.usecases.clock import run_clocks
from lotus_server.usecases.due_work import do_what_is_due
from lotus_server.usecases.import_reading import Append
from lotus_server.usecases.import_runs import run_imports
from lotus_server.usecases.imports import stop_idle_imports
from lotus_server.usecases.mails import forget_old, send_mail_due
from lotus_server.usecases.organizations import note_key_uses
from lotus_server.usecases.revenue import sum_up_all_revenue
from lotus_server.usecases.services import Services
from lotus_server.wire.import_files import make_reading
from lotus_server.wire.track import make_decoder

_log = structlog.get_logger()
TICK_SECONDS = 1.0
CLOCK_SECONDS = 0.5
IMPORT_SECONDS = 0.5
KEY_USE_SECONDS = 15.0
REVENUE_SECONDS = 15.0
MAIL_SECONDS = 2.0
FORGET_SECONDS = 3_600.0
BACKLOG = 2_048


def serve(services: Services, settings: Settings, announce: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM; `announce` is called once requests are answered."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(services, settings, announce))


async def _serve(services: Services, settings: Settings, announce: Callable[[], None]) -> None:
    cache = AccessCache(services)
    resources = LaterApp(lambda: _load_resources(services))
    pages = LaterApp(lambda: _load_pages(services))
    decode = make_decoder(services.ids.random_uuid)
    front = Front(
        services,
        cache,
        resources,
        pages,
        decode=decode,
        boot_id=services.ids.random_uuid()[:8],
    )
    append, reading = appending(services, asyncio.get_running_loop()), make_reading(decode)
    server = Server(
        _behind_proxies(front, settings.trusted_proxies),
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        backlog=BACKLOG,
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    jobs = [
        Periodic("due_work", TICK_SECONDS, lambda: do_what_is_due(services)),
        Periodic("revenue", REVENUE_SECONDS, lambda: sum_up_all_revenue(services)),
        Periodic("mail", MAIL_SECONDS, lambda: send_mail_due(services)),
        Periodic("forget_old", FORGET_SECONDS, lambda: forget_old(services)),
        Periodic("clock_runs", CLOCK_SECONDS, lambda: run_clocks(services)),
        Periodic("imports", IMPORT_SECONDS, lambda: run_imports(services, reading, append)),
        Periodic("idle_imports", FORGET_SECONDS, lambda: stop_idle_imports(services)),
        Periodic("key_uses", KEY_USE_SECONDS, lambda: _note_key_uses(services, cache)),
    ]
    tasks = [asyncio.create_task(job.run()) for job in jobs]
    resources.begin()
    pages.begin()
    loop.call_soon(announce)
    try:
        await server.serve()
    finally:
        for job in jobs:
            job.stop()
        await asyncio.gather(*tasks)
        _note_key_uses(services, cache)


def _behind_proxies(front: App, trusted_proxies: tuple[str, ...]) -> App:
    """Let a trusted proxy say from where, and how, a request came to it; without one nobody's word is taken."""
    if not trusted_proxies:
        return front
    wrapped: App = wrap_asgi_with_proxy_headers(front, list(trusted_proxies))
    return wrapped


def appending(services: Services, loop: asyncio.AbstractEventLoop) -> Append:
    """Return what stores events from a thread: the event store's submissions belong to the event loop."""

    def append(submission: Submission) -> Receipt:
        return asyncio.run_coroutine_threadsafe(services.events.append(submission), loop).result()

    return append


def _load_resources(services: Services) -> App:
    from lotus_server.http.app import build_resources

    app = build_resources(services, version=version("lotus-server"))
    # What lives until the end need not be looked at by the collector again: its pauses are the tail of latencies.
    gc.collect()
    gc.freeze()
    return app


def _load_pages(services: Services) -> App:
    from lotus_server.http.web.app import build_pages

    return build_pages(services, version=version("lotus-server"))


def _note_key_uses(services: Services, cache: AccessCache) -> int:
    used = cache.take_used_keys()
    if used:
        note_key_uses(services, used)
    return len(used)
