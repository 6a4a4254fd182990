"""Coupons, and the discounts that customers have: made, given, ended."""

from collections.abc import Sequence

from starlette.responses import Response

from lotus_server.domain.invoicing import Coupon, Discount
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import PAGE_ROWS, Visit
from lotus_server.kernel.errors import LotusError, NotFound
from lotus_server.usecases.customers import get_customer
from lotus_server.usecases.discounts import (
    archive_coupon,
    create_coupon,
    end_discount,
    get_coupon,
    give_discount,
    list_discounts,
    view_coupons,
)
from lotus_server.wire.discounts import coupon_draft, discount_draft

pages = Pages()


@pages.get("/coupons/")
def list_page(visit: Visit) -> Response:
    """List coupons, newest first."""
    views = visit.do(view_coupons, visit.page_asked())
    after = views[-1].coupon.coupon_id if len(views) == PAGE_ROWS else None
    return visit.page("coupons/list.html", views=views, next_cursor=after)


@pages.get("/coupons/new")
def new_page(visit: Visit) -> Response:
    """Show the empty form."""
    visit.require(create_coupon)
    return visit.page("coupons/new.html", fragment="dialog")


@pages.post("/coupons/new")
def create(visit: Visit) -> Response:
    """Make a coupon, or show what is wrong."""
    try:
        coupon: Coupon = visit.do(create_coupon, coupon_draft(visit.form.payload()))
    except LotusError as error:
        return visit.again(error, "coupons/new.html", fragment="dialog")
    return visit.redirect(visit.url("coupons/"), f"Customers can be given the coupon {coupon.coupon_id} now.")


@pages.get("/coupons/{coupon_id}/archive")
def archive_page(visit: Visit) -> Response:
    """Ask before a coupon is archived."""
    visit.require(archive_coupon)
    view = visit.do(get_coupon, visit.part("coupon_id"))
    return visit.page("coupons/archive.html", fragment="dialog", view=view)


@pages.post("/coupons/{coupon_id}/archive")
def archive(visit: Visit) -> Response:
    """Nobody can redeem it any more."""
    coupon = visit.do(archive_coupon, visit.part("coupon_id"))
    return visit.redirect(visit.url("coupons/"), f"The coupon {coupon.coupon_id} is archived.")


@pages.get("/coupons/{coupon_id}/give")
def give_page(visit: Visit) -> Response:
    """Ask whom to give a coupon."""
    visit.require(give_discount)
    view = visit.do(get_coupon, visit.part("coupon_id"))
    return visit.page("coupons/give.html", fragment="dialog", view=view)


@pages.post("/coupons/{coupon_id}/give")
def give(visit: Visit) -> Response:
    """Give a customer the discount of a coupon, or say why not."""
    visit.require(give_discount)
    view = visit.do(get_coupon, visit.part("coupon_id"))
    customer_id = visit.form.text("customer_id").strip()
    body = {**visit.form.payload(), "coupon_id": view.coupon.coupon_id}
    try:
        visit.do(give_discount, customer_id, discount_draft(body))
    except LotusError as error:
        return visit.again(error, "coupons/give.html", fragment="dialog", view=view)
    words = f"{customer_id} has the discount of {view.coupon.coupon_id}."
    return visit.redirect(visit.url("discounts/", customer_id=customer_id), words)


@pages.get("/discounts/")
def discounts_page(visit: Visit) -> Response:
    """List the discounts of one customer, also those that are over."""
    customer_id = visit.query.get("customer_id", "").strip()
    found: Sequence[Discount] = ()
    view = None
    if customer_id:
        try:
            view = visit.do(get_customer, customer_id)
            found = visit.do(list_discounts, customer_id)
        except NotFound as error:
            visit.form.with_error(error)
    return visit.page(
        "coupons/discounts.html",
        view=view,
        discounts=found,
        customer_id=customer_id,
        now=visit.now,
    )


@pages.get("/discounts/new")
def new_discount_page(visit: Visit) -> Response:
    """Show the empty form of a discount with terms of its own."""
    visit.require(give_discount)
    return visit.page("coupons/discount_new.html", fragment="dialog")


@pages.post("/discounts/new")
def new_discount(visit: Visit) -> Response:
    """Give a customer a discount with terms of its own, or show what is wrong."""
    visit.require(give_discount)
    customer_id = visit.form.text("customer_id").strip()
    try:
        discount = visit.do(give_discount, customer_id, discount_draft(visit.form.payload()))
    except LotusError as error:
        return visit.again(error, "coupons/discount_new.html", fragment="dialog")
    words = f"{customer_id} has the discount {discount.terms.name}."
    return visit.redirect(visit.url("discounts/", customer_id=customer_id), words)


@pages.get("/discounts/{customer_id}/{discount_id}/end")
def end_page(visit: Visit) -> Response:
    """Ask before a discount is ended."""
    visit.require(end_discount)
    customer_id, discount_id = visit.part("customer_id"), visit.part("discount_id")
    held = visit.do(list_discounts, customer_id)
    discount = next((each for each in held if each.discount_id == discount_id), None)
    if discount is None:
        raise NotFound(f"The customer has no discount {discount_id!r}.", code="discount_not_found")
    return visit.page("coupons/discount_end.html", fragment="dialog", discount=discount)


@pages.post("/discounts/{customer_id}/{discount_id}/end")
def end(visit: Visit) -> Response:
    """The discount applies to no invoice from now on."""
    customer_id = visit.part("customer_id")
    discount = visit.do(end_discount, customer_id, visit.part("discount_id"))
    words = f"The discount {discount.terms.name} is on no further invoice."
    return visit.redirect(visit.url("discounts/", customer_id=customer_id), words)
