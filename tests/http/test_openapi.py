"""The description of the API: valid, complete, and kept by the server that it describes."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import hypothesis
import jsonschema_rs
import pytest
import requests
import schemathesis
from fastapi import FastAPI
from fastapi.routing import APIRoute
from hypothesis import strategies as st
from pydantic import BaseModel
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance
from schemathesis.specs.openapi.definitions import OPENAPI_31

from lotus_server.http.app import build_resources
from lotus_server.http.front import Front
from lotus_server.http.openapi import body_of
from lotus_server.usecases.access import AccessCache
from lotus_server.usecases.services import Services
from lotus_server.wire.track import make_decoder
from tests.server_process import ServerProcess
from tests.tenants import Tenant

CHECKS = [not_a_server_error, content_type_conformance, status_code_conformance]
METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="session")
def document(server: ServerProcess) -> dict[str, Any]:
    with server.new_client(None) as client:
        found: dict[str, Any] = client.get("/openapi.json").json()
    return found


@pytest.fixture
def furnished(tenant: Tenant) -> Tenant:
    """One of everything, so that generated requests find something."""
    tenant.metric("known")
    tenant.feature("known")
    price = {"model": "per_unit", "unit_price": "0.01"}
    tenant.plan("known", components=[{"metric_id": "known", "price": price}])
    tenant.customer("known")
    tenant.subscribe("known", "known", subscription_id="known", start_date="2026-01-01")
    return tenant


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")

    jsonschema_rs.Draft202012Validator(OPENAPI_31).validate(document)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    assert {name for name in references(document) if name not in schemas} == set()


def references(value: object) -> set[str]:
    """The names of the schemas that a part of the document refers to."""
    if isinstance(value, dict):
        own = {value["$ref"].removeprefix("#/components/schemas/")} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(each) for each in value.values()))
    return set().union(*(references(each) for each in value)) if isinstance(value, list) else set()


def test_everything_that_is_served_is_described_and_nothing_else(document: dict[str, Any], services: Services) -> None:
    resources = build_resources(services, version="0.0.0")
    front = Front(services, AccessCache(services), resources, resources, decode=make_decoder(str), boot_id="test")
    served = {
        (method.lower(), route.path)
        for route in routes_of(resources)
        if route.include_in_schema
        for method in route.methods or ()
    }
    served |= {(method.lower(), path) for method, path in front._hot}

    described = {(method, path) for path, item in document["paths"].items() for method in item if method in METHODS}

    assert served == described


def routes_of(app: FastAPI) -> Iterator[APIRoute]:
    """The routes of the application and of the routers that it includes."""
    for route in app.routes:
        router = getattr(route, "original_router", None)
        yield from (each for each in (router.routes if router else [route]) if isinstance(each, APIRoute))


def test_every_operation_says_what_it_is_for(document: dict[str, Any]) -> None:
    silent = [
        f"{method} {path}"
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS and not (operation.get("summary") and operation.get("tags"))
    ]

    assert silent == []


def test_every_operation_that_takes_a_body_describes_it(document: dict[str, Any]) -> None:
    without = {
        path
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in {"post", "patch"} and "requestBody" not in operation
    }

    nothing = "archive revoke void end cancel settle retry finalize replace replace_preview invoice_now corrections"
    plain = tuple(f"/{word}/" for word in [*nothing.split(), "check", "start", "stop"])
    assert {path for path in without if not path.endswith(plain)} == set()


def test_the_documentation_page_needs_nothing_from_elsewhere(server: ServerProcess) -> None:
    with server.new_client(None) as client:
        page = client.get("/docs")
        assets = re.findall(r"""(?:src|href)=["']([^"']+)["']""", page.text)
        statuses = {asset: client.get(asset).status_code for asset in assets}

    assert page.status_code == 200
    assert "//" not in "".join(assets)
    assert statuses
    assert set(statuses.values()) == {200}


# Thousands of requests: on a busy machine they take minutes.
@pytest.mark.timeout(900)
def test_no_generated_request_breaks_the_server(
    document: dict[str, Any], furnished: Tenant, server: ServerProcess
) -> None:
    send_generated_requests(document, furnished, server, examples=7, seed=20_261_122)


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_no_request_of_many_generated_ones_breaks_the_server(
    document: dict[str, Any], furnished: Tenant, server: ServerProcess
) -> None:
    send_generated_requests(document, furnished, server, examples=100, seed=time.time_ns())


def send_generated_requests(
    document: dict[str, Any], tenant: Tenant, server: ServerProcess, *, examples: int, seed: int
) -> None:
    """Send so many requests to each operation that keep to its description, and so many that do not."""
    schema = schemathesis.openapi.from_dict(document)
    log = len(server.log)

    broken: dict[str, str] = {}
    calls = 0
    with requests.Session() as session:
        for result in schema.get_all_operations():
            assert isinstance(result, Ok)
            for mode in GenerationMode:
                run = GeneratedRequests(result.ok(), mode, tenant, session)
                found = run.first_failure(examples, seed)
                calls += run.count
                if found is not None:
                    broken[f"{run.operation.label} ({mode.value}, seed {seed})"] = found

    assert broken == {}
    assert calls > examples * len(document["paths"])
    assert "Traceback" not in server.log[log:]
    assert tenant.client.get("/api/ping/").status_code == 200


@dataclass
class GeneratedRequests:
    """Requests to one operation: those that keep to its description, or those that do not."""

    operation: APIOperation[Any, Any, Any, Any]
    mode: GenerationMode
    tenant: Tenant
    session: requests.Session
    count: int = 0

    def first_failure(self, examples: int, seed: int) -> str | None:
        """What went wrong with the first request that was not answered as described."""

        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=examples,
            database=None,
            derandomize=False,
            deadline=None,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(case=self.operation.as_strategy(generation_mode=self.mode), finds_something=st.booleans())
        def call(case: Case[Any], finds_something: bool) -> None:
            self.send(case, finds_something=finds_something)

        try:
            call()
        except hypothesis.errors.Unsatisfiable:
            pass  # nothing can be wrong with a request without parameters
        except Exception as error:  # noqa: BLE001 - whatever it is, the other operations are looked at, too
            return f"{type(error).__name__}: {error}"[:1_500]
        return None

    def send(self, case: Case[Any], *, finds_something: bool) -> None:
        """Send a request, to things that there are if wanted, and hold the answer against the description."""
        self.count += 1
        if finds_something:
            case.path_parameters = dict.fromkeys(case.path_parameters or {}, "known")
        case.call_and_validate(
            base_url=str(self.tenant.client.base_url),
            headers={"X-API-KEY": self.tenant.api_key},
            checks=CHECKS,
            timeout=60,
            session=self.session,
        )


def test_two_forms_of_one_name_are_noticed() -> None:
    other = type("PlanForm", (BaseModel,), {})

    with pytest.raises(AssertionError, match="PlanForm is described once"):
        body_of(other)
