"""Keeping the credit ledger up to date with time: what expires, rolls over, and is given again and again.

Nobody's answer depends on when this happens. An invoice brings its customer's credit up to its own instant before it
uses any; who only reads reckons with what is due and not yet written.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import structlog

from lotus_server.domain.accounts import Organization
from lotus_server.domain.credits import HeldCredit, Settlement, settle, usable_at
from lotus_server.kernel.errors import LotusError
from lotus_server.kernel.quantity import ZERO, add
from lotus_server.ports.records import Transaction
from lotus_server.usecases.services import Services
from lotus_server.usecases.wallet_watch import watch_wallets

_log = structlog.get_logger()
DUE_AT_ONCE_MAX = 200


def settle_credit(services: Services, tx: Transaction, organization_id: str, customer_id: str, until: datetime) -> bool:
    """The ledger shows everything that has become due of a customer's credit by an instant. Tells if anything was."""
    was_due = False
    # Again, as somebody else may have given what is due in its turn while this one waited for them.
    while tx.credits.is_due(organization_id, customer_id, until):
        was_due = True
        settlement = _settlement(tx, organization_id, customer_id, until, for_update=True)
        for grant in settlement.given:
            tx.credits.add_grant(grant)
        for posting in settlement.postings:
            tx.credits.add(posting)
        for grant in settlement.settled:
            tx.credits.replace_grant(grant)
        for schedule in settlement.schedules:
            tx.credit_schedules.replace(schedule)
        watch_wallets(services, tx, (organization_id, customer_id), until, settlement.held)
    return was_due


def _settlement(
    tx: Transaction, organization_id: str, customer_id: str, until: datetime, *, for_update: bool = False
) -> Settlement:
    held = tx.credits.standing(organization_id, customer_id, for_update=for_update)
    return settle(held, tx.credit_schedules.due(organization_id, customer_id, until), until)


def credit_at(
    services: Services, tx: Transaction, owner: tuple[str, str], currency: str, instant: datetime
) -> list[HeldCredit]:
    """Return what pays for a customer, given as (organization id, customer id), in a currency at an instant.

    Nobody else draws on these grants until the transaction ends.
    """
    settle_credit(services, tx, *owner, instant)
    return tx.credits.held(*owner, currency, instant)


def balances_at(
    tx: Transaction, organization_id: str, customer_ids: Sequence[str], instant: datetime
) -> dict[tuple[str, str], Decimal]:
    """Return how much can be paid at an instant, by (customer id, currency); zero is left out."""
    balances = tx.credits.balances(organization_id, customer_ids, instant)
    for customer_id in tx.credits.due_among(organization_id, customer_ids, instant):
        settlement = _settlement(tx, organization_id, customer_id, instant)
        balances = {key: balance for key, balance in balances.items() if key[0] != customer_id}
        for each in usable_at(settlement.held, instant):
            key = customer_id, each.grant.currency
            balances[key] = add(balances.get(key, ZERO), each.remaining)
    return balances


def standing_at(tx: Transaction, organization_id: str, customer_id: str, instant: datetime) -> Sequence[HeldCredit]:
    """Return a customer's grants as they are at an instant, whether or not the ledger shows it yet."""
    return _settlement(tx, organization_id, customer_id, instant).held


def settle_credits_due(
    services: Services, *, until: datetime | None = None, organization: Organization | None = None
) -> int:
    """Settle the credit of every customer of whom something is due by `until` (default: the present).

    Without an organization those that live in real time are looked at. Returns the number of customers settled; each
    is one transaction. One that fails is logged, tried again the next time, and stops nobody else.
    """
    now = until or services.clock.now()
    organization_id = organization.organization_id if organization else None
    settled, after = 0, None
    while True:
        with services.records.snapshot() as tx:
            due = tx.credits.due(now, DUE_AT_ONCE_MAX, after, organization_id)
        for each in due:
            settled += _settle_one(services, (each.organization_id, each.customer_id), now)
        if len(due) < DUE_AT_ONCE_MAX:
            return settled
        after = due[-1]


def _settle_one(services: Services, owner: tuple[str, str], now: datetime) -> bool:
    try:
        with services.records.transaction() as tx:
            return settle_credit(services, tx, *owner, now)
    except LotusError as error:
        _log.warning("credit_settlement_failed", organization_id=owner[0], customer_id=owner[1], cause=str(error))
    except Exception:  # noqa: BLE001 - a defect that one customer meets must not keep others from their credit
        _log.exception("credit_settlement_failed", organization_id=owner[0], customer_id=owner[1])
    return False
