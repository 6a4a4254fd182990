"""How every database of records keeps the lines that wait for their customer's next invoice."""

from datetime import timedelta

import pytest

from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.kernel.errors import Conflict
from lotus_server.ports.records import Records
from tests import records_values as values

DAY = timedelta(days=1)


@pytest.fixture
def filled(records: SqlRecords) -> Records:
    with records.transaction() as transaction:
        values.fill(transaction)
        values.fill(transaction, "other")
    return records


def test_lines_come_back_as_they_were_put_aside(filled: Records) -> None:
    with filled.snapshot() as transaction:
        assert [values.pending_lines()] == transaction.pending_lines.waiting("org", "acme")
        assert [] == transaction.pending_lines.waiting("org", "nobody")


def test_a_cause_waits_once_in_an_organization(filled: Records) -> None:
    with pytest.raises(Conflict) as caught, filled.transaction() as transaction:
        transaction.pending_lines.add(values.pending_lines(pending_id="another"))

    assert "pending_lines_exist" == caught.value.code
    with filled.snapshot() as transaction:
        assert transaction.pending_lines.has_cause("org", values.pending_lines().cause)
        assert not transaction.pending_lines.has_cause("org", "another")


def test_what_is_on_an_invoice_waits_no_more_and_keeps_its_cause(filled: Records) -> None:
    invoiced = values.pending_lines(invoice_id="inv_1", billed=values.billed_period())
    with filled.transaction() as transaction:
        transaction.pending_lines.replace(invoiced)

    with filled.snapshot() as transaction:
        assert [] == transaction.pending_lines.waiting("org", "acme")
        assert [] == transaction.pending_lines.due(invoiced.due_at, 10, "org")
        assert transaction.pending_lines.has_cause("org", invoiced.cause)
        assert [values.pending_lines(organization_id="other")] == transaction.pending_lines.waiting("other", "acme")


def test_what_waits_is_due_earliest_first(filled: Records) -> None:
    first = values.pending_lines()
    later = values.pending_lines(pending_id="a", cause="a", due_at=first.due_at + DAY, parked_cause="Broken.")
    with filled.transaction() as transaction:
        transaction.pending_lines.add(later)

    with filled.snapshot() as transaction:
        due = transaction.pending_lines.due
        assert [] == due(first.due_at - DAY, 10, "org")
        assert [first] == due(first.due_at, 10, "org")
        assert [first, later] == due(later.due_at, 10, "org")
        assert [first] == due(later.due_at, 1, "org")


def test_what_is_read_ahead_answers_as_the_database(filled: Records) -> None:
    with filled.transaction() as transaction:
        found = transaction.subscriptions.of_customer("org", "acme")
        with transaction.read_ahead(found, [], values.NOW) as batch:
            pending = values.pending_lines()
            assert [pending] == batch.pending_lines.waiting("org", "acme")
            assert [] == batch.pending_lines.waiting("org", "nobody")
            assert batch.pending_lines.has_cause("org", pending.cause)
            batch.pending_lines.replace(values.pending_lines(invoice_id="inv_1"))
            assert [] == batch.pending_lines.waiting("org", "acme")
