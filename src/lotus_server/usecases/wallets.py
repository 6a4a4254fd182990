"""Wallets: a customer's prepaid credit, when more of it is wanted, and what became of that."""

from datetime import datetime
from decimal import Decimal

import msgspec

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.domain.credits import (
    CreditGrant,
    HeldCredit,
    TopUp,
    TopUpStatus,
    Wallet,
    prepaid,
    usable_at,
    usable_balance,
    wallet_problems,
)
from lotus_server.kernel.currencies import CURRENCIES
from lotus_server.kernel.errors import Conflict, FieldProblem, Invalid, NotFound, Problems
from lotus_server.ports.records import Transaction
from lotus_server.usecases.credit_ledger import give_credit
from lotus_server.usecases.credit_settlement import settle_credit, standing_at
from lotus_server.usecases.customers import require_customer
from lotus_server.usecases.services import Services, present
from lotus_server.usecases.wallet_watch import watch_wallets


class WalletDraft(msgspec.Struct, frozen=True):
    """Settings of a wallet; null is what was not sent. `keeps` fills what was not sent from what is set.

    `limits` tells that `max_per_month` was sent, be it null.
    """

    threshold: Decimal | None = None
    top_up_amount: Decimal | None = None
    max_per_month: Decimal | None = None
    currency: str | None = None
    limits: bool = False
    keeps: bool = False
    problems: tuple[FieldProblem, ...] = ()


class WalletView(msgspec.Struct, frozen=True):
    """A customer's prepaid credit in a currency as of now.

    `held` is what pays, in the order in which it does; `settings` are null when nothing is to be topped up. `pending`
    are the top-ups that wait for somebody.
    """

    customer: Customer
    currency: str
    balance: Decimal
    held: tuple[HeldCredit, ...]
    settings: Wallet | None
    pending: tuple[TopUp, ...]

    @property
    def is_low(self) -> bool:
        """Tell whether there is less than the customer wants to have."""
        return self.settings is not None and self.balance < self.settings.threshold


def get_wallet(
    services: Services, organization: Organization, customer_id: str, currency: str | None = None
) -> WalletView:
    """Return a customer's wallet, in the customer's currency unless another is named.

    Raises NotFound `customer_not_found`, Invalid `unknown_currency`.
    """
    now = present(services, organization)
    with services.records.snapshot() as tx:
        customer = require_customer(tx, organization, customer_id)
        return _view(tx, customer, _currency(customer, currency), now)


def set_wallet(services: Services, organization: Organization, customer_id: str, draft: WalletDraft) -> WalletView:
    """Set when a customer's wallet is to be topped up; when it is low already, that is wanted at once.

    Raises Invalid with every problem, NotFound `customer_not_found`.
    """
    now = present(services, organization)
    with services.records.transaction() as tx:
        customer = require_customer(tx, organization, customer_id)
        owner = organization.organization_id, customer_id
        settle_credit(services, tx, *owner, now)
        watch_wallets(services, tx, owner, now)  # what was wanted by the settings so far is wanted
        code = _currency(customer, draft.currency)
        before = _settings(tx, customer, code)
        wallet = _changed(draft, before, owner, code, now)
        tx.wallets.put(wallet)
        watch_wallets(services, tx, owner, now)
        return _view(tx, customer, code, now)


def _changed(draft: WalletDraft, before: Wallet | None, owner: tuple[str, str], code: str, now: datetime) -> Wallet:
    kept = before if draft.keeps else None
    problems = Problems()
    problems.extend(draft.problems)
    threshold = draft.threshold if kept is None or draft.threshold is not None else kept.threshold
    amount = draft.top_up_amount if kept is None or draft.top_up_amount is not None else kept.top_up_amount
    for field, value in (("threshold", threshold), ("top_up_amount", amount)):
        if value is None and not problems.any_below(field):
            problems.add(field, "required", f"{field} is required.")
    problems.raise_if_any()
    assert threshold is not None, "without one there was a problem"
    assert amount is not None, "without one there was a problem"
    wallet = Wallet(
        organization_id=owner[0],
        customer_id=owner[1],
        currency=code,
        threshold=threshold,
        top_up_amount=amount,
        checked_at=now,
        max_per_month=draft.max_per_month if kept is None or draft.limits else kept.max_per_month,
    )
    problems.extend(wallet_problems(wallet))
    problems.raise_if_any()
    return wallet


def remove_wallet(
    services: Services, organization: Organization, customer_id: str, currency: str | None = None
) -> WalletView:
    """Nothing is topped up any more; credit and pending top-ups stay. Once more changes nothing.

    Raises NotFound `customer_not_found`, Invalid `unknown_currency`.
    """
    now = present(services, organization)
    with services.records.transaction() as tx:
        customer = require_customer(tx, organization, customer_id)
        code = _currency(customer, currency)
        tx.wallets.remove(organization.organization_id, customer_id, code)
        return _view(tx, customer, code, now)


def list_top_ups(
    services: Services, organization: Organization, customer_id: str, currency: str | None = None
) -> list[TopUp]:
    """Return every top-up of a wallet, earliest wanted first. Raises as `get_wallet`."""
    with services.records.snapshot() as tx:
        customer = require_customer(tx, organization, customer_id)
        return tx.wallets.top_ups(organization.organization_id, customer_id, _currency(customer, currency))


def settle_top_up(services: Services, organization: Organization, customer_id: str, top_up_id: str) -> TopUp:
    """The money has come: the customer has credit that was paid for. Once more changes nothing.

    Raises NotFound `customer_not_found`, `top_up_not_found`, Conflict `invalid_state` for one that was cancelled.
    """
    now = present(services, organization)
    with services.records.transaction() as tx:
        wallet, top_up = _lock(services, tx, organization, customer_id, top_up_id, now=now)
        if top_up.status is TopUpStatus.SETTLED:
            return top_up
        if top_up.status is TopUpStatus.CANCELED:
            raise Conflict("The top-up was cancelled.", code="invalid_state")
        grant = CreditGrant(
            organization_id=top_up.organization_id,
            credit_id=services.ids.new("credit"),
            customer_id=top_up.customer_id,
            currency=top_up.currency,
            amount=top_up.amount,
            granted_at=now,
            effective_at=now,
            description="Top-up",
            amount_paid=top_up.amount,
            amount_paid_currency=top_up.currency,
        )
        give_credit(services, tx, grant)
        settled = msgspec.structs.replace(
            top_up, status=TopUpStatus.SETTLED, resolved_at=now, credit_id=grant.credit_id
        )
        tx.wallets.replace_top_up(settled)
        if wallet is not None:  # if that was not enough, more is wanted at once
            tx.wallets.put(msgspec.structs.replace(wallet, is_armed=True))
            watch_wallets(services, tx, (top_up.organization_id, top_up.customer_id), now)
        return settled


def cancel_top_up(services: Services, organization: Organization, customer_id: str, top_up_id: str) -> TopUp:
    """Nobody waits for the money any more; it is wanted again when the balance has recovered and falls once more.

    Once more changes nothing. Raises NotFound `customer_not_found`, `top_up_not_found`, Conflict `invalid_state` for
    one that was settled.
    """
    now = present(services, organization)
    with services.records.transaction() as tx:
        wallet, top_up = _lock(services, tx, organization, customer_id, top_up_id, now=now)
        if top_up.status is TopUpStatus.CANCELED:
            return top_up
        if top_up.status is TopUpStatus.SETTLED:
            raise Conflict("The top-up was settled: void its credit instead.", code="invalid_state")
        canceled = msgspec.structs.replace(top_up, status=TopUpStatus.CANCELED, resolved_at=now)
        tx.wallets.replace_top_up(canceled)
        if wallet is not None:
            tx.wallets.put(msgspec.structs.replace(wallet, is_armed=False, due_at=None))
        return canceled


def _lock(
    services: Services, tx: Transaction, organization: Organization, customer_id: str, top_up_id: str, *, now: datetime
) -> tuple[Wallet | None, TopUp]:
    """Return a top-up that nobody else changes and its wallet's settings, everything due being done."""
    customer = require_customer(tx, organization, customer_id)
    settle_credit(services, tx, organization.organization_id, customer_id, now)
    found = tx.wallets.top_up(organization.organization_id, top_up_id)
    if found is None or found.customer_id != customer_id:
        raise NotFound(f"There is no top-up {top_up_id!r}.", code="top_up_not_found")
    wallet = _settings(tx, customer, found.currency)
    locked = tx.wallets.top_up(organization.organization_id, top_up_id, for_update=True)
    assert locked is not None, "top-ups are never deleted"
    return wallet, locked


def _view(tx: Transaction, customer: Customer, code: str, now: datetime) -> WalletView:
    owner = customer.organization_id, customer.customer_id
    held = prepaid(standing_at(tx, *owner, now), code)
    pending = [each for each in tx.wallets.top_ups(*owner, code, now) if each.status is TopUpStatus.PENDING]
    return WalletView(
        customer=customer,
        currency=code,
        balance=usable_balance(held, now),
        held=tuple(usable_at(held, now)),
        settings=_settings(tx, customer, code),
        pending=tuple(pending),
    )


def _settings(tx: Transaction, customer: Customer, code: str) -> Wallet | None:
    wallets = tx.wallets.of_customer(customer.organization_id, customer.customer_id)
    return next((wallet for wallet in wallets if wallet.currency == code), None)


def _currency(customer: Customer, code: str | None) -> str:
    if code is not None and code not in CURRENCIES:
        raise Invalid.field("currency_code", "unknown_currency", f"{code!r} is not an ISO 4217 currency code.")
    return code or customer.currency
