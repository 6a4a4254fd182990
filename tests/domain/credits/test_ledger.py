"""The ledger: every posting moves credit between accounts of one grant, so they always sum to zero."""

from datetime import datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.credits import (
    CreditAccount,
    CreditGrant,
    CreditPosting,
    CreditStatus,
    HeldCredit,
    account_balances,
    burn_down,
    drawdown_posting,
    grant_posting,
    grant_problems,
    remaining_of,
    void_posting,
)
from lotus_server.kernel.money import total
from tests.domain.credits.strategies import START, cents, grants, instants


@given(
    grant=grants("g"),
    charges=st.lists(st.tuples(instants, cents), max_size=6).map(sorted),
    is_voided=st.booleans(),
)
def test_accounts_sum_to_zero_and_nothing_is_ever_negative(
    grant: CreditGrant, charges: list[tuple[datetime, Decimal]], *, is_voided: bool
) -> None:
    postings: list[CreditPosting] = [grant_posting(grant, posting_id="p")]
    for number, (at, amount) in enumerate(charges):
        held = HeldCredit(grant, remaining_of("g", postings))
        postings += [
            drawdown_posting(each, posting_id="p", invoice_id=f"i{number}", posted_at=at, description="")
            for each in burn_down([held], amount, at)
        ]
    if is_voided:
        postings.append(void_posting(grant, remaining_of("g", postings), posting_id="p", posted_at=START))
    balances = account_balances(postings)

    assert not total(balances.values())
    assert balances["g", CreditAccount.ISSUED] == -grant.amount
    assert all(balance >= 0 for (_, account), balance in balances.items() if account is not CreditAccount.ISSUED)
    assert len({posting.cause for posting in postings}) == len(postings)
    assert not is_voided or not remaining_of("g", postings)


def _grant(**changes: object) -> CreditGrant:
    return msgspec.structs.replace(CreditGrant("org", "g", "acme", "USD", Decimal(5), START, START), **changes)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, []),
        ({"amount": Decimal("0.01")}, []),
        ({"amount": Decimal(0)}, ["amount"]),
        ({"amount": Decimal(-1)}, ["amount"]),
        ({"amount": Decimal("0.001")}, ["amount"]),
        ({"amount": Decimal("0.5"), "currency": "JPY"}, ["amount"]),
        ({"amount": Decimal("0.001"), "currency": "KWD"}, []),
        ({"amount": Decimal(10) ** 10}, ["amount"]),
        ({"currency": "XXX"}, ["currency_code"]),
        ({"priority": 0, "expires_at": START}, ["priority", "expires_at"]),
        ({"priority": 256}, ["priority"]),
        ({"amount_paid": Decimal(-1), "amount_paid_currency": "USD"}, ["amount_paid"]),
        ({"amount_paid": Decimal(1), "amount_paid_currency": "nothing"}, ["amount_paid_currency_code"]),
        ({"description": "x" * 501}, ["description"]),
    ],
)
def test_everything_wrong_with_a_grant_is_found(changes: dict[str, object], fields: list[str]) -> None:
    assert fields == [problem.field for problem in grant_problems(_grant(**changes))]


def test_a_grant_is_active_until_it_is_used_up_voided_or_expired() -> None:
    later = START.replace(day=2)
    status = [
        _grant(effective_at=later).status_at(START, Decimal(5)),
        _grant().status_at(START, Decimal(0)),
        _grant(voided_at=START).status_at(START, Decimal(5)),
        _grant(expires_at=later).status_at(START, Decimal(5)),
        _grant(expires_at=later).status_at(later, Decimal(5)),
    ]

    active, inactive = CreditStatus.ACTIVE, CreditStatus.INACTIVE
    assert [active, inactive, inactive, active, inactive] == status
