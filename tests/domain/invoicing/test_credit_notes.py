"""Taking back invoices and parts of them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.invoicing.credit_note import (
    CreditedLine,
    CreditNoteAmounts,
    credit_note_amounts,
    what_is_left,
)
from lotus_server.domain.invoicing.taxes import TaxedAmount, standard_rate, tax_subtotals
from lotus_server.kernel.currencies import CURRENCIES
from lotus_server.kernel.errors import Invalid
from lotus_server.kernel.money import total

USD = CURRENCIES["USD"]
STANDARD = standard_rate(Decimal(25))


def line(amount: str) -> TaxedAmount:
    return TaxedAmount(Decimal(amount), STANDARD)


def credit(nets: list[TaxedAmount], earlier: list[CreditNoteAmounts], *wanted: tuple[int, str]) -> CreditNoteAmounts:
    taxes = tax_subtotals(nets, USD, is_included=False)
    return credit_note_amounts(nets, taxes, earlier, [CreditedLine(at, Decimal(a)) for at, a in wanted], USD)


def test_net_and_tax_are_each_rounded_and_the_total_is_their_sum() -> None:
    found = credit([line("200")], [], (0, "193.33"))

    assert (Decimal("193.33"), Decimal("48.33"), Decimal("241.66")) == (found.net, found.taxes[0].tax, found.total)


def test_crediting_all_that_is_left_credits_the_rest_of_the_tax() -> None:
    nets = [line("0.02"), line("0.03")]
    first = credit(nets, [], (0, "0.02"))
    (rest,) = what_is_left(nets, [first])

    second = credit(nets, [first], (rest.line, str(rest.amount)))

    assert [Decimal("0.01"), Decimal("0.00")] == [first.taxes[0].tax, second.taxes[0].tax]
    assert [] == list(what_is_left(nets, [first, second]))


@pytest.mark.parametrize(
    ("wanted", "code"),
    [((0, "10.01"), "more_than_is_left"), ((0, "0"), "more_than_is_left"), ((0, "-1"), "more_than_is_left"),
     ((1, "1"), "invalid"), ((0, "1.001"), "too_fine")],
)  # fmt: skip
def test_what_is_not_there_cannot_be_credited(wanted: tuple[int, str], code: str) -> None:
    with pytest.raises(Invalid) as caught:
        credit([line("10")], [], wanted)

    assert code == caught.value.code


def test_a_line_below_zero_can_be_taken_back_too() -> None:
    assert Decimal("-5.00") == credit([line("10"), line("-4")], [], (1, "-4")).total


@given(st.lists(st.decimals(-100, 100, places=2), min_size=1, max_size=6), st.data())
def test_notes_that_credit_everything_credit_exactly_the_invoice(amounts: list[Decimal], data: st.DataObject) -> None:
    rates = [standard_rate(Decimal("7.7")), STANDARD]
    nets = [TaxedAmount(amount, rates[index % 2]) for index, amount in enumerate(amounts)]
    taxes = tax_subtotals(nets, USD, is_included=False)
    notes: list[CreditNoteAmounts] = []
    for _ in range(data.draw(st.integers(0, 3))):
        part = [
            CreditedLine(
                each.line, data.draw(st.decimals(min(each.amount, Decimal(0)), max(each.amount, Decimal(0)), places=2))
            )
            for each in what_is_left(nets, notes)
        ]
        part = [each for each in part if each.amount]
        notes.append(credit_note_amounts(nets, taxes, notes, part, USD))
    notes.append(credit_note_amounts(nets, taxes, notes, what_is_left(nets, notes), USD))

    assert total(amounts) + total(each.tax for each in taxes) == total(note.total for note in notes)


def _up_to(amount: Decimal) -> st.SearchStrategy[Decimal]:
    return st.decimals(min(amount, Decimal(0)), max(amount, Decimal(0)), places=2)
