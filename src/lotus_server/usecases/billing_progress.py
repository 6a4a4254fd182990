"""How far a large billing run is: kept while it is under way, so that it survives a reload and a crash."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.ports.invoicing_records import BillingRun
from lotus_server.usecases.services import Services, present

# Fewer are billed before anybody could look.
LARGE_RUN: Final = 500


class BillingProgress(msgspec.Struct, frozen=True):
    """A billing run under way: since when, in real time, how many subscriptions were due, and how many still are."""

    began_at: datetime
    total: int
    remaining: int
    elapsed: timedelta

    @property
    def done(self) -> int:
        """Return how many are billed."""
        return self.total - self.remaining

    @property
    def left(self) -> timedelta | None:
        """Return how long the rest will take, if it goes on as so far; null while nothing is done."""
        return self.elapsed * self.remaining / self.done if self.done else None


@contextmanager
def shown_progress(services: Services, now: datetime, organization_id: str | None) -> Iterator[int]:
    """Keep, while what is due by `now` is billed, for which organizations that is much; give how many are due in all.

    What a crash leaves under way goes on with the next run.
    """
    with services.records.snapshot() as tx:
        due = tx.subscriptions.count_due(now, organization_id)
    large = {name: count for name, count in due.items() if count >= LARGE_RUN}
    if not large:
        yield sum(due.values())
        return
    with services.records.transaction() as tx:
        for name, count in sorted(large.items()):
            tx.billing_runs.begin(BillingRun(name, services.clock.now(), count))
    yield sum(due.values())
    with services.records.transaction() as tx:
        left = tx.subscriptions.count_due(now, organization_id)
        for name in sorted(large.keys() - left.keys()):
            tx.billing_runs.end(name)


def billing_progress(services: Services, organization: Organization) -> BillingProgress | None:
    """Return how far the billing run is that is under way for an organization; null when none is."""
    with services.records.snapshot() as tx:
        run = tx.billing_runs.get(organization.organization_id)
        if run is None:
            return None
        now = present(services, organization)
        remaining = tx.subscriptions.count_due(now, organization.organization_id).get(organization.organization_id, 0)
    if not remaining:
        return None
    elapsed = max(services.clock.now() - run.began_at, timedelta())
    return BillingProgress(run.began_at, max(run.total, remaining), remaining, elapsed)
