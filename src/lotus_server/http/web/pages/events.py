"""Events: the live tail, search, one event with its history, taking back and correcting, and what was refused."""

from typing import Any, Final

import msgspec
from starlette.responses import Response

from lotus_server.http.web.addresses import segment
from lotus_server.http.web.forms import Form
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import Visit
from lotus_server.kernel.errors import Invalid, LotusError, Problems
from lotus_server.kernel.instants import to_text
from lotus_server.ports.event_store import CorrectionResult, CorrectionStatus
from lotus_server.usecases.events import EventView, amend_events, get_event, list_events, list_refused, void_events
from lotus_server.wire.events import AmendForm, VoidForm, event_query, refused_query
from lotus_server.wire.forms import read

ROWS: Final = 50
_FILTERS: Final = ("customer_id", "event_name", "idempotency_id", "status")
_REFUSED_FILTERS: Final = ("status", "reason", "idempotency_id")
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode

pages = Pages()


@pages.get("/events/")
def list_page(visit: Visit) -> Response:
    """List events, newest accepted first, as the filters have it; `live` asks again every two seconds."""
    given = {name: visit.query.get(name, "") for name in _FILTERS}
    for name in ("start", "end"):
        day = visit.query.get(name, "")
        given[name] = f"{day}T00:00:00Z" if day else ""
    try:
        events = visit.do(list_events, event_query(given, ROWS, visit.query.get("cursor") or None, is_feed=False))
    except Invalid as error:
        visit.form.with_error(error)
        events = []
    after = str(events[-1].sequence) if len(events) == ROWS else None
    is_filtered = any(given.values())
    return visit.page(
        "events/list.html",
        fragment="rows",
        events=events,
        next_cursor=after,
        is_filtered=is_filtered,
        is_live=visit.query.get("live") == "on" and not visit.query.get("cursor"),
        json_line=_line,
    )


@pages.get("/refused-events/")
def refused_page(visit: Visit) -> Response:
    """List the events that were refused, with the reason."""
    given = {name: visit.query.get(name, "") for name in _REFUSED_FILTERS}
    try:
        refused = visit.do(list_refused, refused_query(given, ROWS, visit.query.get("cursor") or None))
    except Invalid as error:
        visit.form.with_error(error)
        refused = []
    after = str(refused[-1].number) if len(refused) == ROWS else None
    return visit.page(
        "events/refused.html",
        fragment="rows",
        refused=refused,
        next_cursor=after,
        is_filtered=any(given.values()),
    )


@pages.get("/events/{idempotency_id}/")
def one_page(visit: Visit) -> Response:
    """Show one event as it counts now, and what it was before each correction."""
    view = visit.do(get_event, visit.part("idempotency_id"))
    return visit.page("events/one.html", view=view, event=view.event, json_text=_pretty)


@pages.get("/events/{idempotency_id}/void")
def void_page(visit: Visit) -> Response:
    """Ask before an event is taken back."""
    visit.require(void_events)
    return visit.page("events/void.html", fragment="dialog", event=_event(visit).event)


@pages.post("/events/{idempotency_id}/void")
def void(visit: Visit) -> Response:
    """Take an event back."""
    event_id = visit.part("idempotency_id")
    problems = Problems()
    payload = {**visit.form.payload(), "idempotency_ids": [event_id]}
    try:
        ids, reason = read(VoidForm, payload, problems).to_ids(problems)
        results = visit.do(void_events, ids, reason, problems)
    except LotusError as error:
        return visit.again(error, "events/void.html", fragment="dialog", event=_event(visit).event)
    return _corrected(visit, results, "The event counts for nothing from now on.")


@pages.get("/events/{idempotency_id}/amend")
def amend_page(visit: Visit) -> Response:
    """Show the event's content, to be changed."""
    visit.require(amend_events)
    event = _event(visit).event
    visit.form = Form.of(
        {
            "customer_id": event.customer_id,
            "time_created": to_text(event.happened_at),
            "properties": _pretty(event.properties),
        }
    )
    return visit.page("events/amend.html", fragment="dialog", event=event)


@pages.post("/events/{idempotency_id}/amend")
def amend(visit: Visit) -> Response:
    """Give an event other content; what was not changed is not sent on."""
    event_id = visit.part("idempotency_id")
    event = _event(visit).event
    problems = Problems()
    try:
        changes = _changes(visit.form.payload(), event.customer_id, to_text(event.happened_at), event.properties)
        amendments = read(AmendForm, {**changes, "idempotency_id": event_id}, problems).to_amendments(problems)
        results = visit.do(amend_events, amendments, problems)
    except LotusError as error:
        return visit.again(error, "events/amend.html", fragment="dialog", event=event)
    return _corrected(visit, results, "The event counts with its new content from now on.")


def _changes(sent: dict[str, Any], customer_id: str, time_created: str, properties: dict[str, Any]) -> dict[str, Any]:
    same = {"customer_id": customer_id, "time_created": time_created, "properties": properties}
    return {name: value for name, value in sent.items() if name not in same or value != same[name]}


def _corrected(visit: Visit, results: list[CorrectionResult], done: str) -> Response:
    said = {
        CorrectionStatus.DONE: done,
        CorrectionStatus.UNCHANGED: "The event was so already. Nothing was changed.",
        CorrectionStatus.VOIDED: "The event was taken back before, and cannot be changed any more.",
        CorrectionStatus.UNKNOWN: "There is no such event.",
    }
    return visit.redirect(visit.url(f"events/{segment(visit.part('idempotency_id'))}/"), said[results[0].status])


def _event(visit: Visit) -> EventView:
    return visit.do(get_event, visit.part("idempotency_id"))


def _line(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    return _encode(value).decode()


def _pretty(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    return msgspec.json.format(_encode(value), indent=2).decode()
