"""The clock of a sandbox: moving it does everything that falls due on the way, at once, or day by day meanwhile."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from lotus_server.domain.accounts import Organization, OrganizationType
from lotus_server.kernel.errors import Conflict, Invalid
from lotus_server.ports.records import Transaction
from lotus_server.usecases.due_work import do_what_is_due
from lotus_server.usecases.services import Services, changing, present
from lotus_server.usecases.subscription_ends import LATEST

# So much a running clock moves at a time: long runs show how far they are, and can be stopped.
STRIDE: Final = timedelta(days=1)
STRIDES_AT_ONCE: Final = 10
_SECOND: Final = timedelta(seconds=1)


class ClockRun(msgspec.Struct, frozen=True):
    """A clock that runs: from where to where, and where it is."""

    start: datetime
    now: datetime
    until: datetime

    @property
    def share_done(self) -> Decimal:
        """Return how much of the way is done, from 0 to 1."""
        return Decimal((self.now - self.start) // _SECOND) / max(
            Decimal((self.until - self.start) // _SECOND), Decimal(1)
        )


def read_clock(services: Services, organization: Organization) -> datetime:
    """Return a sandbox's present. Raises Conflict `not_a_sandbox` for an organization that lives in real time."""
    _refuse_production(organization)
    return present(services, organization)


def move_clock(services: Services, organization: Organization, now: datetime) -> datetime:
    """Move a sandbox's time forward to `now`, and do in order whatever falls due on the way, before it returns.

    From then on the clock stands still until it is moved again. Raises Conflict `not_a_sandbox`, Invalid
    `clock_backwards`.
    """
    _refuse_production(organization)
    with changing(services, organization) as tx:
        current = _current(tx, organization)
        _check(now, present(services, current))
        tx.organizations.replace(msgspec.structs.replace(current, clock_now=now))
    do_what_is_due(services, until=now, organization=organization)
    return now


def start_clock_run(services: Services, organization: Organization, until: datetime) -> ClockRun:
    """Let a sandbox's clock run to an instant in the background; one that runs already gets the new end.

    Raises Conflict `not_a_sandbox`, Invalid `clock_backwards`.
    """
    _refuse_production(organization)
    with changing(services, organization) as tx:
        current = _current(tx, organization)
        now = present(services, current)
        _check(until, now)
        start = current.clock_run_from or now
        tx.organizations.replace(
            msgspec.structs.replace(current, clock_now=now, clock_run_from=start, clock_run_until=until)
        )
    return ClockRun(start, now, until)


def stop_clock_run(services: Services, organization: Organization) -> None:
    """Let a sandbox's clock stand still where it is. It may do so already."""
    with changing(services, organization) as tx:
        current = _current(tx, organization)
        tx.organizations.replace(msgspec.structs.replace(current, clock_run_from=None, clock_run_until=None))


def read_clock_run(services: Services, organization: Organization) -> ClockRun | None:
    """Return how far a sandbox's clock has run; null when it stands."""
    with services.records.snapshot() as tx:
        current = _current(tx, organization)
    if current.clock_run_from is None or current.clock_run_until is None:
        return None
    return ClockRun(current.clock_run_from, present(services, current), current.clock_run_until)


def advance_clock_runs(services: Services) -> int:
    """Move every clock that runs by up to a day, and return how many there were. What falls due on the way is done.

    Where it was ended by a crash, the next call goes on: the clock is moved first, and what is due is due until done.
    One that cannot be moved stops no other: its error is raised when all were moved.
    """
    with services.records.snapshot() as tx:
        running = tx.organizations.with_running_clock()
    failed: Exception | None = None
    for organization in running:
        try:
            _advance(services, organization)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one sandbox, the others go on
            failed = failed or error
    if failed is not None:
        raise failed
    return len(running)


def _advance(services: Services, organization: Organization) -> None:
    now, until = present(services, organization), organization.clock_run_until
    assert until is not None, "its clock runs"
    # Somebody may have moved the clock beyond the end of the run meanwhile: then it is there.
    move_clock(services, organization, max(now, min(until, now + STRIDE)))
    _end_if_there(services, organization, until)


def run_clocks(services: Services) -> None:
    """Move the clocks that run by some days: little enough that stopping one, or the server, is heard soon."""
    for _ in range(STRIDES_AT_ONCE):
        if not advance_clock_runs(services):
            return


def _end_if_there(services: Services, organization: Organization, until: datetime) -> None:
    with changing(services, organization) as tx:
        current = _current(tx, organization)
        if current.clock_run_until == until and present(services, current) >= until:
            tx.organizations.replace(msgspec.structs.replace(current, clock_run_from=None, clock_run_until=None))


def _current(tx: Transaction, organization: Organization) -> Organization:
    current = tx.organizations.get(organization.organization_id)
    assert current is not None, "a principal's organization exists"
    return current


def _check(wanted: datetime, now: datetime) -> None:
    if wanted >= LATEST:
        raise Invalid.field("now", "invalid", f"A sandbox's clock stays before the year {LATEST.year}.")
    if wanted < now:
        raise Invalid.field("now", "clock_backwards", "A sandbox's clock only moves forward.")


def _refuse_production(organization: Organization) -> None:
    if organization.type is not OrganizationType.SANDBOX:
        raise Conflict("Only a sandbox organization has a clock that can be moved.", code="not_a_sandbox")
