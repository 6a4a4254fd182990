"""What time does to a subscription next."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec

from lotus_server.domain.subscriptions.decisions import period_containing
from lotus_server.domain.subscriptions.subscription import Status, Subscription


class TurnKind(StrEnum):
    """What happens at a turn."""

    STARTS = "starts"
    TRIAL_ENDS = "trial_ends"
    RENEWS = "renews"
    ENDS = "ends"


class Turn(msgspec.Struct, frozen=True):
    """What happens to a subscription next, and when."""

    subscription_id: str
    at: datetime
    kind: TurnKind


def next_turn(subscription: Subscription, now: datetime) -> Turn | None:
    """Return what happens to a subscription next, after `now`; null when it has ended."""
    status = subscription.status_at(now)
    if status is Status.ENDED:
        return None
    if status is Status.NOT_STARTED:
        return Turn(subscription.subscription_id, subscription.starts_at, TurnKind.STARTS)
    end = period_containing(subscription, now).end
    kind = TurnKind.RENEWS
    if end == subscription.ends_at:
        kind = TurnKind.ENDS
    elif end == subscription.trial_end:
        kind = TurnKind.TRIAL_ENDS
    return Turn(subscription.subscription_id, end, kind)


def earliest_turn(subscriptions: Iterable[Subscription], now: datetime) -> Turn | None:
    """Return what happens next to any of the subscriptions; null when nothing does."""
    turns = [turn for each in subscriptions if (turn := next_turn(each, now)) is not None]
    return min(turns, key=lambda turn: (turn.at, turn.subscription_id), default=None)
