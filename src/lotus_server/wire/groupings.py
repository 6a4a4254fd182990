"""What is on one invoice, on the wire."""

from typing import Final

from lotus_server.domain.accounts import InvoiceGrouping
from lotus_server.kernel.errors import Problems
from lotus_server.wire.forms import choice

_GROUPINGS: Final = {each.value: each for each in InvoiceGrouping}


def invoice_grouping_of(problems: Problems, text: str | None) -> InvoiceGrouping | None:
    """Return what is on one invoice; null when nothing is said."""
    if text in {None, ""}:
        return None
    return choice(problems, "invoice_grouping", text, _GROUPINGS, InvoiceGrouping.SUBSCRIPTION)
