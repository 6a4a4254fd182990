"""What was invoiced for the usage of a period so far, as it is kept."""

from datetime import datetime
from decimal import Decimal

import msgspec

from lotus_server.domain.invoicing.invoice import LineKind, LineReference
from lotus_server.domain.invoicing.metered import Group
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ZERO


class BilledLine(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What was invoiced so far of one thing that is rated again: the original line and its corrections together.

    `held` is the stretch that was billed (null: all of the period's billed part). `line` is its place on an invoice
    (null: it has no line), which is that of the period unless `invoice_id` and `invoice_number` say which one.
    """

    kind: LineKind
    charge_id: str
    name: str
    quantity: Decimal
    amount: Decimal
    metric_id: str | None = None
    group: Group | None = None
    line: int | None = None
    held: Period | None = None
    invoice_id: str | None = None
    invoice_number: str | None = None


class BilledTerms(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What decides, besides usage, what a billed period comes to.

    `reached_elsewhere` is how much of a commitment was reached by other things than usage (null: none counts), and
    `adjusted` what the version's price adjustment was calculated from. `invoiced_until` says, by component id, how far
    usage that is billed in parts of the period is billed; it is empty where usage is billed in one piece.
    """

    component_ids: tuple[str, ...]
    counts_end: bool = False
    reached_elsewhere: Decimal | None = None
    adjusted: Decimal = ZERO
    invoiced_until: dict[str, datetime] = {}


class BilledPeriod(msgspec.Struct, frozen=True, gc=False):
    """A subscription's period whose usage was invoiced, with what was invoiced for it so far.

    `held` is the billed part of the period that begins at `held.start`. `usage_digest` is that of the usages that
    `lines` were made from. Of usage that is billed in parts, `invoice_id` is the invoice of the latest one, and as long
    as more of them may follow, `held` is all of the open period.
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

    def reference(self, line: BilledLine | None) -> LineReference:
        """Return the reference to the original of a line; null: to the invoice of the period as a whole."""
        if line is None:
            return LineReference(self.invoice_id, self.invoice_number, None)
        invoice_id, invoice_number = line.invoice_id or self.invoice_id, line.invoice_number or self.invoice_number
        return LineReference(invoice_id, invoice_number, line.line)
