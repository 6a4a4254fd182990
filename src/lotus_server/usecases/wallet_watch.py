"""Noticing that a customer's prepaid credit has fallen below what they want to have."""

from collections.abc import Sequence
from datetime import datetime

from lotus_server.domain.credits import HeldCredit, TopUp, month_of, prepaid, watch
from lotus_server.ports.records import Transaction
from lotus_server.usecases.services import Services


def watch_wallets(
    services: Services,
    tx: Transaction,
    owner: tuple[str, str],
    until: datetime,
    held: Sequence[HeldCredit] | None = None,
) -> None:
    """The wallets of a customer, given as (organization id, customer id), are looked at up to an instant.

    Each that is to be topped up has a top-up that waits for somebody to settle or cancel it. `held` is what the
    customer's grants had before time took anything of it since the last look; without it, what the ledger says.
    """
    # The wallets are locked before the grants are read, so that of two who draw at once the second sees both.
    for wallet in tx.wallets.of_customer(*owner):
        credit = prepaid(tx.credits.standing(*owner) if held is None else held, wallet.currency)
        since = month_of(wallet.checked_at).start
        top_ups = tx.wallets.top_ups(*owner, wallet.currency, since)
        watched, wanted_at = watch(wallet, credit, top_ups, max(until, wallet.checked_at))
        if wanted_at is not None:
            top_up = TopUp(
                organization_id=wallet.organization_id,
                top_up_id=services.ids.new("top_up"),
                customer_id=wallet.customer_id,
                currency=wallet.currency,
                amount=wallet.top_up_amount,
                wanted_at=wanted_at,
            )
            tx.wallets.add_top_up(top_up)
        tx.wallets.put(watched)
