"""Pausing and resuming: from now on or later, for a time or until further notice."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from lotus_server.domain.subscriptions.cadence import due_after
from lotus_server.domain.subscriptions.decisions import period_containing
from lotus_server.domain.subscriptions.pauses import next_pause
from lotus_server.domain.subscriptions.standstills import moved_along, standstills
from lotus_server.domain.subscriptions.subscription import Pause, PausedFees, PausedUsage, Status, Subscription
from lotus_server.kernel.errors import Conflict, Invalid
from lotus_server.kernel.period import Period

PAUSES_MAX: Final = 200
PROLONGS_UNTIL: Final = datetime(2200, 1, 1, tzinfo=UTC)


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
    if fees is PausedFees.PROLONG and ends_at is None:
        detail = "A pause that prolongs says until when it lasts; it can be resumed before, or later."
        raise Invalid.field("paused_until", "required", detail)
    if fees is PausedFees.PROLONG and ends_at is not None and ends_at > PROLONGS_UNTIL:
        raise Invalid.field("paused_until", "out_of_range", f"A pause that prolongs ends before {PROLONGS_UNTIL.year}.")
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
    return _with_boundaries_of(subscription, msgspec.structs.replace(subscription, pauses=tuple(ordered)))


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
        return _with_boundaries_of(subscription, msgspec.structs.replace(subscription, pauses=others))
    ended = msgspec.structs.replace(
        found,
        ends_at=resumes_at,
        end_is_planned=resumes_at > now,
        end_place=len(subscription.quantity_changes),
    )
    resumed = msgspec.structs.replace(
        subscription, pauses=(*subscription.pauses[:place], ended, *subscription.pauses[place + 1 :])
    )
    return _with_boundaries_of(subscription, resumed)


def _with_boundaries_of(before: Subscription, after: Subscription) -> Subscription:
    """Return a subscription whose pauses have changed with the boundaries that it has by them, billed up to now before.

    Pauses that prolong move its end, that of its trial, and that of its open period.
    """
    if standstills(before) == standstills(after):
        return after
    moved = msgspec.structs.replace(
        after,
        ends_at=moved_along(before, after, before.ends_at),
        trial_end=moved_along(before, after, before.trial_end),
    )
    if moved.due_at is None:
        return moved
    start = before.open_period.start
    opened = period_containing(msgspec.structs.replace(moved, open_period=Period(start, start)), start)
    moved = msgspec.structs.replace(moved, open_period=opened)
    is_regular = before.due_at == due_after(before)
    return msgspec.structs.replace(moved, due_at=due_after(moved)) if is_regular else moved
