"""What invoices and credit notes add to revenue, by figures worked out by hand, and its laws."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.analytics import (
    Basis,
    Dimension,
    RevenueSum,
    RevenueSums,
    SoldInvoice,
    SoldLine,
    Takeback,
    day_of,
    spread,
)
from lotus_server.domain.invoicing import AppliedDiscount, CreditedLine, LineKind, TaxSubtotal, standard_rate
from lotus_server.kernel.money import total
from lotus_server.kernel.period import Period


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


MARCH = Period(at("2026-03-01"), at("2026-04-01"))
FEE = SoldLine("Pro Fee", LineKind.RECURRING, MARCH, Decimal("31.00"), "pro")
CALLS = SoldLine(
    "Calls", LineKind.USAGE, Period(at("2026-02-01"), at("2026-03-01")), Decimal("2.80"), "pro", metric_id="calls"
)
INVOICE = SoldInvoice("sub:x", "acme", "USD", at("2026-03-01T00:30"), (FEE, CALLS))


def booked(
    sums: RevenueSums, basis: Basis, dimension: Dimension = Dimension.TOTAL, code: str = "USD"
) -> dict[tuple[str, str], Decimal]:
    return {
        (f"{each.day:%m-%d}", each.key): each.amount
        for each in sums.taken()
        if (each.basis, each.dimension, each.currency) == (basis, dimension, code)
    }


def sums_of(*invoices: SoldInvoice) -> RevenueSums:
    sums = RevenueSums()
    for invoice in invoices:
        sums.add_invoice(invoice)
    return sums


def test_invoiced_revenue_counts_on_the_day_of_the_invoice() -> None:
    assert {("03-01", ""): Decimal("33.80")} == booked(sums_of(INVOICE), Basis.INVOICED)


def test_days_are_those_of_the_zone_and_shorter_when_clocks_are_put_forward() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    days = Period(at("2026-03-27T23:00"), at("2026-03-30T22:00"))  # 28, 29 and 30 March: 24 + 23 + 24 hours
    fee = SoldLine("Fee", LineKind.RECURRING, days, Decimal("0.71"), "pro")
    sums = RevenueSums(berlin)
    sums.add_invoice(SoldInvoice("sub:x", "acme", "USD", at("2026-03-30T22:30"), (fee,)))

    assert {("03-31", ""): Decimal("0.71")} == booked(sums, Basis.INVOICED)
    earned = booked(sums, Basis.EARNED)
    assert [Decimal("0.24"), Decimal("0.23"), Decimal("0.24")] == [earned[f"03-{day}", ""] for day in (28, 29, 30)]


@given(
    st.integers(-(10**9), 10**9),
    st.integers(0, 400),
    st.integers(0, 10**10),
    st.sampled_from(["Asia/Kathmandu", "America/New_York"]),
)
def test_what_is_earned_on_the_days_of_a_zone_is_all_of_it(size: int, day: int, length: int, name: str) -> None:
    start = at("2026-01-01") + timedelta(days=day, seconds=day * 997)
    period = Period(start, start + timedelta(milliseconds=length))
    parts = list(spread(size, period, ZoneInfo(name)))

    assert size == sum(part for _, part in parts)
    assert [found for found, _ in parts] == sorted({found for found, _ in parts})
    assert day_of(start, ZoneInfo(name)) == parts[0][0]


def test_revenue_is_told_apart_by_plan_source_and_customer() -> None:
    sums = sums_of(INVOICE)

    assert {("03-01", "pro"): Decimal("33.80")} == booked(sums, Basis.INVOICED, Dimension.PLAN)
    assert {("03-01", "charge:Pro Fee"): Decimal(31), ("03-01", "metric:calls"): Decimal("2.80")} == booked(
        sums, Basis.INVOICED, Dimension.SOURCE
    )
    assert {("03-01", "acme"): Decimal("33.80")} == booked(sums, Basis.INVOICED, Dimension.CUSTOMER)


def test_earned_revenue_counts_over_the_period_of_the_line() -> None:
    earned = booked(sums_of(INVOICE), Basis.EARNED)

    assert Decimal("0.10") == earned["02-28", ""]  # 2.80 / 28
    assert Decimal("1.00") == earned["03-31", ""]  # 31 / 31
    assert 28 + 31 == len(earned)


def test_a_part_of_a_day_earns_its_part() -> None:
    noon = Period(at("2026-03-01T12:00"), at("2026-03-03T12:00"))

    assert [("03-01", 25), ("03-02", 50), ("03-03", 25)] == [(f"{day:%m-%d}", part) for day, part in spread(100, noon)]


def test_what_has_no_length_is_earned_on_its_day() -> None:
    noon = at("2026-03-01T12:00")

    assert [(at("2026-03-01"), -7)] == list(spread(-7, Period(noon, noon)))


def test_a_discount_makes_revenue_less() -> None:
    discount = AppliedDiscount("d", "Half", Decimal("16.90"), (Decimal("15.50"), Decimal("1.40")))
    reduced = SoldInvoice("sub:x", "acme", "USD", at("2026-03-01"), (FEE, CALLS), discounts=(discount,))

    assert {("03-01", "charge:Pro Fee"): Decimal("15.50"), ("03-01", "metric:calls"): Decimal("1.40")} == booked(
        sums_of(reduced), Basis.INVOICED, Dimension.SOURCE
    )


def test_included_tax_is_no_revenue() -> None:
    # 33.80 with 25 % tax in it is 27.04 and 6.76.
    tax = TaxSubtotal(standard_rate(Decimal(25)), Decimal("27.04"), Decimal("6.76"))
    taxed = SoldInvoice("sub:x", "acme", "USD", at("2026-03-01"), (FEE, CALLS), (tax,), prices_include_tax=True)

    assert {("03-01", ""): Decimal("27.04")} == booked(sums_of(taxed), Basis.INVOICED)


def test_selling_credit_is_no_revenue() -> None:
    line = SoldLine("Credit", LineKind.ONE_OFF, Period(MARCH.start, MARCH.start), Decimal(100), None)

    assert [] == sums_of(SoldInvoice("credit:c1", "acme", "USD", MARCH.start, (line,))).taken()


def test_a_credit_note_counts_negative_on_the_day_of_its_issue() -> None:
    sums = sums_of(INVOICE)
    sums.add_takeback(Takeback(INVOICE, at("2026-05-05T09:00"), (CreditedLine(0, Decimal("3.10")),)))

    assert {("03-01", ""): Decimal("33.80"), ("05-05", ""): Decimal("-3.10")} == booked(sums, Basis.INVOICED)
    assert Decimal("0.90") == booked(sums, Basis.EARNED)["03-31", ""]  # 1.00 - 3.10 / 31


def test_a_voided_invoice_counts_for_nothing() -> None:
    sums = sums_of(INVOICE)
    sums.take_out(INVOICE)

    assert [] == sums.taken()


def test_a_currency_without_minor_units_keeps_whole_numbers() -> None:
    line = SoldLine("Fee", LineKind.RECURRING, MARCH, Decimal(100), "pro")
    earned = booked(sums_of(SoldInvoice("s", "acme", "JPY", MARCH.start, (line,))), Basis.EARNED, code="JPY")

    assert Decimal(100) == total(earned.values())
    assert {Decimal(3), Decimal(4)} == set(earned.values())


amounts = st.integers(-(10**7), 10**7).map(lambda minor: Decimal(minor).scaleb(-2))
instants = st.datetimes(datetime(2025, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
periods = st.builds(
    lambda start, seconds: Period(start, start + timedelta(seconds=seconds)), instants, st.integers(0, 90 * 86_400)
)
lines = st.builds(
    SoldLine,
    name=st.sampled_from(["Fee", "Seats"]),
    kind=st.sampled_from(LineKind),
    period=periods,
    amount=amounts,
    plan_id=st.sampled_from([None, "pro", "basic"]),
    metric_id=st.sampled_from([None, "calls"]),
)
invoices = st.builds(
    SoldInvoice,
    cause=st.just("sub:x"),
    customer_id=st.sampled_from(["acme", "zeta"]),
    currency=st.sampled_from(["USD", "EUR"]),
    issued_at=instants,
    lines=st.lists(lines, min_size=1, max_size=3).map(tuple),
)


@given(st.integers(-(10**12), 10**12), periods)
def test_what_is_earned_each_day_is_what_was_invoiced(amount: int, period: Period) -> None:
    parts = list(spread(amount, period))

    assert amount == sum(part for _, part in parts)
    assert all(part * amount >= 0 for _, part in parts)
    assert len(parts) == len({day for day, _ in parts})


def _by_currency(sums: list[RevenueSum], basis: Basis, dimension: Dimension) -> Counter[str]:
    found: Counter[str] = Counter()
    for each in sums:
        if (each.basis, each.dimension) == (basis, dimension):
            found[each.currency] += int(each.amount.scaleb(2))
    return Counter({code: amount for code, amount in found.items() if amount})


@given(st.lists(invoices, max_size=4))
def test_the_sums_by_anything_are_the_sum_of_all(several: list[SoldInvoice]) -> None:
    sums = sums_of(*several).taken()

    whole = _by_currency(sums, Basis.INVOICED, Dimension.TOTAL)
    assert whole == _by_currency(sums, Basis.EARNED, Dimension.TOTAL)
    for dimension in (Dimension.PLAN, Dimension.SOURCE):
        assert whole == _by_currency(sums, Basis.EARNED, dimension)
        assert whole == _by_currency(sums, Basis.INVOICED, dimension)
    assert whole == _by_currency(sums, Basis.INVOICED, Dimension.CUSTOMER)


@given(st.lists(invoices, max_size=3), st.lists(invoices, max_size=3))
def test_voiding_leaves_what_the_others_come_to(kept: list[SoldInvoice], voided: list[SoldInvoice]) -> None:
    sums = sums_of(*kept, *voided)
    for invoice in voided:
        sums.take_out(invoice)

    assert sums_of(*kept).taken() == sums.taken()
