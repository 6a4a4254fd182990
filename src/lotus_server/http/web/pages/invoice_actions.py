"""What is done with invoices: paid, uncollectible, void, taken back by a credit note, or issued for a single sale."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from starlette.responses import Response

from lotus_server.domain.invoicing import PaymentStatus
from lotus_server.http.web.pages.invoices import path_of
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import Visit
from lotus_server.kernel.errors import FieldProblem, Invalid, LotusError
from lotus_server.usecases.credit_notes import CreditNoteView, create_credit_note, preview_credit_note
from lotus_server.usecases.invoices import InvoiceView, get_invoice, set_payment_status, void_invoice
from lotus_server.usecases.one_off_invoices import issue_one_off
from lotus_server.usecases.permissions import Verb
from lotus_server.usecases.rehearsal import preview_one_off
from lotus_server.wire.credit_notes import credit_note_draft
from lotus_server.wire.one_off_invoices import one_off_draft

FIRST_ROWS: Final = 3
pages = Pages()


class Action(msgspec.Struct, frozen=True):
    """Something that is done with a whole invoice, once somebody has said yes; `done` ends the sentence about it."""

    verb: Verb
    do: Callable[[Visit, str], InvoiceView]
    title: str
    button: str
    kind: str
    done: str


def _marks(status: PaymentStatus) -> Callable[[Visit, str], InvoiceView]:
    return lambda visit, invoice_id: visit.do(set_payment_status, invoice_id, status)


def _voids(visit: Visit, invoice_id: str) -> InvoiceView:
    return visit.do(void_invoice, invoice_id)


ACTIONS: Final[Mapping[str, Action]] = {
    "paid": Action(
        set_payment_status, _marks(PaymentStatus.PAID), "Mark as paid?", "Mark as paid", "primary", "is marked as paid."
    ),
    "unpaid": Action(
        set_payment_status,
        _marks(PaymentStatus.UNPAID),
        "Mark as unpaid?",
        "Mark as unpaid",
        "primary",
        "is unpaid again.",
    ),
    "uncollectible": Action(
        set_payment_status,
        _marks(PaymentStatus.UNCOLLECTIBLE),
        "Nobody will pay this?",
        "Mark as uncollectible",
        "danger",
        "is marked as uncollectible.",
    ),
    "void": Action(void_invoice, _voids, "Void this invoice?", "Void", "danger", "is void."),
}


def _register(name: str, action: Action) -> None:
    @pages.get(f"/invoices/{{invoice_id}}/{name}")
    def ask(visit: Visit) -> Response:
        """Say what it means before it is done."""
        visit.require(action.verb)
        return _dialog(visit, name)

    @pages.post(f"/invoices/{{invoice_id}}/{name}")
    def act(visit: Visit) -> Response:
        """Do it, or say why it cannot be done."""
        visit.require(action.verb)
        invoice_id = visit.part("invoice_id")
        try:
            view = action.do(visit, invoice_id)
        except LotusError as error:
            visit.do(get_invoice, invoice_id)
            visit.form.with_error(error)
            return _dialog(visit, name, status=409)
        return visit.redirect(path_of(visit, invoice_id), f"Invoice {view.invoice.invoice_number} {action.done}")


def _dialog(visit: Visit, name: str, *, status: int = 200) -> Response:
    view = visit.do(get_invoice, visit.part("invoice_id"))
    data = {"view": view, "invoice": view.invoice, "action": ACTIONS[name], "name": name}
    return visit.page("invoices/action.html", fragment="dialog", status=status, **data)


for _name, _action in ACTIONS.items():
    _register(_name, _action)


@pages.get("/invoices/{invoice_id}/credit-note")
def credit_note_page(visit: Visit) -> Response:
    """Show what is left of each line, and what taking all of it back comes to."""
    visit.require(create_credit_note)
    return _credit_note_page(visit, _whole(visit))


@pages.post("/invoices/{invoice_id}/credit-note")
def credit_note(visit: Visit) -> Response:
    """Show what a credit note comes to, or issue it."""
    visit.require(create_credit_note)
    whole = _whole(visit)
    payload, places = _credit_note_payload(visit)
    try:
        if visit.form.text("step") != "issue":
            preview = visit.do(preview_credit_note, credit_note_draft({"reason": "-", **payload}))
            return _credit_note_page(visit, whole, preview=preview)
        view = visit.do(create_credit_note, credit_note_draft(payload))
    except LotusError as error:
        return visit.again(_at_places(error, places), **_credit_note_data(visit, whole, None))
    words = f"Credit note {view.note.credit_note_number} is issued."
    return visit.redirect(path_of(visit, view.invoice.invoice_id), words)


def _whole(visit: Visit) -> CreditNoteView:
    draft = credit_note_draft({"invoice_id": visit.part("invoice_id"), "reason": "-"})
    return visit.do(preview_credit_note, draft)


def _credit_note_payload(visit: Visit) -> tuple[dict[str, Any], list[int]]:
    """Return the body of the API's call, and the row of the form from which each of its lines came."""
    sent = visit.form.payload()
    body: dict[str, Any] = {"invoice_id": visit.part("invoice_id")}
    if "reason" in sent:
        body["reason"] = sent["reason"]
    if sent.get("scope") != "lines":
        return body, []
    rows = [(place, row) for place, row in enumerate(sent.get("lines", ())) if row and row.get("amount")]
    body["lines"] = [{"line": _whole_number(row.get("line")), "amount": row["amount"]} for _, row in rows]
    return body, [place for place, _ in rows]


def _whole_number(text: object) -> object:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else text


def _at_places(error: LotusError, places: list[int]) -> LotusError:
    """Return an error whose problems name the rows of the form."""
    if not isinstance(error, Invalid):
        return error
    renamed = []
    for problem in error.problems:
        field = problem.field
        for number, place in enumerate(places):
            if field.startswith(f"lines[{number}]"):
                field = f"lines[{place}].amount"
                break
        renamed.append(FieldProblem(field, problem.code, problem.detail))
    return Invalid.all_of(tuple(renamed))


def _credit_note_page(visit: Visit, whole: CreditNoteView, preview: CreditNoteView | None = None) -> Response:
    return visit.page(**_credit_note_data(visit, whole, preview))


def _credit_note_data(visit: Visit, whole: CreditNoteView, preview: CreditNoteView | None) -> dict[str, Any]:
    del visit
    return {"template": "invoices/credit_note.html", "whole": whole, "invoice": whole.invoice, "preview": preview}


@pages.get("/invoices/new")
def one_off_page(visit: Visit) -> Response:
    """Show the empty form of an invoice for something sold once."""
    visit.require(issue_one_off)
    return visit.page("invoices/new.html", **_one_off_data(visit, None))


@pages.post("/invoices/new")
def one_off(visit: Visit) -> Response:
    """Show what the invoice comes to, or issue it."""
    visit.require(issue_one_off)
    try:
        draft = one_off_draft(_one_off_payload(visit))
        if visit.form.text("step") != "issue":
            return visit.page("invoices/new.html", **_one_off_data(visit, visit.do(preview_one_off, draft)))
        view = visit.do(issue_one_off, draft)
    except LotusError as error:
        return visit.again(error, "invoices/new.html", **_one_off_data(visit, None))
    invoice = view.invoice
    return visit.redirect(path_of(visit, invoice.invoice_id), f"Invoice {invoice.invoice_number} is issued.")


def _one_off_payload(visit: Visit) -> dict[str, Any]:
    sent = visit.form.payload()
    lines = sent.get("lines", [])
    # A row that was left empty at the end is none; one in the midst keeps its place, and its problem.
    while lines and not lines[-1]:
        lines.pop()
    days = sent.get("due_in_days")
    return {**sent, "lines": [each or {} for each in lines], "due_in_days": _whole_number(days)}


def _one_off_data(visit: Visit, preview: InvoiceView | None) -> dict[str, Any]:
    return {"preview": preview, "rows": max(visit.form.count("lines"), FIRST_ROWS)}
