"""The audit log: every change by somebody is noted in its transaction, with before and after; time's work is not."""

import inspect
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, get_type_hints

import pytest

from lotus_server.domain.accounts import AuditEntry, Author, AuthorKind, Role, Scope, changes_of
from lotus_server.domain.invoicing import DiscountTerms, DiscountType, PaymentStatus
from lotus_server.kernel.errors import Forbidden, LotusError, Problems
from lotus_server.ports.audit_records import AuditQuestion
from lotus_server.ports.event_store import EventQuery
from lotus_server.ports.people_records import People
from lotus_server.ports.records import Page, Transaction
from lotus_server.usecases.acting import Acting
from lotus_server.usecases.audit import list_audit
from lotus_server.usecases.auditing import WATCHED, audited
from lotus_server.usecases.clock import move_clock
from lotus_server.usecases.credits import CreditDraft, create_credit, void_credit
from lotus_server.usecases.customers import CustomerDraft, change_customer, create_customer
from lotus_server.usecases.discounts import DiscountDraft, end_discount, give_discount
from lotus_server.usecases.events import void_events
from lotus_server.usecases.features import FeatureDraft, archive_feature, create_feature
from lotus_server.usecases.invoices import set_payment_status
from lotus_server.usecases.logos import put_logo, remove_logo
from lotus_server.usecases.organizations import OrganizationChange, change_organization, create_api_key, revoke_api_key
from lotus_server.usecases.plans import PlanChange, change_plan
from lotus_server.usecases.portal import PortalChange, change_portal, get_portal
from lotus_server.usecases.rehearsal import preview_of
from lotus_server.usecases.services import Services
from lotus_server.usecases.subscriptions import (
    Cancellation,
    SubscriptionDraft,
    cancel_subscription,
    create_subscription,
)
from lotus_server.usecases.wallets import WalletDraft, remove_wallet, set_wallet
from tests.business import Business, at, charge, found_business
from tests.people import acting
from tests.pictures import png

ALL = Page()
ANYTHING = AuditQuestion()
# What nobody decides for an organization: what follows from something else, says that something was used, or is a
# person's own.
NOT_WATCHED = {
    "api_keys.note_use",
    "audit.add",
    "billed_periods.add",
    "billed_periods.replace",
    "billing_runs.begin",
    "billing_runs.end",
    "credits.add",
    "figures.keep_verification",
    "pending_lines.add",
    "pending_lines.replace",
    "imports.drop_file",
    "imports.forget_refused",
    "imports.keep_parts",
    "imports.keep_progress",
    "imports.refuse",
    "people.attempts.forget",
    "people.attempts.remove",
    "people.attempts.replace",
    "people.links.remove",
    "people.mails.add",
    "people.mails.forget",
    "people.mails.replace",
    "people.second_factors.put",
    "people.second_factors.remove",
    "people.sessions.add",
    "people.sessions.remove",
    "people.sessions.replace",
    "people.users.add",
    "people.users.replace",
    "portals.add_if_missing",
    "replies.add",
    "revenue.begin_anew",
    "spend_watches.put",
    "spend_watches.remove",
}


@pytest.fixture
def owner(business: Business) -> Acting:
    return acting(business.services, business.organization)


def log(owner: Acting, question: AuditQuestion = ANYTHING, page: Page = ALL) -> list[AuditEntry]:
    return list_audit(owner.services, owner.organization, page, question)


def said(entry: AuditEntry) -> dict[str, tuple[Any, Any]]:
    """What an entry says of the fields that changed."""
    return {change.path: (change.before, change.after) for change in changes_of(entry)}


def writes() -> Iterator[str]:
    """Every method of a repository that writes, as `customers.add`: those that answer nothing."""
    for group, prefix in ((Transaction, ""), (People, "people.")):
        for name, member in inspect.getmembers(group, lambda member: isinstance(member, property)):
            repository = get_type_hints(member.fget)["return"]
            for method, function in vars(repository).items():
                answers_nothing = inspect.isfunction(function) and get_type_hints(function).get("return") is type(None)
                if answers_nothing and not method.startswith("_"):
                    yield f"{prefix}{name}.{method}"


def test_every_write_is_watched_or_nobodys_decision() -> None:
    watched = {f"{repository}.{method}" for repository, methods in WATCHED.items() for method in methods}

    assert set(writes()) - watched == NOT_WATCHED
    assert watched <= set(writes())


def test_what_is_new_is_noted_with_who_when_and_by_what(owner: Acting) -> None:
    owner.do(create_customer, CustomerDraft("new", "New", properties={"plan": "gold", "seats": 3}))

    (entry,) = log(owner)
    assert (entry.kind, entry.thing_id, entry.action) == ("customer", "new", "create_customer")
    assert entry.author == Author(AuthorKind.PERSON, owner.actor.user_id, owner.actor.email)
    assert entry.happened_at == owner.services.clock.now()
    assert entry.before is None
    assert said(entry)["customer_name"] == (None, "New")
    assert said(entry)["properties"] == (None, {"plan": "gold", "seats": 3})


def test_what_changed_is_noted_with_before_and_after(owner: Acting) -> None:
    change = CustomerDraft("acme", "Acme & Co", tax_rate=Decimal("7.50"))
    owner.do(change_customer, change, frozenset({"customer_name", "tax_rate"}))

    (entry,) = log(owner)
    assert said(entry) == {"customer_name": ("Acme", "Acme & Co"), "tax_rate": (None, "7.5")}


def test_what_changes_nothing_is_not_noted(owner: Acting) -> None:
    owner.do(change_customer, CustomerDraft("acme", "Acme"), frozenset({"customer_name"}))

    assert log(owner) == []


def test_what_is_refused_is_not_noted(owner: Acting) -> None:
    with pytest.raises(LotusError):
        owner.do(create_customer, CustomerDraft("acme", "Again"))
    with pytest.raises(Forbidden):
        acting(owner.services, owner.organization, Role.VIEWER).do(create_customer, CustomerDraft("new", "New"))

    assert log(owner) == []


def test_what_is_rehearsed_is_not_noted(owner: Acting, business: Business) -> None:
    business.plan("pro", charge("10"))
    draft = SubscriptionDraft("acme", at("2026-01-01"), "pro")

    issued = owner.do(preview_of, lambda services: create_subscription(services, owner.organization, draft))

    assert len(issued) == 1
    assert log(owner) == []


def test_what_follows_from_a_decision_is_noted_with_it(owner: Acting, business: Business) -> None:
    business.plan("pro", charge("10"))

    owner.do(create_subscription, SubscriptionDraft("acme", at("2026-01-01"), "pro", subscription_id="sub_1"))

    entries = log(owner)
    assert {(entry.kind, entry.action) for entry in entries} == {
        ("subscription", "create_subscription"),
        ("invoice", "create_subscription"),
    }
    (invoice,) = [entry for entry in entries if entry.kind == "invoice"]
    assert invoice.after is not None
    assert invoice.after["total"] == "10"
    assert "lines" not in invoice.after


def test_a_thing_that_changes_twice_in_one_action_is_noted_once(owner: Acting, business: Business) -> None:
    business.plan("pro", charge("10"))
    business.subscribe()
    owner.do(cancel_subscription, "sub_acme_pro", Cancellation())

    (entry,) = log(owner, AuditQuestion(kind="subscription"))
    assert said(entry)["ends_at"][0] is None


def test_what_time_does_is_not_noted(owner: Acting, business: Business) -> None:
    business.plan("pro", charge("10"))
    business.subscribe()

    owner.do(move_clock, at("2026-06-01"))

    (entry,) = log(owner)
    assert len(business.invoices()) == 6
    assert (entry.kind, said(entry)["clock_now"][1]) == ("organization", "2026-06-01T00:00:00Z")


def test_secrets_are_not_told(owner: Acting) -> None:
    made = owner.do(create_api_key, name="Server", scope=Scope.FULL)
    owner.do(revoke_api_key, made.key.key_id)
    owner.do(put_logo, media_type="image/png", content=png())
    owner.do(remove_logo)

    entries = log(owner)
    assert [(entry.kind, entry.before is None, entry.after is None) for entry in entries] == [
        ("logo", False, True),
        ("logo", True, False),
        ("api_key", False, False),
        ("api_key", True, False),
    ]
    assert made.key.secret_hash not in repr(entries)
    assert set(said(entries[2])) == {"revoked_at"}
    assert said(entries[1])["media_type"] == (None, "image/png")


def test_settings_are_compared_field_by_field(owner: Acting) -> None:
    owner.do(change_organization, OrganizationChange(invoice_settings={"tax_percent": Decimal(19), "note": "Thanks"}))

    (entry,) = log(owner)
    assert said(entry) == {
        "invoice_settings.note": (None, "Thanks"),
        "invoice_settings.tax_percent": (None, "19"),
    }


def test_everything_that_people_decide_leaves_a_note(owner: Acting, business: Business) -> None:
    business.plan("pro", charge("10"))
    owner.do(change_plan, "pro", PlanChange(description="Better"))
    owner.do(create_feature, FeatureDraft("SSO", "feature_sso"))
    owner.do(archive_feature, "feature_sso")
    terms = DiscountTerms("Friends", DiscountType.PERCENTAGE, Decimal(10))
    discount = owner.do(give_discount, "acme", DiscountDraft(terms=terms))
    owner.do(end_discount, "acme", discount.discount_id)
    owner.do(set_wallet, "acme", WalletDraft(Decimal(10), Decimal(50)))
    owner.do(remove_wallet, "acme", "USD")
    credit = owner.do(create_credit, CreditDraft("acme", Decimal(5)))
    owner.do(void_credit, credit.grant.credit_id)

    assert [(entry.kind, entry.before is None, entry.after is None) for entry in reversed(log(owner))] == [
        ("plan", False, False),
        ("feature", True, False),
        ("feature", False, False),
        ("discount", True, False),
        ("discount", False, False),
        ("wallet", True, False),
        ("top_up", True, False),
        ("wallet", False, True),
        ("credit", True, False),
        ("credit", False, False),
    ]


def test_that_links_to_a_portal_were_ended_is_noted_without_what_they_are_signed_with(owner: Acting) -> None:
    secret = get_portal(owner.services, owner.organization).secret

    changed = owner.do(change_portal, PortalChange(ends_links=True))

    (entry,) = log(owner)
    ((path, (before, after)),) = said(entry).items()
    assert ("links", True) == (path, before != after)
    assert not any(each in str(entry) for each in (secret, changed.secret))


def test_the_state_of_an_invoice_is_noted(owner: Acting, business: Business) -> None:
    business.plan("pro", charge("10"))
    business.subscribe()
    (invoice,) = business.invoices()

    owner.do(set_payment_status, invoice.invoice_id, PaymentStatus.PAID)

    (entry,) = log(owner)
    assert said(entry) == {"payment_status": ("unpaid", "paid")}


def test_corrections_of_events_are_noted_once_they_are_made(owner: Acting, business: Business) -> None:
    business.use(1, "2026-01-01")
    (event,) = business.events.events(owner.organization.organization_id, EventQuery())
    for _ in range(2):  # the second time changes nothing
        owner.do(void_events, [event.idempotency_id, "unknown"], "sent twice", Problems())

    (entry,) = log(owner)
    assert (entry.kind, entry.thing_id) == ("event", event.idempotency_id)
    assert said(entry) == {"correction": (None, "void"), "reason": (None, "sent twice")}


def test_a_program_is_noted_by_its_key(owner: Acting) -> None:
    author = Author(AuthorKind.API_KEY, "key_1", "Server")

    services = audited(owner.services, author, "POST /api/customers/")
    create_customer(services, owner.organization, CustomerDraft("new", "New"))

    (entry,) = log(owner)
    assert (entry.author, entry.action) == (author, "POST /api/customers/")


def test_the_log_is_asked_by_who_what_and_when(owner: Acting, business: Business) -> None:
    finance = acting(owner.services, owner.organization, Role.FINANCE)
    owner.do(create_customer, CustomerDraft("new", "New"))
    finance.do(change_customer, CustomerDraft("new", "Newer"), frozenset({"customer_name"}))
    owner.do(create_feature, FeatureDraft("SSO", "feature_sso"))
    now = owner.services.clock.now()

    def actions(question: AuditQuestion) -> list[str]:
        return [entry.action for entry in log(owner, question)]

    assert actions(AuditQuestion()) == ["create_feature", "change_customer", "create_customer"]
    assert actions(AuditQuestion(author_id="user_finance")) == ["change_customer"]
    assert actions(AuditQuestion(kind="customer")) == ["change_customer", "create_customer"]
    assert actions(AuditQuestion(kind="customer", thing_id="acme")) == []
    assert len(actions(AuditQuestion(since=now))) == 3
    assert actions(AuditQuestion(until=now)) == []


def test_pages_of_the_log_are_the_log(owner: Acting) -> None:
    for number in range(5):
        owner.do(create_customer, CustomerDraft(f"c{number}", "New"))
    pages, after = [], None
    while found := log(owner, page=Page(2, after)):
        pages.append([entry.thing_id for entry in found])
        after = found[-1].entry_id

    assert pages == [["c4", "c3"], ["c2", "c1"], ["c0"]]


def test_the_log_of_another_organization_is_not_shown(owner: Acting, services: Services) -> None:
    owner.do(create_customer, CustomerDraft("new", "New"))
    other = found_business(services)

    assert log(acting(services, other.organization)) == []
