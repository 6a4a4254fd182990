"""Add-ons: made, listed, archived. Attaching one to a subscription is the subscriptions' business."""

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.catalog import (
    AddOnFrequency,
    AddOnInvoicing,
    AddOnKind,
    AddOnTerms,
    Plan,
)
from lotus_server.kernel.errors import NotFound
from lotus_server.kernel.period import Duration
from lotus_server.ports.records import Transaction
from lotus_server.usecases.plans import PlanDraft, PlanView, VersionDraft, create_sellable, views_of_plans
from lotus_server.usecases.services import Services, changing


class AddOnDraft(msgspec.Struct, frozen=True):
    """An add-on to be made, with its terms. Without a kind it is flat if it has no components."""

    addon_name: str
    version: VersionDraft
    addon_id: str | None = None
    description: str = ""
    kind: AddOnKind | None = None
    frequency: AddOnFrequency = AddOnFrequency.ONE_TIME
    invoicing: AddOnInvoicing = AddOnInvoicing.ON_ATTACH


def create_addon(services: Services, organization: Organization, draft: AddOnDraft) -> PlanView:
    """Make an add-on and the one version of it.

    Raises Invalid with every problem, Conflict `plan_exists` for an id that an add-on or a plan has.
    """
    kind = draft.kind
    if kind is None:
        kind = AddOnKind.USAGE_BASED if draft.version.components else AddOnKind.FLAT
    plan = PlanDraft(
        plan_name=draft.addon_name,
        duration=Duration.MONTHLY,  # not looked at: its periods are those of the subscription that it is attached to
        version=draft.version,
        plan_id=draft.addon_id,
        description=draft.description,
    )
    terms = AddOnTerms(kind, draft.frequency, draft.invoicing)
    made, _ = create_sellable(services, organization, plan, addon=terms)
    return get_addon(services, organization, made.plan_id)


def list_addons(services: Services, organization: Organization, *, include_archived: bool = False) -> list[PlanView]:
    """Return the add-ons in the order in which they were made, in a fixed number of queries whatever their number."""
    organization_id = organization.organization_id
    with services.records.snapshot() as tx:
        addons = [
            plan
            for plan in tx.plans.all(organization_id)
            if plan.addon is not None and (include_archived or not plan.archived)
        ]
        return views_of_plans(services, tx, organization, addons, tx.plans.versions(organization_id))


def get_addon(services: Services, organization: Organization, addon_id: str) -> PlanView:
    """Return one add-on, archived or not. Raises NotFound `addon_not_found`."""
    with services.records.snapshot() as tx:
        addon = require_addon(tx, organization, addon_id)
        versions = tx.plans.versions(organization.organization_id, addon_id)
        return views_of_plans(services, tx, organization, [addon], versions)[0]


def archive_addon(services: Services, organization: Organization, addon_id: str) -> PlanView:
    """Take an add-on out of sale; where it is attached it stays. Once more changes nothing.

    Raises NotFound `addon_not_found`.
    """
    with changing(services, organization) as tx:
        addon = require_addon(tx, organization, addon_id)
        if not addon.archived:
            tx.plans.replace(msgspec.structs.replace(addon, archived=True))
    return get_addon(services, organization, addon_id)


def require_addon(tx: Transaction, organization: Organization, addon_id: str) -> Plan:
    """Return an add-on of the organization. Raises NotFound `addon_not_found`."""
    plan = tx.plans.get(organization.organization_id, addon_id)
    if plan is None or plan.addon is None:
        raise NotFound(f"There is no add-on {addon_id!r}.", code="addon_not_found")
    return plan
