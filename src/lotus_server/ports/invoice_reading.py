"""Asking for invoices: which ones, in which order, and what they come to. It belongs to `ports/records.py`."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from lotus_server.domain.invoicing import PaymentStatus


class InvoiceOrder(StrEnum):
    """What a list of invoices is sorted by. Those that are equal in it are in the order of their numbers."""

    NUMBER = "number"
    ISSUE_DATE = "issue_date"
    DUE_DATE = "due_date"
    AMOUNT = "amount"


class InvoiceQuestion(msgspec.Struct, frozen=True):
    """Which invoices are asked for (null: any), and in which order.

    `plan_id` is that of an invoice's first line by a plan. `number` is a part of the invoice number. They were issued
    in `[issued_from, issued_before)`, are to be paid in `[due_from, due_before)`, and their totals lie between
    `amount_min` and `amount_max`, both included.
    """

    customer_id: str | None = None
    payment_status: PaymentStatus | None = None
    plan_id: str | None = None
    currency: str | None = None
    number: str | None = None
    issued_from: datetime | None = None
    issued_before: datetime | None = None
    due_from: datetime | None = None
    due_before: datetime | None = None
    amount_min: Decimal | None = None
    amount_max: Decimal | None = None
    order: InvoiceOrder = InvoiceOrder.NUMBER
    is_ascending: bool = False


class InvoiceSum(msgspec.Struct, frozen=True):
    """How many invoices of a status and a currency there are, and what is left to pay of them, or was, together."""

    payment_status: PaymentStatus
    currency: str
    count: int
    amount_due: Decimal


EVERY_INVOICE = InvoiceQuestion()
