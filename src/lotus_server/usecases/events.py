"""Looking at events: listing, following, verifying, correcting them, and seeing which were refused."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.metering import Correction, CorrectionKind, Event
from lotus_server.kernel.errors import FieldProblem, NotFound, Problems
from lotus_server.kernel.identifiers import identifier_problem, name_problem
from lotus_server.kernel.instants import to_microseconds
from lotus_server.ports.event_store import (
    CorrectionOrder,
    CorrectionResult,
    EventQuery,
    RefusedEvent,
    RefusedQuery,
)
from lotus_server.usecases.services import Services, present

REASON_LENGTH_MAX: Final = 500
AHEAD_MAX: Final = timedelta(days=1)


class EventView(msgspec.Struct, frozen=True):
    """An event with every correction that was made to it, the first one first."""

    event: Event
    history: tuple[Correction, ...]


class Amendment(msgspec.Struct, frozen=True):
    """What is to be different about an event, and why; null leaves a part as it is.

    `properties_json` is the text of a JSON object that takes the place of all properties. `path` is where the
    amendment stood in the input.
    """

    idempotency_id: str
    reason: str
    customer_id: str | None = None
    happened_at: datetime | None = None
    properties_json: bytes | None = None
    path: str = ""


class Verification(msgspec.Struct, frozen=True):
    """Which events are asked about: by their ids, and perhaps only those of a customer or of the last days."""

    idempotency_ids: tuple[str, ...]
    customer_id: str | None = None
    days_back: int | None = None
    problems: tuple[FieldProblem, ...] = ()


def list_events(services: Services, organization: Organization, query: EventQuery) -> list[Event]:
    """Return the events that a query asks for, with the content that counts now."""
    return services.events.events(organization.organization_id, query)


def get_event(services: Services, organization: Organization, idempotency_id: str) -> EventView:
    """Return one event with its history. Raises NotFound `event_not_found`."""
    organization_id = organization.organization_id
    found = services.events.events(organization_id, EventQuery(idempotency_id=idempotency_id, limit=1))
    if not found:
        raise NotFound(f"There is no event {idempotency_id!r}.", code="event_not_found")
    return EventView(found[0], tuple(services.events.history(organization_id, idempotency_id)))


def list_refused(services: Services, organization: Organization, query: RefusedQuery) -> list[RefusedEvent]:
    """Return events that were not accepted, with the reason, newest first."""
    return services.events.refused(organization.organization_id, query)


def missing_events(services: Services, organization: Organization, asked: Verification) -> list[str]:
    """Return which of the ids no event has, in the order asked for; without limits of time every event is looked for.

    Raises Invalid with every problem, TooLarge for too many ids.
    """
    problems = Problems()
    problems.extend(asked.problems)
    problems.raise_if_any()
    organization_id = organization.organization_id
    ids = list(dict.fromkeys(asked.idempotency_ids))
    found = services.events.find(organization_id, ids)
    since = None if asked.days_back is None else present(services, organization) - timedelta(days=asked.days_back)
    if asked.customer_id is not None or since is not None:
        found = frozenset(each for each in found if _is_asked_for(services, organization_id, each, asked, since))
    return [each for each in ids if each not in found]


def _is_asked_for(
    services: Services, organization_id: str, idempotency_id: str, asked: Verification, since: datetime | None
) -> bool:
    events = services.events.events(organization_id, EventQuery(idempotency_id=idempotency_id, limit=1))
    return any(
        asked.customer_id in {None, event.customer_id} and (since is None or event.happened_at >= since)
        for event in events
    )


def void_events(
    services: Services,
    organization: Organization,
    idempotency_ids: Sequence[str],
    reason: str,
    problems: Problems,
) -> list[CorrectionResult]:
    """Take events out of all usage, as if they had never come; their ids stay taken. Voiding again changes nothing.

    Raises Invalid with every problem, also those that are in `problems` already; TooLarge for too many ids.
    """
    _check_reason(reason, "", problems)
    problems.raise_if_any()
    orders = [CorrectionOrder(each, CorrectionKind.VOID, reason) for each in idempotency_ids]
    return services.events.correct(organization.organization_id, orders, now=present(services, organization))


def amend_events(
    services: Services, organization: Organization, amendments: Sequence[Amendment], problems: Problems
) -> list[CorrectionResult]:
    """Give events other content, as if they had come with it. Amending again in the same way changes nothing.

    Raises Invalid with every problem, also those that are in `problems` already; TooLarge for too many amendments.
    """
    now = present(services, organization)
    for amendment in amendments:
        _check_amendment(amendment, now, problems)
    _check_customers(services, organization, amendments, problems)
    problems.raise_if_any()
    orders = [_order(amendment) for amendment in amendments]
    return services.events.correct(organization.organization_id, orders, now=now)


def _order(amendment: Amendment) -> CorrectionOrder:
    at = amendment.happened_at
    return CorrectionOrder(
        amendment.idempotency_id,
        CorrectionKind.AMEND,
        amendment.reason,
        amendment.customer_id,
        None if at is None else to_microseconds(at),
        amendment.properties_json,
    )


def _check_amendment(amendment: Amendment, now: datetime, problems: Problems) -> None:
    path, at, customer_id = amendment.path, amendment.happened_at, amendment.customer_id
    _check_reason(amendment.reason, path, problems)
    if customer_id is not None and (wrong := identifier_problem(customer_id)):
        problems.add(f"{path}customer_id", "invalid", f"customer_id {wrong}.")
    if at is not None and at > now + AHEAD_MAX:
        problems.add(f"{path}time_created", "invalid_time", "time_created is more than one day ahead.")


def _check_reason(reason: str, path: str, problems: Problems) -> None:
    if wrong := name_problem(reason, length_max=REASON_LENGTH_MAX):
        problems.add(f"{path}reason", "invalid", f"reason {wrong}.")


def _check_customers(
    services: Services, organization: Organization, amendments: Sequence[Amendment], problems: Problems
) -> None:
    """Check that customers exist where the organization takes no events of others."""
    named = {each.customer_id for each in amendments if each.customer_id is not None}
    if not named or not organization.rejects_unknown_customers:
        return
    with services.records.snapshot() as tx:
        known = tx.customers.known(organization.organization_id, sorted(named))
    for each in amendments:
        if each.customer_id is not None and each.customer_id not in known:
            detail = f"There is no customer {each.customer_id!r}."
            problems.add(f"{each.path}customer_id", "customer_not_found", detail)
