import itertools
from datetime import datetime, timezone

import pytest
from lotus_fake import API_KEY, FakeLotus, serve

import lotus
from lotus._core import Runtime

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone.utc)


def pytest_configure(config):
    config.addinivalue_line("markers", "server: needs a running Lotus server named by LOTUS_HOST and LOTUS_API_KEY")


@pytest.fixture(autouse=True)
def _environment(monkeypatch, request):
    if request.node.get_closest_marker("server") is None:
        monkeypatch.delenv("LOTUS_API_KEY", raising=False)
        monkeypatch.delenv("LOTUS_HOST", raising=False)


@pytest.fixture
def fake():
    return FakeLotus()


@pytest.fixture
def pauses():
    """The pauses before retries, which are noted instead of waited for."""
    return []


@pytest.fixture
def runtime(pauses):
    numbers = itertools.count(1)
    return Runtime(now=lambda: NOW, random=lambda: 0.5, new_id=lambda: f"id-{next(numbers)}", sleep=pauses.append)


@pytest.fixture
def reports():
    """What on_error was called with."""
    return []


@pytest.fixture
def client(fake, runtime, reports):
    """A client of the fake, in process; a batch leaves when it is flushed or has 20 events."""
    with lotus.Lotus(
        API_KEY,
        host="http://lotus.test",
        transport=fake.transport(),
        on_error=lambda error, events: reports.append((error, events)),
        flush_interval_seconds=3600,
        _runtime=runtime,
    ) as client:
        yield client


@pytest.fixture
def local(fake):
    """The fake on a real socket; gives its host."""
    with serve(fake) as host:
        yield host
