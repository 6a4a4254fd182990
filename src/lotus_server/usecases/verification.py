"""Recounting usage from the raw events, and remembering what that found."""

from collections import Counter
from collections.abc import Callable, Iterator

from lotus_server.ports.analytics_records import Verification
from lotus_server.ports.event_store import Drift
from lotus_server.usecases.services import Services


def verify_usage(services: Services, progress: Callable[[int, int], None]) -> Iterator[Drift]:
    """Yield every aggregate beside its recount; at the end each organization's count of wrong ones is kept.

    `progress` is told (events read, events in all).
    """
    counted: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for drift in services.events.verify(progress):
        counted[drift.organization_id] += 1
        wrong[drift.organization_id] += not drift.is_zero
        yield drift
    now = services.clock.now()
    with services.records.transaction() as tx:
        for organization in tx.organizations.all():
            key = organization.organization_id
            tx.figures.keep_verification(Verification(key, now, counted[key], wrong[key]))
