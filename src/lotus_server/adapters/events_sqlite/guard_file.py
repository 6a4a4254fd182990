"""The guard's file: a copy of its table, so that a start need not read the whole log.

The file is only a shortcut. It is written beside the old one, synced and renamed; one that is missing, of another log,
or damaged in any way is ignored, and the guard is built from the log.
"""

import os
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from xxhash import xxh3_64

from lotus_server.adapters.events_sqlite.guard import Guard, Table

_MAGIC: Final = b"lotus guard 1\n"
_HEADER_BYTES: Final = 256
_DESCRIPTORS_MAX: Final = 1_024
_EVENTS_PER_SAVE_MIN: Final = 1_000_000


class _Header(msgspec.Struct):
    secret: int
    until_seq: int
    slots: int
    count: int
    checksum: int


class GuardKeeper:
    """Looks after the guard's file: when it is worth writing, and by whom."""

    def __init__(self, path: Path, secret: int) -> None:
        """Look after one file of one log."""
        self._path = path
        self._secret = secret
        self._saved_until = 0
        self._child: tuple[int, int] | None = None

    def load(self, last_seq: int) -> tuple[Guard, int]:
        """Return the file's guard and how far it goes; an empty guard and 0 when it is of no use."""
        guard, self._saved_until = load_guard(self._path, self._secret, last_seq)
        return guard, self._saved_until

    def forget(self) -> None:
        """Remove a file that turned out to be of no use."""
        self._saved_until = 0
        self._path.unlink(missing_ok=True)

    def tend(self, guard: Guard, last_seq: int) -> None:
        """Begin to write the file anew when the log has grown by a quarter since, at least by a million events."""
        self._reap(os.WNOHANG)
        if self._child is None and last_seq - self._saved_until >= max(_EVENTS_PER_SAVE_MIN, last_seq // 4):
            self._child = (save_guard_aside(self._path, guard, self._secret, last_seq), last_seq)

    def save(self, guard: Guard, last_seq: int) -> None:
        """Bring the file up to date now."""
        self._reap(0)
        if self._saved_until < last_seq:
            save_guard(self._path, guard, self._secret, last_seq)
            self._saved_until = last_seq

    def _reap(self, options: int) -> None:
        """Take note of what the child did; one that failed is tried again when the next save is due."""
        if self._child is not None:
            process, until = self._child
            ended, _ = os.waitpid(process, options)
            if ended:
                self._saved_until, self._child = until, None


def save_guard(path: Path, guard: Guard, secret: int, until_seq: int) -> None:
    """Replace the guard's file by one that knows every event up to a sequence number."""
    write_table(path, guard.settled(), secret, until_seq)


def save_guard_aside(path: Path, guard: Guard, secret: int, until_seq: int) -> int:
    """Do the same in a child process, which sees the guard as it is now; return the child's process id.

    Writing 200 MB takes a good part of a second, during which events would wait.
    """
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        # The parent's sockets and lock must not outlive it in here. Its databases are not touched.
        os.closerange(3, _DESCRIPTORS_MAX)
        os.nice(10)
        save_guard(path, guard, secret, until_seq)
        status = 0
    finally:
        os._exit(status)


def write_table(path: Path, table: Table, secret: int, until_seq: int) -> None:
    """Write a table to a file that appears all at once."""
    header = _Header(secret, until_seq, len(table.hashes), table.count, _checksum(table, secret, until_seq))
    text = _MAGIC + msgspec.json.encode(header)
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(text.ljust(_HEADER_BYTES))
        file.write(table.hashes.data)
        file.write(table.sequences.data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def load_guard(path: Path, secret: int, last_seq: int) -> tuple[Guard, int]:
    """Return the guard of a file and the sequence number up to which it is complete.

    An empty one and 0 if the file is of no use.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_HEADER_BYTES)
            if not text.startswith(_MAGIC):
                return Guard(), 0
            header = msgspec.json.decode(text.removeprefix(_MAGIC).strip(), type=_Header)
            # A log that is shorter than what the file knows was put back from a backup: its newest events are others.
            if header.secret != secret or header.until_seq > last_seq:
                return Guard(), 0
            hashes = np.fromfile(file, np.uint64, header.slots)
            sequences = np.fromfile(file, np.uint32, header.slots)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, ValueError, MemoryError):
        return Guard(), 0
    if len(hashes) != header.slots or len(sequences) != header.slots:
        return Guard(), 0
    table = Table(hashes, sequences, header.count)
    is_whole = _checksum(table, secret, header.until_seq) == header.checksum
    return (Guard(table), header.until_seq) if is_whole else (Guard(), 0)


def _checksum(table: Table, secret: int, until_seq: int) -> int:
    digest = xxh3_64(f"{secret} {until_seq} {len(table.hashes)} {table.count}".encode())
    digest.update(table.hashes.data)
    digest.update(table.sequences.data)
    return digest.intdigest()
