"""What a scenario speaks to: the HTTP API of one organization, wherever that runs."""

from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Protocol

import msgspec

Json = Any  # whatever JSON holds, its numbers being int and Decimal
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)


class Reply(msgspec.Struct, frozen=True):
    """An answer of the API."""

    status: int
    body: Json

    @property
    def is_success(self) -> bool:
        """Tell whether the call was carried out."""
        return 200 <= self.status < 300


class Api(Protocol):
    """The API with the key of one organization."""

    def call(self, method: str, path: str, body: Json = None) -> Reply:
        """Carry out one call; `path` may have a query.

        Raises Unavailable when nothing answers there.
        """
        ...


class Stage(Protocol):
    """Where scenarios are played: it makes a new sandbox organization for each."""

    def open(self, name: str, start: datetime) -> AbstractContextManager[Api]:
        """Make an organization whose clock stands at `start`, and return the API with its key."""
        ...


def encode(body: Json) -> bytes:
    """Return a body as JSON; decimals are written as numbers with all their digits."""
    return b"" if body is None else _ENCODER.encode(body)


def decode(status: int, content: bytes) -> Reply:
    """Return an answer with its numbers exact; what is not JSON stays a text."""
    try:
        return Reply(status, _DECODER.decode(content) if content else None)
    except msgspec.DecodeError:
        return Reply(status, content.decode("utf-8", errors="replace"))
