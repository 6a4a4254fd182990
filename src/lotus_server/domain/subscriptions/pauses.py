"""Pausing and resuming: from now on or later, for a time or until further notice."""

from datetime import datetime
from typing import Final

import msgspec

from lotus_server.domain.subscriptions.subscription import Pause, PausedFees, PausedUsage, Status, Subscription
from lotus_server.kernel.errors import Conflict, Invalid
from lotus_server.kernel.period import Period

PAUSES_MAX: Final = 200


def pause(
    subscription: Subscription,
    *,
    starts_at: datetime,
    ends_at: datetime | None,
    fees: PausedFees,
    now: datetime,
    usage: PausedUsage = PausedUsage.BILL_FULL,
) -> Subscription:
    """Return the subscription with a pause `[starts_at, ends_at)`, which is not invoiced yet.

    Raises Conflict `invalid_state` when the subscription has ended, `already_paused` when another pause has some of
    the time; Invalid when the pause does not begin in what is left of the subscription, is empty, or is one too many.
    """
    if subscription.status_at(now) is Status.ENDED:
        raise Conflict("The subscription has already ended.", code="invalid_state")
    if starts_at < max(now, subscription.starts_at):
        detail = "A pause begins neither in the past nor before the subscription does."
        raise Invalid.field("paused_from", "out_of_range", detail)
    if subscription.ends_at is not None and starts_at >= subscription.ends_at:
        raise Invalid.field("paused_from", "out_of_range", "A pause begins before the subscription ends.")
    if ends_at is not None and ends_at <= starts_at:
        raise Invalid.field("paused_until", "end_before_start", "paused_until must lie after paused_from.")
    for other in subscription.pauses:
        if (ends_at is None or other.starts_at < ends_at) and (other.ends_at is None or starts_at < other.ends_at):
            raise Conflict("The subscription is paused in this time already.", code="already_paused")
    if len(subscription.pauses) >= PAUSES_MAX:
        raise Invalid.field("paused_from", "too_many", f"A subscription keeps at most {PAUSES_MAX} pauses.")
    place = len(subscription.quantity_changes)
    added = Pause(
        starts_at,
        ends_at,
        fees,
        is_planned=starts_at > now,
        place=place,
        end_is_planned=ends_at is not None,
        end_place=place,
        usage=usage,
    )
    # A stable order: one that is over at the instant at which another begins stays before it.
    ordered = sorted((*subscription.pauses, added), key=lambda each: each.starts_at)
    return msgspec.structs.replace(subscription, pauses=tuple(ordered))


def next_pause(subscription: Subscription, now: datetime) -> int | None:
    """Return the place of the pause that is not over, the first of them; null when there is none."""
    for place, each in enumerate(subscription.pauses):
        if each.ends_at is None or now < each.ends_at:
            return place
    return None


def resume(subscription: Subscription, *, resumes_at: datetime, now: datetime) -> Subscription:
    """Return the subscription whose pause, present or next, ends at an instant that is not past.

    One that would end before it begins is taken back. Raises Conflict `invalid_state` when the subscription has ended,
    `not_paused` when there is no pause to end; Invalid when the instant is past or lies in another pause.
    """
    if subscription.status_at(now) is Status.ENDED:
        raise Conflict("The subscription has already ended.", code="invalid_state")
    if resumes_at < now:
        raise Invalid.field("resume_at", "out_of_range", "resume_at must not lie in the past.")
    place = next_pause(subscription, now)
    if place is None:
        raise Conflict("The subscription is not paused.", code="not_paused")
    found = subscription.pauses[place]
    others = (*subscription.pauses[:place], *subscription.pauses[place + 1 :])
    if any(found.starts_at <= other.starts_at < resumes_at for other in others):
        raise Invalid.field("resume_at", "out_of_range", "resume_at must not lie after the next pause begins.")
    if resumes_at <= found.starts_at and found.starts_at > now:
        return msgspec.structs.replace(subscription, pauses=others)
    ended = msgspec.structs.replace(
        found,
        ends_at=resumes_at,
        end_is_planned=resumes_at > now,
        end_place=len(subscription.quantity_changes),
    )
    return msgspec.structs.replace(
        subscription, pauses=(*subscription.pauses[:place], ended, *subscription.pauses[place + 1 :])
    )


def invoice_pause(subscription: Subscription, place: int, *, at_end: bool) -> Subscription:
    """Return the subscription whose pause at a place has an invoice of its own: for its start, or for its end."""
    found = subscription.pauses[place]
    marked = msgspec.structs.replace(found, **({"end_is_invoiced": True} if at_end else {"is_invoiced": True}))
    return msgspec.structs.replace(
        subscription, pauses=(*subscription.pauses[:place], marked, *subscription.pauses[place + 1 :])
    )


def until_present(subscription: Subscription, now: datetime) -> Subscription:
    """Return a subscription that ends now: without the pauses to come, and one that it is in does not end any more."""
    pauses = tuple(
        msgspec.structs.replace(each, ends_at=None, end_is_planned=False)
        if each.ends_at is not None and each.ends_at > now
        else each
        for each in subscription.pauses
        if each.starts_at <= now
    )
    return msgspec.structs.replace(subscription, pauses=pauses)


def carry_pauses(old: Subscription, starts_at: datetime) -> tuple[Pause, ...]:
    """Return the pauses of a subscription that are not over at an instant, for another one that starts there."""
    return tuple(
        Pause(
            max(each.starts_at, starts_at),
            each.ends_at,
            each.fees,
            is_planned=True,
            end_is_planned=each.ends_at is not None,
            usage=each.usage,
        )
        for each in old.pauses
        if each.ends_at is None or each.ends_at > starts_at
    )


def carry_what_is_let_off(old: Subscription, since: datetime, starts_at: datetime) -> tuple[Pause, ...]:
    """Return the times between two instants whose usage is not billed, for a subscription that takes it over."""
    return tuple(
        Pause(part.start, part.end, PausedFees.CHARGE_FULL, usage=PausedUsage.BILL_NONE)
        for part in unbilled_within(old, Period(since, starts_at))
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
