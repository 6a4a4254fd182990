"""`/api/features/`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from lotus_server.http.api.deps import Caller, link_to_next, paging, reading, writing
from lotus_server.http.api.pages import page_of
from lotus_server.http.body import json_body
from lotus_server.http.json_reply import json_reply
from lotus_server.http.openapi import PROBLEMS, body_of
from lotus_server.kernel.errors import Problems
from lotus_server.ports.records import Page
from lotus_server.usecases.features import archive_feature, create_feature, get_feature, list_features
from lotus_server.wire.features import FeatureForm, feature_row
from lotus_server.wire.forms import read

router = APIRouter(prefix="/api", tags=["Features"], responses=PROBLEMS)
Payload = Annotated[object, Depends(json_body)]
Writer = Annotated[Caller, Depends(writing)]
Reader = Annotated[Caller, Depends(reading)]


@router.get("/features/", summary="List features")
def list_all(
    request: Request,
    caller: Reader,
    page: Annotated[Page, Depends(paging)],
    include_archived: Annotated[bool, Query(description="Archived ones too.")] = False,  # noqa: FBT002 - a query parameter
) -> Response:
    """Return the features in the order in which they were made."""
    features = list_features(caller.services, caller.organization, include_archived=include_archived)
    shown = page_of(features, page, lambda feature: feature.feature_id)
    link = link_to_next(request, page, [feature.feature_id for feature in shown])
    return json_reply(200, [feature_row(feature) for feature in shown], link)


@router.post("/features/", status_code=201, summary="Create a feature", openapi_extra=body_of(FeatureForm))
def create(caller: Writer, payload: Payload) -> Response:
    """Make a feature."""
    problems = Problems()
    draft = read(FeatureForm, payload, problems).to_draft(problems)
    return json_reply(201, feature_row(create_feature(caller.services, caller.organization, draft)))


@router.get("/features/{feature_id}/", summary="One feature")
def one(feature_id: str, caller: Reader) -> Response:
    """Return one feature."""
    return json_reply(200, feature_row(get_feature(caller.services, caller.organization, feature_id)))


@router.post("/features/{feature_id}/archive/", summary="Archive a feature")
def archive(feature_id: str, caller: Writer) -> Response:
    """Take a feature out of use; versions that have it keep it."""
    return json_reply(200, feature_row(archive_feature(caller.services, caller.organization, feature_id)))
