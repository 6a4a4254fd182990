"""Quick start: the way from nothing to the first invoice, with code that works as it stands."""

import shlex
from typing import Final

import msgspec
from starlette.responses import Response

from lotus_server.domain.accounts import Scope
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import Visit
from lotus_server.ports.records import Page
from lotus_server.usecases.customers import list_customers
from lotus_server.usecases.first_steps import first_steps
from lotus_server.usecases.metrics import list_metrics
from lotus_server.usecases.organizations import create_api_key

pages = Pages()
KEY_NAME: Final = "Quick start"
_json: Final = msgspec.json.Encoder().encode


class Example(msgspec.Struct, frozen=True):
    """An event that is sent to this server by a key."""

    server: str
    api_key: str
    event_name: str
    customer_id: str

    def codes(self) -> tuple[tuple[str, str], ...]:
        """Return programs that send it, each with the name of its language."""
        return ("curl", self._curl()), ("Node.js", self._node()), ("Python", self._python())

    def _curl(self) -> str:
        body = _json({"event_name": self.event_name, "customer_id": self.customer_id}).decode()
        return (
            f"curl {shlex.quote(f'{self.server}/api/track/')} \\\n"
            f"  -H {shlex.quote(f'X-API-KEY: {self.api_key}')} \\\n"
            f"  -d {shlex.quote(body)}"
        )

    def _node(self) -> str:
        key, server, name, customer = self._texts()
        return (
            "// npm install lotus-node\n"
            'import Lotus from "lotus-node";\n\n'
            f"const lotus = new Lotus({key}, {{\n  host: {server},\n}});\n"
            f"lotus.trackEvent({{\n  event_name: {name},\n  customer_id: {customer},\n}});\n"
            "await lotus.flush();"
        )

    def _python(self) -> str:
        key, server, name, customer = self._texts()
        return (
            "# pip install lotus-python\n"
            "from lotus import Lotus\n\n"
            f"with Lotus(\n    {key},\n    host={server},\n) as lotus:\n"
            f"    lotus.track_event(\n        event_name={name},\n        customer_id={customer},\n    )"
        )

    def _texts(self) -> tuple[str, ...]:
        """Return the texts as JavaScript and Python both write them."""
        return tuple(_json(text).decode() for text in (self.api_key, self.server, self.event_name, self.customer_id))


@pages.get("/quick-start/")
def page(visit: Visit) -> Response:
    """Show the steps, ticked off as they are done, and the code."""
    return _page(visit)


@pages.post("/quick-start/key")
def make_key(visit: Visit) -> Response:
    """Make a key and show it within the code, this once."""
    new_key = visit.do(create_api_key, name=KEY_NAME, scope=Scope.FULL)
    return _page(visit, api_key=new_key.api_key)


def _page(visit: Visit, *, api_key: str | None = None) -> Response:
    steps = visit.do(first_steps)
    names = [view.metric.definition.event_name for view in visit.do(list_metrics)]
    customers = visit.do(list_customers, Page(1))
    example = Example(
        str(visit.request.base_url).rstrip("/"),
        api_key or "YOUR_API_KEY",
        next((name for name in names if name), "api_call"),
        customers[0].customer.customer_id if customers else "customer_123",
    )
    return visit.page(
        "quick_start/quick_start.html",
        fragment="steps",
        steps=steps,
        api_key=api_key,
        codes=example.codes(),
        may_make_key=visit.may(create_api_key),
    )
