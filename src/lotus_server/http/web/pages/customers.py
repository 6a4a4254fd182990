"""Customers: the list, and making one."""

from collections.abc import Iterator
from typing import Any

from starlette.responses import Response

from lotus_server.http.web.addresses import segment
from lotus_server.http.web.lists import all_rows, asked_of, ways_of
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import PAGE_ROWS, Visit
from lotus_server.kernel.errors import Invalid, LotusError
from lotus_server.kernel.instants import to_text
from lotus_server.kernel.quantity import ZERO
from lotus_server.ports.listing import Part, Slice
from lotus_server.usecases.customer_lists import CustomerSummary, list_plan_names, read_customers, view_customers
from lotus_server.usecases.customers import create_customer
from lotus_server.wire.customers import customer_draft
from lotus_server.wire.lists import customer_order, customer_question, slice_asked

pages = Pages()
_DEFAULT_SORT = "name"
_FILTERS = ("search", "subscribed", "plan_id", "outstanding", "created_since")


@pages.get("/customers/")
def list_page(visit: Visit) -> Response:
    """List the customers that are asked for."""
    asked = asked_of(visit)
    try:
        question, order = customer_question(asked), customer_order(asked, _DEFAULT_SORT)
        found = visit.do(view_customers, question, order, slice_asked(asked, PAGE_ROWS))
    except Invalid as error:
        return visit.again(error, "customers/list.html", fragment="rows", found=None, **_around(visit))
    return visit.page(
        "customers/list.html",
        fragment="rows",
        found=found,
        order=order,
        ways=ways_of(visit, found.part),
        is_narrowed=any(asked.get(name) for name in _FILTERS),
        **_around(visit),
    )


@pages.get("/customers/export.csv")
def export(visit: Visit) -> Response:
    """Return the customers that are asked for, as a table for spreadsheets."""
    asked = asked_of(visit)
    question, order = customer_question(asked), customer_order(asked, _DEFAULT_SORT)

    def read(wanted: Slice) -> Part[CustomerSummary]:
        return visit.do(read_customers, question, order, wanted)

    header = ("customer_id", "customer_name", "email", "created", "plans", "outstanding", "currency", "next", "next_at")
    return visit.csv("customers.csv", header, _csv_rows(all_rows(read)))


@pages.get("/customers/new")
def new_page(visit: Visit) -> Response:
    """Show the empty form."""
    visit.require(create_customer)
    return visit.page("customers/new.html", fragment="dialog")


@pages.post("/customers/new")
def create(visit: Visit) -> Response:
    """Make a customer, or show what is wrong."""
    try:
        view = visit.do(create_customer, customer_draft(visit.form.payload()))
    except LotusError as error:
        return visit.again(error, "customers/new.html", fragment="dialog")
    customer = view.customer
    return visit.redirect(
        visit.url(f"customers/{segment(customer.customer_id)}/"),
        f"{customer.customer_name or customer.customer_id} is a customer now.",
    )


def _around(visit: Visit) -> dict[str, Any]:
    """Return what stands around the rows; when a script asks for these alone, nothing of it is read."""
    if visit.wants_fragment:
        return {"plans": ()}
    return {"plans": [(plan.plan_id, plan.plan_name) for plan in visit.do(list_plan_names)]}


def _csv_rows(rows: Iterator[CustomerSummary]) -> Iterator[tuple[object, ...]]:
    """Return a row for each customer and currency in which it owes something; one that owes nothing has one, too."""
    for row in rows:
        customer, turn = row.customer, row.next_turn
        before = (customer.customer_id, customer.customer_name, customer.email, to_text(customer.created_at))
        plans = "; ".join(f"{plan.plan_name} (version {plan.version})" for plan in row.plans)
        after = (turn.kind.value, to_text(turn.at)) if turn is not None else (None, None)
        for currency, amount in sorted(row.outstanding.items()) or [(customer.currency, ZERO)]:
            yield (*before, plans, amount, currency, *after)
