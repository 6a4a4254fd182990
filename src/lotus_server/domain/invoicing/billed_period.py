"""What was invoiced for the usage of a period, and how, so that the period can be rated again at any later time."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from lotus_server.domain.invoicing.adjustments import adjustment_base
from lotus_server.domain.invoicing.commitment import reached_by
from lotus_server.domain.invoicing.invoice import InvoiceLine, LineKind, LineReference
from lotus_server.domain.invoicing.metered import Group, Metered
from lotus_server.domain.invoicing.terms import Terms
from lotus_server.domain.metering import Usage
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ZERO

FOLLOWS_USAGE: Final = frozenset({LineKind.USAGE, LineKind.COMMITMENT})
"""The kinds of lines that are rated again. What is held and not used is the same however late events come."""


class PeriodBilling(msgspec.Struct, frozen=True):
    """How a period is billed: `opened` is the whole of it, `held` the part that is billed, with the usages counted.

    `counts_end`: an event at the very end of `held` counts, too. `lines` are those for what was used and held, before
    commitment and price adjustment; `component_ids` those whose usage is among them. `is_committed` is false where the
    version's commitment is let off.
    """

    opened: Period
    held: Period
    usages: Mapping[str, Metered]
    lines: tuple[InvoiceLine, ...]
    component_ids: tuple[str, ...]
    counts_end: bool = False
    is_committed: bool = True


class BilledLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was invoiced so far of one thing that is rated again: the original line and its corrections together."""

    kind: LineKind
    charge_id: str
    name: str
    quantity: Decimal
    amount: Decimal
    metric_id: str | None = None
    group: Group | None = None
    line: int | None = None


class BilledTerms(msgspec.Struct, frozen=True, omit_defaults=True):
    """What decides, besides usage, what a billed period comes to.

    `reached_elsewhere` is how much of a commitment was reached by other things than usage (null: none counts), and
    `adjusted` what the version's price adjustment was calculated from.
    """

    component_ids: tuple[str, ...]
    counts_end: bool = False
    reached_elsewhere: Decimal | None = None
    adjusted: Decimal = ZERO


class BilledPeriod(msgspec.Struct, frozen=True):
    """A subscription's period whose usage was invoiced, with what was invoiced for it so far.

    `held` is the billed part of the period that begins at `held.start`. `usage_digest` is that of the usages that
    `lines` were made from.
    """

    organization_id: str
    subscription_id: str
    held: Period
    customer_id: str
    currency: str
    version_id: str
    invoice_id: str
    invoice_number: str
    terms: BilledTerms
    lines: tuple[BilledLine, ...]
    usage_digest: str

    @property
    def starts_at(self) -> datetime:
        """Return the start of the period, which names it within its subscription."""
        return self.held.start

    def reference(self, line: int | None) -> LineReference:
        """Return the reference to a line of the original invoice."""
        return LineReference(self.invoice_id, self.invoice_number, line)


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
    if version.price_adjustment is not None:
        added = {LineKind.ADJUSTMENT, LineKind.CORRECTION}
        adjusted = adjustment_base(version.price_adjustment, (line.amount for _, line in own if line.kind not in added))
    return BilledPeriod(
        organization_id=subscription.organization_id,
        subscription_id=subscription.subscription_id,
        held=billing.held,
        customer_id=subscription.customer_id,
        currency=version.currency,
        version_id=version.version_id,
        invoice_id=invoice_id,
        invoice_number=invoice_number,
        terms=BilledTerms(billing.component_ids, billing.counts_end, reached, adjusted),
        lines=tuple(billed_line(line, place) for place, line in own if line.kind in FOLLOWS_USAGE),
        usage_digest=usage_digest(billing.usages),
    )


def billed_line(line: InvoiceLine, place: int | None) -> BilledLine:
    """Return what a line of an invoice, at a place of it, stands for."""
    return BilledLine(
        line.kind, line.charge_id, line.name, line.quantity, line.amount, line.metric_id, line.group, place
    )


_encode: Final = msgspec.json.Encoder(order="deterministic").encode


def usage_digest(usages: Mapping[str, Metered]) -> str:
    """Return 32 hex digits that differ when usages of the same components do, in what prices may look at."""
    said = [
        (
            component_id,
            _said(metered.usage),
            [_said(each) for _, each in sorted(metered.amounts.items())],
            metered.values,
        )
        for component_id, metered in sorted(usages.items())
    ]
    return hashlib.blake2b(_encode(said), digest_size=16).hexdigest()


def _said(usage: Usage) -> tuple[object, ...]:
    groups = [(key, each.value, each.counted, each.skipped) for key, each in sorted(usage.groups.items())]
    return usage.value, usage.counted, usage.skipped, groups
