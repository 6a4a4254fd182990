"""Tax per rate, with and without tax in the prices."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.invoicing.taxes import (
    NO_TAX,
    TaxCategory,
    TaxedAmount,
    TaxRate,
    TaxSubtotal,
    net_amounts,
    standard_rate,
    tax_subtotals,
)
from lotus_server.kernel.currencies import CURRENCIES
from lotus_server.kernel.money import total

USD, JPY = CURRENCIES["USD"], CURRENCIES["JPY"]
TWENTY_ONE = standard_rate(Decimal(21))
rates = st.sampled_from(
    [TWENTY_ONE, standard_rate(Decimal("19.5")), standard_rate(Decimal(0)), TaxRate(TaxCategory.EXEMPT, Decimal(0))]
)
lines = st.lists(st.builds(TaxedAmount, st.decimals(-10_000, 10_000, places=2), rates), max_size=20)


def taxed(amount: str, rate: TaxRate = TWENTY_ONE) -> TaxedAmount:
    return TaxedAmount(Decimal(amount), rate)


def test_the_tax_of_a_rate_is_rounded_once_on_the_sum_of_its_lines() -> None:
    (found,) = tax_subtotals([taxed("0.02"), taxed("0.02"), taxed("0.02")], USD, is_included=False)

    assert TaxSubtotal(TWENTY_ONE, Decimal("0.06"), Decimal("0.01")) == found


def test_rates_of_different_categories_stay_apart_though_both_are_zero() -> None:
    exempt = TaxRate(TaxCategory.EXEMPT, Decimal(0))
    found = tax_subtotals([taxed("5", exempt), taxed("7", NO_TAX)], USD, is_included=False)

    assert [(exempt, Decimal(5)), (NO_TAX, Decimal(7))] == [(each.rate, each.base) for each in found]


def test_included_tax_is_taken_out_of_the_sum() -> None:
    (found,) = tax_subtotals([taxed("900.00")], USD, is_included=True)

    assert (Decimal("743.80"), Decimal("156.20")) == (found.base, found.tax)


@given(lines, st.booleans())
def test_lines_without_tax_sum_to_the_bases(lines: list[TaxedAmount], is_included: bool) -> None:
    nets = net_amounts(lines, USD, is_included=is_included)
    subtotals = tax_subtotals(lines, USD, is_included=is_included)

    assert total(nets) == total(each.base for each in subtotals)


@given(lines)
def test_with_tax_included_base_and_tax_are_what_was_agreed(lines: list[TaxedAmount]) -> None:
    subtotals = tax_subtotals(lines, USD, is_included=True)

    assert total(line.amount for line in lines) == total(each.base + each.tax for each in subtotals)


@given(lines)
def test_a_line_without_its_tax_is_within_a_minor_unit_of_the_exact_share(lines: list[TaxedAmount]) -> None:
    for line, net in zip(lines, net_amounts(lines, USD, is_included=True), strict=True):
        exact = Fraction(line.amount) / (1 + Fraction(line.rate.percent) / 100)
        assert abs(Fraction(net) - exact) <= Fraction(3, 200)


@pytest.mark.parametrize(("amount", "tax"), [("105", "11"), ("104", "10"), ("-105", "-11")])
def test_tax_is_rounded_half_up_at_the_currency_s_own_unit(amount: str, tax: str) -> None:
    (found,) = tax_subtotals([taxed(amount, standard_rate(Decimal(10)))], JPY, is_included=False)

    assert Decimal(tax) == found.tax
