"""Fixtures: a server, a browser, and people who visit the pages of a new organization."""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from lotus_server.bootstrap.services import open_services_beside
from lotus_server.domain.accounts import Organization, OrganizationType, Role
from lotus_server.settings import Settings
from lotus_server.usecases.organizations import OrganizationDraft, create_organization
from lotus_server.usecases.services import Services
from tests.server_process import ServerProcess
from tests.tenants import Tenant
from tests.web.harness import Member, Open, Pages, Visitor, enter, make_member, token_of

CHROMIUM = "/usr/bin/chromium"
_FAILED = pytest.StashKey[bool]()
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember who failed: a picture of what a browser showed then says more than the words."""
    report = yield
    item.stash[_FAILED] = report.failed
    return report


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("web") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def services(server: ServerProcess) -> Iterator[Services]:
    """The server's own data, opened beside it, as commands do."""
    with open_services_beside(Settings(data=server.data)) as opened:
        yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a screen.

    It ends with the module: its event loop runs in this thread, and other tests bring loops of their own.
    """
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not work for root, as which tests run in containers; the pages are ours.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def new_tenant(server: ServerProcess, services: Services) -> Iterator[Callable[[], Tenant]]:
    """Make further sandbox organizations, each with a client of the API."""
    with ExitStack() as stack:

        def make() -> Tenant:
            draft = OrganizationDraft("Lotus Eaters", OrganizationType.SANDBOX, clock_now=NEW_YEAR)
            organization, key = create_organization(services, draft)
            client = stack.enter_context(server.new_client(key.api_key))
            return Tenant(organization.organization_id, key.api_key, client)

        yield make


@pytest.fixture
def tenant(new_tenant: Callable[[], Tenant]) -> Tenant:
    """A new sandbox organization whose clock stands at the beginning of 2026, with a client of the API to fill it."""
    return new_tenant()


@pytest.fixture
def organization(services: Services, tenant: Tenant) -> Organization:
    """The new organization itself."""
    with services.records.snapshot() as tx:
        found = tx.organizations.get(tenant.organization_id)
    assert found is not None
    return found


@pytest.fixture
def other_organization(services: Services, new_tenant: Callable[[], Tenant]) -> Organization:
    """An organization to which nobody here belongs."""
    with services.records.snapshot() as tx:
        found = tx.organizations.get(new_tenant().organization_id)
    assert found is not None
    return found


@pytest.fixture
def member(services: Services, organization: Organization) -> Member:
    """The new organization's owner, signed in."""
    return make_member(services, organization)


@pytest.fixture
def visit(
    browser: Browser,
    server: ServerProcess,
    services: Services,
    organization: Organization,
    request: pytest.FixtureRequest,
) -> Iterator[Open]:
    """Open windows: `visit()` as the owner, `visit(role=...)`, `visit(member)`, `visit(look="dark")`, `script=False`.

    What a browser complains about fails the test when it ends. Of a test that failed, `screenshots/` keeps pictures.
    """
    opened: list[Visitor] = []

    def open_window(
        member: Member | None = None,
        *,
        role: Role = Role.OWNER,
        look: str = "light",
        script: bool = True,
        nobody: bool = False,
    ) -> Visitor:
        who = None if nobody else member or make_member(services, organization, role)
        visitor = enter(browser, server.url, who, look=look, script=script)
        opened.append(visitor)
        return visitor

    yield open_window
    if request.node.stash.get(_FAILED, False):
        for number, visitor in enumerate(opened, 1):
            with suppress(PlaywrightError):  # the page may be gone
                visitor.shoot_always(f"failed-{request.node.originalname}-{number}")
    for visitor in opened:
        visitor.leave()


@pytest.fixture
def pages(server: ServerProcess, services: Services, organization: Organization) -> Iterator[Callable[..., Pages]]:
    """Speak to the pages without a browser: `pages()` as the owner, `pages(role=...)`, `pages(nobody=True)`."""
    opened: list[Pages] = []

    def make(*, role: Role = Role.OWNER, nobody: bool = False) -> Pages:
        member = None if nobody else make_member(services, organization, role)
        token = token_of(services, member) if member is not None else None
        opened.append(Pages(server.url, member, token))
        return opened[-1]

    yield make
    for each in opened:
        each.close()
