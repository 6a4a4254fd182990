"""Credits: grants, the order in which they pay, and the ledger that says what each has left."""

from lotus_server.domain.credits.burn_down import Drawdown, HeldCredit, after, burn_down, usable_at, usable_balance
from lotus_server.domain.credits.grants import PRIORITY_DEFAULT, CreditGrant, CreditStatus, Rollover, grant_problems
from lotus_server.domain.credits.ledger import (
    CreditAccount,
    CreditPosting,
    account_balances,
    account_when_over,
    drawdown_posting,
    grant_posting,
    lost_on_return,
    remaining_of,
    reopened_posting,
    returned_posting,
    void_posting,
)
from lotus_server.domain.credits.schedules import CreditSchedule, ScheduleStatus, schedule_problems
from lotus_server.domain.credits.settlement import Settlement, expire, settle
from lotus_server.domain.credits.terms import Term, parse_term
from lotus_server.domain.credits.wallets import (
    TopUp,
    TopUpStatus,
    Wallet,
    month_of,
    prepaid,
    wallet_problems,
    watch,
)

__all__ = [
    "PRIORITY_DEFAULT",
    "CreditAccount",
    "CreditGrant",
    "CreditPosting",
    "CreditSchedule",
    "CreditStatus",
    "Drawdown",
    "HeldCredit",
    "Rollover",
    "ScheduleStatus",
    "Settlement",
    "Term",
    "TopUp",
    "TopUpStatus",
    "Wallet",
    "account_balances",
    "account_when_over",
    "after",
    "burn_down",
    "drawdown_posting",
    "expire",
    "grant_posting",
    "grant_problems",
    "lost_on_return",
    "month_of",
    "parse_term",
    "prepaid",
    "remaining_of",
    "reopened_posting",
    "returned_posting",
    "schedule_problems",
    "settle",
    "usable_at",
    "usable_balance",
    "void_posting",
    "wallet_problems",
    "watch",
]
