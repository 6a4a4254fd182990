"""A batch is delivered until each event has an outcome, whatever the server does: no clock, no socket, no thread."""

import json
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lotus_fake import API_KEY

import lotus
from lotus._core import Core, Runtime
from lotus._events import Event, Settle, Verdict
from lotus._retry import Pause, Send
from lotus._wire import Response


class Told(list):
    """A handle that keeps what it is told."""

    resolve = list.append


def core(**options):
    runtime = Runtime(now=lambda: datetime(2026, 3, 4, tzinfo=timezone.utc), random=lambda: 0.5)
    return Core(
        API_KEY, {"host": "http://lotus.test", "gzip_threshold_bytes": None, **options}, on_error=None, runtime=runtime
    )


def batch_of(*names):
    return [Event(name, json.dumps({"idempotency_id": name}).encode(), 0.0, Told(), is_settled=False) for name in names]


def deliver(batch, answer, **options):
    """Drive the delivery with a server that is a function from a list of ids to a reply."""
    steps, reply, seen = core(**options).deliver(batch), None, []
    outcomes = {}
    while True:
        try:
            step = steps.send(reply)
        except StopIteration:
            return seen, outcomes
        reply = None
        if isinstance(step, Send):
            names = [each["idempotency_id"] for each in json.loads(step.request.body)["batch"]]
            seen.append(names)
            reply = answer(names)
        elif isinstance(step, Settle):
            for event, outcome in step.outcomes:
                assert event not in outcomes
                outcomes[event] = outcome
        else:
            assert isinstance(step, Pause)


def verdicts(names, status="accepted", **more):
    results = [{"idempotency_id": name, "status": status, **more} for name in names]
    return Response(201, body=json.dumps({"success": "all", "results": results}).encode())


def statuses(outcomes):
    return {event.idempotency_id: getattr(outcome, "status", type(outcome)) for event, outcome in outcomes.items()}


def test_each_event_gets_its_own_verdict():
    results = [
        {"idempotency_id": "a", "status": "accepted"},
        {"idempotency_id": "b", "status": "duplicate"},
        {"idempotency_id": "c", "status": "conflict", "reason": "other content"},
        {"idempotency_id": "d", "status": "rejected", "reason": "too far ahead"},
    ]
    body = json.dumps({"success": "some", "results": results}).encode()

    _, outcomes = deliver(batch_of("d", "b", "a", "c"), lambda _: Response(201, body=body))

    assert {"a": "accepted", "b": "duplicate", "c": "conflict", "d": "rejected"} == statuses(outcomes)
    rejected = next(each for each in outcomes.values() if getattr(each, "reason", None) == "too far ahead")
    assert isinstance(rejected, lotus.EventRejectedError)
    assert "event d: rejected: too far ahead" == str(rejected)


def test_verdicts_on_the_same_id_are_given_out_in_order():
    results = [{"idempotency_id": "a", "status": status} for status in ("accepted", "duplicate")]
    batch = batch_of("a", "a")

    _, outcomes = deliver(batch, lambda _: Response(201, body=json.dumps({"results": results}).encode()))

    assert ["accepted", "duplicate"] == [outcomes[event].status for event in batch]


def test_verdicts_count_also_when_every_event_failed():
    _, outcomes = deliver(batch_of("a"), lambda names: Response(400, body=verdicts(names, "rejected", reason="r").body))

    assert {"a": "rejected"} == statuses(outcomes)


def test_a_server_without_verdicts_says_which_events_failed():
    answer = Response(201, body=b'{"success": "some", "failed_events": {"b": "Customer does not exist"}}')

    _, outcomes = deliver(batch_of("a", "b"), lambda _: answer)

    assert {"a": "accepted", "b": "rejected"} == statuses(outcomes)


def test_a_server_without_verdicts_can_accept_all():
    _, outcomes = deliver(batch_of("a"), lambda _: Response(201, body=b'{"success": "all"}'))

    assert [Verdict("a", "accepted")] == list(outcomes.values())


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'{"results": []}', b'{"results": [{"idempotency_id": "a"}]}', b"{}"]
)
def test_a_success_that_says_nothing_about_an_event_is_not_taken_for_acceptance(body):
    _, outcomes = deliver(batch_of("a"), lambda _: Response(200, body=body))

    assert ["malformed_response"] == [outcome.code for outcome in outcomes.values()]


def test_a_refused_request_fails_each_event_with_an_error_of_its_own():
    _, outcomes = deliver(batch_of("a", "b"), lambda _: Response(401, body=b'{"title": "authentication_failed"}'))

    first, second = outcomes.values()
    assert isinstance(first, lotus.AuthenticationError)
    assert (str(first), vars(first)) == (str(second), vars(second))
    assert first is not second


def test_retries_send_the_same_ids_again():
    replies = iter([lotus.LotusTimeoutError("slow"), Response(500), Response(429)])

    seen, outcomes = deliver(batch_of("a", "b"), lambda names: next(replies, None) or verdicts(names))

    assert [["a", "b"]] * 4 == seen
    assert {"a": "accepted", "b": "accepted"} == statuses(outcomes)


def test_events_fail_when_the_retries_are_used_up():
    error = lotus.LotusConnectionError("reset")

    seen, outcomes = deliver(batch_of("a", "b"), lambda _: error, max_retries=1)

    assert 2 == len(seen)
    assert {"a": lotus.LotusConnectionError, "b": lotus.LotusConnectionError} == statuses(outcomes)


def test_a_batch_that_is_too_large_is_split_the_older_half_first():
    seen, outcomes = deliver(batch_of(*"abcde"), lambda names: Response(413) if len(names) > 2 else verdicts(names))

    assert ["abcde", "ab", "cde", "c", "de"] == ["".join(names) for names in seen]
    assert 5 == len(outcomes)


def test_a_single_event_that_is_too_large_fails_alone():
    _, outcomes = deliver(batch_of(*"abc"), lambda names: Response(413) if "b" in names else verdicts(names))

    assert {"a": "accepted", "b": 413, "c": "accepted"} == statuses(outcomes)


faults = st.lists(
    st.sampled_from(
        [
            None,
            None,
            Response(500),
            Response(413),
            Response(429, {"retry-after": "5"}),
            Response(400),
            Response(201, body=b"{}"),
            lotus.LotusConnectionError("reset"),
        ]
    ),
    max_size=40,
)


@given(st.integers(1, 30), faults)
def test_every_event_has_exactly_one_outcome_and_accepted_ones_arrived_in_order(count, misbehaviour):
    batch = batch_of(*(str(number) for number in range(count)))
    script, arrived = iter(misbehaviour), []

    def answer(names):
        fault = next(script, None)
        if fault is not None:
            return fault
        arrived.extend(names)
        return verdicts(names)

    _, outcomes = deliver(batch, answer)

    accepted = [event.idempotency_id for event in batch if isinstance(outcomes[event], Verdict)]
    assert set(batch) == outcomes.keys()
    assert accepted == arrived
