"""The example in the guide about imports comes out as it says."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lotus_server.adapters.ids_uuid7 import Uuid7Ids
from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.bootstrap.documents import LaterDocuments
from lotus_server.domain.accounts import OrganizationType
from lotus_server.domain.imports import REFUSED_ROWS_KEPT, Column, ImportKind, ImportState
from lotus_server.usecases.import_preview import ROWS_JUDGED, ROWS_SHOWN, preview_import
from lotus_server.usecases.import_runs import LEASE, ROWS_AT_ONCE
from lotus_server.usecases.imports import IDLE_MAX, IMPORTS_OPEN_MAX, ImportChange, change_import, start_import
from lotus_server.usecases.organizations import OrganizationDraft, create_organization
from lotus_server.usecases.services import Services
from tests.business import Business, SetClock
from tests.events_in_memory import EventsInMemory
from tests.imports import ADA, READING, FileOfBytes
from tests.people import quick_passwords
from tests.repository import ROOT

PAGE = (ROOT / "docs/guides/imports.md").read_text(encoding="utf-8")
CUSTOMERS, EVENTS = (text.encode() for text in re.findall(r"```csv\n(.+?)```", PAGE, re.DOTALL))
CUSTOMER, EVENT = (json.loads(text) for text in re.findall(r"```json\n(.+?)```", PAGE, re.DOTALL))


@pytest.fixture
def files(tmp_path: Path) -> Iterator[FileOfBytes]:
    """An organization without customers."""
    now = SetClock(datetime(2026, 2, 1, tzinfo=UTC))
    records = SqlRecords.open(f"sqlite:///{tmp_path / 'lotus.db'}")
    services = Services(records, EventsInMemory(), now, Uuid7Ids(), LaterDocuments(), quick_passwords())
    draft = OrganizationDraft("Lotus Eaters", OrganizationType.SANDBOX, clock_now=now.now())
    organization, _ = create_organization(services, draft)
    yield FileOfBytes(Business(services, organization.organization_id))
    records.close()


def test_customers_come_out_as_shown(files: FileOfBytes) -> None:
    ready = files.ready(ImportKind.CUSTOMERS, CUSTOMERS)
    assert ready.layout is not None
    for column in ready.layout.columns:
        goes = f"`{column.field}`" if column.field else "nowhere"
        assert f"| `{column.name}` | {goes} |" in PAGE
    organization = files.business.organization
    change = ImportChange(columns=(Column("Plan", "properties.plan"),))
    change_import(files.services, organization, ready.import_id, change)
    preview = preview_import(files.services, organization, ready.import_id, READING)
    assert preview.rows[0].payload == CUSTOMER

    start_import(files.services, organization, ready.import_id, ADA)
    files.work()
    done = files.now(ready)
    assert f"The import makes {done.tally.made} customers and refuses {done.tally.refused} row:" in PAGE
    for row in files.refused(done):
        assert f"| {row.line} | {' '.join(row.problems)} |" in PAGE


def test_events_come_out_as_shown(files: FileOfBytes) -> None:
    ready = files.ready(ImportKind.EVENTS, EVENTS)
    organization = files.business.organization
    preview = preview_import(files.services, organization, ready.import_id, READING)

    assert preview.rows[0].payload == EVENT
    assert files.taken_in(ImportKind.EVENTS, EVENTS).tally.made == 2


def test_every_state_is_explained() -> None:
    assert {state for state in ImportState if f"| `{state}` |" not in PAGE} == set()


def test_the_numbers_are_those_of_the_code() -> None:
    assert (ROWS_SHOWN, ROWS_JUDGED, IMPORTS_OPEN_MAX, IDLE_MAX.days) == (20, 500, 20, 7)
    assert (REFUSED_ROWS_KEPT, LEASE.total_seconds()) == (10_000, 10)
    assert set(ROWS_AT_ONCE.values()) == {500, 5_000}
