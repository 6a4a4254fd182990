"""The body of `POST /api/track/` taken apart: one verdict-ready event or one reason per event.

Never a failure of its neighbours. A whole batch is decoded and checked column by column, because that is where the
speed is (2 us an event instead of 12); only a batch, or a column, in which something is wrong is looked at event by
event. Every check of a whole column is therefore a cheap test that can only err on the side of looking closer.
"""

import re
import zlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import msgspec

from lotus_server.kernel.errors import Invalid, TooLarge
from lotus_server.kernel.identifiers import IDENTIFIER_LENGTH_MAX, identifier_problem
from lotus_server.kernel.instants import to_microseconds
from lotus_server.kernel.quantity import INTEGER_DIGITS_MAX, in_range
from lotus_server.ports.event_store import (
    REFUSED_BYTES_MAX,
    BodyForm,
    DecodedBatch,
    Decoder,
    IncomingEvent,
    RejectedEvent,
    Submission,
)
from lotus_server.wire.track_times import instants_in_microseconds

EVENTS_MAX: Final = 10_000
BODY_BYTES_MAX: Final = 10_000_000
PROPERTIES_BYTES_MAX: Final = 32 * 1024
DEPTH_MAX: Final = 32
FUTURE_US_MAX: Final = 86_400_000_000

_GZIP_MAGIC: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"
_EMPTY: Final = b"{}"
_LONG_NUMBER: Final = b"0" * (INTEGER_DIGITS_MAX + 1)
# Every digit becomes `0` and everything else a space, so that one search finds an integer of 31 digits or more.
_DIGITS: Final = bytes(0x30 if 0x30 <= code <= 0x39 else 0x20 for code in range(256))
_TOO_DEEP: Final = "is nested too deeply to be read"
_NO_CHARACTER: Final = "contains U+0000 or half of a surrogate pair, which are no characters"
# Escapes one after the other, so that an escaped backslash before a `u` is not taken for the beginning of one.
_ESCAPES: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


class _Entry(msgspec.Struct, gc=False):
    """One event as our own clients send it; `properties` stays the sender's text."""

    event_name: str
    customer_id: str
    idempotency_id: str | None = None
    properties: msgspec.Raw = msgspec.Raw(b"")
    time_created: str | None = None


class _Body(msgspec.Struct):
    """The two forms of a JSON object that carries events: an envelope with `batch`, or one event."""

    batch: list[_Entry] | msgspec.UnsetType = msgspec.UNSET
    event_name: str | msgspec.UnsetType = msgspec.UNSET
    customer_id: str | msgspec.UnsetType = msgspec.UNSET
    idempotency_id: str | None = None
    properties: msgspec.Raw = msgspec.Raw(b"")
    time_created: str | None = None


class _CloudEvent(msgspec.Struct, gc=False):
    """One event in the JSON format of CloudEvents 1.0."""

    id: str
    source: str
    type: str
    subject: str
    time: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"")

    def to_entry(self) -> _Entry:
        return _Entry(self.type, self.subject, cloudevent_identifier(self.source, self.id), self.data, self.time)


class _Envelope(msgspec.Struct):
    batch: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Fields(msgspec.Struct, frozen=True):
    """What one form calls the fields of an event."""

    event_name: str
    customer_id: str
    idempotency_id: str
    properties: str
    time_created: str
    source: str | None = None


_OWN_FIELDS: Final = _Fields("event_name", "customer_id", "idempotency_id", "properties", "time_created")
_CLOUDEVENT_FIELDS: Final = _Fields("type", "subject", "id", "data", "time", "source")


def _exact(text: str) -> Decimal:
    """Return the exact value of a JSON number with a fraction or an exponent.

    Raise ValueError when it is out of range.
    """
    value = Decimal(text)
    # Thirty characters without an exponent cannot leave the range; the full check costs five times as much.
    if (len(text) > 30 or "e" in text or "E" in text) and not in_range(value):
        raise ValueError(_number_problem(text))
    return value


def _number_problem(text: str) -> str:
    shown = text if len(text) <= 40 else f"{text[:37]}..."
    return (
        f"contains the number {shown}, which is out of range (at most 30 digits before and 30 after the decimal point)"
    )


_body_decoder: Final = msgspec.json.Decoder(_Body)
_entries_decoder: Final = msgspec.json.Decoder(list[_Entry])
_cloudevents_decoder: Final = msgspec.json.Decoder(list[_CloudEvent])
_cloudevent_decoder: Final = msgspec.json.Decoder(_CloudEvent)
_envelope_decoder: Final = msgspec.json.Decoder(_Envelope)
_raw_list_decoder: Final = msgspec.json.Decoder(list[msgspec.Raw])
_raw_object_decoder: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_any_decoder: Final = msgspec.json.Decoder(float_hook=_exact)
_properties_column_decoder: Final = msgspec.json.Decoder(list[dict[str, Any] | None], float_hook=_exact)


def cloudevent_identifier(source: str, event_id: str) -> str:
    """Return the idempotency_id of a CloudEvent: its `source` and `id`, which only together are unique.

    With a space between. A URI reference has no space in it, so two different pairs can never become one identifier.
    """
    return f"{source} {event_id}"


def make_decoder(new_id: Callable[[], str]) -> Decoder:
    """Return the decoder of the track endpoint; `new_id` names the events that came without an idempotency_id."""

    def decode(submission: Submission) -> DecodedBatch:
        return _decode(submission, new_id)

    return decode


def _decode(submission: Submission, new_id: Callable[[], str]) -> DecodedBatch:
    body = _readable(submission)
    batch = _Batch(submission, new_id, body)
    try:
        entries = _entries(body, submission.form)
    except RecursionError:
        raise Invalid(f"The body {_TOO_DEEP}.", code="malformed_json") from None
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        entries = None
    if entries is None:
        return batch.judge_one_by_one(_raw_entries(body, submission.form))
    if len(entries) > EVENTS_MAX:
        raise TooLarge(f"The request has {len(entries)} events; at most {EVENTS_MAX} are taken at once.")
    return batch.judge(entries, list(range(len(entries))))


def _readable(submission: Submission) -> bytes:
    """Return the JSON text of a body: inflated, within the limit, and UTF-8."""
    body = submission.body
    if submission.is_gzip or body.startswith(_GZIP_MAGIC):
        body = _inflated(body)
    if len(body) > BODY_BYTES_MAX:
        raise TooLarge(f"The body has more than {BODY_BYTES_MAX} bytes.")
    body = body.removeprefix(_BOM)
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise Invalid(f"The body is not UTF-8 (byte {error.start}).", code="malformed_json") from None
    return body


def _inflated(body: bytes) -> bytes:
    parts: list[bytes] = []
    room = BODY_BYTES_MAX + 1
    try:
        while body and room > 0:  # a gzip file may have several members
            inflater = zlib.decompressobj(wbits=31)
            part = inflater.decompress(body, room)
            room -= len(part)
            parts.append(part)
            if room > 0 and not inflater.eof:
                raise Invalid("The body's gzip stream is cut off.", code="malformed_gzip")
            body = inflater.unused_data
    except zlib.error as error:
        raise Invalid(f"The body is not valid gzip: {error}.", code="malformed_gzip") from None
    return b"".join(parts)


def _entries(body: bytes, form: BodyForm) -> list[_Entry] | None:
    """Return the events when all of them have the right shape, None or an error of the decoder when one has not."""
    is_list = body.lstrip()[:1] == b"["
    if form is not BodyForm.JSON:
        events = _cloudevents_decoder.decode(body) if is_list else [_cloudevent_decoder.decode(body)]
        return [event.to_entry() for event in events]
    if is_list:
        return _entries_decoder.decode(body)
    one = _body_decoder.decode(body)
    if one.batch is not msgspec.UNSET:
        return one.batch
    if one.event_name is msgspec.UNSET or one.customer_id is msgspec.UNSET:
        return None
    return [_Entry(one.event_name, one.customer_id, one.idempotency_id, one.properties, one.time_created)]


def _raw_entries(body: bytes, form: BodyForm) -> list[msgspec.Raw]:
    """Return the text of each event of a body in which something is wrong; raise Invalid if that is the JSON itself."""
    try:
        raws = _split(body, form)
    except msgspec.ValidationError as error:
        raise Invalid(f"The body holds no events: {error}.", code="malformed_body") from None
    except RecursionError:
        raise Invalid(f"The body {_TOO_DEEP}.", code="malformed_json") from None
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise Invalid(f"The body is not valid JSON: {_plain(error)}.", code="malformed_json") from None
    if len(raws) > EVENTS_MAX:
        raise TooLarge(f"The request has {len(raws)} events; at most {EVENTS_MAX} are taken at once.")
    return raws


def _split(body: bytes, form: BodyForm) -> list[msgspec.Raw]:
    """Return the text of each event, with every half of a surrogate pair replaced by U+0000.

    Half a pair in the key of one event's object makes the whole body unreadable for the decoder. U+0000 is refused just
    the same, but only where it stands.
    """
    if b"\\ud" in body.lower():
        body = _ESCAPES.sub(_without_half_pair, body)
    if body.lstrip()[:1] == b"[":
        return _raw_list_decoder.decode(body)
    envelope = _envelope_decoder.decode(body)
    if form is BodyForm.JSON and envelope.batch is not msgspec.UNSET:
        return _raw_list_decoder.decode(envelope.batch)
    return [msgspec.Raw(body)]


def _without_half_pair(escape: re.Match[bytes]) -> bytes:
    return b"\\u0000" if escape["half"] else escape[0]


def _plain(error: Exception) -> str:
    return str(error).removeprefix("JSON is malformed: ").rstrip(".")


class _Batch:
    """Judges the events of one submission and gathers what becomes of them."""

    def __init__(self, submission: Submission, new_id: Callable[[], str], body: bytes) -> None:
        self._body = body
        self._form = submission.form
        self._now_us = to_microseconds(submission.now)
        self._known_customers = submission.known_customers
        self._fields = _OWN_FIELDS if submission.form is BodyForm.JSON else _CLOUDEVENT_FIELDS
        self._new_id = new_id
        self._rejected: list[RejectedEvent] = []
        self._raws: list[msgspec.Raw] | None = None
        # What is wrong with the event of an index, as ends of sentences that begin with the field's name.
        self._problems: dict[int, list[str]] = {}

    def judge(self, entries: list[_Entry], positions: list[int]) -> DecodedBatch:
        """Check events of the right shape, column by column."""
        if not entries:
            return DecodedBatch([], [], self._rejected)
        names = [entry.event_name for entry in entries]
        customers = [entry.customer_id for entry in entries]
        ids = [self._new_id() if entry.idempotency_id is None else entry.idempotency_id for entry in entries]
        self._check_identifiers(names, self._fields.event_name)
        self._check_identifiers(customers, self._fields.customer_id)
        self._check_identifiers(ids, self._fields.idempotency_id)
        times = self._times([entry.time_created for entry in entries])
        texts = [bytes(entry.properties) or _EMPTY for entry in entries]
        properties = self._properties(texts)
        if self._known_customers is not None:
            self._check_known(customers, self._known_customers)
        events = [
            IncomingEvent(id_, customer, name, self._now_us if at is None else at, at is not None, text, values)
            for id_, customer, name, at, text, values in zip(
                ids, customers, names, times, texts, properties, strict=True
            )
        ]
        if self._problems:
            return self._without_rejected(events, positions)
        return DecodedBatch(events, positions, self._rejected)

    def judge_one_by_one(self, raws: list[msgspec.Raw]) -> DecodedBatch:
        """Check each event's shape, put those aside that have none, and judge the others."""
        entries: list[_Entry] = []
        positions: list[int] = []
        self._raws = raws
        for position, raw in enumerate(raws):
            found = _entry_or_rejection(raw, self._fields, position)
            if isinstance(found, RejectedEvent):
                self._rejected.append(found)
            else:
                entries.append(found)
                positions.append(position)
        return self.judge(entries, positions)

    def _without_rejected(self, events: list[IncomingEvent], positions: list[int]) -> DecodedBatch:
        # Only now, because taking a body apart a second time is wasted on those in which nothing is wrong.
        raws = self._raws or _raw_entries(self._body, self._form)
        for index, problems in sorted(self._problems.items()):
            reason, position = "; ".join(problems) + ".", positions[index]
            event_id = events[index].idempotency_id
            self._rejected.append(RejectedEvent(position, event_id, reason, _content(raws[position])))
        self._rejected.sort(key=lambda rejected: rejected.position)
        kept = [index for index in range(len(events)) if index not in self._problems]
        return DecodedBatch([events[index] for index in kept], [positions[index] for index in kept], self._rejected)

    def _reject(self, index: int, problem: str) -> None:
        self._problems.setdefault(index, []).append(problem)

    def _check_identifiers(self, texts: list[str], field: str) -> None:
        """Check a column of identifiers: in one go when all are plain ASCII without spaces."""
        joined = "".join(texts)
        is_plain = joined.isascii() and joined.isprintable() and " " not in joined
        lengths = [len(text) for text in texts]
        if is_plain and min(lengths) >= 1 and max(lengths) <= IDENTIFIER_LENGTH_MAX:
            return
        for index, text in enumerate(texts):
            problem = identifier_problem(text)
            if problem:
                self._reject(index, f"{field} {problem}")

    def _check_known(self, customers: list[str], known: frozenset[str]) -> None:
        if known.issuperset(customers):
            return
        for index, customer in enumerate(customers):
            if customer not in known:
                self._reject(index, f"{self._fields.customer_id} names a customer that does not exist")

    def _times(self, texts: list[str | None]) -> list[int | None]:
        times, unreadable = instants_in_microseconds(texts)
        field = self._fields.time_created
        for index in unreadable:
            self._reject(index, f"{field} is not a time such as 2026-01-31T13:45:00Z")
        latest = self._now_us + FUTURE_US_MAX
        if max((at for at in times if at is not None), default=latest) > latest:
            for index, at in enumerate(times):
                if at is not None and at > latest:
                    self._reject(index, f"{field} lies more than one day in the future")
        return times

    def _properties(self, texts: list[bytes]) -> list[dict[str, Any]]:
        """Return the column of properties with exact numbers."""
        joined = b",".join(texts)
        opened = joined.count(b"{") + joined.count(b"[")
        is_plain = (
            max(map(len, texts)) <= PROPERTIES_BYTES_MAX
            # Brackets beyond one pair per event bound the depth of every event; brackets in texts only make us look
            # closer.
            and opened <= len(texts) + DEPTH_MAX - 1
            and b"\\u0000" not in joined
            and _LONG_NUMBER not in joined.translate(_DIGITS)
        )
        if is_plain:
            try:
                column = _properties_column_decoder.decode(b"[" + joined + b"]")
            except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError):
                column = None
            if column is not None:
                return [
                    self._without_null(texts, index) if values is None else values
                    for index, values in enumerate(column)
                ]
        return [self._properties_of(texts, index) for index in range(len(texts))]

    def _without_null(self, texts: list[bytes], index: int) -> dict[str, Any]:
        texts[index] = _EMPTY
        return {}

    def _properties_of(self, texts: list[bytes], index: int) -> dict[str, Any]:
        """Return the properties of one event that may have something wrong; what it is has been noted then."""
        values, problem = read_properties(texts[index])
        if problem:
            self._reject(index, f"{self._fields.properties} {problem}")
        if values is None:
            return self._without_null(texts, index)
        return values


def read_properties(text: bytes) -> tuple[dict[str, Any] | None, str | None]:
    """Return the properties of a JSON text with exact numbers, or None and what is wrong with them; null is neither."""
    if len(text) > PROPERTIES_BYTES_MAX:
        return None, f"has {len(text)} bytes; at most {PROPERTIES_BYTES_MAX} are kept with an event"
    try:
        values = _any_decoder.decode(text)
    except RecursionError:
        return None, _TOO_DEEP
    except UnicodeDecodeError:
        return None, "contains bytes that are not UTF-8"
    except msgspec.DecodeError as error:
        message = str(error)
        if "out of range" in message:
            own, _, _ = message.partition(" - at `")
            return None, own if own.startswith("contains") else _number_problem("of several thousand digits")
        # Half of a pair is the only thing that is well-formed JSON and yet no text.
        return None, _NO_CHARACTER if b"\\u" in text else f"is not valid JSON: {_plain(error)}"
    except ValueError as error:
        message = str(error)
        return None, message if message.startswith("contains") else _number_problem("of several thousand digits")
    if values is None:
        return None, None
    if not isinstance(values, dict):
        return None, f"must be a JSON object, not {_kind(values)}"
    problem = value_problem(values)
    return (None, problem) if problem else (values, None)


def value_problem(value: Any, depth: int = 1) -> str | None:  # noqa: ANN401 - a JSON value
    """Return why a JSON value cannot be kept, as the end of a sentence that begins with it, or None."""
    if isinstance(value, str):
        return _NO_CHARACTER if "\0" in value else None
    if isinstance(value, int):  # a Decimal was checked when it was read
        return None if in_range(Decimal(value)) else _number_problem(str(value))
    if not isinstance(value, (dict, list)):
        return None
    if depth > DEPTH_MAX:
        return f"is nested deeper than {DEPTH_MAX} levels"
    members = [*value.keys(), *value.values()] if isinstance(value, dict) else value
    return next((problem for member in members if (problem := value_problem(member, depth + 1))), None)


def _content(raw: msgspec.Raw) -> str:
    """Return the beginning of an event's own text, for the log of what was refused."""
    return bytes(memoryview(raw)[:REFUSED_BYTES_MAX]).decode(errors="ignore")


def _kind(value: Any) -> str:  # noqa: ANN401 - a JSON value
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a text"
    return "an array" if isinstance(value, list) else "a number"


def _entry_or_rejection(raw: msgspec.Raw, fields: _Fields, position: int) -> _Entry | RejectedEvent:
    """Return an event whose fields have the right types, or everything that is wrong with its fields at once."""
    try:
        members = _raw_object_decoder.decode(raw)
    except msgspec.ValidationError:
        return RejectedEvent(position, None, "The event must be a JSON object.", _content(raw))
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError):
        return RejectedEvent(position, None, "The event has a key that is no text.", _content(raw))
    problems: list[str] = []
    name = _text(members, fields.event_name, problems, is_required=True)
    customer = _text(members, fields.customer_id, problems, is_required=True)
    event_id = _text(members, fields.idempotency_id, problems, is_required=fields.source is not None)
    at = _text(members, fields.time_created, problems, is_required=False)
    if fields.source is not None:
        source = _text(members, fields.source, problems, is_required=True)
        if "data_base64" in members:
            problems.append("data_base64 is not taken; send the properties as data, a JSON object")
        event_id = None if event_id is None or source is None else cloudevent_identifier(source, event_id)
    if problems or name is None or customer is None:
        is_nameable = event_id is not None and identifier_problem(event_id) is None
        reason = "; ".join(problems) + "."
        return RejectedEvent(position, event_id if is_nameable else None, reason, _content(raw))
    return _Entry(name, customer, event_id, members.get(fields.properties, msgspec.Raw(b"")), at)


def _text(members: dict[str, msgspec.Raw], field: str, problems: list[str], *, is_required: bool) -> str | None:
    raw = members.get(field)
    if raw is None:
        if is_required:
            problems.append(f"{field} is missing")
        return None
    try:
        value = _any_decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError):
        problems.append(f"{field} is not a readable text")
        return None
    if isinstance(value, str):
        return value
    if value is not None:
        problems.append(f"{field} must be a text")
    elif is_required:
        problems.append(f"{field} must not be null")
    return None
