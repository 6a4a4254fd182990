"""Adjustments, commitments and pricing units of a version, in drafts and in every invoice however it comes about."""

from decimal import Decimal

import pytest

from lotus_server.domain.catalog import AdjustmentKind, Commitment, Conversion, PerUnit, PriceAdjustment, Timing
from lotus_server.domain.invoicing import FlatFeeBehavior, Invoice, LineKind
from lotus_server.domain.metering import Aggregation, MetricDefinition
from lotus_server.kernel.period import Duration
from lotus_server.usecases.metrics import MetricDraft, create_metric
from lotus_server.usecases.plan_switch import PlanSwitch, switch_plan
from lotus_server.usecases.plan_versions import Replace, create_version
from lotus_server.usecases.plans import ChargeDraft, ComponentDraft, PlanDraft, VersionDraft, create_plan
from lotus_server.usecases.pricing_units import PricingUnitDraft, create_pricing_unit
from lotus_server.usecases.subscriptions import Cancellation
from tests.business import Business, charge

D = Decimal
SUB = "sub_acme_pro"
TENTH_OFF = PriceAdjustment(AdjustmentKind.PERCENTAGE, D(-10), "Launch")


def _sell(
    business: Business,
    *charges: ChargeDraft,
    unit_price: str = "1",
    adjustment: PriceAdjustment | None = None,
    commitment: Commitment | None = None,
    plan_id: str = "pro",
) -> None:
    """Sell calls at a price, with further terms."""
    draft = MetricDraft(f"Calls of {plan_id}", MetricDefinition("call", Aggregation.COUNT), f"calls_{plan_id}")
    create_metric(business.services, business.organization, draft)
    version = VersionDraft(
        recurring_charges=charges,
        components=(ComponentDraft(f"calls_{plan_id}", PerUnit(D(unit_price))),),
        price_adjustment=adjustment,
        commitment=commitment,
    )
    create_plan(business.services, business.organization, PlanDraft(plan_id, Duration.MONTHLY, version, plan_id))


def _lines(invoice: Invoice) -> list[tuple[LineKind, Decimal]]:
    return [(line.kind, line.amount) for line in invoice.lines]


def test_every_invoice_is_adjusted(business: Business) -> None:
    _sell(business, charge("30"), adjustment=TENTH_OFF)
    business.subscribe()
    business.use(10, "2026-01-10")

    business.move("2026-02-01")

    first, second = business.invoices()
    assert [(LineKind.RECURRING, D(30)), (LineKind.ADJUSTMENT, D(-3))] == _lines(first)
    assert [(LineKind.USAGE, D(10)), (LineKind.RECURRING, D(30)), (LineKind.ADJUSTMENT, D(-4))] == _lines(second)
    assert [D(27), D(36)] == [invoice.subtotal for invoice in (first, second)]


def test_the_draft_is_adjusted_like_the_invoice(business: Business) -> None:
    _sell(business, charge("30", Timing.IN_ARREARS), adjustment=TENTH_OFF, commitment=Commitment(D(100)))
    business.subscribe()
    business.use(10, "2026-01-05")
    business.move("2026-01-16T12:00")
    drafts = business.draft_amounts()

    _, invoice = business.cancel(SUB)

    assert invoice is not None
    assert [[D(10), D(15), D(25), D(-5)]] == drafts  # half of 100 committed
    assert drafts == [[line.amount for line in invoice.lines]]


def test_cancelling_gives_back_what_was_paid_for_a_discounted_charge(business: Business) -> None:
    _sell(business, charge("30"), adjustment=TENTH_OFF)
    business.subscribe()

    _, invoice = business.cancel(SUB, Cancellation(flat_fees=FlatFeeBehavior.REFUND))

    assert invoice is not None
    assert D(-27) == invoice.subtotal
    assert D(27) == business.balance()


def test_switching_settles_with_the_old_terms_and_begins_with_the_new_ones(business: Business) -> None:
    _sell(business, charge("31"), adjustment=TENTH_OFF)
    _sell(business, charge("62"), plan_id="max", adjustment=PriceAdjustment(AdjustmentKind.FIXED, D(-1)))
    business.subscribe()
    business.move("2026-01-16T12:00")

    switch_plan(business.services, business.organization, SUB, PlanSwitch(plan_id="max"))

    assert [D("27.9"), D("-13.95"), D(30)] == [invoice.subtotal for invoice in business.invoices()]


def test_a_commitment_is_made_up_for_at_the_end_of_each_period(business: Business) -> None:
    _sell(business, charge("30"), commitment=Commitment(D(100), D("1.5")))
    business.subscribe()
    business.use(20, "2026-01-10")
    business.use(90, "2026-02-10")

    business.move("2026-03-01")

    kinds = [[(kind, amount) for kind, amount in _lines(invoice)] for invoice in business.invoices()]
    usage, fee, commitment = LineKind.USAGE, LineKind.RECURRING, LineKind.COMMITMENT
    assert [
        [(fee, D(30))],
        [(usage, D(20)), (commitment, D(50)), (fee, D(30))],
        [(usage, D(90)), (commitment, D(10)), (fee, D(30))],  # 20 beyond 100, half of it on top
    ] == kinds


@pytest.mark.parametrize(
    "how", [Cancellation(flat_fees=FlatFeeBehavior.REFUND), Cancellation(bills_usage=False)], ids=["refund", "no usage"]
)
def test_a_cancellation_that_lets_things_off_does_not_take_them_back_by_the_commitment(
    business: Business, how: Cancellation
) -> None:
    _sell(business, commitment=Commitment(D(100)))
    business.subscribe()
    business.move("2026-01-16T12:00")

    _, invoice = business.cancel(SUB, how)

    assert invoice is None or D(0) == invoice.subtotal


def test_a_renewal_with_another_version_adjusts_each_versions_lines(business: Business) -> None:
    _sell(business, charge("30"), adjustment=TENTH_OFF)
    business.subscribe()
    business.use(10, "2026-01-10")
    dearer = VersionDraft(
        recurring_charges=(charge("40"),), price_adjustment=PriceAdjustment(AdjustmentKind.FIXED, D(5))
    )
    create_version(business.services, business.organization, "pro", dearer, Replace.ON_RENEWAL)

    business.move("2026-02-01")

    adjustment = LineKind.ADJUSTMENT
    assert [
        (LineKind.USAGE, D(10)),
        (adjustment, D(-1)),
        (LineKind.RECURRING, D(40)),
        (adjustment, D(5)),
    ] == _lines(business.invoices()[1])


def test_usage_priced_in_credits_is_billed_in_money(business: Business) -> None:
    create_pricing_unit(business.services, business.organization, PricingUnitDraft("credits", "Credits", "¤"))
    create_metric(
        business.services, business.organization, MetricDraft("Calls", MetricDefinition("call", Aggregation.COUNT), "m")
    )
    credits_at = Conversion("credits", D("0.015"))
    version = VersionDraft(
        recurring_charges=(ChargeDraft("Base", D(1000), quantity=D(2), conversion=credits_at),),
        components=(ComponentDraft("m", PerUnit(D(3)), conversion=credits_at),),
    )
    create_plan(business.services, business.organization, PlanDraft("Pro", Duration.MONTHLY, version, "pro"))
    business.subscribe()
    business.use(7, "2026-01-10")

    business.move("2026-02-01")

    first, second = business.invoices()
    assert [D(30)] == [line.amount for line in first.lines]
    assert D("0.32") == second.lines[0].amount  # 21 credits, 0.315
    assert ["7 units x 3 = 21 credits", "21 credits at 0.015 each"] == [step.text for step in second.lines[0].steps]


def test_lines_carry_the_name_that_customers_know_the_plan_by(business: Business) -> None:
    business.plan("pro", charge("30"))
    german = VersionDraft(recurring_charges=(charge("30"),), localized_name="Profi")
    create_version(business.services, business.organization, "pro", german)
    business.subscribe()

    assert "Profi in_advance" == business.invoices()[0].lines[0].name
