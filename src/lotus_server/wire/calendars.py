"""When billing periods begin, on the wire: with the calendar, or at anniversaries."""

from enum import StrEnum
from typing import Annotated, Any, Final

from msgspec import UNSET, UnsetType
from pydantic import BeforeValidator

from lotus_server.domain.catalog import Calendar
from lotus_server.kernel.errors import Problems
from lotus_server.wire.forms import choice


def _said(value: object) -> object:
    """Return null for an empty text: original clients send one for an anchor that they do not mean."""
    return None if value == "" else value


Anchor = Annotated[int | None, BeforeValidator(_said)]
"""The number of a day or month."""


class BillingCycle(StrEnum):
    """Whether periods are counted from the day on which charging begins, or follow the calendar."""

    ANNIVERSARY = "anniversary"
    CALENDAR = "calendar"


_CYCLES: Final = {each.value: each for each in BillingCycle}


def calendar_of(
    problems: Problems, billing_cycle: str | None, day_anchor: int | None, month_anchor: int | None
) -> Calendar | UnsetType | None:
    """Return where periods begin: null for anniversaries, unset when nothing is said. An anchor means the calendar."""
    has_anchor = day_anchor is not None or month_anchor is not None
    if billing_cycle in {None, ""} and not has_anchor:
        return UNSET
    default = BillingCycle.CALENDAR
    cycle = choice(problems, "billing_cycle", billing_cycle or None, _CYCLES, default)
    if cycle is BillingCycle.CALENDAR:
        return Calendar(1 if day_anchor is None else day_anchor, 1 if month_anchor is None else month_anchor)
    if has_anchor:
        detail = "Anniversaries have no anchors: leave day_anchor and month_anchor out, or say calendar."
        problems.add("billing_cycle", "ambiguous", detail)
    return None


def calendar_row(terms: Calendar | None) -> dict[str, Any]:
    """Return where periods begin, as it is shown."""
    if terms is None:
        return {"billing_cycle": BillingCycle.ANNIVERSARY.value, "day_anchor": None, "month_anchor": None}
    return {
        "billing_cycle": BillingCycle.CALENDAR.value,
        "day_anchor": terms.day_anchor,
        "month_anchor": terms.month_anchor,
    }
