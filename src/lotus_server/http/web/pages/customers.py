"""Customers: the list, and making one."""

from starlette.responses import Response

from lotus_server.http.web.routing import Pages
from lotus_server.http.web.addresses import segment
from lotus_server.http.web.visit import PAGE_ROWS, Visit
from lotus_server.kernel.errors import LotusError
from lotus_server.usecases.customers import create_customer, get_customer, list_customers
from lotus_server.wire.customers import customer_draft

pages = Pages()


@pages.get("/customers/")
def list_page(visit: Visit) -> Response:
    """List the customers, a page at a time."""
    views = visit.do(list_customers, visit.page_asked())
    after = views[-1].customer.customer_id if len(views) == PAGE_ROWS else None
    return visit.page("customers/list.html", fragment="rows", views=views, next_cursor=after)


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
        visit.url(f"customers/{segment(customer.customer_id)}/"), f"{customer.customer_name} is a customer now."
    )


@pages.get("/customers/{customer_id}/")
def one_page(visit: Visit) -> Response:
    """Show one customer."""
    view = visit.do(get_customer, visit.part("customer_id"))
    return visit.page("customers/one.html", view=view)
