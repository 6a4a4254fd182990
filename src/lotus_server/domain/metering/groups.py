"""The key of the group that an event belongs to: its window, if the metric has windows, and its grouped properties."""

from datetime import datetime
from functools import lru_cache
from typing import Final

import msgspec

from lotus_server.domain.metering.definition import MetricDefinition
from lotus_server.domain.metering.properties import Properties, as_text, lookup
from lotus_server.domain.metering.units import window_start_us
from lotus_server.kernel.instants import from_microseconds, to_text

UNGROUPED: Final = ""
_encode: Final = msgspec.json.Encoder().encode
_KeyParts = tuple[str | None, ...]
_decode: Final = msgspec.json.Decoder(_KeyParts).decode


def values_key(group_by: tuple[str, ...], properties: Properties) -> str:
    """Return the key of some properties' values.

    A JSON array with a text, or null for a missing property, per name; an empty text for no names.
    """
    if not group_by:
        return UNGROUPED
    return _encode([as_text(lookup(properties, name)) for name in group_by]).decode()


def group_key(definition: MetricDefinition, properties: Properties, at_us: int) -> str:
    """Return the key of an event's group: a JSON array of texts, or an empty text when a metric has no groups.

    With windows the first text is the start of the event's window as RFC 3339 (`2026-05-01T10:00:00Z`); then comes a
    text, or null for a missing property, per grouped property. `at_us` is when the event happened.
    """
    if definition.window is None:
        return values_key(definition.group_by, properties)
    start = window_text(window_start_us(definition.window, at_us))
    return _encode([start, *(as_text(lookup(properties, name)) for name in definition.group_by)]).decode()


def key_in_window(start_us: int, key: str) -> str:
    """Return the key of a group within the window that begins at `start_us`, from its key without windows."""
    values = () if key == UNGROUPED else _decode(key)
    return _encode([window_text(start_us), *values]).decode()


def split_key(definition: MetricDefinition, key: str) -> tuple[datetime | None, _KeyParts]:
    """Return the start of a key's window (null without windows) and the texts of its grouped properties."""
    parts = () if key == UNGROUPED else _decode(key)
    if definition.window is None:
        return None, parts
    start, *values = parts
    assert start is not None, f"{key} has no window"
    return datetime.fromisoformat(start), tuple(values)


@lru_cache(maxsize=4_096)
def window_text(start_us: int) -> str:
    """Return the start of a window as it stands in keys."""
    return to_text(from_microseconds(start_us))
