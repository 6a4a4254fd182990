"""The credit ledger: what the organization owes a customer, as postings that are never changed."""

from datetime import datetime
from decimal import Decimal

import msgspec


class CreditPosting(msgspec.Struct, frozen=True):
    """One movement of a customer's balance in one currency: positive grants credit, negative uses it up.

    `cause` is unique within the organization, so that the same movement cannot be posted twice.
    """

    organization_id: str
    posting_id: str
    cause: str
    customer_id: str
    currency: str
    amount: Decimal
    posted_at: datetime
    description: str
    invoice_id: str | None = None
