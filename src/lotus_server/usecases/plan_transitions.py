"""Plans that turn into others: into which a plan can, does, and from which it comes."""

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.catalog import Plan, PlanVersion, VersionStatus
from lotus_server.kernel.errors import Problems
from lotus_server.ports.records import Transaction
from lotus_server.usecases.services import Services, present


class Turn(msgspec.Struct, frozen=True):
    """Subscriptions of a version of a plan turn into ones to another plan.

    `sold` is the version of that which they would have if their period ended now, as far as it is for everybody (null:
    there is none in their currency, and nothing turns).
    """

    plan: Plan
    version: PlanVersion
    into: Plan
    sold: PlanVersion | None


class Turns(msgspec.Struct, frozen=True):
    """Into what the versions of a plan turn, by version id, and what turns into the plan: of each version on sale.

    `possible` are the plans into which it can turn, in the order in which they were made.
    """

    onward: dict[str, Turn]
    inward: tuple[Turn, ...]
    possible: tuple[Plan, ...]


def view_turns(services: Services, organization: Organization, plan_id: str | None = None) -> Turns:
    """Return what a plan has to do with the others, also when nothing turns into anything.

    Without an id it is a plan that is to be made, of any duration.
    """
    organization_id, now = organization.organization_id, present(services, organization)
    with services.records.snapshot() as tx:
        plans = {plan.plan_id: plan for plan in tx.plans.all(organization_id) if plan.addon is None}
        versions = tx.plans.versions(organization_id)
    turns = []
    for version in versions:
        into = None if version.transition_to is None else plans.get(version.transition_to)
        if into is not None and plan_id in {version.plan_id, into.plan_id}:
            sold = [
                each
                for each in versions
                if each.plan_id == into.plan_id
                and each.currency == version.currency
                and not (each.is_custom or into.archived)
                and each.status_at(now) is VersionStatus.ACTIVE
            ]
            newest = max(sold, key=lambda each: each.version, default=None)
            turns.append(Turn(plans[version.plan_id], version, into, newest))
    own = plans.get(plan_id) if plan_id is not None else None
    return Turns(
        {turn.version.version_id: turn for turn in turns if turn.version.plan_id == plan_id},
        tuple(
            turn
            for turn in turns
            if turn.into.plan_id == plan_id and turn.version.status_at(now) is VersionStatus.ACTIVE
        ),
        tuple(
            plan
            for plan in plans.values()
            if plan.plan_id != plan_id and not plan.archived and (own is None or plan.duration is own.duration)
        ),
    )


def check_transition(tx: Transaction, plan: Plan, version: PlanVersion, problems: Problems) -> None:
    """Add what is wrong with the plan into which a version of a plan is to turn; nothing if it stays what it is."""
    if version.transition_to is None:
        return
    found = tx.plans.get(version.organization_id, version.transition_to)
    if found is None or found.addon is not None or plan.addon is not None:
        problems.add("transition_to", "unknown_plan", f"There is no plan {version.transition_to!r} to turn into.")
    elif found.plan_id == plan.plan_id:
        problems.add("transition_to", "same_plan", "A plan does not turn into itself: use replace_with.")
    elif found.archived:
        problems.add("transition_to", "plan_archived", f"The plan {found.plan_id!r} is archived.")
    elif found.duration is not plan.duration:
        detail = f"The periods of {found.plan_id!r} are not as long as those of {plan.plan_id!r}."
        problems.add("transition_to", "other_duration", detail)
