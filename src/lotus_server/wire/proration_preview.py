"""The proration preview in JSON: what a change of fee within a billing period gives back and makes due."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from pydantic import Field

from lotus_server.domain.catalog import AMOUNT_LIMIT, Proration, ProrationUnit, Timing
from lotus_server.domain.rating import Fee, Rated, change_fee, in_days
from lotus_server.kernel.currencies import CURRENCIES, Currency
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.money import round_to_minor_unit, total
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ZERO, subtract
from lotus_server.wire.fields import instant
from lotus_server.wire.forms import Form, Number, Text, choice, currency_code

_TIMINGS: Final = {timing.value: timing for timing in Timing}
_PRORATIONS: Final = {proration.value: proration for proration in Proration}
_UNITS: Final = {unit.value: unit for unit in ProrationUnit}


class FeeForm(Form):
    """A fixed amount for each billing period."""

    amount: Number = Field(None, description="In major units, for a whole period.")
    timing: Text = Field(None, description="in_advance (default) or in_arrears.")
    proration: Text = Field(None, description="What a part of a period costs: prorate (default) or full.")

    def to_fee(self, problems: Problems, path: str) -> Fee:
        """Return the fee; everything wrong with the form is added to `problems`, below `path`."""
        if self.amount is None:
            problems.add(f"{path}amount", "required", "amount is required.")
        elif self.amount < 0:
            problems.add(f"{path}amount", "negative", "amount must not be negative.")
        elif self.amount >= AMOUNT_LIMIT:
            problems.add(f"{path}amount", "out_of_range", "amount must be below 10^15.")
        return Fee(
            self.amount or ZERO,
            choice(problems, f"{path}timing", self.timing, _TIMINGS, Timing.IN_ADVANCE),
            choice(problems, f"{path}proration", self.proration, _PRORATIONS, Proration.PRORATE),
        )


class ProrationPreviewForm(Form):
    """A fee that changes to another, or ends, within a billing period."""

    old: FeeForm | None = None
    new: FeeForm | None = Field(None, description="Null: nothing follows, the subscription ends.")
    period_start: Text = Field(None, description="Where the whole billing period begins.")
    period_end: Text = Field(None, description="Where it ends, excluded; a date alone is its midnight, UTC.")
    change_at: Text = Field(None, description="The instant of the change, from period_start to period_end.")
    unit: Text = Field(None, description="exact (default): by exact time. day: by days, UTC.")
    currency: Any = Field(None, description="An ISO 4217 code; the organization's when missing.")

    def to_preview(self, problems: Problems, default_currency: str) -> "ProrationPreview":
        """Return the question. Raises Invalid with everything that is wrong with it."""
        if self.old is None:
            problems.add("old", "required", "old is required.")
        old = None if self.old is None else self.old.to_fee(problems, "old.")
        new = None if self.new is None else self.new.to_fee(problems, "new.")
        unit = choice(problems, "unit", self.unit, _UNITS, ProrationUnit.EXACT)
        code = default_currency if self.currency is None else currency_code(self.currency)
        if code not in CURRENCIES:
            problems.add("currency", "unknown_currency", f"{self.currency!r} is not an ISO 4217 currency code.")
        start, end, changed_at = (self._instant(problems, key) for key in ("period_start", "period_end", "change_at"))
        if start is not None and end is not None:
            _check_times(problems, start, end, changed_at, unit)
        problems.raise_if_any()
        assert old is not None
        assert code is not None
        assert start is not None
        assert end is not None
        assert changed_at is not None
        return ProrationPreview(old, new, Period(start, end), changed_at, unit, CURRENCIES[code])

    def _instant(self, problems: Problems, key: str) -> datetime | None:
        text: str | None = getattr(self, key)
        if text is None:
            problems.add(key, "required", f"{key} is required.")
        return instant(problems, key, text)


def _check_times(
    problems: Problems, start: datetime, end: datetime, changed_at: datetime | None, unit: ProrationUnit
) -> None:
    if end <= start:
        problems.add("period_end", "end_before_start", "period_end must lie after period_start.")
        return
    if unit is ProrationUnit.DAY and not in_days(Period(start, end)).microseconds:
        problems.add("period_end", "invalid", "By day, a period lasts until another day (UTC) than that of its start.")
    if changed_at is not None and not start <= changed_at <= end:
        problems.add("change_at", "invalid", "change_at must lie between period_start and period_end.")


class ProrationPreview(msgspec.Struct, frozen=True):
    """A change of fee within a period."""

    old: Fee
    new: Fee | None
    period: Period
    changed_at: datetime
    unit: ProrationUnit
    currency: Currency

    def row(self) -> dict[str, Any]:
        """Return the answer. Each line is rounded, as on an invoice; `net` is their sum, below 0 when money is owed."""
        change = change_fee(self.old, self.new, whole=self.period, changed_at=self.changed_at, unit=self.unit)
        credit = [(self._rounded(part), part) for part in change.credits]
        debit = [(self._rounded(part), part) for part in change.debits]
        taken = [(subtract(ZERO, amount), part) for amount, part in credit]
        return {
            "credit": self._sum(credit),
            "debit": self._sum(debit),
            "net": self._sum([*taken, *debit]),
            "currency": self.currency.code,
            "lines": [{"text": part.steps[0].text, "amount": amount} for amount, part in (*taken, *debit)],
        }

    def _rounded(self, part: Rated) -> Decimal:
        return round_to_minor_unit(part.amount, self.currency)

    def _sum(self, lines: list[tuple[Decimal, Rated]]) -> Decimal:
        return round_to_minor_unit(total(amount for amount, _ in lines), self.currency)
