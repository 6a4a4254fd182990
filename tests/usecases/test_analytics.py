"""Numbers about a business at work, each worked out by hand."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import cast

import msgspec
import pytest

from lotus_server.domain.analytics import Basis, Dimension, Movements, Step
from lotus_server.domain.invoicing import Invoice
from lotus_server.domain.metering import Aggregation, MetricDefinition
from lotus_server.kernel.errors import Invalid, LotusError
from lotus_server.kernel.money import total
from lotus_server.ports.records import Records, Transaction
from lotus_server.usecases.credit_notes import CreditNoteDraft, create_credit_note
from lotus_server.usecases.first_steps import FirstSteps, first_steps
from lotus_server.usecases.invoices import void_invoice
from lotus_server.usecases.metrics import MetricDraft, create_metric
from lotus_server.usecases.overview import Overview, event_pulse, overview
from lotus_server.usecases.recurring_revenue import RecurringQuestion, recurring_report
from lotus_server.usecases.revenue import (
    RevenueQuestion,
    RevenueReport,
    Window,
    revenue_report,
    sum_up_all_revenue,
    sum_up_revenue,
)
from lotus_server.usecases.services import Services
from lotus_server.usecases.usage_totals import MarginQuestion, UsageTotalsQuestion, margin_report, usage_totals
from lotus_server.usecases.verification import verify_usage
from tests.business import PENNY, Business, at, charge

D = Decimal
JANUARY = Window(at("2026-01-01"), at("2026-02-01"))
FEBRUARY = Window(at("2026-02-01"), at("2026-03-01"))


@pytest.fixture
def sold(business: Business) -> Business:
    """`acme` pays 31 in advance each month, and a cent for each of 280 calls in January; it is 15 February."""
    business.plan("pro", charge("31"), price=PENNY)
    business.subscribe()
    business.use(280, "2026-01-10")
    business.move("2026-02-15")
    return business


def revenue(business: Business, asked: Window = FEBRUARY, **more: object) -> RevenueReport:
    question = RevenueQuestion(asked, **more)  # type: ignore[arg-type]
    return revenue_report(business.services, business.organization, question)


def parts(report: RevenueReport) -> dict[str, tuple[Decimal, Decimal]]:
    return {each.name: (each.amount.value, each.amount.before) for each in report.currencies[0].parts}


def look(business: Business, days: int = 30) -> Overview:
    return overview(business.services, business.organization, days=days)


def newest(business: Business) -> Invoice:
    return business.invoices()[-1]


def test_invoiced_revenue_is_beside_that_of_the_window_before(sold: Business) -> None:
    (found,) = revenue(sold).currencies

    assert ("USD", D("33.80"), D(31)) == (found.currency, found.amount.value, found.amount.before)
    assert {at("2026-02-01"): D("33.80")} == {period.start: amount for period, amount in found.series if amount}


def test_earned_revenue_is_spread_over_the_time_of_its_service(sold: Business) -> None:
    (found,) = revenue(sold, JANUARY, basis=Basis.EARNED).currencies

    assert D("33.80") == found.amount.value  # 31 in advance, and 2.80 that February's invoice has
    assert D("1.09") == found.series[0][1]  # 1 + 0.0903


def test_revenue_by_month_is_that_of_its_days(sold: Business) -> None:
    (found,) = revenue(sold, Window(at("2025-12-20"), at("2026-02-10")), step=Step.MONTH).currencies

    assert [D(0), D(31), D("33.80")] == [amount for _, amount in found.series]


def test_revenue_is_told_apart_by_plan_source_and_customer(sold: Business) -> None:
    assert {"Pro": (D("33.80"), D(31))} == parts(revenue(sold, dimension=Dimension.PLAN))
    assert {"Pro in_advance": (D(31), D(31)), "calls of pro": (D("2.80"), D(0))} == parts(
        revenue(sold, dimension=Dimension.SOURCE)
    )
    assert {"Acme": (D("33.80"), D(31))} == parts(revenue(sold, dimension=Dimension.CUSTOMER))


def test_what_is_beyond_the_limit_is_told_together(sold: Business) -> None:
    (found,) = revenue(sold, dimension=Dimension.SOURCE, limit=1).currencies

    assert (1, D("2.80")) == (len(found.parts), found.others.value)


def test_a_credit_note_takes_revenue_back_when_it_is_issued(sold: Business) -> None:
    create_credit_note(sold.services, sold.organization, CreditNoteDraft(newest(sold).invoice_id, "Sorry"))

    (found,) = revenue(sold).currencies

    assert {"2026-02-01": D("33.80"), "2026-02-15": D("-33.80")} == {
        f"{period.start:%Y-%m-%d}": amount for period, amount in found.series if amount
    }


@pytest.mark.parametrize("sums_up_before", [True, False])
def test_a_voided_invoice_is_no_revenue(sold: Business, sums_up_before: bool) -> None:
    if sums_up_before:
        sum_up_revenue(sold.services, sold.organization)
    void_invoice(sold.services, sold.organization, newest(sold).invoice_id)

    assert D(0) == total(each.amount.value for each in revenue(sold).currencies)
    assert D(31) == revenue(sold, JANUARY).currencies[0].amount.value


def test_summing_up_again_changes_nothing(sold: Business) -> None:
    first = revenue(sold)

    assert 0 == sum_up_revenue(sold.services, sold.organization)
    sum_up_all_revenue(sold.services)
    assert first == revenue(sold)


def _in_zone(business: Business, timezone: str) -> None:
    with business.services.records.transaction() as tx:
        found = tx.organizations.get(business.organization_id)
        assert found is not None
        settings = msgspec.structs.replace(found.invoice_settings, timezone=timezone)
        tx.organizations.replace(msgspec.structs.replace(found, invoice_settings=settings))


def test_days_are_those_of_the_organization_s_time_zone(business: Business) -> None:
    _in_zone(business, "America/New_York")  # five hours behind: midnight there is at 5 UTC, from 8 March on at 4
    business.plan("pro", charge("31"), price=PENNY)
    business.subscribe()
    business.use(3, "2026-01-11T04:59:59")
    business.use(4, "2026-01-11T05:00")
    business.move("2026-02-15")

    asked = UsageTotalsQuestion("calls_pro", Window(at("2026-01-10"), at("2026-01-12")))
    assert ((at("2026-01-10"), D(3)), (at("2026-01-11"), D(4))) == usage_totals(
        business.services, business.organization, asked
    ).days
    (invoiced,) = revenue(business, Window(at("2025-12-31"), at("2026-01-02")), step=Step.DAY).currencies
    assert [D(31), D(0)] == [amount for _, amount in invoiced.series]  # midnight UTC is the evening before
    assert at("2026-02-14") == look(business).days[-1]
    question = RecurringQuestion(Window(at("2025-12-31"), at("2026-01-01")), Step.DAY)
    (recurring,) = recurring_report(business.services, business.organization, question).currencies
    assert (D(0), D(31)) == (recurring.movements.opening, recurring.movements.closing)


def test_another_time_zone_sums_everything_up_anew(sold: Business) -> None:
    new_year = Window(at("2025-12-31"), at("2026-01-02"))
    assert [D(0), D(31)] == [amount for _, amount in revenue(sold, new_year).currencies[0].series]

    _in_zone(sold, "America/New_York")

    assert [D(31), D(0)] == [amount for _, amount in revenue(sold, new_year).currencies[0].series]
    assert 0 == sum_up_revenue(sold.services, sold.organization)


class Crowded:
    """Records in which somebody else writes whenever a snapshot was read, and a writer may be interrupted."""

    def __init__(self, records: Records, write: Callable[[], None]) -> None:
        """Lend the records."""
        self._records = records
        self._write = write
        self.transactions_left = 1_000

    @contextmanager
    def snapshot(self) -> Iterator[Transaction]:
        """Lend a snapshot, after which somebody writes."""
        with self._records.snapshot() as tx:
            yield tx
        self._write()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Lend a transaction, while any are left."""
        if not self.transactions_left:
            raise InterruptedError
        self.transactions_left -= 1
        with self._records.transaction() as tx:
            yield tx


def _crowded(sold: Business) -> tuple[Crowded, Services, list[str]]:
    written: list[str] = []

    def write() -> None:
        written.append(f"other_{len(written)}")
        sold.customer(written[-1])

    crowded = Crowded(sold.services.records, write)
    return crowded, msgspec.structs.replace(sold.services, records=cast("Records", crowded)), written


def test_others_write_between_reading_and_keeping_what_is_summed_up(
    sold: Business, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lotus_server.usecases.revenue.BOOKED_AT_ONCE", 1)
    _, services, written = _crowded(sold)

    assert 2 == sum_up_revenue(services, sold.organization)
    assert 4 == len(written)  # after it was asked whether anything is new, and after each portion, the last one empty


def test_summing_up_goes_on_where_it_was_interrupted(sold: Business, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lotus_server.usecases.revenue.BOOKED_AT_ONCE", 1)
    crowded, services, _ = _crowded(sold)
    crowded.transactions_left = 1
    with pytest.raises(InterruptedError):
        sum_up_revenue(services, sold.organization)

    assert 1 == sum_up_revenue(sold.services, sold.organization)
    assert (D("33.80"), D(31)) == (revenue(sold).currencies[0].amount.value, revenue(sold).currencies[0].amount.before)


@pytest.mark.parametrize(
    ("question", "code"),
    [
        (RevenueQuestion(Window(at("2026-01-02"), at("2026-01-02"))), "end_before_start"),
        (RevenueQuestion(Window(at("2026-01-02T01:00"))), "invalid"),
        (RevenueQuestion(Window(at("2026-01-01"), at("2100-01-01"))), "too_many"),
        (RevenueQuestion(Window(at("1900-01-01"))), "out_of_range"),
        (RevenueQuestion(limit=0), "out_of_range"),
        (RevenueQuestion(limit=1_001), "out_of_range"),
        (RevenueQuestion(basis=Basis.EARNED, dimension=Dimension.CUSTOMER), "unsupported"),
    ],
)
def test_what_cannot_be_answered_is_refused(business: Business, question: RevenueQuestion, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        revenue_report(business.services, business.organization, question)

    assert code == caught.value.code


def test_monthly_revenue_moves_with_subscriptions(sold: Business) -> None:
    sold.customer("zeta")
    sold.subscribe("2026-02-10", customer_id="zeta")
    question = RecurringQuestion(Window(at("2026-01-01"), at("2026-03-01")))

    (found,) = recurring_report(sold.services, sold.organization, question).currencies

    january, february = (moved for _, moved in found.parts)
    assert Movements("USD", new=D(31), closing=D(31), customers=1) == january
    assert Movements("USD", opening=D(31), new=D(31), closing=D(62), customers=2) == february
    assert D(62) == found.movements.closing
    assert [("Pro", D(0), D(62))] == [(name, plan.opening, plan.closing) for name, plan in found.plans]


def test_cancelling_is_churn(sold: Business) -> None:
    sold.cancel("sub_acme_pro")
    question = RecurringQuestion(Window(at("2026-02-01"), at("2026-03-01")))

    (found,) = recurring_report(sold.services, sold.organization, question).currencies

    assert Movements("USD", opening=D(31), churn=D(-31)) == found.movements


def test_too_many_parts_are_refused(business: Business) -> None:
    question = RecurringQuestion(Window(at("2024-01-01"), at("2026-01-01")), Step.DAY)
    with pytest.raises(LotusError) as caught:
        recurring_report(business.services, business.organization, question)

    assert "too_many" == caught.value.code


def test_usage_of_all_is_that_of_each(sold: Business) -> None:
    sold.customer("zeta")
    sold.use(20, "2026-01-11", "zeta")

    found = usage_totals(sold.services, sold.organization, UsageTotalsQuestion("calls_pro", JANUARY))

    assert (D(300), D(0)) == (found.quantity.value, found.quantity.before)
    assert [("Acme", D(280)), ("Zeta", D(20))] == [(each.customer_name, each.quantity) for each in found.customers]
    assert ((at("2026-01-10"), D(280)), (at("2026-01-11"), D(20))) == found.days


@pytest.mark.parametrize("aggregation", [Aggregation.COUNT, Aggregation.MAX, Aggregation.PERCENTILE])
def test_each_day_comes_to_what_customers_that_exist_used(business: Business, aggregation: Aggregation) -> None:
    name = None if aggregation is Aggregation.COUNT else "n"
    percentile = D(100) if aggregation is Aggregation.PERCENTILE else None
    definition = MetricDefinition("call", aggregation, name, percentile=percentile)
    create_metric(business.services, business.organization, MetricDraft("calls", definition, "calls"))
    business.customer("zeta")
    for customer_id, day in (("acme", "05"), ("zeta", "05"), ("nobody", "05"), ("zeta", "06"), ("nobody", "07")):
        business.events.put(business.organization_id, "call", customer_id, at(f"2026-01-{day}"), {"n": 1})

    found = usage_totals(business.services, business.organization, UsageTotalsQuestion("calls", JANUARY))

    assert ((at("2026-01-05"), D(2)), (at("2026-01-06"), D(1))) == found.days
    assert ["acme", "zeta"] == sorted(each.customer_id for each in found.customers)


def test_usage_is_told_apart_by_the_groups_of_its_metric(business: Business) -> None:
    definition = MetricDefinition("call", Aggregation.COUNT, group_by=("model",))
    create_metric(business.services, business.organization, MetricDraft("calls", definition, "calls"))
    for model, count in (("small", 2), ("large", 3)):
        for _ in range(count):
            business.events.put(business.organization_id, "call", "acme", at("2026-01-05"), {"model": model})

    found = usage_totals(business.services, business.organization, UsageTotalsQuestion("calls", JANUARY))

    assert ((("large",), D(3)), (("small",), D(2))) == found.groups
    assert D(5) == found.quantity.value


def test_a_margin_is_revenue_less_costs(sold: Business) -> None:
    definition = MetricDefinition("spent", Aggregation.SUM, "usd")
    draft = MetricDraft("Cloud", definition, "cloud", is_cost_metric=True)
    create_metric(sold.services, sold.organization, draft)
    sold.customer("zeta")
    for customer_id, usd in (("acme", D("13.30")), ("zeta", D(2))):
        sold.events.put(sold.organization_id, "spent", customer_id, at("2026-02-03"), {"usd": usd})

    found = margin_report(sold.services, sold.organization, MarginQuestion(FEBRUARY))

    assert (D("33.80"), D("15.30"), D("18.50")) == (found.margin.revenue, found.margin.cost, found.margin.amount)
    assert [("Cloud", D("15.30"))] == [(metric.metric_name, amount) for metric, amount in found.costs]
    assert [("Zeta", D(-2), None), ("Acme", D("20.50"), D("60.7"))] == [
        (each.customer_name, each.margin.amount, each.margin.percent) for each in found.customers
    ]


def test_the_last_days_are_told_at_a_glance(sold: Business) -> None:
    found = look(sold, 15)

    assert [D("33.80"), D(0)] == [found.revenue.amount.value, found.revenue.amount.before]
    assert (D(1), D(1)) == (found.subscriptions.amount.value, found.subscriptions.amount.before)
    assert (15, at("2026-02-01")) == (len(found.days), found.days[0])
    assert D("33.80") == found.revenue.series[0]


def test_events_and_customers_are_counted_on_their_days(sold: Business) -> None:
    sold.use(3, "2026-02-15")
    found = look(sold, 40)

    assert (D(283), D(3)) == (found.events.amount.value, found.events.series[-1])
    assert 40 == len(found.customers.series)


def test_subscriptions_are_counted_at_the_end_of_each_day(sold: Business) -> None:
    sold.customer("zeta")
    sold.subscribe("2026-02-14", customer_id="zeta")
    sold.cancel("sub_acme_pro")

    assert [D(1), D(2), D(1)] == list(look(sold, 3).subscriptions.series)


def test_what_is_unpaid_and_past_due_is_told(sold: Business) -> None:
    (found,) = look(sold).open_invoices

    assert (2, D("64.80")) == (found.count, found.amount)
    assert (1, D(31)) == (found.past_due_count, found.past_due_amount)  # January's, due on the 31st


def test_parked_work_is_told_with_its_cause(sold: Business) -> None:
    sold.events.is_answering = False
    sold.move("2026-03-01")
    sold.events.is_answering = True

    found = look(sold)

    assert (1, "sub_acme_pro") == (found.parked_count, found.parked[0].subscription_id)
    assert found.parked[0].cause


def test_a_recount_is_remembered(business: Business) -> None:
    assert look(business).verification is None

    assert [] == list(verify_usage(business.services, lambda *_: None))

    verified = look(business).verification
    assert verified is not None
    assert (0, 0) == (verified.aggregate_count, verified.drift_count)


@pytest.mark.parametrize("days", [0, 367])
def test_so_many_days_cannot_be_looked_at(business: Business, days: int) -> None:
    with pytest.raises(Invalid):
        look(business, days)


def test_the_pulse_counts_events(business: Business) -> None:
    business.use(2, "2026-01-01")

    assert 2 == event_pulse(business.services, business.organization).event_count


def test_steps_tick_themselves_off(business: Business) -> None:
    before = first_steps(business.services, business.organization)
    business.plan("pro", charge("31"), price=PENNY)
    business.subscribe()
    business.use(1, "2026-01-01")
    after = first_steps(business.services, business.organization)

    assert FirstSteps(True, True, False, False, False, False, False) == before
    assert (7, True) == (after.done_count, after.are_done)


def test_a_window_ends_today_unless_it_is_said_otherwise(sold: Business) -> None:
    found = revenue(sold, Window())

    assert (at("2026-02-16"), timedelta(days=30)) == (found.window.end, found.window.end - found.window.start)
    assert isinstance(found.before.start, datetime)
