"""`/api/subscriptions/` and the ways to cancel, in every generation's form."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from lotus_server.http.api.deps import Caller, link_to_next, paging, reading, writing
from lotus_server.http.body import json_body
from lotus_server.http.json_reply import json_reply
from lotus_server.http.openapi import PROBLEMS, body_of
from lotus_server.ports.records import Page
from lotus_server.usecases.attachments import attach_addon, cancel_addon
from lotus_server.usecases.pauses import pause_subscription, resume_subscription
from lotus_server.usecases.plan_switch import switch_plan
from lotus_server.usecases.quantities import set_quantity
from lotus_server.usecases.subscriptions import (
    cancel_matching,
    cancel_subscription,
    change_subscription,
    create_subscription,
    get_subscription,
    list_subscriptions,
)
from lotus_server.wire.attachments import AttachForm, attached_row, attachment
from lotus_server.wire.lists import subscription_question
from lotus_server.wire.pauses import PauseForm, ResumeForm, pause_order, resume_order
from lotus_server.wire.plan_switch import SwitchForm, plan_change, plan_switch
from lotus_server.wire.quantities import QuantityForm, UnitsForm, quantity_order, units_order
from lotus_server.wire.subscriptions import (
    CancelForm,
    LaterCancelForm,
    SubscriptionForm,
    UpdateForm,
    later_cancellation,
    matches_from_query,
    seed_cancellation,
    subscription_change,
    subscription_draft,
    subscription_row,
)

router = APIRouter(prefix="/api", tags=["Subscriptions"], responses=PROBLEMS)
Writer = Annotated[Caller, Depends(writing)]
Reader = Annotated[Caller, Depends(reading)]
Payload = Annotated[object, Depends(json_body)]


@router.get("/subscriptions/", summary="List subscriptions")
def list_all(
    request: Request,
    caller: Reader,
    page: Annotated[Page, Depends(paging)],
    *,
    customer_id: str | None = None,
    plan_id: str | None = None,
    status: Annotated[list[str] | None, Query()] = None,
    status_list: Annotated[list[str] | None, Query(alias="status[]")] = None,
    version_id: str | None = None,
    auto_renew: Annotated[str | None, Query(description="true: those that renew; false: those that end.")] = None,
    ending_within_days: Annotated[str | None, Query(description="Only those that end in so many days.")] = None,
    range_start: Annotated[str | None, Query(description="Only those that end after this time.")] = None,
    range_end: Annotated[str | None, Query(description="Only those that start before this time.")] = None,
) -> Response:
    """Return subscriptions of every status, or of the given ones.

    `parked` are those that could not be billed, `paused` and `trial` active ones. With `customer_id` the dates are
    times.
    """
    query = {
        "customer_id": customer_id,
        "plan_id": plan_id,
        "version_id": version_id,
        "auto_renew": auto_renew,
        "ending_within_days": ending_within_days,
        "range_start": range_start,
        "range_end": range_end,
    }
    question = subscription_question(query, [*(status or ()), *(status_list or ())])
    views = list_subscriptions(caller.services, caller.organization, page, question)
    link = link_to_next(request, page, [view.subscription.subscription_id for view in views])
    return json_reply(200, [subscription_row(view, as_dates=customer_id is None) for view in views], link)


@router.post(
    "/subscriptions/", status_code=201, summary="Create a subscription", openapi_extra=body_of(SubscriptionForm)
)
def create(caller: Writer, payload: Payload) -> Response:
    """Subscribe a customer. What is due in advance is invoiced at once if the subscription has started."""
    draft, is_seed_form = subscription_draft(payload)
    view = create_subscription(caller.services, caller.organization, draft)
    return json_reply(201, subscription_row(view, as_dates=is_seed_form))


@router.post(
    "/subscriptions/add/",
    status_code=201,
    summary="Create a subscription (0.9)",
    openapi_extra=body_of(SubscriptionForm),
)
def add(caller: Writer, payload: Payload) -> Response:
    """Subscribe a customer, under the URL of the 0.9 clients."""
    return create(caller, payload)


@router.post(
    "/subscriptions/cancel/", summary="Cancel by plan and customer (0.9)", openapi_extra=body_of(LaterCancelForm)
)
def cancel_by_plan(request: Request, caller: Writer, payload: Payload, customer_id: str, plan_id: str) -> Response:
    """Cancel every active subscription of a customer to a plan, and return them."""
    views = cancel_matching(
        caller.services,
        caller.organization,
        customer_id=customer_id,
        plan_id=plan_id,
        matches=matches_from_query(request.query_params.get("subscription_filters")),
        how=later_cancellation(payload),
    )
    return json_reply(200, [subscription_row(view, as_dates=False) for view in views])


@router.get("/subscriptions/{subscription_id}/", summary="One subscription")
def one(subscription_id: str, caller: Reader) -> Response:
    """Return one subscription."""
    view = get_subscription(caller.services, caller.organization, subscription_id)
    return json_reply(200, subscription_row(view, as_dates=False))


@router.patch("/subscriptions/{subscription_id}/", summary="Change or end", openapi_extra=body_of(UpdateForm))
def change(subscription_id: str, caller: Writer, payload: Payload) -> Response:
    """Turn off renewal, set an end or metadata, end at once with or without billing, or change to another plan."""
    switch = plan_change(payload)
    if switch is not None:
        view = switch_plan(caller.services, caller.organization, subscription_id, switch)
        return json_reply(200, subscription_row(view, as_dates=False))
    view = change_subscription(caller.services, caller.organization, subscription_id, subscription_change(payload))
    return json_reply(200, subscription_row(view, as_dates=False))


@router.post("/subscriptions/{subscription_id}/update/", summary="Change", openapi_extra=body_of(UpdateForm))
def update(subscription_id: str, caller: Writer, payload: Payload) -> Response:
    """Turn off renewal, set an end or metadata."""
    return change(subscription_id, caller, payload)


@router.post(
    "/subscriptions/{subscription_id}/switch_plan/", summary="Switch to another plan", openapi_extra=body_of(SwitchForm)
)
def switch(subscription_id: str, caller: Writer, payload: Payload) -> Response:
    """End a subscription now and begin one to another plan at the same instant; the new one is returned.

    What was paid in advance for the time left comes back as credit. Usage so far is billed with the old subscription,
    or with the new one if `usage_behavior` is `transfer_to_new_subscription`.
    """
    view = switch_plan(caller.services, caller.organization, subscription_id, plan_switch(payload))
    return json_reply(200, subscription_row(view, as_dates=False))


@router.post("/subscriptions/{subscription_id}/cancel/", summary="Cancel", openapi_extra=body_of(LaterCancelForm))
def cancel_later(subscription_id: str, caller: Writer, payload: Payload) -> Response:
    """End a subscription now, each charge by its own rule unless `flat_fee_behavior` says otherwise."""
    view, _ = cancel_subscription(caller.services, caller.organization, subscription_id, later_cancellation(payload))
    return json_reply(200, subscription_row(view, as_dates=False))


@router.post(
    "/subscriptions/{subscription_id}/quantities/",
    status_code=200,
    summary="Change how many of a charge",
    openapi_extra=body_of(QuantityForm),
)
def change_charge_quantity(subscription_id: str, caller: Writer, payload: Payload) -> Response:
    """Change the quantity of a recurring charge, such as seats, from now on; the subscription is returned.

    A charge in advance: the difference for the rest of the period is due, or comes back, on the next invoice or at
    once. A charge in arrears is due for each quantity as long as it was held.
    """
    view = set_quantity(caller.services, caller.organization, subscription_id, quantity_order(payload))
    return json_reply(200, subscription_row(view, as_dates=False))


@router.post(
    "/subscriptions/{subscription_id}/components/{metric_id}/change_prepaid_units/",
    status_code=200,
    summary="Change prepaid units",
    openapi_extra=body_of(UnitsForm),
)
def change_prepaid_units(subscription_id: str, metric_id: str, caller: Writer, payload: Payload) -> Response:
    """Change how many units of a metric are prepaid, from now on; the subscription is returned."""
    view = set_quantity(caller.services, caller.organization, subscription_id, units_order(metric_id, payload))
    return json_reply(200, subscription_row(view, as_dates=False))


@router.post("/subscriptions/{subscription_id}/pause/", summary="Pause", openapi_extra=body_of(PauseForm))
def pause(subscription_id: str, caller: Writer, payload: Payload) -> Response:
    """Pause a subscription from now on or later, for a time or until it is resumed; the subscription is returned.

    Nothing may be used in the pause. The periods go on; unless `flat_fee_behavior` says otherwise, the paused time is
    not charged.
    """
    view = pause_subscription(caller.services, caller.organization, subscription_id, pause_order(payload))
    return json_reply(200, subscription_row(view, as_dates=False))


@router.post("/subscriptions/{subscription_id}/resume/", summary="Resume", openapi_extra=body_of(ResumeForm))
def resume(subscription_id: str, caller: Writer, payload: Payload) -> Response:
    """End the pause that a subscription is in, or the next one, now or later; the subscription is returned."""
    view = resume_subscription(caller.services, caller.organization, subscription_id, resume_order(payload))
    return json_reply(200, subscription_row(view, as_dates=False))


@router.post(
    "/subscriptions/{subscription_id}/addons/attach/",
    status_code=201,
    summary="Attach an add-on",
    openapi_extra=body_of(AttachForm),
)
def attach(subscription_id: str, caller: Writer, payload: Payload) -> Response:
    """Attach an add-on from now on, with the subscription's periods; what it charges in advance is invoiced at once."""
    view = attach_addon(caller.services, caller.organization, subscription_id, attachment(payload))
    return json_reply(201, attached_row(view))


@router.post(
    "/subscriptions/{subscription_id}/addons/{addon_id}/cancel/",
    summary="Cancel an add-on",
    openapi_extra=body_of(LaterCancelForm),
)
def cancel_attached(subscription_id: str, addon_id: str, caller: Writer, payload: Payload) -> Response:
    """End an add-on of a subscription now, in the ways in which a subscription can be cancelled."""
    how = later_cancellation(payload)
    return json_reply(
        200, attached_row(cancel_addon(caller.services, caller.organization, subscription_id, addon_id, how))
    )


@router.post("/cancel_subscription/", summary="Cancel (the seed's call)", openapi_extra=body_of(CancelForm))
def cancel(caller: Writer, payload: Payload) -> Response:
    """End a subscription now (`bill_now`, `revoke_access`), or let it run out."""
    subscription_id, how = seed_cancellation(payload)
    view, invoice = cancel_subscription(caller.services, caller.organization, subscription_id, how)
    detail = "The subscription has ended." if how.ends_now else "The subscription will end with its period."
    reply = {"status": "success", "detail": detail, "subscription_id": view.subscription.subscription_id}
    return json_reply(200, reply if invoice is None else {**reply, "invoice_id": invoice.invoice_id})
