"""A program that bills what is due in a database of records: `python -m tests.crash.bill_until FILE INSTANT`.

It says `billing` once it begins, and ends by itself when nothing is due any more.
"""

import sys
from datetime import datetime

from lotus_server.adapters.ids_uuid7 import Uuid7Ids
from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.bootstrap.documents import LaterDocuments
from lotus_server.bootstrap.passwords import LaterPasswords
from lotus_server.usecases.due_work import do_what_is_due
from lotus_server.usecases.services import Services
from tests.business import SetClock
from tests.events_in_memory import EventsInMemory


def main(url: str, until: datetime) -> None:
    """Bill until an instant."""
    services = Services(
        SqlRecords.open(url), EventsInMemory(), SetClock(until), Uuid7Ids(), LaterDocuments(), LaterPasswords()
    )
    sys.stdout.write("billing\n")
    sys.stdout.flush()
    do_what_is_due(services)


if __name__ == "__main__":
    main(sys.argv[1], datetime.fromisoformat(sys.argv[2]))
