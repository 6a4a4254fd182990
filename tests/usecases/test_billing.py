"""Billing over many periods."""

from decimal import Decimal

import msgspec
import pytest

from lotus_server.domain.catalog import Proration, Timing
from lotus_server.kernel.period import Duration
from lotus_server.usecases.billing import bill_due
from lotus_server.usecases.organizations import OrganizationDraft, create_organization
from lotus_server.usecases.services import Services
from tests.business import PENNY, Business, SetClock, at, charge, found_business

TEN = Decimal(10)


def test_a_charge_in_advance_is_invoiced_when_the_subscription_starts(business: Business) -> None:
    business.plan("pro", charge("10"))

    business.subscribe("2026-01-01")

    assert business.amounts() == [("2026-01-01", TEN)]


def test_a_charge_in_arrears_is_invoiced_when_its_period_is_over(business: Business) -> None:
    business.plan("pro", charge("10", Timing.IN_ARREARS))
    business.subscribe("2026-01-01")

    business.move("2026-02-01")

    assert business.amounts() == [("2026-02-01", TEN)]


def test_a_period_end_carries_its_usage_and_the_next_charge_in_advance(business: Business) -> None:
    business.plan("pro", charge("10"), price=PENNY)
    business.subscribe("2026-01-01")
    business.use(250, "2026-01-20")

    business.move("2026-02-01")

    assert business.amounts() == [("2026-01-01", TEN), ("2026-02-01", Decimal("12.50"))]


def test_nothing_is_due_one_microsecond_before_the_end_of_a_period(business: Business) -> None:
    business.plan("pro", charge("10", Timing.IN_ARREARS))
    business.subscribe("2026-01-01")

    business.move("2026-01-31T23:59:59.999999Z")

    assert business.amounts() == []


def test_a_subscription_of_the_31st_renews_on_the_last_day_of_short_months(business: Business) -> None:
    business.plan("pro", charge("10"))
    business.subscribe("2026-01-31")

    business.move("2026-06-01")

    days = [day for day, _ in business.amounts()]
    assert days == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]


def test_a_yearly_subscription_of_a_leap_day_renews_on_the_28th_and_again_on_the_29th(business: Business) -> None:
    business.move("2028-02-29")
    business.plan("pro", charge("10"), duration=Duration.YEARLY)
    business.subscribe("2028-02-29")

    business.move("2032-03-01")

    days = [day for day, _ in business.amounts()]
    assert days == ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]


@pytest.mark.parametrize(
    ("duration", "count"),
    [
        (Duration.DAILY, 366),
        (Duration.WEEKLY, 53),
        (Duration.MONTHLY, 13),
        (Duration.QUARTERLY, 5),
        (Duration.YEARLY, 2),
    ],
)
def test_a_year_has_as_many_charges_as_it_has_periods(business: Business, duration: Duration, count: int) -> None:
    business.plan("pro", charge("1"), duration=duration)
    business.subscribe("2026-01-01")

    business.move("2027-01-01")

    assert len(business.amounts()) == count


def test_moving_the_clock_in_one_step_issues_what_moving_it_in_many_steps_issues(business: Business) -> None:
    twin = found_business(business.services)
    for each in (business, twin):
        each.plan("pro", charge("10"), charge("3", Timing.IN_ARREARS), price=PENNY)
        each.subscribe("2026-01-15")
        each.use(100, "2026-02-20")

    business.move("2026-05-01")
    for day in ("2026-01-10", "2026-01-20", "2026-02-14", "2026-02-15", "2026-04-01", "2026-05-01"):
        twin.move(day)

    assert business.amounts() == twin.amounts()
    assert [day for day, _ in twin.amounts()] == ["2026-01-15", "2026-02-15", "2026-03-15", "2026-04-15"]


def test_the_first_charge_in_advance_is_invoiced_even_when_its_whole_period_is_slept_through(
    business: Business,
) -> None:
    business.plan("pro", charge("10"))
    business.subscribe("2026-02-01")

    business.move("2026-04-15")

    days = [day for day, _ in business.amounts()]
    assert days == ["2026-02-01", "2026-03-01", "2026-04-01"]


def test_a_backdated_subscription_is_billed_for_all_its_past_periods(business: Business) -> None:
    business.plan("pro", charge("10"), price=PENNY)
    business.use(100, "2025-11-20")

    business.subscribe("2025-11-01")

    lines = [[line.amount for line in invoice.lines] for invoice in business.invoices()]
    assert lines == [[TEN], [Decimal("1.00"), TEN], [Decimal("0.00"), TEN]]


def test_a_backdated_subscription_of_an_organization_in_real_time_is_billed_for_all_its_past_periods(
    services: Services,
) -> None:
    organization, _ = create_organization(services, OrganizationDraft("Real"))
    business = Business(services, organization.organization_id)
    business.customer("acme")
    business.plan("pro", charge("10"))

    business.subscribe("2025-11-01")
    bill_due(services)

    assert [invoice.period.start for invoice in business.invoices()] == [
        at("2025-11-01"),
        at("2025-12-01"),
        at("2026-01-01"),
    ]


def test_an_organization_in_real_time_is_billed_when_the_time_comes(services: Services) -> None:
    organization, _ = create_organization(services, OrganizationDraft("Real"))
    business = Business(services, organization.organization_id)
    business.customer("acme")
    business.plan("pro", charge("10"))
    business.subscribe("2026-01-10")
    clock = services.clock
    assert isinstance(clock, SetClock)

    clock.instant = at("2026-03-09T23:59")
    bill_due(services)

    assert [day for day, _ in business.amounts()] == ["2026-01-10", "2026-02-10"]


def test_a_sandbox_is_not_billed_by_real_time(business: Business) -> None:
    business.plan("pro", charge("10", Timing.IN_ARREARS))
    business.subscribe("2026-01-01")
    clock = business.services.clock
    assert isinstance(clock, SetClock)

    clock.instant = at("2030-01-01")
    bill_due(business.services)

    assert business.amounts() == []


def test_billing_again_changes_nothing(business: Business) -> None:
    business.plan("pro", charge("10"), price=PENNY)
    business.subscribe("2026-01-01")
    business.move("2026-03-01")
    before = business.invoices()

    business.move("2026-03-01")
    bill_due(business.services, until=at("2026-03-01"), organization=business.organization)

    assert business.invoices() == before


def test_invoices_of_several_customers_are_numbered_in_the_order_in_which_they_fall_due(business: Business) -> None:
    business.plan("pro", charge("10"))
    business.customer("later")
    business.subscribe("2026-01-02", customer_id="acme")
    business.subscribe("2026-01-20", customer_id="later")

    business.move("2026-03-01")

    assert [(invoice.invoice_number, invoice.customer_id) for invoice in business.invoices()] == [
        ("260102-000001", "acme"),
        ("260120-000002", "later"),
        ("260202-000003", "acme"),
        ("260220-000004", "later"),
    ]


def test_an_event_at_the_very_end_of_a_period_belongs_to_the_next_one(business: Business) -> None:
    business.plan("pro", price=PENNY)
    business.subscribe("2026-01-01")
    business.use(1, "2026-01-31T23:59:59.999999Z")
    business.use(2, "2026-02-01T00:00:00Z")

    business.move("2026-03-01")

    assert business.amounts() == [("2026-02-01", Decimal("0.01")), ("2026-03-01", Decimal("0.02"))]


def test_a_subscription_with_an_end_is_billed_to_the_end_and_then_never_again(business: Business) -> None:
    business.plan("pro", charge("31"), price=PENNY)
    business.subscribe("2026-01-01", ends_at=at("2026-02-15"))
    business.use(1, "2026-02-14T23:00")
    business.use(5, "2026-02-15T00:00")

    business.move("2026-06-01")

    lines = [[line.amount for line in invoice.lines] for invoice in business.invoices()]
    # February: 14 of 28 days of 31.00.
    assert lines == [[Decimal("31.00")], [Decimal("0.00"), Decimal("15.50")], [Decimal("0.01")]]
    assert business.subscription("sub_acme_pro").subscription.is_fully_billed


def test_a_first_period_that_is_shorter_than_the_anchor_asks_is_prorated_by_the_whole_one(business: Business) -> None:
    business.plan("pro", charge("31"))

    business.subscribe("2026-01-15", auto_renew=True, ends_at=at("2026-02-01"))
    business.move("2026-02-01")

    # 17 of the 31 days from 1 January, then the whole of February.
    assert business.amounts() == [("2026-01-15", Decimal("17.00")), ("2026-02-01", Decimal("31.00"))]


def test_a_charge_without_proration_is_due_in_full_in_a_short_period(business: Business) -> None:
    business.plan("pro", charge("31", proration=Proration.FULL))

    business.subscribe("2026-01-01", ends_at=at("2026-01-11"))
    business.move("2026-01-11")

    assert business.amounts()[0] == ("2026-01-01", Decimal("31.00"))


def test_invoices_are_in_the_currency_of_the_plan_version_and_rounded_to_its_minor_unit(business: Business) -> None:
    business.plan("pro", charge("100.5"), currency="JPY")

    business.subscribe("2026-01-01")

    (invoice,) = business.invoices()
    assert (invoice.currency, invoice.total) == ("JPY", Decimal(101))


def test_totals_are_exact_beyond_28_digits(business: Business) -> None:
    price = msgspec.structs.replace(PENNY, unit_price=Decimal("999999999999999.999999999999999999999999999999"))
    business.plan("pro", price=price)
    business.subscribe("2026-01-01")
    business.use(3, "2026-01-02")

    business.move("2026-02-01")

    (invoice,) = business.invoices()
    assert invoice.lines[0].exact_amount == Decimal("2999999999999999.999999999999999999999999999997")
    assert invoice.subtotal == Decimal("3000000000000000.00")


def test_a_subscription_that_cannot_be_billed_is_parked_with_its_cause_and_stops_nobody_else(
    business: Business,
) -> None:
    business.plan("pro", price=PENNY)
    business.plan("flat", charge("10", Timing.IN_ARREARS))
    business.customer("other")
    business.subscribe("2026-01-01", customer_id="acme", plan_id="pro")
    business.subscribe("2026-01-01", customer_id="other", plan_id="flat")
    business.events.is_answering = False

    business.move("2026-02-02")

    parked = business.subscription("sub_acme_pro").subscription
    assert parked.parked_cause == "The events cannot be reached."
    assert parked.due_at == at("2026-02-02T01:00")


def test_a_parked_subscription_is_billed_at_a_later_try_as_if_nothing_had_been(business: Business) -> None:
    business.plan("pro", price=PENNY)
    business.subscribe("2026-01-01")
    business.use(7, "2026-01-05")
    business.events.is_answering = False
    business.move("2026-02-02")
    business.events.is_answering = True

    business.move("2026-02-02T01:00")

    assert business.amounts() == [("2026-02-01", Decimal("0.07"))]
    assert business.subscription("sub_acme_pro").subscription.parked_cause is None


def test_a_defect_in_one_subscription_stops_nobody_else(business: Business) -> None:
    business.plan("pro", charge("10", Timing.IN_ARREARS))
    business.customer("other")
    business.subscribe("2026-01-01", customer_id="acme")
    business.subscribe("2026-01-02", customer_id="other")
    with business.services.records.transaction() as tx:
        broken = tx.subscriptions.get(business.organization_id, "sub_acme_pro")
        assert broken is not None
        # A period that lies outside the series cannot be prorated: an assertion fails.
        period = msgspec.structs.replace(broken.open_period, start=at("2025-12-20"))
        tx.subscriptions.replace(msgspec.structs.replace(broken, open_period=period))

    business.move("2026-02-10")

    assert [invoice.customer_id for invoice in business.invoices()] == ["other"]
    assert business.subscription("sub_acme_pro").subscription.parked_cause is not None


def test_a_parked_subscription_that_is_cancelled_is_first_billed_for_what_it_owes(business: Business) -> None:
    business.plan("pro", charge("28", Timing.IN_ARREARS), price=PENNY)
    business.subscribe("2026-01-01")
    business.use(3, "2026-01-05")
    business.use(5, "2026-02-05")
    business.events.is_answering = False
    business.move("2026-02-15")
    business.events.is_answering = True

    business.cancel("sub_acme_pro")

    lines = [[line.amount for line in invoice.lines] for invoice in business.invoices()]
    # 14 of 28 days of February.
    assert lines == [[Decimal("0.03"), Decimal("28.00")], [Decimal("0.05"), Decimal("14.00")]]


def test_a_subscription_parked_at_its_start_still_gets_its_first_charge(business: Business) -> None:
    business.plan("pro", charge("10"), price=PENNY, duration=Duration.DAILY)
    subscription = business.subscribe("2026-01-02")
    with business.services.records.transaction() as tx:
        late = msgspec.structs.replace(subscription, due_at=at("2026-01-03T00:30"), parked_cause="an earlier failure")
        tx.subscriptions.replace(late)

    business.move("2026-01-03T01:00")

    lines = [[line.amount for line in invoice.lines] for invoice in business.invoices()]
    assert lines == [[TEN], [Decimal("0.00"), TEN]]


def test_what_is_due_again_with_another_one_is_billed_in_the_order_of_their_ids(business: Business) -> None:
    twin = found_business(business.services)
    for each in (business, twin):
        each.plan("month", charge("1"))
        each.plan("quarter", charge("3"), duration=Duration.QUARTERLY)
        each.subscribe(plan_id="month", subscription_id="a")
        each.subscribe(plan_id="quarter", subscription_id="b")
    business.move("2026-05-01")
    for month in (2, 3, 4, 5):
        twin.move(f"2026-0{month}-01")

    numbers = [[(each.subscription_id, each.invoice_number) for each in one.invoices()] for one in (business, twin)]
    assert numbers[0] == numbers[1]
