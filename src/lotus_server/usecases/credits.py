"""Credits: given, listed, described, taken back."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.domain.credits import (
    PRIORITY_DEFAULT,
    CreditAccount,
    CreditGrant,
    CreditPosting,
    CreditStatus,
    HeldCredit,
    Rollover,
    account_balances,
    expire,
    grant_problems,
    remaining_of,
    reopened_posting,
)
from lotus_server.kernel.errors import Conflict, FieldProblem, NotFound, Problems
from lotus_server.kernel.quantity import ZERO, plain
from lotus_server.ports.credit_records import CreditQuestion
from lotus_server.ports.paging import Page
from lotus_server.ports.records import Transaction
from lotus_server.usecases.credit_ledger import give_credit, void_rest
from lotus_server.usecases.credit_settlement import settle_credit
from lotus_server.usecases.customers import require_customer
from lotus_server.usecases.one_off_invoices import invoice_credit
from lotus_server.usecases.services import Services, present

GRANTS_AT_ONCE_MIN: Final = 100


class CreditDraft(msgspec.Struct, frozen=True):
    """Credit to be given, in the customer's currency unless it names one, from now on unless it names a time.

    `problems` are those that reading the input found already; they are reported together with the others.
    """

    customer_id: str
    amount: Decimal
    currency: str | None = None
    description: str = ""
    effective_at: datetime | None = None
    expires_at: datetime | None = None
    priority: int = PRIORITY_DEFAULT
    amount_paid: Decimal = ZERO
    amount_paid_currency: str | None = None
    rollover: Rollover | None = None
    problems: tuple[FieldProblem, ...] = ()


class CreditChange(msgspec.Struct, frozen=True):
    """What to change of a grant. Null leaves a thing as it is; `expires_never` takes the expiry away."""

    description: str | None = None
    expires_at: datetime | None = None
    expires_never: bool = False


class CreditView(msgspec.Struct, frozen=True):
    """A grant with its customer and everything that happened to it, as of `now`, by its terms as well as by deeds."""

    grant: CreditGrant
    customer: Customer
    postings: tuple[CreditPosting, ...]
    now: datetime

    @property
    def remaining(self) -> Decimal:
        """Return what the grant has left, whether or not it can pay at this moment."""
        return remaining_of(self.grant.credit_id, self.postings)

    @property
    def status(self) -> CreditStatus:
        """Return whether what is left can pay now or later."""
        return self.grant.status_at(self.now, self.remaining)

    @property
    def drawdowns(self) -> tuple[CreditPosting, ...]:
        """Return the movements that took credit away, and those that gave it back, oldest first."""
        return tuple(posting for posting in self.postings if posting.source is not CreditAccount.ISSUED)


def create_credit(services: Services, organization: Organization, draft: CreditDraft) -> CreditView:
    """Give a customer credit, and invoice what they pay for it, if anything.

    Raises Invalid with every problem, NotFound `customer_not_found`.
    """
    now = present(services, organization)
    with services.records.transaction() as tx:
        problems = Problems()
        problems.extend(draft.problems)
        customer = None if problems.any_below("customer_id") else require_customer(tx, organization, draft.customer_id)
        currency = draft.currency or (customer.currency if customer else organization.default_currency)
        grant = CreditGrant(
            organization_id=organization.organization_id,
            credit_id=services.ids.new("credit"),
            customer_id=draft.customer_id,
            currency=currency,
            amount=draft.amount,
            granted_at=now,
            effective_at=draft.effective_at or now,
            expires_at=draft.expires_at,
            priority=draft.priority,
            description=draft.description,
            amount_paid=draft.amount_paid,
            amount_paid_currency=(draft.amount_paid_currency or currency) if draft.amount_paid else None,
            rollover=draft.rollover,
        )
        problems.extend(grant_problems(grant))
        if grant.expires_at is not None and grant.expires_at <= now:
            problems.add("expires_at", "invalid", "expires_at must lie in the future.")
        problems.raise_if_any()
        assert customer is not None, "without one there was a problem"
        if grant.amount_paid and grant.amount_paid_currency is not None:
            name = f"Credit of {plain(grant.amount)} {grant.currency}"
            paid = (grant.amount_paid, grant.amount_paid_currency)
            invoice_credit(
                services, tx, organization, customer, credit_id=grant.credit_id, name=name, paid=paid, now=now
            )
        grant = give_credit(services, tx, grant)
        return _views(tx, organization, [grant], now)[0]


def list_credits(
    services: Services,
    organization: Organization,
    page: Page,
    question: CreditQuestion,
    statuses: frozenset[CreditStatus] = frozenset(),
) -> tuple[list[CreditView], list[str]]:
    """Return the grants asked for, of the given statuses if any are given, and the ids that the page comes to.

    A page is full as long as there are enough of them.
    """
    now = present(services, organization)
    wanted: list[CreditView] = []
    portion = Page(None if page.limit is None else max(page.limit, GRANTS_AT_ONCE_MIN), page.after)
    with services.records.snapshot() as tx:
        while True:
            grants = tx.credits.page(organization.organization_id, portion, question)
            views = _views(tx, organization, grants, now)
            wanted += [view for view in views if not statuses or view.status in statuses]
            if page.limit is None or len(grants) < (portion.limit or 0) or len(wanted) >= page.limit:
                break
            portion = Page(portion.limit, grants[-1].credit_id)
    wanted = wanted[: page.limit]
    return wanted, [view.grant.credit_id for view in wanted]


def get_credit(services: Services, organization: Organization, credit_id: str) -> CreditView:
    """Return one grant. Raises NotFound `credit_not_found`."""
    now = present(services, organization)
    with services.records.snapshot() as tx:
        return _views(tx, organization, [_require(tx, organization, credit_id)], now)[0]


def update_credit(services: Services, organization: Organization, credit_id: str, change: CreditChange) -> CreditView:
    """Change a grant's description or expiry.

    One that has expired can be given a later expiry, and has back what it lost; what it could have paid in between
    stays unpaid by it. Raises NotFound `credit_not_found`, Invalid, Conflict `invalid_state` for a voided one, and for
    a new expiry of one that has rolled over.
    """
    now = present(services, organization)
    with services.records.transaction() as tx:
        grant = _lock(services, tx, organization, credit_id, now)
        if grant.voided_at is not None:
            raise Conflict("The credit is voided.", code="invalid_state")
        expires_at = None if change.expires_never else change.expires_at or grant.expires_at
        changed = msgspec.structs.replace(
            grant,
            description=grant.description if change.description is None else change.description,
            expires_at=expires_at,
        )
        problems = Problems()
        problems.extend(grant_problems(changed))
        if change.expires_at is not None and change.expires_at <= now:
            problems.add("expires_at", "invalid", "expires_at must lie in the future; to end a credit now, void it.")
        problems.raise_if_any()
        if expires_at != grant.expires_at:
            _reopen(services, tx, grant, now)
            changed = msgspec.structs.replace(changed, due_at=expires_at)
        tx.credits.replace_grant(changed)
        return _views(tx, organization, [changed], now)[0]


def _reopen(services: Services, tx: Transaction, grant: CreditGrant, now: datetime) -> None:
    """What a grant lost when it expired is available again. Raises Conflict `invalid_state` when some rolled over."""
    postings = tx.credits.postings(grant.organization_id, [grant.credit_id]).get(grant.credit_id, [])
    balances = account_balances(postings)
    if balances.get((grant.credit_id, CreditAccount.ROLLED_OVER)):
        raise Conflict("What the credit had left has rolled over into another one.", code="invalid_state")
    lost = balances.get((grant.credit_id, CreditAccount.EXPIRED), ZERO)
    if lost:
        tx.credits.add(reopened_posting(grant, lost, posting_id=services.ids.new("posting"), posted_at=now))


def void_credit(services: Services, organization: Organization, credit_id: str) -> CreditView:
    """Take back what a grant has left.

    Raises NotFound `credit_not_found`, Conflict `invalid_state` when it is voided, expired or used up: then there is
    nothing to take back.
    """
    now = present(services, organization)
    with services.records.transaction() as tx:
        grant = _lock(services, tx, organization, credit_id, now)
        before = _views(tx, organization, [grant], now)[0]
        if before.status is CreditStatus.INACTIVE:
            raise Conflict("The credit is voided, expired or used up already.", code="invalid_state")
        return _views(tx, organization, [void_rest(services, tx, grant, now)], now)[0]


def _require(tx: Transaction, organization: Organization, credit_id: str, *, for_update: bool = False) -> CreditGrant:
    grant = tx.credits.grant(organization.organization_id, credit_id, for_update=for_update)
    if grant is None:
        raise NotFound(f"There is no credit {credit_id!r}.", code="credit_not_found")
    return grant


def _lock(
    services: Services, tx: Transaction, organization: Organization, credit_id: str, now: datetime
) -> CreditGrant:
    """Return a grant that nobody else changes, its customer's ledger being up to date."""
    customer_id = _require(tx, organization, credit_id).customer_id
    settle_credit(services, tx, organization.organization_id, customer_id, now)
    return _require(tx, organization, credit_id, for_update=True)


def _views(
    tx: Transaction, organization: Organization, grants: Sequence[CreditGrant], now: datetime
) -> list[CreditView]:
    organization_id = organization.organization_id
    postings = tx.credits.postings(organization_id, [grant.credit_id for grant in grants])
    customers = tx.customers.many(organization_id, sorted({grant.customer_id for grant in grants}))
    return [
        CreditView(grant, customers[grant.customer_id], _by_now(grant, postings.get(grant.credit_id, []), now), now)
        for grant in grants
    ]


def _by_now(grant: CreditGrant, postings: list[CreditPosting], now: datetime) -> tuple[CreditPosting, ...]:
    """Return what happened to a grant, its expiry among it even if the ledger does not show it yet."""
    if grant.due_at is None or grant.due_at > now:
        return tuple(postings)
    expiry, _ = expire(HeldCredit(grant, remaining_of(grant.credit_id, postings)))
    return (*postings, *expiry)
