"""The process's end: it is told where to read, says that it is ready, and answers one question after the other."""

import contextlib
import logging
import signal
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from lotus_server.adapters.rating_process.frames import Sources, decode_question, decode_sources, receive, send
from lotus_server.ports.rating_ahead import NextDue, RatedOrganization

_log: Final = logging.getLogger("lotus.rating")

Rate = Callable[[NextDue], list[RatedOrganization]]


def serve_rating(asked: socket.socket, opened: Callable[[Sources], AbstractContextManager[Rate]]) -> None:
    """Answer until the other end closes its socket. A question that fails has an empty answer."""
    # Ctrl-C in a terminal reaches the whole process group. The run decides when to stop: it closes the socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        sources = receive(asked)
        if sources is None:
            return
        with opened(decode_sources(sources)) as rate:
            send(asked, [])  # ready
            while (question := receive(asked)) is not None:
                send(asked, _answer(rate, decode_question(question)))


def _answer(rate: Rate, question: NextDue) -> list[RatedOrganization]:
    try:
        return rate(question)
    except Exception:  # noqa: BLE001 - the run finds out by itself, and says so to whom it concerns
        _log.exception("rating ahead failed")
        return []
