"""Numbers in a body are exact, and those that no arithmetic can hold are refused where they stand."""

from decimal import Decimal

import pytest
from fastapi import Request

from lotus_server.http.body import json_body
from lotus_server.kernel.errors import Invalid


def _request(body: bytes) -> Request:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}, receive)


async def test_numbers_keep_every_digit() -> None:
    parsed = await json_body(_request(b'{"a":0.123456789012345678901234567890,"b":1e2,"c":7}'))

    assert {"a": Decimal("0.123456789012345678901234567890"), "b": Decimal("1e2"), "c": 7} == parsed


@pytest.mark.parametrize("number", [b"1e9999999999999999999", b"-1e-99999999999999999999", b"9" * 5_000])
async def test_a_number_beyond_all_arithmetic_is_left_to_its_field_to_refuse(number: bytes) -> None:
    parsed = await json_body(_request(b'{"a":' + number + b"}"))

    assert isinstance(parsed, dict)
    assert isinstance(parsed["a"], Decimal)


@pytest.mark.parametrize("body", [b"{", b"NaN", b"Infinity", b"\xff", b"[" * 100_000, b'{"a":01}'])
async def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid) as raised:
        await json_body(_request(body))

    assert "malformed_json" == raised.value.code
