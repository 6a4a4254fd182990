"""What the run and the process beside it say to each other: a little-endian 32-bit length, then JSON."""

import socket
import struct
from typing import Final

import msgspec

from lotus_server.ports.rating_ahead import NextDue, RatedOrganization

_LENGTH: Final = struct.Struct("<I")
_encode: Final = msgspec.json.Encoder().encode
decode_question: Final = msgspec.json.Decoder(NextDue).decode
decode_answer: Final = msgspec.json.Decoder(list[RatedOrganization]).decode


class Sources(msgspec.Struct, frozen=True):
    """Where a process finds what it reads. It is sent, because a command line is there for everybody to see."""

    records_url: str
    events_directory: str


decode_sources: Final = msgspec.json.Decoder(Sources).decode


def send(to: socket.socket, said: Sources | NextDue | list[RatedOrganization]) -> None:
    """Send one frame. Raises OSError when nobody is at the other end, or does not read in time."""
    body = _encode(said)
    to.sendall(_LENGTH.pack(len(body)) + body)


def receive(of: socket.socket) -> bytearray | None:
    """Return the body of the next frame, null at the end. Raises OSError when the other end is gone or is too slow."""
    head = _exactly(of, _LENGTH.size)
    return None if head is None else _exactly(of, _LENGTH.unpack(head)[0])


def _exactly(of: socket.socket, count: int) -> bytearray | None:
    received = bytearray(count)
    place = memoryview(received)
    while place:
        taken = of.recv_into(place)
        if not taken:
            return None
        place = place[taken:]
    return received
