"""The later versions of a plan: made, and when and to whom they are sold."""

from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec import UNSET, UnsetType

from lotus_server.domain.accounts import Organization
from lotus_server.domain.catalog import PlanVersion, VersionStatus, sale_problems
from lotus_server.kernel.errors import Conflict, FieldProblem, NotFound, Problems
from lotus_server.ports.records import Transaction
from lotus_server.usecases.plan_drafts import VersionDraft, check_targets, version_of
from lotus_server.usecases.plan_transitions import check_transition
from lotus_server.usecases.plans import require_plan
from lotus_server.usecases.services import Services, changing, present


class Replace(StrEnum):
    """Which subscriptions get a new version: only new ones, existing ones when they renew, or all of them now."""

    NEW_ONLY = "new_only"
    ON_RENEWAL = "on_renewal"
    IMMEDIATELY = "immediately"


class VersionChange(msgspec.Struct, frozen=True):
    """When and to whom a version is sold from now on, what replaces it on renewal, and into which plan it turns.

    What is not given stays as it is. `problems` are those found when the input was read.
    """

    active_from: datetime | UnsetType | None = UNSET
    active_to: datetime | UnsetType | None = UNSET
    localized_name: str | UnsetType | None = UNSET
    replace_with: str | UnsetType | None = UNSET
    transition_to: str | UnsetType | None = UNSET
    target_customer_ids: tuple[str, ...] | UnsetType = UNSET
    problems: tuple[FieldProblem, ...] = ()


def create_version(
    services: Services,
    organization: Organization,
    plan_id: str,
    draft: VersionDraft,
    replace: Replace = Replace.NEW_ONLY,
) -> PlanVersion:
    """Make the next version of a plan; new subscriptions in its currency use it from `active_from` on.

    The versions in its currency that were on sale no longer are from then on; a custom version takes nobody's place.
    `on_renewal`, every subscription of an earlier version in the currency has the new one after its next renewal, and
    so it is with `immediately` for those that are not switched before (`plan_replacement` does that). Raises NotFound
    `plan_not_found`; Invalid with every problem; Conflict `plan_archived`, `plan_version_exists`.
    """
    now = present(services, organization)
    with changing(services, organization) as tx:
        plan = require_plan(tx, organization, plan_id)
        if plan.archived:
            raise Conflict(f"The plan {plan_id!r} is archived.", code="plan_archived")
        before = tx.plans.versions(organization.organization_id, plan_id)
        problems = Problems()
        problems.extend(draft.problems)
        number = max((version.version for version in before), default=0) + 1
        version = version_of(services, tx, organization, plan, draft, number=number, now=now, problems=problems)
        _check_replace(replace, version, now, problems)
        problems.raise_if_any()
        tx.plans.add_version(version)
        if not version.is_custom:
            _take_over(tx, before, version, replace, now)
    return version


def _check_replace(replace: Replace, version: PlanVersion, now: datetime, problems: Problems) -> None:
    if replace is Replace.NEW_ONLY:
        return
    if version.is_custom:
        detail = "A custom version replaces nobody's: switch the subscriptions of its customers."
        problems.add("replace", "not_for_custom", detail)
    elif replace is Replace.IMMEDIATELY and version.status_at(now) is VersionStatus.NOT_STARTED:
        detail = "A version that is not on sale yet cannot replace others immediately: use on_renewal."
        problems.add("replace", "version_not_on_sale", detail)


def _take_over(
    tx: Transaction, before: list[PlanVersion], version: PlanVersion, replace: Replace, now: datetime
) -> None:
    """What was on sale in the version's currency goes off sale when it comes on, and points to it if it replaces it."""
    start = now if version.active_from is None else max(now, version.active_from)
    for older in before:
        if older.currency != version.currency or older.is_custom:
            continue
        changed = older
        if older.status_at(start) is VersionStatus.ACTIVE:
            changed = msgspec.structs.replace(changed, active_to=start)
        if replace is not Replace.NEW_ONLY:
            changed = msgspec.structs.replace(changed, replace_with=version.version_id)
        if changed != older:
            tx.plans.replace_version(changed)


def change_version(
    services: Services, organization: Organization, plan_id: str, version_id: str, change: VersionChange
) -> PlanVersion:
    """Change when and to whom a version is sold, and what replaces it; its terms stay as they are.

    Raises NotFound `plan_not_found`, `plan_version_not_found`; Invalid with every problem.
    """
    with changing(services, organization) as tx:
        plan = require_plan(tx, organization, plan_id)
        version = require_version(tx, organization, plan_id, version_id)
        fields = [field for field in VersionChange.__struct_fields__ if field != "problems"]
        given = {field: getattr(change, field) for field in fields if getattr(change, field) is not UNSET}
        changed = msgspec.structs.replace(version, **given)
        problems = Problems()
        problems.extend(change.problems)
        problems.extend(sale_problems(changed))
        if changed.is_custom != version.is_custom:
            detail = "A version stays for everybody, or for some customers, as it was made."
            problems.add("target_customer_ids", "unchangeable", detail)
        check_targets(tx, changed, problems)
        if changed.replace_with is not None and changed.replace_with != version.replace_with:
            others = {each.version_id: each for each in tx.plans.versions(organization.organization_id, plan_id)}
            _check_replacement(changed, others, problems)
        if changed.transition_to != version.transition_to:
            check_transition(tx, plan, changed, problems)
        problems.raise_if_any()
        if changed != version:
            tx.plans.replace_version(changed)
    return changed


def _check_replacement(version: PlanVersion, others: dict[str, PlanVersion], problems: Problems) -> None:
    assert version.replace_with is not None
    found = others.get(version.replace_with)
    if found is None:
        problems.add("replace_with", "unknown_version", f"The plan has no version {version.replace_with!r}.")
    elif found.currency != version.currency:
        problems.add("replace_with", "other_currency", "The version that replaces another has its currency.")
    elif found.is_custom:
        problems.add("replace_with", "not_for_custom", "A custom version replaces nobody's.")
    else:
        while found is not None and found.version_id != version.version_id:
            found = others.get(found.replace_with or "")
        if found is not None:
            problems.add("replace_with", "circular", "The versions would replace each other for ever.")


def require_version(tx: Transaction, organization: Organization, plan_id: str, version_id: str) -> PlanVersion:
    """Return a version of a plan. Raises NotFound `plan_version_not_found`."""
    version = tx.plans.version(organization.organization_id, version_id)
    if version is None or version.plan_id != plan_id:
        raise NotFound(f"Plan {plan_id!r} has no version {version_id!r}.", code="plan_version_not_found")
    return version
