"""Jinja, set up once: everything is escaped, and a name that is not there is an error."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from lotus_server.http.web.addresses import handle_of, segment
from lotus_server.http.web.assets import Assets
from lotus_server.http.web.charts import sparkline_points


class Templates:
    """The pages' templates."""

    def __init__(self, assets: Assets, *, version: str) -> None:
        """Make assets, version and helpers known to every template."""
        self._environment = Environment(
            loader=PackageLoader("lotus_server.http.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
        )
        self._environment.globals.update(
            asset=assets.url, version=version, handle_of=handle_of, points=sparkline_points
        )
        self._environment.filters.update(segment=segment)

    def render(self, name: str, block: str | None, context: dict[str, Any]) -> str:
        """Return a page, or one block of it. Every template has the macros of `_ui.html` as `ui`."""
        macros = self._environment.get_template("_ui.html").make_module(context)
        context = {**context, "ui": macros}
        template = self._environment.get_template(name)
        if block is None:
            return template.render(context)
        parts = template.blocks[block](template.new_context(context))
        return "".join(parts)
