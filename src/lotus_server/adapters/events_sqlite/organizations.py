"""The organizations of a file, each with a small number and the count of its events."""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from itertools import repeat

from lotus_server.adapters.events_sqlite.schema import DAY_US


def counts_by_day(orgs: Sequence[int], times_us: Sequence[int]) -> dict[tuple[int, int], int]:
    """Return how many events each organization has on each day, in days since 1970."""
    first, last = min(times_us, default=0) // DAY_US, max(times_us, default=0) // DAY_US
    # Usually all of a batch happened today, and then nothing is done for each event.
    days = repeat(first) if first == last else (time // DAY_US for time in times_us)
    return Counter(zip(orgs, days, strict=False))


class Organizations:
    """Small numbers for organizations. New ones are staged until their transaction is on disk."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Know every organization on disk."""
        self._connection = connection
        rows = connection.execute("SELECT organization_id, org FROM organizations")
        self._kept: dict[str, int] = dict(rows.fetchall())
        self._staged: dict[str, int] = {}
        rows = connection.execute("SELECT org, refused_count FROM organizations WHERE refused_count > 0")
        self._refused: dict[int, int] = dict(rows.fetchall())
        self._staged_refused: dict[int, int] = {}

    def known(self, organization_id: str) -> int | None:
        """Return the number of an organization that is on disk."""
        return self._kept.get(organization_id)

    def number(self, organization_id: str) -> int:
        """Return the number of an organization; a new one gets the next."""
        found = self._kept.get(organization_id) or self._staged.get(organization_id)
        if found is None:
            found = self._staged[organization_id] = len(self._kept) + len(self._staged) + 1
        return found

    def next_refused(self, org: int) -> int:
        """Return the number of the next refused event of an organization."""
        number = 1 + (self._staged_refused.get(org) or self._refused.get(org, 0))
        self._staged_refused[org] = number
        return number

    def refused_count(self, org: int) -> int:
        """Return how many events of an organization were ever refused."""
        return self._refused.get(org, 0)

    def write(self, added: dict[tuple[int, int], int]) -> None:
        """Write new organizations, and add to the counts of events, by organization and day, within a transaction."""
        rows = [(org, organization_id) for organization_id, org in self._staged.items()]
        self._connection.executemany("INSERT INTO organizations VALUES (?, ?, 0, 0)", rows)
        self._connection.executemany(
            "UPDATE organizations SET event_count = event_count + ? WHERE org = ?",
            [(count, org) for (org, _), count in added.items()],
        )
        self._connection.executemany(
            "INSERT INTO event_days VALUES (?, ?, ?)"
            " ON CONFLICT (org, day) DO UPDATE SET event_count = event_count + excluded.event_count",
            [(org, day, count) for (org, day), count in added.items()],
        )
        self._connection.executemany(
            "UPDATE organizations SET refused_count = ? WHERE org = ?",
            [(count, org) for org, count in self._staged_refused.items()],
        )

    def keep(self) -> None:
        """Make what was staged the truth: the transaction is on disk."""
        self._kept.update(self._staged)
        self._refused.update(self._staged_refused)
        self.forget()

    def forget(self) -> None:
        """Drop what was staged: the transaction was rolled back."""
        self._staged, self._staged_refused = {}, {}
