"""Paths as they came, made into those that are routed."""

from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.convertors import StringConvertor, register_url_convertor
from typing_extensions import override

# Stands for a slash that was sent encoded, and so belongs to an id. No identifier has a character of private use.
_SLASH_WITHIN: Final = "\ue000"


def tidy_path(raw_path: bytes) -> str:
    """Return the decoded path with single slashes, and one at the end of every API path: old clients send other forms.

    A slash that was sent as `%2F` does not part anything.
    """
    path = _decoded(raw_path) if b"%" in raw_path or not raw_path.isascii() else raw_path.decode("ascii")
    while "//" in path:
        path = path.replace("//", "/")
    if path.startswith("/api/") and not path.endswith("/"):
        path += "/"
    return path


def _decoded(raw_path: bytes) -> str:
    segments = (unquote_to_bytes(segment).decode(errors="replace") for segment in raw_path.split(b"/"))
    return "/".join(segment.replace("/", _SLASH_WITHIN) for segment in segments)


class _Segment(StringConvertor):
    """One segment of a path, as whoever made the id wrote it."""

    @override
    def convert(self, value: str) -> str:
        return value.replace(_SLASH_WITHIN, "/")


def read_slashes_within_segments() -> None:
    """Routes that are made from now on get slashes within their parameters."""
    register_url_convertor("str", _Segment())
