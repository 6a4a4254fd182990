"""Imports in tests: files of bytes, taken in by the use cases."""

import asyncio

import msgspec

from lotus_server.domain.accounts import Author, AuthorKind
from lotus_server.domain.imports import Existing, Import, ImportKind, RefusedRow
from lotus_server.ports.event_store import Receipt, Submission
from lotus_server.usecases.import_runs import run_imports
from lotus_server.usecases.imports import (
    ImportDraft,
    add_to_file,
    complete_file,
    create_import,
    get_import,
    list_refused_rows,
    start_import,
)
from lotus_server.wire.import_files import make_reading
from lotus_server.wire.track import make_decoder
from tests.business import Business

ADA = Author(AuthorKind.PERSON, "user_ada", "ada@example.com")
READING = make_reading(make_decoder(lambda: "made_up"))


class FileOfBytes:
    """Files of an organization, sent and taken in."""

    def __init__(self, business: Business) -> None:
        """Work in an organization."""
        self.business = business
        self.services = business.services

    def append(self, submission: Submission) -> Receipt:
        """Store events, as a worker does."""
        return asyncio.run(self.services.events.append(submission))

    def ready(
        self, kind: ImportKind, content: bytes, existing: Existing = Existing.LEAVE, *, part_bytes: int = 1 << 20
    ) -> Import:
        """An import whose file has come."""
        organization = self.business.organization
        made = create_import(self.services, organization, ImportDraft(kind, "a file", ADA, existing))
        for start in range(0, len(content), part_bytes):
            add_to_file(self.services, organization, made.import_id, start, content[start : start + part_bytes])
        return complete_file(self.services, organization, made.import_id, READING)

    def work(self, *, rows_at_once: int | None = None) -> None:
        """Do everything that is due."""
        while run_imports(self.services, READING, self.append, rows_at_once=rows_at_once):
            pass

    def taken_in(
        self,
        kind: ImportKind,
        content: bytes,
        existing: Existing = Existing.LEAVE,
        *,
        part_bytes: int = 1 << 20,
        rows_at_once: int | None = None,
    ) -> Import:
        """An import that was started, and has ended."""
        ready = self.ready(kind, content, existing, part_bytes=part_bytes)
        start_import(self.services, self.business.organization, ready.import_id, ADA)
        self.work(rows_at_once=rows_at_once)
        return self.now(ready)

    def now(self, import_: Import) -> Import:
        """An import as it is kept now."""
        return get_import(self.services, self.business.organization, import_.import_id)

    def refused(self, import_: Import) -> list[RefusedRow]:
        """The rows of an import that were refused."""
        organization = self.business.organization
        return list(list_refused_rows(self.services, organization, import_.import_id, after=0, limit=100_000))


def lines_of(*objects: object) -> bytes:
    """JSON Lines."""
    return b"".join(msgspec.json.encode(each) + b"\n" for each in objects)
