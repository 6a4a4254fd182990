"""Corrections: what was sent stays in the log, what counts instead stands beside it.

A correction deletes every aggregate that counted the event before or is to count it now. The next question makes it
anew from what counts then, so that no aggregate has to know how to take an event back.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from lotus_server.adapters.events_sqlite.judge import is_same_json
from lotus_server.adapters.events_sqlite.live import StreamKey
from lotus_server.adapters.events_sqlite.rows import VOIDED, Row, effective_rows, rows_by_sequence
from lotus_server.domain.metering import Correction, CorrectionKind, EventStatus
from lotus_server.kernel.instants import from_microseconds
from lotus_server.ports.event_store import CorrectionOrder, CorrectionResult, CorrectionStatus

_decode_json: Final = msgspec.json.Decoder(float_hook=Decimal).decode


class Applied(msgspec.Struct):
    """What became of a batch of corrections, and the streams in which something else counts now."""

    results: list[CorrectionResult]
    streams: set[StreamKey]


def apply(
    connection: sqlite3.Connection, known: Mapping[str, int], orders: Sequence[CorrectionOrder], now_us: int
) -> Applied:
    """Carry out corrections of one organization, in their order. The caller has a transaction.

    `known` has the sequence number of each event that is to be corrected and exists.
    """
    applied = Applied([], set())
    for order in orders:
        seq = known.get(order.idempotency_id)
        status = CorrectionStatus.UNKNOWN
        if seq is not None:
            row = next(effective_rows(connection, [seq]))
            status, changed = _decide(row, order)
            if changed is not None:
                applied.streams |= _write(connection, row, changed, order, now_us)
        applied.results.append(CorrectionResult(order.idempotency_id, status))
    return applied


def _decide(row: Row, order: CorrectionOrder) -> tuple[CorrectionStatus, Row | None]:
    """Return what becomes of an order, and the row that counts from now on if that is another one."""
    is_voided = row.status == VOIDED
    if order.kind is CorrectionKind.VOID:
        if is_voided:
            return CorrectionStatus.UNCHANGED, None
        return CorrectionStatus.DONE, msgspec.structs.replace(row, status=VOIDED)
    if is_voided:
        return CorrectionStatus.VOIDED, None
    text = row.properties_text if order.properties_json is None else order.properties_json.decode()
    changed = msgspec.structs.replace(
        row,
        customer=row.customer if order.customer_id is None else order.customer_id,
        happened_us=row.happened_us if order.happened_us is None else order.happened_us,
        properties_text=text,
        status=EventStatus.AMENDED.value,
    )
    is_in_place = (changed.customer, changed.happened_us) == (row.customer, row.happened_us)
    if is_in_place and is_same_json(_decode_json(text), _decode_json(row.properties_text)):
        return CorrectionStatus.UNCHANGED, None
    return CorrectionStatus.DONE, changed


def _write(
    connection: sqlite3.Connection, row: Row, changed: Row, order: CorrectionOrder, now_us: int
) -> set[StreamKey]:
    """Put a correction beside the log, and delete what it makes untrue; return the streams that it changes."""
    content = (changed.customer, changed.happened_us, changed.properties_text)
    cursor = connection.execute(
        "INSERT INTO corrections VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)",
        (row.seq, order.kind.value, order.reason, now_us, *content),
    )
    connection.execute(
        "INSERT OR REPLACE INTO corrected VALUES (?, ?, ?, ?, ?, ?)", (row.seq, row.org, changed.status, *content)
    )
    places = {(each.org, each.customer, each.name, each.happened_us) for each in (row, changed)}
    for org, customer, name, happened_us in places:
        connection.execute(
            "INSERT OR REPLACE INTO corrected_streams VALUES (?, ?, ?, ?)", (org, customer, name, cursor.lastrowid)
        )
        _delete_aggregates(connection, (org, customer, name), happened_us)
    return {(org, customer, name) for org, customer, name, _ in places}


def _delete_aggregates(connection: sqlite3.Connection, key: StreamKey, happened_us: int) -> None:
    """Delete the aggregates of a stream that may count an event of a time."""
    aggregates = connection.execute(
        "SELECT aggregate FROM aggregates WHERE org = ? AND customer = ? AND event_name = ?"
        " AND start_us <= ? AND end_us > ?",
        (*key, happened_us, happened_us),
    ).fetchall()
    for table in ("aggregate_states", "unique_values", "aggregates"):
        connection.executemany(f"DELETE FROM {table} WHERE aggregate = ?", aggregates)  # noqa: S608 - names of our own


def corrected_until(connection: sqlite3.Connection, key: StreamKey) -> int:
    """Return the number of the last correction that took an event from a stream or brought one to it, 0 if none did."""
    row = connection.execute(
        "SELECT correction FROM corrected_streams WHERE org = ? AND customer = ? AND name = ?", key
    ).fetchone()
    return int(row[0]) if row else 0


def history(connection: sqlite3.Connection, seq: int) -> list[Correction]:
    """Return the corrections of an event, the first one first, each with the content before it."""
    before = next(rows_by_sequence(connection, [seq]))
    corrections: list[Correction] = []
    rows = connection.execute(
        "SELECT kind, reason, made_us, customer, happened_us, properties FROM corrections WHERE seq = ?"
        " ORDER BY correction",
        (seq,),
    )
    for kind, reason, made_us, customer, happened_us, properties in rows.fetchall():
        corrections.append(
            Correction(
                CorrectionKind(kind),
                reason,
                from_microseconds(made_us),
                before.customer,
                from_microseconds(before.happened_us),
                before.properties,
            )
        )
        before = msgspec.structs.replace(before, customer=customer, happened_us=happened_us, properties_text=properties)
    return corrections
