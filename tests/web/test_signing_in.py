"""Signing in as people do it: first start, passwords, second factor, forgotten passwords, invitations."""

import re
from collections.abc import Iterator

import httpx
import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from lotus_server.bootstrap.services import open_services_beside
from lotus_server.settings import Settings
from lotus_server.usecases.password_reset import new_reset_link
from lotus_server.usecases.services import Services
from lotus_server.usecases.sign_in import PersonDraft, claim_owner_link, first_owner_link
from tests.mail_server import Inbox, mail_server
from tests.people import OWNER, PASSWORD, token_of
from tests.server_process import ServerProcess
from tests.web.harness import LOOKS, Visitor, check_page, enter


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server to which nobody can sign in yet."""
    with ServerProcess(tmp_path_factory.mktemp("fresh") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def beside(fresh: ServerProcess) -> Iterator[Services]:
    with open_services_beside(Settings(data=fresh.data, port=fresh.port)) as opened:
        yield opened


@pytest.fixture
def window(browser: Browser, fresh: ServerProcess) -> Iterator[Visitor]:
    """A browser of somebody unknown."""
    visitor = enter(browser, fresh.url, None)
    yield visitor
    visitor.leave()


@pytest.fixture
def ada(beside: Services) -> PersonDraft:
    """The first owner, who exists from the first test on that asks for her."""
    token = first_owner_link(beside)
    if token is not None:
        claim_owner_link(beside, token, OWNER)
    return OWNER


def sign_in(page: Page, email: str = OWNER.email, password: str = PASSWORD) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("look", LOOKS)
def test_the_first_page_of_all_opens_as_it_should(browser: Browser, fresh: ServerProcess, look: str) -> None:
    (token,) = re.findall(r"/welcome/(\S{43})", fresh.output)
    visitor = enter(browser, fresh.url, None, look=look)
    check_page(visitor, f"/welcome/{token}", "welcome", look)
    visitor.leave()


def test_the_first_owner_signs_up_with_the_printed_link_which_works_once(window: Visitor, fresh: ServerProcess) -> None:
    (link,) = re.findall(r"(/welcome/\S{43})", fresh.output)
    window.expect_refusal(404, 422)
    page = window.open(link)
    page.get_by_label("Your name").fill(OWNER.name)
    page.get_by_label("E-mail").fill(OWNER.email)
    page.get_by_label("Password").fill("password1234")
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_text("easy to guess")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    window.open(link)
    window.sees("This link does not work")


def test_somebody_signs_in_lands_where_it_was_meant_and_signs_out(
    window: Visitor, ada: PersonDraft, beside: Services
) -> None:
    with beside.records.snapshot() as tx:
        handle = tx.organizations.all()[0].organization_id[-8:]
    page = window.open(f"/o/{handle}/settings/team/")
    sign_in(page)
    expect(page.get_by_role("heading", name="Team", level=1)).to_be_visible()
    page.get_by_role("button", name="My company").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_wrong_password_says_no_more_than_that_it_does_not_match(window: Visitor, ada: PersonDraft) -> None:
    window.expect_refusal(401)
    page = window.open("/sign-in")
    texts = []
    for email in (OWNER.email, "nobody@example.com"):
        sign_in(page, email, "another password")
        texts.append(page.get_by_role("alert").inner_text().strip())
    assert texts == ["E-mail address and password do not match."] * 2


def test_nobody_is_led_to_another_site(window: Visitor, ada: PersonDraft, fresh: ServerProcess) -> None:
    page = window.open("/sign-in?next=//evil.example/")
    sign_in(page)
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    assert page.url.startswith(fresh.url)


def test_a_forgotten_password_without_mail_leads_to_the_command(window: Visitor) -> None:
    page = window.open("/sign-in")
    page.get_by_role("link", name="Forgot your password?").click()
    window.sees("lotus users reset-password")
    window.check_accessibility()


def test_a_link_gives_another_password(window: Visitor, ada: PersonDraft, beside: Services) -> None:
    window.expect_refusal(404, 422)
    link = f"/reset-password/{token_of(new_reset_link(beside, OWNER.email))}"
    page = window.open(link)
    window.check_accessibility()
    page.get_by_label("New password").fill("short")
    page.get_by_role("button", name="Keep it").click()
    window.sees("at least 12 characters")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Keep it").click()
    window.sees("You have a new password.")
    sign_in(page)
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    window.open(link)
    window.sees("This link does not work")


def test_a_second_factor_is_set_up_asked_for_and_turned_off(window: Visitor, ada: PersonDraft) -> None:
    window.expect_refusal(401)
    page = window.open("/sign-in?next=/account/")
    sign_in(page)
    page.get_by_role("link", name="Set it up").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    window.check_accessibility()
    window.shoot("second-factor-light")
    secret = pyotp.TOTP(page.locator(".id").first.inner_text().strip())
    page.get_by_role("textbox", name="Code").fill(secret.now())
    page.get_by_role("button", name="Turn it on").click()
    codes = page.get_by_label("Recovery codes").inner_text().split()
    assert len(codes) == 10
    page.get_by_role("link", name="I have kept them").click()
    window.sees("10 recovery codes are left")

    page.context.clear_cookies(name="lotus_session")
    window.open("/sign-in?next=/account/")
    sign_in(page)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    window.check_accessibility()
    page.get_by_role("textbox", name="Code").fill("000000")
    page.get_by_role("button", name="Sign in").click()
    window.sees("This code is wrong")
    page.get_by_role("textbox", name="Code").fill(codes[0])
    page.get_by_role("button", name="Sign in").click()
    window.sees("9 recovery codes are left")

    page.get_by_role("link", name="Turn it off").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Turn it off").click()
    window.sees("The second factor is off.")


def test_half_signed_in_is_not_signed_in(fresh: ServerProcess) -> None:
    with httpx.Client(base_url=fresh.url, cookies={"lotus_session": "unknown"}) as client:
        answer = client.get("/account/")
        code = client.get("/sign-in/code")

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Faccount%2F")
    assert (code.status_code, code.headers["location"]) == (303, "/sign-in")


def test_the_session_of_a_browser_is_out_of_reach_of_scripts(fresh: ServerProcess, ada: PersonDraft) -> None:
    answer = httpx.post(f"{fresh.url}/sign-in", data={"email": OWNER.email, "password": PASSWORD})

    cookie = answer.headers["set-cookie"].lower()
    assert answer.status_code == 303
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_guessing_ends_in_waiting(fresh: ServerProcess) -> None:
    answers = [
        httpx.post(f"{fresh.url}/sign-in", data={"email": "guessed@example.com", "password": f"guess {number}"})
        for number in range(6)
    ]

    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert "Too many attempts. Try again in one minute." in answers[-1].text


def test_somebody_invited_makes_an_account_and_joins(
    browser: Browser, fresh: ServerProcess, window: Visitor, ada: PersonDraft
) -> None:
    page = window.open("/sign-in")
    sign_in(page)
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    page.goto(re.sub(r"(/o/[^/]+/).*", r"\1settings/team/", page.url))
    page.get_by_role("link", name="Invite").click()
    page.get_by_label("E-mail").fill("ben@example.com")
    page.get_by_label("Finance").check()
    page.get_by_role("button", name="Invite").click()
    link = page.get_by_label("Invitation link").input_value()
    assert link.startswith(fresh.url)
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_role("cell", name="ben@example.com")).to_be_visible()

    other = enter(browser, fresh.url, None)
    other_page = other.open(link.removeprefix(fresh.url))
    other.check_accessibility()
    other.shoot("invitation-light")
    other_page.get_by_label("Your name").fill("Ben")
    other_page.get_by_label("Choose a password").fill("an unrelated passphrase")
    other_page.get_by_role("button", name="Create the account and join").click()
    other.sees("Home")
    expect(other_page.get_by_role("navigation", name="Main")).to_be_visible()
    other.leave()
    page.reload()
    expect(page.get_by_role("row", name=re.compile("Ben.*finance"))).to_be_visible()


def test_a_forgotten_password_is_chosen_anew_by_a_link_in_a_mail(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    inbox = Inbox()
    with mail_server(inbox) as port:
        mail = {"LOTUS_SMTP_HOST": "127.0.0.1", "LOTUS_SMTP_PORT": str(port), "LOTUS_SMTP_SECURITY": "none"}
        with ServerProcess(tmp_path_factory.mktemp("mailing") / "data", mail) as server:
            with open_services_beside(Settings(data=server.data, port=server.port)) as services:
                claim_owner_link(services, first_owner_link(services) or "", OWNER)
            visitor = enter(browser, server.url, None)
            page = visitor.open("/forgot-password")
            visitor.check_accessibility()
            page.get_by_label("E-mail").fill(OWNER.email)
            page.get_by_role("button", name="Send the link").click()
            visitor.sees("a link is on its way")
            (link,) = re.findall(r"/reset-password/\S{43}", first_mail(page, inbox))
            page = visitor.open(link)
            page.get_by_label("New password").fill("a wholly new passphrase")
            page.get_by_role("button", name="Keep it").click()
            sign_in(page, password="a wholly new passphrase")
            expect(page.get_by_role("navigation", name="Main")).to_be_visible()
            visitor.leave()


def first_mail(page: Page, inbox: Inbox) -> str:
    """The text of the first mail, once it has come."""
    for _ in range(600):
        if inbox.received:
            content: str = inbox.received[0].get_content()
            return content
        page.wait_for_timeout(100)
    raise AssertionError("no mail has come")
