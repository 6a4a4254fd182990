"""Pricing units: listed, made."""

from starlette.responses import Response

from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import Visit
from lotus_server.kernel.errors import LotusError, Problems
from lotus_server.usecases.pricing_units import create_pricing_unit, list_pricing_units
from lotus_server.wire.forms import read
from lotus_server.wire.pricing_units import PricingUnitForm

pages = Pages()


@pages.get("/pricing-units/")
def list_page(visit: Visit) -> Response:
    """List the units of the organization's own."""
    return visit.page("pricing_units/list.html", units=visit.do(list_pricing_units))


@pages.get("/pricing-units/new")
def new_page(visit: Visit) -> Response:
    """Show the empty form."""
    visit.require(create_pricing_unit)
    return visit.page("pricing_units/new.html", fragment="dialog")


@pages.post("/pricing-units/new")
def create(visit: Visit) -> Response:
    """Make a unit, or show what is wrong."""
    visit.require(create_pricing_unit)
    try:
        problems = Problems()
        draft = read(PricingUnitForm, visit.form.payload(), problems).to_draft(problems)
        unit = visit.do(create_pricing_unit, draft)
    except LotusError as error:
        return visit.again(error, "pricing_units/new.html", fragment="dialog")
    return visit.redirect(visit.url("pricing-units/"), f"Prices can be in {unit.name} now.")
