"""The records around invoices: coupons, discounts, credit notes. They belong to `ports/records.py`."""

from typing import Protocol

from lotus_server.domain.invoicing import Coupon, CreditNote, Discount
from lotus_server.ports.paging import Page


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
