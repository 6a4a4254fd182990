"""How every database of records keeps the periods whose usage was invoiced."""

from decimal import Decimal

import msgspec
import pytest

from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.domain.invoicing import BilledLine, BilledPeriod, BilledTerms, LineKind, PaymentStatus
from lotus_server.kernel.errors import Conflict
from lotus_server.kernel.period import Period
from lotus_server.ports.invoicing_records import BilledExtent
from lotus_server.ports.records import Records
from tests import records_values as values


@pytest.fixture
def filled(records: SqlRecords) -> Records:
    with records.transaction() as transaction:
        values.fill(transaction)
        values.fill(transaction, "other")
    return records


def carried(records: Records, by: str, currency: str = "USD") -> list[BilledPeriod]:
    with records.transaction() as transaction:
        return transaction.billed_periods.carried_by("org", "acme", by, currency)


def test_a_period_is_kept_once(filled: Records) -> None:
    with pytest.raises(Conflict) as caught, filled.transaction() as transaction:
        transaction.billed_periods.add(values.billed_period(usage_digest="another"))

    assert "billed_period_exists" == caught.value.code


def test_what_was_invoiced_so_far_and_of_which_usage_can_be_replaced(filled: Records) -> None:
    line = BilledLine(LineKind.USAGE, "calls", "API calls", Decimal(-1), Decimal("-0.5"), "calls", {"g": None}, 3)
    changed = values.billed_period(
        lines=(line,), usage_digest="new", terms=BilledTerms(("a", "b"), counts_end=True, adjusted=Decimal("1.25"))
    )
    with filled.transaction() as transaction:
        transaction.billed_periods.replace(changed)
    with filled.snapshot() as transaction:
        assert [changed] == transaction.billed_periods.of_customer("org", "acme")
        assert ["digest"] == [each.usage_digest for each in transaction.billed_periods.of_customer("other", "acme")]


def test_periods_come_by_subscription_then_start(filled: Records) -> None:
    later = values.billed_period(held=Period(values.MARCH.end, values.MARCH.end))
    with filled.transaction() as transaction:
        transaction.subscriptions.add(values.subscription("a"))
        transaction.billed_periods.add(later)
        transaction.billed_periods.add(values.billed_period(subscription_id="a"))
        found = transaction.billed_periods.of_customer("org", "acme")

    assert [("a", values.MARCH), ("sub", values.MARCH), ("sub", later.held)] == [
        (each.subscription_id, each.held) for each in found
    ]


def test_a_subscription_carries_its_own_periods_and_those_of_subscriptions_that_bill_nothing_any_more(
    filled: Records,
) -> None:
    with filled.transaction() as transaction:
        for name, is_over in (("ended", True), ("running", False), ("next", False)):
            transaction.subscriptions.add(values.subscription(name, is_fully_billed=is_over))
            transaction.billed_periods.add(values.billed_period(subscription_id=name))

    assert ["ended", "sub"] == [each.subscription_id for each in carried(filled, "sub")]
    assert ["ended", "next"] == [each.subscription_id for each in carried(filled, "next")]
    assert [] == carried(filled, "sub", "EUR")


def test_a_period_whose_invoice_was_voided_is_not_found(filled: Records) -> None:
    voided = msgspec.structs.replace(values.invoice(1), payment_status=PaymentStatus.VOIDED)
    with filled.transaction() as transaction:
        transaction.invoices.replace_status(voided)
        found = transaction.billed_periods.of_customer("org", "acme")

    assert [] == found == carried(filled, "sub")


def test_a_period_is_found_by_its_start_also_when_its_invoice_was_voided(filled: Records) -> None:
    with filled.transaction() as transaction:
        invoice = transaction.invoices.get("org", "inv_1")
        assert invoice is not None
        transaction.invoices.replace_status(msgspec.structs.replace(invoice, payment_status=PaymentStatus.VOIDED))
        found = transaction.billed_periods.get("org", "sub", values.MARCH.start)
        nothing = transaction.billed_periods.get("org", "sub", values.MARCH.end)

    assert (values.billed_period(), None) == (found, nothing)


def test_a_further_part_of_a_period_moves_it_to_another_invoice(filled: Records) -> None:
    line = BilledLine(
        *(LineKind.USAGE, "calls", "API calls", Decimal(5), Decimal(1), "calls", None, 0),
        held=values.MARCH,
        invoice_id="inv_1",
        invoice_number="LOT-000001",
    )
    until = BilledTerms(("calls",), invoiced_until={"calls": values.MARCH.end})
    with filled.transaction() as transaction:
        transaction.invoices.add(values.invoice(invoice_id="inv_2", invoice_number="LOT-000002", cause="second"))
        changed = values.billed_period(
            held=Period(values.MARCH.start, values.MARCH.start),
            invoice_id="inv_2",
            invoice_number="LOT-000002",
            terms=until,
            lines=(line,),
        )
        transaction.billed_periods.replace(changed)
    with filled.snapshot() as transaction:
        assert changed == transaction.billed_periods.get("org", "sub", values.MARCH.start)


def test_what_was_billed_of_ended_subscriptions_is_summed_up(filled: Records) -> None:
    later = Period(values.MARCH.end, values.MARCH.end + values.days(7))
    with filled.transaction() as transaction:
        for name in ("a", "b", "goes on"):
            transaction.subscriptions.add(values.subscription(name, is_fully_billed=name != "goes on"))
            transaction.billed_periods.add(values.billed_period(subscription_id=name))
        transaction.billed_periods.add(values.billed_period(subscription_id="b", held=later))

        found = transaction.billed_periods.of_ended("org", ["acme", "nobody"])

    assert {"acme": BilledExtent(3, later.end)} == found
