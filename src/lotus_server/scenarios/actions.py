"""What can be done in a step, and with which call of the API."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec

from lotus_server.kernel.instants import to_text
from lotus_server.scenarios.api import Json, Reply
from lotus_server.scenarios.compare import show
from lotus_server.scenarios.play import Play, Refused, field_path, path_text, refusal
from lotus_server.scenarios.scenario import Action
from lotus_server.scenarios.times import REPEAT_MAX, instant_of, instants, is_distance, repetition
from lotus_server.scenarios.yaml_text import Path

EVENTS_PER_CALL: Final = 5_000
_METHODS: Final = ("GET", "POST", "PATCH", "PUT", "DELETE")
_SIDE_KEYS: Final = ("as", "error", "reply")
_CALL_KEYS: Final = ("method", "path", "body", "status", "error", "reply", "save")
_EVENT_KEYS: Final = (
    "event_name", "customer_id", "properties", "time_created", "idempotency_id", "repeat", "every",
)  # fmt: skip
_IN_PATH: Final = re.compile(r"{(\w+)}", re.ASCII)
_ERROR_KEYS: Final = ("status", "code", "fields")
_LATER_CANCEL: Final = ("flat_fee_behavior", "usage_behavior", "invoicing_behavior")

Found = Iterator[tuple[Path, str]]


class Verb(msgspec.Struct, frozen=True):
    """A call that takes one body. Ids in its path are taken out of the body; `makes` is the id that its reply names."""

    method: str
    path: str
    makes: str | None = None


VERBS: Final[Mapping[str, Verb]] = {
    "metrics": Verb("POST", "/api/metrics/", "metric_id"),
    "features": Verb("POST", "/api/features/", "feature_id"),
    "pricing_units": Verb("POST", "/api/pricing_units/"),
    "plans": Verb("POST", "/api/plans/", "plan_id"),
    "addons": Verb("POST", "/api/addons/", "addon_id"),
    "coupons": Verb("POST", "/api/coupons/", "coupon_id"),
    "customers": Verb("POST", "/api/customers/", "customer_id"),
    "subscribe": Verb("POST", "/api/subscriptions/", "subscription_id"),
    "change": Verb("PATCH", "/api/subscriptions/{subscription_id}/"),
    "switch": Verb("POST", "/api/subscriptions/{subscription_id}/switch_plan/", "subscription_id"),
    "cancel": Verb("POST", "/api/cancel_subscription/"),
    "quantity": Verb("POST", "/api/subscriptions/{subscription_id}/quantities/"),
    "prepaid": Verb("POST", "/api/subscriptions/{subscription_id}/components/{metric_id}/change_prepaid_units/"),
    "pause": Verb("POST", "/api/subscriptions/{subscription_id}/pause/"),
    "resume": Verb("POST", "/api/subscriptions/{subscription_id}/resume/"),
    "attach": Verb("POST", "/api/subscriptions/{subscription_id}/addons/attach/"),
    "detach": Verb("POST", "/api/subscriptions/{subscription_id}/addons/{addon_id}/cancel/"),
    "void_events": Verb("POST", "/api/events/void/"),
    "amend_event": Verb("POST", "/api/events/amend/"),
    "version": Verb("POST", "/api/plans/{plan_id}/versions/", "version_id"),
    "credit": Verb("POST", "/api/credits/", "credit_id"),
    "update_credit": Verb("POST", "/api/credits/{credit_id}/update/"),
    "void_credit": Verb("POST", "/api/credits/{credit_id}/void/"),
    "discount": Verb("POST", "/api/customers/{customer_id}/discounts/", "discount_id"),
    "one_off": Verb("POST", "/api/invoices/", "invoice_id"),
    "pay": Verb("PATCH", "/api/invoices/{invoice_id}/"),
    "void_invoice": Verb("POST", "/api/invoices/{invoice_id}/void/"),
    "credit_note": Verb("POST", "/api/credit_notes/", "credit_note_id"),
    "organization": Verb("PATCH", "/api/organization/"),
    "change_customer": Verb("PATCH", "/api/customers/{customer_id}/"),
}
_LATER_CANCEL_VERB: Final = Verb("POST", "/api/subscriptions/{subscription_id}/cancel/")
ACTIONS: Final = (*VERBS, "events", "call")
# Where the only one of its kind may be left out.
_ONLY: Final[Mapping[str, tuple[str, ...]]] = {
    "subscribe": ("customer_id",),
    "change": ("subscription_id",),
    "switch": ("subscription_id",),
    "cancel": ("subscription_id",),
    "version": ("plan_id",),
    "credit": ("customer_id",),
    "quantity": ("subscription_id",),
    "prepaid": ("subscription_id", "metric_id"),
    "pause": ("subscription_id",),
    "resume": ("subscription_id",),
    "attach": ("subscription_id",),
    "detach": ("subscription_id",),
    "discount": ("customer_id",),
    "one_off": ("customer_id",),
    "change_customer": ("customer_id",),
}


def action_problems(name: str, value: object, path: Path) -> Found:
    """Yield what is wrong with the shape of an action; what the API would refuse is the API's to say."""
    for entry, where in entries(value, path):
        if name == "events":
            yield from _event_problems(entry, where)
        elif name == "customers" and isinstance(entry, str):
            continue
        elif not isinstance(entry, dict):
            yield where, f"{name} takes a mapping, or a list of mappings."
        else:
            yield from _side_problems(entry, where)
            if name == "call":
                yield from _call_problems(entry, where)


def entries(value: object, path: Path) -> list[tuple[Any, Path]]:
    """Return the members of a list with their paths, or the value itself as the only one."""
    if isinstance(value, list):
        return [(entry, (*path, index)) for index, entry in enumerate(value)]
    return [(value, path)]


def _side_problems(entry: dict[str, Any], path: Path) -> Found:
    name, error = entry.get("as"), entry.get("error")
    if name is not None and (not isinstance(name, str) or not name.isidentifier()):
        yield (*path, "as"), "as is a name of letters, digits and _."
    if isinstance(error, dict):
        for key in error:
            if key not in _ERROR_KEYS:
                yield (*path, "error", key), f"{key!r} is nothing that an error has; there are status, code, fields."
    elif "error" in entry and not isinstance(error, str):
        yield (*path, "error"), "error is a code, or a mapping of status, code and fields."


def _call_problems(entry: dict[str, Any], path: Path) -> Found:
    for key in entry:
        if key not in _CALL_KEYS:
            yield (*path, key), f"{key!r} is nothing that a call has; there are {', '.join(_CALL_KEYS)}."
    if not str(entry.get("path", "")).startswith("/api/"):
        yield (*path, "path"), "A call has a path that begins with /api/."
    if entry.get("method", "GET") not in _METHODS:
        yield (*path, "method"), f"method is one of {', '.join(_METHODS)}."
    if not isinstance(entry.get("save", {}), dict):
        yield (*path, "save"), "save is a mapping of names to ways into the reply, such as invoice: 0.invoice_id."


def _event_problems(entry: object, path: Path) -> Found:
    if isinstance(entry, dict) and "batch" in entry:
        yield from _side_problems(entry, path)
        for each, where in entries(entry["batch"], (*path, "batch")):
            yield from _event_problems(each, where)
        return
    if not isinstance(entry, dict):
        yield path, "An event is a mapping with event_name."
        return
    for key in entry:
        if key not in _EVENT_KEYS:
            yield (*path, key), f"{key!r} is nothing that an event has; there are {', '.join(_EVENT_KEYS)}."
    if not isinstance(entry.get("event_name"), str):
        yield (*path, "event_name"), "An event has an event_name."
    count, every = repetition(entry)
    if count is None:
        yield (*path, "repeat"), f"repeat is a whole number from 1 to {REPEAT_MAX}."
    if every is not None and not is_distance(every):
        yield (*path, "every"), "every is a distance such as 15 minutes, 1 day or 1 month."
    if "time_created" in entry and "repeat" in entry and instant_of(entry["time_created"]) is None:
        yield (*path, "time_created"), "A time is a date (2026-01-31) or RFC 3339 (2026-01-31T12:00:00Z)."


def perform(play: Play, action: Action) -> None:
    """Carry out an action. Raises Refused when a call is refused that was not expected to be."""
    if action.name == "events":
        _send(play, action)
        return
    for entry, path in entries(action.arguments, action.path):
        if action.name == "call":
            _call(play, entry, path)
        else:
            _do(play, action.name, {"customer_id": entry} if isinstance(entry, str) else entry, path)


def note_unknown_keys(play: Play, action: Action) -> None:
    """Remember each key of an action that the API does not know: it ignores such keys, and a typing error with them."""
    if action.name not in VERBS:
        return
    for entry, path in entries(action.arguments, action.path):
        if not isinstance(entry, dict) or "error" in entry:  # what is to be refused may be as wrong as it likes
            continue
        verb = _verb(action.name, entry)
        body = {key: value for key, value in entry.items() if key not in _SIDE_KEYS and f"{{{key}}}" not in verb.path}
        for way in play.description.unknown_keys(verb.method, verb.path, body):
            where = (*path, *way)
            play.mismatch(where, path_text(where), "a key that the API knows", "unknown, so ignored")


def _verb(name: str, entry: dict[str, Any]) -> Verb:
    is_later = name == "cancel" and any(key in entry for key in _LATER_CANCEL)
    return _LATER_CANCEL_VERB if is_later else VERBS[name]


def _do(play: Play, name: str, entry: dict[str, Any], path: Path) -> None:
    verb = _verb(name, entry)
    body = _completed(play, name, {key: play.filled(value) for key, value in entry.items() if key not in _SIDE_KEYS})
    url = verb.path
    for key in _IN_PATH.findall(verb.path):
        url = url.replace(f"{{{key}}}", quote(str(body.pop(key, "")), safe=""))
    reply = play.call(verb.method, url, body or None)
    if not _judge(play, entry, reply, path, name) or verb.makes is None or not isinstance(reply.body, dict):
        return
    made = reply.body.get(verb.makes)
    play.note_made(verb.makes, made)
    if "as" in entry:
        play.save(entry["as"], made)


def _completed(play: Play, name: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return a body with what a scenario may leave out."""
    for key in _ONLY.get(name, ()):
        if key not in body and (only := play.only(key)) is not None:
            body = {key: only, **body}
    if name == "subscribe":
        if not {"plan_id", "billing_plan_id", "version_id"} & body.keys() and (plan := play.only("plan_id")):
            body["plan_id"] = plan
        body.setdefault("start_date", to_text(play.now))
        plan_id = body.get("plan_id") or body.get("billing_plan_id") or body.get("version_id")
        body.setdefault("subscription_id", f"{body.get('customer_id')}-{plan_id}")
    names_currency = bool({"currency", "currency_code", "default_currency_code"} & body.keys())
    if name in {"plans", "customers"} and play.scenario.currency is not None and not names_currency:
        body["currency"] = play.scenario.currency
    return body


def _call(play: Play, entry: dict[str, Any], path: Path) -> None:
    body = play.filled(entry.get("body"))
    method = entry.get("method") or ("GET" if body is None else "POST")
    reply = play.call(method, play.filled_text(entry["path"]), body)
    what = f"{method} {entry['path']}"
    if "status" in entry:
        if entry["status"] != reply.status:
            answer = show(reply.status) if reply.is_success else refusal(reply)
            play.mismatch((*path, "status"), what, show(entry["status"]), answer)
        if "reply" in entry:
            play.compare(entry["reply"], reply.body, (*path, "reply"))
    elif not _judge(play, entry, reply, path, what):
        return
    for name, way in (entry.get("save") or {}).items():
        found = reply.body
        for key in field_path(str(way)):
            found = _member(found, key)
        play.save(name, found)


def _member(value: Json, key: str | int) -> Json:
    if isinstance(value, list) and isinstance(key, int):
        return value[key] if key < len(value) else None
    return value.get(str(key)) if isinstance(value, dict) else None


def _judge(play: Play, entry: dict[str, Any], reply: Reply, path: Path, what: str) -> bool:
    """Compare a reply with what an action expects of it, and return whether the call was carried out."""
    if "error" in entry:
        _judge_error(play, entry["error"], reply, path, what)
    elif not reply.is_success:
        _note_refusal(play, reply, path, what)
        raise Refused
    if "reply" in entry:
        play.compare(entry["reply"], reply.body, (*path, "reply"))
    return reply.is_success


def _judge_error(play: Play, error: Json, reply: Reply, path: Path, what: str) -> None:
    wanted = {"code": error} if isinstance(error, str) else error
    if reply.is_success:
        play.mismatch((*path, "error"), what, f"refused: {show(wanted)}", f"{reply.status}, carried out")
        return
    body = reply.body if isinstance(reply.body, dict) else {}
    problems = body.get("validation_errors") or []
    actual = {
        "status": reply.status,
        "code": body.get("title"),
        "fields": {each["field"]: each["code"] for each in problems},
    }
    play.compare(wanted, actual, (*path, "error"))


def _note_refusal(play: Play, reply: Reply, path: Path, what: str) -> None:
    """Remember a refusal; one that names fields is told at the line of each."""
    body = reply.body if isinstance(reply.body, dict) else {}
    problems = body.get("validation_errors") or []
    for each in problems:
        field = (*path, *field_path(each["field"]))
        play.mismatch(field, f"{path_text(path)}.{each['field']}", "carried out", f"{each['code']}: {each['detail']}")
    if not problems:
        play.mismatch(path, what, "carried out", refusal(reply))


def _send(play: Play, action: Action) -> None:
    """Send events. Unless a reply or an error is expected, each of them must be new and accepted."""
    value = action.arguments
    if isinstance(value, dict) and "batch" in value:
        batch = list(_events(play, value["batch"]))
        reply = play.call("POST", "/api/track/", {"batch": batch})
        if "error" in value:
            _judge_error(play, value["error"], reply, action.path, "events")
        if "reply" in value:
            play.compare(value["reply"], reply.body, (*action.path, "reply"))
        return
    events = list(_events(play, value))
    for start in range(0, len(events), EVENTS_PER_CALL):
        batch = events[start : start + EVENTS_PER_CALL]
        reply = play.call("POST", "/api/track/", {"batch": batch})
        accepted = reply.body.get("accepted") if isinstance(reply.body, dict) else None
        if accepted != len(batch):
            play.mismatch(action.path, "events", f"{len(batch)} accepted", f"{reply.status} {show(reply.body)}")


def _events(play: Play, value: object) -> Iterator[dict[str, Any]]:
    for entry, _ in entries(value, ()):
        count, every = repetition(entry)
        assert count is not None, "the file was checked"
        given = {key: play.filled(each) for key, each in entry.items() if key not in {"repeat", "every"}}
        given.setdefault("customer_id", play.only("customer_id"))
        given.setdefault("time_created", to_text(play.now))
        first = instant_of(given["time_created"])
        times = list(instants(first, every, count)) if first is not None and every is not None else None
        for index in range(count):
            event = dict(given) if times is None else {**given, "time_created": to_text(times[index])}
            if "idempotency_id" not in given:
                event["idempotency_id"] = play.next_event_id()
            elif count > 1:
                event["idempotency_id"] = f"{given['idempotency_id']}-{index + 1}"
            yield event
