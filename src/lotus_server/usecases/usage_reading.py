"""What the events of a period say, as far as the prices of a subscription ask for it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from lotus_server.domain.catalog import Component
from lotus_server.domain.invoicing import Metered, Stretch, Terms, amount_definition, amount_properties, needs_values
from lotus_server.domain.metering import MetricDefinition, MetricType, Selection, Usage
from lotus_server.domain.subscriptions import Subscription, metered_period, unbilled_within, usage_period, whole_period
from lotus_server.kernel.instants import to_microseconds
from lotus_server.kernel.period import Period
from lotus_server.usecases.services import PartKey, Services

_INSTANT: Final = timedelta(microseconds=1)


class _Question(msgspec.Struct, frozen=True):
    """A selection over the period under which its aggregate is kept, and the same up to the cut (null: no cut)."""

    kept: Selection
    cut: Selection | None

    @property
    def is_measured_in_time(self) -> bool:
        """Tell whether the answer over the whole period says more than what has been until the cut."""
        return measures_time(self.kept.definition)


def usages_until(
    services: Services, terms: Terms, period: Period, cut: datetime, *, includes_cut: bool = True
) -> dict[str, Metered]:
    """Return what the events say of each component from the period's start to the cut, or to its end if sooner.

    An event at the cut itself counts, or does not, as said; what is measured in time lasts until the cut exactly. The
    aggregate of the whole period is the answer unless an event lies ahead of the cut, or time itself is measured; only
    then are raw events read.
    """
    if cut == period.end and includes_cut:
        known = services.usage_at_hand.get(_key(terms, period, counts_end=False))
        if known is not None:
            return known
    components = terms.version.components
    questions = _questions(terms, period, cut, includes_cut=includes_cut)
    answers = iter(_answers(services, terms.subscription.organization_id, questions))
    asked = {
        component.component_id: _question(
            terms, component, _definition(terms, component), period, cut, includes_cut=includes_cut
        )
        for component in components
        if needs_values(component.price)
    }
    return _metered(services, terms, answers, {key: each.cut or each.kept for key, each in asked.items()})


def usages_of_stretches(
    services: Services, terms: Terms, stretches: Sequence[Stretch], *, includes_cut: bool
) -> dict[str, Metered]:
    """Return what the events say of each stretch, by its key.

    Where one is cut before the end of its interval, an event at the cut itself counts, or does not, as said.
    """
    organization_id = terms.subscription.organization_id
    questions = [
        _stretch_question(terms, stretch, definition, includes_cut=includes_cut)
        for stretch in stretches
        for definition in _definitions(terms, stretch.component)
    ]
    answers = iter(_answers(services, organization_id, questions))
    found = {}
    for stretch in stretches:
        component, values = stretch.component, None
        usage = next(answers)
        amounts = {name: next(answers) for name in amount_properties(component.price)}
        if needs_values(component.price):
            definition = _definition(terms, component)
            asked = _stretch_question(terms, stretch, definition, includes_cut=includes_cut)
            values = dict(services.events.values(organization_id, asked.cut or asked.kept))
        found[stretch.key] = Metered(usage, amounts, values)
    return found


def _stretch_question(terms: Terms, stretch: Stretch, definition: MetricDefinition, *, includes_cut: bool) -> _Question:
    """Return the question about a stretch; its aggregate is kept under the whole interval, from the stretch's start."""
    subscription, interval = terms.subscription, stretch.interval
    used = usage_period(subscription, stretch.period, stretch.component.metric_id)
    kept = Period(used.start, interval.end)
    end = used.end + _INSTANT if includes_cut and not measures_time(definition) else used.end
    cut = kept.until(end) if end < kept.end else None
    cycle = interval if definition.depends_on_cycle else None

    def over(period: Period) -> Selection:
        without = unbilled_within(subscription, period)
        return Selection(definition, subscription.customer_id, period, subscription.matches, cycle, without)

    return _Question(over(kept), None if cut is None else over(cut))


class ClosedPart(msgspec.Struct, frozen=True):
    """The part of a period that was billed, by the terms of then; `counts_end`: with events at its very end.

    Usage that was billed in parts has its `stretches` (null: it was billed in one piece).
    """

    terms: Terms
    held: Period
    counts_end: bool
    stretches: tuple[Stretch, ...] | None = None


def usages_of_closed(services: Services, organization_id: str, parts: Sequence[ClosedPart]) -> list[dict[str, Metered]]:
    """Return what the events say now of each part, by component id: one question to the event store for all of them.

    The aggregates of parts are kept from then on, as those of whole periods are already.
    """
    whole = iter(_usages_of_whole(services, organization_id, [part for part in parts if part.stretches is None]))
    return [
        next(whole)
        if part.stretches is None
        else usages_of_stretches(services, part.terms, part.stretches, includes_cut=part.counts_end)
        for part in parts
    ]


def _usages_of_whole(services: Services, organization_id: str, parts: Sequence[ClosedPart]) -> list[dict[str, Metered]]:
    keys = [_key(part.terms, part.held, counts_end=part.counts_end) for part in parts]
    if all(key in services.usage_at_hand for key in keys):
        return [services.usage_at_hand[key] for key in keys]
    asked = [selection for part in parts for selection in _selections_of_closed(part)]
    answers = iter(services.events.usage(organization_id, asked) if asked else ())
    return [
        _metered(
            services,
            part.terms,
            answers,
            {
                component.component_id: _closed_selection(part, component, _definition(part.terms, component))
                for component in part.terms.version.components
                if needs_values(component.price)
            },
        )
        for part in parts
    ]


def _selections_of_closed(part: ClosedPart) -> list[Selection]:
    return [
        _closed_selection(part, component, definition)
        for component in part.terms.version.components
        for definition in _definitions(part.terms, component)
    ]


def _closed_selection(part: ClosedPart, component: Component, definition: MetricDefinition) -> Selection:
    used = usage_period(part.terms.subscription, part.held, component.metric_id)
    end = part.held.end + _INSTANT if part.counts_end and not measures_time(definition) else part.held.end
    return selection_over(part.terms, definition, Period(used.start, end))


def _metered(
    services: Services, terms: Terms, answers: Iterator[Usage], with_values: Mapping[str, Selection]
) -> dict[str, Metered]:
    """Put together what is said of each component; `with_values` are asked for the values of single events."""
    found = {}
    for component in terms.version.components:
        usage = next(answers)
        amounts = {name: next(answers) for name in amount_properties(component.price)}
        asked = with_values.get(component.component_id)
        values = None
        if asked is not None:
            values = dict(services.events.values(terms.subscription.organization_id, asked))
        found[component.component_id] = Metered(usage, amounts, values)
    return found


def with_usage_at_hand(
    services: Services,
    asked: Sequence[tuple[Terms, Period]],
    closed: Sequence[ClosedPart] = (),
    *,
    keeps_aggregates: bool = True,
) -> Services:
    """Return services that know what is used in whole periods that have ended, and in parts that were billed before.

    Each organization is asked once. What a cancellation cuts, or the event store answers in another way, is not known.
    """
    questions: dict[str, list[tuple[PartKey, Terms, list[Selection]]]] = {}
    versions: dict[tuple[str, str], list[_Asked] | None] = {}
    for terms, period in asked:
        version = terms.version.organization_id, terms.version.version_id
        if version not in versions:
            versions[version] = None if _wants_values(terms) else _asked_of(terms)
        of_version = versions[version]
        if of_version is not None and (selections := _kept_whole(terms, period, of_version)) is not None:
            key = _key(terms, period, counts_end=False)
            questions.setdefault(terms.subscription.organization_id, []).append((key, terms, selections))
    for part in closed:
        if part.stretches is None and not _wants_values(part.terms):
            selections = _selections_of_closed(part)
            key = _key(part.terms, part.held, counts_end=part.counts_end)
            questions.setdefault(part.terms.subscription.organization_id, []).append((key, part.terms, selections))
    known: dict[PartKey, dict[str, Metered]] = {}
    for organization_id, each in questions.items():
        selections = [selection for _, _, some in each for selection in some]
        answers = iter(services.events.usage(organization_id, selections, keeps_aggregates=keeps_aggregates))
        known.update({key: _metered(services, terms, answers, {}) for key, terms, _ in each})
    return msgspec.structs.replace(services, usage_at_hand=known)


class _Asked(msgspec.Struct, frozen=True):
    """What every subscription to a version asks of a metric: its definitions, and whether the cycle matters to each."""

    metric_id: str
    definitions: list[tuple[MetricDefinition, bool]]


def _asked_of(terms: Terms) -> list[_Asked]:
    return [
        _Asked(component.metric_id, [(each, each.depends_on_cycle) for each in _definitions(terms, component)])
        for component in terms.version.components
    ]


def _kept_whole(terms: Terms, period: Period, of_version: Sequence[_Asked]) -> list[Selection] | None:
    """Return the questions about a period that has ended, or null where an aggregate goes on beyond it."""
    found = []
    for each in of_version:
        kept = metered_period(terms.subscription, period, each.metric_id)
        if period.end < kept.end:
            return None
        found += [_over(terms, definition, kept, has_cycle=has_cycle) for definition, has_cycle in each.definitions]
    return found


def part_key(subscription: Subscription) -> PartKey:
    """Return what names the whole open period of a subscription, with events before its end."""
    named = subscription.organization_id, subscription.subscription_id, subscription.version_id
    return (*named, subscription.open_period, False)


def _key(terms: Terms, period: Period, *, counts_end: bool) -> PartKey:
    subscription = terms.subscription
    return (*(subscription.organization_id, subscription.subscription_id, terms.version.version_id), period, counts_end)


def _wants_values(terms: Terms) -> bool:
    return any(needs_values(component.price) for component in terms.version.components)


def selection_over(terms: Terms, definition: MetricDefinition, period: Period) -> Selection:
    """Return the question about a subscription's usage over a period, or over a part of one."""
    return _over(terms, definition, period, has_cycle=definition.depends_on_cycle)


def _over(terms: Terms, definition: MetricDefinition, period: Period, *, has_cycle: bool) -> Selection:
    subscription = terms.subscription
    cycle = whole_period(subscription, period.start) if has_cycle else None
    without = unbilled_within(subscription, period)
    return Selection(definition, subscription.customer_id, period, subscription.matches, cycle, without)


def measures_time(definition: MetricDefinition) -> bool:
    """Tell whether a quantity grows with time alone, so that a period that is not over must be cut at the present."""
    if definition.denominator is not None and measures_time(definition.denominator):
        return True
    return definition.is_time_weighted or definition.type is MetricType.CUSTOM


def _definition(terms: Terms, component: Component) -> MetricDefinition:
    return terms.metrics[component.metric_id].definition


def _definitions(terms: Terms, component: Component) -> list[MetricDefinition]:
    """Return the metric's definition, then those of the amounts that a dynamic price reads."""
    definition = _definition(terms, component)
    return [definition, *(amount_definition(definition, name) for name in amount_properties(component.price))]


def _questions(terms: Terms, period: Period, cut: datetime, *, includes_cut: bool) -> list[_Question]:
    return [
        _question(terms, component, definition, period, cut, includes_cut=includes_cut)
        for component in terms.version.components
        for definition in _definitions(terms, component)
    ]


def _question(
    terms: Terms,
    component: Component,
    definition: MetricDefinition,
    period: Period,
    cut: datetime,
    *,
    includes_cut: bool,
) -> _Question:
    kept = metered_period(terms.subscription, period, component.metric_id)
    last = cut + _INSTANT if includes_cut and not measures_time(definition) else cut
    end = min(last, period.end)
    is_cut = end < kept.end
    return _Question(
        selection_over(terms, definition, kept), selection_over(terms, definition, kept.until(end)) if is_cut else None
    )


def _answers(services: Services, organization_id: str, questions: Sequence[_Question]) -> list[Usage]:
    """Return the usage of each question: from what is kept where that says it, recounted up to the cut elsewhere."""
    at_once = [index for index, each in enumerate(questions) if each.cut is None or not each.is_measured_in_time]
    kept = services.events.usage(organization_id, [questions[index].kept for index in at_once])
    answers = dict(zip(at_once, kept, strict=True))
    recounts = [
        (index, question.cut)
        for index, question in enumerate(questions)
        if question.cut is not None and _lies_ahead(question.cut, answers.get(index))
    ]
    if recounts:
        exact = services.events.usage(organization_id, [each for _, each in recounts], keeps_aggregates=False)
        answers.update(zip((index for index, _ in recounts), exact, strict=True))
    return [answers[index] for index in range(len(questions))]


def _lies_ahead(cut: Selection, usage: Usage | None) -> bool:
    return usage is None or (usage.last_us or 0) >= to_microseconds(cut.period.end)
