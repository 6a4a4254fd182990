"""The picture that stands for an organization on its documents."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from lotus_server.kernel.errors import FieldProblem

LOGO_BYTES_MAX: Final = 256 * 1024
# A small file can unpack to a picture of many gigabytes.
LOGO_PIXELS_MAX: Final = 4_000_000

PNG: Final = "image/png"
JPEG: Final = "image/jpeg"
SVG: Final = "image/svg+xml"
LOGO_TYPES: Final = (PNG, JPEG, SVG)

_PNG_HEAD: Final = b"\x89PNG\r\n\x1a\n"
_JPEG_HEAD: Final = b"\xff\xd8\xff"
# The frame headers of JPEG; C4, C8 and CC are other things.
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SVG: Final = re.compile(rb"<svg[\s>]")


class Logo(msgspec.Struct, frozen=True):
    """A picture of one of `LOGO_TYPES`."""

    organization_id: str
    media_type: str
    content: bytes

    def problem(self) -> FieldProblem | None:
        """Return what is wrong with the picture, as far as its first bytes tell."""
        if self.media_type not in LOGO_TYPES:
            return FieldProblem("content-type", "invalid_choice", f"A logo is one of {', '.join(LOGO_TYPES)}.")
        if len(self.content) > LOGO_BYTES_MAX:
            return FieldProblem("body", "too_long", f"A logo has at most {LOGO_BYTES_MAX // 1024} KiB.")
        if not _is_of_type(self.content, self.media_type):
            return FieldProblem("body", "invalid", f"The body is no picture of the type {self.media_type}.")
        if self.media_type != SVG and not 0 < _pixels(self.content, self.media_type) <= LOGO_PIXELS_MAX:
            return FieldProblem("body", "out_of_range", f"A logo has 1 to {LOGO_PIXELS_MAX} pixels.")
        return None


def _is_of_type(content: bytes, media_type: str) -> bool:
    if media_type == PNG:
        return content.startswith(_PNG_HEAD) and content[12:16] == b"IHDR"
    if media_type == JPEG:
        return content.startswith(_JPEG_HEAD)
    # Entities are a way to make a huge text from a small one, and no drawing needs them.
    return _SVG.search(content) is not None and b"<!ENTITY" not in content


def _pixels(content: bytes, media_type: str) -> int:
    """Return width times height as the picture announces it; 0 when it does not."""
    if media_type == PNG:
        return _number(content, 16, 4) * _number(content, 20, 4)
    return next((height * width for height, width in _jpeg_frames(content)), 0)


def _jpeg_frames(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield height and width of each frame. A JPEG file is a row of segments, each with its length."""
    place = 2
    while place + 9 <= len(content) and content[place] == 0xFF:
        if content[place + 1] in _JPEG_FRAMES:
            yield _number(content, place + 5, 2), _number(content, place + 7, 2)
        place += 2 + max(_number(content, place + 2, 2), 2)


def _number(content: bytes, place: int, length: int) -> int:
    return int.from_bytes(content[place : place + length], "big")
