"""What a driver's error means to a caller."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from lotus_server.kernel.errors import Invalid, LotusError, Unavailable

# Primary result codes of SQLite after which the same transaction may succeed later. A defect in a statement is an
# OperationalError too (SQLITE_ERROR), and that has to stay loud.
_SQLITE_PASSING: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)
_SQLITE_TAKEN: Final = frozenset({sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE})


@contextmanager
def meaning_of_errors() -> Iterator[None]:
    """Driver errors leave the block as what they mean: Unavailable or Invalid.

    A deadlock, a serialization failure, a lock that was not granted in time and a lost connection are Unavailable:
    nothing of the transaction was kept. Everything else is a defect and stays as it is.
    """
    try:
        yield
    except LotusError:
        raise
    except PoolTimeoutError as error:
        raise Unavailable("All database connections are in use.") from error
    except (DBAPIError, sqlite3.Error, psycopg.Error) as error:
        meaning = _meaning(error)
        if meaning is None:
            raise
        raise meaning from error
    except UnicodeEncodeError as error:
        raise _half_a_character() from error
    except StatementError as error:
        if isinstance(error.orig, UnicodeEncodeError):
            raise _half_a_character() from error
        raise


def _half_a_character() -> Invalid:
    return Invalid("A text contains half of a surrogate pair, which is no character.")


def is_taken(error: IntegrityError) -> bool:
    """Tell whether a uniqueness was broken, and not some other constraint."""
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorcode", None) in _SQLITE_TAKEN
    return isinstance(error.orig, psycopg.errors.UniqueViolation)


def _meaning(error: Exception) -> LotusError | None:
    is_lost = isinstance(error, DBAPIError) and error.connection_invalidated
    driver_error = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(driver_error, sqlite3.Error):
        code = getattr(driver_error, "sqlite_errorcode", None)
        is_passing = code is not None and code & 0xFF in _SQLITE_PASSING
        if is_passing:
            return Unavailable("The database is busy or cannot be reached.")
        return Invalid("A value cannot be stored.") if isinstance(driver_error, sqlite3.DataError) else None
    if is_lost or isinstance(driver_error, psycopg.OperationalError):
        return Unavailable("The database is busy or cannot be reached.")
    if isinstance(driver_error, psycopg.DataError):
        return Invalid("A value cannot be stored: a text contains a NUL character, or a number is out of range.")
    return None
