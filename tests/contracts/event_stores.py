"""The event stores that must pass the suites, and how the suites talk to them.

A new adapter adds one line to `STORES`.
"""

import asyncio
import uuid
from collections.abc import Callable, Coroutine, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest

from lotus_server.bootstrap.event_store import open_event_store
from lotus_server.domain.metering import Aggregation, MetricDefinition, Selection, Verdict
from lotus_server.kernel.period import Period
from lotus_server.ports.event_store import EventStore, Receipt
from tests.contracts.event_examples import MAY
from tests.contracts.metering_model import Sent, submission

# Opens the store that a directory stands for. The same directory again is the same store again.
STORES: dict[str, Callable[[Path], EventStore]] = {
    "sqlite": open_event_store,
}
_T = TypeVar("_T")


@pytest.fixture(scope="module", params=list(STORES))
def open_store(request: pytest.FixtureRequest) -> Callable[[Path], EventStore]:
    opener: Callable[[Path], EventStore] = STORES[request.param]
    return opener


@pytest.fixture(scope="module")
def store(open_store: Callable[[Path], EventStore], tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    """One store for a whole file; every test takes an organization of its own."""
    opened = open_store(tmp_path_factory.mktemp("events"))
    yield opened
    opened.close()


@pytest.fixture
def organization() -> str:
    return f"org_{uuid.uuid4().hex}"


def run(work: Coroutine[Any, Any, _T]) -> _T:
    return asyncio.run(work)


def send(store: EventStore, organization: str, *events: Sent) -> Receipt:
    return run(store.append(submission(organization, *events)))


def verdicts(receipt: Receipt) -> list[Verdict]:
    assert receipt.results is not None
    return [result.status for result in receipt.results]


def count(customer: str = "acme", period: Period = MAY) -> Selection:
    return Selection(MetricDefinition("call", Aggregation.COUNT), customer, period)


def quantity(store: EventStore, organization: str, selection: Selection) -> Decimal:
    return store.usage(organization, [selection])[0].quantity
