"""What imports need to know of files and of the API's JSON, which only `wire` knows: passed in by the composition."""

from collections.abc import Callable, Iterator

import msgspec

from lotus_server.domain.imports import Import, ImportKind, Layout, Place
from lotus_server.ports.event_store import Decoder, Receipt, Submission
from lotus_server.usecases.customers import CustomerDraft

Source = Callable[[int], bytes]
"""Returns some bytes of a file from a place on; nothing at its end."""

Append = Callable[[Submission], Receipt]
"""Stores events and waits until they are on disk: the event store's `append`, for a thread."""


class FileRow(msgspec.Struct, gc=False):
    """A row of a file.

    `number` and `line` count from 1; `end` is where the next one begins. `payload` is the row as the API would get it,
    the JSON text of an event or the object of a customer; when there is a `problem`, there is none. `raw` is how the
    file has it, `cells` what a table has.
    """

    number: int
    line: int
    end: Place
    payload: object = None
    problem: str | None = None
    raw: bytes = b""
    cells: list[str] = []


class Reading(msgspec.Struct, frozen=True):
    """How files are read.

    `layout_of` looks at the beginning of a file and raises Invalid when it is none that can be taken; `rows` yields the
    rows from an import's place on, and raises Invalid where nothing that follows can be read. `customer` is the draft
    of a payload, `decode` what the API does with events.
    """

    layout_of: Callable[[ImportKind, Source], Layout]
    rows: Callable[[Import, Source], Iterator[FileRow]]
    customer: Callable[[object], CustomerDraft]
    decode: Decoder
