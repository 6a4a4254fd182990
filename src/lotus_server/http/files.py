"""Answers that are files."""

from typing import Any, Final

from starlette.responses import Response

PDF: Final = "application/pdf"
XML: Final = "application/xml"


def file_reply(content: bytes, name: str, media_type: str) -> Response:
    """Return a response with a file that is shown where it can be, and saved under its name."""
    # Numbers of documents are ours: letters, digits and dashes.
    return Response(content, media_type=media_type, headers={"content-disposition": f'inline; filename="{name}"'})


def described(media_type: str) -> dict[str, Any]:
    """Return how the OpenAPI file describes an answer that is a file."""
    return {"description": "The document", "content": {media_type: {}}}
