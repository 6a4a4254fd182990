"""A subscription: one customer on one plan version, from an instant on, in periods."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import msgspec

from lotus_server.domain.catalog import SpendThreshold
from lotus_server.domain.metering import LogPosition, PropertyMatch
from lotus_server.kernel.period import Duration, Period
from lotus_server.kernel.zones import UTC_NAME


class Status(StrEnum):
    """Where a subscription stands at an instant."""

    NOT_STARTED = "not_started"
    ACTIVE = "active"
    ENDED = "ended"


class QuantityChange(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """From `effective_at` on, included, the subscription has another quantity of what `key` names.

    `is_invoiced`: what the change comes to in its period, if that was invoiced in advance, has an invoice of its own.
    `is_planned`: it was decided before, so a period that begins with it has the new quantity from the beginning.
    """

    key: str
    quantity: Decimal
    effective_at: datetime
    is_invoiced: bool = False
    is_planned: bool = False


class PausedFees(StrEnum):
    """What becomes of the charges of the time in which a subscription is paused.

    `charge_prorated`: that time is not charged. Each charge goes by its own proration rule, as if nothing were held in
    the pause: what was invoiced in advance for it comes back, what begins within it is not charged. `charge_full`: the
    pause changes no charge. `prolong`: the time of the subscription stands still, so what was paid lasts longer, and
    everything that lies ahead comes as much later.
    """

    CHARGE_PRORATED = "charge_prorated"
    CHARGE_FULL = "charge_full"
    PROLONG = "prolong"


class PausedUsage(StrEnum):
    """What becomes of the events that come in a pause. `bill_full`: they count. `bill_none`: they count for nothing."""

    BILL_FULL = "bill_full"
    BILL_NONE = "bill_none"


class Pause(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A time `[starts_at, ends_at)` in which nothing may be used (`ends_at` null: until somebody resumes).

    `is_planned`, `end_is_planned`: it was decided before the instant at which it takes effect, so a period that begins
    with it is invoiced accordingly. `is_invoiced`, `end_is_invoiced`: what it comes to in a period that was invoiced in
    advance has an invoice of its own. `place`, `end_place`: how many changes of quantities had been made when it was
    decided, which says what came first at one instant.
    """

    starts_at: datetime
    ends_at: datetime | None = None
    fees: PausedFees = PausedFees.CHARGE_PRORATED
    is_planned: bool = False
    is_invoiced: bool = False
    place: int = 0
    end_is_planned: bool = False
    end_is_invoiced: bool = False
    end_place: int = 0
    usage: PausedUsage = PausedUsage.BILL_FULL

    def covers(self, instant: datetime) -> bool:
        """Tell whether an instant lies in the pause."""
        return self.starts_at <= instant and (self.ends_at is None or instant < self.ends_at)


class Cadence(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """How the usage of the open period is invoiced before the period is over.

    It is invoiced every `interval` (null: when the period is over), up to `invoiced_until` already (null: none of it).
    It is also when it reaches the next of the `thresholds`, which are the subscription's own or those of its version;
    `reached` is the greatest one that the open period has reached (null: none).
    """

    interval: Duration | None = None
    invoiced_until: datetime | None = None
    thresholds: tuple[SpendThreshold, ...] = ()
    has_own_thresholds: bool = False
    reached: Decimal | None = None


NO_CADENCE: Final = Cadence()


class LookedBack(msgspec.Struct, frozen=True, gc=False):
    """With which events the billed periods that a subscription carries were last found right.

    With all events up to a position of the log; `others` is how many of the periods were those of subscriptions that
    had ended. An event of the past that came in later may have changed them, and so may a further period.
    """

    position: LogPosition
    others: int


class NextPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """To which version a subscription turns with its next renewal; `quantities` by key are those that it has from then.

    What they leave out is as it was.
    """

    plan_id: str
    version_id: str
    quantities: dict[str, Decimal] = msgspec.field(default_factory=dict)


class Subscription(msgspec.Struct, frozen=True, gc=False):
    """A subscription as it is kept.

    `anchor` is the instant from which all period boundaries are computed. `ends_at` is the first instant no longer
    covered (null: it renews for ever). `open_period` is the earliest period that is not yet invoiced in full;
    `due_at` is when billing has to look at the subscription next (null: never again). `parked_cause` says why billing
    could not go on, and then `due_at` is the next try. `usage_from` has the metrics, by id, whose usage of the first
    period counts from an earlier instant on: it was carried over from the subscription that this one took the place
    of, and is not billed there. `quantities` are those that it started with, by key, where they are not the plan's
    own, and `quantity_changes` what became of them, in the order of time. `parent_id` is the subscription that this one
    is an add-on to. Nothing is charged for the time before `trial_end` (null: there is no trial). `timezone` is the one
    on whose wall clock the boundaries of periods lie, as it was when the subscription was made. `pauses` are in the
    order of time and do not overlap. `cadence` says how usage is invoiced within the open period. `looked_back` saves
    looking at billed periods again (null: they have to be looked at). `next_plan` is what it turns into with its next
    renewal (null: nothing was chosen for it).
    """

    organization_id: str
    subscription_id: str
    customer_id: str
    plan_id: str
    version_id: str
    duration: Duration
    starts_at: datetime
    anchor: datetime
    ends_at: datetime | None
    auto_renew: bool
    is_new: bool
    open_period: Period
    created_at: datetime
    due_at: datetime | None
    matches: tuple[PropertyMatch, ...] = ()
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    canceled_at: datetime | None = None
    is_fully_billed: bool = False
    parked_cause: str | None = None
    usage_from: dict[str, datetime] = msgspec.field(default_factory=dict)
    quantities: dict[str, Decimal] = msgspec.field(default_factory=dict)
    quantity_changes: tuple[QuantityChange, ...] = ()
    parent_id: str | None = None
    trial_end: datetime | None = None
    timezone: str = UTC_NAME
    pauses: tuple[Pause, ...] = ()
    cadence: Cadence = NO_CADENCE
    looked_back: LookedBack | None = None
    next_plan: NextPlan | None = None

    def status_at(self, now: datetime) -> Status:
        """Return where the subscription stands at `now`: it covers `[starts_at, ends_at)`."""
        if self.ends_at is not None and now >= self.ends_at:
            return Status.ENDED
        return Status.NOT_STARTED if now < self.starts_at else Status.ACTIVE

    def is_trial_at(self, instant: datetime) -> bool:
        """Tell whether an instant that the subscription covers lies in its trial, `[starts_at, trial_end)`."""
        return self.trial_end is not None and instant < self.trial_end

    def is_paused_at(self, instant: datetime) -> bool:
        """Tell whether an instant lies in a pause."""
        return any(pause.covers(instant) for pause in self.pauses)
