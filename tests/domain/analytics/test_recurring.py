"""Monthly recurring revenue and its movements, by figures worked out by hand, and their laws."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.analytics import (
    Held,
    Movements,
    Recurring,
    currencies_of,
    monthly_amount,
    movements_of,
    movements_over,
    plans_of,
)
from lotus_server.domain.catalog import (
    AddOnFrequency,
    AddOnTerms,
    AdjustmentKind,
    Commitment,
    Component,
    Conversion,
    PerUnit,
    Plan,
    PlanVersion,
    Prepaid,
    PriceAdjustment,
    RecurringCharge,
)
from lotus_server.domain.subscriptions import Pause, PausedFees, QuantityChange
from lotus_server.kernel.money import total
from lotus_server.kernel.period import Duration


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


START = at("2026-01-01")


def version(
    amount: str, *, name: str = "v", currency: str = "USD", adjustment: PriceAdjustment | None = None
) -> PlanVersion:
    charge = RecurringCharge("fee", "Fee", Decimal(amount))
    return PlanVersion(
        *("org", name, f"plan {name}", 1, currency, START), recurring_charges=(charge,), price_adjustment=adjustment
    )


def held(name: str, start: str, end: str | None = None, customer: str = "acme", **more: object) -> Held:
    ends_at = None if end is None else at(end)
    return Held(customer, f"plan {name}", name, Duration.MONTHLY, at(start), ends_at, **more)  # type: ignore[arg-type]


TEN, THIRTY = version("10", name="ten"), version("30", name="thirty")


def recurring(*several: Held, instants: tuple[str, ...] = ("2026-01-01", "2026-02-01")) -> Recurring:
    found = Recurring([at(text) for text in instants], [], [TEN, THIRTY])
    for each in several:
        found.add(each)
    return found


def _committed(amount: str, *, units: str | None = None, includes: bool = True) -> PlanVersion:
    prepaid = None if units is None else Prepaid(Decimal(units))
    component = Component("calls", "calls", PerUnit(Decimal("0.03")), prepaid=prepaid)
    commitment = Commitment(Decimal(amount), includes_recurring_charges=includes)
    return msgspec.structs.replace(version("90"), components=(component,), commitment=commitment)


@pytest.mark.parametrize(
    ("sold", "expected"),
    [
        (_committed("50"), "90"),
        (_committed("100"), "100"),
        (_committed("100", includes=False), "190"),
        (_committed("100", units="1000"), "120"),
        (_committed("100", units="1000", includes=False), "190"),  # 90, 30 prepaid, and 70 that are missing
    ],
)
def test_what_a_period_comes_to_at_least_counts(sold: PlanVersion, expected: str) -> None:
    assert Decimal(expected) == monthly_amount(sold, Duration.MONTHLY, {})


def test_prepaid_units_count_as_many_as_the_subscription_has() -> None:
    assert Decimal(105) == monthly_amount(
        _committed("0", units="1000"), Duration.MONTHLY, {"prepaid:calls": Decimal(500)}
    )


def test_a_commitment_alone_recurs() -> None:
    sold = msgspec.structs.replace(version("0"), recurring_charges=(), commitment=Commitment(Decimal(7)))
    found = Recurring([at("2026-02-01")], [], [sold])
    found.add(held("v", "2026-01-01"))

    assert [700] == found.by_customer["USD", "acme"]


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (Duration.DAILY, "3041.67"),  # 100 x 365 / 12
        (Duration.WEEKLY, "434.52"),  # 100 x 365 / 84
        (Duration.MONTHLY, "100.00"),
        (Duration.QUARTERLY, "33.33"),
        (Duration.YEARLY, "8.33"),
    ],
)
def test_charges_count_by_what_they_come_to_in_a_month(duration: Duration, expected: str) -> None:
    assert Decimal(expected) == monthly_amount(version("100"), duration, {})


def test_a_subscription_s_own_quantity_counts() -> None:
    assert Decimal(70) == monthly_amount(TEN, Duration.MONTHLY, {"charge:Fee": Decimal(7)})


def test_a_charge_in_a_pricing_unit_counts_in_money() -> None:
    charge = RecurringCharge("fee", "Fee", Decimal(10), conversion=Conversion("tokens", Decimal("0.5")))
    priced = PlanVersion(*("org", "v", "p", 1, "USD", START), recurring_charges=(charge,))

    assert Decimal(5) == monthly_amount(priced, Duration.MONTHLY, {})


@pytest.mark.parametrize(
    ("kind", "amount", "expected"),
    [
        (AdjustmentKind.PERCENTAGE, "-10", "90"),
        (AdjustmentKind.FIXED, "-25", "75"),
        (AdjustmentKind.FIXED, "-250", "0"),
        (AdjustmentKind.OVERRIDE, "80", "80"),
    ],
)
def test_a_price_adjustment_counts(kind: AdjustmentKind, amount: str, expected: str) -> None:
    adjusted = version("100", adjustment=PriceAdjustment(kind, Decimal(amount)))

    assert Decimal(expected) == monthly_amount(adjusted, Duration.MONTHLY, {})


def test_what_begins_with_a_window_is_new_in_it() -> None:
    found = movements_over(recurring(held("ten", "2026-01-01")), "USD")

    assert Movements("USD", new=Decimal(10), closing=Decimal(10), customers=1) == found


def test_what_ends_with_a_window_is_still_there_at_its_end() -> None:
    found = movements_over(recurring(held("ten", "2025-12-01", "2026-02-01")), "USD")

    assert Movements("USD", opening=Decimal(10), closing=Decimal(10), customers=1) == found


def test_who_had_some_before_comes_back() -> None:
    found = movements_over(recurring(held("ten", "2025-01-01", "2025-02-01"), held("thirty", "2026-01-05")), "USD")

    assert Movements("USD", reactivation=Decimal(30), closing=Decimal(30), customers=1) == found


def test_a_dearer_plan_is_expansion_and_a_cheaper_one_contraction() -> None:
    found = movements_over(
        recurring(
            held("ten", "2025-01-01", "2026-01-10"),
            held("thirty", "2026-01-10"),
            held("thirty", "2025-01-01", "2026-01-10", "zeta"),
            held("ten", "2026-01-10", None, "zeta"),
        ),
        "USD",
    )

    expected = {"expansion": Decimal(20), "contraction": Decimal(-20)}
    assert Movements("USD", opening=Decimal(40), closing=Decimal(40), customers=2, **expected) == found
    assert (Decimal(100), Decimal(50)) == (found.net_retention_percent, found.gross_retention_percent)


def test_who_has_none_any_more_has_churned() -> None:
    found = movements_over(recurring(held("ten", "2025-01-01", "2026-01-31")), "USD")

    assert Movements("USD", opening=Decimal(10), churn=Decimal(-10)) == found
    assert Decimal(0) == found.net_retention_percent


def test_nothing_recurs_in_a_trial() -> None:
    found = movements_of(
        recurring(
            held("ten", "2025-12-20", trial_end=at("2026-01-20")), instants=("2026-01-01", "2026-01-15", "2026-02-01")
        ),
        "USD",
    )

    assert [Decimal(0), Decimal(10)] == [each.closing for each in found]
    assert Decimal(10) == found[1].new


def test_a_change_of_quantity_counts_from_its_instant_on() -> None:
    change = QuantityChange("charge:Fee", Decimal(3), at("2026-01-10"))
    found = movements_over(recurring(held("ten", "2025-01-01", quantity_changes=(change,))), "USD")

    assert (Decimal(10), Decimal(20), Decimal(30)) == (found.opening, found.expansion, found.closing)


def test_who_pauses_has_churned_and_comes_back_on_resuming() -> None:
    pause = Pause(at("2026-01-10"), at("2026-02-10"))
    found = recurring(held("ten", "2025-12-01", pauses=(pause,)), instants=("2026-01-01", "2026-02-01", "2026-03-01"))
    january, february = movements_of(found, "USD")
    assert (january.churn, january.closing) == (Decimal(-10), Decimal(0))
    assert (february.reactivation, february.closing) == (Decimal(10), Decimal(10))


def test_a_pause_that_is_charged_changes_nothing() -> None:
    pause = Pause(at("2026-01-10"), None, PausedFees.CHARGE_FULL)
    assert movements_over(recurring(held("ten", "2025-12-01", pauses=(pause,))), "USD").closing == Decimal(10)


def test_a_pause_that_was_over_before_the_windows_changes_nothing() -> None:
    pause = Pause(at("2025-12-05"), at("2025-12-06"))
    assert movements_over(recurring(held("ten", "2025-12-01", pauses=(pause,))), "USD").closing == Decimal(10)


def test_what_an_add_on_charges_once_does_not_recur() -> None:
    addon = Plan("org", "plan ten", "Setup", "", Duration.MONTHLY, START, addon=AddOnTerms())
    found = Recurring([START, at("2026-02-01")], [addon], [TEN])
    found.add(held("ten", "2025-01-01"))

    assert AddOnFrequency.ONE_TIME is AddOnTerms().frequency
    assert () == currencies_of(found)


def test_plans_are_told_apart() -> None:
    found = recurring(held("ten", "2025-01-01", "2026-01-10"), held("thirty", "2026-01-10"))

    plans = [(each.plan_id, each.opening, each.closing) for each in plans_of(found, "USD")]
    assert [("plan thirty", Decimal(0), Decimal(30)), ("plan ten", Decimal(10), Decimal(0))] == plans


def test_a_year_is_twelve_months_and_an_account_its_share() -> None:
    found = Movements("USD", closing=Decimal(100), customers=3)

    assert (Decimal(1_200), Decimal("33.33")) == (found.annual, found.per_customer)


def test_without_customers_there_is_no_revenue_per_customer() -> None:
    assert Movements("USD").per_customer is None


days = st.integers(0, 400).map(lambda count: START - timedelta(days=200 - count))


@st.composite
def holdings(draw: st.DrawFn) -> Held:
    start, end = draw(days), draw(st.none() | days)
    changes = draw(st.lists(st.tuples(days, st.integers(0, 5)), max_size=3))
    return Held(
        draw(st.sampled_from(["acme", "zeta", "nu"])),
        "plan",
        draw(st.sampled_from(["ten", "thirty", "unknown"])),
        draw(st.sampled_from(Duration)),
        start,
        None if end is None else max(start, end),
        draw(st.none() | days),
        draw(st.sampled_from([{}, {"charge:Fee": Decimal(2)}])),
        tuple(QuantityChange("charge:Fee", Decimal(count), day) for day, count in sorted(changes)),
    )


@given(st.lists(holdings(), max_size=6))
def test_opening_and_movements_come_to_closing(several: list[Held]) -> None:
    instants = [START + timedelta(days=30 * place) for place in range(5)]
    found = Recurring(instants, [], [TEN, THIRTY])
    for each in several:
        found.add(each)

    for code in currencies_of(found):
        series = movements_of(found, code)
        for moved in (*series, movements_over(found, code)):
            gained = (moved.opening, moved.new, moved.reactivation, moved.expansion)
            assert moved.closing == total((*gained, moved.contraction, moved.churn))
        assert all(before.closing == after.opening for before, after in pairwise(series))
        of_plans = plans_of(found, code)
        assert (series[0].opening, series[-1].closing) == (
            total(each.opening for each in of_plans),
            total(each.closing for each in of_plans),
        )
