"""How every database of records answers what analytics ask."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.domain.analytics import Basis, Dimension, Held, RevenueSum, RevenueSums, SoldInvoice
from lotus_server.domain.invoicing import CreditedLine, CreditNoteAmounts, Invoice, PaymentStatus
from lotus_server.kernel.money import total
from lotus_server.kernel.period import Duration, Period
from lotus_server.kernel.quantity import ZERO, subtract
from lotus_server.ports.analytics_records import Booked, ParkedSubscription, RevenueMark, Verification
from lotus_server.ports.records import Records
from tests import records_values as values

MARCH = values.MARCH
FIRST = MARCH.start
NOTHING = Booked((), (), (), RevenueMark())


def day(number: int) -> datetime:
    return datetime(2026, 3, number, tzinfo=UTC)


@pytest.fixture
def filled(records: SqlRecords) -> Records:
    with records.transaction() as transaction:
        values.fill(transaction)
        values.fill(transaction, "other")
    return records


def revenue(amount: str, on: int = 1, key: str = "", dimension: Dimension = Dimension.TOTAL) -> RevenueSum:
    return RevenueSum(Basis.INVOICED, "USD", dimension, day(on), key, Decimal(amount))


def _sum_up(records: Records, organization_id: str = "org", limit: int = 100) -> Booked:
    with records.transaction() as transaction:
        booked = transaction.revenue.next(organization_id, limit)
        sums = RevenueSums()
        for invoice in booked.invoices:
            sums.add_invoice(invoice)
        transaction.revenue.keep(organization_id, sums.taken(), booked)
    return booked


def _is_behind(records: Records, organization_id: str = "org") -> bool:
    with records.snapshot() as transaction:
        return transaction.revenue.is_behind(organization_id)


def _sold(invoice: Invoice) -> SoldInvoice:
    return msgspec.convert(invoice, SoldInvoice, from_attributes=True)


def test_what_is_to_be_summed_up_comes_in_the_order_of_making(filled: Records) -> None:
    with filled.transaction() as transaction:
        for number in (3, 2):
            transaction.invoices.add(values.invoice(number))

    first, second = _sum_up(filled, limit=2), _sum_up(filled, limit=2)

    assert ["sub:arrears:1", "sub:arrears:3"] == [each.cause for each in first.invoices]
    assert ["sub:arrears:2"] == [each.cause for each in second.invoices]
    assert _sum_up(filled).is_empty
    assert not _is_behind(filled)
    assert _is_behind(filled, "other")


def test_an_invoice_comes_with_all_that_revenue_needs(filled: Records) -> None:
    assert (_sold(values.invoice()),) == _sum_up(filled).invoices


def test_a_credit_note_comes_with_its_invoice(filled: Records) -> None:
    (takeback,) = _sum_up(filled).takebacks

    assert (_sold(values.invoice()), values.NOW) == (takeback.invoice, takeback.issued_at)
    assert (CreditedLine(0, Decimal("0.51")),) == takeback.lines


def test_a_voided_invoice_is_told_once(filled: Records) -> None:
    _sum_up(filled)
    with filled.transaction() as transaction:
        transaction.invoices.replace_status(values.invoice(payment_status=PaymentStatus.VOIDED))

    assert _is_behind(filled)
    assert ["inv_1"] == [invoice_id for invoice_id, _ in _sum_up(filled).voided]
    assert not _is_behind(filled)
    assert _sum_up(filled).is_empty


def test_an_invoice_that_is_not_summed_up_yet_is_not_taken_out(filled: Records) -> None:
    with filled.transaction() as transaction:
        transaction.invoices.add(values.invoice(2, payment_status=PaymentStatus.VOIDED))

    first, second = _sum_up(filled, limit=1), _sum_up(filled, limit=1)

    assert (1, 0) == (len(first.invoices), len(first.voided))
    assert (1, ["inv_2"]) == (len(second.invoices), [invoice_id for invoice_id, _ in second.voided])


def _read(records: Records) -> Booked:
    with records.snapshot() as transaction:
        return transaction.revenue.next("org", 100)


def _keep(records: Records, booked: Booked) -> bool:
    with records.transaction() as transaction:
        return transaction.revenue.keep("org", [revenue("0.1")], booked)


def _kept(records: Records) -> Decimal:
    with records.snapshot() as transaction:
        return total(transaction.revenue.by_key("org", Basis.INVOICED, Dimension.TOTAL, MARCH).values())


def test_of_two_that_sum_up_the_same_one_keeps_it(filled: Records) -> None:
    booked = _read(filled)

    assert [True, False] == [_keep(filled, booked), _keep(filled, booked)]
    assert Decimal("0.1") == _kept(filled)


def test_of_two_that_take_out_the_same_one_keeps_it(filled: Records) -> None:
    _sum_up(filled)
    with filled.transaction() as transaction:
        transaction.invoices.replace_status(values.invoice(payment_status=PaymentStatus.VOIDED))
    before, booked = _kept(filled), _read(filled)

    assert [True, False] == [_keep(filled, booked), _keep(filled, booked)]
    assert Decimal("0.1") == _kept(filled) - before


def test_what_is_made_between_reading_and_keeping_comes_next(filled: Records) -> None:
    booked = _read(filled)
    with filled.transaction() as transaction:
        transaction.invoices.add(values.invoice(2))

    assert _keep(filled, booked)
    assert ["sub:arrears:2"] == [each.cause for each in _read(filled).invoices]


def test_sums_are_added_to_those_that_are_kept(filled: Records) -> None:
    for some in ([revenue("0.1"), revenue("5", 2)], [revenue("0.2"), revenue("-9.99", 3)]):
        with filled.transaction() as transaction:
            transaction.revenue.keep("org", some, NOTHING)

    with filled.snapshot() as transaction:
        found = transaction.revenue.by_day("org", Basis.INVOICED, Dimension.TOTAL, Period(day(1), day(3)))
        assert [] == transaction.revenue.by_day("org", Basis.EARNED, Dimension.TOTAL, MARCH)
        assert [] == transaction.revenue.by_day("other", Basis.INVOICED, Dimension.TOTAL, MARCH)

    assert [("USD", "", day(1), Decimal("0.3")), ("USD", "", day(2), Decimal(5))] == found


def test_a_window_comes_to_the_sum_of_its_days_by_key(filled: Records) -> None:
    plans = [
        revenue(amount, on, plan, Dimension.PLAN)
        for amount, on, plan in [("1", 1, "pro"), ("0.07", 2, "pro"), ("3", 2, "basic"), ("100", 31, "pro")]
    ]
    with filled.transaction() as transaction:
        transaction.revenue.keep("org", [*plans, revenue("7")], NOTHING)
        found = transaction.revenue.by_key("org", Basis.INVOICED, Dimension.PLAN, Period(day(1), day(31)))

    assert {("USD", "pro"): Decimal("1.07"), ("USD", "basic"): Decimal(3)} == found


amounts = st.decimals(-(10**25), 10**25, allow_nan=False, allow_infinity=False, places=4) | st.sampled_from(
    [Decimal(text) for text in ("-0.5", "0.0001", "999999999999.9999", "1E+24")]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.lists(amounts, min_size=1, max_size=6))
def test_sums_are_exact_whatever_the_amounts(filled: Records, several: list[Decimal]) -> None:
    with filled.transaction() as transaction:
        window = Period(day(1), day(1) + timedelta(days=len(several)))
        kept = {
            when: amount
            for _, _, when, amount in transaction.revenue.by_day("org", Basis.INVOICED, Dimension.TOTAL, window)
        }
        days = [day(1) + timedelta(days=place) for place in range(len(several))]
        sums = [
            RevenueSum(Basis.INVOICED, "USD", Dimension.TOTAL, when, "", subtract(amount, kept.get(when, ZERO)))
            for when, amount in zip(days, several, strict=True)
        ]
        transaction.revenue.keep("org", sums, NOTHING)

        assert {("USD", ""): total(several)} == transaction.revenue.by_key(
            "org", Basis.INVOICED, Dimension.TOTAL, window
        )


def test_subscriptions_are_counted_as_they_begin_and_end(filled: Records) -> None:
    with filled.transaction() as transaction:
        for name, starts_at, ends_at in (
            ("long ago", day(1) - timedelta(days=90), None),
            ("ended before", day(1) - timedelta(days=90), day(1) - timedelta(days=1)),
            ("ends", day(1) - timedelta(days=90), day(10) + timedelta(hours=5)),
            ("begins", day(10), None),
            ("never began", day(12), day(12)),
            ("later", day(1) + timedelta(days=60), None),
        ):
            transaction.subscriptions.add(values.subscription(name, starts_at=starts_at, ends_at=ends_at))
        transaction.subscriptions.add(values.subscription("add-on", starts_at=day(10), parent_id="sub"))
        found = transaction.figures.subscriptions("org", MARCH)

    assert 2 == found.at_start
    assert {day(1): 1, day(10): 1, day(12): 1} == found.came
    assert {day(10): 1, day(12): 1} == found.went


def test_customers_are_counted_as_they_are_made(filled: Records) -> None:
    with filled.transaction() as transaction:
        transaction.customers.add(values.customer("old", created_at=FIRST - timedelta(microseconds=1)))
        transaction.customers.add(values.customer("new", created_at=day(31)))
        found = transaction.figures.customers("org", MARCH)
        names = transaction.figures.customer_ids("org")

    assert (1, {day(1): 1, day(31): 1}) == (found.at_start, found.came)
    assert ["acme", "new", "old"] == names


def test_days_are_those_of_a_zone(filled: Records) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    with filled.transaction() as transaction:
        late = day(28) + timedelta(hours=23)  # midnight in Berlin, an hour before that of UTC
        transaction.customers.add(values.customer("late", created_at=late))
        transaction.customers.add(values.customer("later", created_at=day(31) + timedelta(hours=22)))  # 1 April there
        transaction.subscriptions.add(values.subscription("late", starts_at=late, ends_at=late + timedelta(hours=1)))
        made = transaction.figures.customers("org", MARCH, berlin)
        held = transaction.figures.subscriptions("org", MARCH, berlin)

    assert {day(1): 1, day(29): 1} == made.came
    assert (1, 1) == (held.came[day(29)], held.went[day(29)])


def test_sums_begin_anew_with_the_days_of_another_zone(filled: Records) -> None:
    _sum_up(filled)
    with filled.transaction() as transaction:
        transaction.revenue.begin_anew("org", "Europe/Berlin")

    with filled.snapshot() as transaction:
        assert "Europe/Berlin" == transaction.revenue.timezone("org")
        assert "UTC" == transaction.revenue.timezone("other")
    assert ZERO == _kept(filled)
    again = _sum_up(filled)
    assert (1, 1) == (len(again.invoices), len(again.takebacks))
    assert not _is_behind(filled)


def test_what_was_read_for_the_days_of_another_zone_is_not_kept(filled: Records) -> None:
    booked = _read(filled)
    with filled.transaction() as transaction:
        transaction.revenue.begin_anew("org", "Europe/Berlin")

    assert not _keep(filled, booked)


def test_subscriptions_are_told_with_what_they_hold(filled: Records) -> None:
    with filled.transaction() as transaction:
        transaction.subscriptions.add(values.subscription("late", starts_at=day(2)))
        found = list(transaction.figures.held("org", day(2)))

    assert [Held("acme", "pro", "pro_1", Duration.MONTHLY, FIRST, None)] == found


def test_parked_subscriptions_are_told_with_their_cause(filled: Records) -> None:
    with filled.transaction() as transaction:
        for number in (3, 2, 1):
            parked = values.subscription(f"sub_{number}", parked_cause=f"cause {number}", due_at=day(number))
            transaction.subscriptions.add(parked)
        count, found = transaction.figures.parked("org", 2)

    assert 3 == count
    assert [
        ParkedSubscription("sub_1", "acme", "cause 1", day(1)),
        ParkedSubscription("sub_2", "acme", "cause 2", day(2)),
    ] == found


def test_only_the_last_recount_is_kept(filled: Records) -> None:
    first = Verification("org", day(1), 10, 1)
    second = msgspec.structs.replace(first, verified_at=day(2), drift_count=0)
    with filled.transaction() as transaction:
        assert transaction.figures.verification("org") is None
        for each in (first, second):
            transaction.figures.keep_verification(each)

    with filled.snapshot() as transaction:
        assert second == transaction.figures.verification("org")
        assert transaction.figures.verification("other") is None


def test_credit_notes_of_one_invoice_are_summed_up_each(filled: Records) -> None:
    amounts = CreditNoteAmounts((CreditedLine(0, Decimal("0.5")),), Decimal("0.5"), (), Decimal("0.5"))
    with filled.transaction() as transaction:
        transaction.credit_notes.add(values.credit_note("second", amounts=amounts))

    assert [1, 1, 0] == [len(_sum_up(filled, limit=1).takebacks) for _ in range(3)]
