"""The front's end of the way to the writer process: starts it, sends it submissions without blocking.

Asks it questions. The event loop only moves bytes. When the writer dies, everything that waits for it fails with
Unavailable, and the next call starts another one.
"""

import asyncio
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from lotus_server.adapters.events_sqlite.messages import (
    Answer,
    Append,
    FrameReader,
    KnownCustomers,
    Question,
    Reply,
    Status,
    to_frame,
)
from lotus_server.adapters.events_sqlite.process import KNOWN_SETS_MAX
from lotus_server.kernel.errors import Unavailable
from lotus_server.ports.event_store import Receipt, Submission

_RECEIVE_BYTES: Final = 1 << 18
# Long enough for a start that has to rebuild the guard of many events from the log.
_ANSWER_SECONDS_MAX: Final = 300.0
_STOP_SECONDS_MAX: Final = 30.0
RESTART_SECONDS_MIN: Final = 1.0
IN_FLIGHT_BYTES_MAX: Final = 64 << 20
_OVERHEAD_BYTES: Final = 200

_decode_answer: Final = msgspec.msgpack.Decoder(Answer).decode
_decode_reply: Final = msgspec.msgpack.Decoder(Reply).decode


class _Pending(msgspec.Struct):
    future: asyncio.Future[Receipt]
    size: int


class _Process:
    """One run of the writer, this end of its two sockets, and the conversation so far."""

    def __init__(self, command: Sequence[str], directory: Path) -> None:
        self.events, events_there = socket.socketpair()
        self.questions, questions_there = socket.socketpair()
        with events_there, questions_there:
            there = (events_there.fileno(), questions_there.fileno())
            self.process = subprocess.Popen(  # noqa: S603 - the command is the composition root's
                [*command, f"--directory={directory}", f"--events-socket={there[0]}", f"--questions-socket={there[1]}"],
                pass_fds=there,
                stdin=subprocess.DEVNULL,
            )
        self.events.settimeout(0)
        self.questions.settimeout(_ANSWER_SECONDS_MAX)
        self.is_ready = False
        self.loop: asyncio.AbstractEventLoop | None = None
        self.pending: dict[int, _Pending] = {}
        self.outgoing: deque[memoryview] = deque()
        self.answers = FrameReader()
        self.known_numbers: dict[frozenset[str], int] = {}
        self.known_count = 0

    def detach(self) -> None:
        """Leave the event loop, and tell everyone in it who waits that nothing more will come."""
        loop, self.loop = self.loop, None
        if loop is not None and not loop.is_closed():
            loop.remove_reader(self.events)
            loop.remove_writer(self.events)
        pending, self.pending = self.pending, {}
        for one in pending.values():
            if not one.future.done() and not one.future.get_loop().is_closed():
                one.future.set_exception(
                    Unavailable("The event writer stopped before it acknowledged these events; send them again.")
                )

    def stop(self) -> None:
        """Let the writer finish and leave: it does when its sockets end."""
        self.events.close()
        self.questions.close()
        try:
            self.process.wait(_STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:  # pragma: no cover - a disk that hangs
            self.kill()

    def kill(self) -> None:
        """End the writer at once."""
        self.process.kill()
        self.process.wait()


class WriterLink:
    """Speaks with the writer process.

    Submissions belong to the one event loop that runs; questions may come from any thread.
    """

    def __init__(
        self, command: Sequence[str], directory: Path, *, in_flight_bytes_max: int, restart_seconds_min: float
    ) -> None:
        """Start the writer and wait until it is ready. Raises Unavailable when it does not get there."""
        self._restart_seconds_min = restart_seconds_min
        self._command = command
        self._directory = directory
        self._in_flight_bytes_max = in_flight_bytes_max
        self._in_flight_bytes = 0
        self._last_number = 0
        self._question_lock = threading.Lock()
        self._process_lock = threading.Lock()
        self._is_closed = False
        self._started_at = time.monotonic()
        self._process: _Process | None = _Process(command, directory)
        try:
            self.ask(Status())
        except BaseException:
            self.close()
            raise

    @property
    def process_id(self) -> int | None:
        """Return the writer's process id, None while there is none."""
        process = self._process
        return None if process is None else process.process.pid

    # -- submissions

    async def append(self, submission: Submission) -> Receipt:
        """Return the writer's receipt, or raise what the writer answered."""
        size = len(submission.body) + _OVERHEAD_BYTES
        if self._in_flight_bytes and self._in_flight_bytes + size > self._in_flight_bytes_max:
            raise Unavailable(
                "More events are waiting to be written than fit; try again in a moment.", code="overloaded"
            )
        process = self._attached()
        self._last_number += 1
        number = self._last_number
        pending = process.pending[number] = _Pending(asyncio.get_running_loop().create_future(), size)
        self._in_flight_bytes += size
        try:
            self._send(process, _frames(process, number, submission))
            return await pending.future
        finally:
            # Also when the caller gave up: the events are stored all the same, and a later answer finds nobody.
            process.pending.pop(number, None)
            self._in_flight_bytes -= size

    def _attached(self) -> _Process:
        """Return the writer, read by the loop that runs now."""
        loop = asyncio.get_running_loop()
        process = self._running()
        if process.loop is not loop:
            # The loop before has ended, and whoever waited in it with it: only one loop at a time may use a store.
            process.detach()
            loop.add_reader(process.events, self._on_readable, process)
            process.loop = loop
        return process

    def _send(self, process: _Process, frames: list[bytes]) -> None:
        was_idle = not process.outgoing
        process.outgoing.extend(memoryview(frame) for frame in frames)
        if was_idle:
            self._on_writable(process)

    def _on_writable(self, process: _Process) -> None:
        assert process.loop is not None
        try:
            while process.outgoing:
                sent = process.events.send(process.outgoing[0])
                if sent < len(process.outgoing[0]):
                    process.outgoing[0] = process.outgoing[0][sent:]
                else:
                    process.outgoing.popleft()
        except BlockingIOError:
            process.loop.add_writer(process.events, self._on_writable, process)
            return
        except OSError:
            self._lose(process)
            return
        process.loop.remove_writer(process.events)

    def _on_readable(self, process: _Process) -> None:
        try:
            received = process.events.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if not received:
            self._lose(process)
            return
        process.answers.feed(received)
        for head, _ in process.answers.frames():
            answer = _decode_answer(head)
            pending = process.pending.get(answer.number)
            if pending is not None and not pending.future.done():
                _settle(pending.future, answer)

    # -- questions

    def ask(self, question: Question) -> Reply:
        """Return the writer's reply; blocks until it has come. Raises Unavailable when the writer dies or refuses."""
        with self._question_lock:
            process = self._running()
            try:
                if not process.is_ready:
                    _check(_receive_reply(process))
                    process.is_ready = True
                process.questions.sendall(to_frame(question))
                return _check(_receive_reply(process))
            except OSError as error:
                self._abandon(process)
                raise Unavailable(f"The event writer does not answer: {error}.") from error

    # -- the process

    def _running(self) -> _Process:
        """Return the writer; start one when there is none, but not again and again."""
        with self._process_lock:
            if self._is_closed:
                raise Unavailable("The event store is closed.")
            if self._process is None:
                if time.monotonic() - self._started_at < self._restart_seconds_min:
                    raise Unavailable("The event writer is being restarted; try again in a moment.")
                self._started_at = time.monotonic()
                self._process = _Process(self._command, self._directory)
            return self._process

    def _lose(self, process: _Process) -> None:
        """Take note, in the event loop, that the writer is gone."""
        process.detach()
        self._abandon(process)
        process.events.close()

    def _abandon(self, process: _Process) -> None:
        """Give up a writer that is gone or does not answer; the next call starts another.

        Its events socket is left to the event loop, if one still runs, which sees it end.
        """
        with self._process_lock:
            if self._process is process:
                self._process = None
        process.kill()
        if process.loop is None or process.loop.is_closed():
            process.events.close()
        process.questions.close()

    def close(self) -> None:
        """Let the writer finish what it has, and wait until it is gone."""
        with self._process_lock:
            self._is_closed = True
            process, self._process = self._process, None
        if process is not None:
            process.detach()
            process.stop()


def _frames(process: _Process, number: int, submission: Submission) -> list[bytes]:
    """Return what has to be sent for a submission: a set of known customers only once, since it can be large."""
    frames: list[bytes] = []
    known = None
    if submission.known_customers is not None:
        known = process.known_numbers.get(submission.known_customers)
        if known is None:
            process.known_count += 1
            known = process.known_numbers[submission.known_customers] = process.known_count
            while len(process.known_numbers) > KNOWN_SETS_MAX:
                del process.known_numbers[next(iter(process.known_numbers))]
            frames.append(to_frame(KnownCustomers(known, submission.known_customers)))
    head = Append(
        number,
        submission.organization_id,
        submission.now,
        submission.form,
        submission.is_gzip,
        submission.wants_results,
        known,
    )
    return [*frames, to_frame(head, submission.body)]


def _settle(future: asyncio.Future[Receipt], answer: Answer) -> None:
    if answer.receipt is not None:
        future.set_result(answer.receipt)
    else:
        assert answer.failure is not None
        future.set_exception(answer.failure.to_error())


def _check(reply: Reply) -> Reply:
    if reply.failure is not None:
        raise Unavailable(reply.failure)
    return reply


def _receive_reply(process: _Process) -> Reply:
    reader = FrameReader()
    while True:
        received = process.questions.recv(_RECEIVE_BYTES)
        if not received:
            raise ConnectionResetError("it ended")
        reader.feed(received)
        for head, _ in reader.frames():
            return _decode_reply(head)
