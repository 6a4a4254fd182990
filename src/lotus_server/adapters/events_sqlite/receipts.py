"""What the sender of a submission is told about its events."""

import msgspec

from lotus_server.domain.metering import Verdict
from lotus_server.ports.event_store import DecodedBatch, EventResult, Receipt, Submission


class Taken(msgspec.Struct):
    """A submission that was decoded: where it stands in its group."""

    submission: Submission
    batch: DecodedBatch


def receipt(one: Taken, verdicts: dict[int, EventResult], start: int) -> Receipt:
    """Return the receipt of a submission whose events begin at `start` of its group."""
    events, rejected = one.batch.events, one.batch.rejected
    mine = (
        {index: verdicts[start + index] for index in range(len(events)) if start + index in verdicts}
        if verdicts
        else {}
    )
    turned_away = {item.position: EventResult(item.idempotency_id, Verdict.REJECTED, item.reason) for item in rejected}
    duplicates = sum(1 for result in mine.values() if result.status is Verdict.DUPLICATE)
    accepted = len(events) - len(mine)
    positions = one.batch.positions
    placed = turned_away | {positions[index]: result for index, result in mine.items()}
    failures = tuple(
        placed[position] for position in sorted(placed) if placed[position].status is not Verdict.DUPLICATE
    )
    if not one.submission.wants_results:
        return Receipt(accepted, duplicates, failures)
    for position, event in zip(positions, events, strict=True):
        placed.setdefault(position, EventResult(event.idempotency_id, Verdict.ACCEPTED))
    return Receipt(accepted, duplicates, failures, tuple(placed[position] for position in sorted(placed)))
