"""One-off invoices: for what is sold beside subscriptions, issued at once."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.domain.invoicing import BillingType, InvoiceLine, LineKind, TaxTerms, cause_of_credit
from lotus_server.domain.rating import Step
from lotus_server.kernel.currencies import CURRENCIES, Currency, currency
from lotus_server.kernel.errors import FieldProblem, Problems
from lotus_server.kernel.identifiers import name_problem
from lotus_server.kernel.money import round_to_minor_unit, total
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ONE, in_range, multiply, plain
from lotus_server.ports.records import Transaction
from lotus_server.usecases.catalog_reading import tax_terms
from lotus_server.usecases.customers import require_customer
from lotus_server.usecases.invoices import InvoiceView, view_of
from lotus_server.usecases.issuing import Heading, issue_under
from lotus_server.usecases.services import Services, present

LINES_MAX: Final = 1_000
NOTE_LENGTH_MAX: Final = 2_000
DUE_IN_DAYS_MAX: Final = 3_650
AMOUNT_LIMIT: Final = Decimal(10) ** 15


class OneOffLine(msgspec.Struct, frozen=True):
    """Something sold: a quantity at a unit price, or an amount; exactly one of the two.

    `[period_start, period_end)` is when the service was rendered, both or neither; without it, the instant of the
    invoice.
    """

    name: str
    quantity: Decimal = ONE
    unit_price: Decimal | None = None
    amount: Decimal | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None


class OneOffDraft(msgspec.Struct, frozen=True):
    """An invoice to be issued, in the customer's currency and with the organization's term unless it has its own.

    `applies_discounts`: the customer's discounts take something off it. `problems` are those that reading the input
    found already.
    """

    customer_id: str
    lines: tuple[OneOffLine, ...]
    currency: str | None = None
    note: str = ""
    due_in_days: int | None = None
    applies_discounts: bool = False
    problems: tuple[FieldProblem, ...] = ()


def issue_one_off(services: Services, organization: Organization, draft: OneOffDraft) -> InvoiceView:
    """Issue an invoice of no subscription, with its number, the customer's tax, and paid from credit as any other.

    Raises Invalid with every problem, NotFound `customer_not_found`.
    """
    now = present(services, organization)
    with services.records.transaction() as tx:
        problems = Problems()
        problems.extend(draft.problems)
        customer = None if problems.any_below("customer_id") else require_customer(tx, organization, draft.customer_id)
        code = draft.currency or (customer.currency if customer else organization.default_currency)
        _add_problems(problems, draft, code)
        problems.raise_if_any()
        assert customer is not None, "without one there was a problem"
        discounts = tx.discounts.of_customer(organization.organization_id, draft.customer_id, for_update=True)
        heading = Heading(
            organization.organization_id,
            draft.customer_id,
            None,
            code,
            tax_terms(organization, customer),
            tuple(each for each in discounts if draft.applies_discounts and each.applies_at(now, code)),
            organization.invoice_settings.payment_term_days if draft.due_in_days is None else draft.due_in_days,
            draft.note,
        )
        lines = tuple(_line(line, currency(code), now) for line in draft.lines)
        cause = f"one_off:{services.ids.new('one_off')}"
        invoice = issue_under(services, tx, heading, lines, cause=cause, now=now)
        return view_of(tx, organization, invoice)


def invoice_credit(
    services: Services,
    tx: Transaction,
    organization: Organization,
    customer: Customer,
    *,
    credit_id: str,
    name: str,
    paid: tuple[Decimal, str],
    now: datetime,
) -> None:
    """What a customer pays for credit, an amount in a currency, is invoiced once.

    Without tax: the invoices that the credit will pay have it. Other credit of the customer does not pay for it.
    """
    amount, code = paid
    heading = Heading(
        organization.organization_id,
        customer.customer_id,
        None,
        code,
        TaxTerms(),
        (),
        organization.invoice_settings.payment_term_days,
        uses_credit=False,
    )
    line = _line(OneOffLine(name, amount=amount), currency(code), now)
    issue_under(services, tx, heading, (line,), cause=cause_of_credit(credit_id), now=now)


def _line(line: OneOffLine, unit: Currency, now: datetime) -> InvoiceLine:
    if line.amount is not None:
        exact, steps = line.amount, (Step(line.name, amount=line.amount),)
    else:
        assert line.unit_price is not None, "one of the two was given"
        exact = multiply(line.quantity, line.unit_price)
        text = f"{plain(line.quantity)} x {plain(line.unit_price)}"
        steps = (Step(text, line.quantity, line.unit_price, exact),)
    return InvoiceLine(
        name=line.name,
        kind=LineKind.ONE_OFF,
        billing_type=BillingType.IN_ARREARS,
        period=Period(line.period_start or now, line.period_end or now),
        quantity=line.quantity,
        exact_amount=exact,
        amount=round_to_minor_unit(exact, unit),
        plan_id=None,
        version_id=None,
        charge_id=LineKind.ONE_OFF.value,
        steps=steps,
    )


def _add_problems(problems: Problems, draft: OneOffDraft, code: str) -> None:
    if draft.note and len(draft.note) > NOTE_LENGTH_MAX:
        problems.add("note", "too_long", f"note must have at most {NOTE_LENGTH_MAX} characters.")
    if any(each < " " and each != "\n" for each in draft.note):
        problems.add("note", "invalid", "note must not contain control characters.")
    if draft.due_in_days is not None and not 0 <= draft.due_in_days <= DUE_IN_DAYS_MAX:
        problems.add("due_in_days", "out_of_range", f"due_in_days must lie between 0 and {DUE_IN_DAYS_MAX}.")
    if code not in CURRENCIES:
        problems.add("currency", "unknown_currency", "currency must be an ISO 4217 currency code.")
        return
    if not draft.lines and not problems.any_below("lines"):
        problems.add("lines", "required", "An invoice has at least one line.")
    if len(draft.lines) > LINES_MAX:
        problems.add("lines", "too_many", f"An invoice has at most {LINES_MAX} lines.")
        return
    before = len(problems.found)
    unit = currency(code)
    for place, line in enumerate(draft.lines):
        _add_line_problems(problems, f"lines[{place}]", line, unit)
    if len(problems.found) == before and _sum(draft.lines, unit) < 0:
        detail = "The lines must not come to less than nothing: give a credit, or issue a credit note."
        problems.add("lines", "negative", detail)


def _sum(lines: Sequence[OneOffLine], unit: Currency) -> Decimal:
    amounts = (
        line.amount if line.amount is not None else multiply(line.quantity, line.unit_price or ONE) for line in lines
    )
    return total(round_to_minor_unit(amount, unit) for amount in amounts)


def _add_line_problems(problems: Problems, field: str, line: OneOffLine, unit: Currency) -> None:
    if not problems.any_below(f"{field}.name") and (wrong := name_problem(line.name)):
        problems.add(f"{field}.name", "invalid", f"name {wrong}.")
    if (line.unit_price is None) == (line.amount is None):
        if not problems.any_below(field):
            problems.add(field, "exactly_one", "A line has exactly one of unit_price and amount.")
    elif line.amount is not None:
        if abs(line.amount) >= AMOUNT_LIMIT:
            problems.add(f"{field}.amount", "out_of_range", "amount must be below 10^15.")
        elif round_to_minor_unit(line.amount, unit) != line.amount:
            problems.add(f"{field}.amount", "too_fine", f"An amount in {unit.code} has fewer decimal places.")
    elif line.unit_price is not None:
        exact = multiply(line.quantity, line.unit_price)
        if not in_range(round_to_minor_unit(exact, unit)) or abs(exact) >= AMOUNT_LIMIT:
            problems.add(f"{field}.quantity", "out_of_range", "quantity x unit_price must be below 10^15.")
    _add_period_problems(problems, field, line)


def _add_period_problems(problems: Problems, field: str, line: OneOffLine) -> None:
    if (line.period_start is None) != (line.period_end is None):
        problems.add(f"{field}.period_start", "required", "Give period_start and period_end, or neither.")
    elif line.period_start is not None and line.period_end is not None and line.period_end <= line.period_start:
        problems.add(f"{field}.period_end", "end_before_start", "period_end must lie after period_start.")
