"""The calls that are one request and one answer: what is sent and what is read back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypedDict, TypeVar
from urllib.parse import quote

from lotus import _fields
from lotus._fields import Field, Problems
from lotus._wire import Request, Response, post, read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date
    from uuid import UUID

JsonObject = dict[str, Any]
"""A JSON object as the server sent it: numbers are `int` or `Decimal`; keys may be added by later servers."""

_T = TypeVar("_T")


class CustomerFields(TypedDict, total=False):
    """Fields of `create_customer`: `customer_id` and one of `customer_name` and `email` are required.

    `currency` is an ISO 4217 code, by default the server's. `payment_provider_id` connects the customer to a payment
    method, at `payment_provider`.
    """

    customer_id: str | UUID
    customer_name: str
    email: str
    currency: str
    payment_provider: str
    payment_provider_id: str
    properties: Mapping[str, Any]


class UsageFields(TypedDict, total=False):
    """Fields of `get_current_usage`: `customer_id` is required."""

    customer_id: str | UUID


class SubscriptionFilters(TypedDict, total=False):
    """Fields of `get_subscriptions`, none required: only rows that match all of them are returned."""

    customer_id: str | UUID
    status: str | list[str] | tuple[str, ...]
    plan_id: str | UUID


class SubscriptionFields(TypedDict, total=False):
    """Fields of `create_subscription`: `customer_id`, `start_date` and one of the three plan ids are required.

    `start_date` is the first day. `end_date` is the last day, inclusive; without it the plan decides.
    `subscription_id` is made by the server when it is not given.
    """

    customer_id: str | UUID
    billing_plan_id: str | UUID
    plan_id: str | UUID
    version_id: str | UUID
    start_date: str | date
    end_date: str | date
    subscription_id: str | UUID
    status: str
    auto_renew: bool
    is_new: bool
    subscription_filters: list[Mapping[str, Any]]
    metadata: Mapping[str, Any]


class CancelFields(TypedDict, total=False):
    """Fields of `cancel_subscription`: `subscription_id` is required; what is not given is decided by the server."""

    subscription_id: str | UUID
    bill_now: bool
    revoke_access: bool


class AccessFields(TypedDict, total=False):
    """Fields of `get_customer_access`: `customer_id` and exactly one of `feature_name` and `event_name` are required.

    `event_limit_type` is `free` or `total`.
    """

    customer_id: str | UUID
    feature_name: str
    event_name: str
    event_limit_type: str


class MetricUsageFields(TypedDict, total=False):
    """Fields of `get_usage`: `customer_id` and `metric_id` are required.

    `start` is included (by default 30 days before the day of the end), `end` is not (by default now). `window` is
    `hour`, `day`, `week` or `month`: a row for each; without it one for the whole time. `group_by` names properties, by
    default the metric's own. With `fill` there are rows also where nothing was used.
    """

    customer_id: str | UUID
    metric_id: str | UUID
    start: str | date
    end: str | date
    window: str
    group_by: str | list[str] | tuple[str, ...]
    fill: bool


class VoidFields(TypedDict, total=False):
    """Fields of `void_events`, both required: the ids of the events, and why they are taken back."""

    idempotency_ids: list[str] | tuple[str, ...]
    reason: str


class AmendFields(TypedDict, total=False):
    """Fields of `amend_event`: `idempotency_id`, `reason` and at least one of the others are required.

    `properties` are all that the event is to have. What is not given stays as it is.
    """

    idempotency_id: str | UUID
    properties: Mapping[str, Any]
    time_created: str | date
    customer_id: str | UUID
    reason: str


class VerifyFields(TypedDict, total=False):
    """Fields of `verify_events_received`: `idempotency_ids` is required.

    With the others only events of a customer, or of the last days, are looked for.
    """

    idempotency_ids: list[str] | tuple[str, ...]
    customer_id: str | UUID
    number_days_lookback: int


_REQUIRED_ID = Field(_fields.identifier, is_required=True)
_ID = Field(_fields.identifier)
_TEXT = Field(_fields.text)

_PLAN_IDS = ("billing_plan_id", "plan_id", "version_id")
_CUSTOMER = {
    "customer_id": _REQUIRED_ID,
    "customer_name": _TEXT,
    "email": _TEXT,
    "currency": _TEXT,
    "payment_provider": _TEXT,
    "payment_provider_id": _TEXT,
    "properties": Field(_fields.mapping),
}
_USAGE = {"customer_id": _REQUIRED_ID}
_SUBSCRIPTION_FILTERS = {"customer_id": _ID, "status": Field(_fields.texts), "plan_id": _ID}
_SUBSCRIPTION = {
    "customer_id": _REQUIRED_ID,
    **dict.fromkeys(_PLAN_IDS, _ID),
    "start_date": Field(_fields.time, is_required=True),
    "end_date": Field(_fields.time),
    "subscription_id": _ID,
    "status": _TEXT,
    "auto_renew": Field(_fields.flag),
    "is_new": Field(_fields.flag),
    "subscription_filters": Field(_fields.jsonable),
    "metadata": Field(_fields.mapping),
}
_CANCEL = {"subscription_id": _REQUIRED_ID, "bill_now": Field(_fields.flag), "revoke_access": Field(_fields.flag)}
_ACCESS = {
    "customer_id": _REQUIRED_ID,
    "feature_name": _TEXT,
    "event_name": _TEXT,
    "event_limit_type": Field(_fields.one_of("free", "total")),
}

_METRIC_USAGE = {
    "customer_id": _REQUIRED_ID,
    "metric_id": _REQUIRED_ID,
    "start": Field(_fields.time),
    "end": Field(_fields.time),
    "window": Field(_fields.one_of("hour", "day", "week", "month")),
    "group_by": Field(_fields.texts),
    "fill": Field(_fields.flag),
}
_IDS = Field(_fields.texts, is_required=True)
_REASON = Field(_fields.text, is_required=True)
_VOID = {"idempotency_ids": _IDS, "reason": _REASON}
_AMEND = {
    "idempotency_id": _REQUIRED_ID,
    "properties": Field(_fields.small_mapping),
    "time_created": Field(_fields.time),
    "customer_id": _ID,
    "reason": _REASON,
}
_VERIFY = {"idempotency_ids": _IDS, "customer_id": _ID, "number_days_lookback": Field(_fields.whole_number)}


@dataclass(frozen=True)
class Call(Generic[_T]):
    """One request, and how its answer is read."""

    request: Request
    read: Callable[[Response], _T]


class Calls:
    """Builds the calls.

    Args:
        gzip_threshold_bytes: bodies of at least this size are compressed; None: none are.
        new_id: makes the `Idempotency-Key` of a request that changes something, once for all its attempts.
    """

    def __init__(self, *, gzip_threshold_bytes: int | None, new_id: Callable[[], str]) -> None:
        self._gzip_threshold_bytes = gzip_threshold_bytes
        self._new_id = new_id

    def get_customers(self) -> Call[list[JsonObject]]:
        """Ask for all customers."""
        return _get_rows("/api/customers/")

    def create_customer(self, fields: Mapping[str, Any] | None, named: Mapping[str, Any]) -> Call[JsonObject]:
        """Ask for a new customer."""
        problems = Problems()
        checked = _fields.gather(fields, named, _CUSTOMER, problems)
        if not _mentioned(("customer_name", "email"), fields, named):
            problems.add("customer_name", "required", "must be given (or email)")
        problems.raise_if_any("create_customer")
        return self._post("/api/customers/", checked)

    def get_current_usage(self, fields: Mapping[str, Any] | None, named: Mapping[str, Any]) -> Call[list[JsonObject]]:
        """Ask what a customer's active subscriptions have come to so far."""
        return _get_rows("/api/draft_invoice/", _checked("get_current_usage", fields, named, _USAGE))

    def get_plans(self) -> Call[list[JsonObject]]:
        """Ask for all plans."""
        return _get_rows("/api/plans/")

    def get_subscriptions(self, fields: Mapping[str, Any] | None, named: Mapping[str, Any]) -> Call[list[JsonObject]]:
        """Ask for the subscriptions that match."""
        return _get_rows("/api/subscriptions/", _checked("get_subscriptions", fields, named, _SUBSCRIPTION_FILTERS))

    def create_subscription(self, fields: Mapping[str, Any] | None, named: Mapping[str, Any]) -> Call[JsonObject]:
        """Ask for a new subscription."""
        problems = Problems()
        checked = _fields.gather(fields, named, _SUBSCRIPTION, problems)
        plans = _mentioned(_PLAN_IDS, fields, named)
        if not plans:
            problems.add("billing_plan_id", "required", "must be given")
        elif len(plans) > 1:
            problems.add("billing_plan_id", "exactly_one", f"only one of {', '.join(plans)} can be given")
        problems.raise_if_any("create_subscription")
        return self._post("/api/subscriptions/", checked)

    def cancel_subscription(self, fields: Mapping[str, Any] | None, named: Mapping[str, Any]) -> Call[JsonObject]:
        """Ask for the end of a subscription, with exactly the choices that the caller made."""
        problems = Problems()
        checked = _fields.gather(fields, named, _CANCEL, problems)
        if checked.get("bill_now") is True and checked.get("revoke_access") is False:
            problems.add("revoke_access", "bill_now_needs_revoke", "must be True when bill_now is True")
        problems.raise_if_any("cancel_subscription")
        return self._post("/api/cancel_subscription/", checked)

    def get_customer_access(self, fields: Mapping[str, Any] | None, named: Mapping[str, Any]) -> Call[JsonObject]:
        """Ask whether a customer may use a feature or send one more event."""
        problems = Problems()
        checked = _fields.gather(fields, named, _ACCESS, problems)
        asked = _mentioned(("feature_name", "event_name"), fields, named)
        if not asked:
            problems.add("feature_name", "required", "must be given (or event_name)")
        elif len(asked) > 1:
            problems.add("feature_name", "exactly_one", "only one of feature_name, event_name can be given")
        problems.raise_if_any("get_customer_access")
        request = Request("GET", "/api/customer_access/", _query(checked))
        return Call(request, lambda response: read(response, dict))

    def get_usage(self, fields: Mapping[str, Any] | None, named: Mapping[str, Any]) -> Call[list[JsonObject]]:
        """Ask what a customer used of a metric."""
        checked = _checked("get_usage", fields, named, _METRIC_USAGE)
        path = f"/api/customers/{quote(checked.pop('customer_id'), safe='')}/usage/"
        if "fill" in checked:
            checked["fill"] = str(checked["fill"]).lower()
        return _get_rows(path, checked)

    def void_events(self, fields: Mapping[str, Any] | None, named: Mapping[str, Any]) -> Call[JsonObject]:
        """Ask for events to be taken back."""
        return self._post("/api/events/void/", _checked("void_events", fields, named, _VOID))

    def amend_event(self, fields: Mapping[str, Any] | None, named: Mapping[str, Any]) -> Call[JsonObject]:
        """Ask for an event to have another content."""
        problems = Problems()
        checked = _fields.gather(fields, named, _AMEND, problems)
        if not _mentioned(("properties", "time_created", "customer_id"), fields, named):
            problems.add("properties", "required", "must be given (or time_created, or customer_id)")
        problems.raise_if_any("amend_event")
        return self._post("/api/events/amend/", checked)

    def verify_events_received(self, fields: Mapping[str, Any] | None, named: Mapping[str, Any]) -> Call[JsonObject]:
        """Ask which events never came."""
        return self._post("/api/verify_idems_received/", _checked("verify_events_received", fields, named, _VERIFY))

    def _post(self, path: str, checked: Mapping[str, Any]) -> Call[JsonObject]:
        request = post(
            path,
            _fields.body(checked),
            gzip_threshold_bytes=self._gzip_threshold_bytes,
            idempotency_key=self._new_id(),
        )
        return Call(request, lambda response: read(response, dict))


def _checked(
    call: str, fields: Mapping[str, Any] | None, named: Mapping[str, Any], known: Mapping[str, Field]
) -> dict[str, Any]:
    problems = Problems()
    checked = _fields.gather(fields, named, known, problems)
    problems.raise_if_any(call)
    return checked


def _mentioned(names: tuple[str, ...], fields: Mapping[str, Any] | None, named: Mapping[str, Any]) -> list[str]:
    """Return which of the names the caller gave a value, right or wrong: a wrong value is not missing as well."""
    given = _fields.names_given(fields, named)
    return [name for name in names if name in given]


def _get_rows(path: str, checked: Mapping[str, Any] | None = None) -> Call[list[JsonObject]]:
    return Call(Request("GET", path, _query(checked or {})), lambda response: read(response, list))


def _query(checked: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    pairs: list[tuple[str, str]] = []
    for name, value in checked.items():
        pairs += [(name, each) for each in (value if isinstance(value, tuple) else (value,))]
    return tuple(pairs)
