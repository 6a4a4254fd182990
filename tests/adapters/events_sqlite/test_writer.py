"""The writer: exactly once whatever happens to its memory, its files and its neighbours."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lotus_server.adapters.events_sqlite import writer as writer_module
from lotus_server.adapters.events_sqlite.guard import Guard
from lotus_server.adapters.events_sqlite.hashes import Hashes, HashIds
from lotus_server.adapters.events_sqlite.live import Streams
from lotus_server.adapters.events_sqlite.process import open_when_free
from lotus_server.adapters.events_sqlite.reader import EventReader
from lotus_server.adapters.events_sqlite.schema import DATABASE_NAME, GUARD_NAME
from lotus_server.adapters.events_sqlite.writer import EventWriter, LockedByAnother, MemoryIsBehind
from lotus_server.domain.metering import Verdict
from lotus_server.kernel.errors import Invalid, Unavailable
from lotus_server.ports.event_store import DecodedBatch, EventQuery, IncomingEvent, Receipt, Submission
from tests.adapters.events_sqlite.writers import COUNT, decoder, keep, kept, open_writer, verdicts
from tests.contracts.metering_model import NOW, Model, Sent, days, submission

_event = st.builds(Sent, id=st.integers(0, 60).map(str), customer=st.sampled_from(["acme", "beta"]))


def one_hash_for_all(seed: int, ids: Sequence[str]) -> Hashes:
    return np.full(len(ids), 5, dtype=np.uint64)


def few_hashes(seed: int, ids: Sequence[str]) -> Hashes:
    return np.array([len(text) * 7 + ord(text[0]) % 3 for text in ids], dtype=np.uint64)


@given(groups=st.lists(st.lists(st.lists(_event, min_size=1, max_size=6), min_size=1, max_size=4), max_size=6))
@settings(max_examples=settings().max_examples // 4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("hash_function", [one_hash_for_all, few_hashes])
def test_ids_of_one_hash_are_told_apart(
    tmp_path_factory: pytest.TempPathFactory, hash_function: HashIds, groups: list[list[list[Sent]]]
) -> None:
    writer, model = open_writer(tmp_path_factory.mktemp("w"), hash_function), Model()
    for group in groups:
        expected = [[model.append(event) for event in batch] for batch in group]
        answers = writer.append([submission("org", *batch) for batch in group])
        assert expected == [verdicts(answer) for answer in answers]
    for id_ in model.accepted:
        assert {id_} == set(writer.find("org", [id_]))
    assert {} == writer.find("org", ["unheard-of"])
    writer.close()


def test_two_organizations_with_one_hash_are_told_apart(tmp_path: Path) -> None:
    writer = open_writer(tmp_path, one_hash_for_all)
    answers = writer.append([submission("one", Sent("a")), submission("two", Sent("a")), submission("one", Sent("a"))])

    assert [[Verdict.ACCEPTED], [Verdict.ACCEPTED], [Verdict.DUPLICATE]] == [verdicts(one) for one in answers]
    writer.close()


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5] + b"12345")


@pytest.mark.parametrize("happens", [Path.unlink, damage, lambda path: path.write_bytes(b"")])
def test_a_lost_guard_is_built_from_the_log(tmp_path: Path, happens: object) -> None:
    first = open_writer(tmp_path)
    first.append([submission("org", *(Sent(str(number)) for number in range(3_000)))])
    first.close()
    assert callable(happens)
    happens(tmp_path / GUARD_NAME)
    second = open_writer(tmp_path)

    (answer,) = second.append([submission("org", Sent("0"), Sent("2999"), Sent("1", customer="x"), Sent("new"))])
    assert [Verdict.DUPLICATE, Verdict.DUPLICATE, Verdict.CONFLICT, Verdict.ACCEPTED] == verdicts(answer)
    second.close()


def test_the_log_s_tail_is_added_to_an_older_guard_file(tmp_path: Path) -> None:
    first = open_writer(tmp_path)
    first.append([submission("org", Sent("a"), Sent("b"))])
    first.close()
    older = (tmp_path / GUARD_NAME).read_bytes()
    second = open_writer(tmp_path)
    second.append([submission("other", Sent("c")), submission("org", Sent("c"))])
    second.close()
    (tmp_path / GUARD_NAME).write_bytes(older)
    third = open_writer(tmp_path)

    answers = third.append([submission("org", Sent("a"), Sent("c")), submission("other", Sent("c"), Sent("a"))])
    assert [[Verdict.DUPLICATE] * 2, [Verdict.DUPLICATE, Verdict.ACCEPTED]] == [verdicts(one) for one in answers]
    third.close()


def test_a_guard_file_does_not_outlive_a_restored_backup(tmp_path: Path) -> None:
    """The log goes back to a backup and grows past the file's sequence number with other events."""
    first = open_writer(tmp_path)
    first.append([submission("org", Sent("a"))])
    first.close()
    backup = (tmp_path / DATABASE_NAME).read_bytes()
    second = open_writer(tmp_path)
    second.append([submission("org", Sent("b"), Sent("c"))])
    second.close()
    newer_guard = (tmp_path / GUARD_NAME).read_bytes()
    (tmp_path / DATABASE_NAME).write_bytes(backup)
    third = open_writer(tmp_path)
    third.append([submission("org", Sent("x"), Sent("y"), Sent("z"))])
    third.close()
    (tmp_path / GUARD_NAME).write_bytes(newer_guard)
    fourth = open_writer(tmp_path)

    (answer,) = fourth.append([submission("org", Sent("x"), Sent("b"), Sent("a"))])
    assert [Verdict.DUPLICATE, Verdict.ACCEPTED, Verdict.DUPLICATE] == verdicts(answer)
    fourth.close()


def test_two_writers_cannot_own_a_directory(tmp_path: Path) -> None:
    first = open_writer(tmp_path)
    with pytest.raises(LockedByAnother):
        open_writer(tmp_path)
    with pytest.raises(LockedByAnother):
        open_when_free(tmp_path, decoder(), wait_seconds=0.1)
    first.close()

    open_when_free(tmp_path, decoder(), wait_seconds=0.1).close()


def poisonous(submission_: Submission) -> DecodedBatch:
    """Decodes like the real one, but `crash` raises, and `poison` gives an event that no database takes."""
    if submission_.body == b"crash":
        raise RuntimeError("a defect")
    if submission_.body == b"poison":
        event = IncomingEvent("p", "acme", "call", 1 << 80, True, b"{}", {})
        return DecodedBatch([event], [0], [])
    return decoder()(submission_)


@pytest.mark.parametrize("body", [b"crash", b"poison"])
def test_a_submission_that_breaks_does_not_take_its_neighbours_with_it(tmp_path: Path, body: bytes) -> None:
    writer = EventWriter(tmp_path, poisonous)
    keep(writer, tmp_path, "org", COUNT)
    group = [submission("org", Sent("a")), Submission("org", body, NOW), submission("org", Sent("b"), Sent("a"))]
    before, breaks, after = writer.append(group)

    assert [Verdict.ACCEPTED] == verdicts(before)
    assert isinstance(breaks, Unavailable)
    assert [Verdict.ACCEPTED, Verdict.DUPLICATE] == verdicts(after)
    assert [2] == kept(tmp_path, "org", COUNT)
    (again,) = writer.append([submission("org", Sent("a"), Sent("c"))])
    assert [Verdict.DUPLICATE, Verdict.ACCEPTED] == verdicts(again)
    assert [3] == kept(tmp_path, "org", COUNT)
    writer.close()


def test_nothing_of_a_failed_transaction_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = open_writer(tmp_path)
    keep(writer, tmp_path, "org", COUNT)
    with monkeypatch.context() as broken:
        broken.setattr(Streams, "write", lambda streams: 1 / 0)
        (answer,) = writer.append([submission("new organization", Sent("a"), Sent("b"))])
    assert isinstance(answer, Unavailable)

    first, second = writer.append([submission("org", Sent("a")), submission("new organization", Sent("a"))])
    assert [[Verdict.ACCEPTED], [Verdict.ACCEPTED]] == [verdicts(first), verdicts(second)]
    assert [1] == kept(tmp_path, "org", COUNT)
    reader = EventReader(tmp_path)
    assert 2 == reader.event_count(None)
    reader.close()
    writer.close()


def test_a_writer_whose_memory_missed_a_commit_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = open_writer(tmp_path)
    with monkeypatch.context() as broken:
        broken.setattr(Guard, "add", lambda *_: bytes(1 << 60))
        with pytest.raises(MemoryIsBehind):
            writer.append([submission("org", Sent("a")), submission("org", Sent("b"))])
    os.close(writer._lock)  # the process would end here
    writer._connection.close()

    again = open_writer(tmp_path)
    (answer,) = again.append([submission("org", Sent("a"), Sent("b"), Sent("c"))])
    assert [Verdict.DUPLICATE, Verdict.DUPLICATE, Verdict.ACCEPTED] == verdicts(answer)
    again.close()


def test_a_group_is_one_commit(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    group = [submission("org", Sent(str(number))) for number in range(50)] + [Submission("org", b"{", NOW)]
    answers = writer.append(group)

    assert 50 == sum(isinstance(answer, Receipt) for answer in answers)
    assert isinstance(answers[-1], Invalid)
    assert 1 == writer.commit_count
    writer.append(group)
    assert 1 == writer.commit_count, "duplicates need no commit"
    writer.close()


def test_an_aggregate_that_was_made_before_the_newest_events_catches_up(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    writer.append([submission("org", Sent("a"), Sent("b", at=days(40)))])
    reader = EventReader(tmp_path)
    _, makings = reader.usage("org", [COUNT])
    writer.append([submission("org", Sent("c"), Sent("d", at=days(1)), Sent("e", at=days(-1)), Sent("f", name="no"))])
    aggregates = [making.to_new_aggregate() for making in makings]
    writer.register(aggregates + aggregates)
    writer.register(aggregates)

    assert [3] == kept(tmp_path, "org", COUNT)
    reader.close()
    writer.close()


def test_streams_that_left_memory_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = open_writer(tmp_path)
    monkeypatch.setattr(writer._streams, "_streams_max", 1)
    keep(writer, tmp_path, "org", COUNT)
    for number in range(20):
        writer.append([submission("org", Sent(f"{number}a"), Sent(f"{number}b", customer=f"c{number}"))])

    assert [20] == kept(tmp_path, "org", COUNT)
    writer.close()


def test_events_not_yet_in_a_run_are_found_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "RUN_EVENTS", 100)
    number = 0
    for _ in range(4):
        writer = open_writer(tmp_path)
        for _ in range(3):
            writer.append([submission("org", *(Sent(str(number + place)) for place in range(70)))])
            number += 70
            writer.tidy_up()
        writer.close()
    reader = EventReader(tmp_path)

    with reader.snapshot() as connection:
        assert (8, 800) == connection.execute("SELECT count(*), max(last_seq) FROM event_runs").fetchone()
    listed = reader.events("org", EventQuery(customer_id="acme", limit=10_000), None)
    assert [str(index) for index in reversed(range(number))] == [event.idempotency_id for event in listed]
    reader.close()
