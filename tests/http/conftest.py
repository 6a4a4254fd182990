"""Fixtures: one server for all tests of this folder, and a new organization on it for each test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from lotus_server.bootstrap.services import open_services_beside
from lotus_server.domain.accounts import OrganizationType
from lotus_server.settings import Settings
from lotus_server.usecases.organizations import OrganizationDraft, create_organization
from lotus_server.usecases.services import Services
from tests.server_process import ServerProcess
from tests.tenants import Tenant

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("server") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def services(server: ServerProcess) -> Iterator[Services]:
    """The server's own data, opened beside it, as commands do."""
    with open_services_beside(Settings(data=server.data)) as opened:
        yield opened


@pytest.fixture(scope="session")
def make_tenant(server: ServerProcess, services: Services) -> Iterator[Callable[[OrganizationDraft], Tenant]]:
    with ExitStack() as stack:

        def make(draft: OrganizationDraft) -> Tenant:
            organization, key = create_organization(services, draft)
            client = stack.enter_context(server.new_client(key.api_key))
            return Tenant(organization.organization_id, key.api_key, client)

        yield make


@pytest.fixture
def tenant(make_tenant: Callable[[OrganizationDraft], Tenant]) -> Tenant:
    """A new organization in real time."""
    return make_tenant(OrganizationDraft("Lotus Eaters"))


@pytest.fixture
def other_tenant(make_tenant: Callable[[OrganizationDraft], Tenant]) -> Tenant:
    """A second new organization in real time."""
    return make_tenant(OrganizationDraft("Somebody Else"))


@pytest.fixture
def sandbox(make_tenant: Callable[[OrganizationDraft], Tenant]) -> Tenant:
    """A new organization whose clock stands at the beginning of 2026."""
    return make_tenant(OrganizationDraft("Sandbox", OrganizationType.SANDBOX, clock_now=NEW_YEAR))
