"""What can be a logo, as far as it can be told without printing it."""

import pytest

from lotus_server.domain.accounts import LOGO_BYTES_MAX, Logo
from tests.pictures import SVG, jpeg, png

PNG_TYPE, JPEG_TYPE, SVG_TYPE = "image/png", "image/jpeg", "image/svg+xml"


def code_of(media_type: str, content: bytes) -> str | None:
    problem = Logo("org", media_type, content).problem()
    return None if problem is None else problem.code


@pytest.mark.parametrize(
    ("media_type", "content"),
    [(PNG_TYPE, png()), (PNG_TYPE, png(2000, 2000)), (JPEG_TYPE, jpeg(2000, 2000)), (SVG_TYPE, SVG)],
)
def test_pictures_of_three_types_are_logos(media_type: str, content: bytes) -> None:
    assert code_of(media_type, content) is None


@pytest.mark.parametrize(
    ("media_type", "content", "code"),
    [
        ("image/gif", b"GIF89a", "invalid_choice"),
        ("", png(), "invalid_choice"),
        (PNG_TYPE, b"", "invalid"),
        (PNG_TYPE, jpeg(), "invalid"),
        (JPEG_TYPE, png(), "invalid"),
        (SVG_TYPE, png(), "invalid"),
        (SVG_TYPE, b'<!DOCTYPE s [<!ENTITY a "b">]>' + SVG, "invalid"),
        (SVG_TYPE, SVG + b" " * LOGO_BYTES_MAX, "too_long"),
        (PNG_TYPE, png(2000, 2001), "out_of_range"),
        (PNG_TYPE, png(0, 5), "out_of_range"),
        (JPEG_TYPE, jpeg(2001, 2000), "out_of_range"),
        (JPEG_TYPE, b"\xff\xd8\xff", "out_of_range"),
        (JPEG_TYPE, b"\xff\xd8\xff\xe0\x00\x00\xff\xe0\x00\x00\xff\xe0\x00\x00", "out_of_range"),
    ],
)
def test_anything_else_is_none(media_type: str, content: bytes, code: str) -> None:
    assert code == code_of(media_type, content)


def test_a_logo_may_be_as_large_as_the_limit() -> None:
    assert code_of(SVG_TYPE, SVG + b" " * (LOGO_BYTES_MAX - len(SVG))) is None
