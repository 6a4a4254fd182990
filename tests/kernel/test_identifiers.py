"""Which texts are ids and names."""

import pytest

from lotus_server.kernel.identifiers import identifier_problem, name_problem


@pytest.mark.parametrize(
    "text", ["a", "customer_123", "a@b.c", "a b", "Zoë", "客户-1", "a" * 200, "x=1|y>2", "00000", "{id}"]
)
def test_an_id_has_letters_numbers_and_punctuation_of_any_script(text: str) -> None:
    assert identifier_problem(text) is None


@pytest.mark.parametrize("text", ["", " a", "a ", "a\n", "a\x00b", "a\u200bb", "a\u202eb", "\ud800", "😀", "a" * 201])
def test_what_could_be_mistaken_for_another_id_is_refused(text: str) -> None:
    assert identifier_problem(text)


@pytest.mark.parametrize("text", ["API calls", "Größe 🚀", "a" * 200, " padded "])
def test_a_name_is_any_text_on_one_line(text: str) -> None:
    assert name_problem(text) is None


@pytest.mark.parametrize("text", ["", "   ", "a\nb", "tab\t", "\x00", "\ud800", "a\u2028b", "a" * 201])
def test_a_name_has_no_control_characters_and_an_end(text: str) -> None:
    assert name_problem(text)
