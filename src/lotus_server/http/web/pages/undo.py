"""Undo: what somebody did just now is as it was before. Every toast that can offer it has a form that leads here."""

from typing import Final

from starlette.responses import Response

from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import Visit
from lotus_server.kernel.errors import Conflict, Invalid

pages = Pages()
ENTRIES: Final = "entries"
BACK: Final = "back"


@pages.post("/undo")
def undo(visit: Visit) -> Response:
    """Undo what the form names, and show the page from which it came, which says so, or why it could not be."""
    back = _back(visit)
    try:
        visit.undo(visit.form.text(ENTRIES).split())
    except (Conflict, Invalid) as error:
        return visit.redirect(back, f"Not undone. {error.detail}", offers_undo=False, is_refusal=True)
    return visit.redirect(back, "Undone: it is as it was before.", offers_undo=False)


def _back(visit: Visit) -> str:
    """Return the page that was shown, if it is one of this organization."""
    back, home = visit.form.text(BACK), visit.url()
    is_ours = back.startswith(home) and not any(each in back for each in ("\\", "\r", "\n"))
    return back if is_ours else home
