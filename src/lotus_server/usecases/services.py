"""What every use case works with: the ports, put together once by the composition root."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.metering import Selection, Usage
from lotus_server.ports.clock import Clock
from lotus_server.ports.documents import Documents
from lotus_server.ports.event_store import EventStore
from lotus_server.ports.ids import Ids
from lotus_server.ports.records import Records


class Services(msgspec.Struct, frozen=True):
    """The ports that use cases call, and usage that was asked ahead for many, by organization and selection."""

    records: Records
    events: EventStore
    clock: Clock
    ids: Ids
    documents: Documents
    usage_at_hand: Mapping[tuple[str, Selection], Usage] = {}


def present(services: Services, organization: Organization) -> datetime:
    """Return an organization's present: its own clock for a sandbox that has one, real time otherwise."""
    return organization.clock_now or services.clock.now()
