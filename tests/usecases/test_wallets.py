"""Prepaid credit, and when more of it is wanted."""

from decimal import Decimal
from typing import Any

import pytest

from lotus_server.domain.catalog import Timing
from lotus_server.domain.credits import Rollover, Term, TopUp, TopUpStatus
from lotus_server.kernel.errors import Invalid, LotusError
from lotus_server.kernel.period import Duration
from lotus_server.usecases.wallets import (
    WalletDraft,
    WalletView,
    cancel_top_up,
    get_wallet,
    list_top_ups,
    remove_wallet,
    set_wallet,
    settle_top_up,
)
from tests.business import Business, at, charge
from tests.usecases.test_concurrency import together
from tests.usecases.test_credits import give, void

TEN, FIFTY = Decimal(10), Decimal(50)


def wallet(business: Business) -> WalletView:
    return get_wallet(business.services, business.organization, "acme")


def arrange(business: Business, threshold: Decimal = TEN, amount: Decimal = FIFTY, **more: Any) -> WalletView:  # noqa: ANN401 - a draft's
    return set_wallet(business.services, business.organization, "acme", WalletDraft(threshold, amount, **more))


def pay(business: Business, amount: str, **fields: Any) -> str:  # noqa: ANN401 - a draft's
    return give(business, amount, amount_paid=Decimal(amount), **fields)


def wanted(business: Business) -> list[tuple[str, TopUpStatus]]:
    top_ups = list_top_ups(business.services, business.organization, "acme")
    return [(f"{top_up.wanted_at:%m-%d}", top_up.status) for top_up in top_ups]


def settle(business: Business) -> TopUp:
    return settle_top_up(business.services, business.organization, "acme", wallet(business).pending[0].top_up_id)


def cancel(business: Business) -> TopUp:
    return cancel_top_up(business.services, business.organization, "acme", wallet(business).pending[0].top_up_id)


@pytest.fixture
def daily(business: Business) -> Business:
    """Acme is to pay 8 at the end of each day."""
    business.plan("pro", charge("8", Timing.IN_ARREARS), duration=Duration.DAILY)
    business.subscribe("2026-01-01")
    return business


def test_a_wallet_is_the_credit_that_was_paid_for(business: Business) -> None:
    prepaid = pay(business, "20")
    give(business, "5")
    pay(business, "7", currency="EUR")
    pay(business, "3", effective_at=at("2026-02-01"))

    found = wallet(business)

    assert (found.balance, found.is_low, found.settings) == (Decimal(20), False, None)
    assert [each.grant.credit_id for each in found.held] == [prepaid]


def test_prepaid_credit_stays_prepaid_when_it_rolls_over(business: Business) -> None:
    pay(business, "20", expires_at=at("2026-01-05"), rollover=Rollover(Term(months=1), Decimal(15)))

    business.move("2026-01-05")

    assert wallet(business).balance == 15


def test_a_top_up_is_wanted_once_when_an_invoice_takes_the_balance_below_the_threshold(daily: Business) -> None:
    pay(daily, "20")
    arrange(daily)

    daily.move("2026-01-02")
    assert (wallet(daily).balance, wallet(daily).is_low, wanted(daily)) == (Decimal(12), False, [])
    daily.move("2026-01-09")
    assert (wallet(daily).balance, wallet(daily).is_low, wanted(daily)) == (
        Decimal(0),
        True,
        [("01-03", TopUpStatus.PENDING)],
    )


def test_settling_makes_the_credit_and_the_next_fall_counts(daily: Business) -> None:
    pay(daily, "20")
    arrange(daily, amount=Decimal(12))
    daily.move("2026-01-03")

    settled = settle(daily)
    assert wallet(daily).balance == 4 + 12
    daily.move("2026-01-04")

    assert wanted(daily) == [("01-03", TopUpStatus.SETTLED), ("01-04", TopUpStatus.PENDING)]
    assert settled.credit_id in [each.grant.credit_id for each in wallet(daily).held]
    assert settled == settle_top_up(daily.services, daily.organization, "acme", settled.top_up_id)


def test_a_top_up_that_was_not_enough_is_followed_by_another(business: Business) -> None:
    arrange(business, amount=Decimal(6))

    settle(business)
    assert len(wanted(business)) == 2
    settle(business)

    assert [status for _, status in wanted(business)] == [TopUpStatus.SETTLED] * 2
    assert (wallet(business).balance, wallet(business).is_low) == (Decimal(12), False)


def test_a_cancelled_top_up_is_wanted_again_only_after_the_balance_had_recovered(daily: Business) -> None:
    arrange(daily)
    canceled = cancel(daily)
    daily.move("2026-01-03")
    assert wanted(daily) == [("01-01", TopUpStatus.CANCELED)]

    pay(daily, "10")
    daily.move("2026-01-04")

    assert wanted(daily) == [("01-01", TopUpStatus.CANCELED), ("01-04", TopUpStatus.PENDING)]
    assert canceled == cancel_top_up(daily.services, daily.organization, "acme", canceled.top_up_id)


def test_expiry_and_voiding_are_falls_too(business: Business) -> None:
    pay(business, "20", expires_at=at("2026-01-05"))
    other = pay(business, "20")
    arrange(business, threshold=Decimal(30))

    business.move("2026-01-09")
    assert wanted(business) == [("01-05", TopUpStatus.PENDING)]
    settle(business)
    void(business, other)

    assert wanted(business) == [("01-05", TopUpStatus.SETTLED)]
    arrange(business, threshold=Decimal(50))
    void(business, wallet(business).held[0].grant.credit_id)
    assert wanted(business) == [("01-05", TopUpStatus.SETTLED), ("01-09", TopUpStatus.PENDING)]


def test_a_month_takes_no_more_than_its_limit_and_the_next_goes_on(business: Business) -> None:
    arrange(business, amount=Decimal(6), max_per_month=Decimal(6))
    settle(business)
    assert wallet(business).pending == ()

    business.move("2026-03-01")

    assert wanted(business) == [("01-01", TopUpStatus.SETTLED), ("02-01", TopUpStatus.PENDING)]


def test_settings_are_changed_one_by_one_and_can_be_removed(business: Business) -> None:
    arrange(business, max_per_month=Decimal(100))

    changed = set_wallet(business.services, business.organization, "acme", WalletDraft(Decimal(1), keeps=True)).settings
    assert changed is not None
    assert (changed.threshold, changed.top_up_amount, changed.max_per_month) == (Decimal(1), FIFTY, Decimal(100))
    unlimited = WalletDraft(keeps=True, limits=True)
    changed = set_wallet(business.services, business.organization, "acme", unlimited).settings
    assert changed is not None
    assert changed.max_per_month is None

    removed = remove_wallet(business.services, business.organization, "acme")
    assert (removed.settings, len(removed.pending)) == (None, 1)


def test_every_problem_of_settings_is_told_at_once(business: Business) -> None:
    for draft, fields in (
        (WalletDraft(), ["threshold", "top_up_amount"]),
        (WalletDraft(Decimal(0), Decimal(-1), Decimal("0.001")), ["threshold", "top_up_amount", "max_per_month"]),
        (WalletDraft(currency="XXX"), ["currency_code"]),
    ):
        with pytest.raises(Invalid) as caught:
            set_wallet(business.services, business.organization, "acme", draft)
        assert [each.field for each in caught.value.problems] == fields


def test_what_is_resolved_cannot_be_resolved_otherwise(business: Business) -> None:
    arrange(business)
    canceled = cancel(business)
    arrange(business)
    settled = settle(business)

    codes = []
    for ask in (
        lambda: settle_top_up(business.services, business.organization, "acme", canceled.top_up_id),
        lambda: cancel_top_up(business.services, business.organization, "acme", settled.top_up_id),
        lambda: cancel_top_up(business.services, business.organization, "acme", "none"),
        lambda: get_wallet(business.services, business.organization, "nobody"),
    ):
        with pytest.raises(LotusError) as caught:
            ask()
        codes.append(caught.value.code)
    assert codes == ["invalid_state", "invalid_state", "top_up_not_found", "customer_not_found"]


def test_money_that_comes_twice_at_the_same_moment_is_credited_once(business: Business) -> None:
    arrange(business)
    top_up_id = wallet(business).pending[0].top_up_id

    together(*[lambda: settle_top_up(business.services, business.organization, "acme", top_up_id)] * 3)

    assert wallet(business).balance == 50
