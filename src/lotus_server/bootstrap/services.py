"""The ports put together from a data directory."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lotus_server.adapters.clock_system import SystemClock
from lotus_server.adapters.ids_uuid7 import Uuid7Ids
from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.bootstrap.documents import LaterDocuments
from lotus_server.bootstrap.event_store import EVENTS_FILE, open_event_store, open_event_store_for_reading
from lotus_server.bootstrap.mail import mail_of
from lotus_server.bootstrap.passwords import LaterPasswords
from lotus_server.bootstrap.rating_process import rating_processes
from lotus_server.domain.accounts import Organization, OrganizationType
from lotus_server.kernel.errors import NotFound, Unavailable
from lotus_server.ports.event_store import EventStore
from lotus_server.ports.records import Records
from lotus_server.settings import Settings
from lotus_server.usecases.organizations import NewKey, OrganizationDraft, create_organization
from lotus_server.usecases.services import Services


class DataDirectoryInUse(Unavailable):
    """Another server works on the data directory."""

    default_code = "data_directory_in_use"


@contextmanager
def owned_data_directory(data: Path) -> Iterator[None]:
    """Own a data directory, which is made when missing, until the block ends.

    Raises DataDirectoryInUse, or Unavailable when it can neither be made nor written to.

    The lock is the system's and ends with the process, however that ends.
    """
    try:
        data.mkdir(parents=True, exist_ok=True)
        file = (data / "lotus.lock").open("a")
    except OSError as error:
        raise Unavailable(f"The data directory {data} cannot be used: {error.strerror}.") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DataDirectoryInUse(f"Another `lotus serve` is running on the data directory {data}.") from None
        yield


@contextmanager
def open_services(settings: Settings) -> Iterator[Services]:
    """Open everything that use cases need, with the event writer running, and close it when the block ends."""
    records = SqlRecords.open(settings.records_url)
    try:
        events = open_event_store(settings.data)
        try:
            yield _services(settings, records, events)
        finally:
            events.close()
    finally:
        records.close()


@contextmanager
def open_services_beside(settings: Settings) -> Iterator[Services]:
    """Open everything but the event writer: fit for commands that run while a server is serving the same directory.

    Raises NotFound when no server has ever run there.
    """
    if not (settings.data / EVENTS_FILE).exists():
        raise NotFound(f"There is no data in {settings.data}; `lotus serve` makes it.")
    records = SqlRecords.open(settings.records_url)
    try:
        events = open_event_store_for_reading(settings.data)
        try:
            yield _services(settings, records, events)
        finally:
            events.close()
    finally:
        records.close()


def _services(settings: Settings, records: Records, events: EventStore) -> Services:
    return Services(
        records,
        events,
        SystemClock(),
        Uuid7Ids(),
        LaterDocuments(),
        LaterPasswords(),
        mail=mail_of(settings.mail),
        public_url=settings.public_url,
        rating_ahead=rating_processes(settings.records_url, settings.data),
    )


def first_organization(services: Services, settings: Settings) -> tuple[Organization, NewKey | None]:
    """Return the oldest organization; on an empty database make it, with the one key that is then shown."""
    with services.records.snapshot() as tx:
        existing = tx.organizations.all()
    if existing:
        return existing[0], None
    draft = OrganizationDraft(
        name="My company",
        type=OrganizationType(settings.bootstrap_type),
        clock_now=settings.bootstrap_now,
    )
    return create_organization(services, draft, api_key=settings.bootstrap_api_key)
