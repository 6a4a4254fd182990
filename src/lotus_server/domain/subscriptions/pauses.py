"""The pauses of a subscription: which comes next, what of them goes along with others, what they let off."""

from datetime import datetime

import msgspec

from lotus_server.domain.subscriptions.subscription import Pause, PausedFees, PausedUsage, Subscription
from lotus_server.kernel.period import Period


def next_pause(subscription: Subscription, now: datetime) -> int | None:
    """Return the place of the pause that is not over, the first of them; null when there is none."""
    for place, each in enumerate(subscription.pauses):
        if each.ends_at is None or now < each.ends_at:
            return place
    return None


def invoice_pause(subscription: Subscription, place: int, *, at_end: bool) -> Subscription:
    """Return the subscription whose pause at a place has an invoice of its own: for its start, or for its end."""
    found = subscription.pauses[place]
    marked = msgspec.structs.replace(found, **({"end_is_invoiced": True} if at_end else {"is_invoiced": True}))
    return msgspec.structs.replace(
        subscription, pauses=(*subscription.pauses[:place], marked, *subscription.pauses[place + 1 :])
    )


def until_present(subscription: Subscription, now: datetime) -> Subscription:
    """Return a subscription that ends now: without the pauses to come, and one that it is in does not end any more.

    Those that prolong stay as they are: by them its boundaries are counted.
    """
    pauses = tuple(
        msgspec.structs.replace(each, ends_at=None, end_is_planned=False)
        if each.ends_at is not None and each.ends_at > now and each.fees is not PausedFees.PROLONG
        else each
        for each in subscription.pauses
        if each.starts_at <= now or each.fees is PausedFees.PROLONG
    )
    return msgspec.structs.replace(subscription, pauses=pauses)


def carry_pauses(old: Subscription, starts_at: datetime) -> tuple[Pause, ...]:
    """Return the pauses of a subscription that are not over at an instant, for another one that starts there.

    It has the same boundaries, so every pause that prolongs goes along as it is.
    """
    return tuple(
        each
        if each.fees is PausedFees.PROLONG
        else Pause(
            max(each.starts_at, starts_at),
            each.ends_at,
            each.fees,
            is_planned=True,
            end_is_planned=each.ends_at is not None,
            usage=each.usage,
        )
        for each in old.pauses
        if each.ends_at is None or each.ends_at > starts_at or each.fees is PausedFees.PROLONG
    )


def carry_what_is_let_off(old: Subscription, since: datetime, starts_at: datetime) -> tuple[Pause, ...]:
    """Return the times between two instants whose usage is not billed, for a subscription that takes it over."""
    # Those that prolong go along anyway.
    others = tuple(each for each in old.pauses if each.fees is not PausedFees.PROLONG)
    return tuple(
        Pause(part.start, part.end, PausedFees.CHARGE_FULL, usage=PausedUsage.BILL_NONE)
        for part in unbilled_within(msgspec.structs.replace(old, pauses=others), Period(since, starts_at))
    )


def unbilled_within(subscription: Subscription, period: Period) -> tuple[Period, ...]:
    """Return the parts of a period in which what is used is not billed: those of pauses that say so."""
    if not subscription.pauses:
        return ()
    return tuple(
        Period(max(each.starts_at, period.start), min(each.ends_at or period.end, period.end))
        for each in subscription.pauses
        if each.usage is PausedUsage.BILL_NONE
        and each.starts_at < period.end
        and (each.ends_at is None or each.ends_at > period.start)
    )
