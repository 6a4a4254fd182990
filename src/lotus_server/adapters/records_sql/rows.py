"""What all repositories share: inserting with a named conflict, replacing what exists, and questions about many ids."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Executable,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError

from lotus_server.adapters.records_sql.backlog import Backlog
from lotus_server.adapters.records_sql.errors import is_taken
from lotus_server.kernel.errors import Conflict, Invalid, NotFound

# Both databases take more parameters in one statement (32,766 and 65,535).
IDS_PER_QUERY_MAX: Final = 10_000

Values = dict[str, Any]


class Unique(msgspec.Struct, frozen=True):
    """A set of columns that no two rows share, and what to say when somebody tries. `among` limits it to some rows."""

    columns: tuple[str, ...]
    code: str
    detail: str
    among: Mapping[str, Any] = {}


class Insert:
    """An insert into one table that tells which uniqueness stood against it.

    The row is inserted unless the database finds a constraint in the way, and only then is asked which one. The
    transaction goes on in either case, whereas an error of the database would have ended it in PostgreSQL.
    """

    def __init__(self, table: Table, uniques: Sequence[Unique], values: Mapping[str, Any] | None = None) -> None:
        """Prepare the statements; `values` are expressions for columns that the caller does not give."""
        self.table = table
        statement = postgresql.insert(table).values(
            {column.name: bindparam(column.name) for column in table.c} | dict(values or {})
        )
        # SQLite understands the same words, and SQLAlchemy compiles this for both.
        self._statement = statement.on_conflict_do_nothing().execution_options(preserve_rowcount=True)
        self._many = _Many(self._statement)
        self._searches = [(unique, _taken(table, unique)) for unique in uniques]

    def __call__(self, connection: Connection | Backlog, row: Values) -> None:
        """The row is in the table. Raises Conflict with the code of the uniqueness that it breaks."""
        if isinstance(connection, Backlog):
            connection.keep_insert(self, row)
        elif _count(connection, self._statement, row) != 1:
            raise self._conflict(connection, row)

    def write(self, connection: Connection, rows: Sequence[Values]) -> None:
        """All rows are in the table. Raises Conflict when any breaks a uniqueness; then some may be in the table."""
        if self._many.write(connection, rows) != len(rows):
            unique, _ = self._searches[0]
            raise Conflict(unique.detail, code=unique.code)

    def _conflict(self, connection: Connection, row: Values) -> Conflict:
        # A concurrent transaction's row is visible by now: the database has waited for its end.
        for unique, search in self._searches:
            holds_for_row = all(row[name] == value for name, value in unique.among.items())
            if holds_for_row and connection.execute(search, row).first() is not None:
                return Conflict(unique.detail, code=unique.code)
        unique, _ = self._searches[0]
        return Conflict(unique.detail, code=unique.code)


class _Prepared(msgspec.Struct, frozen=True):
    """A statement as a driver takes it: what becomes of each parameter (null: it stays as it is), and the constants."""

    text: str
    parameters: tuple[tuple[str, Callable[[Any], Any] | None], ...]
    constants: Values
    is_positional: bool


class _Many:
    """A statement that is executed for many rows at once.

    The driver is given the rows itself: SQLAlchemy looks at each of them as if it might be another kind of statement,
    which took a third of the time of writing an invoice.
    """

    def __init__(self, statement: Executable) -> None:
        """Prepare the statement when it is first executed in a database of a kind."""
        self._statement = statement
        self._prepared: dict[str, _Prepared] = {}

    def write(self, connection: Connection, rows: Sequence[Values]) -> int:
        """Return how many rows the statement has changed. Raises Invalid for a number that no column holds."""
        prepared = self._prepared.get(connection.dialect.name)
        if prepared is None:
            prepared = self._prepared[connection.dialect.name] = _prepared(self._statement, connection.dialect)
        constants, parameters = prepared.constants, prepared.parameters
        sent: list[Any] = []
        for row in rows:
            known = row if not constants else {**constants, **row}
            values = [known[name] if process is None else process(known[name]) for name, process in parameters]
            sent.append(tuple(values) if prepared.is_positional else _named(parameters, values))
        try:
            return connection.exec_driver_sql(
                prepared.text, sent, execution_options={"preserve_rowcount": True}
            ).rowcount
        except OverflowError as error:
            # Only SQLite's driver says it like this; PostgreSQL's raises a DataError.
            raise Invalid("A number is too large to be stored.") from error


def _prepared(statement: Executable, dialect: Dialect) -> _Prepared:
    compiled = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
    is_positional = bool(compiled.positional)
    names = compiled.positiontup if is_positional else list(compiled.params)
    types = {name: compiled.binds[name].type.dialect_impl(dialect) for name in names}
    parameters = tuple((name, types[name].bind_processor(dialect)) for name in names)
    constants = {name: value for name, value in compiled.params.items() if value is not None}
    return _Prepared(str(compiled), parameters, constants, is_positional)


def _named(parameters: Sequence[tuple[str, object]], values: Sequence[Any]) -> Values:
    return {name: value for (name, _), value in zip(parameters, values, strict=True)}


def _count(connection: Connection, statement: Executable, row: Values) -> int:
    """Return how many rows a statement has changed. Raises Invalid for a whole number that no column holds."""
    try:
        return connection.execute(statement, row).rowcount
    except OverflowError as error:
        # Only SQLite's driver says it like this; PostgreSQL's raises a DataError.
        raise Invalid("A number is too large to be stored.") from error


def _taken(table: Table, unique: Unique) -> Select[Any]:
    same = [table.c[name] == bindparam(name) for name in unique.columns]
    among = [table.c[name] == value for name, value in unique.among.items()]
    return select(*table.primary_key).where(*same, *among).limit(1)


class Replace:
    """An update of one row by its primary key."""

    def __init__(self, table: Table, columns: Sequence[str], noun: str, taken: Unique | None = None) -> None:
        """Prepare to set the given columns. `taken` is the one uniqueness that new values may break."""
        self.table = table
        keys = [column.name for column in table.primary_key]
        # A parameter named as a column would become a SET clause, hence the prefix.
        self._keys = [(name, f"key_{name}") for name in keys]
        self._columns = [name for name in columns if name not in keys]
        self._noun = noun
        self._taken = taken
        self._statement: Update = (
            update(table)
            .where(and_(*(table.c[name] == bindparam(bound) for name, bound in self._keys)))
            .values({name: bindparam(name) for name in self._columns})
            .execution_options(preserve_rowcount=True)
        )
        self._many = _Many(self._statement)

    def __call__(self, connection: Connection | Backlog, row: Values) -> None:
        """The row has its new values. Raises NotFound when there is no such row, Conflict when the values are taken."""
        values = {name: row[name] for name in self._columns}
        values |= {bound: row[name] for name, bound in self._keys}
        if isinstance(connection, Backlog):
            if self._taken is None:
                connection.keep_replace(self, tuple(row[name] for name, _ in self._keys), values)
                return
            connection = connection.flush()
        if self._taken is None:
            count = _count(connection, self._statement, values)
        else:
            count = self._count_unless_taken(connection, values, self._taken)
        if count != 1:
            raise NotFound(f"There is no such {self._noun}.")

    def write(self, connection: Connection, rows: Sequence[Values]) -> None:
        """All rows have their new values. Raises NotFound when there is no row for any of them."""
        if self._many.write(connection, rows) != len(rows):
            raise NotFound(f"There is no such {self._noun}.")

    def _count_unless_taken(self, connection: Connection, values: Values, taken: Unique) -> int:
        try:
            # The savepoint keeps the transaction usable after the database's refusal.
            with connection.begin_nested():
                return _count(connection, self._statement, values)
        except IntegrityError as error:
            if is_taken(error):
                raise Conflict(taken.detail, code=taken.code) from error
            raise


def can_lock(connection: Connection) -> bool:
    """Tell whether rows can be read for update: in a snapshot nobody else's changes are seen anyway."""
    return not connection.get_execution_options().get("postgresql_readonly", False)


def next_number(table: Table) -> ColumnElement[int]:
    """Return an expression for the place of a new row in the order in which an organization's rows were made.

    Two transactions may get the same number when neither knows of the other; then neither was before the other.
    """
    highest = select(func.coalesce(func.max(table.c.made_number), 0)).where(
        table.c.organization_id == bindparam("organization_id")
    )
    return highest.scalar_subquery() + 1


def of_tenant(table: Table) -> ColumnElement[bool]:
    """Return the condition that every query has: the rows of one organization."""
    return table.c.organization_id == bindparam("organization_id")


def portions(ids: Sequence[str]) -> Iterator[list[str]]:
    """Split ids, each taken once, into as many as one statement takes."""
    distinct = list(dict.fromkeys(ids))
    for start in range(0, len(distinct), IDS_PER_QUERY_MAX):
        yield distinct[start : start + IDS_PER_QUERY_MAX]
