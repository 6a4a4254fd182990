"""How long credit lasts: so many months and days."""

import re
from datetime import datetime, timedelta
from typing import Final

import msgspec

from lotus_server.kernel.period import Duration, boundary

MONTHS_MAX: Final = 1_200
DAYS_MAX: Final = 36_500
_MONTHS_A_YEAR: Final = 12
_DAYS_A_WEEK: Final = 7
_SHAPE: Final = re.compile(
    r"P(?=\d)(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?", re.ASCII | re.IGNORECASE
)


class Term(msgspec.Struct, frozen=True):
    """A length of time, never empty: calendar months, then days of 24 hours."""

    months: int = 0
    days: int = 0

    def after(self, start: datetime, *, months_later: int = 0) -> datetime:
        """Return the end of the term that begins so many months after `start`.

        All months are counted from `start` itself, so the 31st comes back after a short month.
        """
        months = boundary(start, Duration.MONTHLY, months_later + self.months)
        return months + timedelta(days=self.days)

    @property
    def text(self) -> str:
        """Return the term as an ISO 8601 duration, such as `P1Y` or `P1M14D`."""
        years, months = divmod(self.months, _MONTHS_A_YEAR)
        parts = ((years, "Y"), (months, "M"), (self.days, "D"))
        return "P" + "".join(f"{count}{unit}" for count, unit in parts if count)


def parse_term(text: str) -> Term | None:
    """Return the term that an ISO 8601 duration of years, months, weeks and days names.

    Null for what is none, for an empty one, and for one of more than 100 years.
    """
    found = _SHAPE.fullmatch(text)
    if found is None:
        return None
    years, months, weeks, days = (int(part or 0) for part in found.groups())
    term = Term(years * _MONTHS_A_YEAR + months, weeks * _DAYS_A_WEEK + days)
    is_empty = term == Term()
    return None if is_empty or term.months > MONTHS_MAX or term.days > DAYS_MAX else term
