"""A writer in the test's own process, and the programs of writers in others."""

import itertools
import sys
from pathlib import Path

from lotus_server.adapters.events_sqlite.hashes import HashIds, hash_ids
from lotus_server.adapters.events_sqlite.reader import EventReader
from lotus_server.adapters.events_sqlite.writer import Answer, EventWriter
from lotus_server.domain.metering import Aggregation, MetricDefinition, Selection, Verdict
from lotus_server.kernel.period import Period
from lotus_server.ports.event_store import Decoder, Receipt
from lotus_server.wire.track import make_decoder
from tests.contracts.metering_model import days

WRITER_COMMAND = (sys.executable, "-m", "lotus_server.bootstrap.event_writer")
MAY = Period(days(0), days(31))
COUNT = Selection(MetricDefinition("call", Aggregation.COUNT), "acme", MAY)


def decoder() -> Decoder:
    numbers = itertools.count()
    return make_decoder(lambda: f"generated-{next(numbers)}")


def open_writer(directory: Path, hash_function: HashIds = hash_ids) -> EventWriter:
    return EventWriter(directory, decoder(), hash_function)


def verdicts(answer: Answer) -> list[Verdict]:
    assert isinstance(answer, Receipt), answer
    assert answer.results is not None
    return [result.status for result in answer.results]


def keep(writer: EventWriter, directory: Path, organization: str, *selections: Selection) -> None:
    """Make aggregates that are kept up to date from now on."""
    reader = EventReader(directory)
    _, makings = reader.usage(organization, selections)
    reader.close()
    writer.register([making.to_new_aggregate() for making in makings])


def kept(directory: Path, organization: str, *selections: Selection) -> list[object] | None:
    """The quantities of aggregates, read from the file."""
    reader = EventReader(directory)
    usages = reader.usage_at_hand(organization, selections)
    reader.close()
    return None if usages is None else [usage.quantity for usage in usages]
