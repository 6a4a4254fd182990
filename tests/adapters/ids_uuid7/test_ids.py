from concurrent.futures import ThreadPoolExecutor
from uuid import RFC_4122, UUID

import pytest

from lotus_server.adapters.ids_uuid7 import Uuid7Ids


def test_ids_sort_in_the_order_in_which_they_were_made() -> None:
    ids = Uuid7Ids()
    made = [ids.new("line") for _ in range(20_000)]
    assert made == sorted(made)


def test_ids_made_by_many_threads_are_all_different() -> None:
    ids = Uuid7Ids()
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: ids.new("line"), range(5_000)))
    assert len(set(made)) == 5_000


def test_ids_do_not_go_back_with_the_machines_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = Uuid7Ids()
    before = ids.new("line")
    monkeypatch.setattr("time.time_ns", lambda: 1_000_000_000)
    assert ids.new("line") > before


def test_an_id_is_a_uuid_of_version_7() -> None:
    value = UUID(Uuid7Ids().new("line").removeprefix("line_"))
    assert (value.version, value.variant) == (7, RFC_4122)
