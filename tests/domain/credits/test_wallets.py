"""When a wallet wants to be topped up."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.credits import CreditGrant, HeldCredit, TopUp, TopUpStatus, Wallet, wallet_problems, watch
from tests.domain.credits.strategies import START, held_credits, instants

DAY = timedelta(days=1)
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)


def _wallet(**changes: object) -> Wallet:
    return msgspec.structs.replace(Wallet("org", "acme", "USD", Decimal(10), Decimal(50), START), **changes)


def _held(amount: str, from_day: int = 0, until_day: int | None = None) -> HeldCredit:
    end = None if until_day is None else START + until_day * DAY
    begin = START + from_day * DAY
    grant = CreditGrant("org", f"g{amount}", "acme", "USD", Decimal(amount), begin, begin, end, is_prepaid=True)
    return HeldCredit(grant, grant.amount)


def _top_up(status: TopUpStatus, wanted_at: datetime = START, amount: int = 50) -> TopUp:
    return TopUp("org", "t", "acme", "USD", Decimal(amount), wanted_at, status)


def test_at_the_threshold_nothing_is_wanted_and_below_it_is() -> None:
    assert watch(_wallet(), [_held("10")], [], START)[1] is None
    assert START == watch(_wallet(), [_held("9.99")], [], START)[1]


def test_it_is_wanted_from_the_instant_on_at_which_the_balance_fell() -> None:
    held = [_held("10", until_day=3), _held("5")]

    assert START + 3 * DAY == watch(_wallet(), held, [], START + 9 * DAY)[1]


def test_it_is_wanted_once_until_the_balance_has_recovered() -> None:
    asked, _ = watch(_wallet(), [], [], START)
    again, wanted_again = watch(asked, [], [], START + DAY)
    recovered, _ = watch(again, [_held("10")], [], START + 2 * DAY)

    assert (wanted_again, recovered.is_armed) == (None, True)
    assert START + 3 * DAY == watch(recovered, [], [], START + 3 * DAY)[1]


def test_nothing_more_is_wanted_while_a_top_up_is_pending() -> None:
    held = [_held("10", from_day=1, until_day=2)]

    assert watch(_wallet(is_armed=False), held, [_top_up(TopUpStatus.PENDING)], START + 9 * DAY)[1] is None


def test_a_month_that_allows_no_more_is_waited_for() -> None:
    settled = [_top_up(TopUpStatus.SETTLED), _top_up(TopUpStatus.CANCELED)]
    limited = _wallet(max_per_month=Decimal(99))

    waiting, wanted_at = watch(limited, [], settled, START + DAY)
    assert (wanted_at, waiting.due_at) == (None, FEBRUARY)
    assert FEBRUARY == watch(waiting, [], settled, FEBRUARY)[1]
    assert START + DAY == watch(_wallet(max_per_month=Decimal(100)), [], settled, START + DAY)[1]


@given(held=held_credits(), looks=st.lists(instants, max_size=6).map(sorted), limit=st.none() | st.just(Decimal(50)))
def test_what_is_wanted_does_not_depend_on_how_often_one_looks(
    held: tuple[HeldCredit, ...], looks: list[datetime], limit: Decimal | None
) -> None:
    end = START + 60 * DAY
    settled = [_top_up(TopUpStatus.SETTLED)]
    begun, wanted_at = watch(_wallet(threshold=Decimal(40), max_per_month=limit), held, settled, START)
    wallet, found = begun, [wanted_at]
    for until in [*looks, end]:
        wallet, wanted_later = watch(wallet, held, settled, until)
        found.append(wanted_later)

    first = next((each for each in found if each is not None), None)
    assert first == (wanted_at or watch(begun, held, settled, end)[1])


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, []),
        ({"threshold": Decimal(0)}, ["threshold"]),
        ({"top_up_amount": Decimal("0.001")}, ["top_up_amount"]),
        ({"max_per_month": Decimal(49)}, ["max_per_month"]),
        ({"max_per_month": Decimal(50)}, []),
        ({"max_per_month": Decimal(0)}, ["max_per_month"]),
    ],
)
def test_everything_wrong_with_a_wallet_is_found(changes: dict[str, object], fields: list[str]) -> None:
    assert fields == [problem.field for problem in wallet_problems(_wallet(**changes))]
