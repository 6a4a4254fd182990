"""Styles, scripts, icons and the font: read once, packed once, and kept by browsers for ever."""

import gzip
import hashlib
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from lotus_server.kernel.errors import Unavailable

_FOLDER: Final = Path(__file__).with_name("assets")
_BUILT: Final = "vendor/tabler.css"
_MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_PACKED: Final = frozenset({".css", ".js", ".svg"})
_FOR_EVER: Final = "public, max-age=31536000, immutable"


class Assets:
    """The files that pages load. Their address has a digest of them all, so releases are never mixed."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        """Read every file. Raises Unavailable when those of other makers were not installed."""
        if not (folder / _BUILT).exists():
            raise Unavailable(
                "The web app's styles and scripts are not installed: run `make setup`.", code="assets_missing"
            )
        self._files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.suffix in _MEDIA_TYPES
        }
        self._packed: dict[str, bytes] = {}
        digest = hashlib.sha256()
        for name, content in self._files.items():
            digest.update(name.encode() + b"\0" + content)
        self.digest = digest.hexdigest()[:12]

    def url(self, name: str) -> str:
        """Return the address of a file. Raises KeyError for one that is not there."""
        if name not in self._files:
            raise KeyError(name)
        return f"/assets/{self.digest}/{name}"

    def respond(self, request: Request) -> Response:
        """Serve a file; packed, when that helps and the browser takes it."""
        name: str = request.path_params["name"]
        content = self._files.get(name)
        if content is None:
            return Response("There is no such file.", 404, media_type="text/plain")
        suffix = Path(name).suffix
        headers = {"cache-control": _FOR_EVER, "vary": "accept-encoding", "x-content-type-options": "nosniff"}
        if suffix in _PACKED and "gzip" in request.headers.get("accept-encoding", ""):
            content = self._packed.setdefault(name, self._packed.get(name) or gzip.compress(content, mtime=0))
            headers["content-encoding"] = "gzip"
        return Response(content, headers=headers, media_type=_MEDIA_TYPES[suffix])
