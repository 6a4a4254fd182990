"""What an organization decides about all its invoices."""

from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from zoneinfo import available_timezones

import msgspec

from lotus_server.kernel.errors import FieldProblem, Problems
from lotus_server.kernel.identifiers import name_problem

NOTE_LENGTH_MAX: Final = 2_000
PAYMENT_TERM_DAYS_MAX: Final = 365
GRACE_HOURS_MAX: Final = 720
TAX_PERCENT_MAX: Final = 100


class PaperSize(StrEnum):
    """The page of documents."""

    A4 = "a4"
    LETTER = "letter"


class TaxStatus(StrEnum):
    """Whether a customer is charged tax.

    `exempt` ones are not; with `reverse_charge` the customer owes the tax to their own state.
    """

    TAXABLE = "taxable"
    EXEMPT = "exempt"
    REVERSE_CHARGE = "reverse_charge"


class InvoiceGrouping(StrEnum):
    """What is on one invoice of those that time makes due for a customer at one instant, in one currency.

    `subscription`: each subscription has its own. `customer`: all of them have one together. `customer_and_requests`:
    and what somebody asks for, such as a start now, a cancellation or a switch, waits for that one, too.
    """

    SUBSCRIPTION = "subscription"
    CUSTOMER = "customer"
    CUSTOMER_AND_REQUESTS = "customer_and_requests"


class InvoiceSettings(msgspec.Struct, frozen=True, omit_defaults=True):
    """How an organization's invoices come out and what is printed on them.

    `tax_percent` null: no tax is charged at all. `locale` and `timezone` decide how numbers are written and to which
    day an instant belongs on paper. The invoice of a period is issued `invoice_grace_hours` after its end, with what
    came in until then. `invoice_grouping` is that of customers that have none of their own.
    """

    legal_name: str | None = None
    address: dict[str, Any] | None = None
    email: str | None = None
    phone: str | None = None
    tax_id: str | None = None
    tax_percent: Decimal | None = None
    prices_include_tax: bool = False
    payment_term_days: int = 30
    locale: str = "en_US"
    timezone: str = "UTC"
    paper: PaperSize = PaperSize.A4
    note: str = ""
    invoice_grace_hours: int = 0
    invoice_grouping: InvoiceGrouping = InvoiceGrouping.SUBSCRIPTION

    def problems(self) -> tuple[FieldProblem, ...]:
        """Return everything that is wrong with the settings, except whether the locale is known."""
        found = Problems()
        small = {"legal_name": self.legal_name, "email": self.email, "phone": self.phone, "tax_id": self.tax_id}
        small |= {f"address.{name}": text for name, text in (self.address or {}).items()}
        for field, text in small.items():
            if text and (wrong := name_problem(text)):
                found.add(field, "invalid", f"{field} {wrong}.")
        if self.tax_percent is not None and not 0 <= self.tax_percent <= TAX_PERCENT_MAX:
            found.add("tax_rate", "invalid", "tax_rate is a percentage from 0 to 100.")
        if not 0 <= self.payment_term_days <= PAYMENT_TERM_DAYS_MAX:
            found.add("payment_grace_period", "out_of_range", "payment_grace_period is a number of days from 0 to 365.")
        if self.timezone not in available_timezones():
            found.add("timezone", "unknown_timezone", f"{self.timezone!r} is not a time zone, such as Europe/Berlin.")
        if not 0 <= self.invoice_grace_hours <= GRACE_HOURS_MAX:
            found.add("invoice_grace_hours", "out_of_range", "invoice_grace_hours is a number of hours from 0 to 720.")
        if len(self.note) > NOTE_LENGTH_MAX:
            found.add("note", "too_long", f"note has at most {NOTE_LENGTH_MAX} characters.")
        return found.found
