"""Documents set by Typst: one template, the numbers and dates written as the reader's country writes them."""

import functools
import tempfile
from collections.abc import Callable
from copy import copy
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import typst
from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal, format_percent
from typing_extensions import override

from lotus_server.adapters.documents_typst.factur_x import FILE_NAME, with_factur_x_metadata
from lotus_server.adapters.documents_typst.words import Words, words_of
from lotus_server.kernel.currencies import currency
from lotus_server.kernel.errors import Invalid
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import DIVISION, cut_quotient
from lotus_server.ports.documents import DocumentKind, DocumentLine, InvoiceDocument, Party, PrintedDocuments

_TEMPLATE: Final = Path(__file__).parent / "invoice.typ"
_INSTANT: Final = timedelta(microseconds=1)
# PDF/A-3 is what archives accept, and what an e-invoice can be attached to.
_STANDARD: Final = "a-3a"
_DOTS_PER_INCH: Final = 96.0


class TypstDocuments(PrintedDocuments):
    """See `ports/documents.py` for what each method promises."""

    @override
    def pdf(self, document: InvoiceDocument, *, factur_x: bytes | None = None) -> bytes:
        inputs = _inputs(document)
        if factur_x is None:
            return _printed(document, inputs, _as_pdf)
        attached = {"attached": factur_x.decode(), "attached-name": FILE_NAME}
        return with_factur_x_metadata(_printed(document, inputs | attached, _as_pdf))

    @override
    def picture(self, document: InvoiceDocument) -> bytes:
        return _printed(document, _inputs(document), _as_picture)


Compile = Callable[[bytes | Path, dict[str, str], datetime], bytes]


def _inputs(document: InvoiceDocument) -> dict[str, str]:
    with localcontext(DIVISION):  # an amount may have more digits than the interpreter's own context keeps
        data = _Writer(document).data()
    return {"data": msgspec.json.encode(data).decode()}


def _printed(document: InvoiceDocument, inputs: dict[str, str], compile_: Compile) -> bytes:
    # A fixed time makes the same document the same bytes. Files know whole seconds only.
    timestamp = document.issued_at.astimezone(UTC).replace(microsecond=0)
    if document.logo is None:
        return compile_(_TEMPLATE.read_bytes(), inputs, timestamp)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "logo").write_bytes(document.logo)
        main = Path(folder) / "invoice.typ"
        main.write_bytes(_TEMPLATE.read_bytes())
        try:
            return compile_(main, inputs, timestamp)
        except typst.TypstError as error:
            raise Invalid(f"The logo cannot be shown: {error}.", code="logo_unreadable") from error


def _as_pdf(source: bytes | Path, inputs: dict[str, str], timestamp: datetime) -> bytes:
    made = typst.compile(source, sys_inputs=inputs, font_paths=_fonts(), timestamp=timestamp, pdf_standards=_STANDARD)
    assert isinstance(made, bytes), "one document, one file"
    return made


def _as_picture(source: bytes | Path, inputs: dict[str, str], timestamp: datetime) -> bytes:
    made = typst.compile(
        source, format="png", ppi=_DOTS_PER_INCH, sys_inputs=inputs, font_paths=_fonts(), timestamp=timestamp
    )
    # One page is a picture, several are a list of them; the library's own types know of the first case only.
    pages: Any = made
    first: bytes = pages[0] if isinstance(pages, list) else pages
    return first


@functools.cache
def _fonts() -> Any:  # noqa: ANN401 - the library's own type
    """Return the fonts: those within the library first, the machine's for scripts that these lack. Found only once."""
    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=True)


class _Writer:
    """Writes the values of one document as its locale writes them."""

    def __init__(self, document: InvoiceDocument) -> None:
        self._document = document
        self._locale = Locale.parse(document.locale)
        self._zone = ZoneInfo(document.zone)
        self._words = words_of(self._locale.language)

    def data(self) -> dict[str, Any]:
        document, words = self._document, self._words
        heading = words.credit_note if document.kind is DocumentKind.CREDIT_NOTE else words.invoice
        return {
            "title": f"{heading} {document.number or words.draft}",
            "heading": heading,
            "language": self._locale.language,
            "paper": document.paper.value,
            "logo": document.logo is not None,
            "stamp": {DocumentKind.DRAFT: words.draft, DocumentKind.VOIDED: words.voided}.get(document.kind),
            "seller": self._party(document.seller),
            "buyer": self._party(document.buyer),
            "words": _names(words),
            "facts": self._facts(),
            "lines": [self._line(line) for line in document.lines],
            "sums": self._sums(),
            "taxes": self._taxes(),
            "notes": document.notes,
        }

    def _party(self, party: Party) -> dict[str, Any]:
        footer = " · ".join(part for part in (party.name, *party.address, party.email) if part)
        return msgspec.structs.asdict(party) | {"footer": footer}

    def _facts(self) -> list[tuple[str, str]]:
        document, words = self._document, self._words
        facts = [(words.number, document.number)] if document.number else []
        facts.append((words.issued, self._date(document.issued_at)))
        if document.due_at is not None:
            facts.append((words.due, self._date(document.due_at)))
        if document.refers_to is not None:
            facts.append((words.refers_to, document.refers_to))
        return facts

    def _line(self, line: DocumentLine) -> dict[str, Any]:
        quantity = "" if line.quantity is None else self._number(line.quantity)
        return {
            "name": line.name,
            "period": self._period(line.period),
            "quantity": quantity,
            "amount": self._money(line.amount),
            "details": line.details,
            "heading": line.heading,
        }

    def _sums(self) -> list[dict[str, Any]]:
        document, words = self._document, self._words
        sums = [(words.subtotal, document.subtotal, False)]
        sums += [(name, amount, False) for name, amount in document.deductions]
        if not document.prices_include_tax:
            sums += [(self._tax_name(tax.percent), tax.tax, False) for tax in document.taxes if tax.percent is not None]
        sums.append((words.total, document.total, True))
        if document.prices_include_tax:
            included = [tax for tax in document.taxes if tax.percent is not None]
            sums += [(f"{words.included_tax} {self._percent(tax.percent)}", tax.tax, False) for tax in included]
        sums += [(name, amount, False) for name, amount in document.payments]
        if document.payments or document.amount_due != document.total:
            sums.append((words.amount_due, document.amount_due, True))
        return [{"name": name, "amount": self._money(amount), "strong": strong} for name, amount, strong in sums]

    def _tax_name(self, percent: Decimal | None) -> str:
        return f"{self._words.tax} {self._percent(percent)}"

    def _taxes(self) -> list[dict[str, str]]:
        return [
            {
                "rate": self._words.no_tax if tax.percent is None else self._percent(tax.percent),
                "base": self._money(tax.base),
                "tax": self._money(tax.tax) + (f" ({tax.reason})" if tax.reason else ""),
            }
            for tax in self._document.taxes
        ]

    def _percent(self, percent: Decimal | None) -> str:
        assert percent is not None, "asked only of a rate"
        return format_percent(percent.scaleb(-2), locale=self._locale, decimal_quantization=False)

    def _money(self, amount: Decimal) -> str:
        """Return an amount with the decimal places of ISO 4217; those of everyday use differ for some currencies."""
        unit = currency(self._document.currency)
        pattern = copy(self._locale.currency_formats["standard"])
        pattern.frac_prec = (unit.exponent, unit.exponent)
        written: str = pattern.apply(amount, self._locale, currency=unit.code, currency_digits=False)
        return written

    def _number(self, number: Decimal) -> str:
        shown, is_cut = cut_quotient(number)
        text = format_decimal(shown, locale=self._locale, decimal_quantization=False)
        return f"{text}\N{HORIZONTAL ELLIPSIS}" if is_cut else text

    def _date(self, instant: datetime) -> str:
        return format_date(instant.astimezone(self._zone).date(), format="medium", locale=self._locale)

    def _period(self, period: Period) -> str:
        """Return the first and the last day that a period touches; an instant has one."""
        last = max(period.start, period.end - _INSTANT)
        first_day, last_day = self._date(period.start), self._date(last)
        return first_day if first_day == last_day else f"{first_day} – {last_day}"  # noqa: RUF001 - as it is printed


def _names(words: Words) -> dict[str, str]:
    return {name.rstrip("_"): text for name, text in msgspec.structs.asdict(words).items()}
