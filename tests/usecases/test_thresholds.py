"""Usage that is invoiced when it reaches a spend threshold."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lotus_server.domain.catalog import (
    AdjustmentKind,
    PerUnit,
    PriceAdjustment,
    SpendThreshold,
    UsageInvoicing,
    threshold_problems,
    threshold_reached,
)
from lotus_server.domain.metering import Aggregation, MetricDefinition
from lotus_server.kernel.errors import Invalid
from lotus_server.kernel.money import total
from lotus_server.kernel.period import Duration
from lotus_server.usecases.metrics import MetricDraft, create_metric
from lotus_server.usecases.plan_switch import PlanSwitch, switch_plan
from lotus_server.usecases.plans import ComponentDraft, PlanDraft, VersionDraft, create_plan
from lotus_server.usecases.subscriptions import SubscriptionChange, change_subscription
from lotus_server.usecases.threshold_billing import bill_thresholds
from tests.business import Business, Json, at, found_business

SUB = "sub_acme_pro"
D = Decimal
HUNDRED = (SpendThreshold(D(100)),)


def sell(
    business: Business,
    thresholds: tuple[SpendThreshold, ...] = HUNDRED,
    interval: Duration | None = None,
    plan_id: str = "pro",
    **more: Json,
) -> None:
    """Sell calls at 1 to acme, with thresholds."""
    if plan_id == "pro":
        definition = MetricDefinition("call", Aggregation.SUM, "n")
        create_metric(business.services, business.organization, MetricDraft("Calls", definition, "calls"))
    version = VersionDraft(
        components=(ComponentDraft("calls", PerUnit(D(1))),), usage_invoicing=UsageInvoicing(interval, thresholds)
    )
    create_plan(business.services, business.organization, PlanDraft("Pro", Duration.QUARTERLY, version, plan_id))
    if plan_id == "pro":
        business.subscribe(**more)


def use(business: Business, size: int, when: str) -> None:
    business.events.put(business.organization_id, "call", "acme", at(when), {"n": size})


@pytest.mark.parametrize(
    ("spent", "expected"),
    [("9.99", None), ("10", "10"), ("29", "10"), ("30", "30"), ("34.99", "30"), ("35", "35"), ("47", "45")],
)
def test_the_greatest_threshold_that_is_reached_is_found(spent: str, expected: str | None) -> None:
    thresholds = (SpendThreshold(D(30)), SpendThreshold(D(5), is_recurring=True), SpendThreshold(D(10)))

    assert (None if expected is None else D(expected)) == threshold_reached(thresholds, D(spent))


def test_all_that_is_wrong_with_thresholds_is_said() -> None:
    wrong = (SpendThreshold(D(-1)), SpendThreshold(D(1), is_recurring=True), SpendThreshold(D(2), is_recurring=True))

    found = threshold_problems(wrong, "usage_thresholds")

    assert [("usage_thresholds[0].amount", "negative"), ("usage_thresholds", "ambiguous")] == [
        (each.field, each.code) for each in found
    ]


def test_there_are_at_most_so_many_thresholds() -> None:
    many = tuple(SpendThreshold(D(amount)) for amount in range(1, 22))

    assert () == threshold_problems(many[:20], "usage_thresholds")
    assert ["too_many"] == [each.code for each in threshold_problems(many, "usage_thresholds")]


def test_a_threshold_is_invoiced_once(business: Business) -> None:
    sell(business)
    use(business, 120, "2026-01-05")
    business.move("2026-01-06")
    use(business, 1, "2026-01-06T01:00")

    business.move("2026-01-07")

    assert [("2026-01-06", D(120))] == business.amounts()


def test_an_event_whose_time_lies_ahead_is_noticed_when_it_comes(business: Business) -> None:
    sell(business)
    use(business, 60, "2026-01-05")
    use(business, 70, "2026-01-06T05:00")
    use(business, 90, "2026-01-06T09:00")
    use(business, 1, "2026-01-06T20:00")

    for hour in range(24):
        business.move(f"2026-01-06T{hour:02}:00")

    assert [("2026-01-06", D(130))] == business.amounts()
    assert at("2026-01-06T05:00") == business.invoices()[0].issued_at


def test_recurring_thresholds_are_noticed_one_by_one_as_events_come_about(business: Business) -> None:
    sell(business, (SpendThreshold(D(10), is_recurring=True),))
    for hour in range(1, 6):
        use(business, 10, f"2026-01-05T{hour:02}:30")

    for hour in range(7):
        business.move(f"2026-01-05T{hour:02}:00")

    hours = [invoice.issued_at.hour for invoice in business.invoices()]
    assert ([2, 3, 4, 5, 6], [D(10)] * 5) == (hours, [amount for _, amount in business.amounts()])


def test_many_events_that_lie_ahead_are_all_noticed(business: Business, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lotus_server.usecases.threshold_billing.EVENTS_AHEAD_MAX", 2)
    sell(business)
    for hour, size in ((9, 1), (5, 100), (3, 1), (8, 1)):
        use(business, size, f"2026-01-06T{hour:02}:00")

    for hour in range(12):
        business.move(f"2026-01-06T{hour:02}:00")

    assert [at("2026-01-06T05:00")] == [invoice.issued_at for invoice in business.invoices()]


def test_who_had_no_events_is_not_looked_at(business: Business, monkeypatch: pytest.MonkeyPatch) -> None:
    sell(business)
    use(business, 10, "2026-01-05")
    business.move("2026-01-06")
    looked_at: list[object] = []

    def look(*given: object) -> bool:
        looked_at.append(given)
        return False

    monkeypatch.setattr("lotus_server.usecases.threshold_billing._look", look)

    business.move("2026-01-07")
    business.events.put(business.organization_id, "call", "somebody", at("2026-01-07"), {"n": 1})
    business.move("2026-01-08")

    assert [] == looked_at


def test_a_subscription_that_starts_in_the_past_is_compared_with_what_it_has_used(business: Business) -> None:
    use(business, 120, "2026-01-05")
    business.move("2026-01-20")
    sell(business)

    business.move("2026-01-21")

    assert [("2026-01-21", D(120))] == business.amounts()


def test_what_fails_is_looked_at_again(business: Business) -> None:
    sell(business)
    use(business, 120, "2026-01-05")
    business.events.is_answering = False
    business.move("2026-01-06")
    before = business.amounts()

    business.events.is_answering = True
    business.move("2026-01-07")

    assert ([], [("2026-01-07", D(120))]) == (before, business.amounts())


def test_looking_again_invoices_nothing_again(business: Business) -> None:
    sell(business)
    use(business, 120, "2026-01-05")
    business.move("2026-01-06")

    again = bill_thresholds(business.services, until=at("2026-01-06"), organization=business.organization)

    assert (0, 1) == (again, len(business.invoices()))


def test_intervals_and_thresholds_go_together(business: Business) -> None:
    sell(business, interval=Duration.MONTHLY)
    use(business, 120, "2026-01-05")
    business.move("2026-01-06")
    use(business, 7, "2026-01-10")
    use(business, 30, "2026-02-10")

    business.move("2026-04-01")

    assert [D(120), D(7), D(30), D(0)] == [amount for _, amount in business.amounts()]


def test_the_next_period_counts_from_zero(business: Business) -> None:
    sell(business)
    use(business, 120, "2026-01-05")
    business.move("2026-01-06")
    business.move("2026-04-01")
    use(business, 99, "2026-04-02")
    business.move("2026-04-03")
    before = len(business.amounts())
    use(business, 1, "2026-04-04")

    business.move("2026-04-05")

    assert (2, ("2026-04-05", D(100))) == (before, business.amounts()[-1])


def test_a_trial_reaches_no_threshold(business: Business) -> None:
    sell(business, trial_end=at("2026-02-01"))
    use(business, 120, "2026-01-05")

    business.move("2026-01-06")

    assert [] == business.amounts()


def test_a_switch_keeps_thresholds_of_its_own_and_takes_those_of_a_plan(business: Business) -> None:
    sell(business, usage_thresholds=(SpendThreshold(D(40)),))
    sell(business, (SpendThreshold(D(7)),), plan_id="max")
    own = switch_plan(business.services, business.organization, SUB, PlanSwitch(plan_id="max")).subscription

    change = SubscriptionChange(usage_thresholds=None)
    taken = change_subscription(business.services, business.organization, own.subscription_id, change).subscription

    assert ((SpendThreshold(D(40)),), (SpendThreshold(D(7)),)) == (own.cadence.thresholds, taken.cadence.thresholds)


def test_an_amount_that_takes_the_place_of_charges_has_no_thresholds(business: Business) -> None:
    override = PriceAdjustment(AdjustmentKind.OVERRIDE, D(5))
    version = VersionDraft(price_adjustment=override, usage_invoicing=UsageInvoicing(None, HUNDRED))
    with pytest.raises(Invalid) as caught:
        create_plan(business.services, business.organization, PlanDraft("P", Duration.MONTHLY, version, "p"))
    create_plan(
        business.services,
        business.organization,
        PlanDraft("Q", Duration.MONTHLY, VersionDraft(price_adjustment=override), "q"),
    )

    with pytest.raises(Invalid) as on_subscribing:
        business.subscribe(plan_id="q", usage_thresholds=HUNDRED)

    assert ["not_with_usage_in_parts"] == [each.code for each in caught.value.problems]
    assert ["not_with_usage_in_parts"] == [each.code for each in on_subscribing.value.problems]


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    thresholds=st.lists(st.integers(1, 60), max_size=3, unique=True),
    recurring=st.none() | st.integers(5, 40),
    events=st.lists(st.tuples(st.integers(0, 80), st.integers(0, 40)), max_size=10).map(sorted),
)
def test_with_or_without_thresholds_a_period_comes_to_the_same(
    business: Business, thresholds: list[int], recurring: int | None, events: list[tuple[int, int]]
) -> None:
    with_them, without = found_business(business.services), found_business(business.services)
    given_ = tuple(SpendThreshold(D(each)) for each in thresholds)
    if recurring is not None:
        given_ = (*given_, SpendThreshold(D(recurring), is_recurring=True))
    sell(with_them, given_)
    sell(without, ())
    for each in (with_them, without):
        for day, size in events:
            when = f"2026-{1 + day // 28:02}-{1 + day % 28:02}"
            use(each, size, when)
            each.move(f"{when}T12:00")
        each.move("2026-04-01")

    found = [total(amount for _, amount in each.amounts()) for each in (with_them, without)]
    assert found[0] == found[1] == total(D(size) for _, size in events)
