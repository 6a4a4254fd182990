"""What is computed fast is what the oracle counts, for every type of metric and in whatever order events come.

The oracle shares no code with what it judges; even what expressions compute is said to it in Python. `make test`
compares 2,000 random cases, `make test-long` 100,000.
"""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lotus_server.domain.metering import Event, MetricDefinition, Selection, usage_of
from tests.domain.metering.answers import answer
from tests.domain.metering.meanings import evaluate
from tests.domain.metering.strategies import counters, definitions, gauges, questions, rates, ratios

CASES = 100_000
Question = tuple[Selection, list[Event]]


def _compare(question: Question, order: random.Random) -> None:
    selection, events = question
    expected = usage_of(selection, events, evaluate)
    order.shuffle(events)

    assert expected == answer(selection, events)


@given(definitions)
def test_random_definitions_are_valid(definition: MetricDefinition) -> None:
    assert () == definition.problems()


@settings(max_examples=500)
@given(questions(counters()), st.randoms(use_true_random=False))
def test_counters_equal_the_oracle(question: Question, order: random.Random) -> None:
    _compare(question, order)


@settings(max_examples=900)
@given(questions(gauges()), st.randoms(use_true_random=False))
def test_gauges_equal_the_oracle(question: Question, order: random.Random) -> None:
    _compare(question, order)


@settings(max_examples=300)
@given(questions(rates()), st.randoms(use_true_random=False))
def test_rates_equal_the_oracle(question: Question, order: random.Random) -> None:
    _compare(question, order)


@settings(max_examples=300)
@given(questions(ratios()), st.randoms(use_true_random=False))
def test_ratios_equal_the_oracle(question: Question, order: random.Random) -> None:
    _compare(question, order)


@pytest.mark.long
def test_a_hundred_thousand_random_cases_equal_the_oracle() -> None:
    compared = 0

    @settings(max_examples=CASES)
    @given(questions(definitions), st.randoms(use_true_random=False))
    def compare(question: Question, order: random.Random) -> None:
        nonlocal compared
        _compare(question, order)
        compared += 1

    compare()

    assert compared >= CASES  # so many, and not fewer because hypothesis found no more
