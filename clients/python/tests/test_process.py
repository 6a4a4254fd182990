"""What happens when a process ends or forks; each test runs a program of its own."""

import os
import subprocess
import sys
import textwrap
import threading

import pytest
from lotus_fake import API_KEY

NEEDS_FORK = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def run(host, program):
    environment = {**os.environ, "LOTUS_HOST": host, "LOTUS_API_KEY": API_KEY}
    ended = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(program)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (0, "") == (ended.returncode, ended.stderr)
    return ended.stdout


def test_the_end_of_the_program_sends_what_waits(local, fake):
    run(
        local,
        """
        import lotus
        client = lotus.Lotus(flush_interval_seconds=3600, flush_at=7)
        for number in range(3000):
            client.track_event(event_name="e", customer_id="c", idempotency_id=str(number))
        """,
    )

    assert [str(number) for number in range(3000)] == list(fake.events)


def test_the_end_of_a_program_that_uses_the_module_sends_what_waits(local, fake):
    run(
        local,
        """
        import atexit, lotus
        atexit.register(lambda: lotus.track_event(event_name="e", customer_id="c", idempotency_id="last"))
        lotus.track_event(event_name="e", customer_id="c", idempotency_id="first")
        """,
    )

    assert ["first", "last"] == list(fake.events)


def test_an_error_that_ends_the_program_does_not_lose_events(local, fake):
    with pytest.raises(AssertionError):
        run(local, "import lotus\nlotus.track_event(event_name='e', customer_id='c')\nraise SystemExit(3)")

    assert 1 == len(fake.events)


def test_a_server_that_is_away_holds_the_program_up_no_longer_than_allowed(local, fake):
    fake.misbehaviour += [_stall] * 4
    output = run(
        local,
        """
        import lotus
        client = lotus.Lotus(
            exit_timeout_seconds=0.05, on_error=lambda error, events: print(type(error).__name__, len(events))
        )
        client.track_event(event_name="e", customer_id="c")
        """,
    )

    assert "LotusTimeoutError 1\n" == output


def _stall(_seen):
    threading.Event().wait(2)


@NEEDS_FORK
def test_a_forked_child_starts_empty_and_sends_its_own(local, fake):
    output = run(
        local,
        """
        import os, sys, lotus
        client = lotus.Lotus(flush_interval_seconds=3600)
        client.get_plans()  # a connection that both would share
        queued = client.track_event(event_name="e", customer_id="c", idempotency_id="parent")
        child = os.fork()
        if child == 0:
            assert client.stats == lotus.Stats(), client.stats
            try:
                queued.result(timeout=5)
            except lotus.LotusError as error:
                assert "not by its fork" in str(error)
            handle = client.track_event(event_name="e", customer_id="c", idempotency_id="child")
            client.flush()
            assert handle.result(timeout=5).status == "accepted"
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        client.get_plans()
        client.close()
        print(queued.result(timeout=5).status)
        """,
    )

    assert "accepted\n" == output
    assert ["child", "parent"] == list(fake.events)
    tracked = [seen.json["batch"] for seen in fake.seen if seen.path == "/api/track/"]
    assert [1, 1] == [len(batch) for batch in tracked]
    plans = [seen.connection for seen in fake.seen if seen.path == "/api/plans/"]
    children = [seen.connection for seen in fake.seen if seen.path == "/api/track/"][:1]
    assert 1 == len(set(plans))
    assert not set(plans) & set(children)


@NEEDS_FORK
def test_a_child_that_only_ends_sends_its_events_too(local, fake):
    run(
        local,
        """
        import os, sys, lotus
        lotus.track_event(event_name="e", customer_id="c", idempotency_id="parent")
        child = os.fork()
        if child == 0:
            lotus.track_event(event_name="e", customer_id="c", idempotency_id="child")
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        """,
    )

    assert {"parent", "child"} == fake.events.keys()
    assert 2 == len(fake.seen)


@NEEDS_FORK
def test_forking_while_other_threads_track_leaves_no_lock_behind(local, fake):
    run(
        local,
        """
        import os, sys, threading, lotus
        client = lotus.Lotus(flush_interval_seconds=0.001)
        stop = threading.Event()
        def work():
            while not stop.is_set():
                client.track_event(event_name="e", customer_id="c")
        threads = [threading.Thread(target=work) for _ in range(3)]
        [thread.start() for thread in threads]
        for number in range(10):
            child = os.fork()
            if child == 0:
                client.track_event(event_name="e", customer_id="c", idempotency_id=f"child-{number}")
                client.flush(timeout_seconds=20)
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
        stop.set()
        [thread.join() for thread in threads]
        client.close()
        """,
    )

    assert 10 == len([name for name in fake.events if name.startswith("child-")])
