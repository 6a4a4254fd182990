"""The OpenAPI description of request bodies, made from the same forms that read them, and of the hot paths."""

from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

_FORMS: Final[dict[str, type[BaseModel]]] = {}
_REF: Final = "#/components/schemas/{model}"
PROBLEM_REF: Final = {"$ref": "#/components/schemas/Problem"}

_PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "title": "Problem",
    "description": "An RFC 9457 problem document. `title` is a stable code.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "validation_errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "validation_errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
PROBLEM: Final[dict[str, Any]] = {
    "description": "A problem document",
    "content": {"application/problem+json": {"schema": PROBLEM_REF}},
}
PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {"4XX": PROBLEM}


def body_of(form: type[BaseModel], *, is_required: bool = True) -> dict[str, Any]:
    """Return what describes an endpoint's body: pass it as `openapi_extra`. No two forms have one name."""
    known = _FORMS.setdefault(form.__name__, form)
    assert known is form, f"{form.__name__} is described once, but {known.__module__} and {form.__module__} have one"
    schema = {"$ref": _REF.format(model=form.__name__)}
    return {"requestBody": {"required": is_required, "content": {"application/json": {"schema": schema}}}}


def parameter(
    name: str, description: str, *, is_required: bool = False, choices: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return the description of a query parameter."""
    schema: dict[str, Any] = {"type": "string"}
    if choices:
        schema["enum"] = list(choices)
    return {"name": name, "in": "query", "required": is_required, "description": description, "schema": schema}


def complete(document: dict[str, Any], hot_paths: dict[str, Any]) -> dict[str, Any]:
    """Return the document with the bodies' schemas, the hot paths, the problem document and the ways to send a key."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    _, definitions = models_json_schema([(form, "validation") for form in _FORMS.values()], ref_template=_REF)
    schemas.update(definitions.get("$defs", {}))
    schemas["Problem"] = _PROBLEM_SCHEMA
    components["securitySchemes"] = {
        "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-KEY"},
        "Bearer": {"type": "http", "scheme": "bearer"},
    }
    document["security"] = [{"ApiKey": []}, {"Bearer": []}]
    document["paths"].update(hot_paths)
    return document
