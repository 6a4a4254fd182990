"""Reading ahead and writing together: it answers as asking one by one does, on each database."""

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.kernel.errors import Conflict
from lotus_server.ports.records import Records, Transaction
from tests import records_values as values

LATER = values.NOW + timedelta(days=400)
OTHERS = ("boots", "corner", "dairy")


@pytest.fixture
def filled(records: SqlRecords) -> Records:
    """One organization with one of everything, and three more customers: with credit, with a discount, with nothing."""
    with records.transaction() as tx:
        values.fill(tx)
        for customer_id in OTHERS:
            tx.customers.add(values.customer(customer_id))
            subscription = values.subscription(f"sub of {customer_id}", customer_id=customer_id)
            tx.subscriptions.add(msgspec.structs.replace(subscription, due_at=values.NOW))
        given = values.grant("of boots", customer_id="boots", expires_at=None, due_at=None, is_prepaid=False)
        tx.credits.add_grant(given)
        tx.credits.add(values.posting("to boots", credit_id="of boots", customer_id="boots", cause="to boots"))
        tx.discounts.add(values.discount("of corner", customer_id="corner"))
    return records


def asked(tx: Transaction) -> list[object]:
    """What billing asks about every customer."""
    found: list[object] = [tx.organizations.get("org"), tx.metrics.all("org"), tx.plans.versions("org", "pro")]
    found += [tx.plans.get("org", "pro"), tx.plans.version("org", "pro_1"), tx.plans.version("org", "none")]
    for customer_id in ("acme", *OTHERS, "nobody"):
        found.append(tx.customers.get("org", customer_id))
        found.append(tx.discounts.of_customer("org", customer_id, for_update=True))
        for instant in (values.NOW, LATER):
            found.append(tx.credits.is_due("org", customer_id, instant))
            found.append(tx.credits.held("org", customer_id, "USD", instant))
    for cause in (values.invoice(1).cause, "new", "unknown"):
        found.append(tx.invoices.by_cause("org", cause))
    return found


def changed(tx: Transaction) -> None:
    """What billing writes: each kind of thing, also things that refer to each other."""
    (limited,) = tx.discounts.of_customer("org", "corner", for_update=True)
    tx.discounts.replace(msgspec.structs.replace(limited, invoices_left=1))
    number = tx.invoices.take_number("org")
    tx.invoices.add(values.invoice(7, cause="new", invoice_number=f"new-{number}", customer_id="boots"))
    drawn = values.drawdown("drawn", "4", credit_id="of boots", customer_id="boots", cause="drawn")
    tx.credits.add(drawn)
    more = values.grant("more", customer_id="dairy", expires_at=None, due_at=None, is_prepaid=False)
    tx.credits.add_grant(more)
    tx.credits.add(values.posting("given", credit_id="more", customer_id="dairy", cause="given"))
    tx.subscriptions.replace(values.subscription("sub of boots", customer_id="boots", due_at=LATER))


def test_it_answers_as_asking_one_by_one_does_before_and_after_writing(filled: Records) -> None:
    with filled.snapshot() as tx:
        before = asked(tx)
    with filled.transaction() as tx:
        claimed = tx.subscriptions.claim(values.NOW, 10, "org")
        with tx.read_ahead(claimed, ["new", values.invoice(1).cause], LATER) as batch:
            assert before == asked(batch)
            changed(batch)
            after = asked(batch)
    with filled.snapshot() as tx:
        assert asked(tx) == after
        assert tx.credits.held("org", "boots", "USD", values.NOW)[0].remaining == Decimal(6)
        kept = tx.subscriptions.get("org", "sub of boots")
    assert kept is not None
    assert kept.due_at == LATER


def test_numbers_go_on_after_those_of_a_batch(filled: Records) -> None:
    with filled.transaction() as tx, tx.read_ahead(tx.subscriptions.claim(values.NOW, 10), [], LATER) as batch:
        taken = [batch.invoices.take_number("org") for _ in range(3)]
    with filled.transaction() as tx:
        assert [*taken, tx.invoices.take_number("org")] == [1, 2, 3, 4]


def test_nothing_is_kept_of_a_batch_that_breaks_off(filled: Records) -> None:
    def break_off() -> None:
        with filled.transaction() as tx, tx.read_ahead([], [], LATER) as batch:
            batch.invoices.take_number("org")
            changed(batch)
            raise RuntimeError

    with filled.snapshot() as tx:
        before = asked(tx)
    with pytest.raises(RuntimeError):
        break_off()
    with filled.transaction() as tx:
        assert before == asked(tx)
        assert tx.invoices.take_number("org") == 1


def test_what_another_has_invoiced_meanwhile_is_a_conflict_at_the_end(filled: Records) -> None:
    def invoice_twice() -> None:
        with filled.transaction() as tx, tx.read_ahead([], ["twice"], LATER) as batch:
            batch.invoices.add(values.invoice(8, cause="twice", invoice_number="8"))
            batch.invoices.add(values.invoice(9, cause="twice", invoice_number="9"))

    with pytest.raises(Conflict) as caught:
        invoice_twice()

    assert caught.value.code == "invoice_exists"


def test_any_other_question_sees_what_was_written(filled: Records) -> None:
    written = values.invoice(8, cause="new", invoice_number="8")
    with filled.transaction() as tx, tx.read_ahead([], [], LATER) as batch:
        batch.invoices.add(written)

        assert batch.invoices.get("org", written.invoice_id) == written


def test_ten_customers_cost_as_many_statements_as_two(filled: Records) -> None:
    def statements(customer_ids: list[str]) -> int:
        count = 0

        def counted(*_: object) -> None:
            nonlocal count
            count += 1

        claimed = [values.subscription(f"sub of {each}", customer_id=each) for each in customer_ids]
        with filled.transaction() as tx:
            event.listen(Engine, "before_cursor_execute", counted)
            try:
                with tx.read_ahead(claimed, [f"{each}:cause" for each in customer_ids], LATER) as batch:
                    for number, customer_id in enumerate(customer_ids):
                        batch.credits.held("org", customer_id, "USD", values.NOW)
                        batch.invoices.take_number("org")
                        cause = f"{customer_id} {len(customer_ids)} {number}"
                        batch.invoices.add(values.invoice(len(cause) * 100 + number, cause=cause, invoice_number=cause))
            finally:
                event.remove(Engine, "before_cursor_execute", counted)
        return count

    few = statements(["corner", "dairy"])
    with filled.transaction() as tx:
        for number in range(10):
            tx.customers.add(values.customer(f"customer {number}"))
            tx.subscriptions.add(values.subscription(f"sub of customer {number}", customer_id=f"customer {number}"))

    assert few == statements([f"customer {number}" for number in range(10)])
