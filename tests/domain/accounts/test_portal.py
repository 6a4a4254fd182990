"""Signed links to the customer portal."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.accounts import Portal, PortalClaim, claim_for, claimed, is_signed, signed

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = "s" * 43
CLAIM = claim_for("org_1", "acme", NOW, 24)


@given(customer_id=st.text(min_size=1, max_size=50), hours=st.integers(1, 8_760))
def test_a_token_says_what_was_signed(customer_id: str, hours: int) -> None:
    claim = claim_for("org_1", customer_id.encode("utf-8", "ignore").decode() or "x", NOW, hours)
    token = signed(claim, SECRET)
    assert claimed(token) == claim
    assert is_signed(token, SECRET)


def test_a_token_of_another_secret_is_not_signed() -> None:
    assert not is_signed(signed(CLAIM, "other"), SECRET)


@given(place=st.integers(0, 10_000), character=st.sampled_from("ABCXYZabcxyz019-_."))
def test_a_token_that_was_changed_anywhere_is_not_signed(place: int, character: str) -> None:
    token = signed(CLAIM, SECRET)
    place %= len(token)
    changed = token[:place] + character + token[place + 1 :]
    assert changed == token or not is_signed(changed, SECRET)


@given(st.text(max_size=60))
def test_any_text_is_a_token_or_none_and_breaks_nothing(text: str) -> None:
    assert not is_signed(text, SECRET)
    assert claimed(text) is None or isinstance(claimed(text), PortalClaim)


def test_a_link_ends_at_its_instant_exactly() -> None:
    assert CLAIM.is_valid_at(NOW + timedelta(hours=24) - timedelta(microseconds=1))
    assert not CLAIM.is_valid_at(NOW + timedelta(hours=24))


@pytest.mark.parametrize("color", ["", "red", "#12345", "#1234567", "#GGGGGG", "#000000;}"])
def test_a_colour_that_is_none_is_refused(color: str) -> None:
    assert [each.field for each in Portal("org", SECRET, color).problems()] == ["color"]


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "*",
        "example.com",
        "https://",
        "https://a.b/path",
        "javascript:alert(1)",
        "https://a b",
        "https://a;script-src *",
        "https://user@a.example",
        "HTTPS://A.example",
        "https://a.example:x",
        "https://a.example\n",
    ],
)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    assert [each.field for each in Portal("org", SECRET, embed_origins=(origin,)).problems()] == ["embed_origins"]


@pytest.mark.parametrize("origin", ["https://app.example.com", "http://localhost:3000", "https://10.0.0.1:8443"])
def test_an_origin_is_taken(origin: str) -> None:
    assert not Portal("org", SECRET, embed_origins=(origin,)).problems()
