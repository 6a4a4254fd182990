"""Subscriptions: create, list, cancel, update."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.catalog import Calendar, Plan, PlanVersion, SpendThreshold, calendar_problems
from lotus_server.domain.invoicing import (
    FlatFeeBehavior,
    Invoice,
    InvoiceLine,
    PeriodBilling,
    Terms,
    adjusted,
    cause_of_period,
    commitment_lines,
    settled_charge_lines,
)
from lotus_server.domain.metering import PropertyMatch
from lotus_server.domain.subscriptions import (
    Subscription,
    calendar_anchor,
    end_now,
    end_with_period,
    first_period,
    refuse_overlap,
    until_present,
    with_cadence_of,
)
from lotus_server.kernel.errors import FieldProblem, NotFound, Problems
from lotus_server.kernel.identifiers import identifier_problem, name_problem
from lotus_server.kernel.period import Duration, Period, boundary
from lotus_server.kernel.zones import on_wall_clock, zone_of
from lotus_server.ports.listing import EVERY_SUBSCRIPTION, SubscriptionQuestion
from lotus_server.ports.records import Page, Transaction
from lotus_server.usecases.billing import bill_due, bring_up_to_date, issue_period
from lotus_server.usecases.catalog_reading import terms_of
from lotus_server.usecases.customers import require_customer
from lotus_server.usecases.discounts import DiscountDraft, give_within
from lotus_server.usecases.pending import defer
from lotus_server.usecases.pending_billing import bill_pending_due
from lotus_server.usecases.quantities import first_quantities
from lotus_server.usecases.services import Services, present
from lotus_server.usecases.spend_watching import own_thresholds, watch_spend
from lotus_server.usecases.subscription_ends import LATEST, end_what_is_attached, renewing, with_end
from lotus_server.usecases.subscription_reading import attached_to, require_subscription
from lotus_server.usecases.subscription_views import SubscriptionView, views_of
from lotus_server.usecases.usage_billing import billing_of, usage_of
from lotus_server.usecases.version_choice import Wish, choose_version

MATCHES_MAX: Final = 20
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)


class SubscriptionDraft(msgspec.Struct, frozen=True):
    """A subscription to be made, of a plan (its one active version) or of a given version.

    `ends_at` is exclusive. Without it the subscription renews until it is cancelled; with it, it ends there, unless
    `auto_renew` is set: then the first period ends there and the following ones are counted from there.
    `trial_end` is the first instant that is charged for (null: as the version has it; the start itself: no trial),
    `calendar` says where periods begin (null: at anniversaries; unset: as the version has it). `days` names the fields
    that are days: the midnight in UTC given here stands for that of the customer's time zone.
    `usage_thresholds` null: those of the version.
    `prepaid_units` are by metric id, `quantities` by the id or name of a charge; what they leave out is as in the plan.
    The customer redeems the coupon with it, if there is one.
    `problems` are those that reading the input found already.
    """

    customer_id: str
    starts_at: datetime
    plan_id: str | None = None
    version_id: str | None = None
    ends_at: datetime | None = None
    auto_renew: bool | None = None
    is_new: bool | None = None
    subscription_id: str | None = None
    matches: tuple[PropertyMatch, ...] = ()
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    prepaid_units: dict[str, Decimal] = msgspec.field(default_factory=dict)
    quantities: dict[str, Decimal] = msgspec.field(default_factory=dict)
    trial_end: datetime | None = None
    calendar: Calendar | msgspec.UnsetType | None = msgspec.UNSET
    days: frozenset[str] = frozenset()
    usage_thresholds: tuple[SpendThreshold, ...] | None = None
    coupon_id: str | None = None
    problems: tuple[FieldProblem, ...] = ()


class Cancellation(msgspec.Struct, frozen=True):
    """How a subscription is cancelled.

    `ends_now` false lets it run to the end of its period, be billed then, and not renew; the other fields then mean
    nothing. `bills` false writes no invoice at all for the open period. `bills_usage` false leaves usage out of the
    invoice. `defers`: the lines wait for the customer's next invoice.
    """

    ends_now: bool = True
    bills: bool = True
    bills_usage: bool = True
    flat_fees: FlatFeeBehavior = FlatFeeBehavior.AS_INVOICED
    defers: bool = False


class SubscriptionChange(msgspec.Struct, frozen=True):
    """What to change of a subscription: a new end (exclusive), new metadata, a cancellation.

    Null leaves things as they are. `renews_again`: it goes on after the end that it has. `ends_with_day`: the end is
    midnight in UTC and stands for that of the subscription's time zone. `invoices_now`: what another end comes to in a
    period that was invoiced in advance is invoiced at once, not with the next invoice. `usage_thresholds` null: those
    of the version from now on; unset: as they are.
    """

    ending: Cancellation | None = None
    ends_at: datetime | None = None
    metadata: dict[str, Any] | None = None
    ends_with_day: bool = False
    renews_again: bool = False
    invoices_now: bool = False
    usage_thresholds: tuple[SpendThreshold, ...] | msgspec.UnsetType | None = msgspec.UNSET


def create_subscription(services: Services, organization: Organization, draft: SubscriptionDraft) -> SubscriptionView:
    """Subscribe a customer, and issue at once what is due in advance if the subscription has started.

    Raises Invalid with every problem, NotFound for customer, plan, version or coupon, Conflict `subscription_exists`,
    `coupon_not_redeemable`.
    """
    now = present(services, organization)
    with services.records.transaction() as tx:
        subscription = _add(services, tx, organization, draft, now)
        if subscription.starts_at <= now < subscription.open_period.end:
            subscription = bring_up_to_date(services, tx, subscription, now)
            tx.subscriptions.replace(subscription)
        view = views_of(tx, organization, [subscription], now)[0]
    if organization.clock_now is not None and subscription.due_at is not None and subscription.due_at <= now:
        # In real time the ticker bills the periods that are over already; in a sandbox nothing would until its clock is
        # moved.
        bill_due(services, until=now, organization=organization)
        bill_pending_due(services, until=now, organization=organization)
        return get_subscription(services, organization, subscription.subscription_id)
    return view


def create_billed(services: Services, organization: Organization, draft: SubscriptionDraft) -> SubscriptionView:
    """Subscribe a customer and bill everything up to now, in one transaction: what a preview of subscribing shows.

    Raises as `create_subscription`.
    """
    now = present(services, organization)
    with services.records.transaction() as tx:
        subscription = bring_up_to_date(services, tx, _add(services, tx, organization, draft, now), now)
        tx.subscriptions.replace(subscription)
        return views_of(tx, organization, [subscription], now)[0]


def _add(
    services: Services, tx: Transaction, organization: Organization, draft: SubscriptionDraft, now: datetime
) -> Subscription:
    """Keep a new subscription, of which nothing is billed yet, and return it."""
    _validate(draft)
    # One at a time for each customer: whoever comes second sees the first one's subscription.
    customer = require_customer(tx, organization, draft.customer_id, for_update=True)
    plan, version = choose_version(tx, organization, customer, Wish(draft.plan_id, draft.version_id), now=now)
    zone = customer.timezone
    subscription = _new_subscription(services, on_days_of(draft, zone), plan, version, timezone=zone, now=now)
    refuse_overlap(subscription, tx.subscriptions.of_customer(organization.organization_id, draft.customer_id))
    tx.subscriptions.add(subscription)
    watch_spend(tx, subscription)
    if draft.coupon_id is not None:
        give_within(services, tx, organization, draft.customer_id, DiscountDraft(draft.coupon_id), now=now)
    return subscription


def on_days_of(draft: SubscriptionDraft, timezone: str) -> SubscriptionDraft:
    """Return a draft whose days begin at midnight in a time zone."""
    moved = {name: on_wall_clock(getattr(draft, name), timezone) for name in draft.days}
    return msgspec.structs.replace(draft, **moved)


def _new_subscription(
    services: Services, draft: SubscriptionDraft, plan: Plan, version: PlanVersion, *, timezone: str, now: datetime
) -> Subscription:
    renews = draft.auto_renew if draft.auto_renew is not None else draft.ends_at is None
    trial_end = _trial_end(draft, version, timezone)
    charged_from = trial_end or draft.starts_at
    calendar = version.calendar if draft.calendar is msgspec.UNSET else draft.calendar
    anchor = charged_from
    if draft.ends_at is not None and renews:
        anchor = draft.ends_at
    elif calendar is not None:
        anchor = calendar_anchor(calendar, plan.duration, charged_from, timezone)
    period = first_period(
        starts_at=charged_from, ends_at=draft.ends_at, anchor=anchor, duration=plan.duration, timezone=timezone
    )
    subscription = Subscription(
        organization_id=plan.organization_id,
        subscription_id=draft.subscription_id or services.ids.random_uuid(),
        customer_id=draft.customer_id,
        plan_id=plan.plan_id,
        version_id=version.version_id,
        duration=plan.duration,
        starts_at=draft.starts_at,
        anchor=anchor,
        ends_at=None if renews else draft.ends_at or period.end,
        auto_renew=renews,
        is_new=draft.is_new if draft.is_new is not None else True,
        open_period=period if trial_end is None else Period(draft.starts_at, trial_end),
        created_at=now,
        due_at=draft.starts_at,
        matches=draft.matches,
        metadata=draft.metadata,
        quantities=first_quantities(version, prepaid=draft.prepaid_units, charges=draft.quantities),
        trial_end=trial_end,
        timezone=timezone,
    )
    subscription = with_cadence_of(subscription, version)
    if draft.usage_thresholds is None:
        return subscription
    return own_thresholds(subscription, draft.usage_thresholds, version)


def _trial_end(draft: SubscriptionDraft, version: PlanVersion, timezone: str) -> datetime | None:
    """Return where a subscription's trial ends, at its own end at the latest; null when it has none."""
    end = draft.trial_end
    if end is None:
        end = boundary(draft.starts_at, Duration.DAILY, version.trial_days, zone_of(timezone))
    if draft.ends_at is not None:
        end = min(end, draft.ends_at)
    return end if end > draft.starts_at else None


def list_subscriptions(
    services: Services,
    organization: Organization,
    page: Page,
    question: SubscriptionQuestion = EVERY_SUBSCRIPTION,
) -> list[SubscriptionView]:
    """Return the subscriptions asked for in the order of their ids."""
    now = present(services, organization)
    with services.records.snapshot() as tx:
        found = tx.subscriptions.page(organization.organization_id, page, question, now)
        return views_of(tx, organization, found, now)


def get_subscription(services: Services, organization: Organization, subscription_id: str) -> SubscriptionView:
    """Return one subscription. Raises NotFound `subscription_not_found`."""
    with services.records.snapshot() as tx:
        return views_of(
            tx, organization, [require_subscription(tx, organization, subscription_id)], present(services, organization)
        )[0]


def cancel_subscription(
    services: Services, organization: Organization, subscription_id: str, how: Cancellation
) -> tuple[SubscriptionView, Invoice | None]:
    """Cancel a subscription, in one transaction with its last invoice.

    Raises NotFound, Conflict `invalid_state` when it has ended already: then nothing changes and no second invoice
    is issued.
    """
    now = present(services, organization)
    with services.records.transaction() as tx:
        subscription = require_subscription(tx, organization, subscription_id, for_update=True)
        ended, invoice = cancel_within(services, tx, subscription, how, now)
        tx.subscriptions.replace(ended)
        return views_of(tx, organization, [ended], now)[0], invoice


def cancel_within(
    services: Services, tx: Transaction, subscription: Subscription, how: Cancellation, now: datetime
) -> tuple[Subscription, Invoice | None]:
    """Return a subscription as it is after cancelling, to be kept by the caller, with its last invoice if it has one.

    What is attached to it is cancelled in the same way, and kept.
    """
    subscription = bring_up_to_date(services, tx, subscription, now)
    if not how.ends_now:
        ending = end_with_period(subscription, now)
        if ending.ends_at is not None:
            end_what_is_attached(services, tx, subscription, ending.ends_at, now)
        return ending, None
    subscription = until_present(subscription, now)
    ended = end_now(subscription, now)
    has_started = subscription.starts_at <= now
    invoice = _last_invoice(services, tx, subscription, how, now) if how.bills and has_started else None
    for attached in attached_to(tx, subscription, now):
        cancelled, _ = cancel_within(services, tx, attached, how, now)
        tx.subscriptions.replace(cancelled)
    return ended, invoice


def cancel_matching(
    services: Services,
    organization: Organization,
    *,
    customer_id: str,
    plan_id: str,
    matches: tuple[PropertyMatch, ...] | None,
    how: Cancellation,
) -> list[SubscriptionView]:
    """Cancel each active subscription of a customer to a plan, with equal filters if any are given.

    Raises NotFound `customer_not_found`, or `subscription_not_found` when none is active.
    """
    now = present(services, organization)
    with services.records.snapshot() as tx:
        require_customer(tx, organization, customer_id)
        active = tx.subscriptions.of_customer(organization.organization_id, customer_id, at=now)
    found = [
        each for each in active if each.plan_id == plan_id and (matches is None or set(each.matches) == set(matches))
    ]
    if not found:
        raise NotFound("The customer has no such active subscription.", code="subscription_not_found")
    return [cancel_subscription(services, organization, each.subscription_id, how)[0] for each in found]


def change_subscription(
    services: Services, organization: Organization, subscription_id: str, change: SubscriptionChange
) -> SubscriptionView:
    """Change a running subscription: its metadata, its end, or end it. Raises NotFound, Invalid, Conflict."""
    now = present(services, organization)
    with services.records.transaction() as tx:
        subscription = require_subscription(tx, organization, subscription_id)
        if change.ends_at is not None or change.renews_again:
            require_customer(tx, organization, subscription.customer_id, for_update=True)
        subscription = require_subscription(tx, organization, subscription_id, for_update=True)
        if change.ends_at is not None:
            ends_at = on_wall_clock(change.ends_at, subscription.timezone) if change.ends_with_day else change.ends_at
            before = bring_up_to_date(services, tx, subscription, now)
            at_once = change.invoices_now
            subscription = with_end(services, tx, before, ends_at, now, invoices_now=at_once)
            end_what_is_attached(services, tx, before, ends_at, now, invoices_now=at_once)
        if change.renews_again:
            subscription = bring_up_to_date(services, tx, subscription, now)
            subscription = renewing(services, tx, subscription, now, invoices_now=change.invoices_now)
        if change.usage_thresholds is not msgspec.UNSET:
            before = subscription
            version = terms_of(tx, subscription).version
            subscription = own_thresholds(subscription, change.usage_thresholds, version)
            watch_spend(tx, subscription, before)
        if change.metadata is not None:
            subscription = msgspec.structs.replace(subscription, metadata=change.metadata)
        if change.ending is not None:
            subscription, _ = cancel_within(services, tx, subscription, change.ending, now)
        tx.subscriptions.replace(subscription)
        return views_of(tx, organization, [subscription], now)[0]


def _last_invoice(
    services: Services, tx: Transaction, subscription: Subscription, how: Cancellation, now: datetime
) -> Invoice | None:
    """Issue what the open period comes to at the moment of cancelling; a plan that charges nothing has no invoice."""
    terms = terms_of(tx, subscription)
    opened = subscription.open_period
    held = opened.until(now)
    charges = settled_charge_lines(terms, opened=opened, held=held, behavior=how.flat_fees)
    if not how.bills_usage:
        lines = adjusted(terms, charges, opened=opened)
        return _issue_or_defer(services, tx, terms, lines, how=how, billing=None, now=now)
    usage = usage_of(services, terms, opened=opened, held=held)
    lines = (*usage.lines, *charges)
    is_committed = how.flat_fees is not FlatFeeBehavior.REFUND  # else it would take back what is let off
    billing = billing_of(usage, charges, terms, opened=opened, held=held)
    billing = msgspec.structs.replace(billing, counts_end=True, is_committed=is_committed)
    if is_committed:
        lines = (*lines, *commitment_lines(terms, billing.lines, opened=opened, held=held))
    lines = adjusted(terms, lines, opened=opened)
    return _issue_or_defer(services, tx, terms, lines, how=how, billing=billing, now=now)


def _issue_or_defer(
    services: Services,
    tx: Transaction,
    terms: Terms,
    lines: tuple[InvoiceLine, ...],
    *,
    how: Cancellation,
    billing: PeriodBilling | None,
    now: datetime,
) -> Invoice | None:
    if not how.defers:
        return issue_period(services, tx, terms, lines, billing=billing, now=now)
    defer(services, tx, terms, lines, cause=cause_of_period(terms.subscription), now=now, billing=billing)
    return None


def _validate(draft: SubscriptionDraft) -> None:
    problems = Problems()
    problems.extend(draft.problems)
    if (draft.plan_id is None) == (draft.version_id is None):
        problems.add("plan_id", "required", "Give exactly one of billing_plan_id (or plan_id) and version_id.")
    if draft.ends_at is not None and draft.ends_at <= draft.starts_at and not problems.any_below("start_date"):
        problems.add("end_date", "end_before_start", "end_date must not lie before start_date.")
    if draft.subscription_id is not None and (wrong := identifier_problem(draft.subscription_id)):
        problems.add("subscription_id", "invalid", f"subscription_id {wrong}.")
    if len(draft.matches) > MATCHES_MAX:
        problems.add("subscription_filters", "too_many", f"A subscription has at most {MATCHES_MAX} filters.")
    for index, match in enumerate(draft.matches):
        for field, text in (("property_name", match.property_name), ("value", match.value)):
            if wrong := name_problem(text):
                problems.add(f"subscription_filters[{index}].{field}", "invalid", f"{field} {wrong}.")
    if not _EARLIEST <= draft.starts_at < LATEST and not problems.any_below("start_date"):
        problems.add("start_date", "invalid", "start_date must lie between the years 1970 and 2200.")
    _check_periods(draft, problems)
    if draft.ends_at is not None and draft.ends_at > LATEST:
        problems.add("end_date", "invalid", "end_date must lie between the years 1970 and 2200.")
    problems.raise_if_any()


def _check_periods(draft: SubscriptionDraft, problems: Problems) -> None:
    if draft.trial_end is not None:
        if draft.trial_end > LATEST:
            problems.add("trial_end", "invalid", "trial_end must lie between the years 1970 and 2200.")
        elif draft.trial_end < draft.starts_at and not problems.any_below("start_date"):
            problems.add("trial_end", "end_before_start", "trial_end must not lie before start_date.")
    if isinstance(draft.calendar, Calendar):
        problems.extend(calendar_problems(draft.calendar))
