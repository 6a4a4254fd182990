"""One subscription, making one, and every change of one with what it comes to before it is done."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec
from starlette.responses import Response

from lotus_server.domain.accounts import Organization
from lotus_server.domain.catalog import VersionStatus
from lotus_server.domain.subscriptions import next_pause
from lotus_server.http.web.addresses import segment
from lotus_server.http.web.lists import all_rows, asked_of, ways_of
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import PAGE_ROWS, Visit
from lotus_server.kernel.errors import Invalid, LotusError
from lotus_server.kernel.instants import to_text
from lotus_server.ports.listing import Part, Slice
from lotus_server.usecases.addons import list_addons
from lotus_server.usecases.attachments import attach_addon, cancel_addon
from lotus_server.usecases.billing_on_request import retry_billing
from lotus_server.usecases.customer_lists import list_plan_names
from lotus_server.usecases.discounts import list_coupons
from lotus_server.usecases.drafts import draft_invoices
from lotus_server.usecases.pauses import pause_subscription, resume_subscription
from lotus_server.usecases.plan_switch import switch_plan
from lotus_server.usecases.plans import PlanView, list_plans
from lotus_server.usecases.quantities import set_quantity
from lotus_server.usecases.rehearsal import Effect, effect_of, next_invoice
from lotus_server.usecases.services import Services
from lotus_server.usecases.subscription_lists import SubscriptionSummary, read_subscriptions, view_subscriptions
from lotus_server.usecases.subscription_overview import SubscriptionOverview, view_subscription
from lotus_server.usecases.subscription_views import SubscriptionView
from lotus_server.usecases.subscriptions import (
    cancel_subscription,
    change_subscription,
    create_billed,
    create_subscription,
    get_subscription,
)
from lotus_server.wire.attachments import attachment
from lotus_server.wire.lists import Query, slice_asked, subscription_order, subscription_question
from lotus_server.wire.pauses import pause_order, resume_order
from lotus_server.wire.plan_switch import plan_switch
from lotus_server.wire.quantities import prepaid_rows, quantity_order, quantity_rows, units_order
from lotus_server.wire.subscriptions import later_cancellation, subscription_change, subscription_draft

pages = Pages()
SEEN: Final = "seen"
_FILTERS: Final = ("customer_id", "status", "plan_id", "auto_renew", "ending_within_days")
_DEFAULT_SORT: Final = "-start"
_encode: Final = msgspec.json.Encoder(decimal_format="number", order="deterministic").encode
Order = TypeVar("Order")
Changing = Callable[[Services, Organization, str], object]


class _Asked(msgspec.Struct, frozen=True):
    """A form that asks for a change: its template and what it shows, and what is told when it was done."""

    template: str
    done: str
    around: dict[str, Any] = {}


@pages.get("/subscriptions/")
def list_page(visit: Visit) -> Response:
    """List the subscriptions that are asked for."""
    asked = asked_of(visit)
    plans = [] if visit.wants_fragment else [(plan.plan_id, plan.plan_name) for plan in visit.do(list_plan_names)]
    try:
        question, order = subscription_question(asked, _statuses(asked)), subscription_order(asked, _DEFAULT_SORT)
        found = visit.do(view_subscriptions, question, order, slice_asked(asked, PAGE_ROWS))
    except Invalid as error:
        return visit.again(error, "subscriptions/list.html", fragment="rows", found=None, plans=plans)
    return visit.page(
        "subscriptions/list.html",
        fragment="rows",
        found=found,
        order=order,
        ways=ways_of(visit, found.part),
        is_narrowed=any(asked.get(name) for name in _FILTERS),
        plans=plans,
    )


@pages.get("/subscriptions/export.csv")
def export(visit: Visit) -> Response:
    """Return the subscriptions that are asked for, as a table for spreadsheets."""
    asked = asked_of(visit)
    question, order = subscription_question(asked, _statuses(asked)), subscription_order(asked, _DEFAULT_SORT)

    def read(wanted: Slice) -> Part[SubscriptionSummary]:
        return visit.do(read_subscriptions, question, order, wanted)

    header = (
        "subscription_id",
        "customer_id",
        "customer_name",
        "plan_id",
        "version",
        "status",
        "started",
        "ends",
        "next",
        "next_at",
    )
    return visit.csv("subscriptions.csv", header, map(_csv_row, all_rows(read)))


def _statuses(asked: Query) -> list[str]:
    status = asked.get("status")
    return [status] if status else []


def _csv_row(row: SubscriptionSummary) -> tuple[object, ...]:
    subscription, turn = row.subscription, row.next_turn
    return (
        subscription.subscription_id,
        row.customer.customer_id,
        row.customer.customer_name,
        row.sold_as.plan_id,
        row.sold_as.version,
        row.status.value,
        to_text(subscription.starts_at),
        None if subscription.ends_at is None else to_text(subscription.ends_at),
        *((turn.kind.value, to_text(turn.at)) if turn is not None else (None, None)),
    )


@pages.get("/subscriptions/new")
def new_page(visit: Visit) -> Response:
    """Show the form for a subscription; the customer and the plan may stand in the address."""
    visit.require(create_subscription)
    return _new(visit)


@pages.post("/subscriptions/new")
def create(visit: Visit) -> Response:
    """Show what a subscription would come to, and make it when that was seen."""
    try:
        payload = visit.form.payload()
        draft, _ = subscription_draft(payload)
        if not _was_seen(visit, payload):
            organization = visit.organization
            effect = visit.do(
                effect_of, draft.customer_id, lambda services: create_billed(services, organization, draft)
            )
            return _new(visit, effect=effect, seen=_digest(payload))
        view = visit.do(create_subscription, draft)
    except LotusError as error:
        visit.require(create_subscription)
        return visit.again(error, "subscriptions/new.html", **_new_choices(visit), effect=None, seen="")
    told = f"{view.customer.customer_name or view.customer.customer_id} is subscribed to {view.plan.plan_name}."
    return visit.redirect(_url(visit, view.subscription.subscription_id), told)


@pages.get("/subscriptions/{subscription_id}/")
def one_page(visit: Visit) -> Response:
    """Show one subscription."""
    subscription_id = visit.part("subscription_id")
    found = visit.do(view_subscription, subscription_id)
    _, drafts = visit.do(draft_invoices, found.view.customer.customer_id)
    own = [draft for draft in drafts if draft.terms.subscription.subscription_id == subscription_id]
    following = visit.do(next_invoice, subscription_id)
    return visit.page(
        "subscriptions/one.html",
        found=found,
        view=found.view,
        subscription=found.view.subscription,
        drafts=own,
        following=following[0] if following else None,
        pause=_pause_of(found.view),
        timeline=_timeline(found),
        quantities={each["charge_id"]: each["quantity"] for each in quantity_rows(found.view)},
        units={each["metric_id"]: each["units"] for each in prepaid_rows(found.view)},
    )


@pages.post("/subscriptions/{subscription_id}/retry")
def retry(visit: Visit) -> Response:
    """Try again to bill a subscription that could not be billed."""
    view = visit.do(retry_billing, visit.part("subscription_id"))
    told = "It still cannot be billed." if view.subscription.parked_cause else "It is billed."
    return visit.redirect(_url(visit, view.subscription.subscription_id), told)


@pages.get("/subscriptions/{subscription_id}/cancel")
def cancel_page(visit: Visit) -> Response:
    """Ask how to cancel."""
    return _ask(visit, _CANCEL)


@pages.post("/subscriptions/{subscription_id}/cancel")
def cancel(visit: Visit) -> Response:
    """Show what cancelling comes to, then cancel."""
    return _change(visit, _CANCEL, later_cancellation, cancel_subscription)


@pages.get("/subscriptions/{subscription_id}/renewal")
def renewal_page(visit: Visit) -> Response:
    """Ask whether the subscription is to renew."""
    return _ask(visit, _RENEWAL)


@pages.post("/subscriptions/{subscription_id}/renewal")
def renewal(visit: Visit) -> Response:
    """Show what comes next when it renews, or does not, then do it."""
    return _change(visit, _RENEWAL, subscription_change, change_subscription)


@pages.get("/subscriptions/{subscription_id}/end")
def end_page(visit: Visit) -> Response:
    """Ask when the subscription is to end."""
    return _ask(visit, _END)


@pages.post("/subscriptions/{subscription_id}/end")
def end(visit: Visit) -> Response:
    """Show what another end comes to, then set it."""
    return _change(visit, _END, subscription_change, change_subscription)


@pages.get("/subscriptions/{subscription_id}/pause")
def pause_page(visit: Visit) -> Response:
    """Ask when to pause."""
    return _ask(visit, _PAUSE)


@pages.post("/subscriptions/{subscription_id}/pause")
def pause(visit: Visit) -> Response:
    """Show what pausing comes to, then pause."""
    return _change(visit, _PAUSE, pause_order, pause_subscription)


@pages.get("/subscriptions/{subscription_id}/resume")
def resume_page(visit: Visit) -> Response:
    """Ask when to go on."""
    return _ask(visit, _RESUME)


@pages.post("/subscriptions/{subscription_id}/resume")
def resume(visit: Visit) -> Response:
    """Show what resuming comes to, then resume."""
    return _change(visit, _RESUME, resume_order, resume_subscription)


@pages.get("/subscriptions/{subscription_id}/switch")
def switch_page(visit: Visit) -> Response:
    """Ask to which plan to switch."""
    return _ask(visit, _switching(visit))


@pages.post("/subscriptions/{subscription_id}/switch")
def switch(visit: Visit) -> Response:
    """Show what switching comes to, then switch; the new subscription is shown."""
    return _change(visit, _switching(visit), plan_switch, switch_plan)


@pages.get("/subscriptions/{subscription_id}/quantity")
def quantity_page(visit: Visit) -> Response:
    """Ask how many of a charge there are to be."""
    return _ask(visit, _QUANTITY)


@pages.post("/subscriptions/{subscription_id}/quantity")
def quantity(visit: Visit) -> Response:
    """Show what another quantity comes to, then change it."""
    return _change(visit, _QUANTITY, quantity_order, set_quantity)


@pages.get("/subscriptions/{subscription_id}/units/{metric_id}")
def units_page(visit: Visit) -> Response:
    """Ask how many units of a metric are to be prepaid."""
    return _ask(visit, _units(visit))


@pages.post("/subscriptions/{subscription_id}/units/{metric_id}")
def units(visit: Visit) -> Response:
    """Show what other prepaid units come to, then change them."""
    metric_id = visit.part("metric_id")
    return _change(visit, _units(visit), lambda payload: units_order(metric_id, payload), set_quantity)


@pages.get("/subscriptions/{subscription_id}/add-ons/attach")
def attach_page(visit: Visit) -> Response:
    """Ask which add-on to attach."""
    return _ask(visit, _attaching(visit))


@pages.post("/subscriptions/{subscription_id}/add-ons/attach")
def attach(visit: Visit) -> Response:
    """Show what an add-on comes to, then attach it."""
    return _change(visit, _attaching(visit), attachment, attach_addon)


@pages.get("/subscriptions/{subscription_id}/add-ons/{addon_id}/cancel")
def detach_page(visit: Visit) -> Response:
    """Ask how to end an add-on."""
    return _ask(visit, _detaching(visit))


@pages.post("/subscriptions/{subscription_id}/add-ons/{addon_id}/cancel")
def detach(visit: Visit) -> Response:
    """Show what ending an add-on comes to, then end it."""
    addon_id = visit.part("addon_id")

    return _change(
        visit,
        _detaching(visit),
        later_cancellation,
        lambda services, organization, subscription_id, how: cancel_addon(
            services, organization, subscription_id, addon_id, how
        ),
        do=lambda subscription_id, how: visit.do(cancel_addon, subscription_id, addon_id, how),
    )


_CANCEL: Final = _Asked("subscriptions/cancel.html", "The subscription has ended.")
_RENEWAL: Final = _Asked("subscriptions/renewal.html", "The renewal is changed.")
_END: Final = _Asked("subscriptions/end.html", "The end is changed.")
_PAUSE: Final = _Asked("subscriptions/pause.html", "The pause is noted.")
_RESUME: Final = _Asked("subscriptions/resume.html", "The end of the pause is noted.")
_QUANTITY: Final = _Asked("subscriptions/quantity.html", "The quantity is changed.")


def _switching(visit: Visit) -> _Asked:
    sold = _sold(visit.do(list_plans), visit)
    return _Asked("subscriptions/switch.html", "The plan is switched.", {"plans": sold})


def _units(visit: Visit) -> _Asked:
    return _Asked("subscriptions/units.html", "The prepaid units are changed.", {"metric_id": visit.part("metric_id")})


def _attaching(visit: Visit) -> _Asked:
    return _Asked(
        "subscriptions/attach.html", "The add-on is attached.", {"addons": _sold(visit.do(list_addons), visit)}
    )


def _detaching(visit: Visit) -> _Asked:
    return _Asked("subscriptions/detach.html", "The add-on has ended.", {"addon_id": visit.part("addon_id")})


def _sold(views: list[PlanView], visit: Visit) -> list[tuple[str, str]]:
    """Return the ids and names of what can be bought now."""
    now = visit.now
    return [
        (view.plan.plan_id, view.plan.plan_name)
        for view in views
        if any(each.status_at(now) is VersionStatus.ACTIVE for each in view.versions)
    ]


def _ask(visit: Visit, asked: _Asked) -> Response:
    """Show the form of a change."""
    visit.require(change_subscription)
    view = visit.do(get_subscription, visit.part("subscription_id"))
    return _form(visit, asked, view)


def _form(
    visit: Visit, asked: _Asked, view: SubscriptionView, effect: Effect | None = None, seen: str = ""
) -> Response:
    return visit.page(asked.template, fragment="dialog", **_shown(view), **asked.around, effect=effect, seen=seen)


def _shown(view: SubscriptionView) -> dict[str, Any]:
    return {"view": view, "subscription": view.subscription, "pause": _pause_of(view)}


class _Bar(msgspec.Struct, frozen=True):
    """A part of the timeline: where it begins and how long it is, in per mille, and what it is."""

    x: int
    width: int
    kind: str


def _timeline(found: SubscriptionOverview) -> list[_Bar]:
    """Return the periods that are shown as parts of one line, then the pauses within them and the present."""
    if not found.stretches:
        return []
    start, end = found.stretches[0].period.start, found.stretches[-1].period.end

    def bar(since: datetime, until: datetime, kind: str, *, least: int = 0) -> _Bar:
        x, right = (int((min(max(each, start), end) - start) / (end - start) * 1000) for each in (since, until))
        return _Bar(x, max(right - x, least), kind)

    periods = [
        bar(each.period.start, each.period.end, "trial" if each.is_trial else each.stage.value)
        for each in found.stretches
    ]
    pauses = [
        bar(each.starts_at, each.ends_at or end, "paused")
        for each in found.view.subscription.pauses
        if each.starts_at < end and (each.ends_at is None or each.ends_at > start)
    ]
    now = found.view.now
    return [*periods, *pauses, *([bar(now, now, "now", least=3)] if start <= now < end else [])]


def _pause_of(view: SubscriptionView) -> object:
    """Return the pause that a subscription is in, or the next one; null when there is none."""
    place = next_pause(view.subscription, view.now)
    return None if place is None else view.subscription.pauses[place]


def _change(
    visit: Visit,
    asked: _Asked,
    order_of: Callable[[object], Order],
    change: Callable[[Services, Organization, str, Order], object],
    *,
    do: Callable[[str, Order], object] | None = None,
) -> Response:
    """Show what a change comes to; when just that was seen, do it.

    `do` makes it as the visitor (null: `change` is the use case that does).
    """
    view = visit.do(get_subscription, visit.part("subscription_id"))
    subscription_id, organization = view.subscription.subscription_id, visit.organization
    try:
        payload = visit.form.payload()
        order = order_of(payload)
        if not _was_seen(visit, payload):
            effect = visit.do(
                effect_of,
                view.customer.customer_id,
                lambda services: change(services, organization, subscription_id, order),
            )
            return _form(visit, asked, view, effect, _digest(payload))
        changed = visit.do(change, subscription_id, order) if do is None else do(subscription_id, order)
    except LotusError as error:
        visit.require(change_subscription)
        return visit.again(
            error, asked.template, fragment="dialog", **_shown(view), **asked.around, effect=None, seen=""
        )
    shown = changed.subscription.subscription_id if isinstance(changed, SubscriptionView) else subscription_id
    return visit.redirect(_url(visit, shown), asked.done)


def _was_seen(visit: Visit, payload: object) -> bool:
    """Tell whether the effect of exactly this was shown."""
    return visit.form.text(SEEN) == _digest(payload)


def _digest(payload: object) -> str:
    return hashlib.blake2b(_encode(payload), digest_size=12).hexdigest()


def _url(visit: Visit, subscription_id: str) -> str:
    return visit.url(f"subscriptions/{segment(subscription_id)}/")


def _new(visit: Visit, effect: Effect | None = None, seen: str = "") -> Response:
    return visit.page("subscriptions/new.html", **_new_choices(visit), effect=effect, seen=seen)


def _new_choices(visit: Visit) -> dict[str, Any]:
    return {
        "plans": _sold(visit.do(list_plans), visit),
        "coupons": [(each.coupon_id, each.terms.name) for each in visit.do(list_coupons) if not each.archived],
        "today": f"{visit.now:%Y-%m-%d}",
    }
