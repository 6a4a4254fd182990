"""The resources: a FastAPI application behind the front."""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse

from lotus_server.http import error_catalog, metrics
from lotus_server.http.api import (
    addons,
    analytics,
    audit,
    credit_notes,
    credit_schedules,
    customers,
    discounts,
    events,
    features,
    imports,
    invoices,
    logo,
    organization,
    pending_lines,
    plans,
    portal,
    price_preview,
    pricing_units,
    proration_preview,
    subscription_billing,
    subscriptions,
    usage,
    wallets,
)
from lotus_server.http.api import credits as credit_resources
from lotus_server.http.api import metrics as metric_resources
from lotus_server.http.hot_paths import HOT_PATHS
from lotus_server.http.openapi import complete
from lotus_server.http.paths import read_slashes_within_segments
from lotus_server.http.problems import PROBLEM_JSON, internal_error, problem, problem_of
from lotus_server.kernel.errors import FieldProblem, Invalid, LotusError
from lotus_server.usecases.services import Services

_DESCRIPTION = "Usage-based billing: events in, access checks and exact invoices out. Send your API key as `X-API-KEY`."


def build_resources(services: Services, *, version: str) -> FastAPI:
    """Return the application that serves everything but the hot paths."""
    app = FastAPIOffline(
        title="Lotus",
        version=version,
        description=_DESCRIPTION,
        redoc_url=None,
        openapi_url="/openapi.json",
        strict_content_type=False,
    )
    app.state.services = services
    read_slashes_within_segments()
    resources = (
        customers,
        events,
        discounts,
        subscription_billing,
        subscriptions,
        plans,
        addons,
        portal,
        pricing_units,
        metric_resources,
        usage,
        analytics,
        features,
        price_preview,
        proration_preview,
        invoices,
        pending_lines,
        imports,
        credit_schedules,  # before the credits, whose ids its path could be
        credit_resources,
        credit_notes,
        wallets,
        organization,
        audit,
        logo,
    )
    for module in resources:
        app.include_router(module.router)
    _add_open_paths(app)
    app.add_exception_handler(LotusError, _lotus_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _internal_error)
    _describe(app)
    return app


def _add_open_paths(app: FastAPI) -> None:
    @app.get("/api/healthcheck/", tags=["Operation"], summary="Is the server up")
    async def healthcheck() -> dict[str, str]:
        """Answer without a key, for load balancers. The front does so itself, before the resources are loaded."""
        return {}

    @app.get("/docs/errors", include_in_schema=False)
    async def error_codes() -> Response:
        return HTMLResponse(error_catalog.page())

    @app.get("/", include_in_schema=False)
    async def root() -> Response:
        return RedirectResponse("/docs")

    @app.get("/metrics", include_in_schema=False)
    async def prometheus() -> Response:
        return metrics.exposition()


def _describe(app: FastAPI) -> None:
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        return complete(generate(), HOT_PATHS) if app.openapi_schema is None else app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


async def _lotus_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, LotusError)
    status, body = problem_of(error)
    return Response(body, status, media_type=PROBLEM_JSON)


async def _validation_error(_: Request, error: Exception) -> Response:
    """Answer wrong query and path parameters in the same form as wrong bodies."""
    assert isinstance(error, RequestValidationError)
    problems = tuple(
        FieldProblem(str(each["loc"][-1]), "required" if each["type"] == "missing" else "invalid", each["msg"])
        for each in error.errors()
    )
    status, body = problem_of(Invalid.all_of(problems))
    return Response(body, status, media_type=PROBLEM_JSON)


async def _internal_error(request: Request, _: Exception) -> Response:
    return Response(internal_error(request.scope["lotus.request_id"]), 500, media_type=PROBLEM_JSON)


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    codes = {404: "not_found", 405: "method_not_allowed"}
    detail = {404: "There is nothing at this path.", 405: "This path does not take this method."}
    status = error.status_code
    body = problem(status, codes.get(status, "http_error"), detail.get(status, str(error.detail)))
    return Response(body, status, dict(error.headers or {}), media_type=PROBLEM_JSON)
