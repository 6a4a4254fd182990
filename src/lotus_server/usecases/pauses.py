"""Pausing and resuming subscriptions, with what is attached to them."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.catalog import AddOnFrequency, Timing
from lotus_server.domain.invoicing import InvoiceLine, Terms, adjusted_change, change_lines, items_of
from lotus_server.domain.subscriptions import (
    PausedFees,
    PausedUsage,
    Subscription,
    invoice_pause,
    next_pause,
    pause,
    refuse_overlap,
    resume,
)
from lotus_server.kernel.errors import FieldProblem, Invalid, Problems
from lotus_server.kernel.zones import on_wall_clock
from lotus_server.ports.records import Transaction
from lotus_server.usecases.billing import bring_up_to_date, issue
from lotus_server.usecases.catalog_reading import terms_of
from lotus_server.usecases.services import Services, present
from lotus_server.usecases.subscription_reading import attached_to, require_subscription
from lotus_server.usecases.subscription_views import SubscriptionView, views_of


class PauseOrder(msgspec.Struct, frozen=True):
    """When to pause: from an instant on (null: now), until another one (null: until somebody resumes).

    `invoices_now`: what comes back of charges in advance is invoiced at once, not with the next invoice; only a pause
    that begins now can do that. `days` names the fields that are days: the midnight in UTC given here stands for that
    of the subscription's time zone. `problems` are those that reading the input found already.
    """

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    fees: PausedFees = PausedFees.CHARGE_PRORATED
    usage: PausedUsage = PausedUsage.BILL_FULL
    invoices_now: bool = False
    days: frozenset[str] = frozenset()
    problems: tuple[FieldProblem, ...] = ()


class ResumeOrder(msgspec.Struct, frozen=True):
    """When to go on: at an instant (null: now), with the same conventions as `PauseOrder`."""

    resumes_at: datetime | None = None
    invoices_now: bool = False
    days: frozenset[str] = frozenset()
    problems: tuple[FieldProblem, ...] = ()


def pause_subscription(
    services: Services, organization: Organization, subscription_id: str, order: PauseOrder
) -> SubscriptionView:
    """Pause a subscription and the add-ons that are attached to it.

    Its periods go on as before. In the pause nothing may be used; what happens nevertheless is billed, or not, as said.
    Raises NotFound, Invalid with every problem, Conflict `invalid_state` when it has ended, `already_paused`.
    """
    now = present(services, organization)
    _check(order.problems, "paused_from", order.starts_at, invoices_now=order.invoices_now, now=now)
    with services.records.transaction() as tx:
        for each in _with_attached(services, tx, organization, subscription_id, now):
            moved = msgspec.structs.replace(order, **_days_of(order, each.timezone))
            starts_at = moved.starts_at or max(now, each.starts_at)
            if each.parent_id is not None:
                starts_at = max(starts_at, each.starts_at)
            if each.parent_id is not None and _is_out_of_reach(each, starts_at):
                continue
            fees = order.fees
            if fees is PausedFees.CHARGE_PRORATED and _is_charged_once(tx, each):
                fees = PausedFees.CHARGE_FULL
            paused = pause(each, starts_at=starts_at, ends_at=moved.ends_at, fees=fees, now=now, usage=order.usage)
            _refuse_overlap(tx, each, paused)
            if order.invoices_now and starts_at == now:
                place = next_pause(paused, now)
                assert place is not None, "it has just begun"
                paused = _invoiced(services, tx, paused, place, at_end=False)
            tx.subscriptions.replace(paused)
        return views_of(tx, organization, [require_subscription(tx, organization, subscription_id)], now)[0]


def resume_subscription(
    services: Services, organization: Organization, subscription_id: str, order: ResumeOrder
) -> SubscriptionView:
    """End the pause of a subscription, the present one or the next, and that of what is attached to it.

    A pause that has not begun is taken back if it would end before it begins. Raises NotFound, Invalid with every
    problem, Conflict `invalid_state` when it has ended, `not_paused`.
    """
    now = present(services, organization)
    _check(order.problems, "resume_at", order.resumes_at, invoices_now=order.invoices_now, now=now)
    with services.records.transaction() as tx:
        for each in _with_attached(services, tx, organization, subscription_id, now):
            place = next_pause(each, now)
            if each.parent_id is not None and place is None:
                continue
            resumes_at = msgspec.structs.replace(order, **_days_of(order, each.timezone)).resumes_at or now
            resumed = resume(each, resumes_at=resumes_at, now=now)
            _refuse_overlap(tx, each, resumed)
            if order.invoices_now and place is not None and len(resumed.pauses) == len(each.pauses):
                resumed = _invoiced(services, tx, resumed, place, at_end=True)
            tx.subscriptions.replace(resumed)
        return views_of(tx, organization, [require_subscription(tx, organization, subscription_id)], now)[0]


def _refuse_overlap(tx: Transaction, before: Subscription, after: Subscription) -> None:
    """A pause that prolongs moves the end, but not into the time of another subscription."""
    if before.ends_at != after.ends_at:
        refuse_overlap(after, tx.subscriptions.of_customer(after.organization_id, after.customer_id))


def _check(
    problems: tuple[FieldProblem, ...], field: str, instant: datetime | None, *, invoices_now: bool, now: datetime
) -> None:
    found = Problems()
    found.extend(problems)
    if invoices_now and instant is not None and instant != now:
        detail = f"Only what takes effect now is invoiced now: leave {field} out, or wait for the next invoice."
        found.add("invoicing_behavior", "ambiguous", detail)
    found.raise_if_any()


def _with_attached(
    services: Services, tx: Transaction, organization: Organization, subscription_id: str, now: datetime
) -> Iterator[Subscription]:
    """Yield a subscription and what is attached to it, each billed up to now and kept from everybody else."""
    subscription = require_subscription(tx, organization, subscription_id, for_update=True)
    if subscription.parent_id is not None:
        raise Invalid.field("subscription_id", "is_addon", "An add-on is paused with the subscription that has it.")
    subscription = bring_up_to_date(services, tx, subscription, now)
    yield subscription
    for each in attached_to(tx, subscription, now):
        yield bring_up_to_date(services, tx, each, now)


def _is_out_of_reach(attached: Subscription, starts_at: datetime) -> bool:
    return attached.ends_at is not None and attached.ends_at <= starts_at


def _is_charged_once(tx: Transaction, subscription: Subscription) -> bool:
    plan = tx.plans.get(subscription.organization_id, subscription.plan_id)
    assert plan is not None, "a subscription's plan is never deleted"
    return plan.addon is not None and plan.addon.frequency is AddOnFrequency.ONE_TIME


def _days_of(order: PauseOrder | ResumeOrder, timezone: str) -> dict[str, datetime]:
    return {name: on_wall_clock(getattr(order, name), timezone) for name in order.days}


def _invoiced(
    services: Services, tx: Transaction, subscription: Subscription, place: int, *, at_end: bool
) -> Subscription:
    """Invoice what the start or the end of a pause comes to in the open period, and return the subscription with that.

    Nothing is invoiced where that is nothing.
    """
    pause = subscription.pauses[place]
    if pause.fees is not PausedFees.CHARGE_PRORATED:
        return subscription
    now = pause.ends_at if at_end else pause.starts_at
    assert now is not None, "it ends now"
    marked = invoice_pause(subscription, place, at_end=at_end)
    terms = terms_of(tx, marked)
    lines = tuple(_last_lines(terms, now))
    if lines:
        what = "resume" if at_end else "pause"
        cause = f"{subscription.subscription_id}:{what}:{place}"
        opened = subscription.open_period
        issue(services, tx, terms, adjusted_change(terms, lines, opened=opened), cause=cause, now=now)
    return marked


def _last_lines(terms: Terms, now: datetime) -> Iterator[InvoiceLine]:
    """Yield the line of the last change at an instant of each item that was invoiced in advance."""
    opened = terms.subscription.open_period
    for item in items_of(terms):
        if item.timing is Timing.IN_ADVANCE:
            lines = [line for change, line in change_lines(terms, item, opened) if change.effective_at == now]
            if lines and lines[-1] is not None:
                yield lines[-1]
