"""Which version of a plan a customer gets, and which one takes the place of another on renewal."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from lotus_server.domain.catalog import (
    PlanVersion,
    VersionStatus,
    is_for,
    sold_versions,
    version_after_renewal,
    version_in,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def _version(number: int, currency: str = "USD", **changes: object) -> PlanVersion:
    version = PlanVersion("org", f"v{number}", "pro", number, currency, NOW - 10 * DAY)
    return msgspec.structs.replace(version, **changes)


def _numbers(versions: list[PlanVersion]) -> list[int]:
    return [version.version for version in versions]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({}, VersionStatus.ACTIVE),
        ({"active_from": NOW}, VersionStatus.ACTIVE),
        ({"active_from": NOW + DAY}, VersionStatus.NOT_STARTED),
        ({"active_to": NOW + DAY}, VersionStatus.ACTIVE),
        ({"active_to": NOW}, VersionStatus.INACTIVE),
        ({"active_from": NOW - DAY, "active_to": NOW}, VersionStatus.INACTIVE),
        ({"active_from": NOW, "active_to": NOW + DAY}, VersionStatus.ACTIVE),
    ],
)
def test_a_version_is_on_sale_from_its_start_until_its_end(times: dict[str, datetime], expected: VersionStatus) -> None:
    assert expected is _version(1, "USD", **times).status_at(NOW)


def test_a_custom_version_is_for_its_customers_only() -> None:
    custom = _version(1, target_customer_ids=("acme",))

    assert [(True, True), (False, True)] == [
        (is_for(custom, name), is_for(_version(2), name)) for name in ("acme", "other")
    ]


def test_a_customers_own_version_goes_before_those_for_everybody() -> None:
    versions = [_version(1), _version(2, target_customer_ids=("acme",)), _version(3), _version(4, active_to=NOW)]

    assert [2] == _numbers(sold_versions(versions, "acme", NOW))
    assert [1, 3] == _numbers(sold_versions(versions, "other", NOW))


@pytest.mark.parametrize(
    ("currencies", "expected"),
    [
        (["USD", "EUR"], "v3"),
        (["EUR", "USD"], "v2"),
        (["JPY", "EUR"], "v2"),
        (["JPY"], None),
    ],
)
def test_the_newest_version_in_the_first_currency_that_there_is_is_taken(
    currencies: list[str], expected: str | None
) -> None:
    found = version_in([_version(1), _version(2, "EUR"), _version(3)], currencies)

    assert expected == (found and found.version_id)


def test_a_plan_in_one_other_currency_is_sold_in_that() -> None:
    found = version_in([_version(1, "EUR"), _version(2, "EUR")], ["USD"])

    assert found is not None
    assert "v2" == found.version_id
    assert version_in([], ["USD"]) is None


def _after(versions: list[PlanVersion]) -> str:
    return version_after_renewal(versions[0], {each.version_id: each for each in versions}, NOW).version_id


def test_a_version_that_nothing_replaces_stays() -> None:
    assert "v1" == _after([_version(1), _version(2)])


def test_a_replacement_that_was_replaced_itself_is_passed_over() -> None:
    second = _version(2, replace_with="v3", active_to=NOW)

    assert "v3" == _after([_version(1, replace_with="v2"), second, _version(3)])


def test_a_replacement_waits_until_it_is_on_sale() -> None:
    assert "v1" == _after([_version(1, replace_with="v2"), _version(2, active_from=NOW + DAY)])
    assert "v2" == _after([_version(1, replace_with="v2"), _version(2, active_from=NOW)])
    assert "v1" == _after([_version(1, replace_with="v2"), _version(2, created_at=NOW + DAY)])


def test_a_replacement_that_is_off_sale_by_now_still_replaces() -> None:
    assert "v2" == _after([_version(1, replace_with="v2"), _version(2, active_to=NOW - DAY)])
