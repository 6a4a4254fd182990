"""The plans into which a plan can turn, as people choose them."""

from lotus_server.http.web.version_words import PERIODS
from lotus_server.usecases.plan_transitions import Turns


def turn_choices(turns: Turns, chosen: str | None = None, *, tells_period: bool = False) -> list[tuple[str, str]]:
    """Return ids and words of the plans to choose from; one that was chosen stays, also when it was archived since."""
    found = [
        (plan.plan_id, f"{plan.plan_name} (each {PERIODS[plan.duration]})" if tells_period else plan.plan_name)
        for plan in turns.possible
    ]
    return found if chosen is None or chosen in dict(found) else [*found, (chosen, f"{chosen} (archived)")]
