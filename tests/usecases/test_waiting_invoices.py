"""Invoices that wait for the end of a grace are drafts, and can be issued before their time, one or all of them."""

from decimal import Decimal

import msgspec
import pytest

from lotus_server.domain.accounts import InvoiceSettings
from lotus_server.domain.invoicing import PaymentStatus
from lotus_server.kernel.errors import Conflict, NotFound
from lotus_server.ports.records import Page
from lotus_server.usecases import waiting_invoices
from lotus_server.usecases.billing import bring_up_to_date
from lotus_server.usecases.billing_on_request import finalize_billing
from lotus_server.usecases.waiting_invoices import (
    Finalized,
    count_waiting,
    finalize_invoice,
    finalize_waiting,
    get_invoice_or_draft,
    list_waiting,
)
from tests.business import EVERYTHING, PENNY, Business, Json, at, charge

D = Decimal
NAMES = ("acme", "beta", "gamma")


@pytest.fixture
def patient(business: Business) -> Business:
    """Three customers pay 31 in advance and a cent per call, with a grace of two days; it is noon of 1 February."""
    with business.services.records.transaction() as tx:
        settings = InvoiceSettings(invoice_grace_hours=48)
        tx.organizations.replace(msgspec.structs.replace(business.organization, invoice_settings=settings))
    business.plan("pro", charge("31"), price=PENNY)
    for name in NAMES:
        if name != "acme":
            business.customer(name)
        business.subscribe(customer_id=name)
    business.use(100, "2026-01-31")
    business.move("2026-02-01T12:00")
    return business


def finalize(business: Business, **more: Json) -> Finalized:
    return finalize_waiting(business.services, business.organization, **more)


def test_all_that_waits_is_issued_now_and_only_once(patient: Business) -> None:
    assert Finalized(3, 0) == finalize(patient)
    assert Finalized(0, 0) == finalize(patient)

    patient.move("2026-02-10")
    issued = patient.invoices()[3:]
    assert [at("2026-02-01T12:00")] * 3 == [each.issued_at for each in issued]
    assert sorted([D(32), D(31), D(31)]) == sorted(each.subtotal for each in issued)


def test_a_limit_leaves_the_rest_waiting(patient: Business) -> None:
    assert [Finalized(2, 1), Finalized(1, 0)] == [finalize(patient, limit=2), finalize(patient, limit=2)]


def test_one_that_cannot_be_billed_is_parked_and_stops_nobody_else(
    patient: Business, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill, broken = finalize_billing, "sub_beta_pro"

    def billing_that_breaks(services: Json, organization: Json, subscription_id: str) -> Json:
        if subscription_id == broken:
            raise Conflict("The moon is full.", code="full_moon")
        return bill(services, organization, subscription_id)

    monkeypatch.setattr(waiting_invoices, "_finalize_together", lambda *_: False)
    monkeypatch.setattr(waiting_invoices, "finalize_billing", billing_that_breaks)

    assert Finalized(3, 0) == finalize(patient)
    assert 2 == len(patient.invoices()[3:])
    assert "The moon is full." == patient.subscription(broken).subscription.parked_cause


def test_when_one_of_many_fails_nothing_is_billed_twice(patient: Business, monkeypatch: pytest.MonkeyPatch) -> None:
    bill, calls = bring_up_to_date, iter(range(9))

    def billing_that_breaks_once(*args: Json) -> Json:
        if next(calls) == 1:
            raise RuntimeError("broken once")
        return bill(*args)

    monkeypatch.setattr(waiting_invoices, "bring_up_to_date", billing_that_breaks_once)

    assert Finalized(3, 0) == finalize(patient)
    assert 6 == len(patient.invoices())


def test_what_waits_is_listed_as_drafts(patient: Business) -> None:
    views = list_waiting(patient.services, patient.organization, EVERYTHING)

    assert 3 == count_waiting(patient.services, patient.organization)
    first = views[0].invoice
    assert ("draft_sub_acme_pro", PaymentStatus.DRAFT, D(32)) == (first.invoice_id, first.payment_status, first.total)
    assert (at("2026-02-03"), at("2026-03-05")) == (first.issued_at, first.due_at)
    assert [each.invoice.customer_id for each in views] == list(NAMES)


def test_pages_of_drafts_joined_are_all_of_them(patient: Business) -> None:
    first = list_waiting(patient.services, patient.organization, Page(2))
    rest = list_waiting(patient.services, patient.organization, Page(2, first[-1].invoice.invoice_id))

    assert list(NAMES) == [each.invoice.customer_id for each in (*first, *rest)]


def test_a_draft_is_what_is_then_issued(patient: Business) -> None:
    draft = get_invoice_or_draft(patient.services, patient.organization, "draft_sub_acme_pro").invoice

    issued = finalize_invoice(patient.services, patient.organization, draft.invoice_id).invoice

    assert (draft.lines, draft.total, draft.period) == (issued.lines, issued.total, issued.period)
    assert 2 == count_waiting(patient.services, patient.organization)


def test_nothing_waits_without_a_grace(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()
    business.move("2026-02-01T12:00")

    assert [] == list_waiting(business.services, business.organization, EVERYTHING)


def test_an_issued_invoice_cannot_be_issued_again(patient: Business) -> None:
    with pytest.raises(Conflict, match="issued already"):
        finalize_invoice(patient.services, patient.organization, patient.invoices()[0].invoice_id)


@pytest.mark.parametrize("invoice_id", ["draft_nobody", "nobody"])
def test_what_does_not_wait_is_not_there(patient: Business, invoice_id: str) -> None:
    with pytest.raises(NotFound):
        finalize_invoice(patient.services, patient.organization, invoice_id)
    with pytest.raises(NotFound):
        get_invoice_or_draft(patient.services, patient.organization, invoice_id)
