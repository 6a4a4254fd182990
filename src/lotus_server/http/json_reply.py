"""JSON out: amounts are exact decimal literals made from `Decimal`, instants are RFC 3339 in UTC."""

from decimal import Decimal
from typing import Final

import msgspec
from starlette.responses import Response

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
JSON: Final = "application/json"


def encode(payload: object) -> bytes:
    """Return a payload as JSON bytes. Decimals become number literals without an exponent, whatever their scale."""
    return _ENCODER.encode(_plain(payload))


def json_reply(status: int, payload: object, headers: dict[str, str] | None = None) -> Response:
    """Return a response with a JSON body."""
    return Response(encode(payload), status_code=status, headers=headers, media_type=JSON)


def _plain(value: object) -> object:
    """Write out numbers such as 1E+5: it is valid JSON, but some readers take a number with an exponent for a float."""
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        if isinstance(exponent, int) and (exponent > 0 or exponent < -6):
            return msgspec.Raw(format(value, "f").encode())
        return value
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value
