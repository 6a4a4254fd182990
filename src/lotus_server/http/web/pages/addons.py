"""Add-ons: listed, built, shown with who has them, archived."""

from typing import Any

from starlette.responses import Response

from lotus_server.http.web.addresses import segment
from lotus_server.http.web.forms import Form
from lotus_server.http.web.pages.plan import CURVES_MAX, preview_component
from lotus_server.http.web.pages.plan_builder import OPEN, choices, open_row
from lotus_server.http.web.price_preview import Previewed, groups_of
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.version_form import blank_version
from lotus_server.http.web.version_words import STATUSES, VersionWords
from lotus_server.http.web.visit import PAGE_ROWS, Visit
from lotus_server.kernel.errors import LotusError, NotFound, Problems
from lotus_server.ports.listing import Place, Slice, SubscriptionOrder, SubscriptionQuestion
from lotus_server.usecases.addons import archive_addon, create_addon, get_addon
from lotus_server.usecases.catalog_lists import PlanQuestion, view_addons
from lotus_server.usecases.plans import PlanView
from lotus_server.usecases.subscription_lists import view_subscriptions
from lotus_server.wire.addons import AddOnForm
from lotus_server.wire.forms import read
from lotus_server.wire.plan_lists import plan_question

pages = Pages()


@pages.get("/add-ons/")
def list_page(visit: Visit) -> Response:
    """List the add-ons."""
    page = visit.page_asked()
    try:
        found = visit.do(view_addons, plan_question(visit.query), page)
    except LotusError as error:
        visit.form.with_error(error)
        found = visit.do(view_addons, PlanQuestion(), page)
    words = {view.plan.plan_id: VersionWords(view, view.current_version, visit.formats) for view in found.views}
    return visit.page("addons/list.html", fragment="rows", found=found, words=words)


@pages.get("/add-ons/new")
def new_page(visit: Visit) -> Response:
    """Show the empty builder."""
    visit.require(create_addon)
    visit.form = Form.of(blank_version(visit.organization.default_currency))
    return visit.page("addons/new.html", **choices(visit))


@pages.post("/add-ons/new")
def create(visit: Visit) -> Response:
    """Make an add-on, or show everything that is wrong beside its field."""
    visit.require(create_addon)
    if visit.form.has(OPEN):
        return open_row(visit, "addons/new.html", has_intervals=False, **choices(visit))
    try:
        problems = Problems()
        form = read(AddOnForm, visit.form.payload(keeps_rows=True), problems)
        view = visit.do(create_addon, form.to_draft(problems))
    except LotusError as error:
        return visit.again(error, "addons/new.html", **choices(visit))
    return visit.redirect(
        _url(visit, view.plan.plan_id), f"{view.plan.plan_name} can be attached to subscriptions now."
    )


@pages.get("/add-ons/{addon_id}/")
def one_page(visit: Visit) -> Response:
    """Show an add-on's terms, and which subscriptions have it."""
    view = visit.do(get_addon, visit.part("addon_id"))
    version = view.current_version
    previews: dict[str, Previewed | None] = {}
    for number, component in enumerate(version.components):
        is_drawn = number < CURVES_MAX
        previews[component.component_id] = preview_component(visit, view, version, component) if is_drawn else None
    cursor = visit.page_asked().after
    question = SubscriptionQuestion(plan_id=view.plan.plan_id, are_addons=True)
    wanted = Slice(PAGE_ROWS, None if cursor is None else Place(None, cursor))
    found = visit.do(view_subscriptions, question, SubscriptionOrder(), wanted)
    after = found.part.after.key if found.part.after is not None else None
    data = _shown(visit, view)
    return visit.page("addons/one.html", previews=previews, found=found, next_cursor=after, **data)


@pages.get("/add-ons/{addon_id}/price")
def price_page(visit: Visit) -> Response:
    """Show what a quantity of one component costs."""
    view = visit.do(get_addon, visit.part("addon_id"))
    version = view.current_version
    asked = visit.query.get("component", "")
    component = next((each for each in version.components if each.component_id == asked), None)
    if component is None:
        raise NotFound("The add-on has no such component.")
    try:
        preview = preview_component(visit, view, version, component)
    except LotusError as error:
        visit.form.with_error(error)
        preview = None
    data = _shown(visit, view)
    return visit.page("addons/price.html", fragment="answer", component=component, preview=preview, **data)


@pages.get("/add-ons/{addon_id}/archive")
def archive_page(visit: Visit) -> Response:
    """Ask before an add-on is taken out of sale."""
    visit.require(archive_addon)
    view = visit.do(get_addon, visit.part("addon_id"))
    return visit.page("addons/archive.html", fragment="dialog", **_shown(visit, view))


@pages.post("/add-ons/{addon_id}/archive")
def archive(visit: Visit) -> Response:
    """Take an add-on out of sale."""
    view = visit.do(archive_addon, visit.part("addon_id"))
    return visit.redirect(_url(visit, view.plan.plan_id), f"{view.plan.plan_name} is archived.")


def _url(visit: Visit, addon_id: str) -> str:
    return visit.url(f"add-ons/{segment(addon_id)}/")


def _shown(visit: Visit, view: PlanView) -> dict[str, Any]:
    version = view.current_version
    return {
        "view": view,
        "chosen": version,
        "words": VersionWords(view, version, visit.formats),
        "statuses": STATUSES,
        "groups_of": groups_of,
        "here": _url(visit, view.plan.plan_id),
    }
