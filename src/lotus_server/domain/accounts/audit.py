"""The audit log: who changed what, from what to what."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

Content = dict[str, Any]
"""A thing as JSON, without its secrets: decimals and instants are texts."""


class AuthorKind(StrEnum):
    """A person in the web app, a program with an API key, or a command on the server's machine."""

    PERSON = "person"
    API_KEY = "api_key"
    COMMAND = "command"


class Author(msgspec.Struct, frozen=True):
    """Who changed something: a person by user id and e-mail address, a key by id and name, a command by its name."""

    kind: AuthorKind
    author_id: str
    name: str


class AuditEntry(msgspec.Struct, frozen=True):
    """One thing that one action changed. `before` null: it is new; `after` null: it is gone.

    `happened_at` is real time, also in a sandbox. `action` is the verb that a person called, or the API's call.
    """

    organization_id: str
    entry_id: str
    happened_at: datetime
    author: Author
    action: str
    kind: str
    thing_id: str
    before: Content | None
    after: Content | None


class FieldChange(msgspec.Struct, frozen=True):
    """What became of one field. `path` is such as `invoice_settings.tax_percent`; null is also a field not there."""

    path: str
    before: Any
    after: Any


def changes_of(entry: AuditEntry) -> tuple[FieldChange, ...]:
    """Return the fields that differ, by path. Objects are compared field by field, lists as a whole."""
    found = _differences(entry.before or {}, entry.after or {}, "")
    return tuple(sorted(found, key=lambda change: change.path))


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], prefix: str) -> Iterator[FieldChange]:
    for name in before.keys() | after.keys():
        old, new = before.get(name), after.get(name)
        path = f"{prefix}{name}"
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _differences(old, new, f"{path}.")
        elif old != new:
            yield FieldChange(path, old, new)
