"""Cancelling in each form: what is billed, what is not, and what stands afterwards."""

from decimal import Decimal

import msgspec
import pytest

from lotus_server.domain.catalog import Proration, Timing
from lotus_server.domain.invoicing import FlatFeeBehavior, Invoice, PaymentStatus
from lotus_server.domain.subscriptions import Status
from lotus_server.kernel.errors import Conflict, NotFound
from lotus_server.kernel.period import Duration
from lotus_server.usecases.customers import get_customer
from lotus_server.usecases.drafts import draft_invoices
from lotus_server.usecases.subscriptions import Cancellation, SubscriptionChange, cancel_matching, change_subscription
from tests.business import PENNY, Business, at, charge

NO_BILL = Cancellation(bills=False)
RUN_OUT = Cancellation(ends_now=False, bills=False)
SUB = "sub_acme_pro"


def line_amounts(invoice: Invoice | None) -> list[Decimal]:
    assert invoice is not None
    return [line.amount for line in invoice.lines]


@pytest.fixture
def running(business: Business) -> Business:
    """Acme's January has 31.00 in advance, 62.00 in arrears and 200 calls; half of 16 January is over."""
    business.plan("pro", charge("31"), charge("62", Timing.IN_ARREARS), price=PENNY)
    business.subscribe("2026-01-01")
    business.use(200, "2026-01-05")
    business.move("2026-01-16T12:00")
    return business


def test_cancelling_bills_usage_so_far_and_the_due_part_of_charges_in_arrears(running: Business) -> None:
    _, invoice = running.cancel(SUB)

    # Half of January has passed.
    assert line_amounts(invoice) == [Decimal("2.00"), Decimal("31.00")]


def test_the_last_invoice_equals_the_draft_just_before(running: Business) -> None:
    _, (draft,) = draft_invoices(running.services, running.organization, "acme")

    _, invoice = running.cancel(SUB)

    assert invoice is not None
    assert invoice.lines == draft.lines


def test_cancelling_ends_the_subscription_at_that_instant(running: Business) -> None:
    view, _ = running.cancel(SUB)

    assert (view.status, view.subscription.ends_at) == (Status.ENDED, at("2026-01-16T12:00"))


def test_what_was_cancelled_is_never_billed_again(running: Business) -> None:
    running.cancel(SUB)
    before = running.invoices()

    running.move("2026-06-01")

    assert running.invoices() == before


def test_a_second_cancellation_is_refused_and_issues_nothing(running: Business) -> None:
    running.cancel(SUB)
    before = running.invoices()

    with pytest.raises(Conflict) as refused:
        running.cancel(SUB)

    assert refused.value.code == "invalid_state"
    assert running.invoices() == before


def test_cancelling_without_a_bill_issues_nothing_now_or_later(running: Business) -> None:
    before = running.invoices()

    view, invoice = running.cancel(SUB, NO_BILL)
    running.move("2026-06-01")

    assert (view.status, invoice) == (Status.ENDED, None)
    assert running.invoices() == before


def test_running_out_keeps_the_subscription_active_to_the_end_of_its_period(running: Business) -> None:
    view, invoice = running.cancel(SUB, RUN_OUT)

    assert (view.status, invoice) == (Status.ACTIVE, None)
    assert view.subscription.ends_at == at("2026-02-01")


def test_running_out_bills_the_whole_period_at_its_end_and_does_not_renew(running: Business) -> None:
    running.cancel(SUB, RUN_OUT)
    running.use(50, "2026-01-20")

    running.move("2026-06-01")

    amounts = [line_amounts(invoice) for invoice in running.invoices()]
    assert amounts == [[Decimal("31.00")], [Decimal("2.50"), Decimal("62.00")]]


def test_what_runs_out_can_still_be_ended_at_once(running: Business) -> None:
    running.cancel(SUB, RUN_OUT)

    view, invoice = running.cancel(SUB)

    assert view.status is Status.ENDED
    assert line_amounts(invoice) == [Decimal("2.00"), Decimal("31.00")]


def test_running_out_twice_changes_nothing(running: Business) -> None:
    first, _ = running.cancel(SUB, RUN_OUT)
    running.move("2026-01-20")

    second, _ = running.cancel(SUB, RUN_OUT)

    assert second.subscription == first.subscription


@pytest.mark.parametrize(
    ("behavior", "amounts"),
    [
        # In advance 31.00 was invoiced; half of it is unused.
        (FlatFeeBehavior.AS_INVOICED, ["2.00", "31.00"]),
        (FlatFeeBehavior.OWN, ["2.00", "-15.50", "31.00"]),
        (FlatFeeBehavior.CHARGE_PRORATED, ["2.00", "-15.50", "31.00"]),
        (FlatFeeBehavior.CHARGE_FULL, ["2.00", "62.00"]),
        (FlatFeeBehavior.REFUND, ["2.00", "-31.00"]),
    ],
)
def test_flat_fees_are_settled_as_asked(running: Business, behavior: FlatFeeBehavior, amounts: list[str]) -> None:
    _, invoice = running.cancel(SUB, Cancellation(flat_fees=behavior))

    assert line_amounts(invoice) == [Decimal(text) for text in amounts]


def test_usage_can_be_left_out(running: Business) -> None:
    _, invoice = running.cancel(SUB, Cancellation(bills_usage=False))

    assert line_amounts(invoice) == [Decimal("31.00")]


def test_a_charge_without_proration_stays_due_in_full(business: Business) -> None:
    business.plan("pro", charge("31", proration=Proration.FULL))
    business.subscribe("2026-01-01")
    business.move("2026-01-11")

    _, invoice = business.cancel(SUB, Cancellation(flat_fees=FlatFeeBehavior.OWN))

    assert invoice is None  # nothing to add to the invoice of 1 January, nothing to take back from it
    assert [issued.subtotal for issued in business.invoices()] == [Decimal("31.00")]


def test_a_negative_total_becomes_credit_and_leaves_nothing_to_pay(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe("2026-01-01")
    business.move("2026-01-11")

    _, invoice = business.cancel(SUB, Cancellation(flat_fees=FlatFeeBehavior.OWN))

    assert invoice is not None
    assert (invoice.subtotal, invoice.total, invoice.payment_status) == (
        Decimal("-21.00"),
        Decimal(0),
        PaymentStatus.PAID,
    )
    assert business.balance() == Decimal("21.00")


def test_credit_pays_the_next_invoices_until_it_is_used_up(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.plan("small", charge("15"), duration=Duration.WEEKLY)
    business.subscribe("2026-01-01")
    business.move("2026-01-11")
    business.cancel(SUB, Cancellation(flat_fees=FlatFeeBehavior.OWN))

    business.subscribe("2026-01-11", plan_id="small")
    business.move("2026-01-26")

    paid = [(invoice.subtotal, invoice.credit_applied, invoice.total) for invoice in business.invoices()[2:]]
    fifteen = Decimal(15)
    assert paid == [
        (fifteen, fifteen, Decimal(0)),
        (fifteen, Decimal(6), Decimal(9)),
        (fifteen, Decimal(0), fifteen),
    ]
    assert business.balance() == 0


def test_an_invoice_that_credit_pays_in_full_is_paid(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.plan("small", charge("10"))
    business.subscribe("2026-01-01")
    business.cancel(SUB, Cancellation(flat_fees=FlatFeeBehavior.REFUND))

    business.subscribe("2026-01-01", plan_id="small")

    assert business.invoices()[-1].payment_status is PaymentStatus.PAID
    assert get_customer(business.services, business.organization, "acme").total_amount_due == Decimal(31)


def test_credit_of_one_currency_does_not_pay_in_another(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.plan("euro", charge("10"), currency="EUR")
    business.subscribe("2026-01-01")
    business.cancel(SUB, Cancellation(flat_fees=FlatFeeBehavior.REFUND))

    business.subscribe("2026-01-01", plan_id="euro")

    assert business.invoices()[-1].total == Decimal(10)


def test_cancelling_before_the_start_leaves_nothing_behind(business: Business) -> None:
    business.plan("pro", charge("31"), price=PENNY)
    business.subscribe("2026-03-01")

    _, invoice = business.cancel(SUB)
    business.move("2026-06-01")

    assert invoice is None
    assert business.invoices() == []


def test_a_subscription_cancelled_before_its_start_is_in_nobodys_way(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe("2026-03-01")
    business.cancel(SUB)

    business.subscribe("2026-02-01", subscription_id="another")

    assert business.subscription("another").subscription.starts_at == at("2026-02-01")


def test_cancelling_at_the_very_start_bills_usage_of_that_instant_only(business: Business) -> None:
    business.plan("pro", charge("31", Timing.IN_ARREARS), price=PENNY)
    business.subscribe("2026-01-01")
    business.use(1, "2026-01-01")

    _, invoice = business.cancel(SUB)

    assert line_amounts(invoice) == [Decimal("0.01"), Decimal("0.00")]


def test_cancelling_at_the_boundary_bills_the_old_period_and_the_moment_of_the_new_one(business: Business) -> None:
    business.plan("pro", charge("31", Timing.IN_ARREARS), price=PENNY)
    business.subscribe("2026-01-01")
    business.use(3, "2026-01-31")
    business.move("2026-02-01")

    _, invoice = business.cancel(SUB)

    assert line_amounts(invoice) == [Decimal("0.00"), Decimal("0.00")]
    assert line_amounts(business.invoices()[0]) == [Decimal("0.03"), Decimal("31.00")]


def test_events_ahead_of_the_cancellation_are_not_billed(business: Business) -> None:
    business.plan("pro", price=PENNY)
    business.subscribe("2026-01-01")
    business.use(2, "2026-01-10")
    business.use(5, "2026-01-11T01:00")
    business.move("2026-01-11")

    _, invoice = business.cancel(SUB)

    assert line_amounts(invoice) == [Decimal("0.02")]


def test_periods_that_are_over_are_billed_before_the_cancellation(business: Business) -> None:
    business.plan("pro", charge("10"))
    business.subscribe("2026-01-01")
    with business.services.records.transaction() as tx:
        sandbox = tx.organizations.get(business.organization_id)
        assert sandbox is not None
        tx.organizations.replace(msgspec.structs.replace(sandbox, clock_now=at("2026-03-10")))

    business.cancel(SUB)

    starts = [invoice.lines[-1].period.start for invoice in business.invoices()[:3]]
    assert starts == [at("2026-01-01"), at("2026-02-01"), at("2026-03-01")]


def test_all_active_subscriptions_of_a_plan_are_cancelled_together(business: Business) -> None:
    business.plan("pro", charge("10"))
    business.subscribe("2026-01-01", ends_at=at("2026-01-11"), subscription_id="past")
    business.subscribe("2026-01-11", subscription_id="present")
    business.move("2026-01-20")

    views = cancel_matching(
        business.services,
        business.organization,
        customer_id="acme",
        plan_id="pro",
        matches=None,
        how=Cancellation(),
    )

    assert [view.subscription.subscription_id for view in views] == ["present"]


def test_cancelling_by_plan_without_such_a_subscription_is_not_found(business: Business) -> None:
    business.plan("pro", charge("10"))

    with pytest.raises(NotFound):
        cancel_matching(
            business.services,
            business.organization,
            customer_id="acme",
            plan_id="pro",
            matches=None,
            how=Cancellation(),
        )


def test_a_change_can_end_the_subscription_with_a_bill(running: Business) -> None:
    change = SubscriptionChange(ending=Cancellation())

    view = change_subscription(running.services, running.organization, SUB, change)

    assert view.status is Status.ENDED
    assert line_amounts(running.invoices()[-1]) == [Decimal("2.00"), Decimal("31.00")]
