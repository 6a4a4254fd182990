"""Expiry, rollover and recurrence as movements in the ledger, whenever somebody gets round to writing them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.credits import (
    CreditAccount,
    CreditGrant,
    CreditPosting,
    CreditSchedule,
    HeldCredit,
    Rollover,
    Term,
    account_balances,
    account_when_over,
    burn_down,
    drawdown_posting,
    grant_posting,
    lost_on_return,
    remaining_of,
    returned_posting,
    settle,
    usable_balance,
    void_posting,
)
from lotus_server.kernel.money import total
from lotus_server.kernel.period import Duration
from tests.domain.credits.strategies import START, cents, grants, instants

DAY = timedelta(days=1)


class Ledger:
    """What a database would keep of one customer's credit."""

    def __init__(self, grants: Iterable[CreditGrant], schedules: Iterable[CreditSchedule] = ()) -> None:
        """Keep grants, none of which is voided."""
        self.grants = {grant.credit_id: msgspec.structs.replace(grant, due_at=grant.expires_at) for grant in grants}
        self.schedules = list(schedules)
        self.invoice_count = 0
        self.postings = [grant_posting(grant, posting_id=grant.credit_id) for grant in self.grants.values()]

    def held(self) -> list[HeldCredit]:
        """The grants whose expiry is not in the ledger yet."""
        standing = [each for each in self.grants.values() if each.voided_at is None]
        return [
            HeldCredit(grant, remaining_of(grant.credit_id, self.postings))
            for grant in standing
            if grant.expires_at is None or grant.due_at is not None
        ]

    def settle(self, until: datetime) -> None:
        """Write what is due."""
        found = settle(self.held(), self.schedules, until)
        self.grants |= {grant.credit_id: grant for grant in (*found.settled, *found.given)}
        self.schedules = list(found.schedules)
        self.postings += found.postings

    def draw(self, amount: Decimal, at: datetime) -> None:
        """Pay so much at an instant, as far as the credit goes."""
        self.settle(at)
        self.invoice_count += 1
        invoice_id = f"i{self.invoice_count}"
        self.postings += [
            drawdown_posting(each, posting_id="", invoice_id=invoice_id, posted_at=at, description="")
            for each in burn_down(self.held(), amount, at)
        ]

    def void(self, credit_id: str, at: datetime) -> None:
        """Take a grant back, if there is anything to take."""
        self.settle(at)
        grant, left = self.grants[credit_id], remaining_of(credit_id, self.postings)
        if left and account_when_over(grant, at) is None:
            self.postings.append(void_posting(grant, left, posting_id="", posted_at=at))
            self.grants[credit_id] = msgspec.structs.replace(grant, voided_at=at, due_at=None)

    def give_back(self, at: datetime) -> None:
        """Void the oldest invoice that is not void yet."""
        self.settle(at)
        causes = {posting.cause for posting in self.postings}
        paid = [each for each in self.postings if each.target is CreditAccount.APPLIED]
        invoice_id = next((each.invoice_id for each in paid if f"{each.cause}:returned" not in causes), None)
        for posting in [each for each in paid if each.invoice_id == invoice_id]:
            returned = returned_posting(posting, posting_id="", posted_at=at)
            self.postings.append(returned)
            if (lost_to := account_when_over(self.grants[posting.credit_id], at)) is not None:
                self.postings.append(lost_on_return(returned, lost_to))


@st.composite
def rolling_grants(draw: st.DrawFn) -> list[CreditGrant]:
    """Up to four grants, some of which roll over."""
    found = []
    for number in range(draw(st.integers(0, 4))):
        grant = msgspec.structs.replace(draw(grants(f"g{number}")), voided_at=None)
        if grant.expires_at is not None and draw(st.booleans()):
            term, top = Term(days=draw(st.integers(1, 4))), draw(st.none() | cents.filter(bool))
            grant = msgspec.structs.replace(grant, rollover=Rollover(term, top, draw(st.integers(1, 3))))
        found.append(grant)
    return found


@st.composite
def schedules(draw: st.DrawFn) -> list[CreditSchedule]:
    """None or one, that gives credit every day."""
    if draw(st.booleans()):
        return []
    starts_at, term = draw(instants), draw(st.none() | st.just(Term(days=1)) | st.just(Term(days=3)))
    roll = None if term is None or draw(st.booleans()) else Rollover(Term(days=1), None, 2)
    daily = CreditSchedule("org", "s", "acme", "USD", Decimal(3), Duration.DAILY, starts_at, START, starts_at)
    return [msgspec.structs.replace(daily, expires_after=term, rollover=roll)]


kinds = st.sampled_from(["draw", "draw", "void", "return"])
deeds = st.lists(st.tuples(instants, kinds, cents), max_size=8).map(sorted)


def _do(ledger: Ledger, deed: tuple[datetime, str, Decimal]) -> None:
    at, what, amount = deed
    if what == "draw":
        ledger.draw(amount, at)
    elif what == "return":
        ledger.give_back(at)
    else:
        # Whoever voids a credit names one that they have seen, so what was due by then is written.
        ledger.settle(at)
        if ledger.grants:
            ledger.void(min(ledger.grants), at)


@given(given_ones=rolling_grants(), recurring=schedules(), done=deeds)
def test_accounts_sum_to_zero_and_nothing_is_negative_whatever_happens(
    given_ones: list[CreditGrant], recurring: list[CreditSchedule], done: list[tuple[datetime, str, Decimal]]
) -> None:
    ledger = Ledger(given_ones, recurring)
    for deed in done:
        _do(ledger, deed)
    ledger.settle(START + 30 * DAY)
    balances = account_balances(ledger.postings)

    for credit_id in ledger.grants:
        assert not total(balance for (of, _), balance in balances.items() if of == credit_id)
    assert all(balance >= 0 for (_, account), balance in balances.items() if account is not CreditAccount.ISSUED)
    assert len({posting.cause for posting in ledger.postings}) == len(ledger.postings)


@given(given_ones=rolling_grants(), done=deeds)
def test_what_rolls_over_is_what_becomes_of_it(
    given_ones: list[CreditGrant], done: list[tuple[datetime, str, Decimal]]
) -> None:
    ledger = Ledger(given_ones)
    for deed in done:
        _do(ledger, deed)
    ledger.settle(START + 30 * DAY)
    balances = account_balances(ledger.postings)

    rolled = {of: balance for (of, account), balance in balances.items() if account is CreditAccount.ROLLED_OVER}
    born = {each.rolled_over_from: each.amount for each in ledger.grants.values() if each.rolled_over_from}
    assert rolled == born


@given(given_ones=rolling_grants(), recurring=schedules(), done=deeds, looks=st.lists(instants, max_size=8))
def test_the_ledger_is_the_same_however_often_it_was_brought_up_to_date(
    given_ones: list[CreditGrant],
    recurring: list[CreditSchedule],
    done: list[tuple[datetime, str, Decimal]],
    looks: list[datetime],
) -> None:
    rarely, often = Ledger(given_ones, recurring), Ledger(given_ones, recurring)
    for deed in done:
        _do(rarely, deed)
    for deed in done:
        for at in [each for each in looks if each <= deed[0]]:
            often.settle(at)
        _do(often, deed)
    rarely.settle(START + 30 * DAY)
    often.settle(START + 30 * DAY)

    assert (rarely.grants, rarely.schedules) == (often.grants, often.schedules)
    assert _sorted(rarely.postings) == _sorted(often.postings)


@given(given_ones=rolling_grants(), recurring=schedules(), until=instants)
def test_what_can_be_paid_is_the_same_before_and_after_it_is_written(
    given_ones: list[CreditGrant], recurring: list[CreditSchedule], until: datetime
) -> None:
    ledger = Ledger(given_ones, recurring)
    foreseen = settle(ledger.held(), ledger.schedules, until).held
    ledger.settle(until)

    assert usable_balance(ledger.held(), until) == usable_balance(foreseen, until)


def _sorted(postings: list[CreditPosting]) -> list[CreditPosting]:
    return sorted(postings, key=lambda posting: posting.cause)


def _grant(**changes: object) -> CreditGrant:
    value = CreditGrant("org", "g", "acme", "USD", Decimal(10), START, START, START + DAY)
    return msgspec.structs.replace(value, **changes)


def _movements(ledger: Ledger) -> list[tuple[str, str, Decimal, datetime]]:
    return [(each.credit_id, each.target.value, each.amount, each.posted_at) for each in ledger.postings[1:]]


def test_what_is_left_at_the_expiry_is_lost_at_that_instant() -> None:
    ledger = Ledger([_grant()])
    ledger.draw(Decimal(3), START)
    ledger.settle(START + DAY - timedelta(microseconds=1))
    ledger.settle(START + 9 * DAY)
    ledger.settle(START + 9 * DAY)

    assert [("g", "applied", Decimal(3), START), ("g", "expired", Decimal(7), START + DAY)] == _movements(ledger)


def test_what_was_used_up_leaves_nothing_to_expire() -> None:
    ledger = Ledger([_grant(rollover=Rollover(Term(days=1)))])
    ledger.draw(Decimal(10), START)
    ledger.settle(START + DAY)

    assert [("g", "applied", Decimal(10), START)] == _movements(ledger)


def test_a_part_rolls_over_once_and_the_rest_is_lost() -> None:
    ledger = Ledger([_grant(rollover=Rollover(Term(days=2), Decimal(4)))])
    ledger.settle(START + 9 * DAY)

    assert _movements(ledger) == [
        ("g", "rolled_over", Decimal(4), START + DAY),
        ("g", "expired", Decimal(6), START + DAY),
        ("g_r1", "available", Decimal(4), START + DAY),
        ("g_r1", "expired", Decimal(4), START + 3 * DAY),
    ]


def test_credit_rolls_over_as_often_as_it_may() -> None:
    ledger = Ledger([_grant(rollover=Rollover(Term(days=1), None, 3), amount_paid=Decimal(1), is_prepaid=True)])
    ledger.settle(START + 9 * DAY)

    assert ["g", "g_r1", "g_r2", "g_r3"] == list(ledger.grants)
    assert [None, "g", "g_r1", "g_r2"] == [each.rolled_over_from for each in ledger.grants.values()]
    assert [Decimal(1), Decimal(0), Decimal(0), Decimal(0)] == [each.amount_paid for each in ledger.grants.values()]
    assert all(each.is_prepaid and each.due_at is None for each in ledger.grants.values())


def test_what_rolled_over_pays_at_the_instant_at_which_it_did() -> None:
    ledger = Ledger([_grant(rollover=Rollover(Term(days=1)))])
    ledger.draw(Decimal(3), START + DAY)

    assert ("g_r1", "applied", Decimal(3), START + DAY) == _movements(ledger)[-1]
