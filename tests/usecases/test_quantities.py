"""Quantities of a subscription: at its start, changed within a period, carried to another plan."""

from decimal import Decimal

import pytest

from lotus_server.domain.catalog import PerUnit, Prepaid, Timing
from lotus_server.domain.subscriptions import charge_key, present_quantity
from lotus_server.kernel.errors import Conflict, Invalid, NotFound
from lotus_server.kernel.period import Duration
from lotus_server.usecases.metrics import MetricDraft, create_metric
from lotus_server.usecases.plan_switch import PlanSwitch, switch_plan
from lotus_server.usecases.plans import ChargeDraft, ComponentDraft, PlanDraft, VersionDraft, create_plan
from lotus_server.usecases.quantities import QuantityOrder, set_quantity
from tests.business import Business, Json, charge
from tests.usecases.test_usage_lines import BY_BYTES, happen

_IN_ARREARS = Timing.IN_ARREARS
SUBSCRIPTION = "sub_acme_pro"


def seats(business: Business, quantity: str, *, invoices_now: bool = False, charge: str = "in_advance") -> None:
    order = QuantityOrder(Decimal(quantity), invoices_now, charge=charge)
    set_quantity(business.services, business.organization, SUBSCRIPTION, order)


def units(business: Business, quantity: str, *, invoices_now: bool = True) -> None:
    order = QuantityOrder(Decimal(quantity), invoices_now, metric_id="bytes")
    set_quantity(business.services, business.organization, SUBSCRIPTION, order)


def sell_prepaid(business: Business, plan_id: str = "pro", units: str | None = "100") -> None:
    if plan_id == "pro":
        create_metric(business.services, business.organization, MetricDraft("bytes", BY_BYTES, "bytes"))
    bought = Prepaid(None if units is None else Decimal(units))
    version = VersionDraft(components=(ComponentDraft("bytes", PerUnit(Decimal("0.31")), prepaid=bought),))
    create_plan(business.services, business.organization, PlanDraft("Pro", Duration.MONTHLY, version, plan_id))


def test_a_change_is_on_the_next_invoice_and_the_next_period_has_the_new_quantity(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()
    business.move("2026-01-11")

    seats(business, "3")
    business.move("2026-02-01")

    # 21 of 31 days of two seats more, then three seats in advance.
    assert [("2026-01-01", Decimal(31)), ("2026-02-01", Decimal(42 + 93))] == business.amounts()


def test_a_change_can_be_invoiced_at_once_and_is_then_not_invoiced_again(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()
    business.move("2026-01-11")

    seats(business, "3", invoices_now=True)
    business.move("2026-02-01")

    assert [("2026-01-01", Decimal(31)), ("2026-01-11", Decimal(42)), ("2026-02-01", Decimal(93))] == business.amounts()


def test_fewer_seats_that_are_invoiced_at_once_are_credit(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe(quantities={"in_advance": Decimal(3)})
    business.move("2026-01-11")

    seats(business, "1", invoices_now=True)

    assert (Decimal(93), Decimal(42)) == (business.amounts()[0][1], business.balance())


def test_the_same_quantity_again_changes_nothing(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()
    business.move("2026-01-11")
    seats(business, "3", invoices_now=True)
    before = (business.invoices(), business.subscription(SUBSCRIPTION).subscription)

    seats(business, "3", invoices_now=True)

    assert before == (business.invoices(), business.subscription(SUBSCRIPTION).subscription)


def test_a_draft_with_a_change_is_the_invoice_that_cancelling_issues(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()
    business.move("2026-01-11")
    seats(business, "3")
    business.move("2026-01-21")
    before = business.draft_amounts()

    _, invoice = business.cancel(SUBSCRIPTION)

    assert invoice is not None
    assert [[Decimal(42)]] == before == [[line.amount for line in invoice.lines]]


def test_a_change_before_the_start_is_a_quantity_at_the_start(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe("2026-02-01")

    seats(business, "4", invoices_now=True)
    business.move("2026-02-01")

    assert [("2026-02-01", Decimal(124))] == business.amounts()


def test_a_subscription_that_has_ended_takes_no_change(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()
    business.cancel(SUBSCRIPTION)

    with pytest.raises(Conflict):
        seats(business, "2")


def test_an_unknown_charge_is_not_found(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()

    with pytest.raises(NotFound):
        seats(business, "2", charge="desks")


def test_quantities_go_with_a_subscription_to_a_plan_that_has_a_charge_of_the_name(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.plan("max", charge("62"))
    business.subscribe()
    seats(business, "3", invoices_now=True)

    view = switch_plan(business.services, business.organization, SUBSCRIPTION, PlanSwitch("max"))

    held = view.version.recurring_charges[0]
    assert Decimal(3) == present_quantity(view.subscription, charge_key(held), held.quantity)
    assert Decimal(186) == business.invoices()[-1].lines[-1].amount


def test_prepaid_units_are_invoiced_with_each_period_and_only_what_is_beyond_them_after_it(business: Business) -> None:
    sell_prepaid(business)
    business.subscribe()
    happen(business, [{"bytes": 130}])

    business.move("2026-03-01")

    assert [
        ("2026-01-01", Decimal(31)),
        ("2026-02-01", Decimal("9.30") + 31),
        ("2026-03-01", Decimal(31)),
    ] == business.amounts()


def test_a_subscription_says_how_many_units_are_prepaid(business: Business) -> None:
    sell_prepaid(business, units=None)

    business.subscribe(prepaid_units={"bytes": Decimal(200)})

    assert [("2026-01-01", Decimal(62))] == business.amounts()


@pytest.mark.parametrize(
    ("given", "code"),
    [({}, "prepayment_cant_determine_units"), ({"bytes": Decimal(1), "calls": Decimal(1)}, "unknown_metric")],
)
def test_a_subscription_whose_prepaid_units_nobody_knows_is_refused(business: Business, given: Json, code: str) -> None:
    sell_prepaid(business, units=None)

    with pytest.raises(Invalid) as caught:
        business.subscribe(prepaid_units=given)

    assert [code] == [each.code for each in caught.value.problems]


def test_more_prepaid_units_are_invoiced_at_once_for_the_rest_of_the_period(business: Business) -> None:
    sell_prepaid(business)
    business.subscribe()
    business.move("2026-01-22")

    units(business, "200")
    business.move("2026-02-01")

    assert [
        ("2026-01-01", Decimal(31)),
        ("2026-01-22", Decimal(10)),
        ("2026-02-01", Decimal(62)),
    ] == business.amounts()


def test_fewer_prepaid_units_come_back_as_credit(business: Business) -> None:
    sell_prepaid(business)
    business.subscribe()
    business.move("2026-01-22")

    units(business, "0")

    assert Decimal(10) == business.balance()


def test_prepaid_units_go_with_a_subscription_to_a_plan_that_sells_the_metric_so(business: Business) -> None:
    sell_prepaid(business)
    sell_prepaid(business, "max", units=None)
    business.subscribe(prepaid_units={"bytes": Decimal(200)})

    switch_plan(business.services, business.organization, SUBSCRIPTION, PlanSwitch("max"))

    assert Decimal(62) == business.invoices()[-1].lines[-1].amount


def test_seats_in_arrears_are_invoiced_for_the_time_they_were_held(business: Business) -> None:
    version = VersionDraft(recurring_charges=(ChargeDraft("seats", Decimal(31), _IN_ARREARS),))
    create_plan(business.services, business.organization, PlanDraft("Pro", Duration.MONTHLY, version, "pro"))
    business.subscribe()
    business.move("2026-01-11")

    seats(business, "2", charge="seats", invoices_now=True)
    business.move("2026-02-01")

    assert [("2026-02-01", Decimal(10 + 42))] == business.amounts()
