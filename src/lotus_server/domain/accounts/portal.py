"""The portal: signed links by which one customer sees its own plan, usage, invoices and credits, and nothing else."""

import base64
import binascii
import hashlib
import hmac
import re
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import msgspec

from lotus_server.kernel.errors import FieldProblem, Problems
from lotus_server.kernel.instants import from_microseconds, to_microseconds

LINK_HOURS_DEFAULT: Final = 24
LINK_HOURS_MAX: Final = 8_760
EMBED_ORIGINS_MAX: Final = 20
_COLOR: Final = re.compile(r"#[0-9a-f]{6}")


class Portal(msgspec.Struct, frozen=True):
    """How an organization's portal looks, who may show it within pages of theirs, and what signs its links.

    `color` is as in CSS, `#rrggbb`. `embed_origins` are origins such as `https://app.example.com`. Who changes `secret`
    ends every link that was made before.
    """

    organization_id: str
    secret: str
    color: str = "#6d28d9"
    embed_origins: tuple[str, ...] = ()

    def problems(self) -> tuple[FieldProblem, ...]:
        """Return everything that is wrong with the settings."""
        found = Problems()
        if not _COLOR.fullmatch(self.color):
            found.add("color", "invalid", "color is six hexadecimal digits after a #, such as #6d28d9.")
        if len(self.embed_origins) > EMBED_ORIGINS_MAX:
            found.add("embed_origins", "too_many", f"There are at most {EMBED_ORIGINS_MAX} origins.")
        for origin in self.embed_origins:
            if not _is_origin(origin):
                detail = f"{origin!r} is not an origin, such as https://app.example.com."
                found.add("embed_origins", "invalid", detail)
        return found.found


class PortalClaim(msgspec.Struct, frozen=True):
    """What a link says: for whom it is, and until when it opens anything, that instant not included."""

    organization_id: str
    customer_id: str
    expires_at: datetime

    def is_valid_at(self, now: datetime) -> bool:
        """Tell whether the link opens anything at an instant."""
        return now < self.expires_at


def claim_for(organization_id: str, customer_id: str, now: datetime, hours: int) -> PortalClaim:
    """Return what a link says that is made now and opens for so many hours."""
    return PortalClaim(organization_id, customer_id, now + timedelta(hours=hours))


def signed(claim: PortalClaim, secret: str) -> str:
    """Return a claim as a token for addresses: what it says, readable by anybody, and a signature (HMAC-SHA-256)."""
    said = msgspec.json.encode((claim.organization_id, claim.customer_id, to_microseconds(claim.expires_at)))
    return f"{_text(said)}.{_text(_signature(said, secret))}"


def claimed(token: str) -> PortalClaim | None:
    """Return what a token says, not yet believed; null for what is no token."""
    said = _bytes(token.partition(".")[0])
    try:
        organization_id, customer_id, expires_us = msgspec.json.decode(said, type=tuple[str, str, int])
        return PortalClaim(organization_id, customer_id, from_microseconds(expires_us))
    except (msgspec.DecodeError, OverflowError, ValueError):
        return None


def is_signed(token: str, secret: str) -> bool:
    """Tell whether a token was signed with a secret, in a time that does not tell how much of it is right."""
    said, _, signature = token.partition(".")
    return hmac.compare_digest(_bytes(signature), _signature(_bytes(said), secret))


def _signature(said: bytes, secret: str) -> bytes:
    return hmac.new(secret.encode(), said, hashlib.sha256).digest()


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    """Return what a text stands for; nothing when it stands for nothing, or is not written as `_text` writes it."""
    try:
        content = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return b""
    return content if _text(content) == text else b""


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    written = f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")
    return parts.scheme in {"http", "https"} and re.fullmatch(r"[a-z0-9.-]+", host) is not None and written == text
