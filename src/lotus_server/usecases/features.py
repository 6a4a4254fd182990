"""Features: made, listed, archived."""

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.catalog import Feature, description_problem
from lotus_server.kernel.errors import FieldProblem, NotFound, Problems
from lotus_server.kernel.identifiers import identifier_problem, name_problem
from lotus_server.ports.records import Transaction
from lotus_server.usecases.services import Services, changing


class FeatureDraft(msgspec.Struct, frozen=True):
    """A feature to be made. Without an id it gets one. `problems` are those found when the input was read."""

    feature_name: str
    feature_id: str | None = None
    feature_description: str = ""
    problems: tuple[FieldProblem, ...] = ()


def create_feature(services: Services, organization: Organization, draft: FeatureDraft) -> Feature:
    """Make a feature.

    Raises Invalid with every problem; Conflict `feature_exists` for a taken id, `feature_name_exists` for the name of
    another feature that is not archived.
    """
    feature = Feature(
        organization_id=organization.organization_id,
        feature_id=draft.feature_id if draft.feature_id is not None else services.ids.new("feature"),
        feature_name=draft.feature_name,
        feature_description=draft.feature_description,
    )
    problems = Problems()
    problems.extend(draft.problems)
    for field, problem in (
        ("feature_id", identifier_problem(feature.feature_id)),
        ("feature_name", name_problem(feature.feature_name)),
        ("feature_description", description_problem(feature.feature_description)),
    ):
        if problem:
            problems.add(field, "invalid", f"{field} {problem}.")
    problems.raise_if_any()
    with services.records.transaction() as tx:
        tx.features.add(feature)
    return feature


def list_features(services: Services, organization: Organization, *, include_archived: bool = False) -> list[Feature]:
    """Return the features in the order in which they were made."""
    with services.records.snapshot() as tx:
        features = tx.features.all(organization.organization_id)
    return [feature for feature in features if include_archived or not feature.archived]


def get_feature(services: Services, organization: Organization, feature_id: str) -> Feature:
    """Return one feature, archived or not. Raises NotFound `feature_not_found`."""
    with services.records.snapshot() as tx:
        return require_feature(tx, organization, feature_id)


def archive_feature(services: Services, organization: Organization, feature_id: str) -> Feature:
    """Take a feature out of use: no new version can have it, those that have it keep it. Once more changes nothing.

    Raises NotFound `feature_not_found`.
    """
    with changing(services, organization) as tx:
        feature = require_feature(tx, organization, feature_id)
        archived = msgspec.structs.replace(feature, archived=True)
        if not feature.archived:
            tx.features.replace(archived)
    return archived


def require_feature(tx: Transaction, organization: Organization, feature_id: str) -> Feature:
    """Return a feature of the organization. Raises NotFound `feature_not_found`."""
    feature = tx.features.get(organization.organization_id, feature_id)
    if feature is None:
        raise NotFound(f"There is no feature {feature_id!r}.", code="feature_not_found")
    return feature
