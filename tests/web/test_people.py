"""The pages of a person's account, of the team, of further sandboxes, and of the audit log."""

import re
from collections.abc import Callable

import msgspec
import pytest
from playwright.sync_api import expect

from lotus_server.domain.accounts import Organization, Role
from lotus_server.usecases.services import Services
from lotus_server.usecases.sign_in import Visit, begin_session, session_of
from tests.people import PASSWORD
from tests.tenants import Tenant
from tests.web.harness import LOOKS, Member, Open, Pages, check_page, make_member

INVITE = "settings/team/invite"
PATHS = ["settings/team/", INVITE, "settings/audit/", "settings/audit.csv", "settings/sandboxes/new"]


@pytest.fixture
def with_password(services: Services, organization: Organization) -> Member:
    """The owner, with a password."""
    member = make_member(services, organization)
    set_password(services, member)
    return member


def set_password(services: Services, member: Member) -> None:
    """The member has the password of tests."""
    with services.records.transaction() as tx:
        user = tx.people.users.get(member.user.user_id)
        assert user is not None
        tx.people.users.replace(msgspec.structs.replace(user, password_hash=services.passwords.hash(PASSWORD)))


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("settings/team/", "team"),
        ("settings/team/invite", "team-invite"),
        ("settings/audit/", "audit"),
        ("settings/sandboxes/new", "sandbox-new"),
        ("/account/", "account"),
        ("/account/password", "account-password"),
        ("/account/second-factor/new", "account-second-factor"),
    ],
)
def test_every_page_opens_as_it_should(visit: Open, tenant: Tenant, path: str, name: str, look: str) -> None:
    tenant.customer("acme")
    tenant.patch("/api/customers/acme/", {"customer_name": "Acme & Co", "properties": {"seats": 3}})
    check_page(visit(look=look), path, name, look)


# The account


def test_a_person_is_renamed(visit: Open) -> None:
    page = visit().open("/account/")
    page.get_by_label("Name").fill("Countess Lovelace")
    page.get_by_role("button", name="Keep the name").click()
    expect(page.get_by_text("Your name is changed.")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Countess Lovelace")


def test_a_password_is_changed_with_the_present_one(visit: Open, with_password: Member) -> None:
    visitor = visit(with_password)
    visitor.expect_refusal(422)
    page = visitor.open("/account/password")
    page.get_by_label("Present password").fill("another password")
    page.get_by_label("New password").fill("a wholly new passphrase")
    page.get_by_role("button", name="Change it").click()
    visitor.sees("This is not your password.")
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_label("New password").fill("a wholly new passphrase")
    page.get_by_role("button", name="Change it").click()
    visitor.sees("signed out everywhere else")


def test_other_sessions_are_ended(visit: Open, services: Services, member: Member) -> None:
    with services.records.transaction() as tx:
        other = begin_session(services, tx, member.user, Visit("192.0.2.1", "Firefox on a phone"))
        third = begin_session(services, tx, member.user, Visit("192.0.2.2", "A library's machine"))
    page = visit(member).open("/account/")
    page.get_by_role("button", name="End the session of Firefox on a phone").click()
    expect(page.get_by_text("Firefox on a phone")).to_have_count(0)
    assert session_of(services, other.token) is None
    page.get_by_role("button", name="End all others").click()
    expect(page.get_by_text("1 other sessions are ended.")).to_be_visible()
    assert session_of(services, third.token) is None


def test_nobody_ends_the_session_of_somebody_else(
    pages: Callable[..., Pages], services: Services, member: Member
) -> None:
    found = session_of(services, member.token)
    assert found is not None
    assert pages().post(f"/account/sessions/{found.session.session_id}/end", {}).status_code == 404
    assert session_of(services, member.token) is not None


@pytest.mark.parametrize(
    "path",
    ["name", "password", "second-factor/new", "second-factor/codes", "second-factor/remove", "sessions/end-others"],
)
def test_a_form_of_the_account_needs_its_token(pages: Callable[..., Pages], path: str) -> None:
    assert pages().post(f"/account/{path}", {"name": "x"}, csrf="0" * 64).status_code == 403


# The team


def test_a_role_is_changed_and_counts_at_once(visit: Open, services: Services, organization: Organization) -> None:
    ben = make_member(services, organization, Role.ADMIN)
    page = visit().open("settings/team/")
    page.get_by_role("row", name=re.compile(ben.user.email)).get_by_role("link", name="Role").click()
    page.get_by_label("Viewer").check()
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_role("row", name=re.compile(f"{ben.user.email}.*viewer"))).to_be_visible()
    theirs = visit(ben).open("settings/team/")
    expect(theirs.get_by_role("link", name="Invite")).to_have_count(0)


def test_a_member_is_removed_after_being_asked(visit: Open, services: Services, organization: Organization) -> None:
    ben = make_member(services, organization, Role.ADMIN)
    page = visit().open("settings/team/")
    page.get_by_role("row", name=re.compile(ben.user.email)).get_by_role("link", name="Remove").click()
    expect(page.get_by_text("sees nothing of")).to_be_visible()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("is no member any more")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile(ben.user.email))).to_have_count(0)


def test_the_last_owner_is_told_to_stay(visit: Open, member: Member) -> None:
    visitor = visit(member)
    visitor.expect_refusal(409)
    page = visitor.open(f"settings/team/{member.user.user_id}/remove")
    page.get_by_role("button", name="Remove").click()
    visitor.sees("The last owner stays.")


def test_an_invitation_is_revoked_by_keyboard_alone(visit: Open) -> None:
    page = visit().open(INVITE)
    page.get_by_label("E-mail").press_sequentially("cleo@example.com")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Invitation link")).to_be_visible()
    page.get_by_role("link", name="Done").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Revoke").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Revoke").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("does not work any more")).to_be_visible()


def test_an_address_that_is_none_is_refused_beside_the_field(visit: Open) -> None:
    visitor = visit(script=False)
    page = visitor.open(INVITE)
    page.get_by_label("E-mail").fill("ben@localhost")
    page.get_by_role("button", name="Invite").click()
    expect(page.get_by_label("E-mail")).to_have_attribute("aria-invalid", "true")
    assert visitor.complaints
    visitor.expect_refusal(422)


def test_an_admin_cannot_make_owners(visit: Open, pages: Callable[..., Pages]) -> None:
    page = visit(role=Role.ADMIN).open(INVITE)
    expect(page.get_by_label("Admin")).to_be_visible()
    expect(page.get_by_label("Owner")).to_have_count(0)
    answer = pages(role=Role.ADMIN).post(INVITE, {"email": "eve@example.com", "role": "owner"})
    assert answer.status_code == 403


# Sandboxes


def test_a_sandbox_is_made_and_chosen(visit: Open) -> None:
    page = visit().open("settings/team/")
    page.get_by_role("button", name="Lotus Eaters").click()
    page.get_by_role("link", name="New sandbox").click()
    page.get_by_label("Name").fill("Playground")
    page.get_by_role("button", name="Create").click()
    assert page.get_by_label("API key", exact=True).input_value()
    page.get_by_role("link", name="Go there").click()
    expect(page.get_by_role("button", name=re.compile("Playground"))).to_be_visible()


# The audit log


def test_the_log_shows_before_and_after_and_is_filtered(visit: Open, tenant: Tenant) -> None:
    tenant.customer("acme")
    tenant.patch("/api/customers/acme/", {"customer_name": "Acme & Co"})
    tenant.customer("other")
    page = visit().open("settings/audit/")
    row = page.get_by_role("row", name=re.compile("PATCH"))
    expect(row.locator("del")).to_have_text(re.compile("Acme Inc."))
    expect(row.locator("ins")).to_have_text(re.compile("Acme & Co"))
    page.get_by_label("Its id").fill("other")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("row", name=re.compile("other")).get_by_text("fields").click()
    expect(page.get_by_text("customer name")).to_be_visible()


def test_the_log_is_read_part_by_part(visit: Open, tenant: Tenant) -> None:
    for number in range(30):
        tenant.customer(f"c{number}")
    page = visit(script=False).open("settings/audit/?object_type=customer")
    expect(page.locator("tbody tr")).to_have_count(25)
    page.get_by_role("link", name="Next").click()
    expect(page.locator("tbody tr")).to_have_count(5)
    assert "object_type=customer" in page.url


def test_the_log_is_a_file_too(pages: Callable[..., Pages], tenant: Tenant) -> None:
    tenant.customer("=acme")
    answer = pages().get("settings/audit.csv?object_id=%3Dacme")
    rows = answer.text.splitlines()
    assert rows[0] == "time,author,action,object_type,object_id,field,before,after"
    assert any(",'=acme,customer_name,,Acme Inc." in row for row in rows)


def test_a_time_that_is_none_is_said(visit: Open) -> None:
    visitor = visit()
    visitor.open("settings/audit/?since=yesterday")
    visitor.sees(re.compile("since"))


# Who may, and where


@pytest.mark.parametrize("path", [INVITE, "settings/audit/", "settings/audit.csv", "settings/sandboxes/new"])
def test_a_viewer_is_refused(pages: Callable[..., Pages], path: str) -> None:
    assert pages(role=Role.VIEWER).get(path).status_code == 403


@pytest.mark.parametrize("path", [INVITE, "settings/team/user_1/role", "settings/team/user_1/remove"])
def test_a_viewer_cannot_send_the_forms_either(pages: Callable[..., Pages], path: str) -> None:
    assert pages(role=Role.VIEWER).post(path, {"email": "eve@example.com", "role": "owner"}).status_code == 403


@pytest.mark.parametrize("path", PATHS)
def test_another_organization_is_not_there(
    pages: Callable[..., Pages], other_organization: Organization, path: str
) -> None:
    assert pages().get(path, other_organization).status_code == 404


@pytest.mark.parametrize("path", [INVITE, "settings/sandboxes/new"])
def test_a_form_with_a_wrong_token_does_nothing(pages: Callable[..., Pages], path: str) -> None:
    form = {"email": "eve@example.com", "role": "viewer", "name": "Sandbox"}
    assert pages().post(path, form, csrf="0" * 64).status_code == 403
