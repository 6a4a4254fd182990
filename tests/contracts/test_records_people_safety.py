"""Second factors, attempts and outgoing mail in every database of records."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import msgspec

from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.domain.accounts import Attempts, LinkPurpose, SecondFactor, User, after_attempt
from lotus_server.ports.mail import OutgoingMail
from tests.records_values import NOW

LATER = NOW + timedelta(hours=1)
FACTOR = SecondFactor("user_ada", "SECRET", NOW)
MAIL = OutgoingMail("mail_1", "ada@example.com", "Subject", "Text 🪷", NOW, NOW, LinkPurpose.INVITATION)


def test_a_person_has_one_second_factor_or_none(records: SqlRecords) -> None:
    confirmed = msgspec.structs.replace(FACTOR, confirmed_at=LATER, last_step=58_000_000, recovery_hashes=("a", "b"))
    with records.transaction() as tx:
        tx.people.users.add(User("user_ada", "ada@example.com", "Ada", NOW))
        assert tx.people.second_factors.get("user_ada") is None
        for value in (FACTOR, confirmed):
            tx.people.second_factors.put(value)
            assert value == tx.people.second_factors.get("user_ada", for_update=True)
        assert tx.people.second_factors.of_users(["user_ada", "user_ben"]) == {"user_ada": confirmed}
        for _ in range(2):
            tx.people.second_factors.remove("user_ada")
            assert tx.people.second_factors.get("user_ada") is None


def test_attempts_begin_at_none_and_are_kept(records: SqlRecords) -> None:
    with records.transaction() as tx:
        assert tx.people.attempts.take("key", NOW) == Attempts("key", 0, NOW)
        tx.people.attempts.replace(Attempts("key", 3, LATER))
    with records.transaction() as tx:
        assert tx.people.attempts.take("key", NOW) == Attempts("key", 3, LATER)
        tx.people.attempts.remove("key")
        tx.people.attempts.remove("another")
        assert tx.people.attempts.take("key", LATER) == Attempts("key", 0, LATER)


def test_old_attempts_are_forgotten(records: SqlRecords) -> None:
    with records.transaction() as tx:
        for key, at in (("old", NOW), ("new", LATER)):
            tx.people.attempts.take(key, at)
            tx.people.attempts.replace(Attempts(key, 5, at))
        tx.people.attempts.forget(LATER)

        assert [tx.people.attempts.take(key, NOW).failures for key in ("old", "new")] == [0, 5]


def test_attempts_at_one_thing_at_once_are_all_counted(records: SqlRecords) -> None:
    def attempt(_: int) -> None:
        with records.transaction() as tx:
            tx.people.attempts.replace(after_attempt(tx.people.attempts.take("key", NOW), NOW))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(attempt, range(24)))

    with records.transaction() as tx:
        assert tx.people.attempts.take("key", NOW).failures == 24


def test_mail_is_claimed_when_it_is_due_the_earliest_first(records: SqlRecords) -> None:
    later = msgspec.structs.replace(MAIL, mail_id="mail_0", due_at=LATER, purpose=None)
    with records.transaction() as tx:
        tx.people.mails.add(later)
        tx.people.mails.add(MAIL)

        assert tx.people.mails.claim(NOW - timedelta(seconds=1), 10) == []
        assert tx.people.mails.claim(NOW, 10) == [MAIL]
        assert tx.people.mails.claim(LATER, 10) == [MAIL, later]
        assert tx.people.mails.claim(LATER, 1) == [MAIL]


def test_mail_that_is_done_is_not_due_and_goes_after_a_while(records: SqlRecords) -> None:
    done = msgspec.structs.replace(MAIL, due_at=None, tries=1, sent_at=LATER, text="")
    with records.transaction() as tx:
        tx.people.mails.add(MAIL)
        tx.people.mails.replace(done)
        assert tx.people.mails.claim(LATER, 10) == []
        tx.people.mails.forget(NOW)
        tx.people.mails.replace(done)  # it is still there
        tx.people.mails.forget(LATER)
        tx.people.mails.add(MAIL)
