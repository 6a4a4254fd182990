"""Undoing: what a person changed just now is as it was before, if nothing has come of it yet.

The audit log knows how each thing was before a change, so an undo puts the changed fields back. `_KINDS` says of which
fields that is the whole truth. What is missing there has no exact inverse: what was made stays made, time that was
paused was paused, and what was invoiced is invoiced.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, get_type_hints

import msgspec

from lotus_server.domain.accounts import Actor, AuditEntry, AuthorKind, Organization
from lotus_server.domain.subscriptions import Pause, Status
from lotus_server.kernel.errors import Conflict, Forbidden, LotusError, NotFound
from lotus_server.ports.records import Transaction
from lotus_server.usecases.auditing import told_of
from lotus_server.usecases.services import Services, changing, present
from lotus_server.usecases.team import check_role_change

UNDO_AGE_MAX: Final = timedelta(minutes=10)
THINGS_MAX: Final = 20
CODE: Final = "cannot_be_undone"
Thing = Any  # what a repository keeps: any struct


class _Case(msgspec.Struct, frozen=True):
    """A thing as it is and as it would be again, in the organization's present and in real time."""

    tx: Transaction
    organization: Organization
    actor: Actor
    current: Thing
    restored: Thing
    now: datetime


def _never(_: _Case) -> None:
    """Nothing comes of a change of these fields that would have to be taken back, too."""


class _Kind(msgspec.Struct, frozen=True):
    """A kind of thing: which of its fields can be put back, how it is found (and kept from others) and kept.

    `check` raises LotusError, in words for people, where more has come of the change than the fields tell.
    """

    fields: frozenset[str]
    find: Callable[[Transaction, AuditEntry, bool], Thing | None]
    keep: Callable[[Transaction, Thing], None]
    check: Callable[[_Case], None] = _never


def can_be_undone(services: Services, organization: Organization, actor: Actor, entries: Sequence[AuditEntry]) -> bool:
    """Tell whether an undo of everything that an action changed would be done this moment."""
    if not 0 < len(entries) <= THINGS_MAX:
        return False
    try:
        with services.records.snapshot() as tx:
            _restored(services, tx, organization, actor, entries, locks=False)
    except LotusError:
        return False
    return True


def entries_to_undo(
    services: Services, organization: Organization, actor: Actor, entry_ids: Sequence[str]
) -> list[AuditEntry]:
    """Return what an action of the actor changed, by the ids in the audit log.

    Raises NotFound when there is no such entry, Forbidden for the action of somebody else.
    """
    wanted = list(dict.fromkeys(entry_ids))[: THINGS_MAX + 1]
    with services.records.snapshot() as tx:
        entries = tx.audit.many(organization.organization_id, wanted)
    if not entries or len(entries) != len(wanted):
        raise NotFound("There is nothing here to undo.", code="nothing_to_undo")
    if any(each.author.kind is not AuthorKind.PERSON or each.author.author_id != actor.user_id for each in entries):
        raise Forbidden("Only who did something can undo it.")
    return entries


def undo(services: Services, organization: Organization, actor: Actor, entries: Sequence[AuditEntry]) -> None:
    """Every thing that the entries tell of is as it was before, all of them or none.

    Raises Conflict `cannot_be_undone` when that is more than ten minutes ago, when a thing was changed in the same
    place since, when it cannot be put back as it was, or when more has come of it.
    """
    with changing(services, organization) as tx:
        for kind, restored in _restored(services, tx, organization, actor, entries, locks=True):
            kind.keep(tx, restored)


def _restored(
    services: Services,
    tx: Transaction,
    organization: Organization,
    actor: Actor,
    entries: Sequence[AuditEntry],
    *,
    locks: bool,
) -> list[tuple[_Kind, Thing]]:
    """Return the things as they were before. Raises as `undo` does."""
    oldest = services.clock.now() - UNDO_AGE_MAX
    if any(each.happened_at < oldest for each in entries):
        raise Conflict("This is too long ago to be undone: change it back where it was changed.", code=CODE)
    now = present(services, organization)
    found = []
    for entry in entries:
        kind = _KINDS.get(entry.kind)
        if kind is None:
            raise _refusal(entry, "cannot be undone")
        current = kind.find(tx, entry, locks)
        restored = _with_fields_of(kind, entry, current)
        kind.check(_Case(tx, organization, actor, current, restored, now))
        found.append((kind, restored))
    return found


def _with_fields_of(kind: _Kind, entry: AuditEntry, current: Thing | None) -> Thing:
    """Return a thing with the fields that an entry changed as they were before it."""
    before, after = entry.before, entry.after
    if before is None or after is None or current is None:
        raise _refusal(entry, "cannot be undone")
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    if not changed <= kind.fields:
        raise _refusal(entry, "cannot be undone")
    told = told_of(entry.kind, current)
    if any(told.get(name) != after.get(name) for name in changed):
        raise _refusal(entry, "has been changed once more since then, so this is not undone")
    types = get_type_hints(type(current))
    restored = msgspec.structs.replace(
        current, **{name: msgspec.convert(before[name], types[name]) for name in changed}
    )
    # What the log cannot tell exactly is better left alone.
    if {**told, **{name: before[name] for name in changed}} != told_of(entry.kind, restored):
        raise _refusal(entry, "cannot be undone")
    return restored


def _refusal(entry: AuditEntry, why: str) -> Conflict:
    return Conflict(f"The {entry.kind.replace('_', ' ')} {entry.thing_id!r} {why}.", code=CODE)


def _check_subscription(case: _Case) -> None:
    """Only what was planned is taken back: nothing of it has begun, and nothing was billed since."""
    current, restored, now = case.current, case.restored, case.now
    if Status.ENDED in {current.status_at(now), restored.status_at(now)}:
        raise Conflict("The subscription has ended: what has ended does not begin again.", code=CODE)
    if current.open_period.start != restored.open_period.start:
        raise Conflict("The subscription was billed since then, so this is not undone.", code=CODE)
    if current.open_period != restored.open_period and current.starts_at <= now:
        detail = "Its period ends elsewhere since then, and that was settled: change the end again, or resume."
        raise Conflict(detail, code=CODE)
    if _begun(current.pauses, now) != _begun(restored.pauses, now):
        raise Conflict("The pause has begun, so this is not undone: end it by resuming.", code=CODE)


def _begun(pauses: tuple[Pause, ...], now: datetime) -> list[Pause]:
    """Return what of the pauses has come true by now."""
    return [
        each
        if each.ends_at is not None and each.ends_at <= now
        else msgspec.structs.replace(each, ends_at=None, end_is_planned=False, end_is_invoiced=False, end_place=0)
        for each in pauses
        if each.starts_at <= now
    ]


def _check_discount(case: _Case) -> None:
    """An invoice that was issued without the discount stays without it."""
    ended = case.current
    issued = case.tx.invoices.of_customers(ended.organization_id, [ended.customer_id]).get(ended.customer_id, ())
    if any(ended.ends_at is not None and each.issued_at >= ended.ends_at for each in issued):
        raise Conflict("An invoice was issued without the discount since then, so this is not undone.", code=CODE)


def _check_role(case: _Case) -> None:
    if case.current.user_id == case.actor.user_id:
        raise Conflict("Your own role is not undone: ask somebody who may decide about it.", code=CODE)
    check_role_change(case.tx, case.organization, case.actor, case.current, case.restored.role)


def _by_id(repository: str) -> Callable[[Transaction, AuditEntry, bool], Thing | None]:
    """Return how a thing is found whose repository keeps nobody waiting."""
    return lambda tx, entry, _: getattr(tx, repository).get(entry.organization_id, entry.thing_id)


def _locked_by_id(repository: str) -> Callable[[Transaction, AuditEntry, bool], Thing | None]:
    """Return how a thing is found that others may be changing."""
    return lambda tx, entry, locks: getattr(tx, repository).get(entry.organization_id, entry.thing_id, for_update=locks)


def _discount(tx: Transaction, entry: AuditEntry, locks: bool) -> Thing | None:  # noqa: FBT001 - as `find` has it
    held = tx.discounts.of_customer(entry.organization_id, _customer_of(entry), for_update=locks)
    return next((each for each in held if each.discount_id == entry.thing_id), None)


def _wallet(tx: Transaction, entry: AuditEntry, _: bool) -> Thing | None:  # noqa: FBT001 - as `find` has it
    wallets = tx.wallets.of_customer(entry.organization_id, _customer_of(entry))
    return next((each for each in wallets if entry.thing_id.endswith(f" {each.currency}")), None)


def _member(tx: Transaction, entry: AuditEntry, locks: bool) -> Thing | None:  # noqa: FBT001 - as `find` has it
    members = tx.people.memberships.of_organization(entry.organization_id, for_update=locks)
    return next((each for each in members if each.user_id == entry.thing_id), None)


def _customer_of(entry: AuditEntry) -> str:
    return str((entry.after or {}).get("customer_id"))


# A customer's properties and a subscription's metadata are free JSON, in which the log cannot tell 1.5 from "1.5".
_KINDS: Final[Mapping[str, _Kind]] = {
    "organization": _Kind(
        frozenset({"name", "rejects_unknown_customers", "invoice_settings"}),
        lambda tx, entry, _: tx.organizations.get(entry.thing_id),
        lambda tx, thing: tx.organizations.replace(thing),
    ),
    "portal": _Kind(
        frozenset({"color", "embed_origins"}),
        lambda tx, entry, _: tx.portals.get(entry.organization_id),
        lambda tx, thing: tx.portals.put(thing),
    ),
    "api_key": _Kind(frozenset({"name"}), _by_id("api_keys"), lambda tx, thing: tx.api_keys.replace(thing)),
    "member": _Kind(frozenset({"role"}), _member, lambda tx, thing: tx.people.memberships.replace(thing), _check_role),
    "customer": _Kind(
        frozenset(
            {
                "customer_name",
                "email",
                "currency",
                "payment_provider",
                "payment_provider_id",
                "address",
                "billing_address",
                "shipping_address",
                "tax_rate",
                "tax_status",
                "tax_id",
                "timezone",
                "invoice_grouping",
            }
        ),
        _locked_by_id("customers"),
        lambda tx, thing: tx.customers.replace(thing),
    ),
    "metric": _Kind(
        frozenset({"metric_name", "is_cost_metric", "archived"}),
        _by_id("metrics"),
        lambda tx, thing: tx.metrics.replace(thing),
    ),
    "feature": _Kind(frozenset({"archived"}), _by_id("features"), lambda tx, thing: tx.features.replace(thing)),
    "plan": _Kind(
        frozenset({"plan_name", "description", "tags", "external_links", "archived"}),
        _by_id("plans"),
        lambda tx, thing: tx.plans.replace(thing),
    ),
    "plan_version": _Kind(
        frozenset(
            {"active_from", "active_to", "localized_name", "replace_with", "transition_to", "target_customer_ids"}
        ),
        lambda tx, entry, _: tx.plans.version(entry.organization_id, entry.thing_id),
        lambda tx, thing: tx.plans.replace_version(thing),
    ),
    "coupon": _Kind(frozenset({"archived"}), _locked_by_id("coupons"), lambda tx, thing: tx.coupons.replace(thing)),
    "discount": _Kind(
        frozenset({"ends_at"}), _discount, lambda tx, thing: tx.discounts.replace(thing), _check_discount
    ),
    "credit": _Kind(
        frozenset({"description"}),
        lambda tx, entry, locks: tx.credits.grant(entry.organization_id, entry.thing_id, for_update=locks),
        lambda tx, thing: tx.credits.replace_grant(thing),
    ),
    "credit_schedule": _Kind(
        frozenset({"canceled_at", "due_at"}),
        _locked_by_id("credit_schedules"),
        lambda tx, thing: tx.credit_schedules.replace(thing),
    ),
    "top_up": _Kind(
        frozenset({"status", "resolved_at"}),
        lambda tx, entry, locks: tx.wallets.top_up(entry.organization_id, entry.thing_id, for_update=locks),
        lambda tx, thing: tx.wallets.replace_top_up(thing),
    ),
    "wallet": _Kind(frozenset({"is_armed", "due_at"}), _wallet, lambda tx, thing: tx.wallets.put(thing)),
    "subscription": _Kind(
        frozenset({"auto_renew", "ends_at", "canceled_at", "pauses", "open_period", "due_at"}),
        _locked_by_id("subscriptions"),
        lambda tx, thing: tx.subscriptions.replace(thing),
        _check_subscription,
    ),
}
