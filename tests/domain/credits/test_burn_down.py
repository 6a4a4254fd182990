"""Grants pay in their order, as long as they may, and nothing is lost or made on the way."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.credits import CreditGrant, HeldCredit, after, burn_down, usable_at, usable_balance
from lotus_server.kernel.money import total
from tests.domain.credits.strategies import START, cents, held_credits, instants

DAY = timedelta(days=1)
Charge = tuple[datetime, Decimal]


def _held(credit_id: str, amount: str = "10", **changes: object) -> HeldCredit:
    fields = {"granted_at": START, "effective_at": START, **changes}
    grant = CreditGrant("org", credit_id, "acme", "USD", Decimal(amount), **fields)  # type: ignore[arg-type]
    return HeldCredit(grant, grant.amount)


def _ids(held: list[HeldCredit]) -> list[str]:
    return [each.grant.credit_id for each in held]


def _run(held: tuple[HeldCredit, ...], charges: list[Charge]) -> tuple[HeldCredit, ...]:
    for at, amount in charges:
        held = after(held, burn_down(held, amount, at))
    return held


def test_the_lowest_priority_number_pays_first_whatever_else_is_true() -> None:
    late = _held("late", priority=1, expires_at=START + 9 * DAY, granted_at=START + DAY)
    early = _held("early", priority=2, expires_at=START + 2 * DAY)

    assert ["late", "early"] == _ids(usable_at([early, late], START))


def test_of_one_priority_the_earliest_expiry_pays_first_and_never_comes_last() -> None:
    never, soon, later = (
        _held("never"),
        _held("soon", expires_at=START + DAY),
        _held("later", expires_at=START + 2 * DAY),
    )

    assert ["soon", "later", "never"] == _ids(usable_at([never, later, soon], START))


def test_of_one_expiry_the_oldest_pays_first() -> None:
    first, second = _held("b", granted_at=START - DAY), _held("a", granted_at=START)

    assert ["b", "a"] == _ids(usable_at([second, first], START))


@pytest.mark.parametrize(
    ("at", "pays"),
    [
        (START - timedelta(microseconds=1), False),
        (START, True),
        (START + DAY - timedelta(microseconds=1), True),
        (START + DAY, False),
    ],
)
def test_a_grant_pays_from_its_effect_on_and_no_longer_at_the_instant_of_its_expiry(
    at: datetime, *, pays: bool
) -> None:
    assert pays == bool(burn_down([_held("a", expires_at=START + DAY)], Decimal(1), at))


def test_a_voided_grant_does_not_pay() -> None:
    assert () == burn_down([_held("a", voided_at=START)], Decimal(1), START)


def test_nothing_is_drawn_for_an_amount_of_zero_or_less() -> None:
    assert () == burn_down([_held("a")], Decimal(0), START)
    assert () == burn_down([_held("a")], Decimal(-5), START)


@given(held=held_credits(), amount=cents, at=instants)
def test_what_is_drawn_is_the_smaller_of_the_amount_and_what_is_usable(
    held: tuple[HeldCredit, ...], amount: Decimal, at: datetime
) -> None:
    drawn = total(drawdown.amount for drawdown in burn_down(held, amount, at))

    assert min(amount, usable_balance(held, at)) == drawn


@given(held=held_credits(), amount=cents, at=instants)
def test_nothing_is_lost_made_or_overdrawn(held: tuple[HeldCredit, ...], amount: Decimal, at: datetime) -> None:
    drawdowns = burn_down(held, amount, at)
    left = after(held, drawdowns)

    assert all(drawdown.amount > 0 for drawdown in drawdowns)
    assert all(each.remaining >= 0 for each in left)
    assert total(each.remaining for each in held) == total(
        [*(each.remaining for each in left), *(drawdown.amount for drawdown in drawdowns)]
    )


@given(held=held_credits(), amount=cents, at=instants)
def test_a_grant_is_touched_only_when_all_before_it_are_used_up(
    held: tuple[HeldCredit, ...], amount: Decimal, at: datetime
) -> None:
    order = _ids(usable_at(held, at))
    left = {each.grant.credit_id: each.remaining for each in after(held, burn_down(held, amount, at))}
    taken = [drawdown.grant.credit_id for drawdown in burn_down(held, amount, at)]

    assert order[: len(taken)] == taken
    assert all(not left[before] for before, _ in pairwise(taken))


@given(held=held_credits(), charges=st.lists(st.tuples(instants, cents), max_size=8).map(sorted), data=st.data())
def test_one_run_over_charges_is_the_same_as_split_runs(
    held: tuple[HeldCredit, ...], charges: list[Charge], data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(charges)), max_size=3)))
    split = held
    for start, end in pairwise([0, *cuts, len(charges)]):
        split = _run(split, charges[start:end])

    assert _run(held, charges) == split


@given(held=held_credits(), at=instants, parts=st.lists(cents, max_size=6))
def test_an_amount_at_once_and_its_parts_one_after_another_leave_the_same(
    held: tuple[HeldCredit, ...], at: datetime, parts: list[Decimal]
) -> None:
    assert _run(held, [(at, total(parts))]) == _run(held, [(at, part) for part in parts])
