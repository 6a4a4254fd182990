"""The clock of a sandbox: moving it runs everything that falls due on the way."""

from datetime import datetime

import msgspec

from lotus_server.domain.accounts import Organization, OrganizationType
from lotus_server.kernel.errors import Conflict, Invalid
from lotus_server.usecases.due_work import do_what_is_due
from lotus_server.usecases.services import Services, present
from lotus_server.usecases.subscriptions import LATEST


def read_clock(services: Services, organization: Organization) -> datetime:
    """Return a sandbox's present. Raises Conflict `not_a_sandbox` for an organization that lives in real time."""
    _refuse_production(organization)
    return present(services, organization)


def move_clock(services: Services, organization: Organization, now: datetime) -> datetime:
    """Move a sandbox's time forward to `now`, and do in order whatever falls due on the way, before it returns.

    From then on the clock stands still until it is moved again. Raises Conflict `not_a_sandbox`, Invalid
    `clock_backwards`.
    """
    _refuse_production(organization)
    with services.records.transaction() as tx:
        current = tx.organizations.get(organization.organization_id)
        assert current is not None, "a principal's organization exists"
        if now >= LATEST:
            raise Invalid.field("now", "invalid", f"A sandbox's clock stays before the year {LATEST.year}.")
        if now < present(services, current):
            raise Invalid.field("now", "clock_backwards", "A sandbox's clock only moves forward.")
        tx.organizations.replace(msgspec.structs.replace(current, clock_now=now))
    do_what_is_due(services, until=now, organization=organization)
    return now


def _refuse_production(organization: Organization) -> None:
    if organization.type is not OrganizationType.SANDBOX:
        raise Conflict("Only a sandbox organization has a clock that can be moved.", code="not_a_sandbox")
