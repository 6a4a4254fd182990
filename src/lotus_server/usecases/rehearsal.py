"""Doing something as if: the same use case, with what it writes taken back, and the invoices that it would issue."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime, timedelta
from typing import Final

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.invoicing import PendingLines
from lotus_server.domain.subscriptions import Status, Subscription
from lotus_server.ports.ids import Ids
from lotus_server.ports.records import Change, Records, Transaction
from lotus_server.usecases.billing import bill_next_together, bring_up_to_date, issue_overdue
from lotus_server.usecases.catalog_reading import is_grouped, terms_of
from lotus_server.usecases.invoices import InvoiceView, view_of
from lotus_server.usecases.one_off_invoices import OneOffDraft, issue_one_off
from lotus_server.usecases.services import Services, present
from lotus_server.usecases.subscription_reading import require_subscription

_INSTANT: Final = timedelta(microseconds=1)


def preview_of(
    services: Services, organization: Organization, change: Callable[[Services], object]
) -> list[InvoiceView]:
    """Return the invoices that a change would issue now, in the order of their numbers; nothing of it is kept.

    `change` is a use case of one transaction; the services that it is given roll that back. Raises what it raises.
    """
    rehearsal = _Rehearsal(services, organization)
    change(rehearsal.services)
    return rehearsal.issued


def next_invoice(services: Services, organization: Organization, subscription_id: str) -> list[InvoiceView]:
    """Return the invoice that a subscription's open period will have at its end, with the usage so far, or none.

    Of one that has not started it is the first invoice. What is weighed by time goes on as it stands. Raises NotFound
    `subscription_not_found`.
    """
    now = present(services, organization)
    rehearsal = _Rehearsal(services, organization)
    found: list[InvoiceView] = []
    with rehearsal.transaction() as tx:
        subscription = require_subscription(tx, organization, subscription_id, for_update=True)
        subscription = bring_up_to_date(rehearsal.services, tx, subscription, now)
        found += rehearsal.next_of(tx, subscription)
    return found


def preview_one_off(services: Services, organization: Organization, draft: OneOffDraft) -> InvoiceView:
    """Return the invoice that `issue_one_off` would issue now; nothing of it is kept. Raises what that raises."""
    (view,) = preview_of(services, organization, lambda rehearsing: issue_one_off(rehearsing, organization, draft))
    return view


class Effect(msgspec.Struct, frozen=True):
    """What a change of a customer's subscription comes to.

    `issued` are the invoices that it issues now, `waiting` the lines that it leaves to the customer's next invoice.
    `following` is the invoice that the changed subscription has next, with the usage so far (null: it has none).
    """

    issued: tuple[InvoiceView, ...]
    waiting: tuple[PendingLines, ...]
    following: InvoiceView | None


def effect_of(
    services: Services, organization: Organization, customer_id: str, change: Callable[[Services], object]
) -> Effect:
    """Return what a change of a subscription of a customer, old or new, comes to; nothing of it is kept.

    `change` is a use case of one transaction; the services that it is given roll that back. Raises what it raises.
    """
    rehearsal = _Rehearsal(services, organization)
    rehearsal.look_at(_Look(customer_id, present(services, organization)))
    change(rehearsal.services)
    assert rehearsal.effect is not None, "a use case that changes something has a transaction"
    return rehearsal.effect


class _Undone(Exception):
    """Everything was done, and is to be as if it had not been."""


class _Look(msgspec.Struct, frozen=True):
    """On whom the effect is looked at, and when."""

    customer_id: str
    now: datetime


class _Held(msgspec.Struct, frozen=True):
    """The subscriptions of a customer, and what waits for the next invoice."""

    subscriptions: list[Subscription]
    waiting: list[PendingLines]


class _NotedIds:
    """Makes ids, and notes those of invoices."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self.of_invoices: list[str] = []

    def new(self, prefix: str) -> str:
        made = self._ids.new(prefix)
        if prefix == "invoice":
            self.of_invoices.append(made)
        return made

    def random_uuid(self) -> str:
        return self._ids.random_uuid()

    def secret(self) -> str:
        return self._ids.secret()


class _Rehearsal:
    """Records whose transactions are rolled back at their end, when it is known which invoices they issued."""

    def __init__(self, services: Services, organization: Organization) -> None:
        self._records: Records = services.records
        self._organization = organization
        self.ids = _NotedIds(services.ids)
        self.services = msgspec.structs.replace(services, records=self, ids=self.ids)
        self.issued: list[InvoiceView] = []
        self.effect: Effect | None = None
        self._looks_at: _Look | None = None

    def look_at(self, look: _Look) -> None:
        """Find out the whole effect on a customer."""
        self._looks_at = look

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with suppress(_Undone), self._records.transaction() as tx:
            before = None if self._looks_at is None else self._held(tx, self._looks_at)
            yield tx
            self.issued = self._issued(tx)
            if self._looks_at is not None and before is not None:
                self.effect = self._effect(tx, self._looks_at, before)
            raise _Undone

    def next_of(self, tx: Transaction, subscription: Subscription) -> list[InvoiceView]:
        """Issue what is invoiced next of a subscription that is billed up to now, and return that invoice, or none."""
        self.ids.of_invoices.clear()  # what is due already is not next
        if is_grouped(tx, subscription):
            bill_next_together(self.services, tx, subscription)
            return self._issued(tx)[-1:]
        if subscription.due_at is None:
            return []
        issue_at = terms_of(tx, subscription).issue_at
        bring_up_to_date(self.services, tx, subscription, issue_at)
        if not self.ids.of_invoices:
            # Nothing of the period itself is due; what waits for its invoice has one of its own then.
            issue_overdue(self.services, tx, subscription, before=issue_at + _INSTANT)
        return self._issued(tx)[:1]

    def _issued(self, tx: Transaction) -> list[InvoiceView]:
        found = (tx.invoices.get(self._organization.organization_id, each) for each in self.ids.of_invoices)
        return [view_of(tx, self._organization, each) for each in found if each is not None]

    def _held(self, tx: Transaction, look: _Look) -> _Held:
        organization_id = self._organization.organization_id
        return _Held(
            tx.subscriptions.of_customer(organization_id, look.customer_id),
            tx.pending_lines.waiting(organization_id, look.customer_id),
        )

    def _effect(self, tx: Transaction, look: _Look, before: _Held) -> Effect:
        issued, after = tuple(self.issued), self._held(tx, look)
        waited = {each.pending_id for each in before.waiting}
        changed = [
            each
            for each in after.subscriptions
            if each not in before.subscriptions
            and each.parent_id is None
            and each.status_at(look.now) is not Status.ENDED
        ]
        following: list[InvoiceView] = []
        if changed and changed[0].due_at is not None:
            following = self.next_of(tx, changed[0])
        waiting = tuple(each for each in after.waiting if each.pending_id not in waited)
        return Effect(issued, waiting, following[0] if following else None)

    def snapshot(self) -> AbstractContextManager[Transaction]:
        return self._records.snapshot()

    def changes(self) -> list[Change] | None:
        return self._records.changes()

    def close(self) -> None:
        self._records.close()
