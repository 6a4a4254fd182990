"""Credits: grants, the order in which they pay, and the ledger that says what each has left."""

from lotus_server.domain.credits.burn_down import Drawdown, HeldCredit, after, burn_down, usable_at, usable_balance
from lotus_server.domain.credits.grants import PRIORITY_DEFAULT, CreditGrant, CreditStatus, grant_problems
from lotus_server.domain.credits.ledger import (
    CreditAccount,
    CreditPosting,
    account_balances,
    drawdown_posting,
    grant_posting,
    remaining_of,
    returned_posting,
    void_posting,
)

__all__ = [
    "PRIORITY_DEFAULT",
    "CreditAccount",
    "CreditGrant",
    "CreditPosting",
    "CreditStatus",
    "Drawdown",
    "HeldCredit",
    "account_balances",
    "after",
    "burn_down",
    "drawdown_posting",
    "grant_posting",
    "grant_problems",
    "remaining_of",
    "returned_posting",
    "usable_at",
    "usable_balance",
    "void_posting",
]
