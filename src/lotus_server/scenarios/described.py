"""What the API takes, by its own description.

A key that it does not know is ignored, and a typing error with it.
"""

from collections.abc import Iterator

from lotus_server.scenarios.api import Json
from lotus_server.scenarios.yaml_text import Path

_ALTERNATIVES = ("anyOf", "oneOf", "allOf")


class Description:
    """The OpenAPI description of a server."""

    def __init__(self, document: Json) -> None:
        """Take the document; one that describes nothing makes everything known."""
        self._paths: Json = document.get("paths", {}) if isinstance(document, dict) else {}
        self._schemas: Json = document.get("components", {}).get("schemas", {}) if isinstance(document, dict) else {}

    def unknown_keys(self, method: str, path: str, body: Json) -> list[Path]:
        """Return the way to each key of a body that the call does not know. `path` is as it is described."""
        operation = self._paths.get(path, {}).get(method.lower(), {})
        content = operation.get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        return [] if schema is None else list(self._unknown([schema], body, ()))

    def _unknown(self, schemas: list[Json], value: Json, path: Path) -> Iterator[Path]:
        shapes = list(self._shapes(schemas))
        if isinstance(value, list):
            items = [shape["items"] for shape in shapes if "items" in shape]
            for index, member in enumerate(value):
                yield from self._unknown(items, member, (*path, index))
        if not isinstance(value, dict):
            return
        objects = [shape["properties"] for shape in shapes if "properties" in shape]
        is_free = any("properties" not in shape and shape.get("type", "object") == "object" for shape in shapes)
        if is_free or not objects:
            return
        for key, member in value.items():
            found = [properties[key] for properties in objects if key in properties]
            if found:
                yield from self._unknown(found, member, (*path, key))
            else:
                yield (*path, key)

    def _shapes(self, schemas: list[Json]) -> Iterator[Json]:
        """Yield the schemas that are no alternatives of others and no references."""
        for schema in schemas:
            if not isinstance(schema, dict):
                continue
            if "$ref" in schema:
                yield from self._shapes([self._schemas.get(schema["$ref"].rpartition("/")[2], {})])
            elif any(key in schema for key in _ALTERNATIVES):
                for key in _ALTERNATIVES:
                    yield from self._shapes(schema.get(key, []))
            else:
                yield schema
