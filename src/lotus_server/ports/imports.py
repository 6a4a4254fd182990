"""The imports, their files in parts, and the rows that were refused: a part of the records port."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

import msgspec

from lotus_server.domain.imports import Import, RefusedRow
from lotus_server.ports.paging import Page

# A file is kept in parts of at most so many bytes: whoever reads on at a place unpacks one of them.
PART_BYTES_MAX: Final = 1 << 20


class FilePart(msgspec.Struct, frozen=True):
    """Some bytes of a file; `start` is how many lie before them."""

    start: int
    content: bytes


class Imports(Protocol):
    """The imports."""

    def add(self, import_: Import) -> None:
        """Keep a new import. Raises Conflict `import_exists`."""
        ...

    def get(self, organization_id: str, import_id: str, *, for_update: bool = False) -> Import | None:
        """Return one import; `for_update` keeps everybody else from changing it until the transaction ends."""
        ...

    def page(self, organization_id: str, page: Page) -> list[Import]:
        """Return the imports, newest first; `page.after` is an import id."""
        ...

    def count_with_files(self, organization_id: str) -> int:
        """Return how many imports have not ended, each of which may have a file."""
        ...

    def replace(self, import_: Import) -> None:
        """Keep what somebody decided about an existing import."""
        ...

    def keep_progress(self, import_: Import) -> None:
        """Keep how far an existing import is: nobody's decision."""
        ...

    def due(self, at: datetime) -> Import | None:
        """Return the import of any organization that is due the longest; null when none is due by `at`."""
        ...

    def idle(self, since: datetime) -> list[Import]:
        """Return imports of every organization that have not ended, are not under way, and were made before `since`."""
        ...

    def keep_parts(self, import_: Import, parts: Sequence[FilePart]) -> None:
        """Keep parts of its file, each of at most `PART_BYTES_MAX` bytes."""
        ...

    def part_at(self, organization_id: str, import_id: str, place: int) -> FilePart | None:
        """Return the part that has the byte at a place; null behind the end."""
        ...

    def drop_file(self, organization_id: str, import_id: str) -> None:
        """Forget the file."""
        ...

    def refuse(self, import_: Import, rows: Sequence[RefusedRow]) -> None:
        """Keep rows that were refused; one that is kept already stays as it is."""
        ...

    def refused(self, organization_id: str, import_id: str, *, after: int, limit: int) -> list[RefusedRow]:
        """Return up to `limit` refused rows beyond the row numbered `after`, in the order of the file."""
        ...

    def forget_refused(self, organization_id: str, import_id: str) -> None:
        """Forget the refused rows: of a check, or of a run before."""
        ...
