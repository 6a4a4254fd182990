"""Identifiers that stand in e-invoices of both syntaxes."""

from typing import Final

from lotus_server.ports.e_invoices import Profile

# The specification that a document keeps (BT-24).
SPECIFICATIONS: Final = {
    Profile.EN_16931: "urn:cen.eu:en16931:2017",
    Profile.PEPPOL: "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0",
}
# The business process (BT-23); the norm alone asks for none.
PROCESSES: Final = {Profile.PEPPOL: "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"}

# UN/ECE recommendation 20: a thing that is counted.
UNIT: Final = "C62"
# The electronic address is one of e-mail, by the code list of electronic address schemes.
EMAIL_SCHEME: Final = "EM"
# UNTDID 5189: a discount.
DISCOUNT: Final = "95"
