"""What was invoiced for the usage of a period, and how, so that the period can be rated again at any later time."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from lotus_server.domain.invoicing.adjustments import adjustment_base
from lotus_server.domain.invoicing.billed import BilledLine, BilledPeriod, BilledTerms
from lotus_server.domain.invoicing.commitment import reached_by
from lotus_server.domain.invoicing.invoice import InvoiceLine, LineKind
from lotus_server.domain.invoicing.metered import Group, Metered
from lotus_server.domain.invoicing.stretches import Stretch
from lotus_server.domain.invoicing.terms import Terms
from lotus_server.domain.metering import Usage
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ZERO, add

FOLLOWS_USAGE: Final = frozenset({LineKind.USAGE, LineKind.COMMITMENT})
"""The kinds of lines that are rated again. What is held and not used is the same however late events come."""


class PeriodBilling(msgspec.Struct, frozen=True, gc=False):
    """How a period is billed: `opened` is the whole of it, `held` the part that is billed, with the usages counted.

    `counts_end`: an event at the very end of `held` counts, too. `lines` are those for what was used and held, before
    commitment and price adjustment; `component_ids` those whose usage is among them. `is_committed` is false where the
    version's commitment is let off. Usage that is billed in parts of the period has `of_usage` (null: it is billed in
    one piece), and `usages` are by stretch then. `usage_digest` null: it is that of the usages.
    """

    opened: Period
    held: Period
    usages: Mapping[str, Metered]
    lines: tuple[InvoiceLine, ...]
    component_ids: tuple[str, ...]
    counts_end: bool = False
    is_committed: bool = True
    of_usage: "Slice | None" = None
    usage_digest: str | None = None


LineKey = tuple[LineKind, str, str | None, tuple[tuple[str, str | None], ...], datetime | None]
"""What names a thing that is rated again within its period: kind, charge, metric, group, start of the stretch."""


class Slice(msgspec.Struct, frozen=True):
    """What an invoice bills of usage that is billed in parts of a period.

    `until` is how far each component is billed with it, by component id. `counted` is everything that these components
    come to so far, line by line with its stretch, and `lines` what the invoice adds to what was billed `before` (null:
    nothing was), with their keys.
    """

    until: Mapping[str, datetime]
    counted: tuple[tuple[Stretch, InvoiceLine], ...]
    lines: tuple[InvoiceLine, ...]
    keys: tuple[LineKey, ...]
    before: "BilledPeriod | None"


def billed_period(
    terms: Terms, billing: PeriodBilling, lines: Sequence[InvoiceLine], *, invoice_id: str, invoice_number: str
) -> BilledPeriod | None:
    """Return what an invoice's first lines say of a period's usage, or null where none of it is to be rated again."""
    if not billing.component_ids:
        return None
    version, subscription = terms.version, terms.subscription
    own = [(place, line) for place, line in enumerate(lines) if line.version_id == version.version_id]
    reached, adjusted = None, ZERO
    if version.commitment is not None and billing.is_committed:
        others = tuple(line for line in billing.lines if line.kind is not LineKind.USAGE)
        reached = reached_by(terms, others, opened=billing.opened)
    part = billing.of_usage
    if version.price_adjustment is not None:
        added = {LineKind.ADJUSTMENT, LineKind.CORRECTION}
        adjusted = adjustment_base(version.price_adjustment, (line.amount for _, line in own if line.kind not in added))
        if part is not None and part.before is not None:
            adjusted = add(adjusted, part.before.terms.adjusted)
    follows = own if part is None else [(place, line) for place, line in own if line.kind is LineKind.COMMITMENT]
    until = {} if part is None else {**_until_before(part), **part.until}
    return BilledPeriod(
        organization_id=subscription.organization_id,
        subscription_id=subscription.subscription_id,
        held=billing.held,
        customer_id=subscription.customer_id,
        currency=version.currency,
        version_id=version.version_id,
        invoice_id=invoice_id,
        invoice_number=invoice_number,
        terms=BilledTerms(billing.component_ids, billing.counts_end, reached, adjusted, until),
        lines=(
            *(() if part is None else _lines_so_far(part)),
            *(billed_line(line, place) for place, line in follows if line.kind in FOLLOWS_USAGE),
        ),
        usage_digest=billing.usage_digest or usage_digest(billing.usages),
    )


def billed_line(line: InvoiceLine, place: int | None) -> BilledLine:
    """Return what a line of an invoice, at a place of it, stands for."""
    return BilledLine(
        line.kind, line.charge_id, line.name, line.quantity, line.amount, line.metric_id, line.group, place
    )


def key_of_line(line: InvoiceLine, stretch: Stretch | None = None) -> LineKey:
    """Return what names a line, of a stretch if usage is billed in parts, within its period."""
    start = None if stretch is None else stretch.period.start
    return line.kind, line.charge_id, line.metric_id, _group_key(line.group), start


def key_of_billed(billed: BilledLine) -> LineKey:
    """Return what names a billed line within its period."""
    start = None if billed.held is None else billed.held.start
    return billed.kind, billed.charge_id, billed.metric_id, _group_key(billed.group), start


def _group_key(group: Group | None) -> tuple[tuple[str, str | None], ...]:
    return tuple(sorted((group or {}).items()))


def _until_before(part: Slice) -> Mapping[str, datetime]:
    return {} if part.before is None else part.before.terms.invoiced_until


def _lines_so_far(part: Slice) -> list[BilledLine]:
    """Return what is billed of usage with a slice, and before it of what the slice does not touch."""
    before = (
        {}
        if part.before is None
        else {key_of_billed(each): _elsewhere(each, part.before) for each in part.before.lines}
    )
    places = {key: place for place, key in enumerate(part.keys)}
    found: list[BilledLine] = []
    for stretch, line in part.counted:
        key = key_of_line(line, stretch)
        was = before.pop(key, None)
        place = places.pop(key, None)
        is_added = place is not None and part.lines[place].kind is not LineKind.CORRECTION
        if was is None or is_added:
            found.append(msgspec.structs.replace(billed_line(line, place), held=stretch.period))
        elif place is None:
            found.append(was)  # it comes to the same amount; the next line that it has counts from what was invoiced
        else:
            found.append(msgspec.structs.replace(was, quantity=line.quantity, amount=line.amount))
    nothing_left = [key for key in before if key in places]
    found += [msgspec.structs.replace(before.pop(key), quantity=ZERO, amount=ZERO) for key in nothing_left]
    return [*found, *before.values()]


def _elsewhere(line: BilledLine, period: BilledPeriod) -> BilledLine:
    """Return a billed line that says which invoice it is on."""
    at = period.reference(line)
    return msgspec.structs.replace(line, invoice_id=at.invoice_id, invoice_number=at.invoice_number)


_encode: Final = msgspec.json.Encoder(order="deterministic").encode


def usage_digest(usages: Mapping[str, Metered]) -> str:
    """Return 32 hex digits that differ when usages of the same components do, in what prices may look at."""
    said = [
        (
            component_id,
            _said(metered.usage),
            [_said(each) for _, each in sorted(metered.amounts.items())] if metered.amounts else (),
            metered.values,
        )
        for component_id, metered in sorted(usages.items())
    ]
    return hashlib.blake2b(_encode(said), digest_size=16).hexdigest()


def _said(usage: Usage) -> tuple[object, ...]:
    if not usage.groups:
        return usage.value, usage.counted, usage.skipped, ()
    groups = [(key, each.value, each.counted, each.skipped) for key, each in sorted(usage.groups.items())]
    return usage.value, usage.counted, usage.skipped, groups
