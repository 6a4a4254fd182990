"""Subscriptions on the wire."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from pydantic import Field

from lotus_server.domain.catalog import SpendThreshold
from lotus_server.domain.invoicing import FlatFeeBehavior
from lotus_server.domain.metering import PropertyMatch
from lotus_server.domain.subscriptions import Status, Subscription, last_instant, period_containing
from lotus_server.kernel.errors import Invalid, Problems
from lotus_server.kernel.instants import EPOCH, to_text
from lotus_server.usecases.subscription_views import SubscriptionView
from lotus_server.usecases.subscriptions import Cancellation, SubscriptionChange, SubscriptionDraft
from lotus_server.wire.calendars import Anchor, calendar_of
from lotus_server.wire.fields import INTERVALS, day_text, end_instant, instant, is_day
from lotus_server.wire.forms import Form, Text, read, required
from lotus_server.wire.free_form import free_form
from lotus_server.wire.intervals import ThresholdForm, threshold_rows, thresholds_of
from lotus_server.wire.pauses import invoices_now, pause_rows
from lotus_server.wire.quantities import (
    ChargeQuantityForm,
    PrepaidUnitsForm,
    prepaid_by_metric,
    prepaid_rows,
    quantities_by_charge,
    quantity_rows,
)

Row = dict[str, Any]


class FilterForm(Form):
    """Only events whose property has exactly this value count for the subscription."""

    property_name: Text = None
    value: Text = None


class SubscriptionForm(Form):
    """A subscription to be made: exactly one of `billing_plan_id` (or `plan_id`) and `version_id`."""

    customer_id: Text = None
    billing_plan_id: Text = None
    plan_id: Text = None
    version_id: Text = None
    start_date: Text = None
    end_date: Text = None
    subscription_id: Text = None
    auto_renew: bool | None = None
    is_new: bool | None = None
    subscription_filters: list[FilterForm] | None = None
    component_fixed_charges_initial_units: list[PrepaidUnitsForm] | None = None
    quantities: list[ChargeQuantityForm] | None = None
    trial_end: Text = Field(None, description="The first time that is charged for; the plan's trial_days when missing.")
    billing_cycle: Text = Field(None, description="anniversary or calendar; as the plan has it when missing.")
    day_anchor: Anchor = Field(None, description="The day of the month on which periods begin, 1 to 31.")
    month_anchor: Anchor = Field(None, description="A month in which quarters or years begin, 1 to 12.")
    usage_thresholds: list[ThresholdForm] | None = Field(
        None, description="Amounts of a period's usage at which it is invoiced; those of the plan when missing."
    )
    coupon_id: Text = Field(None, description="A coupon that the customer redeems with it.")
    metadata: dict[str, Any] | None = None


class CancelForm(Form):
    """The seed's way to cancel."""

    subscription_id: Text = None
    bill_now: bool | None = None
    revoke_access: bool | None = None


class LaterCancelForm(Form):
    """The later clients' way to cancel."""

    flat_fee_behavior: Text = None
    usage_behavior: Text = None
    invoicing_behavior: Text = None


class UpdateForm(Form):
    """What of a subscription can be changed."""

    turn_off_auto_renew: bool | None = None
    auto_renew: bool | None = None
    end_date: Text = None
    invoicing_behavior: Text = Field(
        None,
        description="What another end comes to within a period that was invoiced in advance: add_to_next_invoice "
        "(default), or invoice_now.",
    )
    metadata: dict[str, Any] | None = None
    usage_thresholds: list[ThresholdForm] | None = Field(
        None, description="Amounts of a period's usage at which it is invoiced; null: those of the plan."
    )
    status: Text = None
    replace_immediately_type: Text = None
    plan_id: Text = None


_ENDINGS = {"end_current_subscription_and_bill": True, "end_current_subscription_dont_bill": False}
_FLAT_FEES = {
    "refund": FlatFeeBehavior.REFUND,
    "prorate": FlatFeeBehavior.CHARGE_PRORATED,
    "charge_prorated": FlatFeeBehavior.CHARGE_PRORATED,
    "charge_full": FlatFeeBehavior.CHARGE_FULL,
}


def subscription_draft(payload: object) -> tuple[SubscriptionDraft, bool]:
    """Return the draft that a body describes, with its problems, and whether it has the seed's form."""
    problems = Problems()
    form = read(SubscriptionForm, payload, problems)
    starts_at = instant(problems, "start_date", required(problems, "start_date", form.start_date))
    customer_id = required(problems, "customer_id", form.customer_id)
    ends_at = end_instant(problems, "end_date", form.end_date or None)
    matches = tuple(_matches(form.subscription_filters or [], problems))
    metadata = free_form(problems, "metadata", form.metadata)
    prepaid_units = prepaid_by_metric(form.component_fixed_charges_initial_units, problems)
    quantities = quantities_by_charge(form.quantities, problems)
    texts = {"starts_at": form.start_date, "ends_at": form.end_date, "trial_end": form.trial_end}
    draft = SubscriptionDraft(
        customer_id=customer_id,
        starts_at=starts_at or EPOCH,  # never used: a missing start is a problem already
        plan_id=form.billing_plan_id or form.plan_id or None,
        version_id=form.version_id or None,
        ends_at=ends_at,
        auto_renew=form.auto_renew,
        is_new=form.is_new,
        subscription_id=form.subscription_id or None,
        matches=matches,
        metadata=metadata,
        prepaid_units=prepaid_units,
        quantities=quantities,
        trial_end=instant(problems, "trial_end", form.trial_end or None),
        calendar=calendar_of(problems, form.billing_cycle, form.day_anchor, form.month_anchor),
        days=frozenset(name for name, text in texts.items() if is_day(text)),
        usage_thresholds=None if form.usage_thresholds is None else thresholds_of(problems, form.usage_thresholds),
        coupon_id=form.coupon_id or None,
        problems=problems.found,
    )
    return draft, form.billing_plan_id is not None


def _matches(filters: list[FilterForm], problems: Problems) -> list[PropertyMatch]:
    return [
        PropertyMatch(
            required(problems, f"subscription_filters[{index}].property_name", each.property_name),
            required(problems, f"subscription_filters[{index}].value", each.value),
        )
        for index, each in enumerate(filters)
    ]


def seed_cancellation(payload: object) -> tuple[str, Cancellation]:
    """Return which subscription the seed's call cancels, and how. Raises Invalid with every problem."""
    problems = Problems()
    form = read(CancelForm, payload, problems)
    subscription_id = required(problems, "subscription_id", form.subscription_id)
    bills = True if form.bill_now is None else form.bill_now
    revokes = bills if form.revoke_access is None else form.revoke_access
    if bills and not revokes:
        problems.add(
            "revoke_access", "bill_now_needs_revoke", "Billing now needs access to be revoked: set bill_now to false."
        )
    problems.raise_if_any()
    return subscription_id, Cancellation(ends_now=revokes, bills=bills)


def later_cancellation(payload: object) -> Cancellation:
    """Return how the later clients' call cancels. Raises Invalid with every problem."""
    problems = Problems()
    form = read(LaterCancelForm, payload, problems)
    flat_fees = FlatFeeBehavior.OWN
    if form.flat_fee_behavior is not None:
        if form.flat_fee_behavior not in _FLAT_FEES:
            known = ", ".join(_FLAT_FEES)
            problems.add("flat_fee_behavior", "invalid_choice", f"flat_fee_behavior must be one of {known}.")
        flat_fees = _FLAT_FEES.get(form.flat_fee_behavior, FlatFeeBehavior.OWN)
    if form.usage_behavior not in {None, "bill_full", "bill_none"}:
        problems.add("usage_behavior", "invalid_choice", "usage_behavior must be one of bill_full, bill_none.")
    if form.invoicing_behavior not in {None, "invoice_now", "add_to_next_invoice"}:
        problems.add(
            "invoicing_behavior",
            "invalid_choice",
            "invoicing_behavior must be one of invoice_now, add_to_next_invoice.",
        )
    problems.raise_if_any()
    return Cancellation(
        bills_usage=form.usage_behavior != "bill_none",
        flat_fees=flat_fees,
        defers=form.invoicing_behavior == "add_to_next_invoice",
    )


def subscription_change(payload: object) -> SubscriptionChange:
    """Return what a body changes of a subscription. Raises Invalid with every problem."""
    problems = Problems()
    form = read(UpdateForm, payload, problems)
    if form.plan_id is not None:
        problems.add("plan_id", "unsupported", "The plan is changed by switch_plan, or by PATCH of the subscription.")
    renews_again = form.auto_renew is True
    if renews_again and (form.turn_off_auto_renew or form.end_date or form.status is not None):
        problems.add("auto_renew", "ambiguous", "A subscription that is to renew is not given an end at the same time.")
    ending: Cancellation | None = None
    if form.status is not None or form.replace_immediately_type is not None:
        if form.status not in {None, "ended"}:
            problems.add("status", "invalid_choice", "status can only be set to ended.")
        kind = form.replace_immediately_type
        if kind not in _ENDINGS:
            problems.add("replace_immediately_type", "invalid_choice", f"Must be one of {', '.join(_ENDINGS)}.")
        ending = Cancellation(bills=_ENDINGS.get(kind or "", True))
    stops_renewal = bool(form.turn_off_auto_renew) or form.auto_renew is False
    change = SubscriptionChange(
        ending=Cancellation(ends_now=False) if stops_renewal and ending is None else ending,
        ends_at=end_instant(problems, "end_date", form.end_date or None),
        metadata=None if form.metadata is None else free_form(problems, "metadata", form.metadata),
        ends_with_day=is_day(form.end_date),
        renews_again=renews_again,
        invoices_now=invoices_now(problems, form.invoicing_behavior),
        usage_thresholds=_thresholds(problems, form),
    )
    problems.raise_if_any()
    return change


def _thresholds(problems: Problems, form: UpdateForm) -> tuple[SpendThreshold, ...] | msgspec.UnsetType | None:
    if "usage_thresholds" not in form.model_fields_set:
        return msgspec.UNSET
    return None if form.usage_thresholds is None else thresholds_of(problems, form.usage_thresholds)


def matches_from_query(text: str | None) -> tuple[PropertyMatch, ...] | None:
    """Return the subscription filters that the 0.9 clients send as JSON text in the query; null means any."""
    if not text:
        return None
    problems = Problems()
    try:
        found = msgspec.json.decode(text, type=list[dict[str, str]])
    except msgspec.DecodeError:
        raise Invalid.field("subscription_filters", "invalid", "subscription_filters must be a JSON list.") from None
    matches = _matches([FilterForm(**each) for each in found], problems)
    problems.raise_if_any()
    return tuple(matches)


def subscription_row(view: SubscriptionView, *, as_dates: bool) -> Row:
    """Return a subscription as every generation reads it; `as_dates` shows its days as the seed's clients do."""
    subscription, customer = view.subscription, view.customer
    end = _shown_end(view)
    return {
        **subscription_record(view),
        "start_date": day_text(subscription.starts_at, subscription.timezone)
        if as_dates
        else to_text(subscription.starts_at),
        "end_date": day_text(last_instant(end), subscription.timezone) if as_dates else to_text(last_instant(end)),
        "status": view.status.value,
        "customer_id": customer.customer_id,
        "billing_plan_id": subscription.plan_id,
        "parked_cause": subscription.parked_cause,
        "next_try": _next_try(subscription),
    }


def _next_try(subscription: Subscription) -> str | None:
    """Return when billing is tried again that could not go on."""
    if subscription.parked_cause is None or subscription.due_at is None:
        return None
    return to_text(subscription.due_at)


def subscription_record(view: SubscriptionView) -> Row:
    """Return a subscription as the later clients' models read it."""
    subscription, customer = view.subscription, view.customer
    until = subscription.cadence.invoiced_until
    return {
        "subscription_id": subscription.subscription_id,
        "start_date": to_text(subscription.starts_at),
        "end_date": to_text(last_instant(_shown_end(view))),
        "auto_renew": subscription.auto_renew,
        "is_new": subscription.is_new,
        "subscription_filters": [
            {"property_name": match.property_name, "value": match.value} for match in subscription.matches
        ],
        "customer": {
            "customer_name": customer.customer_name,
            "email": customer.email,
            "customer_id": customer.customer_id,
        },
        "billing_plan": billing_plan(view),
        "fully_billed": subscription.is_fully_billed,
        "usage_thresholds": threshold_rows(subscription.cadence.thresholds),
        "usage_invoiced_until": None if until is None else to_text(until),
        "trial_end": None if subscription.trial_end is None else to_text(subscription.trial_end),
        "is_trialing": view.status is Status.ACTIVE and subscription.is_trial_at(view.now),
        "timezone": subscription.timezone,
        "next_plan": _next_plan(subscription),
        "is_paused": view.is_paused,
        "pauses": pause_rows(view),
        "addons": [addon_row(each) for each in view.addons],
        "quantities": quantity_rows(view),
        "prepaid_units": prepaid_rows(view),
        "metadata": subscription.metadata,
    }


def _next_plan(subscription: Subscription) -> Row | None:
    """Return the plan to which the subscription turns with its next renewal."""
    following = subscription.next_plan
    return None if following is None else {"plan_id": following.plan_id, "version_id": following.version_id}


def addon_row(view: SubscriptionView) -> Row:
    """Return an add-on that is attached to a subscription."""
    addon = view.plan.addon
    assert addon is not None, "only add-ons are attached"
    return {
        "addon_subscription_id": view.subscription.subscription_id,
        "start_date": to_text(view.subscription.starts_at),
        "end_date": to_text(last_instant(_shown_end(view))),
        "addon": {
            "addon_name": view.plan.plan_name,
            "addon_id": view.plan.plan_id,
            "addon_type": addon.kind.value,
            "billing_frequency": addon.frequency.value,
        },
        "fully_billed": view.subscription.is_fully_billed,
    }


def billing_plan(view: SubscriptionView) -> Row:
    """Return the plan of a subscription: the seed's keys and the later clients'."""
    plan, version = view.plan, view.version
    return {
        "plan_name": plan.plan_name,
        "plan_id": plan.plan_id,
        "version_id": version.version_id,
        "version": version.version,
        "billing_plan_id": plan.plan_id,
        "name": plan.plan_name,
        "description": plan.description,
        "currency": version.currency,
        "interval": INTERVALS[plan.duration],
        "flat_rate": version.flat_rate,
        "pay_in_advance": version.is_paid_in_advance,
    }


def _shown_end(view: SubscriptionView) -> datetime:
    """Return the exclusive end that is shown: where the subscription ends, or the end of the period that is open."""
    subscription = view.subscription
    if subscription.ends_at is not None:
        return max(subscription.ends_at, subscription.starts_at + timedelta(microseconds=1))
    if view.status is Status.ACTIVE:
        return period_containing(subscription, view.now).end  # the open one may be over, and wait for its invoice
    return subscription.open_period.end
