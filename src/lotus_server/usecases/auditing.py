"""Who changed what is noted beside every change, in the transaction that makes it.

No use case knows of it: it is done by what stands between a use case and the records. What time alone does, such as a
billing run, and incoming events are nobody's change and leave no note.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, cast

import msgspec

from lotus_server.domain.accounts import AuditEntry, Author, Content
from lotus_server.kernel.quantity import plain
from lotus_server.ports.event_store import CorrectionOrder, CorrectionResult, CorrectionStatus, EventStore
from lotus_server.ports.records import Change, Transaction
from lotus_server.usecases.services import Services

Thing = Any  # what a repository keeps: any struct with an organization_id

# Lines stay on the invoice as they were issued. Of secrets not even the hash is told.
_NOT_TOLD: Final[Mapping[str, frozenset[str]]] = {
    "api_key": frozenset({"secret_hash", "last_used_at"}),
    "invoice": frozenset({"lines"}),
    "invitation": frozenset({"token_hash"}),
    "logo": frozenset({"content"}),
    "portal": frozenset({"secret"}),
}
# Moving a clock lets time do what it does; of that only the move is somebody's.
_ONLY: Final[Mapping[str, frozenset[str]]] = {
    action: frozenset({"organization"}) for action in ("move_clock", "POST /api/clock/")
}


class _Write(msgspec.Struct, frozen=True):
    """A method of a repository that changes a thing: what it is, its id, and how it was before (null: it is new).

    `load` is asked with the repository and the method's arguments. `is_removal` tells that nothing is left of it.
    """

    kind: str
    id_of: Callable[[Thing], str]
    load: Callable[..., Thing | None] | None = None
    is_removal: bool = False


def _by(field: str) -> Callable[[Thing], str]:
    return lambda thing: str(getattr(thing, field))


def _loads(field: str) -> Callable[[Any, Thing], Thing | None]:
    return lambda repository, thing: repository.get(thing.organization_id, getattr(thing, field))


def _kept(kind: str, field: str) -> dict[str, _Write]:
    """Return the writes of a repository with `add`, `get` and `replace`."""
    return {"add": _Write(kind, _by(field)), "replace": _Write(kind, _by(field), _loads(field))}


def _first(things: Sequence[Thing], field: str, wanted: str) -> Thing | None:
    return next((each for each in things if getattr(each, field) == wanted), None)


def _wallet_id(wallet: Thing) -> str:
    return f"{wallet.customer_id} {wallet.currency}"


# Repository -> method -> what it changes. A test asks of every method that writes whether it is here or is no
# person's to change.
WATCHED: Final[Mapping[str, Mapping[str, _Write]]] = {
    "organizations": _kept("organization", "organization_id")
    | {"replace": _Write("organization", _by("organization_id"), lambda to, thing: to.get(thing.organization_id))},
    "logos": {
        "put": _Write("logo", _by("organization_id"), lambda to, logo: to.get(logo.organization_id)),
        "remove": _Write("logo", _by("organization_id"), lambda to, owner: to.get(owner), is_removal=True),
    },
    "portals": {"put": _Write("portal", _by("organization_id"), lambda to, portal: to.get(portal.organization_id))},
    "imports": _kept("import", "import_id"),
    "api_keys": _kept("api_key", "key_id"),
    "customers": _kept("customer", "customer_id"),
    "metrics": _kept("metric", "metric_id"),
    "features": _kept("feature", "feature_id"),
    "plans": _kept("plan", "plan_id")
    | {
        "add_version": _Write("plan_version", _by("version_id")),
        "replace_version": _Write(
            "plan_version",
            _by("version_id"),
            lambda to, version: to.version(version.organization_id, version.version_id),
        ),
    },
    "pricing_units": {"add": _Write("pricing_unit", _by("code"))},
    "subscriptions": _kept("subscription", "subscription_id"),
    "invoices": {
        "add": _Write("invoice", _by("invoice_id")),
        "replace_status": _Write("invoice", _by("invoice_id"), _loads("invoice_id")),
    },
    "coupons": _kept("coupon", "coupon_id"),
    "discounts": {
        "add": _Write("discount", _by("discount_id")),
        "replace": _Write(
            "discount",
            _by("discount_id"),
            lambda to, one: _first(
                to.of_customer(one.organization_id, one.customer_id), "discount_id", one.discount_id
            ),
        ),
    },
    "credit_notes": {"add": _Write("credit_note", _by("credit_note_id"))},
    "credits": {
        "add_grant": _Write("credit", _by("credit_id")),
        "replace_grant": _Write(
            "credit", _by("credit_id"), lambda to, grant: to.grant(grant.organization_id, grant.credit_id)
        ),
    },
    "credit_schedules": _kept("credit_schedule", "schedule_id"),
    "wallets": {
        "put": _Write(
            "wallet",
            _wallet_id,
            lambda to, one: _first(to.of_customer(one.organization_id, one.customer_id), "currency", one.currency),
        ),
        "remove": _Write(
            "wallet",
            _wallet_id,
            lambda to, owner, customer, currency: _first(to.of_customer(owner, customer), "currency", currency),
            is_removal=True,
        ),
        "add_top_up": _Write("top_up", _by("top_up_id")),
        "replace_top_up": _Write(
            "top_up", _by("top_up_id"), lambda to, one: to.top_up(one.organization_id, one.top_up_id)
        ),
    },
    "people.memberships": {
        "add": _Write("member", _by("user_id")),
        "replace": _Write("member", _by("user_id"), _loads("user_id")),
        "remove": _Write("member", _by("user_id"), lambda to, *ids: to.get(*ids), is_removal=True),
    },
    "people.links": {
        "add": _Write("invitation", _by("link_id")),
        "replace": _Write("invitation", _by("link_id"), lambda to, link: to.by_hash(link.token_hash)),
    },
}

KINDS: Final = frozenset({"event", "person"} | {write.kind for writes in WATCHED.values() for write in writes.values()})
"""The kinds of things of which changes are noted."""


def audited(services: Services, author: Author, action: str, heard: list[AuditEntry] | None = None) -> Services:
    """Return services whose transactions note what an author changes by an action, and whose corrections do so, too.

    What is noted is also added to `heard`, once it is kept.
    """
    records = _AuditedRecords(services, author, action, heard)
    events = _AuditedEvents(services.events, records)
    return msgspec.structs.replace(services, records=records, events=cast("EventStore", events))


class _Notes:
    """What a transaction has changed so far: of each thing how it was first and is last."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], tuple[Content | None, Content | None]] = {}

    def add(
        self, kind: str, organization_id: str, thing_id: str, before: Content | None, after: Content | None
    ) -> None:
        key = (kind, organization_id, thing_id)
        first, _ = self._found.get(key, (before, None))
        self._found[key] = (first, after)

    def changed(self) -> Iterator[tuple[str, str, str, Content | None, Content | None]]:
        for (kind, organization_id, thing_id), (before, after) in self._found.items():
            if before != after:
                yield kind, organization_id, thing_id, before, after


class _AuditedRecords:
    """Records that note who changes what."""

    def __init__(self, services: Services, author: Author, action: str, heard: list[AuditEntry] | None) -> None:
        self._services = services
        self._author = author
        self._action = action
        self._heard = [] if heard is None else heard
        self._only = _ONLY.get(action)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with self._services.records.transaction() as tx:
            notes = _Notes()
            yield cast("Transaction", _Watched(tx, "", notes))
            entries = [self.entry(*change) for change in notes.changed() if self._is_noted(change[0])]
            tx.audit.add(entries)
        self._heard += entries

    def entry(
        self, kind: str, organization_id: str, thing_id: str, before: Content | None, after: Content | None
    ) -> AuditEntry:
        return AuditEntry(
            organization_id,
            self._services.ids.new("audit"),
            self._services.clock.now(),
            self._author,
            self._action,
            kind,
            thing_id,
            before,
            after,
        )

    def note(self, entries: Sequence[AuditEntry]) -> None:
        with self._services.records.transaction() as tx:
            tx.audit.add(entries)
        self._heard += entries

    def snapshot(self) -> AbstractContextManager[Transaction]:
        return self._services.records.snapshot()

    def changes(self) -> list[Change] | None:
        return self._services.records.changes()

    def close(self) -> None:
        self._services.records.close()

    def _is_noted(self, kind: str) -> bool:
        return self._only is None or kind in self._only


class _Watched:
    """A transaction, or a part of it, whose repositories note what they change.

    What it has beside them, such as reading ahead for a billing run, is passed on as it is.
    """

    def __init__(self, inner: object, path: str, notes: _Notes) -> None:
        self._inner = inner
        self._path = path
        self._notes = notes

    def __getattr__(self, name: str) -> object:
        found = getattr(self._inner, name)
        path = f"{self._path}{name}"
        if path in WATCHED:
            return _Repository(found, WATCHED[path], self._notes)
        is_group = any(watched.startswith(f"{path}.") for watched in WATCHED)
        return _Watched(found, f"{path}.", self._notes) if is_group else found


class _Repository:
    """A repository that notes what it changes."""

    def __init__(self, inner: object, writes: Mapping[str, _Write], notes: _Notes) -> None:
        self._inner = inner
        self._writes = writes
        self._notes = notes

    def __getattr__(self, name: str) -> object:
        found = getattr(self._inner, name)
        write = self._writes.get(name)
        return found if write is None else self._noting(found, write)

    def _noting(self, method: Callable[..., None], write: _Write) -> Callable[..., None]:
        def call(*args: Thing) -> None:
            before = None if write.load is None else write.load(self._inner, *args)
            method(*args)
            thing = before if write.is_removal else args[0]
            # A link that is no invitation is of no organization.
            if thing is None or thing.organization_id is None:
                return
            self._notes.add(
                write.kind,
                thing.organization_id,
                write.id_of(thing),
                None if before is None else told_of(write.kind, before),
                None if write.is_removal else told_of(write.kind, thing),
            )

        return call


class _AuditedEvents:
    """An event store of which corrections are noted, once they are made: the events are in another store."""

    def __init__(self, inner: EventStore, records: _AuditedRecords) -> None:
        self._inner = inner
        self._records = records

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def correct(
        self, organization_id: str, orders: Sequence[CorrectionOrder], *, now: datetime
    ) -> list[CorrectionResult]:
        results = self._inner.correct(organization_id, orders, now=now)
        entries = [
            self._records.entry("event", organization_id, order.idempotency_id, None, _correction(order))
            for order, result in zip(orders, results, strict=True)
            if result.status is CorrectionStatus.DONE
        ]
        if entries:
            self._records.note(entries)
        return results


def told_of(kind: str, thing: Thing) -> Content:
    """Return what the log says of a thing of a kind."""
    hidden = _NOT_TOLD.get(kind, frozenset())
    told = {name: getattr(thing, name) for name in thing.__struct_fields__ if name not in hidden}
    if kind == "portal":
        # What links are signed with is not told, but that it is another one since then, and none of them opens.
        told["links"] = hashlib.sha256(thing.secret.encode()).hexdigest()[:8]
    if kind == "logo":
        told["sha256"] = hashlib.sha256(thing.content).hexdigest()
    content: Content = _plain(msgspec.to_builtins(told, builtin_types=(Decimal,)))
    return content


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return JSON with its decimals as texts, equal ones alike: 1.5 and 1.50 are no change."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _correction(order: CorrectionOrder) -> Content:
    told: Content = {"correction": order.kind.value, "reason": order.reason}
    if order.customer_id is not None:
        told["customer_id"] = order.customer_id
    if order.happened_us is not None:
        told["happened_us"] = order.happened_us
    if order.properties_json is not None:
        told["properties"] = order.properties_json.decode()
    return told
