"""The records around invoices: billed periods, coupons, discounts, credit notes. They belong to `ports/records.py`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from lotus_server.domain.invoicing import BilledPeriod, Coupon, CreditNote, Discount, PendingLines
from lotus_server.domain.metering import LogPosition
from lotus_server.ports.paging import Page


class BilledExtent(msgspec.Struct, frozen=True):
    """How many periods were invoiced, and when the last of them ends. Those with a voided invoice count, too."""

    periods: int
    end: datetime


class BilledPeriods(Protocol):
    """The periods whose usage was invoiced, each with what was invoiced for it so far.

    One whose invoice was voided is never returned: what that billed is not billed again.
    """

    def add(self, period: BilledPeriod) -> None:
        """Keep a period that was invoiced. Raises Conflict `billed_period_exists`."""
        ...

    def get(self, organization_id: str, subscription_id: str, period_start: datetime) -> BilledPeriod | None:
        """Return a billed period by the start of the period, whatever became of its invoice."""
        ...

    def of_customer(self, organization_id: str, customer_id: str, *, for_update: bool = False) -> list[BilledPeriod]:
        """Return every billed period of a customer by subscription, then start.

        With `for_update`, in a transaction that may write, nobody else changes them until it ends.
        """
        ...

    def carried_by(
        self, organization_id: str, customer_id: str, subscription_id: str, currency: str
    ) -> list[BilledPeriod]:
        """Return the billed periods in a currency of a subscription, and of those that bill nothing any more.

        By subscription, then start. In a transaction that may write nobody else changes them until it ends.
        """
        ...

    def of_ended(self, organization_id: str, customer_ids: Sequence[str]) -> dict[str, BilledExtent]:
        """Return what was billed of each customer's subscriptions that bill nothing any more; no key without any."""
        ...

    def replace(self, period: BilledPeriod) -> None:
        """Keep what was invoiced for a period so far, and the usage that it was made from."""
        ...


class SpendWatch(msgspec.Struct, frozen=True):
    """A subscription whose usage is compared with thresholds, and how far the log of events went when it was last.

    It is compared again when more has come in, and at `again_at`, when an event comes about whose time lay ahead then
    (null: none did).
    """

    organization_id: str
    subscription_id: str
    customer_id: str
    position: LogPosition
    again_at: datetime | None = None


class SpendWatches(Protocol):
    """The subscriptions whose usage is compared with thresholds."""

    def put(self, watch: SpendWatch) -> None:
        """Keep up to where a subscription was looked at."""
        ...

    def remove(self, watch: SpendWatch) -> None:
        """Nothing more is compared for a subscription."""
        ...

    def some(
        self, limit: int, after: tuple[str, str] | None = None, organization_id: str | None = None
    ) -> list[SpendWatch]:
        """Return watches by organization, then subscription, those after a pair of both ids.

        Without an organization they are those of organizations that live in real time.
        """
        ...


class BillingRun(msgspec.Struct, frozen=True):
    """A billing run of many subscriptions that has not ended: since when, in real time, and how many were due then."""

    organization_id: str
    began_at: datetime
    total: int


class BillingRuns(Protocol):
    """The billing runs under way, at most one for each organization."""

    def begin(self, run: BillingRun) -> None:
        """Keep a run. One that a crash has left goes on with the beginning that it had, and the larger total."""
        ...

    def get(self, organization_id: str) -> BillingRun | None:
        """Return the run under way."""
        ...

    def end(self, organization_id: str) -> None:
        """Nothing is under way any more."""
        ...


class WaitingLines(Protocol):
    """The lines that wait for their customer's next invoice, and those that did."""

    def add(self, pending: PendingLines) -> None:
        """Keep lines that wait from now on. Raises Conflict `pending_lines_exist` for a cause that others have."""
        ...

    def has_cause(self, organization_id: str, cause: str) -> bool:
        """Tell whether lines of a cause wait, or did."""
        ...

    def customers(self, organization_id: str) -> frozenset[str]:
        """Return the customers for whom any lines wait, or did."""
        ...

    def waiting(self, organization_id: str, customer_id: str) -> list[PendingLines]:
        """Return what waits for a customer's next invoice, oldest first, then by id.

        In a transaction that may write nobody else changes it until it ends.
        """
        ...

    def due(self, at: datetime, limit: int, organization_id: str | None = None) -> list[PendingLines]:
        """Return what waits and is due at `at`, earliest first.

        Without an organization it is that of those that live in real time.
        """
        ...

    def replace(self, pending: PendingLines) -> None:
        """Keep what became of lines: the invoice that has them, or the next try."""
        ...


class Coupons(Protocol):
    """The coupons."""

    def add(self, coupon: Coupon) -> None:
        """Keep a new coupon. Raises Conflict `coupon_exists`."""
        ...

    def get(self, organization_id: str, coupon_id: str, *, for_update: bool = False) -> Coupon | None:
        """Return one coupon; `for_update` lets transactions that ask so for the same coupon go one by one."""
        ...

    def all(self, organization_id: str) -> list[Coupon]:
        """Return all coupons, archived ones too, oldest first."""
        ...

    def replace(self, coupon: Coupon) -> None:
        """Keep new values of an existing coupon."""
        ...


class Discounts(Protocol):
    """The discounts that customers have."""

    def add(self, discount: Discount) -> None:
        """Keep a new discount. Raises Conflict `discount_exists`."""
        ...

    def of_customer(self, organization_id: str, customer_id: str, *, for_update: bool = False) -> list[Discount]:
        """Return a customer's discounts by start, then id.

        With `for_update`, in a transaction that may write, nobody else changes them until it ends.
        """
        ...

    def count_of_coupon(self, organization_id: str, coupon_id: str) -> int:
        """Return how many discounts came from a coupon."""
        ...

    def replace(self, discount: Discount) -> None:
        """Keep a discount's new end and number of invoices left."""
        ...


class CreditNotes(Protocol):
    """The credit notes."""

    def add(self, note: CreditNote) -> None:
        """Keep a new credit note. Raises Conflict `credit_note_exists`."""
        ...

    def get(self, organization_id: str, credit_note_id: str) -> CreditNote | None:
        """Return one credit note."""
        ...

    def of_invoice(self, organization_id: str, invoice_id: str) -> list[CreditNote]:
        """Return the credit notes of an invoice, oldest first."""
        ...

    def page(self, organization_id: str, page: Page, *, customer_id: str | None = None) -> list[CreditNote]:
        """Return credit notes, newest number first; `page.after` is a credit note id."""
        ...

    def take_number(self, organization_id: str) -> int:
        """Return the next number of the organization's series 1, 2, 3... of credit notes, as invoices have one."""
        ...
