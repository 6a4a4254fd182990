"""A program that invoices usage at spend thresholds: `python -m tests.crash.bill_thresholds_until FILE CUSTOMERS DAYS`.

Every customer has had an event for each day before it begins; the clock goes from day to day. It says `billing` once it
begins, and ends by itself when the last day is done.
"""

import sys
from datetime import UTC, datetime, timedelta
from typing import Final

from lotus_server.adapters.ids_uuid7 import Uuid7Ids
from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.bootstrap.documents import LaterDocuments
from lotus_server.bootstrap.passwords import LaterPasswords
from lotus_server.usecases.due_work import do_what_is_due
from lotus_server.usecases.services import Services
from tests.business import SetClock
from tests.events_in_memory import EventsInMemory

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
DAY: Final = timedelta(days=1)


def services_at(records: SqlRecords, now: datetime) -> Services:
    """Services at an instant, with events in memory."""
    return Services(records, EventsInMemory(), SetClock(now), Uuid7Ids(), LaterDocuments(), LaterPasswords())


def main(url: str, organization_id: str, customers: int, days: int) -> None:
    """Go through the days."""
    services = services_at(SqlRecords.open(url), START)
    assert isinstance(services.events, EventsInMemory)
    for day in range(1, days + 1):
        for number in range(customers):
            services.events.put(organization_id, "call", f"customer_{number}", START + day * DAY, {})
    sys.stdout.write("billing\n")
    sys.stdout.flush()
    for day in range(1, days + 1):
        do_what_is_due(services, until=START + day * DAY)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
