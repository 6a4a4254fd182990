"""The guard of exactly-once: which event, if any, may already have a given id.

A table in memory from the 64-bit hash of an id to the sequence number of its event; open addressing, linear probing,
looked up for a whole batch with numpy (docs/decisions/0003-event-log.md has the measurements). It is derived from the
log and only proposes candidates: whoever asks compares the stored id, so two ids with one hash are no problem, only
slower.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from lotus_server.adapters.events_sqlite.hashes import Hashes

Sequences = npt.NDArray[np.int64]

_SLOTS_MIN: Final = 1 << 12
_LOAD_MAX: Final = 0.6
# Old slots moved per new id while the table grows. The next growth is due after 0.6 times the old slot count of new
# ids, so anything above 2 is done in time.
_SLOTS_MOVED_PER_ID: Final = 8
_FEW: Final = 12
SEQUENCE_MAX: Final = (1 << 32) - 1


class Table:
    """An open-addressing table of one size. Hash 0 marks a free slot; an id whose hash is 0 counts as 1."""

    def __init__(self, hashes: Hashes, sequences: npt.NDArray[np.uint32], count: int) -> None:
        """Take over the slots; `count` of them are used."""
        self.hashes = hashes
        self.sequences = sequences
        self.count = count
        self._mask = len(hashes) - 1
        # Single items are read four times faster through the buffer than through the array.
        self._hash_view = hashes.data
        self._sequence_view = sequences.data

    @classmethod
    def empty(cls, slots: int) -> "Table":
        """Return a table without entries; `slots` is a power of two."""
        return cls(np.zeros(slots, dtype=np.uint64), np.zeros(slots, dtype=np.uint32), 0)

    @property
    def is_full(self) -> bool:
        """Tell whether the probe sequences would get long."""
        return self.count > _LOAD_MAX * len(self.hashes)

    def candidates(self, hashed: int) -> Iterator[int]:
        """Yield the sequence number of every entry of a hash."""
        position = hashed & self._mask
        while found := self._hash_view[position]:
            if found == hashed:
                yield self._sequence_view[position]
            position = (position + 1) & self._mask

    def find(self, hashes: Hashes) -> Sequences:
        """Return the sequence number of one entry of each hash, 0 where there is none."""
        result = np.zeros(len(hashes), dtype=np.int64)
        if len(hashes) <= _FEW:  # numpy's calls cost more than a few probes: 64 us against 2 us for a single id
            for index, hashed in enumerate(hashes.tolist()):
                result[index] = next(self.candidates(hashed), 0)
            return result
        wanted = hashes
        positions = (hashes & np.uint64(self._mask)).astype(np.int64)
        places = np.arange(len(hashes))
        while len(places):
            slots = self.hashes[positions]
            hit = slots == wanted
            result[places[hit]] = self.sequences[positions[hit]]
            goes_on = ~hit & (slots != 0)
            places, wanted = places[goes_on], wanted[goes_on]
            positions = (positions[goes_on] + 1) & self._mask
        return result

    def add(self, hashes: Hashes, sequences: npt.NDArray[np.uint32]) -> None:
        """Add entries, whose sequence numbers all differ; there must be room."""
        self.count += len(hashes)
        positions = (hashes & np.uint64(self._mask)).astype(np.int64)
        while len(hashes):
            free = self.hashes[positions] == 0
            # Several entries may want one slot: all write their number, the one that is read back has it.
            at = positions[free]
            self.sequences[at] = sequences[free]
            won = np.zeros(len(hashes), dtype=bool)
            won[free] = self.sequences[at] == sequences[free]
            self.hashes[positions[won]] = hashes[won]
            rest = ~won
            hashes, sequences = hashes[rest], sequences[rest]
            positions = (positions[rest] + 1) & self._mask


class Guard:
    """A table that grows while it is used.

    A full one gets a successor, and every new id moves a few old entries over.
    """

    def __init__(self, table: Table | None = None) -> None:
        """Start with the entries of a table, or with none."""
        self._table = table or Table.empty(_SLOTS_MIN)
        self._old: Table | None = None
        self._moved = 0

    @property
    def count(self) -> int:
        """Return the number of ids."""
        waiting = 0 if self._old is None else int(np.count_nonzero(self._old.hashes[self._moved :]))
        return self._table.count + waiting

    def find(self, hashes: Hashes) -> Sequences:
        """Return for each hash the sequence number of one event that may have the id, 0 when no event has it."""
        hashes = np.maximum(hashes, np.uint64(1))
        found = self._table.find(hashes)
        if self._old is not None:
            missing = found == 0
            found[missing] = self._old.find(hashes[missing])
        return found

    def candidates(self, hashed: int) -> set[int]:
        """Return the sequence numbers of all events that may have the id."""
        hashed = max(hashed, 1)
        found = set(self._table.candidates(hashed))
        if self._old is not None:
            found.update(self._old.candidates(hashed))
        return found

    def add(self, hashes: Hashes, first_sequence: int) -> None:
        """Remember the ids of events that were numbered one after the other from `first_sequence`."""
        assert first_sequence + len(hashes) <= SEQUENCE_MAX, "the guard numbers 4.29 billion events"
        sequences = np.arange(first_sequence, first_sequence + len(hashes), dtype=np.uint32)
        hashes = np.maximum(hashes, np.uint64(1))
        while len(hashes):
            # In pieces, so that one huge batch cannot outrun the moving.
            piece = max(_SLOTS_MIN // 8, len(self._table.hashes) // 16)
            self._table.add(hashes[:piece], sequences[:piece])
            self._move(len(hashes[:piece]) * _SLOTS_MOVED_PER_ID)
            if self._table.is_full:
                self._move_all()
                self._old, self._moved = self._table, 0
                self._table = Table.empty(len(self._table.hashes) * 2)
            hashes, sequences = hashes[piece:], sequences[piece:]

    def settled(self) -> Table:
        """Return the one table that holds everything."""
        self._move_all()
        return self._table

    def _move_all(self) -> None:
        if self._old is not None:
            self._move(len(self._old.hashes))

    def _move(self, slots: int) -> None:
        """Move the entries of so many more old slots. They stay in the old table too, where probing runs past them."""
        if self._old is None:
            return
        hashes = self._old.hashes[self._moved : self._moved + slots]
        sequences = self._old.sequences[self._moved : self._moved + slots]
        used = hashes != 0
        self._table.add(hashes[used], sequences[used])
        self._moved += slots
        if self._moved >= len(self._old.hashes):
            self._old = None
