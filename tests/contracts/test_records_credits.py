"""How every database of records tells what is due of a customer's credit, and keeps wallets."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from lotus_server.domain.credits import TopUpStatus
from lotus_server.ports.credit_records import DueCredit
from lotus_server.ports.paging import Page
from lotus_server.ports.records import Records, Transaction
from tests import records_values as values
from tests.contracts.test_records import filled

__all__ = ["filled"]

DUE = values.NOW + values.days(1)
LATER = values.NOW + values.days(2)


def _grant(to: Transaction, credit_id: str, **changes: Any) -> None:  # noqa: ANN401 - fields of a grant
    grant = values.grant(credit_id, **changes)
    to.credits.add_grant(grant)
    to.credits.add(values.posting(f"{credit_id} granted", credit_id=credit_id))


THINGS: dict[str, Any] = {
    "a grant": lambda to: _grant(to, "g", due_at=DUE, expires_at=DUE),
    "a schedule": lambda to: to.credit_schedules.add(values.credit_schedule("s", due_at=DUE)),
    "a wallet": lambda to: to.wallets.put(values.wallet(due_at=DUE)),
}


@pytest.mark.parametrize("thing", THINGS)
def test_a_customer_is_due_from_the_instant_on_at_which_something_of_it_is(filled: Records, thing: str) -> None:
    with filled.transaction() as transaction:
        THINGS[thing](transaction)

    def due(at: datetime) -> tuple[bool, list[str], list[DueCredit]]:
        with filled.snapshot() as snapshot:
            ledger = snapshot.credits
            among = ledger.due_among("org", ["acme", "nobody"], at)
            return ledger.is_due("org", "acme", at), among, ledger.due(at, 9, None, "org")

    assert (False, [], []) == due(DUE - timedelta(microseconds=1))
    assert (True, ["acme"], [DueCredit(DUE, "org", "acme")]) == due(DUE)


def test_what_is_due_is_told_earliest_first_and_in_portions(filled: Records) -> None:
    with filled.transaction() as transaction:
        transaction.customers.add(values.customer("b"))
        transaction.wallets.put(values.wallet(customer_id="b", due_at=DUE))
        transaction.wallets.put(values.wallet("EUR", customer_id="b", due_at=DUE))
        _grant(transaction, "g", due_at=DUE)
        transaction.credit_schedules.add(values.credit_schedule("s", customer_id="b", due_at=values.NOW))
    first, second, third = DueCredit(values.NOW, "org", "b"), DueCredit(DUE, "org", "acme"), DueCredit(DUE, "org", "b")

    with filled.snapshot() as snapshot:
        assert [first, second] == snapshot.credits.due(DUE, 2, None, "org")
        assert [third] == snapshot.credits.due(DUE, 2, second, "org")


def test_who_lives_in_real_time_is_told_apart_from_sandboxes(filled: Records) -> None:
    with filled.transaction() as transaction:
        transaction.organizations.add(values.organization("sandbox", clock_now=values.NOW))
        transaction.customers.add(values.customer(organization_id="sandbox"))
        for organization_id in ("org", "sandbox"):
            transaction.wallets.put(values.wallet(organization_id=organization_id, due_at=DUE))
    real, sandbox = DueCredit(DUE, "org", "acme"), DueCredit(DUE, "sandbox", "acme")

    with filled.snapshot() as snapshot:
        assert [real] == snapshot.credits.due(DUE, 9)
        assert [sandbox] == snapshot.credits.due(DUE, 9, None, "sandbox")
        assert [] == snapshot.credits.due(DUE, 9, real)


def test_credit_stands_until_it_is_voided_or_its_expiry_is_in_the_ledger(filled: Records) -> None:
    with filled.transaction() as transaction:
        _grant(transaction, "due", expires_at=DUE, due_at=DUE)
        _grant(transaction, "later", effective_at=LATER, currency="EUR")
        _grant(transaction, "over", expires_at=DUE)
        _grant(transaction, "void", voided_at=DUE)
        standing = transaction.credits.standing("org", "acme", for_update=True)

    assert {"grant": 10, "due": 10, "later": 10} == {each.grant.credit_id: each.remaining for each in standing}


def test_a_schedule_keeps_how_far_it_has_come_and_nothing_else(filled: Records) -> None:
    new: dict[str, Any] = {"due_at": DUE, "given_count": 3, "canceled_at": values.NOW}
    with filled.transaction() as transaction:
        transaction.credit_schedules.replace(values.credit_schedule(amount=Decimal(99), **new))

    with filled.snapshot() as snapshot:
        assert values.credit_schedule(**new) == snapshot.credit_schedules.get("org", "schedule")
        assert [values.credit_schedule(**new)] == snapshot.credit_schedules.due("org", "acme", DUE)
        assert [] == snapshot.credit_schedules.due("org", "acme", values.NOW)


def test_schedules_are_read_page_by_page(filled: Records) -> None:
    with filled.transaction() as transaction:
        transaction.credit_schedules.add(values.credit_schedule("zebra"))
        page = transaction.credit_schedules.page("org", Page(1, "schedule"), customer_id="acme")
        none = transaction.credit_schedules.page("org", Page(), customer_id="nobody")

    assert (["zebra"], []) == ([each.schedule_id for each in page], none)


def test_a_wallet_is_put_in_the_place_of_the_one_before_and_can_be_removed(filled: Records) -> None:
    with filled.transaction() as transaction:
        transaction.wallets.put(values.wallet("EUR"))
        transaction.wallets.put(values.wallet(threshold=Decimal(1), due_at=DUE))
        both = transaction.wallets.of_customer("org", "acme")
        transaction.wallets.remove("org", "acme", "USD")
        left = transaction.wallets.of_customer("org", "acme")

    assert [values.wallet("EUR"), values.wallet(threshold=Decimal(1), due_at=DUE)] == both
    assert [values.wallet("EUR")] == left


def test_a_further_top_up_is_wanted_once_the_one_before_is_resolved(filled: Records) -> None:
    settled = values.top_up(status=TopUpStatus.SETTLED, resolved_at=DUE, credit_id="grant")
    with filled.transaction() as transaction:
        transaction.wallets.replace_top_up(msgspec.structs.replace(settled, amount=Decimal(1)))
        transaction.wallets.add_top_up(values.top_up("second", wanted_at=DUE))
        everything = transaction.wallets.top_ups("org", "acme", "USD")
        recent = transaction.wallets.top_ups("org", "acme", "USD", LATER)

    assert ([settled, values.top_up("second", wanted_at=DUE)], ["second"]) == (
        everything,
        [each.top_up_id for each in recent],
    )
