"""The fixed words of a document, by language."""

from typing import Final

import msgspec


class Words(msgspec.Struct, frozen=True):
    """Everything on a document that is not data."""

    invoice: str
    draft: str
    credit_note: str
    voided: str
    number: str
    issued: str
    due: str
    refers_to: str
    from_: str
    bill_to: str
    tax_id: str
    description: str
    quantity: str
    amount: str
    subtotal: str
    tax: str
    included_tax: str
    total: str
    amount_due: str
    tax_summary: str
    rate: str
    net: str
    no_tax: str
    page: str


_ENGLISH: Final = Words(
    "Invoice",
    "Draft",
    "Credit note",
    "Void",
    "Number",
    "Date",
    "Due",
    "Refers to",
    "From",
    "Bill to",
    "Tax ID",
    "Description",
    "Quantity",
    "Amount",
    "Subtotal",
    "Tax",
    "Tax included",
    "Total",
    "Amount due",
    "Tax summary",
    "Rate",
    "Net",
    "No tax",
    "Page",
)
_BY_LANGUAGE: Final = {
    "en": _ENGLISH,
    "de": Words(
        "Rechnung",
        "Entwurf",
        "Rechnungskorrektur",  # in tax law, a "Gutschrift" is an invoice that the buyer writes
        "Storniert",
        "Nummer",
        "Datum",
        "Fällig am",
        "Bezieht sich auf",
        "Von",
        "Rechnung an",
        "USt-IdNr.",
        "Beschreibung",
        "Menge",
        "Betrag",
        "Zwischensumme",
        "USt.",
        "Enthaltene USt.",
        "Gesamtbetrag",
        "Zu zahlen",
        "Steuerübersicht",
        "Satz",
        "Netto",
        "Keine Steuer",
        "Seite",
    ),
    "fr": Words(
        "Facture",
        "Brouillon",
        "Avoir",
        "Annulée",
        "Numéro",
        "Date",
        "Échéance",
        "Se réfère à",
        "De",
        "Facturé à",
        "N° TVA",
        "Description",
        "Quantité",
        "Montant",
        "Sous-total",
        "TVA",
        "TVA incluse",
        "Total",
        "Montant dû",
        "Récapitulatif de TVA",
        "Taux",
        "Net",
        "Sans taxe",
        "Page",
    ),
    "es": Words(
        "Factura",
        "Borrador",
        "Nota de crédito",
        "Anulada",
        "Número",
        "Fecha",
        "Vencimiento",
        "Se refiere a",
        "De",
        "Facturar a",
        "NIF",
        "Descripción",
        "Cantidad",
        "Importe",
        "Subtotal",
        "IVA",
        "IVA incluido",
        "Total",
        "Importe a pagar",
        "Resumen de impuestos",
        "Tipo",
        "Neto",
        "Sin impuesto",
        "Página",
    ),
}


def words_of(language: str) -> Words:
    """Return the words of a language, in English when it is not one of those known."""
    return _BY_LANGUAGE.get(language, _ENGLISH)
