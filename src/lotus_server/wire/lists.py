"""What a list of customers or subscriptions is asked for, as the parameters of a query say it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final, TypeVar

import msgspec

from lotus_server.domain.subscriptions import Status
from lotus_server.kernel.currencies import CURRENCIES
from lotus_server.kernel.errors import Invalid, Problems
from lotus_server.ports.listing import (
    Condition,
    CustomerOrder,
    CustomerQuestion,
    CustomerSort,
    Place,
    Slice,
    SubscriptionOrder,
    SubscriptionQuestion,
    SubscriptionSort,
)
from lotus_server.wire.fields import instant

SEARCH_LENGTH_MAX: Final = 200
DAYS_MAX: Final = 3_660
_TRUTH: Final = {"true": True, "false": False}

Sort = TypeVar("Sort", bound=StrEnum)
Query = Mapping[str, str | None]
"""The parameters of a query by name; null: it was not given."""


def customer_question(query: Query) -> CustomerQuestion:
    """Return which customers a query asks for. Raises Invalid with every problem."""
    problems = Problems()
    question = CustomerQuestion(
        search=_text(problems, query, "search") or "",
        is_subscribed=_truth(problems, query, "subscribed"),
        plan_id=query.get("plan_id"),
        is_owing=_truth(problems, query, "outstanding"),
        created_since=instant(problems, "created_since", query.get("created_since")),
    )
    problems.raise_if_any()
    return question


def subscription_question(query: Query, statuses: Iterable[str] = ()) -> SubscriptionQuestion:
    """Return which subscriptions a query asks for, of any of the statuses if there are some.

    Raises Invalid with every problem.
    """
    problems = Problems()
    wanted = _statuses(problems, statuses)
    question = SubscriptionQuestion(
        customer_id=query.get("customer_id"),
        plan_id=query.get("plan_id"),
        version_id=query.get("version_id"),
        statuses=frozenset(each for each in Status if each.value in wanted),
        conditions=frozenset(each for each in Condition if each.value in wanted),
        is_renewing=_truth(problems, query, "auto_renew"),
        ends_within=_days(problems, query, "ending_within_days"),
        starts_before=instant(problems, "range_end", query.get("range_end") or None),
        ends_after=instant(problems, "range_start", query.get("range_start") or None),
    )
    problems.raise_if_any()
    return question


def customer_order(query: Query, default: str = "id") -> CustomerOrder:
    """Return how a query wants customers sorted: `sort` is a name, with a minus for descending. Raises Invalid."""
    by, is_descending = _sort(query, default, {each.value: each for each in CustomerSort})
    currency = (query.get("currency") or "").upper()
    if currency and currency not in CURRENCIES:
        raise Invalid.field("currency", "unknown_currency", f"{currency!r} is not an ISO 4217 currency code.")
    return CustomerOrder(by, is_descending, currency)


def subscription_order(query: Query, default: str = "id") -> SubscriptionOrder:
    """Return how a query wants subscriptions sorted: `sort` is a name, with a minus for descending. Raises Invalid."""
    return SubscriptionOrder(*_sort(query, default, {each.value: each for each in SubscriptionSort}))


def slice_asked(query: Query, limit: int) -> Slice:
    """Return which part of a list a query asks for: after its `cursor`, or before its `back`. Raises Invalid."""
    back, cursor = query.get("back"), query.get("cursor")
    text = back or cursor
    return Slice(limit, place_of(text) if text else None, is_backward=bool(back))


def place_text(place: Place) -> str:
    """Return what stands for a place in addresses."""
    return urlsafe_b64encode(msgspec.json.encode((place.value, place.key))).decode().rstrip("=")


def place_of(text: str) -> Place:
    """Return the place that a text stands for. Raises Invalid for any other text."""
    try:
        content = urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
        value, key = msgspec.json.decode(content, type=tuple[str | None, str])
    except (ValueError, msgspec.DecodeError):
        raise Invalid.field("cursor", "invalid", "The cursor is not one of ours.") from None
    if "\x00" in key or "\x00" in (value or ""):
        raise Invalid.field("cursor", "invalid", "The cursor is not one of ours.")
    return Place(value, key)


def _sort(query: Query, default: str, known: Mapping[str, Sort]) -> tuple[Sort, bool]:
    asked = query.get("sort") or default
    by = known.get(asked.removeprefix("-"))
    if by is None:
        raise Invalid.field("sort", "invalid_choice", f"sort must be one of {', '.join(known)}, perhaps with a minus.")
    return by, asked.startswith("-")


def _statuses(problems: Problems, given: Iterable[str]) -> frozenset[str]:
    wanted = frozenset(given)
    known = [each.value for each in (*Status, *Condition)]
    if unknown := sorted(wanted - set(known)):
        problems.add("status", "invalid_choice", f"{unknown[0]!r} is no status; there are {', '.join(known)}.")
    return wanted & frozenset(known)


def _text(problems: Problems, query: Query, name: str) -> str | None:
    text = query.get(name)
    if text is not None and ("\x00" in text or len(text) > SEARCH_LENGTH_MAX):
        problems.add(name, "invalid", f"{name} must be a text of at most {SEARCH_LENGTH_MAX} characters.")
        return None
    return text


def _truth(problems: Problems, query: Query, name: str) -> bool | None:
    text = query.get(name)
    if text is None:
        return None
    if text.lower() not in _TRUTH:
        problems.add(name, "invalid_choice", f"{name} must be true or false.")
    return _TRUTH.get(text.lower())


def _days(problems: Problems, query: Query, name: str) -> timedelta | None:
    text = query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(DAYS_MAX)) and 1 <= int(text) <= DAYS_MAX):
        problems.add(name, "invalid_number", f"{name} must be a whole number of days, 1 to {DAYS_MAX}.")
        return None
    return timedelta(days=int(text))
