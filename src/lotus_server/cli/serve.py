"""`lotus serve`."""

import threading
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from lotus_server.cli.terminal import console, fail

if TYPE_CHECKING:
    from lotus_server.settings import Settings
    from lotus_server.usecases.services import Services


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [LOTUS_HOST, 127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port [LOTUS_PORT, 8000].")] = None,
    data: Annotated[Path | None, typer.Option(help="Directory of the data [LOTUS_DATA, ./data].")] = None,
    *,
    demo: Annotated[bool, typer.Option("--demo", help="Fill an empty directory with demo data.")] = False,
) -> None:
    """Serve the API. The first start creates an organization and prints its API key, once."""
    from lotus_server.bootstrap.services import first_organization, open_services, owned_data_directory
    from lotus_server.kernel.errors import LotusError
    from lotus_server.settings import read_settings
    from lotus_server.usecases.sign_in import first_owner_link

    # The web framework takes as long to load as the event writer to start: they do so side by side.
    loading = threading.Thread(target=import_module, args=("lotus_server.bootstrap.server",), daemon=True)
    try:
        settings = read_settings(host=host, port=port, data=data)
        refuse_taken_port(settings.host, settings.port)
        loading.start()
        with owned_data_directory(settings.data), open_services(settings) as services:
            organization, new_key = first_organization(services, settings)
            if demo and new_key is not None:
                from lotus_server.cli.demo import load_demo

                load_demo(services, organization)
            owner_token = first_owner_link(services)
            loading.join()
            _run(services, settings, _Shown(new_key.api_key if new_key is not None else None, owner_token))
    except LotusError as error:
        fail(error)


class _Shown(NamedTuple):
    """What is shown this once, as far as there is any: the first API key, and the token of the first owner's link."""

    api_key: str | None
    owner_token: str | None


def _run(services: "Services", settings: "Settings", shown: _Shown) -> None:
    from lotus_server.bootstrap.logs import configure_logs
    from lotus_server.bootstrap.server import serve as run

    configure_logs(settings.log_format)
    run(services, settings, lambda: _announce(settings, shown))


def refuse_taken_port(host: str, port: int) -> None:
    """Raise Unavailable `port_in_use` when something else listens there: better before anything is opened."""
    import socket

    from lotus_server.kernel.errors import Unavailable

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Unavailable(f"Cannot listen on {host}:{port}: {error.strerror}.", code="port_in_use") from None


def _announce(settings: "Settings", shown: _Shown) -> None:
    url = settings.public_url
    console.print(
        f"\n[bold]Lotus is serving on {url}[/bold]   (API reference: {url}/docs, Ctrl-C stops)", soft_wrap=True
    )
    if shown.owner_token is not None:
        link = f"{url}/welcome/{shown.owner_token}"
        console.print(f"Become the owner with this link, which works once: {link}", soft_wrap=True, highlight=False)
    if shown.api_key is not None:
        console.print(f"API key, shown this once: [bold]{shown.api_key}[/bold]")
    console.print("Try:")
    key = shown.api_key or "YOUR_API_KEY"
    for line in _EXAMPLES:
        console.print("  " + line.format(url=url, key=key), soft_wrap=True, highlight=False, markup=False)


_EXAMPLES = (
    "curl {url}/api/plans/ -H 'X-API-KEY: {key}'",
    (
        "curl {url}/api/track/ -H 'X-API-KEY: {key}' "
        '-d \'{{"event_name":"tokens","customer_id":"acme","properties":{{"model":"large","tokens":1200}}}}\''
    ),
    "curl '{url}/api/draft_invoice/?customer_id=acme' -H 'X-API-KEY: {key}'",
)
