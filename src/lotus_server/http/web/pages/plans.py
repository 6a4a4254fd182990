"""Plans: the list, as cards or as a table."""

from typing import Any

from starlette.responses import Response

from lotus_server.http.web.routing import Pages
from lotus_server.http.web.version_words import PERIODS, VersionWords
from lotus_server.http.web.visit import PAGE_ROWS, Visit
from lotus_server.kernel.errors import LotusError
from lotus_server.usecases.catalog_lists import PlanList, PlanQuestion, view_plans
from lotus_server.wire.plan_lists import plan_question

pages = Pages()


@pages.get("/plans/")
def list_page(visit: Visit) -> Response:
    """List the plans: searched, filtered, for everybody and for some customers."""
    page = visit.page_asked(PAGE_ROWS - 1)  # cards stand in rows of two, three or four
    try:
        found = visit.do(view_plans, plan_question(visit.query), page)
    except LotusError as error:
        visit.form.with_error(error)
        found = visit.do(view_plans, PlanQuestion(), page)
    return visit.page("plans/list.html", fragment="rows", found=found, **_shown(visit, found))


def _shown(visit: Visit, found: PlanList) -> dict[str, Any]:
    fmt = visit.formats
    words = {view.plan.plan_id: VersionWords(view, view.current_version, fmt) for view in found.views}
    groups = [
        ("", [view for view in found.views if not view.is_custom]),
        ("For some customers only", [view for view in found.views if view.is_custom]),
    ]
    filters = ("search", "duration", "tag", "archived")
    return {
        "words": words,
        "groups": [(title, views) for title, views in groups if views],
        "is_filtered": any(visit.query.get(name) for name in filters),
        "durations": [(duration.value, f"Each {word}") for duration, word in PERIODS.items()],
        "is_table": visit.query.get("view") == "table",
    }
