"""Timelines: bars over a common span of time, drawn as SVG, whose attributes need no style."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

WIDTH: Final = 1_000
_LEAST_WIDTH: Final = 4
_AHEAD: Final = timedelta(days=31)


class Bar(msgspec.Struct, frozen=True):
    """A bar from `x` on, in thousandths of the span; `is_open`: it goes on beyond the end."""

    x: int
    width: int
    is_open: bool


class Span(msgspec.Struct, frozen=True):
    """The time that a timeline shows, `[start, end)`."""

    start: datetime
    end: datetime

    def at(self, instant: datetime) -> int:
        """Return where an instant lies, in thousandths; beyond an end, at that end."""
        share = (instant - self.start) / (self.end - self.start)
        return max(0, min(WIDTH, round(share * WIDTH)))

    def bar(self, start: datetime, end: datetime | None) -> Bar:
        """Return the bar of a time whose end may be open."""
        first = self.at(start)
        last = WIDTH if end is None else self.at(end)
        return Bar(min(first, WIDTH - _LEAST_WIDTH), max(last - first, _LEAST_WIDTH), end is None)


def span_of(times: Sequence[tuple[datetime, datetime | None]], now: datetime) -> Span:
    """Return the span that holds all times and the present, with a month after what is last."""
    starts = [start for start, _ in times]
    ends = [end for _, end in times if end is not None]
    return Span(min([*starts, now]), max([*starts, *ends, now]) + _AHEAD)
