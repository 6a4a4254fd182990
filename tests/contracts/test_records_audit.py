"""The audit log in every database of records."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.domain.accounts import AuditEntry, Author, AuthorKind
from lotus_server.ports.audit_records import AuditQuestion
from lotus_server.ports.records import Page
from tests import records_values as values
from tests.records_values import NOW

ADA = Author(AuthorKind.PERSON, "user_ada", "ada@example.com")
KEY = Author(AuthorKind.API_KEY, "key_1", "Server 🪷")
LATER = NOW + timedelta(hours=1)


def entry(entry_id: str, at: datetime = NOW, author: Author = ADA, thing_id: str = "acme") -> AuditEntry:
    before = {"name": "O'Brien", "amount": "1.50", "list": [1, None, {"a": True}]}
    return AuditEntry("org", entry_id, at, author, "change_customer", "customer", thing_id, before, None)


# In the order of time; of one time, of ids.
FIRST, SECOND = entry("audit_2"), entry("audit_3", author=KEY)
THIRD = entry("audit_1", LATER, thing_id="other")


@pytest.fixture
def filled(records: SqlRecords) -> SqlRecords:
    with records.transaction() as tx:
        tx.organizations.add(values.organization())
        tx.audit.add([THIRD, FIRST])
        tx.audit.add([SECOND])
        tx.audit.add([])
    return records


def test_entries_come_back_the_newest_first(filled: SqlRecords) -> None:
    with filled.snapshot() as tx:
        assert tx.audit.page("org", Page(), AuditQuestion()) == [THIRD, SECOND, FIRST]
        assert tx.audit.page("another", Page(), AuditQuestion()) == []


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (AuditQuestion(author_id="key_1"), [SECOND]),
        (AuditQuestion(kind="customer", thing_id="other"), [THIRD]),
        (AuditQuestion(kind="plan"), []),
        (AuditQuestion(since=LATER), [THIRD]),
        (AuditQuestion(until=LATER), [SECOND, FIRST]),
    ],
)
def test_every_condition_counts(filled: SqlRecords, question: AuditQuestion, expected: list[AuditEntry]) -> None:
    with filled.snapshot() as tx:
        assert tx.audit.page("org", Page(), question) == expected


def test_a_page_goes_on_after_an_entry(filled: SqlRecords) -> None:
    with filled.snapshot() as tx:
        assert tx.audit.page("org", Page(1), AuditQuestion()) == [THIRD]
        assert tx.audit.page("org", Page(1, "audit_1"), AuditQuestion()) == [SECOND]
        assert tx.audit.page("org", Page(5, "audit_3"), AuditQuestion()) == [FIRST]
        assert tx.audit.page("org", Page(5, "unknown"), AuditQuestion()) == []


def test_numbers_keep_every_digit(filled: SqlRecords) -> None:
    content = {"small": Decimal("1E-30"), "large": 10**40}
    author_entry = AuditEntry("org", "audit_9", NOW, ADA, "x", "plan", "pro", None, content)
    with filled.transaction() as tx:
        tx.audit.add([author_entry])
        (found,) = tx.audit.page("org", Page(), AuditQuestion(kind="plan"))

    assert found == author_entry
