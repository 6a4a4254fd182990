"""What changed, said field by field."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.accounts import AuditEntry, Author, AuthorKind, FieldChange, changes_of

AUTHOR = Author(AuthorKind.PERSON, "user_1", "ada@example.com")
contents = st.recursive(
    st.none() | st.integers(0, 3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
).filter(lambda value: isinstance(value, dict))


def entry(before: dict[str, Any] | None, after: dict[str, Any] | None) -> AuditEntry:
    return AuditEntry("org", "audit_1", datetime(2026, 1, 1, tzinfo=UTC), AUTHOR, "x", "customer", "c", before, after)


def test_only_what_differs_is_a_change() -> None:
    changed = entry({"name": "A", "tax": None, "same": 1}, {"name": "B", "tax": "7.5", "same": 1})

    assert changes_of(changed) == (FieldChange("name", "A", "B"), FieldChange("tax", None, "7.5"))


def test_objects_are_compared_by_field_and_lists_as_a_whole() -> None:
    changed = entry({"a": {"b": 1, "c": 2}, "list": [1, 2]}, {"a": {"b": 1, "c": 3}, "list": [1, 3]})

    assert changes_of(changed) == (FieldChange("a.c", 2, 3), FieldChange("list", [1, 2], [1, 3]))


def test_an_object_in_the_place_of_nothing_is_one_change() -> None:
    assert changes_of(entry({"a": None}, {"a": {"b": 1}})) == (FieldChange("a", None, {"b": 1}),)


@given(contents)
def test_what_is_the_same_has_no_changes(value: dict[str, Any]) -> None:
    assert changes_of(entry(value, value)) == ()


@given(contents, contents)
def test_going_back_swaps_before_and_after(first: dict[str, Any], second: dict[str, Any]) -> None:
    there, back = changes_of(entry(first, second)), changes_of(entry(second, first))

    assert [FieldChange(change.path, change.after, change.before) for change in there] == list(back)
