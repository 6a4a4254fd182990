"""What a list of customers or subscriptions is asked for, as the parameters of a query say it."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from lotus_server.domain.subscriptions import Status
from lotus_server.kernel.errors import Problems
from lotus_server.ports.listing import CustomerQuestion, SubscriptionQuestion
from lotus_server.wire.fields import instant

PARKED: Final = "parked"
SEARCH_LENGTH_MAX: Final = 200
DAYS_MAX: Final = 3_660
_TRUTH: Final = {"true": True, "false": False}

Query = Mapping[str, str | None]
"""The parameters of a query by name; null: it was not given."""


def customer_question(query: Query) -> CustomerQuestion:
    """Return which customers a query asks for. Raises Invalid with every problem."""
    problems = Problems()
    question = CustomerQuestion(
        search=_text(problems, query, "search") or "",
        is_subscribed=_truth(problems, query, "subscribed"),
        plan_id=_text(problems, query, "plan_id"),
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
        customer_id=_text(problems, query, "customer_id"),
        plan_id=_text(problems, query, "plan_id"),
        version_id=_text(problems, query, "version_id"),
        statuses=frozenset(Status(word) for word in wanted - {PARKED}),
        or_parked=PARKED in wanted,
        is_renewing=_truth(problems, query, "auto_renew"),
        ends_within=_days(problems, query, "ending_within_days"),
        starts_before=instant(problems, "range_end", query.get("range_end") or None),
        ends_after=instant(problems, "range_start", query.get("range_start") or None),
    )
    problems.raise_if_any()
    return question


def _statuses(problems: Problems, given: Iterable[str]) -> frozenset[str]:
    wanted = frozenset(given)
    known = [*(status.value for status in Status), PARKED]
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
