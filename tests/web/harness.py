"""People in browsers: Debian's Chromium on a real server, watched for everything that a person would call broken."""

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from weakref import WeakKeyDictionary

import httpx
import msgspec
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, ViewportSize, expect
from playwright.sync_api import Error as PlaywrightError

from lotus_server.domain.accounts import Membership, Organization, Role, User
from lotus_server.http.web.addresses import handle_of
from lotus_server.http.web.security import SESSION_COOKIE, THEME_COOKIE
from lotus_server.usecases.services import Services
from lotus_server.usecases.sign_in import Visit as Browsing
from lotus_server.usecases.sign_in import begin_session, csrf_token, session_of
from tests.server_process import NO_CERTIFICATES

ROOT: Final = Path(__file__).parents[2]
SCREENSHOTS: Final = ROOT / "screenshots"
PICTURES_WANTED: Final = "LOTUS_TEST_PICTURES" in os.environ
_AXE: Final = ROOT / "web/node_modules/axe-core/axe.min.js"
# All that axe found right would be megabytes, and bringing them here takes longer than finding them.
_SERIOUS_VIOLATIONS: Final = """
axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'], resultTypes: ['violations']})
   .then(found => found.violations.filter(each => ['serious', 'critical'].includes(each.impact)))
"""
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

    def __init__(self, url: str, page: Page, member: Member | None, *, is_lent: bool) -> None:
        """Come to a page that nobody else looks at; a window that is not lent is closed in the end."""
        self.member = member
        self.complaints: list[str] = []
        self.expected: list[str] = []
        self.page = page
        self._url = url
        self._is_lent = is_lent
        self._ears: dict[Any, Callable[[Any], None]] = {
            "console": self._hear,
            "pageerror": lambda error: self.complaints.append(f"script error: {error}"),
            "response": self._see,
        }
        for event, ear in self._ears.items():
            page.on(event, ear)

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
        serious = self.page.evaluate(_SERIOUS_VIOLATIONS)
        assert not serious, "\n".join(_told(each) for each in serious)

    def put_on(self, look: str) -> None:
        """Let the page look as it does in light, in dark, or on a phone, as its own button and the window's edge do."""
        self.page.set_viewport_size(_PHONE if look == "phone" else _DESKTOP)
        self.page.evaluate(
            "theme => { document.documentElement.dataset.theme = theme; window.lotusApplyTheme(); }",
            "dark" if look == "dark" else "light",
        )

    def shoot(self, name: str) -> None:
        """Keep a picture of the page in `screenshots/`, if pictures are wanted: they take as long as the rest."""
        if PICTURES_WANTED:
            self.shoot_always(name)

    def shoot_always(self, name: str) -> None:
        """Keep a picture of the page in `screenshots/`."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    def leave(self) -> None:
        """Give the browser's window back; fail if it complained about anything."""
        if self._is_lent:
            self._give_back()
        else:
            self.page.context.close()
        heard = [each for each in self.complaints if not any(part in each for part in self.expected)]
        assert not heard, "\n".join(heard)

    def _give_back(self) -> None:
        """Leave the window at a page that does nothing, in a browser that remembers nobody."""
        context, browser = self.page.context, self.page.context.browser
        assert browser is not None
        try:
            self.page.evaluate("0")  # what the browser said before it answers this has been heard
            for event, ear in self._ears.items():
                self.page.remove_listener(event, ear)
            for other in context.pages:
                if other != self.page:
                    other.close()
            self.page.goto(self._url + _RESTING_PLACE)
            context.clear_cookies()
        except PlaywrightError:  # the page was on its way to another one, or is gone
            context.close()
        else:
            _free_windows[browser].append(self.page)

    def _hear(self, message: ConsoleMessage) -> None:
        # Of the place where windows rest the browser says, some time later, that it has no icon.
        if message.type in {"error", "warning"} and not self.page.url.endswith(_RESTING_PLACE):
            self.complaints.append(f"{message.type}: {message.text} ({self.page.url})")

    def _see(self, response: Response) -> None:
        if response.status >= 500:
            self.complaints.append(f"{response.status} of {response.url}")


def _told(violation: dict[str, Any]) -> str:
    places = "; ".join(" ".join(map(str, node["target"])) + " " + node["html"][:150] for node in violation["nodes"][:5])
    return f"{violation['id']} ({violation['impact']}): {violation['help']}: {places}"


_RESTING_PLACE: Final = "/api/healthcheck/"
# A new window costs more than most tests do in it, so windows that understand scripts are lent again and again.
_free_windows: Final[WeakKeyDictionary[Browser, list[Page]]] = WeakKeyDictionary()


def enter(browser: Browser, url: str, member: Member | None, *, look: str = "light", script: bool = True) -> Visitor:
    """Open a browser window for a member (null: somebody unknown); `look` is "light", "dark", "phone" or in LOOKS."""
    free = _free_windows.setdefault(browser, [])
    page = free.pop() if free and script else _new_window(browser, script=script)
    page.set_viewport_size(_PHONE if look == "phone" else _DESKTOP)
    cookies = {THEME_COOKIE: "dark" if look == "dark" else "light"}
    if member is not None:
        cookies[SESSION_COOKIE] = member.token
    page.context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])
    return Visitor(url, page, member, is_lent=script)


def _new_window(browser: Browser, *, script: bool) -> Page:
    context = browser.new_context(
        java_script_enabled=script,
        locale="en-US",
        timezone_id="UTC",
        reduced_motion="reduce",
        permissions=["clipboard-read", "clipboard-write"],
    )
    page = context.new_page()
    page.set_default_timeout(WAIT_MILLISECONDS)
    return page


Open = Callable[..., Visitor]


def check_page(visitor: Visitor, path: str, name: str, look: str) -> None:
    """A page opens without complaint, no wider than the window, accessible, and below 500 kB."""
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
        self._client = httpx.Client(base_url=url, cookies=cookies, timeout=60.0, verify=NO_CERTIFICATES)
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
