"""Imports: every row once, whatever happens on the way; what is refused says why."""

from decimal import Decimal

import msgspec
import pytest

from lotus_server.domain.accounts import Customer, TaxStatus
from lotus_server.domain.imports import REFUSED_ROWS_KEPT, Column, Existing, Import, ImportKind, ImportState, Tally
from lotus_server.kernel.errors import Conflict, Invalid, NotFound, TooLarge, Unavailable
from lotus_server.ports.audit_records import AuditQuestion
from lotus_server.ports.event_store import EventQuery, Receipt, RefusedQuery, Submission
from lotus_server.ports.listing import EVERY_CUSTOMER
from lotus_server.ports.records import Page
from lotus_server.usecases import import_portions, import_runs
from lotus_server.usecases.audit import list_audit
from lotus_server.usecases.customers import CustomerDraft, change_customer
from lotus_server.usecases.import_preview import preview_import
from lotus_server.usecases.import_runs import LEASE, RETRY, run_imports
from lotus_server.usecases.imports import (
    IDLE_MAX,
    IMPORTS_OPEN_MAX,
    ImportChange,
    ImportDraft,
    add_to_file,
    change_import,
    check_import,
    create_import,
    get_import,
    list_imports,
    start_import,
    stop_idle_imports,
    stop_import,
)
from tests.business import Business, SetClock, found_business
from tests.imports import ADA, READING, FileOfBytes

CUSTOMERS, EVENTS = ImportKind.CUSTOMERS, ImportKind.EVENTS
TABLE = b"id,name,email,city,shoe size\nada,Ada Ltd,ada@example.com,London,4\nbob,Bob Ltd,bob@example.com,Paris,5\n"
CALLS = b"".join(
    b'{"event_name":"call","customer_id":"acme","idempotency_id":"e%d","time_created":"2025-12-31T12:00:00Z"}\n' % n
    for n in range(7)
)


@pytest.fixture
def files(business: Business) -> FileOfBytes:
    return FileOfBytes(business)


def customers(files: FileOfBytes) -> dict[str, Customer]:
    with files.services.records.snapshot() as tx:
        found = tx.customers.page(files.business.organization_id, Page(), EVERY_CUSTOMER)
    return {each.customer_id: each for each in found if each.customer_id != "acme"}


def event_ids(files: FileOfBytes) -> set[str]:
    query = EventQuery(limit=1_000)
    return {each.idempotency_id for each in files.services.events.events(files.business.organization_id, query)}


class Crash(Exception):
    """The process ends here."""


# -- customers


def test_a_table_of_customers_is_taken_in_by_its_header(files: FileOfBytes) -> None:
    done = files.taken_in(CUSTOMERS, TABLE)

    assert (done.state, done.tally) == (ImportState.DONE, Tally(made=2))
    ada = customers(files)["ada"]
    assert (ada.customer_name, ada.email) == ("Ada Ltd", "ada@example.com")
    assert ada.address is not None
    assert ada.address["city"] == "London"
    assert ada.properties == {}  # a column that is no field goes nowhere


def test_a_column_goes_where_people_say(files: FileOfBytes) -> None:
    ready = files.ready(CUSTOMERS, TABLE)
    change = ImportChange(columns=(Column("shoe size", "properties.shoe"), Column("name", None)))
    change_import(files.services, files.business.organization, ready.import_id, change)
    start_import(files.services, files.business.organization, ready.import_id, ADA)
    files.work()

    ada = customers(files)["ada"]
    assert (ada.properties, ada.customer_name) == ({"shoe": 4}, "")


def test_customers_that_exist_are_left(files: FileOfBytes) -> None:
    files.taken_in(CUSTOMERS, TABLE)
    again = files.taken_in(CUSTOMERS, TABLE.replace(b"Ada Ltd", b"Other"))

    assert again.tally == Tally(unchanged=2)
    assert customers(files)["ada"].customer_name == "Ada Ltd"


def test_customers_that_exist_are_changed_when_that_is_wanted(files: FileOfBytes) -> None:
    files.taken_in(CUSTOMERS, TABLE)
    again = files.taken_in(CUSTOMERS, TABLE.replace(b"Ada Ltd", b"Other"), Existing.CHANGE)

    assert again.tally == Tally(changed=1, unchanged=1)
    assert customers(files)["ada"].customer_name == "Other"


def test_what_a_file_does_not_say_stays_as_it_is(files: FileOfBytes) -> None:
    files.taken_in(CUSTOMERS, TABLE)
    draft = CustomerDraft("ada", tax_status=TaxStatus.EXEMPT, properties={"a": 1})
    change_customer(files.services, files.business.organization, draft, frozenset({"tax_status", "properties"}))
    files.taken_in(CUSTOMERS, b"id,properties.b\nada,2\n", Existing.CHANGE)

    ada = customers(files)["ada"]
    assert (ada.tax_status, ada.properties, ada.email) == (TaxStatus.EXEMPT, {"a": 1, "b": 2}, "ada@example.com")


def test_of_two_rows_with_one_id_the_first_makes_the_customer(files: FileOfBytes) -> None:
    done = files.taken_in(CUSTOMERS, b"id,name\nada,First\nada,Second\n")

    assert done.tally == Tally(made=1, unchanged=1)
    assert customers(files)["ada"].customer_name == "First"


def test_a_refused_row_tells_its_line_its_values_and_all_problems(files: FileOfBytes) -> None:
    done = files.taken_in(CUSTOMERS, b"id,email,currency\nada,none,XXX\nbob,bob@example.com,EUR\n")

    (row,) = files.refused(done)
    assert (done.tally, list(customers(files))) == (Tally(made=1, refused=1), ["bob"])
    assert (row.line, row.cells) == (2, ("ada", "none", "XXX"))
    assert row.problems == ("email must be an e-mail address.", "'XXX' is not an ISO 4217 currency code.")


def test_customers_are_noted_as_made_by_whoever_started_the_import(files: FileOfBytes) -> None:
    done = files.taken_in(CUSTOMERS, TABLE)

    entries = list_audit(files.services, files.business.organization, Page(), AuditQuestion())
    made = [each for each in entries if each.kind == "customer"]
    assert [each.thing_id for each in made] == ["bob", "ada"]
    assert {(each.author, each.action) for each in made} == {(ADA, f"import {done.import_id}")}


# -- events


def test_events_are_stored_once_however_often_their_file_comes(files: FileOfBytes) -> None:
    first, second = files.taken_in(EVENTS, CALLS), files.taken_in(EVENTS, CALLS)

    assert (first.tally, second.tally) == (Tally(made=7), Tally(unchanged=7))
    assert event_ids(files) == {f"e{n}" for n in range(7)}


def test_unknown_columns_of_events_become_properties(files: FileOfBytes) -> None:
    table = b"event,customer,time,id,tokens,model,zip\ncall,acme,2025-12-31,e1,12.50,large,00123\n"
    files.taken_in(EVENTS, table)

    (event,) = files.services.events.events(files.business.organization_id, EventQuery())
    assert event.properties == {"tokens": Decimal("12.50"), "model": "large", "zip": "00123"}


def test_events_without_ids_are_the_same_when_the_file_comes_again(files: FileOfBytes) -> None:
    table = b"event_name,customer_id,time\ncall,acme,2025-12-31\ncall,acme,2025-12-31\n"
    first, second = files.taken_in(EVENTS, table), files.taken_in(EVENTS, table)

    assert (first.tally, second.tally) == (Tally(made=2), Tally(unchanged=2))


def test_an_event_in_conflict_is_refused_with_the_reason(files: FileOfBytes) -> None:
    files.taken_in(EVENTS, CALLS)
    done = files.taken_in(
        EVENTS,
        CALLS.replace(
            b'"call","customer_id":"acme","idempotency_id":"e3"', b'"call","customer_id":"bob","idempotency_id":"e3"'
        ),
    )

    assert done.tally == Tally(unchanged=6, refused=1)
    assert files.refused(done)[0].line == 4


def test_refused_events_of_a_file_are_not_in_the_log_of_what_programs_sent(files: FileOfBytes) -> None:
    done = files.taken_in(EVENTS, b'{"customer_id":"acme"}\n' + CALLS)

    assert done.tally == Tally(made=7, refused=1)
    assert files.refused(done)[0].problems == ("event_name is missing.",)
    assert files.services.events.refused(files.business.organization_id, RefusedQuery()) == []


def test_events_of_unknown_customers_are_refused_where_the_organization_says_so(files: FileOfBytes) -> None:
    with files.services.records.transaction() as tx:
        organization = files.business.organization
        tx.organizations.replace(msgspec.structs.replace(organization, rejects_unknown_customers=True))
    done = files.taken_in(EVENTS, CALLS.replace(b'"acme","idempotency_id":"e3"', b'"nobody","idempotency_id":"e3"'))

    assert done.tally == Tally(made=6, refused=1)
    assert "does not exist" in files.refused(done)[0].problems[0]


def test_the_list_of_the_api_is_taken(files: FileOfBytes) -> None:
    body = b'{"batch": [\n' + b",\n".join(CALLS.splitlines()) + b"\n]}\n"

    assert files.taken_in(EVENTS, body, rows_at_once=2).tally == Tally(made=7)


# -- how it goes on


@pytest.mark.parametrize("kind", [CUSTOMERS, EVENTS])
def test_after_a_crash_at_any_point_each_row_is_there_once(
    files: FileOfBytes, kind: ImportKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = CALLS if kind is EVENTS else b"id\n" + b"".join(b"c%d\n" % n for n in range(7))
    ready = files.ready(kind, content)
    start_import(files.services, files.business.organization, ready.import_id, ADA)
    keep, crashes = import_runs._keep, [0]

    def crash(*args: object) -> Import:
        """End before the third portion is kept, though its events are."""
        crashes[0] += 1
        if crashes[0] == 3:
            raise Crash
        return keep(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(import_runs, "_keep", crash)
    monkeypatch.setattr(import_runs, "_fail", lambda *_: None)  # a process that is killed notes nothing
    with pytest.raises(Crash):
        run_imports(files.services, READING, files.append, rows_at_once=2)
    between = files.now(ready)
    assert (between.state, between.place.rows_read) == (ImportState.RUNNING, 4)
    assert run_imports(files.services, READING, files.append, rows_at_once=2) == 0  # somebody may be at work

    clock = files.services.clock
    assert isinstance(clock, SetClock)
    clock.instant += LEASE
    files.work(rows_at_once=2)
    done = files.now(ready)
    assert (done.state, done.tally.total, done.tally.refused) == (ImportState.DONE, 7, 0)
    assert (len(event_ids(files)) if kind is EVENTS else len(customers(files))) == 7


def test_two_workers_do_not_count_a_portion_twice(files: FileOfBytes, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = files.ready(EVENTS, CALLS)
    start_import(files.services, files.business.organization, ready.import_id, ADA)
    take = import_portions.take_events

    def slowly(*args: object) -> object:
        """Meanwhile somebody else takes the import on, because the lease is over, and does it all."""
        monkeypatch.setattr(import_runs, "take_events", take)
        clock = files.services.clock
        assert isinstance(clock, SetClock)
        clock.instant += LEASE
        files.work()
        return take(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(import_runs, "take_events", slowly)
    files.work()

    assert (files.now(ready).state, files.now(ready).tally) == (ImportState.DONE, Tally(made=7))


def test_what_cannot_be_done_now_waits_with_its_cause(files: FileOfBytes) -> None:
    def refuse(_: Submission) -> Receipt:
        raise Unavailable("The event writer is being restarted.")

    ready = files.ready(EVENTS, CALLS)
    start_import(files.services, files.business.organization, ready.import_id, ADA)
    run_imports(files.services, READING, refuse)
    waiting = files.now(ready)
    assert (waiting.state, waiting.failure) == (ImportState.WAITING, "The event writer is being restarted.")

    clock = files.services.clock
    assert isinstance(clock, SetClock)
    clock.instant += RETRY
    files.work()
    assert (files.now(ready).tally, files.now(ready).failure) == (Tally(made=7), None)


def test_a_defect_fails_one_import_and_no_other(files: FileOfBytes, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = files.ready(CUSTOMERS, TABLE), files.ready(EVENTS, CALLS)
    for each in (bad, good):
        start_import(files.services, files.business.organization, each.import_id, ADA)

    def broken(*_: object) -> object:
        raise ZeroDivisionError

    take = import_portions.take_customers
    monkeypatch.setattr(import_runs, "take_customers", broken)
    with pytest.raises(ZeroDivisionError):
        files.work()
    monkeypatch.setattr(import_runs, "take_customers", take)
    files.work()
    assert (files.now(bad).state, files.now(good).state) == (ImportState.FAILED, ImportState.DONE)

    start_import(files.services, files.business.organization, bad.import_id, ADA)
    files.work()
    assert files.now(bad).tally == Tally(made=2)


def test_a_list_that_breaks_off_fails_behind_its_last_row(files: FileOfBytes) -> None:
    done = files.taken_in(EVENTS, b"[" + b",".join(CALLS.splitlines())[:-5])

    assert (done.state, done.tally) == (ImportState.FAILED, Tally(made=6))
    assert done.failure == "From line 1 on, the file is no JSON list."


# -- stopping


def test_what_is_done_stays_when_an_import_is_stopped(files: FileOfBytes, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = files.ready(EVENTS, CALLS)
    organization = files.business.organization
    start_import(files.services, organization, ready.import_id, ADA)
    take = import_portions.take_events

    def stop_within(*args: object) -> object:
        stop_import(files.services, organization, ready.import_id)
        return take(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(import_runs, "take_events", stop_within)
    files.work(rows_at_once=2)

    stopped = files.now(ready)
    assert (stopped.state, stopped.tally) == (ImportState.STOPPED, Tally(made=2))
    assert event_ids(files) == {"e0", "e1"}


def test_an_import_that_ended_has_no_file_and_begins_no_more(files: FileOfBytes) -> None:
    done = files.taken_in(CUSTOMERS, TABLE)

    with files.services.records.snapshot() as tx:
        assert tx.imports.part_at(done.organization_id, done.import_id, 0) is None
    with pytest.raises(Conflict) as refused:
        start_import(files.services, files.business.organization, done.import_id, ADA)
    assert refused.value.code == "import_not_ready"
    assert stop_import(files.services, files.business.organization, done.import_id) == done


def test_a_file_that_nobody_starts_goes_after_a_week(files: FileOfBytes) -> None:
    ready = files.ready(CUSTOMERS, TABLE)
    clock = files.services.clock
    assert isinstance(clock, SetClock)
    stop_idle_imports(files.services)
    assert files.now(ready).state is ImportState.READY
    clock.instant += IDLE_MAX * 2

    stop_idle_imports(files.services)
    assert files.now(ready).state is ImportState.STOPPED


# -- looking first


@pytest.mark.parametrize("kind", [CUSTOMERS, EVENTS])
def test_a_check_says_what_would_be_and_does_nothing(files: FileOfBytes, kind: ImportKind) -> None:
    ready = files.ready(kind, CALLS + b"no json\n" if kind is EVENTS else TABLE + b"cid,x,no address,,\n")
    check_import(files.services, files.business.organization, ready.import_id, ADA)
    files.work(rows_at_once=2)

    checked = files.now(ready)
    made = 7 if kind is EVENTS else 2
    assert (checked.state, checked.tally) == (ImportState.READY, Tally(made=made, refused=1))
    assert checked.checked_at is not None
    assert (event_ids(files), customers(files)) == (set(), {})
    assert len(files.refused(checked)) == 1

    start_import(files.services, files.business.organization, ready.import_id, ADA)
    files.work()
    assert files.now(ready).tally == checked.tally
    assert len(files.refused(ready)) == 1


def test_a_check_that_is_stopped_leaves_the_import_ready(files: FileOfBytes) -> None:
    ready = files.ready(CUSTOMERS, TABLE)
    check_import(files.services, files.business.organization, ready.import_id, ADA)

    assert stop_import(files.services, files.business.organization, ready.import_id) == ready


def test_a_preview_shows_rows_as_the_api_would_get_them(files: FileOfBytes) -> None:
    ready = files.ready(CUSTOMERS, b"id,email,city\nada,ada@example.com,London\nbob,none,\n")
    found = preview_import(files.services, files.business.organization, ready.import_id, READING)

    first, second = found.rows
    assert first.payload == {"customer_id": "ada", "email": "ada@example.com", "address": {"city": "London"}}
    assert (first.problems, second.problems) == ((), ("email must be an e-mail address.",))
    assert (found.tally, customers(files)) == (Tally(made=1, refused=1), {})


def test_columns_that_are_missing_or_taken_twice_are_told_together(files: FileOfBytes) -> None:
    ready = files.ready(CUSTOMERS, TABLE)
    columns = (Column("id", "email"), Column("name", "nonsense"), Column("nobody", None))

    with pytest.raises(Invalid) as wrong:
        change_import(files.services, files.business.organization, ready.import_id, ImportChange(columns=columns))
    assert {each.code for each in wrong.value.problems} == {
        "required", "duplicate_column", "invalid_choice", "unknown_column"
    }  # fmt: skip


def test_a_file_without_the_columns_needed_is_not_started(files: FileOfBytes) -> None:
    ready = files.ready(CUSTOMERS, b"a,b\n1,2\n")

    with pytest.raises(Invalid) as wrong:
        start_import(files.services, files.business.organization, ready.import_id, ADA)
    assert wrong.value.detail == "No column goes to customer_id, which every row needs."


# -- the file


def test_a_part_that_comes_again_is_there_once(files: FileOfBytes) -> None:
    organization = files.business.organization
    made = create_import(files.services, organization, ImportDraft(CUSTOMERS, "f", ADA))
    add_to_file(files.services, organization, made.import_id, 0, b"id\nada\n")
    grown = add_to_file(files.services, organization, made.import_id, 3, b"ada\nbob\n")

    assert (grown.bytes_total, grown.lines_total) == (11, 3)
    with pytest.raises(Conflict) as gap:
        add_to_file(files.services, organization, made.import_id, 12, b"x")
    assert gap.value.code == "part_out_of_order"


def test_a_file_is_no_larger_than_the_limit(files: FileOfBytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lotus_server.usecases.imports.FILE_BYTES_MAX", 10)
    organization = files.business.organization
    made = create_import(files.services, organization, ImportDraft(CUSTOMERS, "f", ADA))
    add_to_file(files.services, organization, made.import_id, 0, b"0123456789")

    with pytest.raises(TooLarge):
        add_to_file(files.services, organization, made.import_id, 10, b"x")


def test_only_so_many_imports_are_open_at_once(files: FileOfBytes) -> None:
    organization = files.business.organization
    drafts = [ImportDraft(CUSTOMERS, "f", ADA)] * IMPORTS_OPEN_MAX
    made = [create_import(files.services, organization, draft) for draft in drafts]

    with pytest.raises(Conflict) as refused:
        create_import(files.services, organization, drafts[0])
    assert refused.value.code == "too_many_imports"
    stop_import(files.services, organization, made[0].import_id)
    create_import(files.services, organization, drafts[0])
    newest_first = [each.import_id for each in list_imports(files.services, organization, Page(3))]
    assert newest_first == sorted(newest_first, reverse=True)


def test_of_refused_rows_only_the_first_are_kept(files: FileOfBytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_runs, "REFUSED_ROWS_KEPT", 3)
    done = files.taken_in(CUSTOMERS, b"id,email\n" + b"a,b\n" * 7, rows_at_once=2)

    assert (done.tally.refused, [row.line for row in files.refused(done)]) == (7, [2, 3, 4])
    assert REFUSED_ROWS_KEPT == 10_000


def test_an_import_of_another_organization_is_not_there(files: FileOfBytes) -> None:
    ready = files.ready(CUSTOMERS, TABLE)
    other = found_business(files.services)

    with pytest.raises(NotFound):
        get_import(files.services, other.organization, ready.import_id)
