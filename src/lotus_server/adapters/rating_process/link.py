"""The run's end of the way to the process that rates ahead: starts it, asks it, and does without it when it is gone."""

import select
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final

import msgspec
import structlog
from typing_extensions import override

from lotus_server.adapters.rating_process.frames import Sources, decode_answer, receive, send
from lotus_server.ports.rating_ahead import NextDue, RatedOrganization, Rater, RatingAhead

# The run takes about a fifth of a second for a batch, and rates one in a tenth. An answer that takes so much longer
# comes from a machine with other things to do, on which a second process is no help.
_ANSWER_SECONDS_MAX: Final = 0.5
_STOP_SECONDS_MAX: Final = 5.0

_log = structlog.get_logger()


class RatingProcesses(RatingAhead):
    """Starts a process for a run that wants one."""

    def __init__(self, command: Sequence[str], records_url: str, events_directory: str) -> None:
        """Keep how it is started; it is told the number of its socket as the last argument."""
        self._command = command
        self._sources = Sources(records_url, events_directory)

    @override
    def rater(self) -> AbstractContextManager[Rater]:
        """Start one, which ends with the block."""
        return self._running()

    @contextmanager
    def _running(self) -> Iterator[Rater]:
        here, there = socket.socketpair()
        with here:
            here.settimeout(_ANSWER_SECONDS_MAX)
            with there:
                process = subprocess.Popen(  # noqa: S603 - the command is the composition root's
                    [*self._command, str(there.fileno())], pass_fds=(there.fileno(),), stdin=subprocess.DEVNULL
                )
            try:
                yield _Conversation(here, self._sources)
            finally:
                here.close()
                try:
                    process.wait(_STOP_SECONDS_MAX)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


class _Conversation(Rater):
    """What is said with one process. Whatever goes wrong ends it, and then nothing is rated ahead any more."""

    def __init__(self, other: socket.socket, sources: Sources) -> None:
        self._other: socket.socket | None = other
        self._is_ready = False
        self._is_asked = False
        with self._ended_by_errors():
            send(other, sources)

    @override
    def ask(self, question: NextDue) -> None:
        """Let it rate the next ones, if it is ready by now."""
        if self._other is None or not self._ready(self._other):
            return
        with self._ended_by_errors():
            send(self._other, question)
            self._is_asked = True

    @override
    def take(self) -> list[RatedOrganization]:
        """Return the answer, once it has come."""
        found: list[RatedOrganization] = []
        if self._other is not None and self._is_asked:
            self._is_asked = False
            with self._ended_by_errors():
                found = decode_answer(self._receive(self._other))
        return found

    def _ready(self, other: socket.socket) -> bool:
        """Tell whether it has said so; that is not waited for."""
        if not self._is_ready and select.select([other], [], [], 0)[0]:
            with self._ended_by_errors():
                self._receive(other)
                self._is_ready = True
        return self._is_ready

    def _receive(self, other: socket.socket) -> bytearray:
        body = receive(other)
        if body is None:
            raise ConnectionResetError("it ended")
        return body

    @contextmanager
    def _ended_by_errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, msgspec.DecodeError) as error:
            _log.warning("rating_ahead_ended", cause=f"{type(error).__name__}: {error}")
            self._other = None
