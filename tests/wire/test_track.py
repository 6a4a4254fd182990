"""The track body taken apart: events, reasons, and never a failure of a neighbour or of the server."""

import contextlib
import gzip
import itertools
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lotus_server.kernel.errors import Invalid, LotusError, TooLarge
from lotus_server.kernel.instants import from_microseconds, parse_instant, to_microseconds
from lotus_server.ports.event_store import BodyForm, DecodedBatch, IncomingEvent, Submission
from lotus_server.wire.track import make_decoder
from lotus_server.wire.track_times import instants_in_microseconds

NOW = datetime(2026, 5, 15, 12, tzinfo=UTC)
EVENT = {
    "type": "trackEvent",
    "event_name": "call",
    "customer_id": "acme",
    "idempotency_id": "id-1",
    "time_created": "2026-05-01T10:00:00.000Z",
    "properties": {"$lib": "lotus-node", "tokens": 3},
}


def decode(
    body: bytes,
    form: BodyForm = BodyForm.JSON,
    *,
    is_gzip: bool = False,
    known_customers: frozenset[str] | None = None,
) -> DecodedBatch:
    numbers = itertools.count()
    submission = Submission("org", body, NOW, form, is_gzip, known_customers=known_customers)
    return make_decoder(lambda: f"made-{next(numbers)}")(submission)


def only(body: bytes, form: BodyForm = BodyForm.JSON) -> IncomingEvent:
    batch = decode(body, form)
    assert [] == batch.rejected
    (event,) = batch.events
    return event


def event(**changes: object) -> dict[str, object]:
    return {key: value for key, value in (EVENT | changes).items() if value is not ...}


def to_json(value: object) -> bytes:
    return json.dumps(value).encode()


def reason(body: bytes, form: BodyForm = BodyForm.JSON) -> str:
    batch = decode(body, form)
    assert [] == batch.events
    (rejected,) = batch.rejected
    return rejected.reason


def reason_for(properties: str) -> str:
    return reason(b'{"event_name":"call","customer_id":"acme","properties":' + properties.encode() + b"}")


# -- forms


@pytest.mark.parametrize(
    "body",
    [
        to_json({"batch": [EVENT], "sentAt": "x"}),
        to_json(EVENT),
        to_json([EVENT]),
        b"\xef\xbb\xbf" + to_json([EVENT]),
        b" \n\t" + to_json([EVENT]) + b"\n",
        gzip.compress(to_json([EVENT]), mtime=0),
        gzip.compress(to_json([EVENT])[:9], mtime=0) + gzip.compress(to_json([EVENT])[9:], mtime=0),
    ],
)
def test_an_event_is_read_from_every_form(body: bytes) -> None:
    found = only(body)

    assert ("id-1", "acme", "call", True) == (
        found.idempotency_id,
        found.customer_id,
        found.event_name,
        found.has_own_time,
    )
    assert datetime(2026, 5, 1, 10, tzinfo=UTC) == from_microseconds(found.happened_us)
    assert {"$lib": "lotus-node", "tokens": 3} == found.properties
    assert to_json(EVENT["properties"]) == found.properties_json


def test_an_empty_batch_has_no_events() -> None:
    assert DecodedBatch([], [], []) == decode(b'{"batch":[]}') == decode(b"[]")


def test_missing_ids_are_made_and_missing_times_are_the_arrival() -> None:
    batch = decode(
        to_json([event(idempotency_id=..., time_created=...), event(idempotency_id=None, time_created=None)])
    )

    assert ["made-0", "made-1"] == [found.idempotency_id for found in batch.events]
    assert [(to_microseconds(NOW), False)] * 2 == [(found.happened_us, found.has_own_time) for found in batch.events]


def test_the_first_instant_of_1970_is_a_time_of_its_own() -> None:
    found = only(to_json(event(time_created="1970-01-01T00:00:00Z")))

    assert (0, True) == (found.happened_us, found.has_own_time)


@pytest.mark.parametrize("properties", [..., None, {}])
def test_missing_properties_are_none_at_all(properties: object) -> None:
    found = only(to_json(event(properties=properties)))

    assert ({}, b"{}") == (found.properties, found.properties_json)


def test_the_sender_s_text_of_the_properties_is_kept_byte_for_byte() -> None:
    text = '{ "n" : 1.50, "t":"\\u00e9 é \\n" }'.encode()
    found = only(b'[{"event_name":"call","customer_id":"acme","properties":' + text + b"}]")

    assert text == found.properties_json
    assert {"n": Decimal("1.50"), "t": "é é \n"} == found.properties


def test_numbers_are_exact() -> None:
    numbers = "[0.1,1e2,-0.000000000000000000000000000001,999999999999999999999999999999,12345678901234567890.5,-0]"
    found = only(b'{"event_name":"call","customer_id":"acme","properties":{"n":' + numbers.encode() + b"}}")

    values = found.properties["n"]
    assert [Decimal(text) for text in numbers.strip("[]").split(",")] == values
    assert not any(isinstance(value, float) for value in values)


# -- CloudEvents

CLOUDEVENT = {
    "specversion": "1.0",
    "id": "42",
    "source": "https://api.example.com/orders",
    "type": "call",
    "subject": "acme",
    "time": "2026-05-01T10:00:00Z",
    "datacontenttype": "application/json",
    "data": {"tokens": 3},
}


@pytest.mark.parametrize(
    ("form", "body"),
    [(BodyForm.CLOUDEVENT, to_json(CLOUDEVENT)), (BodyForm.CLOUDEVENTS, to_json([CLOUDEVENT]))],
)
def test_a_cloudevent_is_an_event(form: BodyForm, body: bytes) -> None:
    found = only(body, form=form)

    assert "https://api.example.com/orders 42" == found.idempotency_id
    assert ("acme", "call", {"tokens": 3}) == (found.customer_id, found.event_name, found.properties)


def test_a_cloudevent_that_lacks_something_says_what_in_its_own_words() -> None:
    sentence = reason(to_json({"type": "call", "data_base64": "AAAA", "time": 7}), form=BodyForm.CLOUDEVENT)

    for expected in ("subject is missing", "id is missing", "source is missing", "data_base64 is not", "time must be"):
        assert expected in sentence


# -- what is wrong with one event


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"event_name": ...}, "event_name is missing"),
        ({"event_name": ..., "customer_id": ...}, "event_name is missing; customer_id is missing."),
        ({"event_name": None}, "event_name must not be null"),
        ({"customer_id": 7}, "customer_id must be a text"),
        ({"customer_id": ""}, "customer_id must not be empty"),
        ({"customer_id": " acme"}, "customer_id must not begin or end with a space"),
        ({"customer_id": "a\nb"}, "customer_id must not contain"),
        ({"customer_id": "a\u200bb"}, "customer_id must not contain the character U+200B"),
        ({"event_name": "x" * 201}, "event_name must have at most 200 characters"),
        ({"idempotency_id": "x" * 201}, "idempotency_id must have at most 200 characters"),
        ({"idempotency_id": ""}, "idempotency_id must not be empty"),
        ({"idempotency_id": "a\0b"}, "idempotency_id must not contain"),
        ({"time_created": "yesterday"}, "time_created is not a time"),
        ({"time_created": 1683000000}, "time_created must be a text"),
        ({"time_created": "2026-02-30T00:00:00Z"}, "time_created is not a time"),
        ({"time_created": "2026-05-16T12:00:00.000001Z"}, "time_created lies more than one day in the future"),
        ({"properties": []}, "properties must be a JSON object, not an array"),
        ({"properties": "x"}, "properties must be a JSON object, not a text"),
        ({"properties": 7}, "properties must be a JSON object, not a number"),
        ({"properties": True}, "properties must be a JSON object, not a boolean"),
        ({"properties": {"a": "x" * 33_000}}, "properties has 33009 bytes; at most 32768"),
        ({"properties": {"a": "\0"}}, "properties contains U+0000"),
        ({"properties": {"\0": 1}}, "properties contains U+0000"),
        ({"customer_id": "", "properties": 3, "time_created": "x"}, "customer_id must not be empty; time_created is"),
    ],
)
def test_a_wrong_event_is_rejected_with_a_reason_and_its_neighbours_are_not(
    changes: dict[str, object], expected: str
) -> None:
    before, after = [event(idempotency_id=f"{side}-{number}") for number in range(20) for side in "xy"][:2]
    wrong = event(**changes)
    batch = decode(to_json([before, wrong, after, wrong]))

    assert ["x-0", "y-0"] == [found.idempotency_id for found in batch.events]
    assert [0, 2] == batch.positions
    assert [1, 3] == [rejected.position for rejected in batch.rejected]
    assert expected in batch.rejected[0].reason
    assert batch.rejected[0].reason.endswith(".")


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ('{"n":1e400}', "the number 1e400, which is out of range"),
        ('{"n":1000000000000000000000000000000}', "out of range"),
        ('{"n":-1000000000000000000000000000000}', "out of range"),
        ('{"n":{"m":[1e30]}}', "out of range"),
        ('{"n":0.0000000000000000000000000000001}', "out of range"),
        ('{"n":1e-31}', "out of range"),
        ('{"n":' + "9" * 5_000 + "}", "out of range"),
        ('{"n":"\\ud800"}', "half of a surrogate pair"),
        ('{"\\ude00":1}', "half of a surrogate pair"),
        ('{"n":' + '{"a":' * 32 + "1" + "}" * 33, "nested deeper than 32 levels"),
        ('{"n":' + "[" * 32 + "]" * 32 + "}", "nested deeper than 32 levels"),
    ],
)
def test_properties_that_cannot_be_kept_exactly_are_rejected(properties: str, expected: str) -> None:
    assert expected in reason_for(properties)
    assert "not valid JSON" not in reason_for(properties)
    good = json.dumps(event(idempotency_id="good"))
    bad = f'{{"event_name":"call","customer_id":"acme","idempotency_id":"bad","properties":{properties}}}'
    batch = decode(f'{{"batch":[{good},{bad}]}}'.encode())
    assert (["good"], ["bad"]) == (
        [found.idempotency_id for found in batch.events],
        [rejected.idempotency_id for rejected in batch.rejected],
    )


@pytest.mark.parametrize(
    "properties",
    [
        '{"n":' + "[" * 31 + "]" * 31 + "}",
        '{"n":"' + "[" * 100 + '"}',
        '{"n":"' + "9" * 40 + '"}',
        '{"n":"\\\\u0000"}',
        '{"n":"\\ud83d\\ude00"}',
        '{"n":"' + "x" * (32_768 - 8) + '"}',
        '{"n":999999999999999999999999999999}',
        '{"n":1,"n":2}',
    ],
)
def test_properties_at_the_limits_are_taken(properties: str) -> None:
    found = only(f'{{"event_name":"call","customer_id":"acme","properties":{properties}}}'.encode())

    assert properties.encode() == found.properties_json


def test_a_time_one_day_ahead_is_taken_and_any_time_in_the_past() -> None:
    times = ["2026-05-16T12:00:00Z", "1999-01-01", "0001-01-01T00:00:00Z"]

    assert 3 == len(decode(to_json([event(time_created=text) for text in times])).events)


def test_events_of_unknown_customers_are_rejected_when_the_submission_names_the_known_ones() -> None:
    body = to_json([event(), event(customer_id="stranger")])
    batch = decode(body, known_customers=frozenset({"acme"}))

    assert ["acme"] == [found.customer_id for found in batch.events]
    assert "customer_id names a customer that does not exist" in batch.rejected[0].reason


def test_a_member_of_a_batch_that_is_no_object_is_rejected() -> None:
    batch = decode(b'[1,{"event_name":"call","customer_id":"acme"},null,[],"x"]')

    assert [1] == batch.positions
    assert [0, 2, 3, 4] == [rejected.position for rejected in batch.rejected]


# -- what is wrong with the body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"[}",
        b"nul",
        b"null",
        b"7",
        b'"text"',
        b'{"batch":7}',
        b'{"batch":null}',
        b'{"batch":[{]}',
        b"[1] [2]",
        b'[{"event_name":"\xff"}]',
        b'[{"event_name":"call","customer_id":"acme","ignored":"\xff"}]',
        b'[{"n":NaN}]',
        b'[{"n":Infinity}]',
        b'[{"n":01}]',
        b'[{"n":1.}]',
        b"[" * 5_000 + b"]" * 5_000,
        b'[{"event_name":"call","customer_id":"acme","properties":' + b"[" * 5_000 + b"]" * 5_000 + b"}]",
        b"\x1f\x8b",
        gzip.compress(b"[]", mtime=0)[:-1],
        gzip.compress(b"[]", mtime=0) + b"rest",
        gzip.compress(b"[]", mtime=0)[:-8] + b"12345678",
    ],
)
def test_a_body_that_cannot_be_read_is_invalid(body: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        decode(body)

    assert caught.value.detail.endswith(".")


def test_a_broken_body_names_the_place() -> None:
    with pytest.raises(Invalid, match="byte 5"):
        decode(b'[{"a"}]')


def test_a_request_holds_ten_thousand_events_and_ten_megabytes() -> None:
    one = to_json(event())
    assert 10_000 == len(decode(b"[" + b",".join([one] * 10_000) + b"]").events)
    bad = b'{"event_name":7}'
    for member in (one, bad):
        with pytest.raises(TooLarge):
            decode(b"[" + b",".join([member] * 10_001) + b"]")
    with pytest.raises(TooLarge):
        decode(b" " * 10_000_001)
    with pytest.raises(TooLarge):
        decode(gzip.compress(b" " * 10_000_001))


def test_a_gzip_bomb_is_not_inflated() -> None:
    bomb = gzip.compress(gzip.compress(b"\0" * 500_000_000, 1), 1)
    with pytest.raises((TooLarge, Invalid)):
        decode(gzip.decompress(bomb))


# -- any bytes whatsoever

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["\0", "\ud800"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
_fields = st.fixed_dictionaries(
    {},
    optional={
        "event_name": st.sampled_from(["call", "", "é", "a b"]) | _json,
        "customer_id": st.sampled_from(["acme", "beta"]) | _json,
        "idempotency_id": st.sampled_from(["a", "b", None]) | _json,
        "time_created": st.sampled_from(["2026-05-01T10:00:00Z", "2026-05-01 10:00:00+02:00", "2026-05-01"]) | _json,
        "properties": st.dictionaries(st.text(max_size=4), _json, max_size=3) | _json,
        "id": st.text(max_size=3),
        "source": st.text(max_size=3),
        "subject": st.text(max_size=3),
        "type": st.text(max_size=3),
        "data": _json,
    },
)
_forms = st.sampled_from(list(BodyForm))


@given(body=st.binary(max_size=200), form=_forms, is_gzip=st.booleans())
@example(body=b"\x1f\x8b\x08\x00", form=BodyForm.JSON, is_gzip=True)
def test_no_bytes_break_the_decoder(body: bytes, form: BodyForm, is_gzip: bool) -> None:
    with contextlib.suppress(LotusError):
        decode(body, form=form, is_gzip=is_gzip)


@given(
    body=_fields | st.lists(_fields, max_size=4) | st.fixed_dictionaries({"batch": st.lists(_fields) | _json}),
    form=_forms,
)
def test_no_json_breaks_the_decoder_and_every_event_has_one_outcome(body: object, form: BodyForm) -> None:
    try:
        batch = decode(to_json(body), form=form)
    except Invalid:
        return
    places = batch.positions + [rejected.position for rejected in batch.rejected]
    assert sorted(places) == list(range(len(places)))
    assert len(batch.events) == len(batch.positions)


@given(cut=st.data())
def test_no_damage_to_a_good_body_breaks_the_decoder(cut: st.DataObject) -> None:
    body = bytearray(to_json({"batch": [event(idempotency_id=str(number)) for number in range(3)]}))
    for _ in range(cut.draw(st.integers(1, 4))):
        body[cut.draw(st.integers(0, len(body) - 1))] = cut.draw(st.integers(0, 255))
    with contextlib.suppress(Invalid):
        decode(bytes(body))


@given(events=st.lists(_fields, min_size=1, max_size=30))
def test_an_event_fares_the_same_alone_and_in_a_batch(events: list[dict[str, object]]) -> None:
    """The quick way through a whole column and the careful one through one event come to the same."""
    named = [one | {"idempotency_id": one.get("idempotency_id") or f"n{place}"} for place, one in enumerate(events)]
    try:
        together = decode(to_json(named))
    except Invalid:
        return
    accepted = dict(zip(together.positions, together.events, strict=True))
    reasons = {rejected.position: rejected.reason for rejected in together.rejected}
    for place, one in enumerate(named):
        alone = decode(to_json([one]))
        assert [accepted[place]] == alone.events if place in accepted else alone.rejected[0].reason == reasons[place]


# -- times

_instants = st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31, 23, 59, 59))  # noqa: DTZ001
_digit_soup = st.text(alphabet="0123456789-:.TZ +", min_size=18, max_size=30)


@given(
    instants=st.lists(_instants, min_size=16, max_size=40),
    digits=st.integers(0, 6),
    soup=st.lists(_digit_soup | st.none() | st.just("2026-02-29T00:00:00Z"), max_size=2),
)
def test_a_column_of_times_is_read_as_the_kernel_reads_each(
    instants: list[datetime], digits: int, soup: list[str | None]
) -> None:
    column: list[str | None] = [_text(instant, digits) for instant in instants]
    column[5:5] = soup
    times, unreadable = instants_in_microseconds(column)

    for place, text in enumerate(column):
        expected = None if text is None else parse_instant(text)
        assert (to_microseconds(expected) if expected else None) == times[place]
        assert (place in unreadable) == (text is not None and expected is None)


def _text(instant: datetime, digits: int) -> str:
    fraction = f".{instant.microsecond:06d}"[: digits + 1] if digits else ""
    return f"{instant.replace(microsecond=0).isoformat()}{fraction}Z"


def test_every_day_of_four_centuries_is_the_right_day() -> None:
    first = datetime(1799, 12, 31, 23, 59, 59, tzinfo=UTC)
    days = [first + timedelta(days=number) for number in range(400 * 366)]
    times, unreadable = instants_in_microseconds([day.strftime("%Y-%m-%dT%H:%M:%SZ") for day in days])

    assert [] == unreadable
    assert [to_microseconds(day) for day in days] == times
