"""The program of the event writer's process. It loads only what it needs, so it is ready in a fraction of a second."""

import argparse
import gc
import logging
import socket
import sys
from pathlib import Path

from lotus_server.adapters.events_sqlite.process import run_writer
from lotus_server.adapters.ids_uuid7 import Uuid7Ids
from lotus_server.wire.track import make_decoder

# Decoded events are dropped by reference counts; the collector finds nothing among them and would look at all of them.
_COLLECT_AFTER = 200_000


def main(arguments: list[str]) -> int:
    """Write events to a directory until the process that started this one closes its sockets."""
    parser = argparse.ArgumentParser(prog="lotus_server.bootstrap.event_writer", description=__doc__)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--events-socket", type=int, required=True)
    parser.add_argument("--questions-socket", type=int, required=True)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    gc.set_threshold(_COLLECT_AFTER, 20, 50)
    events = socket.socket(fileno=options.events_socket)
    questions = socket.socket(fileno=options.questions_socket)
    return run_writer(options.directory, make_decoder(Uuid7Ids().random_uuid), events, questions)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
