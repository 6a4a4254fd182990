"""What a list of plans or add-ons is asked for, as the parameters of a query say it."""

from lotus_server.kernel.errors import Problems
from lotus_server.kernel.period import Duration
from lotus_server.usecases.catalog_lists import PlanQuestion
from lotus_server.wire.lists import SEARCH_LENGTH_MAX, Query

_DURATIONS = {duration.value: duration for duration in Duration}


def plan_question(query: Query) -> PlanQuestion:
    """Return which plans a query asks for. Raises Invalid with every problem."""
    problems = Problems()
    texts = {name: query.get(name) or "" for name in ("search", "tag", "duration", "archived")}
    for name, text in texts.items():
        if "\x00" in text or len(text) > SEARCH_LENGTH_MAX:
            problems.add(name, "invalid", f"{name} must be a text of at most {SEARCH_LENGTH_MAX} characters.")
    duration = _DURATIONS.get(texts["duration"])
    if texts["duration"] and duration is None:
        problems.add("duration", "invalid_choice", f"duration must be one of {', '.join(_DURATIONS)}.")
    problems.raise_if_any()
    return PlanQuestion(
        search=texts["search"],
        duration=duration,
        tag=texts["tag"] or None,
        include_archived=texts["archived"] == "true",
    )
