"""How every database of records keeps credit notes."""

import pytest

from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.domain.invoicing import CreditNote
from lotus_server.kernel.errors import Conflict
from lotus_server.ports.records import Page, Records
from tests import records_values as values


@pytest.fixture
def filled(records: SqlRecords) -> Records:
    with records.transaction() as transaction:
        values.fill(transaction)
        values.fill(transaction, "other")
    return records


SAME_ID = values.credit_note(credit_note_number="another")
SAME_NUMBER = values.credit_note("another", credit_note_number="number of note")


@pytest.mark.parametrize("again", [SAME_ID, SAME_NUMBER])
def test_an_id_and_a_number_are_taken_once(filled: Records, again: CreditNote) -> None:
    with pytest.raises(Conflict) as caught, filled.transaction() as transaction:
        transaction.credit_notes.add(again)

    assert "credit_note_exists" == caught.value.code


def test_numbers_are_1_2_3_in_each_organization_and_apart_from_those_of_invoices(filled: Records) -> None:
    with filled.transaction() as transaction:
        transaction.invoices.take_number("org")
        numbers = [transaction.credit_notes.take_number(name) for name in ("org", "org", "other")]

    assert [1, 2, 1] == numbers


def test_pages_go_from_the_newest_to_the_oldest(filled: Records) -> None:
    with filled.transaction() as transaction:
        for name in ("second", "third"):
            transaction.credit_notes.add(values.credit_note(name))
    with filled.snapshot() as transaction:
        first = transaction.credit_notes.page("org", Page(2))
        rest = transaction.credit_notes.page("org", Page(2, first[-1].credit_note_id))

    assert [["third", "second"], ["note"]] == [[note.credit_note_id for note in page] for page in (first, rest)]


def test_pages_of_a_customer_have_only_theirs(filled: Records) -> None:
    with filled.snapshot() as transaction:
        assert [] == transaction.credit_notes.page("org", Page(), customer_id="nobody")
        assert 1 == len(transaction.credit_notes.page("org", Page(), customer_id="acme"))


def test_another_organization_s_credit_notes_do_not_exist(filled: Records) -> None:
    with filled.snapshot() as transaction:
        assert transaction.credit_notes.get("none", "note") is None
        assert [] == transaction.credit_notes.of_invoice("none", "inv_1")


def test_postings_of_an_invoice_are_found_by_it(filled: Records) -> None:
    with filled.transaction() as transaction:
        drawn = values.drawdown("drawn", "2")
        transaction.credits.add(drawn)

        assert [drawn] == transaction.credits.of_invoice("org", "inv_1")
        assert [] == transaction.credits.of_invoice("org", "inv_2")
