"""The log of refused events does not grow for ever."""

from pathlib import Path

import pytest

from lotus_server.adapters.events_sqlite import refused
from lotus_server.adapters.events_sqlite.reader import EventReader
from lotus_server.ports.event_store import RefusedQuery
from tests.adapters.events_sqlite.writers import open_writer
from tests.contracts.metering_model import Sent, submission


def test_only_the_newest_are_kept_for_each_organization(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refused, "REFUSED_KEPT", 100)
    monkeypatch.setattr(refused, "_DELETED_TOGETHER", 10)
    writer, reader = open_writer(tmp_path), EventReader(tmp_path)
    writer.append([submission("quiet", Sent("a", name=""))])
    for number in range(30):
        writer.append([submission("loud", *(Sent(f"{number}-{place}", name="") for place in range(7)))])
        writer.tidy_up()
        kept = [one.number for one in reader.refused("loud", RefusedQuery(limit=1_000))]
        assert list(range(7 * (number + 1), 0, -1))[: len(kept)] == kept
        assert min(7 * (number + 1), 100) <= len(kept) <= 110

    assert 1 == len(reader.refused("quiet", RefusedQuery()))
    assert 0 == writer.event_count
    reader.close()
    writer.close()
