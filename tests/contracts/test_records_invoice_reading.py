"""Finding invoices and summing them up, held against a slow model that looks at each of them."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lotus_server.domain.invoicing import Invoice, PaymentStatus
from lotus_server.ports.invoice_reading import InvoiceOrder, InvoiceQuestion, InvoiceSum
from lotus_server.ports.records import Page, Records, Transaction
from tests import records_values as values

ORGANIZATION = "lists"
HUGE = Decimal(10) ** 17 + Decimal("0.01")
AMOUNTS = [Decimal(0), Decimal("0.01"), Decimal("0.5"), Decimal(9), Decimal(10), Decimal("1234.5678"), HUGE]
CUSTOMERS = ["acme", "other", "Ärger"]
PLANS = ["pro", "basic", None]
CODES = ["EUR", "USD"]


def made(number: int) -> Invoice:
    """One of many invoices that differ in everything that can be asked for."""
    plan_id = PLANS[number % 3]
    line = values.invoice_line(plan_id=plan_id, version_id=None if plan_id is None else f"{plan_id}_1")
    return values.invoice(
        number,
        organization_id=ORGANIZATION,
        invoice_id=f"inv_{(number * 7) % 41}_{number}",
        customer_id=CUSTOMERS[number % len(CUSTOMERS)],
        subscription_id=None,
        currency=CODES[(number // 2) % 2],
        payment_status=list(PaymentStatus)[(number // 3) % 4],
        issued_at=values.NOW + values.days((number * 5) % 7),
        due_at=values.NOW + values.days((number * 3) % 11),
        lines=(values.invoice_line(plan_id=None, version_id=None), line),
        total=AMOUNTS[(number * 3) % len(AMOUNTS)],
        credited=AMOUNTS[(number * 3) % len(AMOUNTS)] if number % 5 == 0 else Decimal(0),
    )


ALL = [made(number) for number in range(1, 41)]


def fill(tx: Transaction) -> None:
    if tx.organizations.get(ORGANIZATION) is not None:
        return
    values.fill(tx, "other lists")
    values_of_tenant = {"organization_id": ORGANIZATION}
    tx.organizations.add(values.organization(ORGANIZATION))
    for customer_id in CUSTOMERS:
        tx.customers.add(values.customer(customer_id, **values_of_tenant))
    for invoice in ALL:
        tx.invoices.add(invoice)


def is_asked_for(invoice: Invoice, asked: InvoiceQuestion) -> bool:
    plan_id = next((line.plan_id for line in invoice.lines if line.plan_id), None)
    return (
        asked.customer_id in {None, invoice.customer_id}
        and asked.payment_status in {None, invoice.payment_status}
        and asked.plan_id in {None, plan_id}
        and asked.currency in {None, invoice.currency}
        and (asked.number or "").lower() in invoice.invoice_number.lower()
        and (asked.issued_from is None or invoice.issued_at >= asked.issued_from)
        and (asked.issued_before is None or invoice.issued_at < asked.issued_before)
        and (asked.due_from is None or invoice.due_at >= asked.due_from)
        and (asked.due_before is None or invoice.due_at < asked.due_before)
        and (asked.amount_min is None or invoice.total >= asked.amount_min)
        and (asked.amount_max is None or invoice.total <= asked.amount_max)
    )


def expected(asked: InvoiceQuestion) -> list[Invoice]:
    keys = {
        InvoiceOrder.NUMBER: lambda each: each.invoice_number,
        InvoiceOrder.ISSUE_DATE: lambda each: (each.issued_at, each.invoice_number),
        InvoiceOrder.DUE_DATE: lambda each: (each.due_at, each.invoice_number),
        InvoiceOrder.AMOUNT: lambda each: (each.total, each.invoice_number),
    }
    found = [each for each in ALL if is_asked_for(each, asked)]
    return sorted(found, key=keys[asked.order], reverse=not asked.is_ascending)


INSTANTS = st.one_of(st.none(), st.integers(-1, 12).map(lambda day: values.NOW + values.days(day)))
QUESTIONS = st.builds(
    InvoiceQuestion,
    customer_id=st.sampled_from([None, None, *CUSTOMERS, "nobody"]),
    payment_status=st.sampled_from([None, None, *PaymentStatus]),
    plan_id=st.sampled_from([None, None, "pro", "basic"]),
    currency=st.sampled_from([None, None, *CODES]),
    number=st.sampled_from([None, None, "LOT", "lot-00000", "3", "%", "_", "-000012"]),
    issued_from=INSTANTS,
    issued_before=INSTANTS,
    due_from=INSTANTS,
    due_before=INSTANTS,
    amount_min=st.sampled_from([None, None, Decimal(-1), *AMOUNTS]),
    amount_max=st.sampled_from([None, None, *AMOUNTS]),
    order=st.sampled_from(InvoiceOrder),
    is_ascending=st.booleans(),
)
WIDE = st.builds(
    InvoiceQuestion,
    payment_status=st.sampled_from([None, *PaymentStatus]),
    order=st.sampled_from(InvoiceOrder),
    is_ascending=st.booleans(),
)


@pytest.fixture
def lists(shared_records: Records) -> Records:
    with shared_records.transaction() as tx:
        fill(tx)
    return shared_records


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.one_of(QUESTIONS, WIDE), limit=st.sampled_from([None, 1, 3, 7]))
def test_pages_joined_are_what_was_asked_for_in_its_order(
    lists: Records, asked: InvoiceQuestion, limit: int | None
) -> None:
    with lists.snapshot() as tx:
        found, heads = (
            tx.invoices.page(ORGANIZATION, Page(limit), asked),
            tx.invoices.heads(ORGANIZATION, Page(limit), asked),
        )
        page = found
        while limit is not None and len(page) == limit:
            after = Page(limit, found[-1].invoice_id)
            page = tx.invoices.page(ORGANIZATION, after, asked)
            heads += tx.invoices.heads(ORGANIZATION, after, asked)
            found += page

    assert expected(asked) == found
    assert [each.invoice_id for each in found] == [each.invoice_id for each in heads]
    assert all(each.lines == () for each in heads)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.one_of(QUESTIONS, WIDE))
def test_sums_are_those_of_the_invoices_asked_for(lists: Records, asked: InvoiceQuestion) -> None:
    sums: dict[tuple[PaymentStatus, str], list[Decimal]] = {}
    for invoice in expected(asked):
        sums.setdefault((invoice.payment_status, invoice.currency), []).append(invoice.amount_due)

    with lists.snapshot() as tx:
        found = tx.invoices.sums(ORGANIZATION, asked)

    assert [InvoiceSum(*key, len(amounts), sum(amounts, Decimal(0))) for key, amounts in sorted(sums.items())] == found


def test_what_is_paid_or_credited_since_counts(records: Records) -> None:
    with records.transaction() as tx:
        values.fill(tx, "org")
        tx.invoices.replace_status(values.invoice(payment_status=PaymentStatus.UNCOLLECTIBLE, credited=Decimal("0.2")))
    with records.snapshot() as tx:
        assert [InvoiceSum(PaymentStatus.UNCOLLECTIBLE, "USD", 1, Decimal("0.3"))] == tx.invoices.sums("org")


def test_a_cursor_of_another_organization_leads_nowhere(lists: Records) -> None:
    with lists.snapshot() as tx:
        assert [] == tx.invoices.page(
            "other lists", Page(1, ALL[0].invoice_id), InvoiceQuestion(order=InvoiceOrder.AMOUNT)
        )
