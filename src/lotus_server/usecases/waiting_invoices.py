"""Invoices that wait for the end of a grace: shown as drafts, issued before their time, one or all."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
import structlog

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.domain.invoicing import Invoice, PaymentStatus
from lotus_server.domain.subscriptions import Subscription, awaits_invoice, park
from lotus_server.kernel.errors import Conflict, LotusError, NotFound
from lotus_server.kernel.quantity import ZERO
from lotus_server.ports.records import Page
from lotus_server.usecases.billing import RETRY_AFTER, bring_up_to_date
from lotus_server.usecases.billing_on_request import finalize_billing
from lotus_server.usecases.drafts import Draft, draft_invoices
from lotus_server.usecases.invoices import InvoiceView, get_invoice
from lotus_server.usecases.issuing import period_of
from lotus_server.usecases.services import Services, present
from lotus_server.usecases.subscriptions import get_subscription

_log = structlog.get_logger()
DRAFT_PREFIX: Final = "draft_"
TOGETHER_MAX: Final = 100
FINALIZED_AT_ONCE_MAX: Final = 5_000


class Finalized(msgspec.Struct, frozen=True):
    """What became of invoices that waited, in subscriptions: that many wait no longer, and so many still do.

    Those that could not be billed wait no longer, either: they are parked with their cause.
    """

    finalized: int
    waiting: int


def count_waiting(services: Services, organization: Organization) -> int:
    """Return how many subscriptions have a period that is over and waits for its invoice, parked ones aside."""
    with services.records.snapshot() as tx:
        return tx.subscriptions.count_awaiting(organization.organization_id, present(services, organization))


def list_waiting(services: Services, organization: Organization, page: Page) -> list[InvoiceView]:
    """Return the drafts of the invoices that wait, the earliest period first; `page.after` is a draft's id.

    A draft has the id of its subscription after `draft_`, no number, what has come in so far, and no credit: what that
    will pay is decided when it is issued, at its `issued_at` at the latest.
    """
    now = present(services, organization)
    after = None if page.after is None else page.after.removeprefix(DRAFT_PREFIX)
    with services.records.snapshot() as tx:
        waiting = tx.subscriptions.awaiting(organization.organization_id, now, Page(page.limit, after))
    drafts: dict[str, tuple[Customer, list[Draft]]] = {}
    for customer_id in sorted({each.customer_id for each in waiting}):
        drafts[customer_id] = draft_invoices(services, organization, customer_id)
    found = (_view(organization, each, *drafts[each.customer_id]) for each in waiting)
    return [view for view in found if view is not None]


def get_invoice_or_draft(services: Services, organization: Organization, invoice_id: str) -> InvoiceView:
    """Return one invoice, or the draft of one that waits, by its id. Raises NotFound `invoice_not_found`."""
    if not invoice_id.startswith(DRAFT_PREFIX):
        return get_invoice(services, organization, invoice_id)
    subscription = _subscription(services, organization, invoice_id)
    view = None
    if awaits_invoice(subscription, present(services, organization)):
        view = _view(organization, subscription, *draft_invoices(services, organization, subscription.customer_id))
    if view is None:
        raise NotFound(f"There is no invoice {invoice_id!r}.", code="invoice_not_found")
    return view


def finalize_invoice(services: Services, organization: Organization, invoice_id: str) -> InvoiceView:
    """Issue now an invoice that waits, by its draft's id; of several periods that wait, the earliest is returned.

    Raises NotFound `invoice_not_found`, Conflict `invalid_state` for one that is issued, or has nothing to invoice.
    """
    if not invoice_id.startswith(DRAFT_PREFIX):
        get_invoice(services, organization, invoice_id)
        raise Conflict("The invoice is issued already.", code="invalid_state")
    subscription = _subscription(services, organization, invoice_id)
    issued = finalize_billing(services, organization, subscription.subscription_id)
    if not issued:
        raise Conflict("There is nothing to invoice.", code="invalid_state")
    return issued[0]


def finalize_waiting(services: Services, organization: Organization, limit: int = FINALIZED_AT_ONCE_MAX) -> Finalized:
    """Issue now the invoices that wait, of up to `limit` subscriptions.

    A hundred share a transaction; when any of them fails, each has one of its own instead, and the one that fails is
    parked with its cause.
    """
    seen: set[str] = set()
    while len(seen) < limit:
        now = present(services, organization)
        with services.records.snapshot() as tx:
            page = Page(min(TOGETHER_MAX, limit - len(seen)))
            waiting = tx.subscriptions.awaiting(organization.organization_id, now, page)
        if not waiting or seen.intersection(each.subscription_id for each in waiting):
            break  # whoever was billed or parked does not wait again, so nobody comes twice
        seen.update(each.subscription_id for each in waiting)
        if not _finalize_together(services, organization, waiting):
            for each in waiting:
                _finalize_or_park(services, organization, each)
    return Finalized(len(seen), count_waiting(services, organization))


def _finalize_together(services: Services, organization: Organization, waiting: Sequence[Subscription]) -> bool:
    """Tell whether all of them were billed; if not, nothing was."""
    now = present(services, organization)
    try:
        with services.records.transaction() as tx:
            for each in waiting:
                current = tx.subscriptions.get(each.organization_id, each.subscription_id, for_update=True)
                if current is not None and awaits_invoice(current, now):
                    tx.subscriptions.replace(bring_up_to_date(services, tx, current, now))
    except Exception as error:  # noqa: BLE001 - whatever it is, billing them one by one finds out whose it is
        _log.warning("finalizing_together_failed", cause=f"{type(error).__name__}: {error}")
        return False
    return True


def _finalize_or_park(services: Services, organization: Organization, subscription: Subscription) -> None:
    try:
        finalize_billing(services, organization, subscription.subscription_id)
    except LotusError as error:
        _park(services, subscription, str(error), present(services, organization) + RETRY_AFTER)
    except Exception as error:  # noqa: BLE001 - a defect that one subscription meets must not keep others from their bills
        _log.exception("finalizing_failed", subscription_id=subscription.subscription_id)
        cause = f"Something broke here: {type(error).__name__}. The log has the details."
        _park(services, subscription, cause, present(services, organization) + RETRY_AFTER)


def _view(
    organization: Organization, subscription: Subscription, customer: Customer, drafts: Sequence[Draft]
) -> InvoiceView | None:
    """Return the draft of the open period of a subscription, which is over, if there is one among its customer's."""
    for draft in drafts:
        own = draft.terms.subscription
        if own.subscription_id == subscription.subscription_id and draft.period == own.open_period:
            break
    else:
        return None
    if not draft.lines:
        return None
    assert subscription.due_at is not None, "it awaits its invoice"
    totals, terms = draft.totals, draft.terms
    due_at = subscription.due_at + timedelta(days=terms.payment_term_days)
    invoice = Invoice(
        organization_id=organization.organization_id,
        invoice_id=f"{DRAFT_PREFIX}{subscription.subscription_id}",
        invoice_number="",
        cause="",
        customer_id=subscription.customer_id,
        subscription_id=subscription.subscription_id,
        currency=terms.version.currency,
        period=period_of(draft.lines),
        issued_at=subscription.due_at,
        due_at=due_at,
        lines=draft.lines,
        subtotal=totals.subtotal,
        credit_applied=ZERO,
        total=max(totals.gross, ZERO),
        payment_status=PaymentStatus.DRAFT,
        taxes=totals.taxes,
        prices_include_tax=terms.tax.is_included,
        discounts=totals.discounts,
    )
    sold = {line.version_id: draft.sold(line) for line in draft.lines if line.version_id is not None}
    return InvoiceView(invoice, customer, organization, subscription, sold)


def _subscription(services: Services, organization: Organization, invoice_id: str) -> Subscription:
    try:
        return get_subscription(services, organization, invoice_id.removeprefix(DRAFT_PREFIX)).subscription
    except NotFound:
        raise NotFound(f"There is no invoice {invoice_id!r}.", code="invoice_not_found") from None


def _park(services: Services, subscription: Subscription, cause: str, retry_at: datetime) -> None:
    with services.records.transaction() as tx:
        current = tx.subscriptions.get(subscription.organization_id, subscription.subscription_id, for_update=True)
        if current is not None:
            tx.subscriptions.replace(park(current, cause=cause, retry_at=retry_at))
