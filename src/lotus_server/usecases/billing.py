"""Billing: the invoice at the start, those within a period, the invoice at its end."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from lotus_server.domain.accounts import Organization
from lotus_server.domain.invoicing import (
    Invoice,
    InvoiceLine,
    PendingLines,
    PeriodBilling,
    Terms,
    adjusted,
    adjusted_usage,
    advance_lines,
    cause_of_period,
    cause_of_start,
    cause_of_usage,
    commitment_lines,
    held_lines,
    pending_lines_of,
)
from lotus_server.domain.subscriptions import (
    Subscription,
    advance,
    awaits_invoice,
    due_after,
    park,
    usage_invoiced,
)
from lotus_server.kernel.errors import LotusError
from lotus_server.ports.rating_ahead import NextDue, Rater
from lotus_server.ports.records import Transaction
from lotus_server.usecases.billing_progress import shown_progress
from lotus_server.usecases.catalog_reading import is_grouped, renewed, terms_of
from lotus_server.usecases.corrections import (
    NO_CORRECTIONS,
    Corrections,
    keep_billed,
    open_corrections,
)
from lotus_server.usecases.issuing import heading_of, issue_under
from lotus_server.usecases.looking_back import Key, key_of, past_of, with_past, without_past
from lotus_server.usecases.pending import defer, keep_invoiced, waiting_for
from lotus_server.usecases.rating_ahead import place_of, rater_for, with_rated
from lotus_server.usecases.services import Services
from lotus_server.usecases.spend_watching import watch_spend
from lotus_server.usecases.usage_billing import BilledUsage, billing_of, usage_of, usage_within

_log = structlog.get_logger()
RETRY_AFTER = timedelta(hours=1)
DUE_AT_ONCE_MAX = 500


def invoice_start(services: Services, tx: Transaction, terms: Terms, now: datetime) -> Invoice | None:
    """Issue the invoice of the charges that are due before the first period begins.

    None is issued when there are none, or when they wait for the customer's next invoice.
    """
    if tx.pending_lines.has_cause(terms.subscription.organization_id, cause_of_start(terms.subscription)):
        return None
    lines = start_lines(terms)
    return issue(services, tx, terms, lines, cause=cause_of_start(terms.subscription), now=now)


def start_lines(terms: Terms) -> tuple[InvoiceLine, ...]:
    """Return the lines of the charges that are due before the first period, which is open, begins."""
    opened = terms.subscription.open_period
    return adjusted(terms, advance_lines(terms, opened), opened=opened)


def bill_due(services: Services, *, until: datetime | None = None, organization: Organization | None = None) -> int:
    """Bill every subscription due by `until` (default: the present), earliest first, and return the number of steps.

    Without an organization those that live in real time are billed. Some hundred steps share a transaction; when any of
    them fails, each has one of its own instead, and then the one that fails is parked with its cause and stops nobody
    else.
    """
    now = until or services.clock.now()
    organization_id = organization.organization_id if organization else None
    with shown_progress(services, now, organization_id) as due_count, rater_for(services, due_count) as rater:
        return _bill_all_due(services, now, organization_id, rater)


def _bill_all_due(services: Services, now: datetime, organization_id: str | None, rater: Rater) -> int:
    steps = 0
    stepped: set[Key] = set()
    while _due(services, now, organization_id, limit=1):
        billed = _bill_together(services, now, organization_id, stepped, rater)
        if billed is None:
            due = _due(services, now, organization_id, limit=DUE_AT_ONCE_MAX)
            billed = _bill_one_by_one(services, due, now, stepped)
        if not billed:
            break  # all of them are being billed elsewhere
        steps += billed
    return steps


def _bill_one_by_one(services: Services, due: Sequence[Subscription], now: datetime, stepped: set[Key]) -> int:
    def bill(subscription: Subscription) -> datetime | None:
        return bill_step(services, subscription, now, stepped)

    return _bill_in_order(due, now, bill)


def _bill_in_order(due: Sequence[Subscription], now: datetime, bill: Callable[[Subscription], datetime | None]) -> int:
    """Bill subscriptions, earliest first, up to the first one that another one may come before by now.

    `bill` returns when its subscription is due next (null: never). Returns the number of steps.
    """
    steps = 0
    # A step may make its subscription due again before the next one of these, or with it, and then the list is stale.
    earliest_next = now + RETRY_AFTER
    for subscription in due:
        if subscription.due_at is None or subscription.due_at >= earliest_next:
            break
        earliest_next = min(earliest_next, bill(subscription) or earliest_next)
        steps += 1
    return steps


def _bill_together(
    services: Services, now: datetime, organization_id: str | None, stepped: set[Key], rater: Rater
) -> int | None:
    """Bill what is due in one transaction, as single steps do, and return the number of steps.

    What comes next is rated beside it, as far as the rater gets.

    `stepped` are those that need not look back any more. Null when anything failed: nothing was billed then.
    """
    steps = 0
    looked: set[Key] = set()
    ahead = rater.take()
    try:
        with services.records.transaction() as tx:
            claimed = tx.subscriptions.claim(now, DUE_AT_ONCE_MAX, organization_id)
            if len(claimed) == DUE_AT_ONCE_MAX:
                rater.ask(NextDue(now, organization_id, place_of(claimed[-1]), DUE_AT_ONCE_MAX))
            causes = [cause for each in claimed for cause in _causes(each)]
            ended = [each for each in claimed if each.open_period.end <= now]
            past = past_of(services, tx, [each for each in ended if key_of(each) not in stepped])
            with tx.read_ahead(claimed, causes, now, without_past=without_past(past, claimed)) as batch:
                rated = with_rated(services, batch, ended, ahead)
                informed, right = with_past(rated, batch, ended, past)

                def bill(subscription: Subscription) -> datetime | None:
                    key = key_of(subscription)
                    looks_back = key not in stepped and key not in right
                    following = _bill_or_wait(informed, batch, subscription, now, looks_back=looks_back)
                    if key in right:
                        following = msgspec.structs.replace(following, looked_back=right[key])
                    if _has_billed(subscription, following):
                        looked.add(key)
                    batch.subscriptions.replace(following)
                    return following.due_at

                steps = _bill_in_order(claimed, now, bill)
    except Exception as error:  # noqa: BLE001 - whatever it is, the single steps find out whose it is
        _log.warning("billing_together_failed", cause=f"{type(error).__name__}: {error}")
        return None
    stepped.update(looked)
    return steps


def _has_billed(before: Subscription, after: Subscription) -> bool:
    """Tell whether a step has billed usage, and so looked back: one that only starts or waits for a grace has not."""
    return (before.open_period, before.cadence, before.is_fully_billed) != (
        after.open_period,
        after.cadence,
        after.is_fully_billed,
    )


def _causes(subscription: Subscription) -> tuple[str, ...]:
    """Return the causes of the invoices that a subscription may have next."""
    within = due_after(subscription)
    of_usage = (cause_of_usage(subscription, within),) if within < subscription.open_period.end else ()
    return cause_of_start(subscription), cause_of_period(subscription), *of_usage


def _due(services: Services, now: datetime, organization_id: str | None, *, limit: int) -> list[Subscription]:
    with services.records.snapshot() as tx:
        return tx.subscriptions.due(now, limit, organization_id)


def bill_step(
    services: Services, subscription: Subscription, now: datetime, stepped: set[Key] | None = None
) -> datetime | None:
    """Bill the open period of one subscription, or its start, and return when it is due next (null: never).

    Those in `stepped` leave the corrections of billed periods to a later step: the one before has just looked. The
    subscription is there when it has looked, too. On an error it is parked, visibly, until a later try.
    """
    organization_id, subscription_id = subscription.organization_id, subscription.subscription_id
    try:
        with services.records.transaction() as tx:
            current = tx.subscriptions.get(organization_id, subscription_id, for_update=True)
            if current is None or current.due_at is None or current.due_at > now:
                return None  # somebody else was faster
            looks_back = stepped is None or key_of(current) not in stepped
            following = _bill_or_wait(services, tx, current, now, looks_back=looks_back)
            tx.subscriptions.replace(following)
            if stepped is not None and _has_billed(current, following):
                stepped.add(key_of(current))
            return following.due_at
    except LotusError as error:
        cause = str(error)
    except Exception as error:  # noqa: BLE001 - a defect that one subscription meets must not keep others from their bills
        _log.exception("billing_failed", organization_id=organization_id, subscription_id=subscription_id)
        cause = f"Something broke here: {type(error).__name__}. The log has the details."
    return _park(services, subscription, cause=cause, retry_at=now + RETRY_AFTER)


def _park(services: Services, subscription: Subscription, *, cause: str, retry_at: datetime) -> datetime:
    with services.records.transaction() as tx:
        current = tx.subscriptions.get(subscription.organization_id, subscription.subscription_id, for_update=True)
        if current is not None:
            tx.subscriptions.replace(park(current, cause=cause, retry_at=retry_at))
    return retry_at


def bring_up_to_date(services: Services, tx: Transaction, subscription: Subscription, now: datetime) -> Subscription:
    """Bill whatever of a subscription is due by `now`, in the given transaction, and return it as it is then.

    What is parked is due, too, and a period that is over does not wait any longer for its invoice: whoever changes the
    subscription changes one that is billed to the end of its last period.
    """
    looks_back = True
    while _is_due(subscription, now):
        subscription = _bill_once(services, tx, terms_of(tx, subscription), now, looks_back=looks_back)
        looks_back = False
    return subscription


def _is_due(subscription: Subscription, now: datetime) -> bool:
    if subscription.due_at is None:
        return False
    if subscription.due_at <= now or awaits_invoice(subscription, now):
        return True
    return subscription.parked_cause is not None and subscription.starts_at <= now


def _bill_or_wait(
    services: Services, tx: Transaction, subscription: Subscription, now: datetime, *, looks_back: bool
) -> Subscription:
    """Bill what is due of a subscription, or let its open period, which is over, wait until the grace is over."""
    assert subscription.due_at is not None, "what is never due is not billed"
    issue_overdue(services, tx, subscription, before=min(subscription.due_at, now))
    terms = terms_of(tx, subscription)
    terms = msgspec.structs.replace(terms, is_grouped=is_grouped(tx, subscription))
    ends_at = due_after(subscription)
    if ends_at < subscription.open_period.end:
        if ends_at <= min(subscription.due_at, now) and subscription.due_at < ends_at + terms.grace:
            return msgspec.structs.replace(subscription, due_at=ends_at + terms.grace, parked_cause=None)
    elif subscription.open_period.end <= min(subscription.due_at, now) and subscription.due_at < terms.issue_at:
        return msgspec.structs.replace(subscription, due_at=terms.issue_at, parked_cause=None)
    return _bill_once(services, tx, terms, now, looks_back=looks_back)


def bill_next_together(services: Services, tx: Transaction, subscription: Subscription) -> None:
    """Issue what is invoiced next of a subscription, together with what its customer's other ones have at that instant.

    What the others have before that is invoiced before.
    """
    following, at = subscription, subscription.due_at
    while at is not None and _is_as_far(following, subscription):
        at = following.due_at
        if at is not None:
            following = _bill_or_wait(services, tx, following, at, looks_back=True)
    if at is None:
        return
    for other in tx.subscriptions.of_customer(subscription.organization_id, subscription.customer_id):
        each = other
        while other.subscription_id != subscription.subscription_id and each.due_at is not None and each.due_at <= at:
            each = _bill_or_wait(services, tx, each, each.due_at, looks_back=True)
    issue_overdue(services, tx, subscription, before=at)
    code = terms_of(tx, subscription).version.currency
    waiting = tx.pending_lines.waiting(subscription.organization_id, subscription.customer_id)
    if due := [each for each in waiting if each.currency == code and each.due_at <= at]:
        # As a run would put them together: what came before in its order, then by subscription.
        together = sorted(
            due, key=lambda each: (each.created_at, each.subscription_id if each.created_at == at else "")
        )
        issue_waiting(services, tx, together, now=at)


def _is_as_far(one: Subscription, other: Subscription) -> bool:
    """Tell whether as much of a subscription is billed as of the same one at another time."""
    return (one.open_period, one.cadence.invoiced_until, one.is_fully_billed) == (
        other.open_period,
        other.cadence.invoiced_until,
        other.is_fully_billed,
    )


class Closing(msgspec.Struct, frozen=True):
    """What becomes of an open period at its end: what follows it, the lines of its invoice, how its usage is billed."""

    following: Subscription
    lines: tuple[InvoiceLine, ...]
    billing: PeriodBilling


def _bill_once(services: Services, tx: Transaction, terms: Terms, now: datetime, *, looks_back: bool) -> Subscription:
    subscription = terms.subscription
    period = subscription.open_period
    assert subscription.due_at is not None, "what is never due is not billed"
    if period.start == subscription.starts_at:
        # However late it is looked at first: the charges due before the first period have their invoice, and only one.
        invoice_start(services, tx, terms, max(period.start, subscription.created_at))
    ends_at = due_after(subscription)
    if ends_at < period.end and ends_at <= min(now, subscription.due_at):
        return _bill_usage(services, tx, terms, ends_at, now, looks_back=looks_back)
    if min(now, subscription.due_at) < period.end:  # it was due because it starts
        return msgspec.structs.replace(subscription, due_at=ends_at, parked_cause=None)
    closing = closing_of(services, tx, terms)
    issue_at = terms.issue_at
    if subscription.parked_cause is None:
        issue_at = max(issue_at, subscription.due_at)
    issued_at = max(min(now, issue_at), period.end, subscription.created_at)
    issue_period(services, tx, terms, closing.lines, billing=closing.billing, now=issued_at, looks_back=looks_back)
    watch_spend(tx, closing.following, subscription)
    return closing.following


def _bill_usage(
    services: Services, tx: Transaction, terms: Terms, ends_at: datetime, now: datetime, *, looks_back: bool
) -> Subscription:
    """Invoice the usage up to an instant within the open period at which the intervals of components end."""
    subscription = terms.subscription
    assert subscription.due_at is not None, "what is never due is not billed"
    issue_at = ends_at + terms.grace
    if subscription.parked_cause is None:
        issue_at = max(issue_at, subscription.due_at)
    issued_at = max(min(now, issue_at), ends_at, subscription.created_at)
    usage, cause = usage_within(services, terms, ends_at, is_boundary=True), cause_of_usage(subscription, ends_at)
    corrections = open_corrections(services, tx, terms) if looks_back else NO_CORRECTIONS
    issue_usage(services, tx, terms, usage, cause=cause, now=issued_at, corrections=corrections)
    return usage_invoiced(subscription, ends_at)


def issue_usage(
    services: Services,
    tx: Transaction,
    terms: Terms,
    usage: BilledUsage,
    *,
    cause: str,
    now: datetime,
    corrections: Corrections = NO_CORRECTIONS,
) -> Invoice | None:
    """Issue the invoice of usage within the open period, of which more will be invoiced, in the given transaction."""
    opened = terms.subscription.open_period
    billing = billing_of(usage, (), terms, opened=opened, held=opened)
    billing = msgspec.structs.replace(billing, is_committed=False)
    lines = adjusted_usage(terms, usage.lines)
    return issue(services, tx, terms, lines, cause=cause, now=now, billing=billing, corrections=corrections)


def closing_of(services: Services, tx: Transaction, terms: Terms) -> Closing:
    """Return what becomes of the open period at its end, which may lie ahead."""
    subscription, period = terms.subscription, terms.subscription.open_period
    usage = usage_of(services, terms, opened=period, held=period)
    following = renewed(tx, terms.version, advance(subscription))
    others = held_lines(terms, period)
    billing = billing_of(usage, others, terms, opened=period, held=period)
    lines = (*usage.lines, *others, *commitment_lines(terms, billing.lines, opened=period, held=period))
    if following.version_id == subscription.version_id:
        goes_on = msgspec.structs.replace(terms, subscription=following)
        ahead = () if following.is_fully_billed else advance_lines(goes_on, following.open_period)
        lines = adjusted(terms, (*lines, *ahead), opened=period)
    else:
        replacing = terms_of(tx, following, terms.metrics)
        ahead = advance_lines(replacing, following.open_period)
        lines = (*adjusted(terms, lines, opened=period), *adjusted(replacing, ahead, opened=period))
    return Closing(following, lines, billing)


def issue_period(
    services: Services,
    tx: Transaction,
    terms: Terms,
    lines: tuple[InvoiceLine, ...],
    *,
    billing: PeriodBilling | None,
    now: datetime,
    looks_back: bool = True,
) -> Invoice | None:
    """Issue the invoice of the open period, however that comes to its end, with the corrections of billed periods.

    `billing` is how the usage of the period is billed (null: it is let off for ever, as that of a trial always is).
    """
    if terms.subscription.is_trial_at(terms.subscription.open_period.start):
        billing = None
    corrections = open_corrections(services, tx, terms) if looks_back else NO_CORRECTIONS
    cause = cause_of_period(terms.subscription)
    return issue(services, tx, terms, lines, cause=cause, now=now, billing=billing, corrections=corrections)


def issue(
    services: Services,
    tx: Transaction,
    terms: Terms,
    lines: tuple[InvoiceLine, ...],
    *,
    cause: str,
    now: datetime,
    billing: PeriodBilling | None = None,
    corrections: Corrections = NO_CORRECTIONS,
) -> Invoice | None:
    """Issue an invoice with its number and the credit it uses or grants, all in the given transaction.

    Lines that are put together with those of other subscriptions wait for them, and then none is returned.
    Returns the invoice of the same cause when there is one already: billing again changes nothing. Without a line there
    is nothing to invoice, and no number is used up. What waits for the customer's next invoice comes last on it; what
    should have been invoiced before has an invoice of its own before.
    """
    own = (*lines, *corrections.lines)
    if not own:
        return None
    existing = tx.invoices.by_cause(terms.subscription.organization_id, cause)
    if existing is not None:
        return existing
    if terms.is_grouped or terms.waits:
        for each in corrections.found:
            tx.billed_periods.replace(each.billed)
        due_at = now if terms.is_grouped else None
        defer(services, tx, terms, own, cause=cause, now=now, billing=billing, due_at=due_at)
        return None
    waiting = waiting_for(tx, terms, now)
    while overdue := [each for each in waiting if each.due_at < now]:
        issue_waiting(services, tx, waiting, now=overdue_at(overdue))
        waiting = waiting_for(tx, terms, now)
    invoice = _issue(services, tx, terms, own, waiting, cause=cause, now=now)
    keep_billed(tx, terms, invoice, billing, corrections, own=own)
    return invoice


def issue_overdue(services: Services, tx: Transaction, subscription: Subscription, *, before: datetime) -> None:
    """What a customer's subscriptions have put together until an instant, excluded, is invoiced."""
    while True:
        found = tx.pending_lines.waiting(subscription.organization_id, subscription.customer_id)
        overdue = [each for each in found if each.due_at < before]
        if not overdue:
            return
        first = min(overdue, key=lambda each: (each.due_at, each.currency))
        together = [each for each in found if each.currency == first.currency]
        issue_waiting(services, tx, together, now=first.due_at)


def overdue_at(waiting: Sequence[PendingLines]) -> datetime:
    """Return when the first of lines that wait should have been invoiced."""
    return min(each.due_at for each in waiting)


def issue_waiting(services: Services, tx: Transaction, waiting: Sequence[PendingLines], *, now: datetime) -> Invoice:
    """Issue an invoice of what waits at an instant, of one customer in one currency, in the given transaction."""
    ripe = [each for each in waiting if each.created_at <= now]
    first = ripe[0]
    subscription = tx.subscriptions.get(first.organization_id, first.subscription_id)
    assert subscription is not None, "subscriptions are never deleted"
    return _issue(services, tx, terms_of(tx, subscription), (), ripe, cause=f"pending:{first.pending_id}", now=now)


def _issue(
    services: Services,
    tx: Transaction,
    terms: Terms,
    own: tuple[InvoiceLine, ...],
    waiting: Sequence[PendingLines],
    *,
    cause: str,
    now: datetime,
) -> Invoice:
    """Issue an invoice of a subscription's own lines, and of what waited after them."""
    added = pending_lines_of(waiting)
    heading = heading_of(terms, now)
    if not own and len({each.subscription_id for each in waiting}) > 1:
        heading = msgspec.structs.replace(heading, subscription_id=None)
    invoice = issue_under(services, tx, heading, own, added, cause=cause, now=now)
    keep_invoiced(tx, waiting, invoice, place=len(own))
    return invoice
