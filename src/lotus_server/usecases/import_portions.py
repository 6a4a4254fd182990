"""What a portion of rows does: the customers and events of it, or what they would be."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.domain.imports import REFUSED_TEXT_MAX, Existing, Import, RefusedRow, Tally
from lotus_server.domain.metering import Verdict
from lotus_server.kernel.errors import Invalid
from lotus_server.ports.event_store import DecodedBatch, Submission
from lotus_server.ports.records import Transaction
from lotus_server.usecases.customers import CustomerDraft, ExistingBehavior, Taken, take_in_customers
from lotus_server.usecases.import_reading import Append, FileRow, Reading
from lotus_server.usecases.services import Services, present

_BEHAVIORS: Final = {Existing.LEAVE: ExistingBehavior.IGNORE, Existing.CHANGE: ExistingBehavior.MERGE}


class Done(msgspec.Struct):
    """What became of a portion of rows."""

    tally: Tally
    refused: list[RefusedRow]


class Portion(msgspec.Struct, frozen=True):
    """Some rows of an import that are taken together, and what is needed for that.

    Work at them began at `began`, in real time. `known_customers` are given where events of no others are taken.
    """

    services: Services
    organization: Organization
    import_: Import
    reading: Reading
    began: datetime
    rows: Sequence[FileRow]
    known_customers: frozenset[str] | None = None

    @property
    def good(self) -> list[FileRow]:
        """Return the rows that could be read."""
        return [row for row in self.rows if row.problem is None]

    def done(self, counts: dict[str, int], refused: dict[int, tuple[str, ...]]) -> Done:
        """Return what became of the rows; `refused` are problems by the number of a row, beside those of reading."""
        told = [
            _refused(row, refused.get(row.number) or (row.problem or "",))
            for row in self.rows
            if row.problem is not None or row.number in refused
        ]
        return Done(Tally(refused=len(told), **counts), told)


def customers_known(tx: Transaction, portion: Portion, drafts: Sequence[CustomerDraft]) -> dict[str, Customer]:
    """Return those of the drafts' customers that exist, which nobody else changes until the transaction ends."""
    organization_id = portion.organization.organization_id
    known = tx.customers.many(organization_id, [draft.customer_id for draft in drafts])
    if portion.import_.existing is Existing.LEAVE or portion.import_.is_check:
        return known
    locked = {each: tx.customers.get(organization_id, each, for_update=True) for each in sorted(known)}
    return {customer_id: found for customer_id, found in locked.items() if found is not None}


def take_customers(tx: Transaction, portion: Portion, drafts: Sequence[CustomerDraft]) -> Done:
    """The customers of a portion are as its rows say. `drafts` are those of its good rows."""
    known = customers_known(tx, portion, drafts)
    done, touched = _judged(portion, drafts, known)
    for customer_id, customer in touched.items():
        keep = tx.customers.replace if customer_id in known else tx.customers.add
        keep(customer)
    return done


def check_customers(tx: Transaction, portion: Portion, drafts: Sequence[CustomerDraft]) -> Done:
    """Return what `take_customers` would do now."""
    return _judged(portion, drafts, customers_known(tx, portion, drafts))[0]


def _judged(
    portion: Portion, drafts: Sequence[CustomerDraft], known: dict[str, Customer]
) -> tuple[Done, dict[str, Customer]]:
    behavior = _BEHAVIORS[portion.import_.existing]
    verdicts, touched = take_in_customers(portion.services, portion.organization, drafts, known, behavior)
    refused = {
        row.number: tuple(problem.detail for problem in verdict.problems)
        for row, verdict in zip(portion.good, verdicts, strict=True)
        if isinstance(verdict, Invalid)
    }
    return portion.done({each.value: verdicts.count(each) for each in Taken}, refused), touched


def take_events(portion: Portion, append: Append) -> Done:
    """The events of a portion are stored, each once, whatever was stored of them before."""
    portion = _with_known_customers(portion)
    good, refused, _ = _readable_events(portion)
    results = append(_submission(portion, good)).results if good else ()
    assert results is not None, "they were wanted"
    counts = {"made": 0, "unchanged": 0}
    for row, result in zip(good, results, strict=True):
        if result.status is Verdict.ACCEPTED:
            counts["made"] += 1
        elif result.status is Verdict.DUPLICATE:
            counts["unchanged"] += 1
        else:
            refused[row.number] = (result.reason or f"The event is {result.status.value}.",)
    return portion.done(counts, refused)


def check_events(portion: Portion) -> Done:
    """Return what `take_events` would do now, but for conflicts: an id that is known counts as unchanged."""
    _, refused, ids = _readable_events(_with_known_customers(portion))
    known = portion.services.events.find(portion.organization.organization_id, set(ids))
    made = len(set(ids) - known)
    return portion.done({"made": made, "unchanged": len(ids) - made}, refused)


def _with_known_customers(portion: Portion) -> Portion:
    """Return a portion that knows which customers exist, where the organization takes no events of others."""
    if not portion.organization.rejects_unknown_customers or not portion.good:
        return portion
    named = sorted({event.customer_id for event in _decoded(portion, portion.good).events})
    with portion.services.records.snapshot() as tx:
        known = tx.customers.known(portion.organization.organization_id, named)
    return msgspec.structs.replace(portion, known_customers=known)


def _readable_events(portion: Portion) -> tuple[list[FileRow], dict[int, tuple[str, ...]], list[str]]:
    """Return the rows whose events the API would take, what is wrong with the others, by number, and the former's ids.

    They are judged before they are sent: what a file has wrong belongs to its import, not to the log of what programs
    sent.
    """
    good = portion.good
    if not good:
        return [], {}, []
    batch = _decoded(portion, good)
    refused: dict[int, tuple[str, ...]] = {good[each.position].number: (each.reason,) for each in batch.rejected}
    ids = [event.idempotency_id for event in batch.events]
    return [good[position] for position in batch.positions], refused, ids


def _decoded(portion: Portion, rows: Sequence[FileRow]) -> DecodedBatch:
    return portion.reading.decode(_submission(portion, rows))


def _submission(portion: Portion, rows: Sequence[FileRow]) -> Submission:
    body = b"[%b]" % b",".join(bytes(row.payload) for row in rows)  # type: ignore[call-overload]
    return Submission(
        portion.organization.organization_id,
        body,
        present(portion.services, portion.organization),
        wants_results=True,
        known_customers=portion.known_customers,
    )


def _refused(row: FileRow, problems: tuple[str, ...]) -> RefusedRow:
    cells = tuple(cell[:REFUSED_TEXT_MAX].replace("\0", "\ufffd") for cell in row.cells)
    text = "" if cells else row.raw[:REFUSED_TEXT_MAX].decode(errors="replace").replace("\0", "\ufffd")
    return RefusedRow(row.number, row.line, text, problems, cells)
