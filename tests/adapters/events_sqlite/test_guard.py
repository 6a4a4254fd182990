"""The table that proposes which event may already have an id."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.adapters.events_sqlite.guard import Guard
from lotus_server.adapters.events_sqlite.guard_file import GuardKeeper, load_guard, save_guard
from lotus_server.adapters.events_sqlite.hashes import hash_ids

SECRET = 7


def hashes(*values: int) -> np.typing.NDArray[np.uint64]:
    return np.array(values, dtype=np.uint64)


def filled(count: int) -> Guard:
    guard = Guard()
    guard.add(hash_ids(SECRET, [str(number) for number in range(count)]), 1)
    return guard


@given(
    batches=st.lists(st.lists(st.integers(0, 40) | st.integers(0, 2**64 - 1), max_size=30), max_size=10),
    asked=st.lists(st.integers(0, 40), max_size=60),
)
def test_every_event_of_a_hash_is_a_candidate(batches: list[list[int]], asked: list[int]) -> None:
    guard, model, seq = Guard(), dict[int, set[int]](), 1
    for batch in batches:
        guard.add(hashes(*batch), seq)
        for hashed in batch:
            model.setdefault(max(hashed, 1), set()).add(seq)
            seq += 1

    for hashed in [*asked, *model]:
        assert model.get(max(hashed, 1), set()) == guard.candidates(hashed)
    found = guard.find(hashes(*asked)).tolist()
    for hashed, candidate in zip(asked, found, strict=True):
        assert candidate in model.get(max(hashed, 1), {0})
    assert sum(map(len, model.values())) == guard.count


@pytest.mark.parametrize("batch_size", [3, 1_000, 20_000])
def test_nothing_is_lost_while_the_table_grows(batch_size: int) -> None:
    guard, total = Guard(), 20_000
    every = hash_ids(SECRET, [str(number) for number in range(total)])
    for start in range(0, total, batch_size):
        assert not guard.find(every[start : start + batch_size]).any()
        guard.add(every[start : start + batch_size], start + 1)
        oldest_half = every[: start // 2]
        if start % 5_000 == 0:
            assert np.arange(1, start // 2 + 1).tolist() == guard.find(oldest_half).tolist()

    assert np.arange(1, total + 1).tolist() == guard.find(every).tolist()
    assert total == guard.count


def test_a_file_brings_the_guard_back(tmp_path: Path) -> None:
    save_guard(tmp_path / "guard", filled(10_000), SECRET, 10_000)
    guard, until = load_guard(tmp_path / "guard", SECRET, 10_000)

    assert 10_000 == until
    every = hash_ids(SECRET, [str(number) for number in range(10_000)])
    assert np.arange(1, 10_001).tolist() == guard.find(every).tolist()
    guard.add(hash_ids(SECRET, ["new"]), 10_001)
    assert {10_001} == guard.candidates(int(hash_ids(SECRET, ["new"])[0]))


@pytest.mark.parametrize("place", [0, 20, 40, 70, 255, 300, 20_000, -1])
def test_a_damaged_file_is_of_no_use(tmp_path: Path, place: int) -> None:
    path = tmp_path / "guard"
    save_guard(path, filled(1_000), SECRET, 1_000)
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)

    guard, until = load_guard(path, SECRET, 1_000)
    # A flipped bit of the padding behind the header changes nothing.
    assert (0, 0) == (guard.count, until) or content[place] ^ 1 == ord(" ")


@pytest.mark.parametrize("size", [0, 10, 256, 1_000, -1])
def test_a_file_cut_short_is_of_no_use(tmp_path: Path, size: int) -> None:
    path = tmp_path / "guard"
    save_guard(path, filled(1_000), SECRET, 1_000)
    path.write_bytes(path.read_bytes()[:size])

    assert 0 == load_guard(path, SECRET, 1_000)[1]


def test_a_file_of_another_log_or_ahead_of_the_log_is_of_no_use(tmp_path: Path) -> None:
    save_guard(tmp_path / "guard", filled(1_000), SECRET, 1_000)

    assert 0 == load_guard(tmp_path / "guard", SECRET + 1, 1_000)[1]
    assert 0 == load_guard(tmp_path / "guard", SECRET, 999)[1]
    assert 0 == load_guard(tmp_path / "nowhere", SECRET, 999)[1]


def test_the_file_is_written_aside_once_the_log_has_grown_enough(tmp_path: Path) -> None:
    guard = filled(1_000)
    keeper = GuardKeeper(tmp_path / "guard", SECRET)
    keeper.tend(guard, 999_999)
    assert not list(tmp_path.iterdir())
    keeper.tend(guard, 1_000_000)
    keeper.save(guard, 1_000_000)  # waits for the child, and finds nothing left to do

    assert 1_000_000 == load_guard(tmp_path / "guard", SECRET, 1_000_000)[1]
    assert ["guard"] == [path.name for path in tmp_path.iterdir()]
