"""How every database of records keeps whose usage is compared with thresholds."""

import msgspec
import pytest

from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.domain.metering import LogPosition
from lotus_server.ports.invoicing_records import SpendWatch
from lotus_server.ports.records import Records
from tests import records_values as values

WATCH = SpendWatch("org", "sub", "acme", LogPosition(5, 1))


@pytest.fixture
def filled(records: SqlRecords) -> Records:
    with records.transaction() as transaction:
        values.fill(transaction)
        transaction.subscriptions.add(values.subscription("a"))
        transaction.spend_watches.put(WATCH)
        transaction.spend_watches.put(SpendWatch("org", "a", "acme", LogPosition()))
    return records


def test_watches_come_by_their_ids_a_part_at_a_time(filled: Records) -> None:
    with filled.snapshot() as transaction:
        first = transaction.spend_watches.some(1, None, "org")
        rest = transaction.spend_watches.some(5, ("org", "a"), "org")

    assert (["a"], [WATCH]) == ([each.subscription_id for each in first], rest)


def test_a_watch_moves_on(filled: Records) -> None:
    moved = msgspec.structs.replace(WATCH, position=LogPosition(9, 2), again_at=values.NOW)
    with filled.transaction() as transaction:
        transaction.spend_watches.put(moved)
    with filled.snapshot() as transaction:
        assert moved in transaction.spend_watches.some(5, None, "org")


def test_a_watch_that_is_removed_is_gone(filled: Records) -> None:
    with filled.transaction() as transaction:
        transaction.spend_watches.remove(WATCH)
        found = transaction.spend_watches.some(5, None, "org")

    assert ["a"] == [each.subscription_id for each in found]


def test_without_an_organization_those_that_live_in_real_time_are_meant(filled: Records) -> None:
    with filled.transaction() as transaction:
        before = transaction.spend_watches.some(5)
        organization = transaction.organizations.get("org")
        assert organization is not None
        transaction.organizations.replace(msgspec.structs.replace(organization, clock_now=values.NOW))
        after = transaction.spend_watches.some(5)

    assert {0, 2} == {len(before), len(after)}
    assert bool(organization.clock_now) == (before == [])
