"""The records of credit: the ledger, schedules, wallets. They belong to `ports/records.py`."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

import msgspec

from lotus_server.domain.credits import CreditGrant, CreditPosting, CreditSchedule, HeldCredit, TopUp, Wallet
from lotus_server.ports.paging import Page


class CreditQuestion(msgspec.Struct, frozen=True):
    """Which grants of credit are asked for: those for which everything given here holds.

    `effective`, `expires` and `granted` are periods `[start, end)`, whose null sides are open; a grant that never
    expires is in no period of expiry.
    """

    customer_id: str | None = None
    currency: str | None = None
    effective: tuple[datetime | None, datetime | None] = (None, None)
    expires: tuple[datetime | None, datetime | None] = (None, None)
    granted: tuple[datetime | None, datetime | None] = (None, None)


class DueCredit(msgspec.Struct, frozen=True, order=True):
    """Since when something of a customer's credit is due: a grant's expiry, a schedule, or a wallet."""

    due_at: datetime
    organization_id: str
    customer_id: str


class CreditLedger(Protocol):
    """The grants of credit, and the postings that say what each has left."""

    def add_grant(self, grant: CreditGrant) -> None:
        """Keep a new grant. Raises Conflict `credit_exists`."""
        ...

    def grant(self, organization_id: str, credit_id: str, *, for_update: bool = False) -> CreditGrant | None:
        """Return one grant; `for_update` keeps everybody else from changing it or drawing on it."""
        ...

    def page(self, organization_id: str, page: Page, question: CreditQuestion) -> list[CreditGrant]:
        """Return grants in the order of their ids; `page.after` is a credit id."""
        ...

    def replace_grant(self, grant: CreditGrant) -> None:
        """Keep a grant's new description, expiry and voiding, and when its expiry is due."""
        ...

    def is_due(self, organization_id: str, customer_id: str, at: datetime) -> bool:
        """Tell whether a grant's expiry, a schedule or a wallet of a customer is due at an instant."""
        ...

    def due(
        self, at: datetime, limit: int, after: DueCredit | None = None, organization_id: str | None = None
    ) -> list[DueCredit]:
        """Return up to `limit` of what is due at an instant, earliest first, from `after` on, which is excluded.

        Of one organization, or of every one in real time. A customer may be named several times.
        """
        ...

    def due_among(self, organization_id: str, customer_ids: Sequence[str], at: datetime) -> list[str]:
        """Return those of the customers that are due, in the order of their ids."""
        ...

    def standing(self, organization_id: str, customer_id: str, *, for_update: bool = False) -> list[HeldCredit]:
        """Return a customer's grants that are not voided and whose expiry is not in the ledger, with what they have.

        Of every currency. `for_update` keeps everybody else from changing or drawing on them.
        """
        ...

    def held(self, organization_id: str, customer_id: str, currency: str, at: datetime) -> list[HeldCredit]:
        """Return what pays for a customer in a currency at an instant, with what each grant has left.

        Nobody else changes these grants or draws on them until the transaction ends.
        """
        ...

    def add(self, posting: CreditPosting) -> None:
        """Keep a posting. Raises Conflict `credit_posting_exists` when its cause was posted before."""
        ...

    def postings(self, organization_id: str, credit_ids: Sequence[str]) -> dict[str, list[CreditPosting]]:
        """Return the postings of several grants by time, then id, in one query; one without postings is left out."""
        ...

    def of_invoice(self, organization_id: str, invoice_id: str) -> list[CreditPosting]:
        """Return the postings that name an invoice, by time, then id."""
        ...

    def balances(
        self, organization_id: str, customer_ids: Sequence[str], at: datetime
    ) -> dict[tuple[str, str], Decimal]:
        """Return how much can be paid at an instant, by (customer id, currency); zero is left out."""
        ...


class CreditSchedules(Protocol):
    """The schedules by which credit is given."""

    def add(self, schedule: CreditSchedule) -> None:
        """Keep a new schedule. Raises Conflict `credit_schedule_exists`."""
        ...

    def get(self, organization_id: str, schedule_id: str, *, for_update: bool = False) -> CreditSchedule | None:
        """Return one schedule; `for_update` keeps everybody else from changing it until the transaction ends."""
        ...

    def page(self, organization_id: str, page: Page, *, customer_id: str | None = None) -> list[CreditSchedule]:
        """Return schedules in the order of their ids; `page.after` is a schedule id."""
        ...

    def due(self, organization_id: str, customer_id: str, at: datetime) -> list[CreditSchedule]:
        """Return a customer's schedules with a grant due at an instant, by id, which nobody else changes meanwhile."""
        ...

    def replace(self, schedule: CreditSchedule) -> None:
        """Keep how far a schedule has come, or that it was cancelled."""
        ...


class Wallets(Protocol):
    """The settings of wallets, and the top-ups wanted."""

    def put(self, wallet: Wallet) -> None:
        """Keep a wallet, in place of the one of the same customer and currency."""
        ...

    def remove(self, organization_id: str, customer_id: str, currency: str) -> None:
        """Forget a wallet's settings; its top-ups stay."""
        ...

    def of_customer(self, organization_id: str, customer_id: str) -> list[Wallet]:
        """Return a customer's wallets by currency, which nobody else changes until the transaction ends."""
        ...

    def add_top_up(self, top_up: TopUp) -> None:
        """Keep a new top-up. Raises Conflict `top_up_exists`, also while another one of the wallet is pending."""
        ...

    def top_up(self, organization_id: str, top_up_id: str, *, for_update: bool = False) -> TopUp | None:
        """Return one top-up; `for_update` keeps everybody else from changing it until the transaction ends."""
        ...

    def top_ups(
        self, organization_id: str, customer_id: str, currency: str, since: datetime | None = None
    ) -> list[TopUp]:
        """Return a wallet's top-ups, earliest first; with `since` those pending and those wanted from then on."""
        ...

    def replace_top_up(self, top_up: TopUp) -> None:
        """Keep what became of a top-up."""
        ...
