"""What of a period's usage an invoice bills: all of it in one piece, or what the invoices of its parts do not have."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from lotus_server.domain.invoicing import (
    InvoiceLine,
    Metered,
    PeriodBilling,
    Slice,
    Terms,
    components_due,
    is_billed_in_parts,
    slice_of,
    stretches_of,
    until_for_all,
    usage_lines,
)
from lotus_server.kernel.period import Period
from lotus_server.usecases.services import Services
from lotus_server.usecases.usage_reading import part_key, usages_of_stretches, usages_until


class BilledUsage(msgspec.Struct, frozen=True):
    """The usage of a period as an invoice bills it.

    `lines` are those for the invoice, `counted` those that all usage of the period so far comes to. Both are the same
    where it is billed in one piece, and then `part` is null. Of what was rated ahead only the `usage_digest` is left of
    the usages.
    """

    usages: Mapping[str, Metered]
    lines: tuple[InvoiceLine, ...]
    counted: tuple[InvoiceLine, ...]
    part: Slice | None = None
    usage_digest: str | None = None


def usage_of(
    services: Services, terms: Terms, *, opened: Period, held: Period, includes_cut: bool = True
) -> BilledUsage:
    """Return what the usage of `held` comes to, which is the period `opened` or its part up to a cut.

    Nothing more of the period will be billed. An event at the cut itself counts, or does not, as said.
    """
    if held == opened and includes_cut:
        rated = services.rated_at_hand.get(part_key(terms.subscription))
        if rated is not None and terms.subscription.open_period == opened:
            return BilledUsage({}, rated.lines, rated.lines, usage_digest=rated.usage_digest)
    if not is_billed_in_parts(terms):
        usages = usages_until(services, terms, opened, held.end, includes_cut=includes_cut)
        lines = usage_lines(terms, held, usages)
        return BilledUsage(usages, lines, lines)
    return _in_parts(services, terms, held, until_for_all(terms, held.end), includes_cut=includes_cut)


def usage_within(services: Services, terms: Terms, at: datetime, *, is_boundary: bool) -> BilledUsage:
    """Return what usage of the open period comes to up to an instant within it, of which more will be billed.

    At a boundary of intervals it is the usage of the components that are invoiced then, otherwise of all, with events
    at the instant itself.
    """
    opened = terms.subscription.open_period
    until = until_for_all(terms, at)
    if is_boundary:
        until = {each.component_id: at for each in components_due(terms, at)}
    return _in_parts(services, terms, opened, until, includes_cut=not is_boundary)


def _in_parts(
    services: Services, terms: Terms, billed: Period, until: Mapping[str, datetime], *, includes_cut: bool
) -> BilledUsage:
    stretches = stretches_of(terms, billed, until)
    usages = usages_of_stretches(services, terms, stretches, includes_cut=includes_cut)
    before = terms.billed
    if before is not None and before.starts_at != billed.start:
        before = None
    part = slice_of(terms, stretches, usages, until=until, before=before)
    return BilledUsage(usages, part.lines, tuple(line for _, line in part.counted), part)


def billing_of(
    usage: BilledUsage, others: tuple[InvoiceLine, ...], terms: Terms, *, opened: Period, held: Period
) -> PeriodBilling:
    """Return how a period is billed by its usage and by lines for what was held."""
    lines = (*usage.counted, *others)
    known, ids = usage.usage_digest, terms.component_ids
    return PeriodBilling(opened, held, usage.usages, lines, ids, of_usage=usage.part, usage_digest=known)
