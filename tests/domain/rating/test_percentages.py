"""Percentages, plain and graduated, one fact each."""

from decimal import Decimal

import pytest

from lotus_server.domain.catalog import GraduatedPercentage, Percentage, PercentageTier
from lotus_server.domain.rating import RatedUsage, Step, rate, rate_on_top

D = Decimal


def _events(*values: str | int) -> RatedUsage:
    return RatedUsage.of_events(D(value) for value in values)


def _texts(price: Percentage, usage: RatedUsage) -> list[str]:
    return [step.text for step in rate(price, usage).steps]


def test_a_percentage_of_the_sum_is_charged() -> None:
    rated = rate(Percentage(D("1.3")), D(800))

    assert D("10.4") == rated.amount
    assert (Step("800 x 1.3 %", D(800), D("0.013"), D("10.400")),) == rated.steps


def test_a_fixed_fee_is_due_for_each_event() -> None:
    rated = rate(Percentage(D("1.3"), D(2)), RatedUsage(D(800), 4))

    assert D("18.4") == rated.amount
    assert Step("fixed fee: 4 events x 2", D(4), D(2), D(8)) == rated.steps[1]


def test_a_fee_alone_shows_no_percentage() -> None:
    assert ["fixed fee: 1 event x 2"] == _texts(Percentage(D(0), D(2)), _events(5))


def test_the_allowance_ends_with_the_free_events() -> None:
    price = Percentage(D("1.3"), D(2), free_events=3)

    assert D("7.2") == rate(price, _events(50, 100, 250, 400)).amount
    assert "the first 400 free: 3 events" == _texts(price, _events(50, 100, 250, 400))[0]


def test_the_allowance_ends_with_the_free_amount_when_that_is_met_first() -> None:
    price = Percentage(D("1.3"), D(2), free_events=3, free_amount=D(250))

    assert D("11.15") == rate(price, _events(50, 100, 250, 400)).amount


def test_the_allowance_ends_with_the_free_events_when_they_are_met_first() -> None:
    price = Percentage(D(1), free_events=1, free_amount=D(1000))

    assert D("0.4") == rate(price, _events(500, 40)).amount


def test_an_event_that_uses_up_exactly_the_free_amount_is_free() -> None:
    price = Percentage(D(1), D(2), free_amount=D(150))

    assert D(0) == rate(price, _events(50, 100)).amount
    # The allowance has ended: even an event that comes to nothing has its fee.
    assert D(2) == rate(price, _events(50, 100, 0)).amount


def test_a_free_amount_without_fees_is_the_first_part_of_the_sum() -> None:
    price = Percentage(D(1), free_amount=D(100))

    assert ["the first 100 free", "the other 40 x 1 %"] == _texts(price, RatedUsage(D(140)))
    assert ["the first 100 free"] == _texts(price, RatedUsage(D(100)))
    assert ["a usage of -5 is charged as 0", "the first 0 free"] == _texts(price, RatedUsage(D(-5)))


def test_an_event_partly_free_has_its_whole_fee() -> None:
    assert D("2.01") == rate(Percentage(D(1), D(2), free_amount=D(99)), _events(100)).amount


def test_usage_within_the_allowance_is_one_step() -> None:
    assert ["the first 30 free: 2 events"] == _texts(Percentage(D(1), D(2), free_events=2), _events(10, 20))
    assert ["the first 0 free: 0 events"] == _texts(Percentage(D(1), D(2), free_events=2), _events())


def test_an_event_costs_at_least_its_minimum_and_at_most_its_maximum() -> None:
    price = Percentage(D(1), min_per_event=D("1.75"), max_per_event=D(12))
    rated = rate(price, _events(100, 1000, 10_000))

    assert D("23.75") == rated.amount
    assert ["1000 x 1 %", "1 event at the minimum of 1.75", "1 event at the maximum of 12"] == [
        step.text for step in rated.steps
    ]


def test_the_fee_of_an_event_counts_towards_its_bounds() -> None:
    price = Percentage(D(1), D(1), min_per_event=D(2), max_per_event=D(3))

    assert [D(2), D(2), D("2.5"), D(3), D(3)] == [
        rate(price, _events(value)).amount for value in (0, 100, 150, 200, 300)
    ]


def test_a_free_event_is_not_lifted_to_the_minimum() -> None:
    price = Percentage(D(1), free_events=1, min_per_event=D(5))

    assert ["the first 10 free: 1 event", "1 event at the minimum of 5"] == _texts(price, _events(10, 20))


def test_no_events_cost_nothing_but_a_minimum_spend() -> None:
    assert D(0) == rate(Percentage(D(1), D(1), min_per_event=D(1)), _events()).amount
    assert D(7) == rate(Percentage(D(1), D(1), free_events=1, minimum_spend=D(7)), _events()).amount


def test_a_value_below_zero_takes_back_its_percentage_but_not_its_fee() -> None:
    assert D("2.5") == rate(Percentage(D(1), D(1)), _events(100, -50)).amount
    assert D(2) == rate(Percentage(D(1), D(1)), _events(50, -100)).amount
    assert "a usage of -50 is charged as 0" == _texts(Percentage(D(1), D(1)), _events(50, -100))[0]


def test_events_rated_before_come_first() -> None:
    price = Percentage(D(1), free_amount=D(100))
    rated = rate_on_top(price, _events(80), _events(60))

    assert D("0.4") == rated.amount
    assert "less what 60 of them cost already" == rated.steps[-1].text


@pytest.mark.parametrize(
    ("price", "usage"),
    [
        (Percentage(D(1), D(1)), RatedUsage(D(5))),
        (Percentage(D(1), free_events=1), RatedUsage(D(5), 1)),
        (Percentage(D(1), max_per_event=D(1)), RatedUsage(D(5), 1)),
    ],
)
def test_a_price_that_needs_more_than_it_is_given_is_never_guessed(price: Percentage, usage: RatedUsage) -> None:
    with pytest.raises(AssertionError):
        rate(price, usage)


def test_each_tier_charges_its_percentage_of_its_part() -> None:
    tiers = (
        PercentageTier(D(10), D(1), D(200)),
        PercentageTier(D(20), D(2), D(300)),
        PercentageTier(None, D(3), D(400)),
    )
    rated = rate(GraduatedPercentage(tiers), D(21))

    assert D("900.33") == rated.amount
    assert (
        Step("tier 1 (up to 10): flat fee", D(1), D(200), D(200)),
        Step("tier 1 (up to 10): 10 x 1 %", D(10), D("0.01"), D("0.10")),
        Step("tier 2 (above 10 up to 20): flat fee", D(1), D(300), D(300)),
        Step("tier 2 (above 10 up to 20): 10 x 2 %", D(10), D("0.02"), D("0.20")),
        Step("tier 3 (above 20): flat fee", D(1), D(400), D(400)),
        Step("tier 3 (above 20): 1 x 3 %", D(1), D("0.03"), D("0.03")),
    ) == rated.steps
    assert [D(200), D("200.1")] == [rate(GraduatedPercentage(tiers), D(amount)).amount for amount in (0, 10)]


def test_a_tier_without_percentage_and_fee_is_free() -> None:
    rated = rate(GraduatedPercentage((PercentageTier(D(10)), PercentageTier(None, D(1)))), D(30))

    assert ["tier 1 (up to 10): 10 free", "tier 2 (above 10): 20 x 1 %"] == [step.text for step in rated.steps]
