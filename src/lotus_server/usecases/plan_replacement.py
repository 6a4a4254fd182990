"""Subscriptions of earlier versions get a newer one now, each by a switch in a transaction of its own."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Final

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.catalog import Plan, PlanVersion, VersionStatus
from lotus_server.domain.invoicing import Terms, adjusted, advance_lines
from lotus_server.domain.subscriptions import Status, Subscription, advance
from lotus_server.kernel.errors import Invalid, LotusError
from lotus_server.kernel.money import total
from lotus_server.kernel.quantity import ZERO, subtract
from lotus_server.ports.listing import SubscriptionQuestion
from lotus_server.ports.records import Page
from lotus_server.usecases.catalog_reading import renewed, terms_of
from lotus_server.usecases.plan_drafts import VersionDraft
from lotus_server.usecases.plan_switch import PlanSwitch, last_lines, successor_of, switch_plan
from lotus_server.usecases.plan_versions import Replace, create_version, require_version
from lotus_server.usecases.plans import require_plan
from lotus_server.usecases.services import Services, present

SUBSCRIPTIONS_AT_ONCE: Final = 200


class Replaced(msgspec.Struct, frozen=True):
    """A subscription that was switched, and the one that took its place."""

    subscription_id: str
    new_subscription_id: str


class NotReplaced(msgspec.Struct, frozen=True):
    """A subscription that keeps its version for now, and why. It has the new one after its next renewal."""

    subscription_id: str
    code: str
    detail: str


class Replacement(msgspec.Struct, frozen=True):
    """What became of each active subscription of the earlier versions."""

    replaced: tuple[Replaced, ...] = ()
    failed: tuple[NotReplaced, ...] = ()


class ReplacementPreview(msgspec.Struct, frozen=True):
    """What a replacement now would invoice for one subscription, before discounts and tax.

    `credit` is what comes back for time that is paid and not used, `due` what the old version comes to otherwise,
    `charge` what the new version charges for the rest of the period; `net` = due + charge - credit.
    """

    subscription_id: str
    customer_id: str
    version: int
    currency: str
    credit: Decimal
    due: Decimal
    charge: Decimal

    @property
    def net(self) -> Decimal:
        """Return what is left to pay; what comes back when it is negative."""
        return subtract(total((self.due, self.charge)), self.credit)


def create_replacing_version(
    services: Services, organization: Organization, plan_id: str, draft: VersionDraft, replace: Replace
) -> tuple[PlanVersion, Replacement | None]:
    """Make the next version of a plan and, with `immediately`, switch every active subscription of earlier ones to it.

    Raises as `create_version`. The version is there whatever becomes of the subscriptions.
    """
    version = create_version(services, organization, plan_id, draft, replace)
    if replace is not Replace.IMMEDIATELY:
        return version, None
    return version, replace_now(services, organization, plan_id, version.version_id)


def replace_now(services: Services, organization: Organization, plan_id: str, version_id: str) -> Replacement:
    """Switch every active subscription of the earlier versions in the version's currency to it.

    Each is one transaction; one that fails is reported and stops nobody else. What is switched already is left alone,
    so doing it again goes on where it stopped. Raises NotFound `plan_not_found`, `plan_version_not_found`; Invalid
    `version_not_on_sale`, `not_for_custom`.
    """
    _, version, earlier = _versions(services, organization, plan_id, version_id)
    return _switch_each(
        services, organization, _affected(services, organization, version, earlier, after=None), version
    )


def replace_some(
    services: Services, organization: Organization, plan_id: str, version_id: str, page: Page
) -> tuple[Replacement, str | None]:
    """Do what `replace_now` does, for a page of the subscriptions only; `page.after` is the id of one.

    Return also the id after which there are more to switch (null: there are none). Raises as `replace_now`.
    """
    _, version, earlier = _versions(services, organization, plan_id, version_id)
    some = list(islice(_affected(services, organization, version, earlier, after=page.after), page.limit))
    replacement = _switch_each(services, organization, some, version)
    return replacement, some[-1].subscription_id if page.limit is not None and len(some) == page.limit else None


def preview_replacement(
    services: Services, organization: Organization, plan_id: str, version_id: str, page: Page
) -> list[ReplacementPreview]:
    """Return what `replace_now` would invoice, by subscription id; `page.after` is one. Writes nothing.

    Raises as `replace_now`.
    """
    plan, version, earlier = _versions(services, organization, plan_id, version_id)
    now = present(services, organization)
    rows: list[ReplacementPreview] = []
    for subscription in _affected(services, organization, version, earlier, after=page.after):
        if len(rows) == page.limit:
            break
        terms = _terms_at(services, subscription, now)
        if terms.version.version_id in earlier:  # else a renewal that is due moves it
            rows.append(_preview(services, terms, plan, version, now))
    return rows


def _switch_each(
    services: Services, organization: Organization, subscriptions: Iterable[Subscription], version: PlanVersion
) -> Replacement:
    replaced, failed = [], []
    for subscription in subscriptions:
        subscription_id = subscription.subscription_id
        try:
            view = switch_plan(services, organization, subscription_id, PlanSwitch(version_id=version.version_id))
        except LotusError as error:
            if error.code == "same_plan":
                continue  # a renewal that was due has moved it
            failed.append(NotReplaced(subscription_id, error.code, error.detail))
        else:
            replaced.append(Replaced(subscription_id, view.subscription.subscription_id))
    return Replacement(tuple(replaced), tuple(failed))


def _versions(
    services: Services, organization: Organization, plan_id: str, version_id: str
) -> tuple[Plan, PlanVersion, dict[str, PlanVersion]]:
    """Return a version that can replace others now, with its plan, and the versions that it replaces, by id."""
    with services.records.snapshot() as tx:
        plan = require_plan(tx, organization, plan_id)
        version = require_version(tx, organization, plan_id, version_id)
        versions = tx.plans.versions(organization.organization_id, plan_id)
    if version.is_custom:
        detail = "A custom version replaces nobody's: switch the subscriptions of its customers."
        raise Invalid.field("version_id", "not_for_custom", detail)
    if version.status_at(present(services, organization)) is not VersionStatus.ACTIVE:
        raise Invalid.field("version_id", "version_not_on_sale", f"Version {version_id!r} is not on sale now.")
    earlier = {
        each.version_id: each
        for each in versions
        if each.version < version.version and each.currency == version.currency and not each.is_custom
    }
    return plan, version, earlier


def _affected(
    services: Services,
    organization: Organization,
    version: PlanVersion,
    earlier: dict[str, PlanVersion],
    *,
    after: str | None,
) -> Iterator[Subscription]:
    """Yield the active subscriptions of earlier versions by id, a portion of all of the plan's at a time."""
    now = present(services, organization)
    while True:
        with services.records.snapshot() as tx:
            page = Page(SUBSCRIPTIONS_AT_ONCE, after)
            found = tx.subscriptions.page(
                organization.organization_id, page, SubscriptionQuestion(plan_id=version.plan_id)
            )
        for subscription in found:
            if subscription.version_id in earlier and subscription.status_at(now) is Status.ACTIVE:
                yield subscription
        if len(found) < SUBSCRIPTIONS_AT_ONCE:
            return
        after = found[-1].subscription_id


def _terms_at(services: Services, subscription: Subscription, now: datetime) -> Terms:
    """Return a subscription's terms with the period open that contains `now`: what is due is billed before a switch."""
    with services.records.snapshot() as tx:
        terms = terms_of(tx, subscription)
        while terms.subscription.open_period.end <= now:
            terms = terms_of(tx, renewed(tx, terms.version, advance(terms.subscription)), terms.metrics)
    return terms


def _preview(services: Services, terms: Terms, plan: Plan, version: PlanVersion, now: datetime) -> ReplacementPreview:
    new = successor_of(services, terms.subscription, plan, version, now)
    last = last_lines(services, terms, new, now)
    new_terms = msgspec.structs.replace(terms, subscription=new, plan=plan, version=version)
    first = adjusted(new_terms, advance_lines(new_terms, new.open_period), opened=new.open_period)
    return ReplacementPreview(
        subscription_id=terms.subscription.subscription_id,
        customer_id=terms.subscription.customer_id,
        version=terms.version.version,
        currency=version.currency,
        credit=subtract(ZERO, total(line.amount for line in last if line.amount < 0)),
        due=total(line.amount for line in last if line.amount > 0),
        charge=total(line.amount for line in first),
    )
