"""What the terms of an add-on come to when it is attached to a subscription."""

import msgspec

from lotus_server.domain.catalog.plans import Plan, PlanVersion, Proration, Timing
from lotus_server.domain.catalog.terms import AddOnFrequency, AddOnInvoicing


def as_sold(plan: Plan, version: PlanVersion) -> PlanVersion:
    """Return a version with the timing and proration that its charges have in a subscription.

    A plan's are its own. What an add-on charges once is never prorated: it is due in full when the add-on is attached,
    or when the period of the subscription ends. A recurring add-on that is invoiced at the end has all of its charges
    in arrears.
    """
    if plan.addon is None:
        return version
    is_once = plan.addon.frequency is AddOnFrequency.ONE_TIME
    is_later = plan.addon.invoicing is AddOnInvoicing.ON_SUBSCRIPTION_END
    charges = version.recurring_charges
    if is_later or is_once:
        timing = Timing.IN_ARREARS if is_later else Timing.IN_ADVANCE
        charges = tuple(msgspec.structs.replace(each, timing=timing) for each in charges)
    if is_once:
        charges = tuple(msgspec.structs.replace(each, proration=Proration.FULL) for each in charges)
    return msgspec.structs.replace(version, recurring_charges=charges)
