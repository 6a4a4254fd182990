"""The builder: a plan with its first version, a further version, one for some customers only."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from lotus_server.http.web.addresses import segment
from lotus_server.http.web.builder_rows import BuilderRows
from lotus_server.http.web.forms import Form
from lotus_server.http.web.pages.plan import plan_url, shown_version
from lotus_server.http.web.plan_turns import turn_choices
from lotus_server.http.web.price_preview import Asked, Previewed, preview_price
from lotus_server.http.web.price_words import MEANINGS, MODELS
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.version_form import blank_version, form_of_version
from lotus_server.http.web.version_words import PERIODS
from lotus_server.http.web.visit import Visit
from lotus_server.kernel.currencies import CURRENCIES
from lotus_server.kernel.errors import FieldProblem, LotusError, Problems
from lotus_server.usecases.features import list_features
from lotus_server.usecases.metrics import list_metrics
from lotus_server.usecases.plan_transitions import view_turns
from lotus_server.usecases.plan_versions import Replace, create_version
from lotus_server.usecases.plans import PlanView, create_plan, get_plan
from lotus_server.usecases.pricing_units import list_pricing_units
from lotus_server.wire.forms import read
from lotus_server.wire.plans import PlanForm
from lotus_server.wire.versions import VersionForm

pages = Pages()
# The page's own field with the path of a row whose fields are to be shown.
OPEN: Final = "open"
_NEEDED: Final = "required"


@pages.get("/plans/new")
def new_page(visit: Visit) -> Response:
    """Show the empty builder."""
    visit.require(create_plan)
    visit.form = Form.of({"plan_duration": "monthly", **blank_version(visit.organization.default_currency)})
    return visit.page("plans/new.html", **_of_plan(visit))


@pages.post("/plans/new")
def create(visit: Visit) -> Response:
    """Make a plan, or show everything that is wrong beside its field."""
    visit.require(create_plan)
    if visit.form.has(OPEN):
        return open_row(visit, "plans/new.html", **choices(visit))
    try:
        problems = Problems()
        form = read(PlanForm, visit.form.payload(keeps_rows=True), problems)
        plan, _ = visit.do(create_plan, form.to_draft(problems))
    except LotusError as error:
        return visit.again(error, "plans/new.html", **_of_plan(visit))
    return visit.redirect(plan_url(visit, plan.plan_id), f"{plan.plan_name} is in the price list now.")


@pages.get("/plans/{plan_id}/versions/new")
def new_version_page(visit: Visit) -> Response:
    """Show the builder with the terms of a version, as those of the next one."""
    visit.require(create_version)
    view, start = _start(visit)
    visit.form = form_of_version(view, start, customer=visit.query.get("customer"))
    return visit.page("plans/new_version.html", **_of_version(visit, view))


@pages.post("/plans/{plan_id}/versions/new")
def create_next(visit: Visit) -> Response:
    """Make the next version. Before others are replaced at once, what that comes to is shown."""
    visit.require(create_version)
    view = visit.do(get_plan, visit.part("plan_id"))
    if visit.form.has(OPEN):
        return open_row(visit, "plans/new_version.html", **_of_version(visit, view))
    try:
        problems = Problems()
        form = read(VersionForm, visit.form.payload(keeps_rows=True), problems)
        replace = form.to_replace(problems)
        is_now = replace is Replace.IMMEDIATELY
        draft = form.to_version_draft(problems)
        made = visit.do(create_version, view.plan.plan_id, draft, Replace.ON_RENEWAL if is_now else replace)
    except LotusError as error:
        return visit.again(error, "plans/new_version.html", **_of_version(visit, view))
    if is_now:
        url = plan_url(visit, view.plan.plan_id, f"versions/{made.version}/replace")
        return visit.redirect(url, f"Version {made.version} is made. Look at what replacing the others comes to.")
    url = plan_url(visit, view.plan.plan_id, version=made.version)
    return visit.redirect(url, f"Version {made.version} of {view.plan.plan_name} is made.")


@pages.post("/plans/price-preview")
def price_preview(visit: Visit) -> Response:
    """Show what a quantity costs at the price that is being typed, or what is wrong with it."""
    visit.require(create_plan)
    form = visit.form
    place = form.current(form.text("component"))
    preview: Previewed | None = None
    found: list[tuple[str, str]] = []
    is_incomplete = False
    try:
        preview = _preview(visit, form, place)
    except LotusError as error:
        is_incomplete = any(problem.code == _NEEDED for problem in error.problems)
        found = [_in_browser(form, place, each) for each in error.problems if each.code != _NEEDED]
    return visit.page(
        "plans/_preview.html",
        fragment="answer",
        preview=preview,
        problems=found,
        is_incomplete=is_incomplete,
        place=form.in_browser(place),
    )


def open_row(visit: Visit, template: str, *, has_intervals: bool = True, **data: Any) -> Response:  # noqa: ANN401 - whatever the template shows
    """Show the fields of a row that stood closed: the row alone where a script asks, else the page with it."""
    if visit.wants_fragment:
        visit.form = visit.form.as_in_browser()
        data |= {**choices(visit), "has_intervals": has_intervals}
        return visit.page("plans/_row.html", fragment="row", **data)
    return visit.page(template, **data)


def choices(visit: Visit) -> dict[str, Any]:
    """Return what the builder lets people choose from, and which of its rows stand open."""
    metrics = {view.metric.metric_id: view.metric.metric_name for view in visit.do(list_metrics)}
    units = {unit.code: unit for unit in visit.do(list_pricing_units)}
    return {
        "rows": BuilderRows(visit.form, metrics, units, visit.formats, visit.organization.default_currency),
        "builder_url": visit.request.url.path,
        "metrics": list(metrics.items()),
        "features": [(each.feature_id, each.feature_name) for each in visit.do(list_features)],
        "units": [(code, f"{unit.name} ({unit.symbol})") for code, unit in units.items()],
        "currencies": [(each.code, f"{each.code} · {each.name}") for each in CURRENCIES.values()],
        "durations": [(duration.value, f"Each {word}") for duration, word in PERIODS.items()],
        "models": MODELS,
        "meanings": MEANINGS,
        "preview_url": visit.url("plans/price-preview"),
    }


def _of_plan(visit: Visit) -> dict[str, Any]:
    return {"plans": turn_choices(visit.do(view_turns), tells_period=True), **choices(visit)}


def _of_version(visit: Visit, view: PlanView) -> dict[str, Any]:
    plan_id = view.plan.plan_id
    return {
        "view": view,
        "here": visit.url(f"plans/{segment(plan_id)}/"),
        "plans": turn_choices(visit.do(view_turns, plan_id), visit.form.text("transition_to") or None),
        **choices(visit),
    }


def _start(visit: Visit) -> tuple[PlanView, Any]:
    """Return the plan, and the version whose terms the builder begins with."""
    number = visit.query.get("from")
    view, current = shown_version(visit)
    return view, next((each for each in view.versions if str(each.version) == number), current)


def _preview(visit: Visit, form: Form, place: str) -> Previewed:
    component = _component(form.payload(keeps_rows=True), place)
    keys = ("price", "pricing_unit", "conversion_rate")
    terms = {key: component[key] for key in keys if key in component}
    if form.text("currency"):
        terms["currency"] = form.text("currency")
    asked = Asked(*(form.text(f"{place}.asked.{name}") for name in ("quantity", "events", "group")))
    return preview_price(terms, asked, visit.organization.default_currency)


def _component(payload: Mapping[str, Any], place: str) -> Mapping[str, Any]:
    """Return the JSON of the component of a path such as `components[1]`."""
    number = place.removeprefix("components[").removesuffix("]")
    components = payload.get("components") or []
    if not number.isdigit() or int(number) >= len(components):
        return {}
    found: Mapping[str, Any] = components[int(number)] or {}
    return found


def _in_browser(form: Form, place: str, problem: FieldProblem) -> tuple[str, str]:
    """Return the name of a problem's field in the browser, and what is wrong."""
    is_asked = problem.field in {"quantity", "events", "group"}
    path = f"{place}.asked.{problem.field}" if is_asked else f"{place}.{problem.field}"
    return form.in_browser(path), problem.detail
