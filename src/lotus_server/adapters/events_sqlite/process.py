"""The writer process: reads submissions from one socket and questions from another, and answers after the commit.

All submissions that wait in the socket become one transaction, so the price of a sync is shared: the busier, the larger
the groups.
"""

import contextlib
import logging
import select
import signal
import socket
import time
from collections import deque
from pathlib import Path
from typing import Final

import msgspec

from lotus_server.adapters.events_sqlite.messages import (
    Answer,
    Append,
    Correct,
    Failure,
    Fed,
    Find,
    FrameReader,
    KnownCustomers,
    Question,
    Register,
    Reply,
    to_frame,
)
from lotus_server.adapters.events_sqlite.writer import EVENTS_PER_COMMIT_MAX, EventWriter, LockedByAnother
from lotus_server.kernel.errors import LotusError
from lotus_server.ports.event_store import Decoder, Submission

_log: Final = logging.getLogger("lotus.events")
_RECEIVE_BYTES: Final = 1 << 20
_GROUP_BYTES_MAX: Final = 16 << 20
# A socket holds only about 200 kB. While a sender has more, it needs a moment to refill it; waiting that long makes
# groups of everything that waits, instead of what happened to fit.
_BUSY_BYTES: Final = 64 << 10
_REFILL_SECONDS: Final = 0.0005
_LOCK_WAIT_SECONDS: Final = 10.0
_LOCK_RETRY_SECONDS: Final = 0.05
KNOWN_SETS_MAX: Final = 16
EVENTS_MAX: Final = 10_000
_EVENT_BYTES: Final = 200
_GZIP_RATIO: Final = 20


def run_writer(directory: Path, decode: Decoder, events: socket.socket, questions: socket.socket) -> int:
    """Serve until the events socket is closed at the other end; return the process's exit status."""
    # Ctrl-C in a terminal reaches the whole process group. The front decides when to stop: it closes the sockets.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        writer = open_when_free(directory, decode)
    except Exception as error:  # noqa: BLE001 - whatever it is, the front must hear of it
        _log.exception("the event writer cannot start")
        with contextlib.suppress(OSError):
            questions.sendall(to_frame(Reply(failure=f"The event writer cannot start: {error}.")))
        return 1
    # Not closed after an error: what the memory knows is then not worth saving.
    _Service(writer, events, questions).run()
    writer.close()
    return 0


def open_when_free(directory: Path, decode: Decoder, wait_seconds: float = _LOCK_WAIT_SECONDS) -> EventWriter:
    """Return the directory's writer; wait a while for another one that is about to leave.

    Raises LockedByAnother when it does not leave.
    """
    give_up_at = time.monotonic() + wait_seconds
    while True:
        try:
            return EventWriter(directory, decode)
        except LockedByAnother:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(_LOCK_RETRY_SECONDS)


class _Service:
    def __init__(self, writer: EventWriter, events: socket.socket, questions: socket.socket) -> None:
        self._writer = writer
        self._events = events
        self._questions = questions
        self._incoming = FrameReader()
        self._asked = FrameReader()
        self._waiting: deque[tuple[int, Submission]] = deque()
        self._known_customers: dict[int, frozenset[str]] = {}
        self._decode_fed = msgspec.msgpack.Decoder(Fed).decode
        self._decode_question = msgspec.msgpack.Decoder(Question).decode
        self._is_fed = True

    def run(self) -> None:
        poll = select.poll()
        for source in (self._events, self._questions):
            poll.register(source, select.POLLIN)
        self._questions.sendall(to_frame(Reply()))  # ready
        while self._is_fed:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if self._events.fileno() in ready:
                self._receive()
            while self._waiting:
                self._commit_a_group()
            if self._questions.fileno() in ready and not self._answer_questions():
                # Whoever asks is gone. Events may still be on their way; the end of their socket is the end of work.
                poll.unregister(self._questions)

    def _receive(self) -> None:
        """Take in what waits in the socket, up to the size of a group."""
        received = 0
        while received < _GROUP_BYTES_MAX:
            try:
                piece = self._events.recv(_RECEIVE_BYTES, socket.MSG_DONTWAIT)
            except ConnectionResetError:  # the front ended with answers unread
                piece = b""
            except BlockingIOError:
                piece = None
            if piece is not None:
                if not piece:
                    self._is_fed = False
                    break
                received += len(piece)
                self._incoming.feed(piece)
            elif not select.select([self._events], [], [], _REFILL_SECONDS if received > _BUSY_BYTES else 0)[0]:
                break
        for head, body in self._incoming.frames():
            self._take(self._decode_fed(head), body)

    def _take(self, message: Fed, body: bytes) -> None:
        if isinstance(message, KnownCustomers):
            self._known_customers[message.number] = message.customer_ids
            if len(self._known_customers) > KNOWN_SETS_MAX:
                del self._known_customers[min(self._known_customers)]
            return
        known = None if message.known_customers is None else self._known_customers[message.known_customers]
        self._waiting.append((message.number, _submission(message, body, known)))

    def _commit_a_group(self) -> None:
        group = []
        events = 0
        while self._waiting and events < EVENTS_PER_COMMIT_MAX:
            number, submission = self._waiting.popleft()
            group.append((number, submission))
            events += _events_at_most(submission)
        answers = self._writer.append([submission for _, submission in group])
        frames = [
            to_frame(
                Answer(number, failure=Failure.of(answer)) if isinstance(answer, LotusError) else Answer(number, answer)
            )
            for (number, _), answer in zip(group, answers, strict=True)
        ]
        # A front that is gone need not be told; what it sent is stored all the same.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._events.sendall(b"".join(frames))
        self._writer.tidy_up()

    def _answer_questions(self) -> bool:
        """Answer what was asked; return False when nobody is there to ask any more."""
        piece = b""
        with contextlib.suppress(ConnectionResetError):
            piece = self._questions.recv(_RECEIVE_BYTES)
        if not piece:
            return False
        self._asked.feed(piece)
        for head, _ in self._asked.frames():
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._questions.sendall(to_frame(self._reply(self._decode_question(head))))
        return True

    def _reply(self, question: Question) -> Reply:
        reply = Reply()
        try:
            if isinstance(question, Register):
                self._writer.register(question.aggregates)
            elif isinstance(question, Find):
                reply.found = self._writer.find(question.organization_id, question.idempotency_ids)
            elif isinstance(question, Correct):
                reply.corrected = self._writer.correct(question.organization_id, question.orders, question.now)
        except Exception as error:  # noqa: BLE001 - the asker gets the error, the writer goes on
            _log.exception("a question to the event writer failed")
            return Reply(failure=str(error))
        reply.commit_count = self._writer.commit_count
        return reply


def _events_at_most(submission: Submission) -> int:
    """Return about how many events a body holds; the number is not known before decoding, which takes memory."""
    inflated = len(submission.body) * (_GZIP_RATIO if submission.is_gzip else 1)
    return min(EVENTS_MAX, 1 + inflated // _EVENT_BYTES)


def _submission(message: Append, body: bytes, known_customers: frozenset[str] | None) -> Submission:
    return Submission(
        message.organization_id,
        body,
        message.now,
        message.form,
        message.is_gzip,
        message.wants_results,
        known_customers,
    )
