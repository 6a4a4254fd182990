"""One customer's credit: what there is and where it went, schedules by which it is given, and the wallet."""

from typing import Any

from starlette.responses import Response

from lotus_server.domain.accounts import Customer
from lotus_server.domain.credits import CreditStatus
from lotus_server.http.web.addresses import segment
from lotus_server.http.web.forms import Form
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import Visit
from lotus_server.kernel.currencies import CURRENCIES
from lotus_server.kernel.errors import Conflict, LotusError, NotFound
from lotus_server.kernel.period import Duration
from lotus_server.ports.credit_records import CreditQuestion
from lotus_server.ports.paging import Page
from lotus_server.usecases.credit_schedules import (
    CreditScheduleView,
    cancel_credit_schedule,
    create_credit_schedule,
    list_credit_schedules,
)
from lotus_server.usecases.credits import (
    CreditView,
    create_credit,
    get_credit,
    list_credits,
    update_credit,
    void_credit,
)
from lotus_server.usecases.customers import get_customer
from lotus_server.usecases.wallets import (
    cancel_top_up,
    get_wallet,
    list_top_ups,
    remove_wallet,
    set_wallet,
    settle_top_up,
)
from lotus_server.wire.credit_schedules import credit_schedule_draft
from lotus_server.wire.credits import credit_change, credit_draft
from lotus_server.wire.wallets import wallet_draft

pages = Pages()
_ROWS = 100
_BELOW = "/customers/{customer_id}/credits"


@pages.get(f"{_BELOW}/")
def credits_page(visit: Visit) -> Response:
    """Show a customer's credit with its ledger."""
    customer = _customer(visit)
    asked = visit.page_asked(_ROWS)
    question = CreditQuestion(customer_id=customer.customer_id)
    views, keys = visit.do(list_credits, asked, question, frozenset[CreditStatus]())
    schedules = visit.do(list_credit_schedules, Page(_ROWS), customer_id=customer.customer_id)
    return visit.page(
        "customers/credits.html",
        customer=customer,
        credits=views,
        next_cursor=keys[-1] if len(keys) == _ROWS else None,
        schedules=[view.schedule for view in schedules],
        wallet=visit.do(get_wallet, customer.customer_id),
        top_ups=visit.do(list_top_ups, customer.customer_id),
    )


@pages.get(f"{_BELOW}/new")
def new_page(visit: Visit) -> Response:
    """Show the empty form of a grant."""
    visit.require(create_credit)
    return visit.page("customers/credit_new.html", fragment="dialog", **_form(_customer(visit)))


@pages.post(f"{_BELOW}/new")
def create(visit: Visit) -> Response:
    """Give credit, or show what is wrong."""
    payload = {"customer_id": visit.part("customer_id")}
    try:
        visit.do(create_credit, credit_draft({**visit.form.payload(), **payload}))
    except LotusError as error:
        return visit.again(error, "customers/credit_new.html", fragment="dialog", **_form(_customer(visit)))
    return _back(visit, "The credit is given.")


@pages.get(f"{_BELOW}/{{credit_id}}/change")
def change_page(visit: Visit) -> Response:
    """Show what of a grant can be changed."""
    visit.require(update_credit)
    view = _credit(visit)
    grant = view.grant
    visit.form = Form.of({"description": grant.description, "expires_at": _day(grant.expires_at)})
    return visit.page("customers/credit_change.html", fragment="dialog", customer=view.customer, view=view)


@pages.post(f"{_BELOW}/{{credit_id}}/change")
def change(visit: Visit) -> Response:
    """Change what a grant is called and when it expires."""
    visit.require(update_credit)
    view = _credit(visit)
    try:
        sent = visit.form.payload(keeps_blank=True)
        payload = {**sent, "description": sent.get("description") or ""}
        if payload.get("expires_at") == _day(view.grant.expires_at):
            del payload["expires_at"]  # the day alone is shown; the time of that day stays as it is
        visit.do(update_credit, view.grant.credit_id, credit_change(payload))
    except LotusError as error:
        return visit.again(error, "customers/credit_change.html", fragment="dialog", customer=view.customer, view=view)
    return _back(visit, "Kept.")


@pages.get(f"{_BELOW}/{{credit_id}}/void")
def void_page(visit: Visit) -> Response:
    """Ask before what is left of a grant is taken back."""
    visit.require(void_credit)
    view = _credit(visit)
    return visit.page("customers/credit_void.html", fragment="dialog", customer=view.customer, view=view)


@pages.post(f"{_BELOW}/{{credit_id}}/void")
def void(visit: Visit) -> Response:
    """Take back what a grant has left."""
    visit.require(void_credit)
    visit.do(void_credit, _credit(visit).grant.credit_id)
    return _back(visit, "What was left of the credit is taken back.")


@pages.get(f"{_BELOW}/schedules/new")
def new_schedule_page(visit: Visit) -> Response:
    """Show the empty form of a schedule."""
    visit.require(create_credit_schedule)
    return visit.page("customers/credit_schedule_new.html", fragment="dialog", **_form(_customer(visit)))


@pages.post(f"{_BELOW}/schedules/new")
def create_schedule(visit: Visit) -> Response:
    """Give credit again and again, or show what is wrong."""
    payload = {"customer_id": visit.part("customer_id")}
    try:
        visit.do(create_credit_schedule, credit_schedule_draft({**visit.form.payload(), **payload}))
    except LotusError as error:
        around = _form(_customer(visit))
        return visit.again(error, "customers/credit_schedule_new.html", fragment="dialog", **around)
    return _back(visit, "The credit is given again and again from now on.")


@pages.get(f"{_BELOW}/schedules/{{schedule_id}}/cancel")
def cancel_schedule_page(visit: Visit) -> Response:
    """Ask before a schedule ends."""
    visit.require(cancel_credit_schedule)
    view = _schedule(visit)
    return visit.page(
        "customers/credit_schedule_cancel.html", fragment="dialog", customer=view.customer, schedule=view.schedule
    )


@pages.post(f"{_BELOW}/schedules/{{schedule_id}}/cancel")
def cancel_schedule(visit: Visit) -> Response:
    """End a schedule."""
    visit.require(cancel_credit_schedule)
    visit.do(cancel_credit_schedule, _schedule(visit).schedule.schedule_id)
    return _back(visit, "No further credit is given by this schedule.")


@pages.get(f"{_BELOW}/wallet")
def wallet_page(visit: Visit) -> Response:
    """Show when a wallet wants to be topped up."""
    visit.require(set_wallet)
    customer = _customer(visit)
    settings = visit.do(get_wallet, customer.customer_id).settings
    if settings is not None:
        names = ("threshold", "top_up_amount", "max_per_month")
        visit.form = Form.of({name: getattr(settings, name) for name in names})
    return visit.page("customers/wallet.html", fragment="dialog", customer=customer, settings=settings)


@pages.post(f"{_BELOW}/wallet")
def change_wallet(visit: Visit) -> Response:
    """Set when a wallet wants to be topped up."""
    customer = _customer(visit)
    try:
        visit.do(set_wallet, customer.customer_id, wallet_draft(visit.form.payload(), keeps=False))
    except LotusError as error:
        return visit.again(error, "customers/wallet.html", fragment="dialog", customer=customer, settings=None)
    return _back(visit, "Kept.")


@pages.post(f"{_BELOW}/wallet/remove")
def forget_wallet(visit: Visit) -> Response:
    """Let a wallet want nothing any more."""
    visit.do(remove_wallet, visit.part("customer_id"))
    return _back(visit, "The wallet wants no top-ups any more.")


@pages.get(f"{_BELOW}/top-ups/{{top_up_id}}/settle")
def settle_page(visit: Visit) -> Response:
    """Ask whether the money of a top-up has come, and say how much that is."""
    visit.require(settle_top_up)
    return visit.page("customers/top_up_settle.html", fragment="dialog", **_top_up(visit))


@pages.post(f"{_BELOW}/top-ups/{{top_up_id}}/settle")
def settle(visit: Visit) -> Response:
    """A top-up was paid: it becomes credit."""
    visit.require(settle_top_up)
    try:
        settled = visit.do(settle_top_up, visit.part("customer_id"), visit.part("top_up_id"))
    except Conflict as error:
        return visit.again(error, "customers/top_up_settle.html", fragment="dialog", **_top_up(visit))
    return _back(visit, f"{visit.formats.money(settled.amount, settled.currency)} is credit now.")


@pages.post(f"{_BELOW}/top-ups/{{top_up_id}}/cancel")
def cancel(visit: Visit) -> Response:
    """A top-up is not wanted any more."""
    visit.do(cancel_top_up, visit.part("customer_id"), visit.part("top_up_id"))
    return _back(visit, "The top-up is cancelled.")


def _customer(visit: Visit) -> Customer:
    return visit.do(get_customer, visit.part("customer_id")).customer


def _credit(visit: Visit) -> CreditView:
    """Return the credit of the address. Raises NotFound for that of another customer."""
    credit_id = visit.part("credit_id")
    view = visit.do(get_credit, credit_id)
    if view.customer.customer_id != visit.part("customer_id"):
        raise NotFound(f"There is no credit {credit_id!r}.", code="credit_not_found")
    return view


def _top_up(visit: Visit) -> dict[str, Any]:
    """Return the top-up of the address with its customer. Raises NotFound for that of another customer."""
    customer, top_up_id = _customer(visit), visit.part("top_up_id")
    found = [each for each in visit.do(list_top_ups, customer.customer_id) if each.top_up_id == top_up_id]
    if not found:
        raise NotFound(f"There is no top-up {top_up_id!r}.", code="top_up_not_found")
    return {"customer": customer, "top_up": found[0]}


def _schedule(visit: Visit) -> CreditScheduleView:
    """Return the schedule of the address. Raises NotFound for that of another customer."""
    schedule_id = visit.part("schedule_id")
    found = visit.do(list_credit_schedules, Page(), customer_id=visit.part("customer_id"))
    view = next((each for each in found if each.schedule.schedule_id == schedule_id), None)
    if view is None:
        raise NotFound(f"There is no credit schedule {schedule_id!r}.", code="credit_schedule_not_found")
    return view


def _form(customer: Customer) -> dict[str, Any]:
    return {
        "customer": customer,
        "currencies": [(code, f"{code} · {each.name}") for code, each in sorted(CURRENCIES.items())],
        "durations": [each.value for each in Duration],
    }


def _day(instant: object) -> str:
    return "" if instant is None else f"{instant:%Y-%m-%d}"


def _back(visit: Visit, toast: str) -> Response:
    return visit.redirect(visit.url(f"customers/{segment(visit.part('customer_id'))}/credits/"), toast)
