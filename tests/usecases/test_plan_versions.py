"""Later versions of a plan: who gets them, and from when on."""

from datetime import datetime
from decimal import Decimal

import msgspec
import pytest

from lotus_server.domain.catalog import PlanVersion, VersionStatus
from lotus_server.kernel.errors import Invalid, NotFound
from lotus_server.usecases.customers import CustomerDraft, create_customer
from lotus_server.usecases.plan_versions import Replace, VersionChange, change_version, create_version
from lotus_server.usecases.plans import VersionDraft, get_plan
from tests.business import Business, Json, at, charge

D = Decimal
JUNE = at("2026-06-01")


def _dearer(amount: str = "20", **more: object) -> VersionDraft:
    return msgspec.structs.replace(VersionDraft(recurring_charges=(charge(amount),)), **more)


def _add(business: Business, draft: VersionDraft, replace: Replace = Replace.NEW_ONLY) -> PlanVersion:
    return create_version(business.services, business.organization, "pro", draft, replace)


def _change(business: Business, version: PlanVersion, change: VersionChange) -> PlanVersion:
    return change_version(business.services, business.organization, "pro", version.version_id, change)


def _versions(business: Business) -> list[PlanVersion]:
    return list(get_plan(business.services, business.organization, "pro").versions)


def _statuses(business: Business, now: datetime) -> list[VersionStatus]:
    return [version.status_at(now) for version in _versions(business)]


def _of(version: PlanVersion) -> Json:
    """A subscription to a version that is named."""
    return {"plan_id": None, "version_id": version.version_id, "subscription_id": "x"}


def _problem(business: Business, draft: VersionDraft, replace: Replace = Replace.NEW_ONLY) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as raised:
        _add(business, draft, replace)
    return [(problem.field, problem.code) for problem in raised.value.problems]


@pytest.fixture
def selling(business: Business) -> Business:
    """A plan for 10 a month in advance."""
    business.plan("pro", charge("10"))
    return business


def test_a_scheduled_version_takes_over_when_it_comes_on_sale(selling: Business) -> None:
    _add(selling, _dearer(active_from=JUNE))

    assert [VersionStatus.ACTIVE, VersionStatus.NOT_STARTED] == _statuses(selling, at("2026-05-31"))
    assert [VersionStatus.INACTIVE, VersionStatus.ACTIVE] == _statuses(selling, JUNE)


def test_a_new_subscription_gets_the_version_that_is_on_sale(selling: Business) -> None:
    first, second = _versions(selling)[0], _add(selling, _dearer(active_from=JUNE))
    selling.customer("other")

    before = selling.subscribe()
    selling.move("2026-06-02")

    assert first.version_id == before.version_id
    assert second.version_id == selling.subscribe("2026-06-02", customer_id="other").version_id


def test_existing_subscriptions_keep_their_version(selling: Business) -> None:
    selling.subscribe()
    _add(selling, _dearer())

    selling.move("2026-03-15")

    assert [("2026-01-01", D(10)), ("2026-02-01", D(10)), ("2026-03-01", D(10))] == selling.amounts()


def test_a_subscription_moves_to_the_version_that_replaces_its_own_when_it_renews(selling: Business) -> None:
    subscription = selling.subscribe()
    selling.move("2026-01-15")
    second = _add(selling, _dearer(), Replace.ON_RENEWAL)

    assert subscription.version_id == selling.subscription(subscription.subscription_id).version.version_id
    selling.move("2026-03-15")

    assert [("2026-01-01", D(10)), ("2026-02-01", D(20)), ("2026-03-01", D(20))] == selling.amounts()
    assert second.version_id == selling.subscription(subscription.subscription_id).version.version_id


def test_a_version_that_is_scheduled_replaces_from_the_first_renewal_after_its_start(selling: Business) -> None:
    selling.subscribe()
    _add(selling, _dearer(active_from=at("2026-02-15")), Replace.ON_RENEWAL)

    selling.move("2026-03-15")

    assert [("2026-01-01", D(10)), ("2026-02-01", D(10)), ("2026-03-01", D(20))] == selling.amounts()


def test_what_was_used_before_the_renewal_is_billed_by_the_old_version(business: Business) -> None:
    business.plan("pro", charge("10", timing=charge("0").timing))
    business.subscribe()
    _add(business, _dearer("20"), Replace.ON_RENEWAL)

    business.move("2026-02-01")

    old, new = business.invoices()
    assert [1, 2] == [_number(business, invoice.lines[0].version_id) for invoice in (old, new)]


def _number(business: Business, version_id: str | None) -> int:
    return next(version.version for version in _versions(business) if version.version_id == version_id)


def test_a_subscription_that_ends_moves_nowhere(selling: Business) -> None:
    subscription = selling.subscribe(ends_at=at("2026-02-01"))
    _add(selling, _dearer(), Replace.ON_RENEWAL)

    selling.move("2026-03-01")

    assert subscription.version_id == selling.subscription(subscription.subscription_id).version.version_id
    assert [("2026-01-01", D(10))] == selling.amounts()


def test_a_version_in_another_currency_replaces_nothing(selling: Business) -> None:
    _add(selling, _dearer(currency="EUR"), Replace.ON_RENEWAL)

    assert [None, None] == [version.replace_with for version in _versions(selling)]
    assert [VersionStatus.ACTIVE, VersionStatus.ACTIVE] == _statuses(selling, selling.organization.created_at)


def test_a_custom_version_is_for_its_customers_alone(selling: Business) -> None:
    custom = _add(selling, _dearer("5", target_customer_ids=("acme",)))
    selling.customer("other")

    assert custom.version_id == selling.subscribe().version_id
    assert custom.version_id != selling.subscribe(customer_id="other").version_id
    with pytest.raises(Invalid) as raised:
        selling.subscribe(customer_id="other", **_of(custom))
    assert "not_for_customer" == raised.value.code


def test_a_custom_version_takes_nobodys_place(selling: Business) -> None:
    draft = _dearer(target_customer_ids=("acme",))

    assert [("replace", "not_for_custom")] == _problem(selling, draft, Replace.ON_RENEWAL)
    _add(selling, draft)
    assert [VersionStatus.ACTIVE, VersionStatus.ACTIVE] == _statuses(selling, selling.organization.created_at)


def test_a_custom_version_names_customers_that_exist(selling: Business) -> None:
    draft = _dearer(target_customer_ids=("acme", "nobody"))

    assert [("target_customer_ids[1]", "unknown_customer")] == _problem(selling, draft)


def test_a_version_to_come_replaces_nobody_now(selling: Business) -> None:
    draft = _dearer(active_from=JUNE)

    assert [("replace", "version_not_on_sale")] == _problem(selling, draft, Replace.IMMEDIATELY)


def test_a_customer_gets_the_version_in_its_currency(selling: Business) -> None:
    euro = _add(selling, _dearer(currency="EUR"))
    create_customer(selling.services, selling.organization, CustomerDraft("euro", "Euro", currency="EUR"))
    create_customer(selling.services, selling.organization, CustomerDraft("yen", "Yen", currency="JPY"))

    assert euro.version_id == selling.subscribe(customer_id="euro").version_id
    assert "USD" == selling.subscription(selling.subscribe(customer_id="yen").subscription_id).version.currency


def test_a_plan_in_several_foreign_currencies_is_sold_by_its_versions_only(business: Business) -> None:
    business.plan("pro", currency="EUR")
    _add(business, _dearer(currency="JPY"))

    with pytest.raises(Invalid) as raised:
        business.subscribe()

    assert "other_currency" == raised.value.code
    assert "EUR, JPY" in raised.value.detail


def test_a_version_that_is_off_sale_takes_no_new_subscriptions(selling: Business) -> None:
    (first,) = _versions(selling)
    _add(selling, _dearer())

    with pytest.raises(Invalid) as raised:
        selling.subscribe(**_of(first))

    assert "version_not_on_sale" == raised.value.code


def test_times_of_sale_can_be_changed(selling: Business) -> None:
    (first,) = _versions(selling)

    changed = _change(selling, first, VersionChange(active_to=JUNE, localized_name="Profi"))

    assert (JUNE, "Profi", None) == (changed.active_to, changed.localized_name, changed.active_from)
    assert [changed] == _versions(selling)
    assert None is _change(selling, first, VersionChange(active_to=None)).active_to


def test_what_replaces_a_version_can_be_changed(selling: Business) -> None:
    first, second = _versions(selling)[0], _add(selling, _dearer())

    assert second.version_id == _change(selling, first, VersionChange(replace_with=second.version_id)).replace_with
    assert None is _change(selling, first, VersionChange(replace_with=None)).replace_with


def test_a_version_is_replaced_by_one_of_its_plan_and_currency_and_not_in_a_circle(selling: Business) -> None:
    first, second = _versions(selling)[0], _add(selling, _dearer(), Replace.ON_RENEWAL)
    euro = _add(selling, _dearer(currency="EUR"))
    custom = _add(selling, _dearer(target_customer_ids=("acme",)))

    codes = []
    for wanted in ("none", euro.version_id, custom.version_id, first.version_id, second.version_id):
        with pytest.raises(Invalid) as raised:
            _change(selling, second, VersionChange(replace_with=wanted))
        codes.append(raised.value.code)

    assert ["unknown_version", "other_currency", "not_for_custom", "circular", "circular"] == codes


def test_a_version_stays_for_everybody_or_for_some(selling: Business) -> None:
    with pytest.raises(Invalid) as raised:
        _change(selling, _versions(selling)[0], VersionChange(target_customer_ids=("acme",)))

    assert "unchangeable" == raised.value.code


def test_a_custom_version_can_get_more_customers(selling: Business) -> None:
    custom = _add(selling, _dearer(target_customer_ids=("acme",)))
    selling.customer("other")

    changed = _change(selling, custom, VersionChange(target_customer_ids=("acme", "other")))

    assert ("acme", "other") == changed.target_customer_ids


def test_a_version_of_another_plan_is_not_found(selling: Business) -> None:
    selling.plan("max")
    theirs = get_plan(selling.services, selling.organization, "max").versions[0]

    with pytest.raises(NotFound) as raised:
        _change(selling, theirs, VersionChange())

    assert "plan_version_not_found" == raised.value.code
