"""The settings of wallets, and the top-ups wanted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, or_, select
from sqlalchemy.dialects import postgresql

from lotus_server.adapters.records_sql.credit_tables import TOP_UPS, WALLETS
from lotus_server.adapters.records_sql.rows import Insert, Replace, Unique, Values, can_lock, of_tenant
from lotus_server.domain.credits import TopUp, TopUpStatus, Wallet

_WALLET_KEYS: Final = ("organization_id", "customer_id", "currency")
_WALLET_VALUES: Final = tuple(name for name in Wallet.__struct_fields__ if name not in _WALLET_KEYS)
_OF_CUSTOMER: Final = (
    select(*(WALLETS.c[name] for name in Wallet.__struct_fields__))
    .where(of_tenant(WALLETS), WALLETS.c.customer_id == bindparam("customer_id"))
    .order_by(WALLETS.c.currency)
)
_OF_CUSTOMER_FOR_UPDATE: Final = _OF_CUSTOMER.with_for_update()
# SQLite understands the same words, and SQLAlchemy compiles this for both.
_PUT_PLAIN: Final = postgresql.insert(WALLETS).values({column.name: bindparam(column.name) for column in WALLETS.c})
_PUT: Final = _PUT_PLAIN.on_conflict_do_update(
    index_elements=[WALLETS.c[name] for name in _WALLET_KEYS],
    set_={name: _PUT_PLAIN.excluded[name] for name in _WALLET_VALUES},
)
_REMOVE: Final = delete(WALLETS).where(
    of_tenant(WALLETS),
    WALLETS.c.customer_id == bindparam("customer_id"),
    WALLETS.c.currency == bindparam("currency"),
)
_INSERT_TOP_UP: Final = Insert(
    TOP_UPS,
    [
        Unique(("organization_id", "top_up_id"), "top_up_exists", "A top-up with this id exists already."),
        Unique(_WALLET_KEYS, "top_up_exists", "A top-up of this wallet is pending.", {"status": TopUpStatus.PENDING}),
    ],
)
_REPLACE_TOP_UP: Final = Replace(TOP_UPS, ("status", "resolved_at", "credit_id"), "top-up")
_TOP_UPS: Final = select(*(TOP_UPS.c[name] for name in TopUp.__struct_fields__)).where(of_tenant(TOP_UPS))
_TOP_UP: Final = _TOP_UPS.where(TOP_UPS.c.top_up_id == bindparam("top_up_id"))
_TOP_UP_FOR_UPDATE: Final = _TOP_UP.with_for_update()
_OF_WALLET: Final = _TOP_UPS.where(
    TOP_UPS.c.customer_id == bindparam("customer_id"), TOP_UPS.c.currency == bindparam("currency")
).order_by(TOP_UPS.c.wanted_at, TOP_UPS.c.top_up_id)
_OF_WALLET_SINCE: Final = _OF_WALLET.where(
    or_(TOP_UPS.c.status == TopUpStatus.PENDING, TOP_UPS.c.wanted_at >= bindparam("since"))
)


def wallet_to_row(value: Wallet) -> Values:
    """Return a wallet's columns."""
    return {name: getattr(value, name) for name in Wallet.__struct_fields__}


def wallet_from_row(row: Sequence[Any]) -> Wallet:
    """Return the wallet of a row whose columns are in the order of the fields."""
    return Wallet(*row)


def top_up_to_row(value: TopUp) -> Values:
    """Return a top-up's columns."""
    return {name: getattr(value, name) for name in TopUp.__struct_fields__}


def top_up_from_row(row: Sequence[Any]) -> TopUp:
    """Return the top-up of a row whose columns are in the order of the fields."""
    return TopUp(*row)


class SqlWallets:
    """The settings of wallets, and the top-ups wanted."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def put(self, wallet: Wallet) -> None:
        self._connection.execute(_PUT, wallet_to_row(wallet))

    def remove(self, organization_id: str, customer_id: str, currency: str) -> None:
        keys = {"organization_id": organization_id, "customer_id": customer_id, "currency": currency}
        self._connection.execute(_REMOVE, keys)

    def of_customer(self, organization_id: str, customer_id: str) -> list[Wallet]:
        query = _OF_CUSTOMER_FOR_UPDATE if can_lock(self._connection) else _OF_CUSTOMER
        rows = self._connection.execute(query, {"organization_id": organization_id, "customer_id": customer_id})
        return [wallet_from_row(row) for row in rows]

    def add_top_up(self, top_up: TopUp) -> None:
        _INSERT_TOP_UP(self._connection, top_up_to_row(top_up))

    def top_up(self, organization_id: str, top_up_id: str, *, for_update: bool = False) -> TopUp | None:
        query = _TOP_UP_FOR_UPDATE if for_update and can_lock(self._connection) else _TOP_UP
        keys = {"organization_id": organization_id, "top_up_id": top_up_id}
        row = self._connection.execute(query, keys).first()
        return None if row is None else top_up_from_row(row)

    def top_ups(
        self, organization_id: str, customer_id: str, currency: str, since: datetime | None = None
    ) -> list[TopUp]:
        keys: Values = {"organization_id": organization_id, "customer_id": customer_id, "currency": currency}
        if since is None:
            rows = self._connection.execute(_OF_WALLET, keys)
        else:
            rows = self._connection.execute(_OF_WALLET_SINCE, {**keys, "since": since})
        return [top_up_from_row(row) for row in rows]

    def replace_top_up(self, top_up: TopUp) -> None:
        _REPLACE_TOP_UP(self._connection, top_up_to_row(top_up))
