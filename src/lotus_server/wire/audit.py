"""The audit log on the wire."""

from typing import Any

from lotus_server.domain.accounts import AuditEntry, changes_of
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import to_text
from lotus_server.ports.audit_records import AuditQuestion
from lotus_server.wire.fields import instant

Row = dict[str, Any]


def audit_row(entry: AuditEntry) -> Row:
    """Return an entry with the fields that changed."""
    return {
        "audit_id": entry.entry_id,
        "time": to_text(entry.happened_at),
        "author": {"type": entry.author.kind.value, "id": entry.author.author_id, "name": entry.author.name},
        "action": entry.action,
        "object_type": entry.kind,
        "object_id": entry.thing_id,
        "is_new": entry.before is None,
        "is_gone": entry.after is None,
        "changes": [
            {"field": change.path, "before": change.before, "after": change.after} for change in changes_of(entry)
        ],
    }


def audit_question(
    *, author_id: str | None, object_type: str | None, object_id: str | None, since: str | None, until: str | None
) -> AuditQuestion:
    """Return the question that a query asks. Raises Invalid for times that are none."""
    problems = Problems()
    question = AuditQuestion(
        author_id or None,
        object_type or None,
        object_id or None,
        instant(problems, "since", since or None),
        instant(problems, "until", until or None),
    )
    problems.raise_if_any()
    return question
