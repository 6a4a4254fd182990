"""Features: listed with who uses them, made, archived."""

from starlette.responses import Response

from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import Visit
from lotus_server.kernel.errors import LotusError, NotFound, Problems
from lotus_server.usecases.catalog_lists import FeatureUse, view_features
from lotus_server.usecases.features import archive_feature, create_feature
from lotus_server.wire.features import FeatureForm
from lotus_server.wire.forms import read

pages = Pages()


@pages.get("/features/")
def list_page(visit: Visit) -> Response:
    """List the features; archived ones on demand."""
    search, include_archived = visit.query.get("search", ""), visit.query.get("archived") == "true"
    uses = visit.do(view_features, search=search, include_archived=include_archived)
    is_filtered = bool(search) or include_archived
    return visit.page("features/list.html", fragment="rows", uses=uses, is_filtered=is_filtered)


@pages.get("/features/new")
def new_page(visit: Visit) -> Response:
    """Show the empty form."""
    visit.require(create_feature)
    return visit.page("features/new.html", fragment="dialog")


@pages.post("/features/new")
def create(visit: Visit) -> Response:
    """Make a feature, or show what is wrong."""
    visit.require(create_feature)
    try:
        problems = Problems()
        feature = visit.do(create_feature, read(FeatureForm, visit.form.payload(), problems).to_draft(problems))
    except LotusError as error:
        return visit.again(error, "features/new.html", fragment="dialog")
    return visit.redirect(visit.url("features/"), f"{feature.feature_name} is a feature now. Plans can have it.")


@pages.get("/features/{feature_id}/archive")
def archive_page(visit: Visit) -> Response:
    """Ask before a feature is taken out of use."""
    visit.require(archive_feature)
    return visit.page("features/archive.html", fragment="dialog", use=_use(visit))


@pages.post("/features/{feature_id}/archive")
def archive(visit: Visit) -> Response:
    """Take a feature out of use."""
    feature = visit.do(archive_feature, visit.part("feature_id"))
    return visit.redirect(visit.url("features/"), f"{feature.feature_name} is archived.")


def _use(visit: Visit) -> FeatureUse:
    feature_id = visit.part("feature_id")
    for use in visit.do(view_features, include_archived=True):
        if use.feature.feature_id == feature_id:
            return use
    raise NotFound(f"There is no feature {feature_id!r}.", code="feature_not_found")
