"""What invoices and credit notes add to revenue: on which day, of which plan, source and customer."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from lotus_server.domain.analytics.windows import DAY, begin_of, day_of
from lotus_server.domain.invoicing import (
    NO_TAX,
    AppliedDiscount,
    CreditedLine,
    LineKind,
    TaxSubtotal,
    credit_of_cause,
    net_line_amounts,
)
from lotus_server.kernel.currencies import currency
from lotus_server.kernel.instants import EPOCH, to_microseconds
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import EXACT


class Basis(StrEnum):
    """When revenue counts.

    `invoiced`: all of a line on the day of its invoice. `earned`: in equal parts of time over the line's period.
    """

    INVOICED = "invoiced"
    EARNED = "earned"


class Dimension(StrEnum):
    """By what revenue is told apart.

    A source is a metric or a charge. By customer there is only what was invoiced.
    """

    TOTAL = "total"
    PLAN = "plan"
    SOURCE = "source"
    CUSTOMER = "customer"


class SoldLine(msgspec.Struct, frozen=True):
    """What revenue needs of a line of an invoice; its fields are named and meant as those of an invoice line."""

    name: str
    kind: LineKind
    period: Period
    amount: Decimal
    plan_id: str | None
    metric_id: str | None = None


class SoldInvoice(msgspec.Struct, frozen=True):
    """What revenue needs of an invoice; its fields are named and meant as those of an invoice."""

    cause: str
    customer_id: str
    currency: str
    issued_at: datetime
    lines: tuple[SoldLine, ...]
    taxes: tuple[TaxSubtotal, ...] = ()
    prices_include_tax: bool = False
    discounts: tuple[AppliedDiscount, ...] = ()


class Takeback(msgspec.Struct, frozen=True):
    """A credit note: what it takes back of which lines of its invoice, and when it was issued."""

    invoice: SoldInvoice
    issued_at: datetime
    lines: tuple[CreditedLine, ...]


class RevenueSum(msgspec.Struct, frozen=True):
    """What is to be added to the revenue of a day; `key` is the plan, source or customer, empty for the total."""

    basis: Basis
    currency: str
    dimension: Dimension
    day: datetime
    key: str
    amount: Decimal


_Key = tuple[Basis, str, Dimension, str]


def source_of(line: SoldLine) -> str:
    """Return what a line charges for: `metric:<id>`, `charge:<name of the line>`, or the kind of the line."""
    if line.metric_id is not None:
        return f"metric:{line.metric_id}"
    if line.kind in {LineKind.RECURRING, LineKind.CORRECTION}:
        return f"charge:{line.name}"
    return line.kind.value


class RevenueSums:
    """Revenue added up, exactly, until it is taken."""

    def __init__(self, zone: tzinfo = UTC) -> None:
        """Begin with nothing; days are those of a zone."""
        self._zone = zone
        # In minor units, which are whole numbers; days are counted since 1970.
        self._invoiced: defaultdict[tuple[str, int, str, str, str], int] = defaultdict(int)
        # How often an amount is earned over a period: most lines of a billing run are like many others.
        self._alike: defaultdict[tuple[str, str, str, Period, int], int] = defaultdict(int)

    def add_invoice(self, invoice: SoldInvoice) -> None:
        """Count the lines of an invoice."""
        self._add(invoice, range(len(invoice.lines)), _nets(invoice), invoice.issued_at, sign=1)

    def take_out(self, invoice: SoldInvoice) -> None:
        """Count an invoice no more: it was voided."""
        self._add(invoice, range(len(invoice.lines)), _nets(invoice), invoice.issued_at, sign=-1)

    def add_takeback(self, takeback: Takeback) -> None:
        """Count what a credit note takes back."""
        places = [each.line for each in takeback.lines]
        self._add(takeback.invoice, places, [each.amount for each in takeback.lines], takeback.issued_at, sign=-1)

    def _add(
        self, invoice: SoldInvoice, places: Iterable[int], nets: Sequence[Decimal], issued_at: datetime, *, sign: int
    ) -> None:
        if credit_of_cause(invoice.cause) is not None:
            return
        code, issued_on = invoice.currency, _number_of(issued_at, self._zone)
        scale = currency(code).exponent
        for place, net in zip(places, nets, strict=True):
            line = invoice.lines[place]
            amount = int(net.scaleb(scale, context=EXACT))
            plan, source = line.plan_id or "", source_of(line)
            self._invoiced[code, issued_on, plan, source, invoice.customer_id] += sign * amount
            self._alike[code, plan, source, line.period, amount] += sign

    def _earned(self) -> dict[tuple[str, str, str], defaultdict[int, int]]:
        """Return what each day earns, by its number, of a currency, plan and source.

        As `spread` says of each amount, which most of the time goes into: so without a value made for each day.
        """
        earned: defaultdict[tuple[str, str, str], defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
        known: dict[Period, _Midnights] = {}
        for (code, plan, source, period, amount), count in self._alike.items():
            if not count:
                continue
            if period not in known:
                known[period] = _Midnights.within(period, self._zone)
            number, whole, elapsed = known[period]
            days = earned[code, plan, source]
            size, times = abs(amount), count if amount >= 0 else -count
            before = 0
            for microseconds in elapsed:
                until = size * microseconds // whole
                days[number] += times * (until - before)
                before = until
                number += 1
            days[number] += times * (size - before)
        return earned

    def taken(self) -> list[RevenueSum]:
        """Return the sums that are not zero, by day, plan, source and customer, in a fixed order."""
        sums: defaultdict[_Key, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
        for (code, number, plan, source, customer), amount in self._invoiced.items():
            for dimension, key in (*_told_apart(plan, source), (Dimension.CUSTOMER, customer)):
                sums[Basis.INVOICED, code, dimension, key][number] += amount
        for (code, plan, source), days in self._earned().items():
            for dimension, key in _told_apart(plan, source):
                total = sums[Basis.EARNED, code, dimension, key]
                for number, amount in days.items():
                    total[number] += amount
        ordered = sorted(
            (basis, code, dimension, number, key, amount)
            for (basis, code, dimension, key), days in sums.items()
            for number, amount in days.items()
            if amount
        )
        return [
            RevenueSum(
                basis,
                code,
                dimension,
                EPOCH + DAY * number,
                key,
                Decimal(amount).scaleb(-currency(code).exponent, context=EXACT),
            )
            for basis, code, dimension, number, key, amount in ordered
        ]


def _told_apart(plan: str, source: str) -> Iterator[tuple[Dimension, str]]:
    yield Dimension.TOTAL, ""
    yield Dimension.PLAN, plan
    yield Dimension.SOURCE, source


def _nets(invoice: SoldInvoice) -> Sequence[Decimal]:
    amounts = [line.amount for line in invoice.lines]
    if not invoice.discounts and not invoice.prices_include_tax:
        return amounts
    rate = invoice.taxes[0].rate if invoice.taxes else NO_TAX
    unit = currency(invoice.currency)
    return net_line_amounts(amounts, invoice.discounts, rate, unit, is_included=invoice.prices_include_tax)


_DAY: Final = 86_400_000_000


def spread(amount: int, period: Period, zone: tzinfo = UTC) -> Iterator[tuple[datetime, int]]:
    """Yield the days of a period, each with what of an amount in minor units is earned on it; together all of it.

    The days are those of a zone. Up to the end of a day as much is earned as the part of the period that is over,
    rounded towards zero. What has no length is earned on its day.
    """
    number, whole, elapsed = _Midnights.within(period, zone)
    sign, size = (1, amount) if amount >= 0 else (-1, -amount)
    earned = 0
    for microseconds in elapsed:
        until = size * microseconds // whole
        yield EPOCH + DAY * number, sign * (until - earned)
        earned = until
        number += 1
    yield EPOCH + DAY * number, sign * (size - earned)


class _Midnights(NamedTuple):
    """The number of a period's first day since 1970, its length, and how much of it is over at each midnight within.

    Lengths are in microseconds.
    """

    first: int
    whole: int
    elapsed: Sequence[int]

    @classmethod
    def within(cls, period: Period, zone: tzinfo) -> "_Midnights":
        """Return those of a period, as the clocks of a zone have them."""
        start, end = to_microseconds(period.start), to_microseconds(period.end)
        first = _number_of(period.start, zone)
        if zone is UTC:
            return cls(first, end - start, range((first + 1) * _DAY - start, end - start, _DAY))
        last = _number_of(period.end, zone)
        begins = (to_microseconds(_begin_of(number, zone)) - start for number in range(first + 1, last + 1))
        return cls(first, end - start, [each for each in begins if 0 < each < end - start])


def _number_of(instant: datetime, zone: tzinfo) -> int:
    """Return the number of an instant's day since 1970."""
    return to_microseconds(day_of(instant, zone)) // _DAY


@lru_cache(maxsize=10_000)
def _begin_of(number: int, zone: tzinfo) -> datetime:
    return begin_of(EPOCH + DAY * number, zone)
