"""Late, voided and amended events: what they change about invoiced periods comes with the next invoice, once."""

from decimal import Decimal
from typing import Final

import msgspec
import pytest

from lotus_server.domain.catalog import AdjustmentKind, Commitment, PriceAdjustment
from lotus_server.domain.invoicing import Invoice, InvoiceLine, LineKind
from lotus_server.domain.metering import Aggregation, CorrectionKind, Granularity, MetricDefinition, MetricType
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import to_microseconds
from lotus_server.kernel.period import Duration
from lotus_server.ports.event_store import CorrectionOrder
from lotus_server.usecases.correction_invoices import invoice_corrections
from lotus_server.usecases.corrections import list_open_corrections
from lotus_server.usecases.drafts import draft_invoices
from lotus_server.usecases.invoices import void_invoice
from lotus_server.usecases.metrics import MetricDraft, create_metric
from lotus_server.usecases.plan_switch import PlanSwitch, switch_plan
from lotus_server.usecases.plans import ComponentDraft, PlanDraft, VersionDraft, create_plan
from lotus_server.usecases.subscriptions import Cancellation
from lotus_server.wire.forms import read
from lotus_server.wire.prices import PriceForm
from tests.business import Business, Json, at

D = Decimal
SUM: Final = MetricDefinition("call", Aggregation.SUM, "n")
ONE_EACH: Final = {"model": "per_unit", "unit_price": 1}
TIERS: Final = {"model": "graduated", "tiers": [{"up_to": 10, "unit_price": 2}, {"unit_price": 1, "flat_fee": 5}]}


def sell(
    business: Business,
    price: Json = None,
    definition: MetricDefinition = SUM,
    plan_id: str = "pro",
    *,
    component: Json = None,
    **more: Json,
) -> None:
    """Make a plan with one component."""
    create_metric(business.services, business.organization, MetricDraft(plan_id.title(), definition, plan_id))
    problems = Problems()
    found = read(PriceForm, price or ONE_EACH, problems).to_price(problems, "")
    problems.raise_if_any()
    version = VersionDraft(components=(ComponentDraft(plan_id, found, **(component or {})),), **more)
    create_plan(business.services, business.organization, PlanDraft("Pro", Duration.MONTHLY, version, plan_id))


def use(business: Business, n: object, when: str, customer_id: str = "acme", **more: object) -> str:
    """One event happens; its id is returned."""
    store = business.events
    store.put(business.organization_id, "call", customer_id, at(when), {"n": n, **more})
    return f"put_{store.event_count(business.organization_id)}"


def void(business: Business, event: str) -> None:
    order = CorrectionOrder(event, CorrectionKind.VOID, "a mistake")
    business.events.correct(business.organization_id, [order], now=at("2026-02-01"))


def amend(business: Business, event: str, **changes: Json) -> None:
    order = CorrectionOrder(event, CorrectionKind.AMEND, "a mistake", **changes)
    business.events.correct(business.organization_id, [order], now=at("2026-02-01"))


def corrections(invoice: Invoice) -> list[InvoiceLine]:
    return [line for line in invoice.lines if line.kind is LineKind.CORRECTION]


def amounts(invoice: Invoice) -> list[Decimal]:
    return [line.amount for line in corrections(invoice)]


@pytest.fixture
def january(business: Business) -> Business:
    """A customer whose first month, with a usage of 20, was invoiced."""
    sell(business)
    business.subscribe()
    use(business, 20, "2026-01-10")
    business.move("2026-02-10")
    return business


def test_a_late_event_comes_as_a_line_for_the_difference(january: Business) -> None:
    use(january, 5, "2026-01-20")
    january.move("2026-03-01")

    first, second = january.invoices()
    (line,) = corrections(second)

    assert D(5) == line.amount == line.exact_amount == line.quantity
    assert ("Pro (correction)", first.lines[0].period, first.lines[0].charge_id) == (
        line.name,
        line.period,
        line.charge_id,
    )
    assert line.refers_to is not None
    assert (first.invoice_id, first.invoice_number, 0) == msgspec.structs.astuple(line.refers_to)
    assert second.period.start == at("2026-02-01")


def test_a_correction_shows_both_sides(january: Business) -> None:
    use(january, 5, "2026-01-20")
    january.move("2026-03-01")

    (line,) = corrections(january.invoices()[1])

    assert [D(25), D(-20)] == [step.amount for step in line.steps if step.amount is not None]
    assert line.steps[0].text.endswith("= 25")


def test_a_late_event_before_its_period_is_billed_simply_counts(business: Business) -> None:
    sell(business)
    business.subscribe()
    use(business, 20, "2026-01-10")
    business.move("2026-01-25")
    use(business, 5, "2026-01-02")
    business.move("2026-03-01")

    assert [("2026-02-01", D(25)), ("2026-03-01", D(0))] == business.amounts()


def test_a_correction_comes_once(january: Business) -> None:
    use(january, 5, "2026-01-20")
    january.move("2026-03-01")
    january.move("2026-04-01")
    january.move("2026-05-01")

    assert [D(20), D(5), D(0), D(0)] == [invoice.subtotal for invoice in january.invoices()]


def test_a_correction_that_is_overtaken_is_corrected_by_the_further_difference(january: Business) -> None:
    use(january, 5, "2026-01-20")
    january.move("2026-03-01")
    use(january, 7, "2026-01-21")
    january.move("2026-04-01")

    (line,) = corrections(january.invoices()[2])

    assert (D(7), D(7)) == (line.amount, line.quantity)
    assert line.refers_to is not None
    assert january.invoices()[0].invoice_id == line.refers_to.invoice_id


def test_an_event_of_any_age_is_corrected(january: Business) -> None:
    january.move("2029-02-10")
    use(january, 5, "2026-01-20")
    january.move("2029-03-01")

    assert [D(5)] == amounts(january.invoices()[-1])


def test_a_voided_event_comes_back_as_credit(january: Business) -> None:
    void(january, "put_1")
    january.move("2026-03-01")

    assert [D(-20)] == amounts(january.invoices()[1])
    assert D(20) == january.balance()


def test_an_event_that_is_voided_after_its_correction_takes_that_back(january: Business) -> None:
    event = use(january, 5, "2026-01-20")
    january.move("2026-03-01")
    void(january, event)
    january.move("2026-04-01")

    assert [[], [D(5)], [D(-5)]] == [amounts(invoice) for invoice in january.invoices()]


def test_an_amended_amount_is_corrected(january: Business) -> None:
    amend(january, "put_1", properties_json=b'{"n": 12}')
    january.move("2026-03-01")

    assert [D(-8)] == amounts(january.invoices()[1])


def test_an_event_that_moves_to_another_invoiced_period_corrects_both(january: Business) -> None:
    january.move("2026-03-10")
    amend(january, "put_1", happened_us=to_microseconds(at("2026-02-10")))
    january.move("2026-04-01")

    assert [D(-20), D(20)] == amounts(january.invoices()[2])


def test_an_event_that_moves_to_the_open_period_counts_there(january: Business) -> None:
    amend(january, "put_1", happened_us=to_microseconds(at("2026-02-05")))
    january.move("2026-03-01")

    assert [D(20), D(-20)] == [line.amount for line in january.invoices()[1].lines]


def test_an_event_that_moves_to_another_customer_corrects_both(january: Business) -> None:
    january.customer("globex")
    january.subscribe(customer_id="globex")
    amend(january, "put_1", customer_id="globex")
    january.move("2026-03-01")

    assert [D(-20)] == amounts(january.invoices("acme")[-1])
    assert [D(20)] == amounts(january.invoices("globex")[-1])


def test_a_late_event_can_move_a_tier(business: Business) -> None:
    sell(business, TIERS)
    business.subscribe()
    use(business, 8, "2026-01-10")
    business.move("2026-02-10")
    use(business, 4, "2026-01-11")
    business.move("2026-03-01")

    assert [D(27) - D(16)] == amounts(business.invoices()[1])


def test_events_within_what_is_free_change_no_amount_and_have_no_line(business: Business) -> None:
    sell(business, {"model": "per_unit", "unit_price": 1, "free_units": 50})
    business.subscribe()
    use(business, 20, "2026-01-10")
    business.move("2026-02-10")
    use(business, 25, "2026-01-11")
    business.move("2026-03-01")
    use(business, 10, "2026-01-12")
    business.move("2026-04-01")

    second, third = business.invoices()[1:]
    assert [] == amounts(second)
    # 45 of them were free already: the quantity counts from what stands on an invoice.
    assert [(D(5), D(35))] == [(line.amount, line.quantity) for line in corrections(third)]


def test_each_group_is_corrected_by_itself_and_new_ones_refer_to_the_invoice(business: Business) -> None:
    sell(business, definition=msgspec.structs.replace(SUM, group_by=("g",)))
    business.subscribe()
    gone = use(business, 3, "2026-01-10", g="a")
    use(business, 4, "2026-01-10", g="b")
    business.move("2026-02-10")
    void(business, gone)
    use(business, 1, "2026-01-10", g="b")
    use(business, 7, "2026-01-10", g="c")
    business.move("2026-03-01")

    found = corrections(business.invoices()[1])

    assert [({"g": "a"}, D(-3), 0), ({"g": "b"}, D(1), 1), ({"g": "c"}, D(7), None)] == [
        (line.group, line.amount, line.refers_to and line.refers_to.line) for line in found
    ]


def test_windows_are_priced_on_their_own_in_corrections_too(business: Business) -> None:
    by_day = msgspec.structs.replace(SUM, window=Granularity.DAY)
    sell(business, {"model": "per_unit", "unit_price": 1, "free_units": 10}, by_day)
    business.subscribe()
    use(business, 12, "2026-01-10")
    business.move("2026-02-10")
    use(business, 3, "2026-01-10T12:00")
    use(business, 8, "2026-01-11")
    business.move("2026-03-01")

    assert [D(3)] == amounts(business.invoices()[1])


def test_a_late_level_lasts_into_the_periods_that_follow(business: Business) -> None:
    gauge = MetricDefinition("call", Aggregation.SUM, "n", type=MetricType.GAUGE, granularity=Granularity.DAY)
    sell(business, definition=gauge)
    business.subscribe()
    business.move("2026-03-10")
    use(business, 2, "2026-01-22")
    business.move("2026-04-01")

    invoice = business.invoices()[-1]
    assert [D(20), D(56)] == amounts(invoice)
    assert D(62) == invoice.lines[0].amount


def test_percentages_look_at_each_event_again(business: Business) -> None:
    sell(business, {"model": "percentage", "rate_percent": 10, "free_events": 1})
    business.subscribe()
    use(business, 100, "2026-01-10")
    use(business, 50, "2026-01-11")
    business.move("2026-02-10")
    # The sum stays the same and the order changes: another event is free.
    amend(business, "put_1", happened_us=to_microseconds(at("2026-01-12")))
    business.move("2026-03-01")

    assert [D(5)] == amounts(business.invoices()[1])


def test_a_dynamic_amount_that_comes_late_is_corrected(business: Business) -> None:
    sell(business, {"model": "dynamic", "amount_property": "cost"})
    business.subscribe()
    use(business, 1, "2026-01-10", cost="1.25")
    business.move("2026-02-10")
    use(business, 1, "2026-01-11", cost="0.5")
    business.move("2026-03-01")

    assert [D("0.50")] == amounts(business.invoices()[1])


def test_a_commitment_is_reached_by_late_events_too(business: Business) -> None:
    sell(business, commitment=Commitment(D(100)))
    business.subscribe()
    use(business, 60, "2026-01-10")
    business.move("2026-02-10")
    use(business, 30, "2026-01-11")
    business.move("2026-03-10")
    use(business, 30, "2026-01-12")
    business.move("2026-04-01")

    first, second, third = business.invoices()
    assert [D(60), D(40)] == [line.amount for line in first.lines]
    assert [D(30), D(-30)] == amounts(second)
    assert [D(30), D(-10)] == amounts(third)


@pytest.mark.parametrize(
    ("kind", "amount", "first", "second"),
    [
        (AdjustmentKind.PERCENTAGE, "-10", [20, -2], [5, D("-0.5")]),
        (AdjustmentKind.FIXED, "-3", [20, -3], [5]),
        (AdjustmentKind.FIXED, "-22", [20, -20], [5, -2]),
        (AdjustmentKind.OVERRIDE, "7", [20, -13], [5, -5]),
    ],
)
def test_a_price_adjustment_is_that_of_the_corrected_period(
    business: Business, kind: AdjustmentKind, amount: str, first: list[Decimal], second: list[Decimal]
) -> None:
    sell(business, price_adjustment=PriceAdjustment(kind, D(amount)))
    business.subscribe()
    use(business, 20, "2026-01-10")
    business.move("2026-02-10")
    use(business, 5, "2026-01-11")
    business.move("2026-03-01")

    before, after = business.invoices()
    assert first == [line.amount for line in before.lines]
    assert second == amounts(after)


def test_a_voided_invoice_is_not_billed_again_by_a_correction(january: Business) -> None:
    use(january, 5, "2026-01-20")
    void_invoice(january.services, january.organization, january.invoices()[0].invoice_id)
    january.move("2026-03-01")

    assert [] == amounts(january.invoices()[1])


def test_the_draft_shows_what_the_invoice_will_correct(january: Business) -> None:
    use(january, 5, "2026-01-20")
    use(january, 3, "2026-02-05")
    _, (draft,) = draft_invoices(january.services, january.organization, "acme")

    _, invoice = january.cancel("sub_acme_pro")

    assert invoice is not None
    assert [D(3), D(5)] == [line.amount for line in invoice.lines]
    assert draft.lines == invoice.lines
    assert draft.totals.subtotal == invoice.subtotal


def test_a_draft_corrects_nothing_for_good(january: Business) -> None:
    use(january, 5, "2026-01-20")
    assert january.draft_amounts() == january.draft_amounts() == [[D(0), D(5)]]


def test_the_last_period_of_a_cancelled_subscription_is_corrected_with_the_customer_s_next_invoice(
    january: Business,
) -> None:
    january.cancel("sub_acme_pro")
    sell(january, plan_id="max")
    january.subscribe("2026-02-10", plan_id="max")
    use(january, 4, "2026-02-10")
    use(january, 5, "2026-02-05")
    use(january, 6, "2026-01-05")
    january.move("2026-03-10")

    # An event at the very instant of cancelling is part of what was cancelled.
    assert [D(6), D(9)] == amounts(january.invoices()[-1])


def test_an_ended_subscription_in_another_currency_waits_for_an_invoice_in_its_own(january: Business) -> None:
    january.cancel("sub_acme_pro")
    january.plan("euro", price=None, currency="EUR")
    january.subscribe("2026-02-10", plan_id="euro")
    use(january, 5, "2026-01-05")
    january.move("2026-03-10")

    _, found = list_open_corrections(january.services, january.organization, "acme")

    assert [] == [line for invoice in january.invoices()[2:] for line in corrections(invoice)]
    assert [("sub_acme_pro", D(5))] == [(each.closed.billed.subscription_id, each.lines[0].amount) for each in found]


def test_after_a_switch_the_old_part_is_corrected_by_the_old_plan(january: Business) -> None:
    sell(january, {"model": "per_unit", "unit_price": 10}, plan_id="max")
    switch_plan(january.services, january.organization, "sub_acme_pro", PlanSwitch("max"))
    use(january, 5, "2026-02-05")
    use(january, 1, "2026-02-10")
    january.move("2026-03-01")

    invoice = january.invoices()[-1]
    assert [D(10), D(5)] == [line.amount for line in invoice.lines]


def test_usage_that_a_switch_carried_over_is_not_corrected_with_the_old_plan(business: Business) -> None:
    create_metric(business.services, business.organization, MetricDraft("Calls", SUM, "calls"))
    for plan_id, price in (("pro", 1), ("max", 10)):
        problems = Problems()
        found = read(PriceForm, {"model": "per_unit", "unit_price": price}, problems).to_price(problems, "")
        version = VersionDraft(components=(ComponentDraft("calls", found),))
        create_plan(business.services, business.organization, PlanDraft("Pro", Duration.MONTHLY, version, plan_id))
    business.subscribe()
    business.move("2026-01-15")
    switch_plan(business.services, business.organization, "sub_acme_pro", PlanSwitch("max", carries_usage=True))
    business.move("2026-02-10")
    use(business, 1, "2026-01-05")
    business.move("2026-03-01")

    assert [[D(10)]] == [amounts(invoice) for invoice in business.invoices() if amounts(invoice)]


def test_usage_that_a_cancellation_let_off_stays_let_off(january: Business) -> None:
    january.cancel("sub_acme_pro", Cancellation(bills_usage=False))
    use(january, 5, "2026-02-05")

    assert [] == list_open_corrections(january.services, january.organization, "acme")[1]


def test_open_corrections_are_listed_until_an_invoice_has_them(january: Business) -> None:
    use(january, 5, "2026-01-20")
    _, found = list_open_corrections(january.services, january.organization, "acme")
    january.move("2026-03-01")

    assert [[D(5)]] == [[line.amount for line in each.lines] for each in found]
    assert [] == list_open_corrections(january.services, january.organization, "acme")[1]


def test_what_an_ended_subscription_left_behind_can_be_invoiced_at_once_and_only_once(january: Business) -> None:
    january.cancel("sub_acme_pro")
    use(january, 5, "2026-01-20")

    first, second = (invoice_corrections(january.services, january.organization, "acme") for _ in range(2))

    assert [[D(5)]] == [[line.amount for line in view.invoice.lines] for view in first]
    assert [None] == [view.invoice.subscription_id for view in first]
    assert [] == second
    assert [] == list_open_corrections(january.services, january.organization, "acme")[1]
    assert D(5) == january.invoices()[-1].total


def test_what_was_invoiced_at_once_is_not_on_the_next_invoice(january: Business) -> None:
    use(january, 5, "2026-01-20")
    invoice_corrections(january.services, january.organization, "acme")
    use(january, 2, "2026-01-21")
    january.move("2026-03-01")

    assert [[], [D(5)], [D(2)]] == [amounts(invoice) for invoice in january.invoices()]
