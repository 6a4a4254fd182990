"""The records of the audit log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from lotus_server.domain.accounts import AuditEntry
from lotus_server.ports.paging import Page


class AuditQuestion(msgspec.Struct, frozen=True):
    """Which entries to list; null leaves a condition out. The time is `[since, until)`."""

    author_id: str | None = None
    kind: str | None = None
    thing_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditLog(Protocol):
    """Who changed what. It is only added to."""

    def add(self, entries: Sequence[AuditEntry]) -> None:
        """Keep entries with ids that are new."""
        ...

    def many(self, organization_id: str, entry_ids: Sequence[str]) -> list[AuditEntry]:
        """Return those of the entries with ids that there are, in the order of the ids."""
        ...

    def page(self, organization_id: str, page: Page, question: AuditQuestion) -> list[AuditEntry]:
        """Return entries, the newest first; `page.after` is an entry's id."""
        ...
