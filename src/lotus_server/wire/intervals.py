"""Parts of a billing period on the wire: how often usage is invoiced, and how often tiers and limits begin anew."""

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from lotus_server.domain.catalog import SpendThreshold, UsageInvoicing
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.period import Duration
from lotus_server.wire.forms import Form, Number

END_OF_PERIOD: Final = "end_of_period"
_UNITS: Final = {
    ("day", 1): Duration.DAILY,
    ("week", 1): Duration.WEEKLY,
    ("month", 1): Duration.MONTHLY,
    ("month", 3): Duration.QUARTERLY,
    ("month", 12): Duration.YEARLY,
    ("year", 1): Duration.YEARLY,
}
_SHOWN: Final = {duration: key for key, duration in reversed(_UNITS.items())} | {Duration.YEARLY: ("year", 1)}


def _said(value: object) -> object:
    """Return null for an empty text: original clients send one for an interval that they do not mean."""
    return None if value == "" else value


IntervalCount = Annotated[int | None, BeforeValidator(_said)]
"""How many units an interval has."""


def interval_of(problems: Problems, field: str, unit: str | None, count: int | None) -> Duration | None:
    """Return the interval of so many (1) units: day, week, month or year; null when none is said."""
    if unit in {None, ""}:
        if count is not None:
            problems.add(f"{field}_unit", "required", f"{field}_count needs {field}_unit.")
        return None
    text = str(unit).lower().removesuffix("s")
    found = _UNITS.get((text, 1 if count is None else count))
    if found is None:
        detail = "An interval is 1 day, 1 week, 1 month, 3 months or 1 year."
        problems.add(f"{field}_unit", "invalid_choice", detail)
    return found


def interval_row(field: str, interval: Duration | None) -> dict[str, Any]:
    """Return an interval as it is shown; null: that of the plan."""
    unit, count = (None, None) if interval is None else _SHOWN[interval]
    return {f"{field}_unit": unit, f"{field}_count": count}


class ThresholdForm(Form):
    """Usage is invoiced as soon as that of a billing period comes to this amount."""

    amount: Number = Field(None, description="Before discounts and tax.")
    is_recurring: bool | None = Field(
        None, description="Again each time that so much more comes together, beyond the greatest that is not (false)."
    )


def thresholds_of(problems: Problems, forms: list[ThresholdForm] | None) -> tuple[SpendThreshold, ...]:
    """Return the thresholds that are given."""
    found = []
    for index, form in enumerate(forms or ()):
        if form.amount is None:
            problems.add(f"usage_thresholds[{index}].amount", "required", "amount is required.")
        else:
            found.append(SpendThreshold(form.amount, form.is_recurring is True))
    return tuple(found)


def threshold_rows(thresholds: tuple[SpendThreshold, ...]) -> list[dict[str, Any]]:
    """Return thresholds as they are shown."""
    return [{"amount": each.amount, "is_recurring": each.is_recurring} for each in thresholds]


def usage_invoicing_of(
    problems: Problems, frequency: str | None, thresholds: list[ThresholdForm] | None
) -> UsageInvoicing:
    """Return when usage is invoiced within a billing period."""
    found = thresholds_of(problems, thresholds)
    if frequency in {None, "", END_OF_PERIOD}:
        return UsageInvoicing(None, found)
    known = {duration.value: duration for duration in Duration}
    if frequency not in known:
        choices = ", ".join((END_OF_PERIOD, *known))
        problems.add("usage_billing_frequency", "invalid_choice", f"usage_billing_frequency is one of {choices}.")
        return UsageInvoicing(None, found)
    return UsageInvoicing(known[str(frequency)], found)


def frequency_text(terms: UsageInvoicing) -> str:
    """Return when usage is invoiced, as it is shown."""
    return END_OF_PERIOD if terms.interval is None else terms.interval.value
