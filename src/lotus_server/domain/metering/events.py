"""An event as metering sees it, and the verdict each sent event gets."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class Verdict(StrEnum):
    """What became of one sent event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REJECTED = "rejected"


class Event(msgspec.Struct, frozen=True):
    """One stored event.

    `properties` hold exact numbers (int or Decimal), never float; `sequence` is the order of acceptance.
    """

    sequence: int
    idempotency_id: str
    customer_id: str
    event_name: str
    happened_at: datetime
    received_at: datetime
    properties: dict[str, Any]
