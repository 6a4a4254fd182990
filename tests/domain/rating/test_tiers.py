"""Graduated and volume tiers, one fact each."""

from decimal import Decimal

from lotus_server.domain.catalog import Graduated, Rounding, Tier, Volume
from lotus_server.domain.rating import Step, rate
from lotus_server.kernel.currencies import CURRENCIES
from lotus_server.kernel.money import round_to_minor_unit

D = Decimal
TIERS = (Tier(D(100), D(2), D(10)), Tier(D(200), D(1)), Tier(None, D("0.5"), D(50)))


def test_a_graduated_price_charges_each_part_at_its_tier() -> None:
    rated = rate(Graduated(TIERS), D(300))

    assert (
        Step("tier 1 (up to 100): flat fee", D(1), D(10), D(10)),
        Step("tier 1 (up to 100): 100 units x 2", D(100), D(2), D(200)),
        Step("tier 2 (above 100 up to 200): 100 units x 1", D(100), D(1), D(100)),
        Step("tier 3 (above 200): flat fee", D(1), D(50), D(50)),
        Step("tier 3 (above 200): 100 units x 0.5", D(100), D("0.5"), D("50.0")),
    ) == rated.steps
    assert D(410) == rated.amount


def test_a_quantity_equal_to_a_tiers_end_belongs_to_that_tier() -> None:
    assert D(210) == rate(Volume(TIERS), D(100)).amount
    assert D(310) == rate(Graduated(TIERS), D(200)).amount


def test_a_little_more_than_a_tiers_end_reaches_the_next() -> None:
    assert D("100.01") == rate(Volume(TIERS), D("100.01")).amount
    assert D("360.005") == rate(Graduated(TIERS), D("200.01")).amount


def test_the_flat_fee_of_the_first_tier_is_due_without_usage() -> None:
    assert D(10) == rate(Graduated(TIERS), D(0)).amount
    assert D(10) == rate(Volume(TIERS), D(0)).amount


def test_the_flat_fee_of_a_later_tier_is_due_only_once_it_is_reached() -> None:
    tiers = (Tier(D(10)), Tier(None, flat_fee=D(7)))

    assert [D(0), D(0), D(7)] == [rate(Graduated(tiers), D(units)).amount for units in (0, 10, 11)]


def test_a_volume_price_charges_all_units_at_one_tier() -> None:
    rated = rate(Volume(TIERS), D(150))

    assert D(150) == rated.amount
    assert ["tier 2 (above 100 up to 200): 150 units x 1"] == [step.text for step in rated.steps]


def test_a_volume_charge_may_fall_where_a_cheaper_tier_begins() -> None:
    assert rate(Volume(TIERS), D(100)).amount > rate(Volume(TIERS), D(101)).amount


def test_a_free_tier_shows_as_a_step() -> None:
    rated = rate(Graduated((Tier(D(50)), Tier(None, D("0.01")))), D(100))

    assert D("0.5") == rated.amount
    assert Step("tier 1 (up to 50): 50 units free", D(50), D(0), D(0)) == rated.steps[0]


def test_each_tier_rounds_its_own_batches() -> None:
    tiers = (
        Tier(D(10), D(1), batch_size=D(4), rounding=Rounding.UP),
        Tier(None, D(1), batch_size=D(4), rounding=Rounding.DOWN),
    )

    # 10 units are 2.5 batches, up to 3; the other 7 are 1.75 batches, down to 1.
    assert D(4) == rate(Graduated(tiers), D(17)).amount


def test_thirds_that_make_a_whole_are_a_whole_to_the_minor_unit() -> None:
    tiers = (Tier(D(1), D("0.005"), batch_size=D(3)), Tier(None, D("0.005"), batch_size=D(3)))
    # 0.005 / 3 + 2 x 0.005 / 3 = 0.005, which rounds up, although no third is finite.
    rated = rate(Graduated(tiers), D(3))

    assert D("0.01") == round_to_minor_unit(rated.amount, CURRENCIES["USD"])
