"""The grace after a period: its invoice waits for late events, and the new period is open meanwhile."""

from decimal import Decimal

import msgspec
import pytest

from lotus_server.domain.accounts import InvoiceSettings
from lotus_server.domain.catalog import Timing
from lotus_server.domain.subscriptions import Status
from lotus_server.usecases.billing_on_request import finalize_billing
from lotus_server.usecases.rehearsal import next_invoice
from lotus_server.usecases.subscriptions import Cancellation
from tests.business import PENNY, Business, at, charge

SUB = "sub_acme_pro"


@pytest.fixture
def patient(business: Business) -> Business:
    """An organization that issues the invoice of a period two days after its end; acme pays 31 in advance."""
    with business.services.records.transaction() as tx:
        settings = InvoiceSettings(invoice_grace_hours=48)
        tx.organizations.replace(msgspec.structs.replace(business.organization, invoice_settings=settings))
    business.plan("pro", charge("31"), price=PENNY)
    business.subscribe()
    return business


def test_the_invoice_of_a_period_is_issued_when_the_grace_is_over(patient: Business) -> None:
    patient.move("2026-02-02T23:59:59")
    before = patient.amounts()

    patient.move("2026-02-03")

    assert before == [("2026-01-01", Decimal(31))]
    assert patient.amounts() == [("2026-01-01", Decimal(31)), ("2026-02-03", Decimal(31))]


@pytest.mark.parametrize("is_together", [True, False])
def test_a_period_that_waits_for_its_invoice_looks_back_when_it_is_issued(
    patient: Business, monkeypatch: pytest.MonkeyPatch, is_together: bool
) -> None:
    """The clock moves over the end of the period and of the grace at once: the step that waits has not looked."""
    if not is_together:
        monkeypatch.setattr("lotus_server.usecases.billing._bill_together", lambda *_: None)
    patient.move("2026-02-10")
    patient.use(700, "2026-01-20")

    patient.move("2026-03-20")

    assert patient.amounts()[-1] == ("2026-03-03", Decimal(38))


def test_an_event_that_comes_late_within_the_grace_is_on_the_invoice(patient: Business) -> None:
    patient.move("2026-02-01T12:00")
    patient.use(100, "2026-01-31T23:00")
    patient.use(7, "2026-02-01T11:00")

    patient.move("2026-02-03")

    assert [line.amount for line in patient.invoices()[-1].lines] == [Decimal(1), Decimal(31)]


def test_both_periods_have_a_draft_meanwhile(patient: Business) -> None:
    patient.use(100, "2026-01-31")
    patient.move("2026-02-01T12:00")
    patient.use(7, "2026-02-01T11:00")

    assert patient.draft_amounts() == [[Decimal(1), Decimal(31)], [Decimal("0.07")]]


def test_a_year_in_one_move_has_the_invoices_of_twelve_moves(patient: Business) -> None:
    patient.move("2027-01-01")

    assert [day[8:] for day, _ in patient.amounts()] == ["01", *["03"] * 11]


def test_finalizing_issues_what_waits_and_only_once(patient: Business) -> None:
    patient.move("2026-02-01T12:00")

    issued = finalize_billing(patient.services, patient.organization, SUB)
    again = finalize_billing(patient.services, patient.organization, SUB)
    patient.move("2026-02-10")

    assert ([view.invoice.issued_at for view in issued], again) == ([at("2026-02-01T12:00")], [])
    assert len(patient.invoices()) == 2


def test_cancelling_within_the_grace_bills_both_periods(patient: Business) -> None:
    patient.use(100, "2026-01-31")
    patient.use(7, "2026-02-01T11:00")
    patient.move("2026-02-01T12:00")

    patient.cancel(SUB)

    assert [invoice.subtotal for invoice in patient.invoices()] == [Decimal(31), Decimal(32), Decimal("0.07")]
    assert patient.subscription(SUB).status is Status.ENDED


def test_the_last_invoice_waits_for_the_grace_too(patient: Business) -> None:
    patient.use(100, "2026-01-31")
    patient.cancel(SUB, Cancellation(ends_now=False))
    patient.move("2026-02-02")
    waiting = patient.draft_amounts()

    patient.move("2026-03-01")

    assert waiting == [[Decimal(1)]]
    assert patient.amounts() == [("2026-01-01", Decimal(31)), ("2026-02-03", Decimal(1))]


def test_a_trial_waits_for_nothing(patient: Business) -> None:
    patient.plan("other", charge("10"))
    patient.subscribe(plan_id="other", trial_end=at("2026-01-08"))

    patient.move("2026-01-09")

    assert patient.amounts()[-1] == ("2026-01-08", Decimal(10))


def test_charges_in_arrears_are_the_same_with_and_without_a_grace(patient: Business) -> None:
    patient.plan("late", charge("31", Timing.IN_ARREARS))
    patient.subscribe(plan_id="late", ends_at=at("2026-01-11"))

    patient.move("2026-01-20")

    assert patient.amounts()[-1] == ("2026-01-13", Decimal(10))


def test_the_preview_of_the_next_invoice_is_dated_as_it_will_be(patient: Business) -> None:
    patient.move("2026-01-20")
    (preview,) = next_invoice(patient.services, patient.organization, SUB)

    patient.move("2026-02-10")

    issued, shown = patient.invoices()[-1], preview.invoice
    assert (issued.lines, issued.issued_at, issued.due_at) == (shown.lines, shown.issued_at, shown.due_at)
