"""Second factors, attempts that failed, and mail to people."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select
from sqlalchemy.dialects import postgresql

from lotus_server.adapters.records_sql.people_tables import ATTEMPTS, OUTGOING_MAILS, SECOND_FACTORS
from lotus_server.adapters.records_sql.rows import Replace, Values, can_lock, portions
from lotus_server.domain.accounts import Attempts, SecondFactor
from lotus_server.ports.mail import OutgoingMail

# SQLite understands the same words.
_INSERT_FACTOR: Final = postgresql.insert(SECOND_FACTORS)
_PUT_FACTOR: Final = _INSERT_FACTOR.on_conflict_do_update(
    index_elements=["user_id"],
    set_={name: _INSERT_FACTOR.excluded[name] for name in SecondFactor.__struct_fields__ if name != "user_id"},
)
_FACTORS: Final = select(*(SECOND_FACTORS.c[name] for name in SecondFactor.__struct_fields__))
_FACTOR: Final = _FACTORS.where(SECOND_FACTORS.c.user_id == bindparam("user_id"))
_FACTORS_OF_USERS: Final = _FACTORS.where(SECOND_FACTORS.c.user_id.in_(bindparam("user_ids", expanding=True)))
_REMOVE_FACTOR: Final = delete(SECOND_FACTORS).where(SECOND_FACTORS.c.user_id == bindparam("user_id"))

_BEGIN_ATTEMPTS: Final = postgresql.insert(ATTEMPTS).on_conflict_do_nothing()
_TAKE_ATTEMPTS: Final = (
    select(*(ATTEMPTS.c[name] for name in Attempts.__struct_fields__))
    .where(ATTEMPTS.c.key == bindparam("key"))
    .with_for_update()
)
_REPLACE_ATTEMPTS: Final = Replace(ATTEMPTS, Attempts.__struct_fields__, "attempts")
_REMOVE_ATTEMPTS: Final = delete(ATTEMPTS).where(ATTEMPTS.c.key == bindparam("key"))
_FORGET_ATTEMPTS: Final = delete(ATTEMPTS).where(ATTEMPTS.c.last_at < bindparam("before"))

_MAIL_DUE: Final = (
    select(*(OUTGOING_MAILS.c[name] for name in OutgoingMail.__struct_fields__))
    .where(OUTGOING_MAILS.c.due_at <= bindparam("at"))
    .order_by(OUTGOING_MAILS.c.due_at, OUTGOING_MAILS.c.mail_id)
    .with_for_update(skip_locked=True)
)
_REPLACE_MAIL: Final = Replace(OUTGOING_MAILS, OutgoingMail.__struct_fields__, "mail")
_FORGET_MAIL: Final = delete(OUTGOING_MAILS).where(
    OUTGOING_MAILS.c.due_at.is_(None), OUTGOING_MAILS.c.created_at < bindparam("before")
)


def factor_to_row(value: SecondFactor) -> Values:
    """Return a second factor's columns."""
    return msgspec.structs.asdict(value)


def factor_from_row(row: Sequence[Any]) -> SecondFactor:
    """Return the second factor of a row whose columns are in the order of the fields."""
    return SecondFactor(*row)


def attempts_to_row(value: Attempts) -> Values:
    """Return the columns of attempts."""
    return msgspec.structs.asdict(value)


def attempts_from_row(row: Sequence[Any]) -> Attempts:
    """Return the attempts of a row whose columns are in the order of the fields."""
    return Attempts(*row)


def mail_to_row(value: OutgoingMail) -> Values:
    """Return a mail's columns."""
    return msgspec.structs.asdict(value)


def mail_from_row(row: Sequence[Any]) -> OutgoingMail:
    """Return the mail of a row whose columns are in the order of the fields."""
    return OutgoingMail(*row)


class SqlSecondFactors:
    """The second factors, at most one for each person."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def put(self, factor: SecondFactor) -> None:
        self._connection.execute(_PUT_FACTOR, factor_to_row(factor))

    def get(self, user_id: str, *, for_update: bool = False) -> SecondFactor | None:
        query = _FACTOR.with_for_update() if for_update and can_lock(self._connection) else _FACTOR
        row = self._connection.execute(query, {"user_id": user_id}).first()
        return None if row is None else factor_from_row(row)

    def of_users(self, user_ids: Sequence[str]) -> dict[str, SecondFactor]:
        found: dict[str, SecondFactor] = {}
        for some in portions(user_ids):
            rows = self._connection.execute(_FACTORS_OF_USERS, {"user_ids": some})
            found.update({factor.user_id: factor for factor in map(factor_from_row, rows)})
        return found

    def remove(self, user_id: str) -> None:
        self._connection.execute(_REMOVE_FACTOR, {"user_id": user_id})


class SqlAttemptCounts:
    """The attempts that failed, by the key of what was tried."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def take(self, key: str, now: datetime) -> Attempts:
        self._connection.execute(_BEGIN_ATTEMPTS, attempts_to_row(Attempts(key, 0, now)))
        return attempts_from_row(self._connection.execute(_TAKE_ATTEMPTS, {"key": key}).one())

    def replace(self, attempts: Attempts) -> None:
        _REPLACE_ATTEMPTS(self._connection, attempts_to_row(attempts))

    def remove(self, key: str) -> None:
        self._connection.execute(_REMOVE_ATTEMPTS, {"key": key})

    def forget(self, before: datetime) -> None:
        self._connection.execute(_FORGET_ATTEMPTS, {"before": before})


class SqlOutgoingMails:
    """The mail that is to be sent, or was."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def add(self, mail: OutgoingMail) -> None:
        self._connection.execute(insert(OUTGOING_MAILS), mail_to_row(mail))

    def claim(self, at: datetime, limit: int) -> list[OutgoingMail]:
        rows = self._connection.execute(_MAIL_DUE.limit(limit), {"at": at})
        return [mail_from_row(row) for row in rows]

    def replace(self, mail: OutgoingMail) -> None:
        _REPLACE_MAIL(self._connection, mail_to_row(mail))

    def forget(self, before: datetime) -> None:
        self._connection.execute(_FORGET_MAIL, {"before": before})
