"""How caches learn of changes, whoever made them."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.domain.invoicing import PaymentStatus
from lotus_server.ports.records import Change, Records, Transaction
from tests import records_values as values
from tests.repository import ROOT

ORGANIZATION = Change("org", None)
CUSTOMER = Change("org", "acme")


@pytest.fixture
def watched(records: SqlRecords) -> Records:
    """Records with one of everything, whose changes so far have been read."""
    with records.transaction() as transaction:
        values.fill(transaction)
    records.changes()
    return records


@pytest.fixture
def others(records_url: str) -> Iterator[SqlRecords]:
    """The same database, opened once more."""
    opened = SqlRecords.open(records_url)
    yield opened
    opened.close()


def test_the_first_answer_is_that_anything_may_have_changed(records: SqlRecords) -> None:
    assert None is records.changes()
    assert [] == records.changes()


WRITES: dict[str, tuple[Callable[[Transaction], object], list[Change]]] = {
    "a new organization": (lambda to: to.organizations.add(values.organization("new")), [Change("new", None)]),
    "an organization": (lambda to: to.organizations.replace(values.organization(name="new")), [ORGANIZATION]),
    "a new key": (lambda to: to.api_keys.add(values.api_key("new")), [ORGANIZATION]),
    "a key": (lambda to: to.api_keys.replace(values.api_key(name="new")), [ORGANIZATION]),
    "the use of a key": (lambda to: to.api_keys.note_use(["key"], values.NOW), []),
    "a new customer": (lambda to: to.customers.add(values.customer("new")), [Change("org", "new")]),
    "a customer": (lambda to: to.customers.replace(values.customer(email="a@b.c")), [CUSTOMER]),
    "a new metric": (lambda to: to.metrics.add(values.metric("new")), [ORGANIZATION]),
    "a metric": (lambda to: to.metrics.replace(values.metric(archived=True)), [ORGANIZATION]),
    "a new feature": (lambda to: to.features.add(values.feature("new")), [ORGANIZATION]),
    "a feature": (lambda to: to.features.replace(values.feature(archived=True)), [ORGANIZATION]),
    "a new plan": (lambda to: to.plans.add(values.plan("new")), [ORGANIZATION]),
    "a plan": (lambda to: to.plans.replace(values.plan(archived=True)), [ORGANIZATION]),
    "a new version": (lambda to: to.plans.add_version(values.plan_version("new", version=2)), [ORGANIZATION]),
    "a version": (lambda to: to.plans.replace_version(values.plan_version()), [ORGANIZATION]),
    "a new subscription": (lambda to: to.subscriptions.add(values.subscription("new")), [CUSTOMER]),
    "a subscription": (lambda to: to.subscriptions.replace(values.subscription(due_at=None)), [CUSTOMER]),
    "a new invoice": (lambda to: to.invoices.add(values.invoice(2)), []),
    "an invoice": (lambda to: to.invoices.replace_status(values.invoice(payment_status=PaymentStatus.PAID)), []),
    "an invoice number": (lambda to: to.invoices.take_number("org"), []),
    "a new credit": (lambda to: to.credits.add_grant(values.grant("new")), [CUSTOMER]),
    "a credit": (lambda to: to.credits.replace_grant(values.grant(description="new")), [CUSTOMER]),
    "a posting": (lambda to: to.credits.add(values.posting("new")), [CUSTOMER]),
    "a reply": (lambda to: to.replies.add(values.reply("new")), []),
}


def test_a_change_is_told_once_and_only_of_what_caches_keep(watched: Records) -> None:
    told = {}
    for thing, (write, _) in WRITES.items():
        with watched.transaction() as transaction:
            write(transaction)
        told[thing] = watched.changes()
        assert [] == watched.changes()

    assert {thing: expected for thing, (_, expected) in WRITES.items()} == told


def test_what_was_rolled_back_is_not_told(watched: Records) -> None:
    with suppress(LookupError), watched.transaction() as transaction:
        transaction.customers.add(values.customer("new"))
        raise LookupError

    assert [] == watched.changes()


def test_a_change_is_told_when_it_is_committed_and_not_before(watched: Records) -> None:
    with watched.transaction() as transaction:
        transaction.customers.add(values.customer("new"))

        assert [] == watched.changes()
    assert [Change("org", "new")] == watched.changes()


def test_changes_of_several_customers_are_told_of_each(watched: Records) -> None:
    with watched.transaction() as transaction:
        transaction.customers.add(values.customer("b"))
        transaction.customers.add(values.customer("a"))
        transaction.customers.replace(values.customer("a", email="a@b.c"))

    assert [Change("org", "a"), Change("org", "b")] == watched.changes()


def test_a_change_of_the_organization_includes_its_customers(watched: Records) -> None:
    with watched.transaction() as transaction:
        transaction.customers.replace(values.customer(email="a@b.c"))
        transaction.metrics.add(values.metric("new"))

    assert [ORGANIZATION] == watched.changes()


def test_very_many_customers_are_told_as_one_change_of_the_organization(watched: Records) -> None:
    with watched.transaction() as transaction:
        for number in range(101):
            transaction.customers.add(values.customer(f"c{number}"))

    assert [ORGANIZATION] == watched.changes()


def test_changes_made_through_another_connection_are_told(watched: Records, others: Records) -> None:
    assert [] == watched.changes()
    with others.transaction() as transaction:
        transaction.customers.replace(values.customer(email="a@b.c"))

    assert [CUSTOMER] == watched.changes()
    assert None is others.changes()


def test_each_reader_is_told_by_itself(watched: Records, others: Records) -> None:
    others.changes()
    with watched.transaction() as transaction:
        transaction.customers.replace(values.customer(email="a@b.c"))

    assert [CUSTOMER] == watched.changes()
    assert [CUSTOMER] == others.changes()


def test_changes_made_by_another_process_are_told(watched: Records, records_url: str) -> None:
    program = (
        "import sys\n"
        "from lotus_server.adapters.records_sql import SqlRecords\n"
        "from tests import records_values as values\n"
        "records = SqlRecords.open(sys.argv[1])\n"
        "with records.transaction() as transaction:\n"
        "    transaction.customers.replace(values.customer(email='a@b.c'))\n"
        "records.close()\n"
    )
    subprocess.run([sys.executable, "-c", program, records_url], check=True, timeout=60, cwd=ROOT)

    assert [CUSTOMER] == watched.changes()
    assert [] == watched.changes()
