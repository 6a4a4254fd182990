"""An import: a file that is taken in, how far it is, and what became of its rows."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from lotus_server.domain.accounts import Author
from lotus_server.domain.imports.columns import Column, ImportKind
from lotus_server.kernel.quantity import ZERO

FILE_BYTES_MAX: Final = 4_000_000_000
# One row of a file, all its lines together.
ROW_BYTES_MAX: Final = 1_000_000
# Of so many refused rows the values and reasons are kept; those beyond are only counted.
REFUSED_ROWS_KEPT: Final = 10_000
REFUSED_TEXT_MAX: Final = 4_000
FILE_NAME_LENGTH_MAX: Final = 200

_MICROSECONDS: Final = Decimal(1_000_000)


class ImportState(StrEnum):
    """Where an import stands.

    Its file is still coming, or is there and can be looked at; it waits for a worker, or one is at it; it ended with
    the file, by somebody's decision, or by something that no row is to blame for.
    """

    RECEIVING = "receiving"
    READY = "ready"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


UNDER_WAY: Final = frozenset({ImportState.WAITING, ImportState.RUNNING})
ENDED: Final = frozenset({ImportState.DONE, ImportState.STOPPED})


class FileFormat(StrEnum):
    """How a file is written: a table, a JSON object in each line, or one JSON list as the API takes it."""

    CSV = "csv"
    JSON_LINES = "json_lines"
    JSON = "json"


class Existing(StrEnum):
    """What becomes of customers that exist already: they stay as they are, or get what the file says of them."""

    LEAVE = "leave"
    CHANGE = "change"


class Place(msgspec.Struct, frozen=True):
    """A place in a file, at the end of a row: how many bytes, lines and rows lie before it."""

    bytes_read: int = 0
    lines_read: int = 0
    rows_read: int = 0


class Layout(msgspec.Struct, frozen=True):
    """How a file is read. `start` is where its rows begin; the rest says something of a table only.

    With `decimal_comma` 12,5 is a number; without, it is a text.
    """

    format: FileFormat
    start: Place = Place()
    delimiter: str = ","
    decimal_comma: bool = False
    columns: tuple[Column, ...] = ()


class Tally(msgspec.Struct, frozen=True):
    """What became of rows. Unchanged are those that were there already."""

    made: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0

    def plus(self, other: "Tally") -> "Tally":
        """Return both together."""
        return Tally(
            self.made + other.made,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.refused + other.refused,
        )

    @property
    def total(self) -> int:
        """Return the number of rows."""
        return self.made + self.changed + self.unchanged + self.refused


class RefusedRow(msgspec.Struct, frozen=True):
    """A row that was refused: which one, the line on which it begins, both counted from 1, its text, and all problems.

    `text` is the row as the file has it, cut off after `REFUSED_TEXT_MAX` characters; `cells` are those of a table.
    """

    row: int
    line: int
    text: str
    problems: tuple[str, ...]
    cells: tuple[str, ...] = ()


class Import(msgspec.Struct, frozen=True):
    """A file of one organization that is taken in.

    `author` asked for it. A check (`is_check`) reads all of the file and does nothing; `checked_at` tells that what
    `tally` says is of a check. `due_at` is when a worker may take it on: from then on it does a portion and moves
    `due_at` ahead of itself, so that nobody else takes it meanwhile; null while there is nothing to do.
    `worked_us` is the time that workers spent on this run, in microseconds.
    """

    organization_id: str
    import_id: str
    kind: ImportKind
    state: ImportState
    file_name: str
    author: Author
    created_at: datetime
    existing: Existing = Existing.LEAVE
    is_check: bool = False
    layout: Layout | None = None
    bytes_total: int = 0
    lines_total: int = 0
    place: Place = Place()
    tally: Tally = Tally()
    worked_us: int = 0
    started_at: datetime | None = None
    checked_at: datetime | None = None
    ended_at: datetime | None = None
    due_at: datetime | None = None
    failure: str | None = None

    @property
    def share_read(self) -> Decimal:
        """Return how much of the file is read, from 0 to 1; all of an empty file."""
        if self.bytes_total == 0:
            return Decimal(1)
        return min(Decimal(self.place.bytes_read) / Decimal(self.bytes_total), Decimal(1))

    @property
    def rows_per_second(self) -> Decimal | None:
        """Return how many rows are read in a second of work; null before there is anything to go by."""
        if self.worked_us <= 0 or self.place.rows_read == 0:
            return None
        return Decimal(self.place.rows_read) * _MICROSECONDS / Decimal(self.worked_us)

    @property
    def seconds_left(self) -> Decimal | None:
        """Return how long the rest takes at the pace so far; null before there is one, and while nothing is read."""
        share = self.share_read
        if self.state not in UNDER_WAY or self.worked_us <= 0 or share == ZERO:
            return None
        return Decimal(self.worked_us) / _MICROSECONDS * (1 - share) / share

    @property
    def can_be_stopped(self) -> bool:
        """Tell whether there is anything left to stop."""
        return self.state not in ENDED
