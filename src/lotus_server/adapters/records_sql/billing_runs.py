"""The billing runs under way."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, case, delete, select
from sqlalchemy.dialects import postgresql

from lotus_server.adapters.records_sql.billing_tables import BILLING_RUNS
from lotus_server.adapters.records_sql.rows import Values, of_tenant
from lotus_server.ports.invoicing_records import BillingRun

_C: Final = BILLING_RUNS.c
# SQLite understands the same words.
_INSERT: Final = postgresql.insert(BILLING_RUNS)
_LARGER: Final = case((_INSERT.excluded["total"] > _C.total, _INSERT.excluded["total"]), else_=_C.total)
_BEGIN: Final = _INSERT.on_conflict_do_update(index_elements=["organization_id"], set_={"total": _LARGER})
_ONE: Final = select(*_C).where(of_tenant(BILLING_RUNS))
_END: Final = delete(BILLING_RUNS).where(of_tenant(BILLING_RUNS))


def billing_run_to_row(value: BillingRun) -> Values:
    """Return a run's columns."""
    return msgspec.structs.asdict(value)


def billing_run_from_row(row: Sequence[Any]) -> BillingRun:
    """Return the run of a row whose columns are in the order of the fields."""
    return BillingRun(*row)


class SqlBillingRuns:
    """The billing runs under way."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def begin(self, run: BillingRun) -> None:
        self._connection.execute(_BEGIN, billing_run_to_row(run))

    def get(self, organization_id: str) -> BillingRun | None:
        row = self._connection.execute(_ONE, {"organization_id": organization_id}).first()
        return None if row is None else billing_run_from_row(row)

    def end(self, organization_id: str) -> None:
        self._connection.execute(_END, {"organization_id": organization_id})
