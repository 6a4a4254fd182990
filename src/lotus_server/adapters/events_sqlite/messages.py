"""What the front process and the writer process say to each other, and how it is framed.

A frame is two little-endian 32-bit lengths, a MessagePack head, and a raw body (the bytes of a request, which need no
encoding).
"""

import struct
from collections.abc import Iterator
from datetime import datetime
from typing import Final

import msgspec

from lotus_server.kernel import errors
from lotus_server.kernel.errors import FieldProblem, LotusError
from lotus_server.ports.event_store import BodyForm, CorrectionOrder, CorrectionResult, Receipt

LENGTHS: Final = struct.Struct("<II")
FRAME_BYTES_MAX: Final = 1 << 31


class Append(msgspec.Struct, array_like=True, tag="append"):
    """Store what the body holds; `known_customers` is the number of a set that was sent before."""

    number: int
    organization_id: str
    now: datetime
    form: BodyForm
    is_gzip: bool
    wants_results: bool
    known_customers: int | None


class KnownCustomers(msgspec.Struct, array_like=True, tag="known"):
    """The set of customers that later submissions name by a number.

    The set of the lowest number is forgotten beyond a few.
    """

    number: int
    customer_ids: frozenset[str]


class Failure(msgspec.Struct, array_like=True):
    """An error of the kernel's tree, by the name of its class."""

    kind: str
    detail: str
    code: str
    problems: tuple[FieldProblem, ...] = ()

    @classmethod
    def of(cls, error: LotusError) -> "Failure":
        """Return an error in the form that travels."""
        return cls(type(error).__name__, error.detail, error.code, error.problems)

    def to_error(self) -> LotusError:
        """Return the error that travelled."""
        kind = getattr(errors, self.kind, LotusError)
        error: LotusError = kind(self.detail, code=self.code, problems=self.problems)
        return error


class Answer(msgspec.Struct, array_like=True):
    """What became of a submission: one of the two is there."""

    number: int
    receipt: Receipt | None = None
    failure: Failure | None = None


class NewAggregate(msgspec.Struct, array_like=True):
    """An aggregate over every event up to `until_seq`, as it counts after the correction `until_correction`.

    Its states as text by group, and the values that `unique` has seen.
    """

    organization_id: str
    selection_text: str
    until_seq: int
    until_correction: int
    states: dict[str, str]
    values: list[tuple[str, str]]


class Register(msgspec.Struct, array_like=True, tag="register"):
    """Keep these aggregates up to date from now on."""

    aggregates: list[NewAggregate]


class Find(msgspec.Struct, array_like=True, tag="find"):
    """Which events have these ids?"""

    organization_id: str
    idempotency_ids: list[str]


class Correct(msgspec.Struct, array_like=True, tag="correct"):
    """Void or amend these events."""

    organization_id: str
    orders: list[CorrectionOrder]
    now: datetime


class Status(msgspec.Struct, array_like=True, tag="status"):
    """Are you ready, and how do you do?"""


class Reply(msgspec.Struct, array_like=True):
    """The answer to a question: what was asked for, or what went wrong. `found` are sequence numbers by id."""

    found: dict[str, int] = {}
    failure: str | None = None
    commit_count: int = 0
    corrected: list[CorrectionResult] = []


Fed = Append | KnownCustomers
Question = Register | Find | Correct | Status

_encode: Final = msgspec.msgpack.Encoder(decimal_format="string").encode


def to_frame(head: msgspec.Struct, body: bytes = b"") -> bytes:
    """Return the bytes of a message."""
    encoded = _encode(head)
    return b"".join((LENGTHS.pack(len(encoded), len(body)), encoded, body))


class FrameReader:
    """Cuts a stream of bytes into frames."""

    def __init__(self) -> None:
        """Start with nothing received."""
        self._buffer = bytearray()

    @property
    def is_between_frames(self) -> bool:
        """Tell whether nothing of a further frame has come."""
        return not self._buffer

    def feed(self, received: bytes) -> None:
        """Take bytes in."""
        self._buffer += received

    def frames(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield (head, body) of every complete frame received."""
        start = 0
        buffer = self._buffer
        try:
            while len(buffer) - start >= LENGTHS.size:
                head, body = LENGTHS.unpack_from(buffer, start)
                head_start = start + LENGTHS.size
                end = head_start + head + body
                if len(buffer) < end:
                    break
                view = memoryview(buffer)
                frame = bytes(view[head_start : head_start + head]), bytes(view[head_start + head : end])
                view.release()
                start = end
                yield frame
        finally:
            del buffer[:start]
