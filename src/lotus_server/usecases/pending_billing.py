"""Lines that wait for the customer's next invoice: listed, invoiced when they are due, invoiced on demand."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
import structlog

from lotus_server.domain.accounts import Organization
from lotus_server.domain.catalog import Plan, PlanVersion
from lotus_server.domain.invoicing import Invoice, PendingLines
from lotus_server.domain.subscriptions import Subscription
from lotus_server.kernel.errors import LotusError
from lotus_server.ports.records import Transaction
from lotus_server.usecases.billing import DUE_AT_ONCE_MAX, RETRY_AFTER, issue_waiting, overdue_at
from lotus_server.usecases.customers import require_customer
from lotus_server.usecases.invoices import InvoiceView, get_invoice
from lotus_server.usecases.services import Services, present

_log = structlog.get_logger()


class PendingView(msgspec.Struct, frozen=True):
    """Lines that wait, the subscription in which they arose, and the plan and version of each line by version id."""

    pending: PendingLines
    subscription: Subscription
    plans: Mapping[str, tuple[Plan, PlanVersion]]


def list_pending(services: Services, organization: Organization, customer_id: str) -> list[PendingView]:
    """Return what waits for a customer's next invoice, oldest first. Raises NotFound `customer_not_found`."""
    organization_id = organization.organization_id
    with services.records.snapshot() as tx:
        require_customer(tx, organization, customer_id)
        waiting = tx.pending_lines.waiting(organization_id, customer_id)
        held = {each.subscription_id: each for each in tx.subscriptions.of_customer(organization_id, customer_id)}
        plans = {plan.plan_id: plan for plan in tx.plans.all(organization_id)} if waiting else {}
        versions = tx.plans.versions(organization_id) if waiting else []
    sold = {each.version_id: (plans[each.plan_id], each) for each in versions}
    return [PendingView(each, held[each.subscription_id], sold) for each in waiting]


def invoice_pending_now(services: Services, organization: Organization, customer_id: str) -> list[InvoiceView]:
    """Issue an invoice in each currency of what waits for a customer's next one, and return them.

    Without anything that waits there is none. Raises NotFound `customer_not_found`.
    """
    now = present(services, organization)
    with services.records.transaction() as tx:
        require_customer(tx, organization, customer_id, for_update=True)
        issued = []
        for waiting in _by_currency(tx.pending_lines.waiting(organization.organization_id, customer_id)):
            issued += _issue_until(services, tx, waiting, now)
            rest = [each for each in _still_waiting(tx, waiting) if each.created_at <= now]
            if rest:
                issued.append(issue_waiting(services, tx, rest, now=now))
    return [get_invoice(services, organization, invoice.invoice_id) for invoice in issued]


def bill_pending_due(
    services: Services, *, until: datetime | None = None, organization: Organization | None = None
) -> int:
    """Invoice what waits and is due by `until` (default: the present), and return the number of steps.

    Without an organization it is that of those that live in real time. Each customer is a transaction; what fails is
    tried again later, visibly, and stops nobody else.
    """
    now = until or services.clock.now()
    organization_id = organization.organization_id if organization else None
    steps = 0
    while due := _due(services, now, organization_id):
        for owner_id, customer_id in dict.fromkeys((each.organization_id, each.customer_id) for each in due):
            _bill_customer(services, owner_id, customer_id, now)
            steps += 1
    return steps


def _due(services: Services, now: datetime, organization_id: str | None) -> list[PendingLines]:
    with services.records.snapshot() as tx:
        return tx.pending_lines.due(now, DUE_AT_ONCE_MAX, organization_id)


def _bill_customer(services: Services, organization_id: str, customer_id: str, now: datetime) -> None:
    try:
        with services.records.transaction() as tx:
            for waiting in _by_currency(tx.pending_lines.waiting(organization_id, customer_id)):
                _issue_until(services, tx, waiting, now)
            return
    except LotusError as error:
        cause = str(error)
    except Exception as error:  # noqa: BLE001 - a defect that one customer meets must not keep others from their bills
        _log.exception("billing_failed", organization_id=organization_id, customer_id=customer_id)
        cause = f"Something broke here: {type(error).__name__}. The log has the details."
    with services.records.transaction() as tx:
        for each in tx.pending_lines.waiting(organization_id, customer_id):
            if each.due_at <= now:
                parked = msgspec.structs.replace(each, parked_cause=cause, due_at=now + RETRY_AFTER)
                tx.pending_lines.replace(parked)


def _by_currency(waiting: Sequence[PendingLines]) -> list[list[PendingLines]]:
    found: dict[str, list[PendingLines]] = {}
    for each in waiting:
        found.setdefault(each.currency, []).append(each)
    return [found[code] for code in sorted(found)]


def _issue_until(services: Services, tx: Transaction, waiting: Sequence[PendingLines], now: datetime) -> list[Invoice]:
    """Issue an invoice at each instant by `now` at which lines that wait in one currency are due."""
    issued = []
    while due := [each for each in waiting if each.due_at <= now]:
        issued.append(issue_waiting(services, tx, waiting, now=overdue_at(due)))
        waiting = _still_waiting(tx, waiting)
    return issued


def _still_waiting(tx: Transaction, waiting: Sequence[PendingLines]) -> list[PendingLines]:
    first = waiting[0]
    found = tx.pending_lines.waiting(first.organization_id, first.customer_id)
    return [each for each in found if each.currency == first.currency]
