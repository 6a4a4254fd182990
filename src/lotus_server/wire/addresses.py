"""Postal addresses in JSON."""

from typing import Any, Final

from lotus_server.wire.forms import Form, Text

ADDRESS_FIELDS: Final = ("line1", "line2", "city", "state", "postal_code", "country")


class AddressForm(Form):
    """A postal address; `country` is an ISO 3166 alpha-2 code."""

    line1: Text = None
    line2: Text = None
    city: Text = None
    state: Text = None
    postal_code: Text = None
    country: Text = None

    def to_fields(self) -> dict[str, Any]:
        """Return the address as it is kept."""
        return {name: getattr(self, name) for name in ADDRESS_FIELDS}
