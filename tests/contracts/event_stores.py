"""The event stores that must pass the suite. A new adapter adds one line to `STORES`."""

from collections.abc import Callable
from pathlib import Path

from lotus_server.bootstrap.event_store import open_event_store
from lotus_server.ports.event_store import EventStore

# Opens the store that a directory stands for. The same directory again is the same store again.
STORES: dict[str, Callable[[Path], EventStore]] = {
    "sqlite": open_event_store,
}
