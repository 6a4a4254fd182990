"""Invoices and their lines, as they are kept."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from lotus_server.domain.invoicing.discounts import AppliedDiscount
from lotus_server.domain.invoicing.measured import Measured
from lotus_server.domain.invoicing.taxes import TaxSubtotal
from lotus_server.domain.rating import Step
from lotus_server.kernel.money import total
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ZERO, add, subtract


class PaymentStatus(StrEnum):
    """Where an invoice stands.

    A voided one is as if it had never been; of an uncollectible one nobody expects the money any more. A draft is not
    issued yet, and never kept.
    """

    UNPAID = "unpaid"
    PAID = "paid"
    VOIDED = "voided"
    UNCOLLECTIBLE = "uncollectible"
    DRAFT = "draft"


class LineKind(StrEnum):
    """What a line charges for."""

    USAGE = "usage"
    RECURRING = "recurring"
    PREPAID = "prepaid"
    COMMITMENT = "commitment"
    ADJUSTMENT = "adjustment"
    CORRECTION = "correction"
    ONE_OFF = "one_off"


class BillingType(StrEnum):
    """When the service of a line is rendered, seen from its invoice."""

    IN_ADVANCE = "in_advance"
    IN_ARREARS = "in_arrears"


class LineReference(msgspec.Struct, frozen=True, gc=False):
    """A line of another invoice by its place, counted from 0; null: that invoice as a whole, as it has no such line."""

    invoice_id: str
    invoice_number: str
    line: int | None


class InvoiceLine(msgspec.Struct, frozen=True, gc=False):
    """One line.

    `amount` is rounded to the currency's minor unit, `exact_amount` is what it was rounded from; `steps` say how it
    came about. A line for usage has how its `quantity` was `measured`, and, where each group of the usage is priced on
    its own, the values of the grouped properties that its `group` has. A correction has the period, the charge and the
    group of the line that it `refers_to`, and of quantity and amount only the difference. A one-off line is by no plan:
    `plan_id` and `version_id` are null. `subscription_id` is set where the lines of several subscriptions may be on one
    invoice (null: that of the invoice).
    """

    name: str
    kind: LineKind
    billing_type: BillingType
    period: Period
    quantity: Decimal
    exact_amount: Decimal
    amount: Decimal
    plan_id: str | None
    version_id: str | None
    charge_id: str
    metric_id: str | None = None
    steps: tuple[Step, ...] = ()
    group: dict[str, str | None] | None = None
    measured: Measured | None = None
    refers_to: LineReference | None = None
    subscription_id: str | None = None


class Invoice(msgspec.Struct, frozen=True, gc=False):
    """An issued invoice.

    `cause` is unique within the organization and names what the invoice bills (`<subscription>:arrears:<period
    start>`): it is what makes billing the same thing twice impossible. `subtotal` is the sum of the lines, and `gross`
    that sum less discounts, with tax; `credit_applied` of it was paid from the customer's balance; `total` is what was
    left to pay. A negative gross became credit, and then the total is zero. `credited` is what credit notes took off
    the total. A one-off invoice is of no subscription. `note` is printed below the sums.
    """

    organization_id: str
    invoice_id: str
    invoice_number: str
    cause: str
    customer_id: str
    subscription_id: str | None
    currency: str
    period: Period
    issued_at: datetime
    due_at: datetime
    lines: tuple[InvoiceLine, ...]
    subtotal: Decimal
    credit_applied: Decimal
    total: Decimal
    payment_status: PaymentStatus = PaymentStatus.UNPAID
    taxes: tuple[TaxSubtotal, ...] = ()
    prices_include_tax: bool = False
    credited: Decimal = ZERO
    discounts: tuple[AppliedDiscount, ...] = ()
    note: str = ""

    @property
    def amount_due(self) -> Decimal:
        """Return what is left to pay, if it is not paid: the total less what credit notes have taken off it."""
        return subtract(self.total, self.credited)

    @property
    def gross(self) -> Decimal:
        """Return the sum of the lines less discounts, with tax."""
        reduced = subtract(self.subtotal, total(each.amount for each in self.discounts))
        return reduced if self.prices_include_tax else add(reduced, total(each.tax for each in self.taxes))
