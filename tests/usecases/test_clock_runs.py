"""A sandbox's clock that runs in the background."""

from datetime import UTC, datetime, timedelta

import pytest

from lotus_server.domain.accounts import Organization, OrganizationType
from lotus_server.kernel.errors import Conflict, Invalid
from lotus_server.usecases.clock import (
    STRIDE,
    advance_clock_runs,
    move_clock,
    read_clock,
    read_clock_run,
    run_clocks,
    start_clock_run,
    stop_clock_run,
)
from lotus_server.usecases.organizations import OrganizationDraft, create_organization
from lotus_server.usecases.services import Services

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def sandbox(services: Services) -> Organization:
    draft = OrganizationDraft("Sandbox", OrganizationType.SANDBOX, clock_now=START)
    return create_organization(services, draft)[0]


def now(services: Services, organization: Organization) -> datetime:
    with services.records.snapshot() as tx:
        found = tx.organizations.get(organization.organization_id)
    assert found is not None
    return read_clock(services, found)


def test_a_clock_that_runs_moves_a_day_at_a_time(services: Services, sandbox: Organization) -> None:
    start_clock_run(services, sandbox, START + 3 * STRIDE)
    assert advance_clock_runs(services) == 1
    assert now(services, sandbox) == START + STRIDE


def test_it_ends_exactly_where_it_was_told_to(services: Services, sandbox: Organization) -> None:
    until = START + timedelta(days=2, hours=5)
    start_clock_run(services, sandbox, until)
    run_clocks(services)
    assert now(services, sandbox) == until
    assert read_clock_run(services, sandbox) is None
    assert advance_clock_runs(services) == 0


def test_how_far_it_is_is_told(services: Services, sandbox: Organization) -> None:
    start_clock_run(services, sandbox, START + 4 * STRIDE)
    advance_clock_runs(services)
    run = read_clock_run(services, sandbox)
    assert run is not None
    assert (run.start, run.now, run.until, str(run.share_done)) == (START, START + STRIDE, START + 4 * STRIDE, "0.25")


def test_one_that_is_stopped_stands_where_it_is(services: Services, sandbox: Organization) -> None:
    start_clock_run(services, sandbox, START + 4 * STRIDE)
    advance_clock_runs(services)
    stop_clock_run(services, sandbox)
    advance_clock_runs(services)
    assert now(services, sandbox) == START + STRIDE


def test_a_clock_does_not_run_backwards(services: Services, sandbox: Organization) -> None:
    with pytest.raises(Invalid, match="only moves forward"):
        start_clock_run(services, sandbox, START - STRIDE)


def test_production_has_no_clock(services: Services) -> None:
    organization, _ = create_organization(services, OrganizationDraft("Real"))
    with pytest.raises(Conflict, match="Only a sandbox"):
        start_clock_run(services, organization, START)


def test_a_run_ends_where_somebody_moved_the_clock_beyond_its_end(services: Services, sandbox: Organization) -> None:
    start_clock_run(services, sandbox, START + 2 * STRIDE)
    move_clock(services, sandbox, START + 5 * STRIDE)
    run_clocks(services)
    assert read_clock_run(services, sandbox) is None
    assert now(services, sandbox) == START + 5 * STRIDE


def test_a_clock_that_cannot_be_moved_stops_no_other(
    services: Services, sandbox: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = OrganizationDraft("Other", OrganizationType.SANDBOX, clock_now=START)
    other = create_organization(services, draft)[0]
    for each in (sandbox, other):
        start_clock_run(services, each, START + STRIDE)

    def broken(to: Services, organization: Organization, until: datetime) -> datetime:
        if organization.organization_id == sandbox.organization_id:
            raise RuntimeError("this one is broken")
        return move_clock(to, organization, until)

    monkeypatch.setattr("lotus_server.usecases.clock.move_clock", broken)
    with pytest.raises(RuntimeError, match="this one is broken"):
        advance_clock_runs(services)
    assert now(services, other) == START + STRIDE
