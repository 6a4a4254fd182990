"""Fixtures: use cases over records on each database."""

from datetime import UTC, datetime

import pytest

from lotus_server.adapters.ids_uuid7 import Uuid7Ids
from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.bootstrap.documents import LaterDocuments
from lotus_server.usecases.organizations import OrganizationDraft, create_organization
from lotus_server.usecases.services import Services
from tests.business import Business, SetClock, found_business
from tests.events_in_memory import EventsInMemory
from tests.people import Postbox, quick_passwords
from tests.records_databases import (
    postgres_records_template,
    postgres_records_url,
    records,
    records_url,
    shared_records,
    sqlite_template,
)

__all__ = [
    "postgres_records_template",
    "postgres_records_url",
    "records",
    "records_url",
    "shared_records",
    "sqlite_template",
]


@pytest.fixture
def services(shared_records: SqlRecords) -> Services:
    return Services(
        shared_records,
        EventsInMemory(),
        SetClock(datetime(2026, 1, 1, tzinfo=UTC)),
        Uuid7Ids(),
        LaterDocuments(),
        quick_passwords(),
    )


@pytest.fixture
def business(services: Services) -> Business:
    """A sandbox organization at the beginning of 2026 with the customer `acme`."""
    return found_business(services)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
def peopled(records: SqlRecords, clock: SetClock, postbox: Postbox) -> Services:
    """Services of a database without people, with the organizations `First` and `Second`, a clock, and mail."""
    made = Services(
        records,
        EventsInMemory(),
        clock,
        Uuid7Ids(),
        LaterDocuments(),
        quick_passwords(),
        mail=postbox,
        public_url="https://lotus.example",
    )
    create_organization(made, OrganizationDraft("First"))
    create_organization(made, OrganizationDraft("Second"))
    return made
