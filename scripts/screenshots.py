"""Pictures of the web app for README and docs: the demo data, as somebody sees it who has just started the server.

Run by `make screenshots`; the pictures are kept in docs/images.
"""

import re
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page, sync_playwright

from tests.server_process import ServerProcess

IMAGES: Final = Path(__file__).parents[1] / "docs/images"
CHROMIUM: Final = "/usr/bin/chromium"
PAGES: Final = (
    ("home", "", "light"),
    ("home-dark", "", "dark"),
    ("customer", "customers/acme/", "light"),
    ("plan", "plans/plan_growth/", "light"),
    ("invoice", "invoices/", "light"),
    ("metric-builder", "metrics/new?template=tokens", "light"),
    ("events", "events/", "dark"),
    ("analytics", "analytics/recurring/", "light"),
)


def main() -> None:
    """Start a server with demo data, become its owner, and take the pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        ServerProcess(Path(folder) / "data", arguments=("--demo",)) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        home = become_owner(browser, server)
        for name, path, theme in PAGES:
            take(home, name, path, theme)
        browser.close()


def become_owner(browser: Browser, server: ServerProcess) -> Page:
    """Follow the link that the server printed; the page that comes up is the organization's home."""
    found = re.search(r"/welcome/\S+", server.output)
    assert found is not None, server.output
    context = browser.new_context(
        viewport={"width": 1280, "height": 860}, locale="en-US", timezone_id="UTC", reduced_motion="reduce"
    )
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(server.url + found.group())
    page.get_by_label("Your name").fill("Ada Lovelace")
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("Password").fill("a quite long pass phrase")
    page.get_by_role("button", name="Create the account").click()
    page.wait_for_url("**/o/**")
    return page


def take(home: Page, name: str, path: str, theme: str) -> None:
    """Take a picture of a page in a theme; of a list of invoices, that of its first one."""
    home.context.add_cookies([{"name": "lotus_theme", "value": theme, "url": home.url}])
    root = re.match(r".*/o/[0-9a-f]+/", home.url)
    assert root is not None, home.url
    home.goto(root.group() + path)
    if name == "invoice":
        home.locator("tbody a").first.click()
        home.wait_for_load_state("networkidle")
    if home.locator("figure[data-chart]").count():
        home.wait_for_selector("figure[data-chart][data-drawn]")
    home.wait_for_load_state("networkidle")
    home.screenshot(path=IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
