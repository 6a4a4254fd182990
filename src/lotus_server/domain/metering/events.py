"""An event as metering sees it, the verdict each sent event gets, and what corrections made of it."""

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


class EventStatus(StrEnum):
    """Whether an event still is as it was sent. A voided event counts for nothing; its id stays taken for ever."""

    RECORDED = "recorded"
    AMENDED = "amended"
    VOIDED = "voided"


class CorrectionKind(StrEnum):
    """What a correction does: it takes an event out, or changes its content."""

    VOID = "void"
    AMEND = "amend"


class Correction(msgspec.Struct, frozen=True):
    """One correction of an event: why and when it was made, and the content the event had before it."""

    kind: CorrectionKind
    reason: str
    made_at: datetime
    customer_id: str
    happened_at: datetime
    properties: dict[str, Any]


class LogPosition(msgspec.Struct, frozen=True, gc=False):
    """How far a log of events goes: the number of its last event and that of its last correction, 0 for none."""

    event: int = 0
    correction: int = 0


class Event(msgspec.Struct, frozen=True):
    """One stored event with the content that counts now; that of a voided event is what it had when it was voided.

    `properties` hold exact numbers (int or Decimal), never float; `sequence` is the order of acceptance, which no
    correction changes.
    """

    sequence: int
    idempotency_id: str
    customer_id: str
    event_name: str
    happened_at: datetime
    received_at: datetime
    properties: dict[str, Any]
    status: EventStatus = EventStatus.RECORDED
