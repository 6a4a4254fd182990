"""All problems of an input are reported, each once."""

import pytest

from lotus_server.kernel.errors import Invalid, Problems


def test_problems_keep_their_order_and_their_paths() -> None:
    problems = Problems("plan.")
    problems.add("name", "required", "name is required.")
    inner = Problems()
    inner.add("up_to", "negative", "up_to must not be negative.")
    problems.extend(inner.found, under="tiers[0].")

    assert ["plan.name", "plan.tiers[0].up_to"] == [problem.field for problem in problems.found]


def test_what_follows_from_a_wrong_value_is_no_news() -> None:
    problems = Problems()
    problems.add("price", "invalid", "price must be an object.")
    problems.add("price", "required", "price is required.")
    problems.add("price.tiers[0].up_to", "required", "up_to is required.")
    problems.add("prices", "required", "prices is required.")

    assert ["price", "prices"] == [problem.field for problem in problems.found]


def test_a_single_problem_lends_the_error_its_code() -> None:
    problems = Problems()
    problems.add("currency", "unknown_currency", "There is no such currency.")

    with pytest.raises(Invalid) as raised:
        problems.raise_if_any()

    assert ("unknown_currency", "There is no such currency.") == (raised.value.code, raised.value.detail)


def test_several_problems_are_one_validation_error() -> None:
    problems = Problems()
    problems.add("a", "required", "a is required.")
    problems.add("b", "required", "b is required.")

    with pytest.raises(Invalid) as raised:
        problems.raise_if_any()

    assert ("validation_error", 2) == (raised.value.code, len(raised.value.problems))


def test_nothing_wrong_raises_nothing() -> None:
    Problems().raise_if_any()


def test_a_field_knows_whether_something_below_it_is_wrong() -> None:
    problems = Problems()
    problems.add("tiers[1].up_to", "required", "up_to is required.")

    assert problems.any_below("tiers")
    assert problems.any_below("tiers[1].up_to")
    assert not problems.any_below("tiers[1].up")
