"""What fields suggest while somebody types: a list for each kind of thing, asked for with `?q=`."""

from collections.abc import Iterable
from typing import Final

import msgspec
from starlette.responses import Response

from lotus_server.domain.catalog import VersionStatus
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.version_words import VersionWords
from lotus_server.http.web.visit import Visit
from lotus_server.usecases.plans import list_plans
from lotus_server.usecases.suggestions import SUGGESTED_MAX, event_properties, suggest_customers

pages = Pages()
TEXT_MAX: Final = 200


class Suggestion(msgspec.Struct, frozen=True):
    """What comes into the field, what people call it, and something by which to tell it from others."""

    value: str
    name: str
    note: str = ""


@pages.get("/suggest/customers")
def customers(visit: Visit) -> Response:
    """Suggest customers by id, name or e-mail address."""
    found = visit.do(suggest_customers, _text(visit))
    return _answer(
        visit,
        [Suggestion(each.customer_id, each.customer_name or each.customer_id, each.email or "") for each in found],
        "No customer is like that.",
    )


@pages.get("/suggest/plans")
def plans(visit: Visit) -> Response:
    """Suggest plans that are on sale, by id or name."""
    text, now = _text(visit).casefold(), visit.now
    found = [
        Suggestion(view.plan.plan_id, view.plan.plan_name, _price(VersionWords(view, version, visit.formats)))
        for view in visit.do(list_plans)
        if text in view.plan.plan_id.casefold() or text in view.plan.plan_name.casefold()
        if (version := view.current_version).status_at(now) is VersionStatus.ACTIVE
    ]
    return _answer(visit, found, "No plan on sale is like that.")


@pages.get("/suggest/properties")
def properties(visit: Visit) -> Response:
    """Suggest properties of events, by name."""
    text = _text(visit).casefold()
    found = [
        Suggestion(each.name, each.name, f"such as {', '.join(each.values[:3])}")
        for each in visit.do(event_properties)
        if text in each.name.casefold()
    ]
    return _answer(visit, found, "No recent event has such a property.")


@pages.get("/suggest/values")
def values(visit: Visit) -> Response:
    """Suggest what a property was in recent events; the property stands in `with`."""
    text, name = _text(visit).casefold(), visit.query.get("with", "")
    known = next((each.values for each in visit.do(event_properties) if each.name == name), ())
    found = [Suggestion(value, value) for value in known if text in value.casefold()]
    return _answer(visit, found, "No recent event has it.")


def _text(visit: Visit) -> str:
    text = visit.query.get("q", "").strip()[:TEXT_MAX]
    return "" if "\x00" in text else text


def _price(words: VersionWords) -> str:
    return f"{words.price} / {words.period}" if words.version.recurring_charges else words.price


def _answer(visit: Visit, found: Iterable[Suggestion], nothing: str) -> Response:
    return visit.page("suggestions.html", fragment="options", found=list(found)[:SUGGESTED_MAX], nothing=nothing)
