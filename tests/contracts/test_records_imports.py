"""What every adapter of the records promises of imports, their files, and refused rows."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.domain.accounts import Author, AuthorKind, Organization, OrganizationType
from lotus_server.domain.imports import (
    Column,
    FileFormat,
    Import,
    ImportKind,
    ImportState,
    Layout,
    Place,
    RefusedRow,
    Tally,
)
from lotus_server.kernel.errors import Conflict, NotFound
from lotus_server.ports.imports import FilePart
from lotus_server.ports.paging import Page

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ADA = Author(AuthorKind.PERSON, "user_ada", "ada@example.com")
LAYOUT = Layout(
    FileFormat.CSV, Place(3, 1), ";", decimal_comma=True, columns=(Column("id", "customer_id"), Column("x", None))
)


def import_of(number: int, state: ImportState = ImportState.READY, due_at: datetime | None = None) -> Import:
    return Import(
        "org", f"import_{number}", ImportKind.CUSTOMERS, state, "a.csv", ADA, NOW, layout=LAYOUT, place=Place(9, 2, 1),
        tally=Tally(1, 2, 3, 4), due_at=due_at,
    )  # fmt: skip


@pytest.fixture
def kept(records: SqlRecords) -> SqlRecords:
    """Records of one organization with three imports."""
    with records.transaction() as tx:
        for name in ("org", "other"):
            tx.organizations.add(Organization(name, name, OrganizationType.PRODUCTION, "USD", NOW))
        tx.imports.add(import_of(1))
        tx.imports.add(import_of(2, ImportState.WAITING, NOW))
        tx.imports.add(import_of(3, ImportState.DONE))
    return records


def test_an_import_comes_back_as_it_was_kept(kept: SqlRecords) -> None:
    with kept.transaction() as tx:
        assert tx.imports.get("org", "import_1") == import_of(1)
        assert tx.imports.get("org", "import_1", for_update=True) == import_of(1)
        assert tx.imports.get("other", "import_1") is None


def test_no_two_imports_have_one_id(kept: SqlRecords) -> None:
    with kept.transaction() as tx, pytest.raises(Conflict) as refused:
        tx.imports.add(import_of(1))
    assert refused.value.code == "import_exists"


def test_imports_are_listed_newest_first(kept: SqlRecords) -> None:
    with kept.snapshot() as tx:
        assert [each.import_id for each in tx.imports.page("org", Page(2))] == ["import_3", "import_2"]
        assert [each.import_id for each in tx.imports.page("org", Page(2, "import_2"))] == ["import_1"]
        assert tx.imports.page("other", Page()) == []


def test_what_is_due_the_longest_is_due_first(kept: SqlRecords) -> None:
    with kept.transaction() as tx:
        tx.imports.add(import_of(4, ImportState.RUNNING, NOW - timedelta(seconds=1)))
        tx.imports.add(import_of(5, ImportState.WAITING, NOW + timedelta(seconds=1)))
    with kept.snapshot() as tx:
        due = tx.imports.due(NOW)
        assert due is not None
        assert due.import_id == "import_4"
        assert tx.imports.due(NOW - timedelta(days=1)) is None


def test_what_nobody_started_is_idle(kept: SqlRecords) -> None:
    with kept.snapshot() as tx:
        assert [each.import_id for each in tx.imports.idle(NOW + timedelta(seconds=1))] == ["import_1"]
        assert tx.imports.idle(NOW) == []
        assert tx.imports.count_with_files("org") == 2


def test_what_is_not_there_cannot_be_replaced(kept: SqlRecords) -> None:
    changed = msgspec.structs.replace(import_of(1), failure="x")
    with kept.transaction() as tx:
        tx.imports.replace(changed)
        tx.imports.keep_progress(msgspec.structs.replace(import_of(2), place=Place(1, 1, 1)))
        assert tx.imports.get("org", "import_1") == changed
        with pytest.raises(NotFound):
            tx.imports.replace(import_of(9))


def test_a_file_is_read_from_any_place(kept: SqlRecords) -> None:
    first, second = FilePart(0, b"abc" * 100), FilePart(300, bytes(range(256)))
    with kept.transaction() as tx:
        tx.imports.keep_parts(import_of(1), [first])
        tx.imports.keep_parts(import_of(1), [second])
        tx.imports.keep_parts(import_of(1), [])
    with kept.snapshot() as tx:
        found = [tx.imports.part_at("org", "import_1", place) for place in (0, 299, 300, 555, 556)]
        assert found == [first, first, second, second, None]
        assert tx.imports.part_at("org", "import_2", 0) is None
    with kept.transaction() as tx:
        tx.imports.drop_file("org", "import_1")
        assert tx.imports.part_at("org", "import_1", 0) is None


def test_refused_rows_are_kept_once_and_in_order(kept: SqlRecords) -> None:
    rows = [RefusedRow(n, n + 1, "ä\n", ("One.", "Two."), ("a", "")) for n in (3, 1, 2)]
    with kept.transaction() as tx:
        tx.imports.refuse(import_of(1), rows)
        tx.imports.refuse(import_of(1), [RefusedRow(2, 9, "other", ())])
        tx.imports.refuse(import_of(1), [])
        assert tx.imports.refused("org", "import_1", after=1, limit=9) == [rows[2], rows[0]]
        assert [each.row for each in tx.imports.refused("org", "import_1", after=0, limit=2)] == [1, 2]
        tx.imports.forget_refused("org", "import_1")
        assert tx.imports.refused("org", "import_1", after=0, limit=9) == []
