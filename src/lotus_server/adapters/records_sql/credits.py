"""The postings that customers' balances are the sum of."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, select

from lotus_server.adapters.records_sql.changes import Notes
from lotus_server.adapters.records_sql.rows import Insert, Unique, Values, of_tenant, portions
from lotus_server.adapters.records_sql.tables import CREDIT_POSTINGS
from lotus_server.domain.credits import CreditPosting
from lotus_server.kernel.quantity import ZERO, add

_INSERT: Final = Insert(
    CREDIT_POSTINGS,
    [
        Unique(("organization_id", "cause"), "credit_posting_exists", "This was posted already."),
        Unique(("organization_id", "posting_id"), "credit_posting_exists", "A posting with this id exists already."),
    ],
)
_AMOUNTS: Final = select(CREDIT_POSTINGS.c.customer_id, CREDIT_POSTINGS.c.currency, CREDIT_POSTINGS.c.amount).where(
    of_tenant(CREDIT_POSTINGS), CREDIT_POSTINGS.c.customer_id.in_(bindparam("customer_ids", expanding=True))
)


def credit_posting_to_row(value: CreditPosting) -> Values:
    """Return a posting's columns."""
    return msgspec.structs.asdict(value)


class SqlCreditLedger:
    """The credit ledger."""

    def __init__(self, connection: Connection, notes: Notes) -> None:
        """Work within one transaction."""
        self._connection = connection
        self._notes = notes

    def add(self, posting: CreditPosting) -> None:
        _INSERT(self._connection, credit_posting_to_row(posting))
        self._notes.add(posting.organization_id, posting.customer_id)

    def balances(self, organization_id: str, customer_ids: Sequence[str]) -> dict[tuple[str, str], Decimal]:
        """Return the balances, added up here: SQLite's SUM is a binary float, and the ledger of a customer is short."""
        found: dict[tuple[str, str], Decimal] = {}
        for some in portions(customer_ids):
            keys: dict[str, Any] = {"organization_id": organization_id, "customer_ids": some}
            for customer_id, currency, amount in self._connection.execute(_AMOUNTS, keys):
                key = (customer_id, currency)
                found[key] = add(found.get(key, ZERO), amount)
        return found
