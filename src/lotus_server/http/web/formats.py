"""Numbers, amounts and times as people of the organization's country write them."""

import re
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal, format_percent
from markupsafe import Markup, escape

from lotus_server.domain.accounts import InvoiceSettings
from lotus_server.kernel.instants import to_text
from lotus_server.kernel.quantity import DIVISION, cut_quotient, plain

NOTHING = "\N{EN DASH}"
CUT_OFF = "\N{HORIZONTAL ELLIPSIS}"
# Five digits and more, and no part of a name: an id such as tier_10000 stays as it is.
_LARGE: Final = re.compile(r"(?<![\w.,-])\d{5,}(?:\.\d+)?(?![\w,-])")


class Formats:
    """Writes values for one organization."""

    def __init__(self, settings: InvoiceSettings) -> None:
        """Follow the settings of its invoices."""
        self._locale = Locale.parse(settings.locale)
        self._zone = ZoneInfo(settings.timezone)

    @property
    def locale_tag(self) -> str:
        """Return the locale as browsers name it, such as `en-US`."""
        return str(self._locale).replace("_", "-")

    def money(self, amount: Decimal | None, currency: str) -> str:
        """Return an amount with its currency: at least the currency's decimal places, and more where it has more."""
        if amount is None:
            return NOTHING
        shown, is_cut = cut_quotient(amount)
        with localcontext(DIVISION):  # the usual context has fewer digits than our numbers
            text = format_currency(shown, currency, locale=self._locale, decimal_quantization=False)
        return f"{text}{CUT_OFF}" if is_cut else text

    def number(self, value: Decimal | int | None) -> str:
        """Return a number with all its decimal places; a quotient without end is cut, and says so."""
        if value is None:
            return NOTHING
        shown, is_cut = cut_quotient(Decimal(value))
        with localcontext(DIVISION):
            text = format_decimal(shown, locale=self._locale, decimal_quantization=False)
        return f"{text}{CUT_OFF}" if is_cut else text

    def step(self, text: str) -> str:
        """Return a step of a calculation with its large numbers written as people do; they are exact in it."""
        return _LARGE.sub(lambda found: self.number(Decimal(found.group())), text).replace(
            " x ", " \N{MULTIPLICATION SIGN} "
        )

    def percent(self, share: Decimal | None) -> str:
        """Return a share of one in percent, with one decimal place."""
        return NOTHING if share is None else format_percent(share, "#,##0.0%", locale=self._locale)

    def day(self, instant: datetime | None) -> str:
        """Return the organization's day of an instant."""
        if instant is None:
            return NOTHING
        return format_date(instant.astimezone(self._zone).date(), "medium", locale=self._locale)

    def when(self, instant: datetime | None, precision: str = "minute") -> Markup | str:
        """Return an instant that the browser shows in the viewer's zone, with UTC on hover.

        `precision` is `day`, `minute` or `second`.
        """
        if instant is None:
            return NOTHING
        text = format_datetime(instant.astimezone(self._zone), "medium", locale=self._locale)
        iso = to_text(instant)
        return Markup('<time datetime="{}" title="{} UTC" data-local="{}">{}</time>').format(
            iso, iso.replace("T", " ").removesuffix("Z"), precision, escape(f"{text} {self._zone.key}")
        )


def input_text(value: Any) -> str:  # noqa: ANN401 - whatever a form shows
    """Return a value as an input field takes it: exact, without signs for thousands."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return plain(value)
    return str(value)
