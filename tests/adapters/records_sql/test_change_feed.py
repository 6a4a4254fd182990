"""No change is missed: not one that commits late, not one that was pruned, not one beside a restored dump."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, text

from lotus_server.adapters.records_sql import SqlRecords, changes
from lotus_server.adapters.records_sql.changes import Seen
from lotus_server.ports.records import Change
from tests import records_values as values


@pytest.fixture
def watched(records: SqlRecords) -> SqlRecords:
    with records.transaction() as transaction:
        values.fill(transaction)
    records.changes()
    return records


@pytest.fixture
def engine(records_url: str) -> Iterator[Engine]:
    opened = create_engine(records_url)
    yield opened
    opened.dispose()


def _add_customers(records: SqlRecords, *customer_ids: str) -> None:
    for customer_id in customer_ids:
        with records.transaction() as transaction:
            transaction.customers.add(values.customer(customer_id))


@pytest.mark.postgres
@pytest.mark.parametrize("records_url", ["postgres"], indirect=True)
def test_a_transaction_that_began_first_and_commits_last_is_told(watched: SqlRecords) -> None:
    with watched.transaction() as late:
        late.customers.add(values.customer("late"))
        _add_customers(watched, "early")
        assert [Change("org", "early")] == watched.changes()

        with watched.transaction() as later_still:
            later_still.customers.add(values.customer("middle"))
            _add_customers(watched, "second")
            assert [Change("org", "second")] == watched.changes()
        assert [Change("org", "middle")] == watched.changes()
        assert [] == watched.changes()
    assert [Change("org", "late")] == watched.changes()
    assert [] == watched.changes()


def test_a_reader_that_missed_pruned_notes_is_told_that_anything_may_have_changed(
    watched: SqlRecords, monkeypatch: pytest.MonkeyPatch, records_url: str
) -> None:
    monkeypatch.setattr(changes, "_NEWEST_TO_GO", changes._NEWEST_TO_GO.offset(3))
    _add_customers(watched, *"abcdef")
    reader = SqlRecords.open(records_url)  # opening prunes

    assert None is watched.changes()
    _add_customers(watched, "g")
    assert [Change("org", "g")] == watched.changes()
    reader.close()


def test_a_reader_that_has_seen_what_was_pruned_misses_nothing(
    watched: SqlRecords, monkeypatch: pytest.MonkeyPatch, records_url: str
) -> None:
    monkeypatch.setattr(changes, "_NEWEST_TO_GO", changes._NEWEST_TO_GO.offset(3))
    _add_customers(watched, *"abc")
    watched.changes()
    _add_customers(watched, *"de")
    SqlRecords.open(records_url).close()

    assert [Change("org", "d"), Change("org", "e")] == watched.changes()


@pytest.mark.postgres
@pytest.mark.parametrize("records_url", ["postgres"], indirect=True)
def test_a_note_pruned_before_its_late_transaction_was_seen_is_not_passed_over(
    watched: SqlRecords, monkeypatch: pytest.MonkeyPatch, records_url: str
) -> None:
    monkeypatch.setattr(changes, "_NEWEST_TO_GO", changes._NEWEST_TO_GO.offset(2))
    with watched.transaction() as late:
        late.customers.add(values.customer("late"))
        _add_customers(watched, *"abcdef")
        watched.changes()
    SqlRecords.open(records_url).close()

    assert None is watched.changes()


def test_notes_are_pruned_as_they_grow(watched: SqlRecords, monkeypatch: pytest.MonkeyPatch, engine: Engine) -> None:
    monkeypatch.setattr(changes, "_NEWEST_TO_GO", changes._NEWEST_TO_GO.offset(20))
    monkeypatch.setattr("lotus_server.adapters.records_sql.records.NOTES_BETWEEN_PRUNINGS", 10)
    watched._notes_until_pruning = 10
    highest = 0
    for number in range(60):
        _add_customers(watched, f"c{number}")
        with engine.connect() as connection:
            highest = max(highest, connection.execute(text("SELECT count(*) FROM changes")).scalar_one())

    assert 20 < highest <= 30


@pytest.mark.postgres
@pytest.mark.parametrize("records_url", ["postgres"], indirect=True)
def test_notes_with_numbers_of_another_server_are_forgotten(
    watched: SqlRecords, records_url: str, engine: Engine
) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO changes VALUES (4000000000000, 'org', 'restored')"))
        connection.execute(text("UPDATE change_horizon SET pruned_below = 3000000000000"))

    restored = SqlRecords.open(records_url)
    assert None is restored.changes()
    _add_customers(restored, "new")
    assert [Change("org", "new")] == restored.changes()
    restored.close()


@pytest.mark.postgres
def test_more_notes_than_are_kept_mean_that_anything_may_have_changed(
    watched: SqlRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "NOTES_KEPT", 3)
    _add_customers(watched, *"abc")
    assert 3 == len(watched.changes() or [])
    _add_customers(watched, *"defg")

    assert None is watched.changes()
    assert [] == watched.changes()


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        ("10:10:", Seen(10)),
        ("10:20:10,14,15", Seen(20, (10, 14, 15))),
        ("4294967296:4294967300:4294967297", Seen(4294967300, (4294967297,))),
    ],
)
def test_a_snapshot_says_what_was_seen(snapshot: str, expected: Seen) -> None:
    assert expected == Seen.from_snapshot(snapshot)
    assert min([expected.next_number, *expected.running]) == expected.lowest_unseen
