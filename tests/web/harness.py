"""People in browsers: Debian's Chromium on a real server, watched for everything that a person would call broken."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, ViewportSize, expect

from lotus_server.domain.accounts import Membership, Organization, Role, User
from lotus_server.http.web.addresses import handle_of
from lotus_server.http.web.security import SESSION_COOKIE, THEME_COOKIE
from lotus_server.usecases.services import Services
from lotus_server.usecases.sign_in import Visit as Browsing
from lotus_server.usecases.sign_in import begin_session, csrf_token, session_of

ROOT: Final = Path(__file__).parents[2]
SCREENSHOTS: Final = ROOT / "screenshots"
_AXE: Final = ROOT / "web/node_modules/axe-core/axe.min.js"
_DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 900}
_PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
# A window that shows a page in light, then in dark, then as on a phone: loaded once, it is looked at three times.
LOOKS: Final = ("all",)
_EACH_LOOK: Final = ("light", "dark", "phone")
WAIT_MILLISECONDS: Final = 30_000


class Member(msgspec.Struct, frozen=True):
    """Somebody signed in to an organization: what the browser's cookie would hold."""

    organization: Organization
    user: User
    token: str


def make_member(services: Services, organization: Organization, role: Role = Role.OWNER) -> Member:
    """Return a new person of an organization, signed in."""
    now = datetime.now(UTC)
    name = services.ids.new("person")
    user = User(services.ids.new("user"), f"{name}@example.com", "Ada Lovelace", now)
    with services.records.transaction() as tx:
        tx.people.users.add(user)
        tx.people.memberships.add(Membership(organization.organization_id, user.user_id, role, now))
        new = begin_session(services, tx, user, Browsing())
    return Member(organization, user, new.token)


class Visitor:
    """A person at a page. Whatever the browser complains about fails the test at its end."""

    def __init__(self, url: str, context: BrowserContext, member: Member | None) -> None:
        """Open an empty page."""
        self.member = member
        self.complaints: list[str] = []
        self.expected: list[str] = []
        self._url = url
        self._context = context
        self.page: Page = context.new_page()
        self.page.set_default_timeout(WAIT_MILLISECONDS)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))
        self.page.on("response", self._see)

    def path(self, path: str = "") -> str:
        """Return the path of a page of the visitor's organization."""
        assert self.member is not None
        return f"/o/{handle_of(self.member.organization)}/{path}"

    def open(self, path: str = "") -> Page:
        """Open a page of the visitor's organization, or one of the whole server when the path begins with a slash."""
        self.page.goto(self._url + (path if path.startswith("/") else self.path(path)))
        return self.page

    def expect_refusal(self, *statuses: int) -> None:
        """Answers with these statuses are part of what is tested: the browser's words about them are no complaint."""
        self.expected += [f"status of {status}" for status in statuses]

    def sees(self, text: str | re.Pattern[str]) -> None:
        """Expect a text somewhere on the page."""
        expect(self.page.get_by_text(text).first).to_be_visible()

    def check_accessibility(self) -> None:
        """Expect that axe finds nothing serious on the page as it stands."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(_AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate(
            "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']})"
        )
        serious = [each for each in found["violations"] if each["impact"] in {"serious", "critical"}]
        assert not serious, "\n".join(_told(each) for each in serious)

    def put_on(self, look: str) -> None:
        """Let the page look as it does in light, in dark, or on a phone, as its own button and the window's edge do."""
        self.page.set_viewport_size(_PHONE if look == "phone" else _DESKTOP)
        self.page.evaluate(
            "theme => { document.documentElement.dataset.theme = theme; window.lotusApplyTheme(); }",
            "dark" if look == "dark" else "light",
        )

    def shoot(self, name: str) -> None:
        """Keep a picture of the page in `screenshots/`."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    def leave(self) -> None:
        """Close the browser's window; fail if it complained about anything."""
        self._context.close()
        heard = [each for each in self.complaints if not any(part in each for part in self.expected)]
        assert not heard, "\n".join(heard)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text} ({self.page.url})")

    def _see(self, response: Response) -> None:
        if response.status >= 500:
            self.complaints.append(f"{response.status} of {response.url}")


def _told(violation: dict[str, Any]) -> str:
    places = "; ".join(" ".join(map(str, node["target"])) + " " + node["html"][:150] for node in violation["nodes"][:5])
    return f"{violation['id']} ({violation['impact']}): {violation['help']}: {places}"


def enter(browser: Browser, url: str, member: Member | None, *, look: str = "light", script: bool = True) -> Visitor:
    """Open a browser window for a member (null: somebody unknown); `look` is one of LOOKS."""
    context = browser.new_context(
        viewport=_PHONE if look == "phone" else _DESKTOP,
        java_script_enabled=script,
        locale="en-US",
        timezone_id="UTC",
        reduced_motion="reduce",
        permissions=["clipboard-read", "clipboard-write"],
    )
    cookies = {THEME_COOKIE: "dark" if look == "dark" else "light"}
    if member is not None:
        cookies[SESSION_COOKIE] = member.token
    context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])
    return Visitor(url, context, member)


Open = Callable[..., Visitor]


def check_page(visitor: Visitor, path: str, name: str, look: str) -> None:
    """A page opens without complaint, no wider than the window, accessible, and below 500 kB. Pictures of it stay."""
    page = visitor.open(path)
    if page.locator("figure[data-chart]").count():
        page.wait_for_selector("figure[data-chart][data-drawn]")
    assert len(page.content()) < 500_000
    for each in _EACH_LOOK if look in LOOKS else (look,):
        visitor.put_on(each)
        too_wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not too_wide, f"{path} is wider than the window ({each})"
        visitor.check_accessibility()
        visitor.shoot(f"{name}-{each}")


class Pages:
    """Pages without a browser: for what is refused, and for what reads without a script."""

    def __init__(self, url: str, member: Member | None, csrf: str | None) -> None:
        """Speak as a member whose forms carry a token, or as nobody."""
        self._csrf = csrf
        cookies = {} if member is None else {SESSION_COOKIE: member.token}
        self._client = httpx.Client(base_url=url, cookies=cookies, timeout=60.0)
        self._member = member

    def path(self, path: str, organization: Organization | None = None) -> str:
        """Return the path of a page of the member's organization, or of another one."""
        if path.startswith("/"):
            return path
        assert self._member is not None
        return f"/o/{handle_of(organization or self._member.organization)}/{path}"

    def get(self, path: str, organization: Organization | None = None) -> httpx.Response:
        """Open a page."""
        return self._client.get(self.path(path, organization))

    def post(
        self, path: str, form: dict[str, str], organization: Organization | None = None, *, csrf: str | None = None
    ) -> httpx.Response:
        """Send a form, with the session's token unless another one is given."""
        token = self._csrf if csrf is None else csrf
        return self._client.post(self.path(path, organization), data={"csrf_token:hidden": token or "", **form})

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def token_of(services: Services, member: Member) -> str:
    """Return what the forms of a member carry."""
    signed_in = session_of(services, member.token)
    assert signed_in is not None
    return csrf_token(signed_in.session)
