"""Counting the invoices that discounts were applied to, within somebody else's transaction."""

from collections.abc import Sequence

import msgspec

from lotus_server.domain.invoicing import AppliedDiscount, Discount, Invoice
from lotus_server.ports.records import Transaction


def use_discounts(tx: Transaction, offered: Sequence[Discount], applied: Sequence[AppliedDiscount]) -> None:
    """Each discount that took something off is for one invoice less, if their number is limited."""
    used = {each.discount_id for each in applied}
    for discount in offered:
        if discount.discount_id in used and discount.invoices_left is not None:
            tx.discounts.replace(msgspec.structs.replace(discount, invoices_left=discount.invoices_left - 1))


def give_back_discounts(tx: Transaction, invoice: Invoice) -> None:
    """Each discount that took something off an invoice is for one invoice more again, if their number is limited."""
    used = {each.discount_id for each in invoice.discounts}
    if not used:
        return
    for discount in tx.discounts.of_customer(invoice.organization_id, invoice.customer_id, for_update=True):
        if discount.discount_id in used and discount.invoices_left is not None:
            tx.discounts.replace(msgspec.structs.replace(discount, invoices_left=discount.invoices_left + 1))
