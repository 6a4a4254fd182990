"""The event store on SQLite. See README.md for how it works, docs/decisions/0003-event-log.md for why."""

from lotus_server.adapters.events_sqlite.store import SqliteEventStore

__all__ = ["SqliteEventStore"]
