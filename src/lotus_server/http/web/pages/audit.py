"""The audit log: who changed what, from what to what."""

import json
from collections.abc import Iterator
from typing import Final

from starlette.responses import Response

from lotus_server.domain.accounts import AuditEntry, changes_of
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import PAGE_ROWS, Visit
from lotus_server.kernel.errors import LotusError
from lotus_server.kernel.instants import to_text
from lotus_server.ports.audit_records import AuditQuestion
from lotus_server.ports.records import Page
from lotus_server.usecases.audit import list_audit
from lotus_server.usecases.auditing import KINDS
from lotus_server.usecases.team import list_members
from lotus_server.wire.audit import audit_question

pages = Pages()
ROWS_OF_A_FILE_MAX: Final = 10_000
# Where a thing has a page of its own.
PLACES: Final = {
    "customer": "customers/",
    "invoice": "invoices/",
    "metric": "metrics/",
    "plan": "plans/",
    "subscription": "subscriptions/",
}


@pages.get("/settings/audit/")
def log_page(visit: Visit) -> Response:
    """List changes, the newest first."""
    visit.require(list_audit)
    problem = None
    try:
        entries = visit.do(list_audit, visit.page_asked(), _question(visit))
    except LotusError as error:
        entries, problem = [], error.detail
    return visit.page(
        "settings/audit.html",
        fragment="rows",
        entries=entries,
        changes_of=changes_of,
        shown=_shown,
        places=PLACES,
        kinds=sorted(KINDS),
        members=visit.do(list_members),
        problem=problem,
        next_cursor=entries[-1].entry_id if len(entries) == PAGE_ROWS else None,
    )


@pages.get("/settings/audit.csv")
def log_file(visit: Visit) -> Response:
    """Answer with the changes that the filters leave, a row per field, at most 10,000 changes."""
    entries = visit.do(list_audit, Page(ROWS_OF_A_FILE_MAX), _question(visit))
    header = ("time", "author", "action", "object_type", "object_id", "field", "before", "after")
    return visit.csv("audit.csv", header, _file_rows(entries))


def _question(visit: Visit) -> AuditQuestion:
    query = visit.query
    return audit_question(
        author_id=query.get("author_id"),
        object_type=query.get("object_type"),
        object_id=query.get("object_id"),
        since=query.get("since"),
        until=query.get("until"),
    )


def _file_rows(entries: list[AuditEntry]) -> Iterator[tuple[str, ...]]:
    for entry in entries:
        of_entry = (to_text(entry.happened_at), entry.author.name, entry.action, entry.kind, entry.thing_id)
        for change in changes_of(entry):
            yield (*of_entry, change.path, _shown(change.before), _shown(change.after))


def _shown(value: object) -> str:
    """Return a value as people read it; objects and lists as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, indent=1, default=str)
    return str(value)
