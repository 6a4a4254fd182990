"""What every use case works with: the ports, put together once by the composition root."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.invoicing import InvoiceLine, Metered
from lotus_server.kernel.period import Period
from lotus_server.ports.clock import Clock
from lotus_server.ports.documents import Documents
from lotus_server.ports.event_store import EventStore
from lotus_server.ports.ids import Ids
from lotus_server.ports.mail import Mail
from lotus_server.ports.passwords import Passwords
from lotus_server.ports.rating_ahead import RatingAhead
from lotus_server.ports.records import Records, Transaction

PartKey = tuple[str, str, str, Period, bool]
"""A period of a subscription to a version, or a part of one: the ids of organization, subscription and version, the
period, and whether events at its very end count.
"""


class RatedUsage(msgspec.Struct, frozen=True, gc=False):
    """What the usage of a whole period comes to, rated ahead: its lines, and the digest of what they were made from."""

    lines: tuple[InvoiceLine, ...]
    usage_digest: str


class Services(msgspec.Struct, frozen=True):
    """The ports that use cases call.

    `usage_at_hand` is usage that was asked ahead for many subscriptions at once, by the part of a subscription and then
    by component id; `rated_at_hand` is what was rated ahead as well, by something that comes from `rating_ahead` (null:
    there is no such thing). `mail` null: no mail is sent. `public_url` is where people find the web app, without a
    final slash.
    """

    records: Records
    events: EventStore
    clock: Clock
    ids: Ids
    documents: Documents
    passwords: Passwords
    usage_at_hand: Mapping[PartKey, dict[str, Metered]] = {}
    rated_at_hand: Mapping[PartKey, RatedUsage] = {}
    rating_ahead: RatingAhead | None = None
    mail: Mail | None = None
    public_url: str = "http://127.0.0.1:8000"


def present(services: Services, organization: Organization) -> datetime:
    """Return an organization's present: its own clock for a sandbox that has one, real time otherwise."""
    return organization.clock_now or services.clock.now()


@contextmanager
def changing(services: Services, organization: Organization) -> Iterator[Transaction]:
    """Begin a transaction that reads and then changes settings or the catalog of an organization.

    Those of one organization go one by one, so that none of them undoes what another one has just changed.
    """
    with services.records.transaction() as tx:
        tx.organizations.get(organization.organization_id, for_update=True)
        yield tx
