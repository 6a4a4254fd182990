"""What is printed of an invoice."""

from typing import Any

import pytest

from lotus_server.domain.accounts import InvoiceSettings
from lotus_server.usecases.documents import document_of
from lotus_server.usecases.invoices import InvoiceView
from tests import records_values as values

PLACE: dict[str, Any] = {"line1": "Weg 1", "line2": None, "city": "Köln", "postal_code": "50667", "country": "DE"}


def view(**seller: Any) -> InvoiceView:  # noqa: ANN401 - settings of invoices
    organization = values.organization(invoice_settings=InvoiceSettings(**seller))
    return InvoiceView(values.invoice(), values.customer(), organization, values.subscription(), {})


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (PLACE, ("Weg 1", "50667 Köln", "DE")),
        ({**PLACE, "state": "NRW"}, ("Weg 1", "50667 Köln", "NRW", "DE")),
        (
            {"line1": "1 Main St", "city": "Springfield", "state": "IL", "postal_code": "62701", "country": "US"},
            ("1 Main St", "Springfield, IL 62701", "US"),
        ),
        ({"country": "US"}, ("US",)),
        ({"city": "Springfield", "country": "us"}, ("Springfield", "us")),
        (None, ()),
    ],
)
def test_an_address_reads_as_its_country_writes_it(address: dict[str, Any] | None, expected: tuple[str, ...]) -> None:
    assert expected == document_of(view(address=address)).seller.address


def test_a_group_is_shown_before_the_steps_of_its_line() -> None:
    found = view()
    (line, *_) = found.invoice.lines
    grouped = values.invoice_line(group={"model": "large", "region": None})

    details = (
        document_of(
            InvoiceView(values.invoice(lines=(grouped,)), found.customer, found.organization, found.subscription, {})
        )
        .lines[0]
        .details
    )

    assert ("model: large", "region: –") == details[:2]  # noqa: RUF001 - as it is printed
    assert [step.text for step in grouped.steps] == list(details[2:])
    assert line.name == "API calls"
