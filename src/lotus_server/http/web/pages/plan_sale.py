"""When and to whom versions are sold, and the replacement of earlier ones."""

from decimal import Decimal
from typing import Any, Final

from starlette.responses import Response

from lotus_server.domain.catalog import PlanVersion
from lotus_server.http.web.pages.plan import frame, plan_url
from lotus_server.http.web.plan_turns import turn_choices
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import Visit
from lotus_server.kernel.errors import LotusError, NotFound, Problems
from lotus_server.kernel.money import total
from lotus_server.kernel.quantity import parse_decimal
from lotus_server.ports.records import Page
from lotus_server.usecases.plan_replacement import preview_replacement, replace_some
from lotus_server.usecases.plan_transitions import view_turns
from lotus_server.usecases.plan_versions import change_version
from lotus_server.usecases.plans import PlanView, get_plan
from lotus_server.wire.forms import read
from lotus_server.wire.versions import VersionChangeForm

pages = Pages()
SHOWN_AT_ONCE: Final = 50
SWITCHED_AT_ONCE: Final = 25
_TOLD_MAX: Final = 50


@pages.get("/plans/{plan_id}/versions/{number}/schedule")
def schedule_page(visit: Visit) -> Response:
    """Show when and to whom a version is sold, to change it."""
    visit.require(change_version)
    view, version = _version(visit)
    times = {"active_from": version.active_from, "active_to": version.active_to}
    visit.form = visit.form.of(
        {
            **{name: "" if at is None else f"{at:%Y-%m-%dT%H:%M}" for name, at in times.items()},
            "localized_name": version.localized_name,
            "replace_with": version.replace_with,
            "transition_to": version.transition_to,
            "target_customer_ids": ", ".join(version.target_customer_ids),
        }
    )
    return visit.page("plans/schedule.html", fragment="dialog", **_of_schedule(visit, view, version))


@pages.post("/plans/{plan_id}/versions/{number}/schedule")
def schedule(visit: Visit) -> Response:
    """Change when and to whom a version is sold; its terms stay."""
    visit.require(change_version)
    view, version = _version(visit)
    try:
        problems = Problems()
        payload = visit.form.payload(keeps_blank=True)
        change = read(VersionChangeForm, payload, problems).to_change(problems)
        visit.do(change_version, view.plan.plan_id, version.version_id, change)
    except LotusError as error:
        return visit.again(error, "plans/schedule.html", fragment="dialog", **_of_schedule(visit, view, version))
    url = plan_url(visit, view.plan.plan_id, "versions/")
    return visit.redirect(url, f"Version {version.version} is scheduled.")


@pages.get("/plans/{plan_id}/versions/{number}/replace")
def replace_page(visit: Visit) -> Response:
    """Show what switching each subscription of earlier versions would invoice, before it is done."""
    visit.require(replace_some)
    view, version = _version(visit)
    page = visit.page_asked(SHOWN_AT_ONCE)
    rows = visit.do(preview_replacement, view.plan.plan_id, version.version_id, page)
    sums = {name: total(getattr(row, name) for row in rows) for name in ("credit", "due", "charge", "net")}
    return visit.page(
        "plans/replace.html",
        rows=rows,
        sums=sums,
        count=_earlier_count(view, version),
        next_cursor=rows[-1].subscription_id if len(rows) == SHOWN_AT_ONCE else None,
        **frame(visit, view, version),
    )


@pages.post("/plans/{plan_id}/versions/{number}/replace")
def replace(visit: Visit) -> Response:
    """Switch some of the subscriptions, and go on with the next ones until there are no more."""
    visit.require(replace_some)
    view, version = _version(visit)
    form = visit.form
    after = form.text("after") or None
    count = max(_whole(form.text("count")), _earlier_count(view, version) if after is None else 0)
    done, failed = _whole(form.text("done")), _whole(form.text("failed"))
    told = [form.text(f"told[{row}]") for row in range(min(form.count("told"), _TOLD_MAX))]
    page = Page(SWITCHED_AT_ONCE, after)
    outcome, after = visit.do(replace_some, view.plan.plan_id, version.version_id, page)
    told += [f"{each.subscription_id}: {each.detail}" for each in outcome.failed]
    return visit.page(
        "plans/replacing.html",
        fragment="progress",
        after=after,
        count=count,
        done=done + len(outcome.replaced),
        failed=failed + len(outcome.failed),
        told=told[:_TOLD_MAX],
        **frame(visit, view, version),
    )


def _version(visit: Visit) -> tuple[PlanView, PlanVersion]:
    view, number = visit.do(get_plan, visit.part("plan_id")), visit.part("number")
    found = next((each for each in view.versions if str(each.version) == number), None)
    if found is None:
        raise NotFound(f"The plan {view.plan.plan_id!r} has no version {number!r}.", code="plan_version_not_found")
    return view, found


def _of_schedule(visit: Visit, view: PlanView, version: PlanVersion) -> dict[str, Any]:
    following = [
        (each.version_id, f"Version {each.version} takes its place")
        for each in view.versions
        if each.currency == version.currency and not each.is_custom and each.version_id != version.version_id
    ]
    turns = visit.do(view_turns, view.plan.plan_id)
    return {
        "following": following,
        "plans": turn_choices(turns, version.transition_to),
        **frame(visit, view, version),
    }


def _earlier_count(view: PlanView, version: PlanVersion) -> int:
    """Return how many active subscriptions the versions have that this one can replace."""
    return sum(
        view.active_subscriptions.get(each.version_id, 0)
        for each in view.versions
        if each.version < version.version and each.currency == version.currency and not each.is_custom
    )


def _whole(text: str) -> int:
    number = parse_decimal(text)
    return int(number) if number is not None and Decimal(0) <= number < Decimal(10) ** 9 else 0
