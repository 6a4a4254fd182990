"""One invoice of what is due for a customer at one instant."""

from decimal import Decimal

import msgspec
import pytest

from lotus_server.domain.accounts import InvoiceGrouping, InvoiceSettings
from lotus_server.domain.catalog import PerUnit, SpendThreshold, Timing, UsageInvoicing
from lotus_server.domain.invoicing import DiscountTerms, DiscountType, FlatFeeBehavior, LineKind
from lotus_server.domain.metering import Aggregation, MetricDefinition
from lotus_server.kernel.money import total
from lotus_server.kernel.period import Duration
from lotus_server.usecases.discounts import DiscountDraft, give_discount
from lotus_server.usecases.documents import document_of
from lotus_server.usecases.drafts import draft_invoices
from lotus_server.usecases.due_work import do_what_is_due
from lotus_server.usecases.invoices import get_invoice
from lotus_server.usecases.metrics import MetricDraft, create_metric
from lotus_server.usecases.plans import ComponentDraft, PlanDraft, VersionDraft, create_plan
from lotus_server.usecases.rehearsal import effect_of, next_invoice
from lotus_server.usecases.subscriptions import Cancellation, cancel_subscription
from lotus_server.wire.drafts import later_draft
from tests.business import PENNY, Business, at, charge, found_business

D = Decimal


def put_together(
    business: Business, grace_hours: int = 0, grouping: InvoiceGrouping = InvoiceGrouping.CUSTOMER
) -> Business:
    """Let an organization put what is due for a customer at one instant on one invoice."""
    with business.services.records.transaction() as tx:
        settings = InvoiceSettings(invoice_grouping=grouping, invoice_grace_hours=grace_hours)
        tx.organizations.replace(msgspec.structs.replace(business.organization, invoice_settings=settings))
    return business


def sell_two(business: Business) -> None:
    """Two monthly plans for acme and one for boots."""
    business.plan("pro", charge("30", Timing.IN_ARREARS), price=PENNY)
    business.plan("desk", charge("7", Timing.IN_ARREARS))
    business.customer("boots")
    business.subscribe(plan_id="pro")
    business.subscribe(plan_id="desk")
    business.subscribe(plan_id="pro", customer_id="boots")


@pytest.fixture
def together(business: Business) -> Business:
    return put_together(business)


def test_a_customer_has_one_invoice_with_the_lines_of_every_subscription(together: Business) -> None:
    sell_two(together)
    together.use(100, "2026-01-10")

    together.move("2026-02-01")

    (invoice,) = together.invoices("acme")
    found = [(line.subscription_id, line.amount) for line in invoice.lines]
    assert [("sub_acme_desk", D(7)), ("sub_acme_pro", D(1)), ("sub_acme_pro", D(30))] == found
    assert invoice.subscription_id is None
    assert 1 == len(together.invoices("boots"))


def test_subscriptions_of_different_currencies_are_not_put_together(together: Business) -> None:
    together.plan("pro", charge("30", Timing.IN_ARREARS))
    together.plan("euro", charge("7", Timing.IN_ARREARS), currency="EUR")
    together.subscribe(plan_id="pro")
    together.subscribe(plan_id="euro")

    together.move("2026-02-01")

    assert ["EUR", "USD"] == sorted(each.currency for each in together.invoices())


def test_it_comes_to_the_same_as_one_invoice_each(business: Business) -> None:
    twin = put_together(found_business(business.services))
    for each in (business, twin):
        sell_two(each)
        each.use(150, "2026-01-10")
        each.use(350, "2026-03-10")
        each.move("2026-05-01")

    apart, grouped = (
        {
            when: total(each.subtotal for each in some.invoices("acme") if each.issued_at == at(when))
            for when in ("2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01")
        }
        for some in (business, twin)
    )
    assert apart == grouped
    assert (8, 4) == (len(business.invoices("acme")), len(twin.invoices("acme")))


def test_how_the_clock_is_moved_makes_no_difference(business: Business) -> None:
    twin = put_together(found_business(business.services))
    put_together(business)
    for each in (business, twin):
        sell_two(each)
    business.move("2026-05-01")
    for day in ("2026-01-31", "2026-02-01", "2026-03-20", "2026-05-01"):
        twin.move(day)

    assert business.amounts() == twin.amounts()


def test_billing_again_changes_nothing(together: Business) -> None:
    sell_two(together)
    together.move("2026-02-01")
    before = together.amounts()

    steps = do_what_is_due(together.services, until=at("2026-02-01"), organization=together.organization)

    assert (0, before) == (steps, together.amounts())


def test_what_somebody_asks_for_is_invoiced_at_once_and_alone(together: Business) -> None:
    sell_two(together)
    together.move("2026-01-16T12:00")

    _, invoice = together.cancel("sub_acme_desk")

    assert invoice is not None
    assert ("sub_acme_desk", D("3.5")) == (invoice.subscription_id, invoice.subtotal)


def test_what_waits_for_the_next_invoice_is_on_the_one_of_all(together: Business) -> None:
    sell_two(together)
    together.move("2026-01-16T12:00")
    together.cancel("sub_acme_desk", Cancellation(defers=True))

    together.move("2026-02-01")

    (invoice,) = together.invoices("acme")
    assert {D("3.5"), D(0), D(30)} == {line.amount for line in invoice.lines}
    assert {"sub_acme_desk", "sub_acme_pro"} == {line.subscription_id for line in invoice.lines}


def test_late_events_correct_lines_of_an_invoice_of_several(together: Business) -> None:
    sell_two(together)
    together.move("2026-02-01")
    together.use(200, "2026-01-10")

    together.move("2026-03-01")

    first, second = together.invoices("acme")
    (correction,) = [line for line in second.lines if line.kind is LineKind.CORRECTION]
    assert correction.refers_to is not None
    assert (D(2), first.invoice_id) == (correction.amount, correction.refers_to.invoice_id)
    assert "calls of pro" == first.lines[correction.refers_to.line or 0].name


def test_usage_in_parts_is_put_together_too(together: Business) -> None:
    definition = MetricDefinition("call", Aggregation.COUNT)
    create_metric(together.services, together.organization, MetricDraft("Calls", definition, "calls"))
    version = VersionDraft(
        components=(ComponentDraft("calls", PerUnit(D(1))),), usage_invoicing=UsageInvoicing(Duration.MONTHLY)
    )
    for plan_id in ("one", "two"):
        create_plan(together.services, together.organization, PlanDraft("P", Duration.QUARTERLY, version, plan_id))
        together.subscribe(plan_id=plan_id)
    together.use(5, "2026-01-10")
    together.use(3, "2026-02-10")

    together.move("2026-04-01")

    assert [D(10), D(6), D(0)] == [amount for _, amount in together.amounts()]


def test_the_grace_is_kept(business: Business) -> None:
    put_together(business, grace_hours=48)
    sell_two(business)

    business.move("2026-03-10")

    assert [at("2026-02-03"), at("2026-03-03")] == [each.issued_at for each in business.invoices("acme")]


def test_the_preview_of_the_next_invoice_is_that_of_all(together: Business) -> None:
    sell_two(together)
    together.use(100, "2026-01-10")
    together.move("2026-01-20")

    previews = [
        next_invoice(together.services, together.organization, f"sub_acme_{plan_id}") for plan_id in ("pro", "desk")
    ]
    together.move("2026-02-01")

    (issued,) = together.invoices("acme")
    for (preview,) in previews:
        assert issued.lines == preview.invoice.lines
        assert (issued.total, issued.issued_at) == (preview.invoice.total, preview.invoice.issued_at)


def test_drafts_say_what_their_common_invoice_comes_to(together: Business) -> None:
    sell_two(together)
    terms = DiscountTerms("Less", DiscountType.FIXED, D("3.33"), "USD")
    give_discount(together.services, together.organization, "acme", DiscountDraft(terms=terms))
    together.use(100, "2026-01-10")
    together.move("2026-01-31T23:59:59.999999")

    _, drafts = draft_invoices(together.services, together.organization, "acme")
    together.move("2026-02-01")

    (issued,) = together.invoices("acme")
    (common,) = {draft.common.totals.gross for draft in drafts if draft.common is not None}
    assert (2, issued.total) == (len(drafts), common)
    assert issued.total == later_draft(drafts)["invoices"][0]["cost_due"]


def test_what_somebody_asks_for_can_wait_for_the_common_invoice(business: Business) -> None:
    waiting = put_together(business, grouping=InvoiceGrouping.CUSTOMER_AND_REQUESTS)
    waiting.plan("pro", charge("31"))
    waiting.plan("desk", charge("62"))
    waiting.subscribe(plan_id="pro")
    waiting.subscribe(plan_id="desk")
    waiting.move("2026-01-16")
    change = Cancellation(flat_fees=FlatFeeBehavior.CHARGE_PRORATED)
    effect = effect_of(
        waiting.services,
        waiting.organization,
        "acme",
        lambda services: cancel_subscription(services, waiting.organization, "sub_acme_desk", change),
    )
    _, invoice = waiting.cancel("sub_acme_desk", change)
    previews = next_invoice(waiting.services, waiting.organization, "sub_acme_pro")

    waiting.move("2026-02-01")

    (issued,) = waiting.invoices()
    assert (None, (), 1) == (invoice, effect.issued, len(effect.waiting))
    assert [issued.lines] == [view.invoice.lines for view in previews]
    assert [D(-32), D(31), D(31), D(62)] == sorted(line.amount for line in issued.lines)


def test_a_spend_threshold_waits_for_no_common_invoice(business: Business) -> None:
    waiting = put_together(business, grouping=InvoiceGrouping.CUSTOMER_AND_REQUESTS)
    definition = MetricDefinition("call", Aggregation.COUNT)
    create_metric(waiting.services, waiting.organization, MetricDraft("Calls", definition, "calls"))
    version = VersionDraft(
        components=(ComponentDraft("calls", PerUnit(D(1))),),
        usage_invoicing=UsageInvoicing(None, (SpendThreshold(D(5)),)),
    )
    create_plan(waiting.services, waiting.organization, PlanDraft("P", Duration.MONTHLY, version, "pro"))
    waiting.subscribe()
    waiting.use(5, "2026-01-10")

    waiting.move("2026-01-11")

    assert [("2026-01-11", D(5))] == waiting.amounts()


def test_a_document_has_a_heading_for_each_subscription(together: Business) -> None:
    sell_two(together)
    together.move("2026-02-01")
    (invoice,) = together.invoices("acme")

    document = document_of(get_invoice(together.services, together.organization, invoice.invoice_id))

    assert ["Desk (sub_acme_desk)", "Pro (sub_acme_pro)", None] == [line.heading for line in document.lines]
    (alone,) = together.invoices("boots")
    document = document_of(get_invoice(together.services, together.organization, alone.invoice_id))
    assert {None} == {line.heading for line in document.lines}


def test_cancelling_after_a_part_was_invoiced_can_wait_for_the_next_invoice(business: Business) -> None:
    definition = MetricDefinition("call", Aggregation.COUNT)
    create_metric(business.services, business.organization, MetricDraft("Calls", definition, "calls"))
    version = VersionDraft(
        components=(ComponentDraft("calls", PerUnit(D(1))),), usage_invoicing=UsageInvoicing(Duration.MONTHLY)
    )
    create_plan(business.services, business.organization, PlanDraft("P", Duration.QUARTERLY, version, "pro"))
    business.subscribe()
    business.use(5, "2026-01-10")
    business.move("2026-02-10")
    business.use(3, "2026-02-05")
    business.cancel("sub_acme_pro", Cancellation(defers=True))

    business.move("2026-04-01")

    assert [("2026-02-01", D(5)), ("2026-04-01", D(3))] == business.amounts()
