"""One plan: its terms in words, what they come to, its versions and what differs between them, and who has it."""

from functools import partial
from itertools import groupby
from typing import Any

from starlette.responses import Response

from lotus_server.domain.catalog import Component, PlanVersion
from lotus_server.http.web.addresses import segment
from lotus_server.http.web.price_preview import Asked, Previewed, groups_of, preview_price
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.version_words import STATUSES, VersionWords, differences
from lotus_server.http.web.visit import PAGE_ROWS, Visit
from lotus_server.kernel.errors import LotusError, NotFound, Problems
from lotus_server.ports.listing import Place, Slice, SubscriptionOrder
from lotus_server.usecases.plan_transitions import view_turns
from lotus_server.usecases.plans import PlanView, archive_plan, change_plan, get_plan
from lotus_server.usecases.subscription_lists import view_subscriptions
from lotus_server.wire.components import component_row
from lotus_server.wire.forms import read
from lotus_server.wire.lists import subscription_question
from lotus_server.wire.plans import PlanChangeForm, plan_row

pages = Pages()
# Curves of more components are drawn when somebody asks for an amount, so that the page stays small.
CURVES_MAX = 6


@pages.get("/plans/{plan_id}/")
def one_page(visit: Visit) -> Response:
    """Show the terms of a version, the current one unless the address names another."""
    view, version = shown_version(visit)
    previews: dict[str, Previewed | None] = {}
    for number, component in enumerate(version.components):
        is_drawn = number < CURVES_MAX
        previews[component.component_id] = preview_component(visit, view, version, component) if is_drawn else None
    turns = visit.do(view_turns, view.plan.plan_id)
    return visit.page(
        "plans/one.html", previews=previews, groups_of=groups_of, turns=turns, **frame(visit, view, version)
    )


@pages.get("/plans/{plan_id}/versions/")
def versions_page(visit: Visit) -> Response:
    """List the versions with when they are sold, newest first."""
    view, version = shown_version(visit)
    words = [VersionWords(view, each, visit.formats) for each in reversed(view.versions)]
    return visit.page("plans/versions.html", all_words=words, **frame(visit, view, version))


@pages.get("/plans/{plan_id}/compare")
def compare_page(visit: Visit) -> Response:
    """Show what differs between two versions: the newest and the one before, unless the address names others."""
    view = visit.do(get_plan, visit.part("plan_id"))
    after = _version(view, visit.query.get("after") or str(view.versions[-1].version))
    before = _version(view, visit.query.get("before") or str(max(after.version - 1, view.versions[0].version)))
    old, new = (VersionWords(view, each, visit.formats) for each in (before, after))
    sections = [(name, list(rows)) for name, rows in groupby(differences(old, new), key=lambda row: row.section)]
    return visit.page("plans/compare.html", old=old, new=new, sections=sections, **frame(visit, view, after))


@pages.get("/plans/{plan_id}/subscriptions")
def subscriptions_page(visit: Visit) -> Response:
    """List who is on the plan, or on one version of it."""
    view, version = shown_version(visit)
    chosen = version.version_id if visit.query.get("version") else None
    cursor = visit.page_asked().after
    statuses = [visit.query["status"]] if visit.query.get("status") else []
    question = subscription_question({"plan_id": view.plan.plan_id, "version_id": chosen}, statuses)
    place = None if cursor is None else Place(None, cursor)
    found = visit.do(view_subscriptions, question, SubscriptionOrder(), Slice(PAGE_ROWS, place))
    after = found.part.after.key if found.part.after is not None else None
    return visit.page("plans/subscriptions.html", found=found, next_cursor=after, **frame(visit, view, version))


@pages.get("/plans/{plan_id}/price")
def price_page(visit: Visit) -> Response:
    """Show what a quantity of one component costs."""
    view, version = shown_version(visit)
    component_id = visit.query.get("component", "")
    component = next((each for each in version.components if each.component_id == component_id), None)
    if component is None:
        raise NotFound("The version has no such component.")
    try:
        preview = preview_component(visit, view, version, component)
    except LotusError as error:
        visit.form.with_error(error)
        preview = None
    data = frame(visit, view, version)
    return visit.page("plans/price.html", fragment="answer", component=component, preview=preview, **data)


@pages.get("/plans/{plan_id}/edit")
def edit_page(visit: Visit) -> Response:
    """Show what can be changed of a plan itself."""
    visit.require(change_plan)
    view = visit.do(get_plan, visit.part("plan_id"))
    plan = view.plan
    visit.form = visit.form.of(
        {
            "plan_name": plan.plan_name,
            "description": plan.description,
            "tags": ", ".join(tag.name for tag in plan.tags),
            "external_links": plan_row(view)["external_links"],
        }
    )
    return visit.page("plans/edit.html", fragment="dialog", view=view)


@pages.post("/plans/{plan_id}/edit")
def edit(visit: Visit) -> Response:
    """Change a plan's name, description, tags or links."""
    visit.require(change_plan)
    view = visit.do(get_plan, visit.part("plan_id"))
    try:
        problems = Problems()
        payload = visit.form.payload(keeps_blank=True)
        known = {tag.name: tag for tag in view.plan.tags}
        tags = [_tag_row(name, known) for name in payload.get("tags") or []]
        wanted = {"external_links": [], **payload, "description": payload.get("description") or "", "tags": tags}
        change = read(PlanChangeForm, wanted, problems).to_change(problems)
        plan = visit.do(change_plan, view.plan.plan_id, change)
    except LotusError as error:
        return visit.again(error, "plans/edit.html", fragment="dialog", view=view)
    return visit.redirect(plan_url(visit, plan.plan_id), f"{plan.plan_name} is changed.")


@pages.get("/plans/{plan_id}/archive")
def archive_page(visit: Visit) -> Response:
    """Ask before a plan is taken out of sale."""
    visit.require(archive_plan)
    return visit.page("plans/archive.html", fragment="dialog", view=visit.do(get_plan, visit.part("plan_id")))


@pages.post("/plans/{plan_id}/archive")
def archive(visit: Visit) -> Response:
    """Take a plan out of sale."""
    plan = visit.do(archive_plan, visit.part("plan_id"))
    return visit.redirect(plan_url(visit, plan.plan_id), f"{plan.plan_name} is archived: nobody can subscribe to it.")


def plan_url(visit: Visit, plan_id: str, path: str = "", **query: object) -> str:
    """Return the address of a plan, or of a page below it."""
    return visit.url(f"plans/{segment(plan_id)}/{path}", **query)


def shown_version(visit: Visit) -> tuple[PlanView, PlanVersion]:
    """Return the plan of the address with the version that its query names, or the current one."""
    view = visit.do(get_plan, visit.part("plan_id"))
    number = visit.query.get("version")
    return view, _version(view, number) if number else view.current_version


def frame(visit: Visit, view: PlanView, version: PlanVersion) -> dict[str, Any]:
    """Return what every page of a plan shows around it."""
    return {
        "view": view,
        "chosen": version,
        "words": VersionWords(view, version, visit.formats),
        "statuses": STATUSES,
        "words_of_version": partial(_words, visit, view),
        "here": plan_url(visit, view.plan.plan_id),
    }


def _words(visit: Visit, view: PlanView, version: PlanVersion) -> VersionWords:
    return VersionWords(view, version, visit.formats)


def _version(view: PlanView, number: str) -> PlanVersion:
    found = next((each for each in view.versions if str(each.version) == number), None)
    if found is None:
        raise NotFound(f"The plan {view.plan.plan_id!r} has no version {number!r}.", code="plan_version_not_found")
    return found


def preview_component(visit: Visit, view: PlanView, version: PlanVersion, component: Component) -> Previewed:
    """Return what the usage that the address asks about costs; none costs what it costs."""
    row = component_row(component, view.metrics[component.metric_id], version.currency, view.units)
    terms = {"price": row["price"], "currency": version.currency}
    if component.conversion is not None:
        terms |= {"pricing_unit": component.conversion.unit, "conversion_rate": component.conversion.rate}
    is_asked = visit.query.get("component") == component.component_id
    names = ("quantity", "events", "group")
    asked = Asked(*(visit.query.get(name, "") for name in names)) if is_asked else Asked()
    return preview_price(terms, asked, version.currency)


def _tag_row(name: str, known: dict[str, Any]) -> dict[str, str]:
    tag = known.get(name)
    return {"tag_name": name, "tag_hex": tag.hex if tag else "", "tag_color": tag.color if tag else ""}
