"""Writes that are kept back and made together, in a few statements for hundreds of rows."""

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, CursorResult, Dialect, Executable, Table

from lotus_server.adapters.records_sql.tables import METADATA

_Values = dict[str, Any]


class Writes(Protocol):
    """A statement that can write many rows of one table at once."""

    @property
    def table(self) -> Table:
        """The table."""
        ...

    def write(self, connection: Connection, rows: Sequence[_Values]) -> None:
        """The rows are written. Raises what writing any of them alone would raise."""
        ...


class Backlog:
    """Stands in for a connection: what `Insert` and `Replace` write is kept back until anything is read.

    So nobody can tell the difference, but for when a conflict is raised: with the statement that finds it, or at the
    latest when the transaction commits.
    """

    def __init__(self, connection: Connection) -> None:
        """Work on a connection whose transaction has begun."""
        self._connection = connection
        self._inserts: dict[Writes, list[_Values]] = {}
        self._replaces: dict[Writes, dict[tuple[Any, ...], _Values]] = {}
        self.written_tables: set[str] = set()

    @property
    def dialect(self) -> Dialect:
        """The database's dialect."""
        return self._connection.dialect

    def get_execution_options(self) -> Any:  # noqa: ANN401 - SQLAlchemy's
        """Return the connection's options."""
        return self._connection.get_execution_options()

    def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:  # noqa: ANN401 - SQLAlchemy's
        """Execute a statement, which sees everything that was kept back."""
        return self.flush().execute(statement, parameters)

    def keep_insert(self, insert: Writes, row: _Values) -> None:
        """The row will be inserted."""
        self.written_tables.add(insert.table.name)
        self._inserts.setdefault(insert, []).append(row)

    def keep_replace(self, replace: Writes, key: tuple[Any, ...], row: _Values) -> None:
        """The row of a key will be replaced; the last replacement of a row stands."""
        self.written_tables.add(replace.table.name)
        self._replaces.setdefault(replace, {})[key] = row

    def flush(self) -> Connection:
        """Everything kept back is written: new rows first, those of a table after those that it refers to.

        Returns the connection, which knows all of it now.
        """
        inserts, self._inserts = self._inserts, {}
        replaces, self._replaces = self._replaces, {}
        places = METADATA.sorted_tables if len(inserts) > 1 else []
        for insert in sorted(inserts, key=lambda each: places.index(each.table) if places else 0):
            insert.write(self._connection, inserts[insert])
        for replace, rows in replaces.items():
            replace.write(self._connection, list(rows.values()))
        return self._connection
