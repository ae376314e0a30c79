"""Pictures from the child that decodes to the children that look at them, through memory they share.

Decoding is a fifth of the work, so it is done once; and who looks at pictures never holds the evidence. Each taker
has slots of its own in the memory and a pipe each way: a line for each picture towards it, a byte for each slot it
gives back. The giver waits while all slots of a taker are full, so memory is bounded; either side ends when the other
is gone.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from forensics.errors import MediaError

#: Memory set aside, of which only what is used is taken: the largest picture has 180 million pixels for two takers.
SHARED_BYTES = 1 << 30
#: Slots of one taker: no taker waits for the other where half a cell of the pass fits (2 s at 25 to 30 pictures/s) …
MOST_SLOTS = 32
#: … up to this much memory for all of them; larger pictures have fewer slots.
USUAL_BYTES = 256 << 20


@dataclass(frozen=True)
class Line:
    """Descriptors of the two pipes between the giver and one taker."""

    told_in: int
    told_out: int
    freed_in: int
    freed_out: int


@contextmanager
def opened(takers: int) -> Iterator[tuple[int, list[Line]]]:
    """Descriptors of the memory and the lines, for children to be started with; closed here at the end."""
    memory = os.memfd_create("pictures")
    os.ftruncate(memory, SHARED_BYTES)
    lines = [Line(*os.pipe(), *os.pipe()) for _ in range(takers)]
    try:
        yield memory, lines
    finally:
        for fd in [memory, *(fd for line in lines for fd in vars(line).values())]:
            os.close(fd)


class Giver:
    """The decoding child's side; ``told_out`` and ``freed_in`` are its ends of each taker's line."""

    def __init__(self, memory: int, told_out: Sequence[int], freed_in: Sequence[int]):
        self._memory = np.frombuffer(mmap.mmap(memory, SHARED_BYTES), np.uint8)
        self._told, self._freed = told_out, freed_in
        self._slots, self._free = 0, list[list[int]]()

    def give(self, taker: int, rgb: np.ndarray, about: Any) -> None:
        """Hand ``rgb`` uint8 (h, w, 3) and ``about`` (JSON) to a taker, when a slot of its own is free."""
        if not self._slots:
            self._divide(rgb.nbytes)
        if not self._free[taker]:
            freed = os.read(self._freed[taker], self._slots)
            if not freed:
                raise BrokenPipeError("the taker is gone")
            self._free[taker] += freed
        slot = self._free[taker].pop()
        first = (taker * self._slots + slot) * rgb.nbytes
        self._memory[first : first + rgb.nbytes] = rgb.ravel()
        os.write(self._told[taker], json.dumps([slot, first, rgb.shape, about]).encode() + b"\n")
        self.stay(but=taker)

    def stay(self, but: int | None = None) -> None:
        """Tell takers that have nothing to look at, all ``but`` one, that the giver is at work."""
        for taker, told in enumerate(self._told):
            if taker != but:
                os.write(told, b"\n")

    def _divide(self, picture_bytes: int) -> None:
        takers = len(self._told)
        self._slots = min(MOST_SLOTS, max(1, USUAL_BYTES // (takers * picture_bytes)))
        if takers * self._slots * picture_bytes > SHARED_BYTES:
            raise MediaError(
                "E_TOO_LARGE",
                "Its pictures are larger than can be examined.",
                "Ask for a copy with a usual picture size.",
            )
        self._free = [[*range(self._slots)] for _ in self._told]


def taken(memory: int, told_in: int, freed_out: int) -> Iterator[tuple[np.ndarray, Any] | None]:
    """Pictures with what was told of them, as they come; None while the giver is at work on something else.

    A picture holds its values until the next one is asked for.
    """
    shared = mmap.mmap(memory, SHARED_BYTES, prot=mmap.PROT_READ)
    with os.fdopen(told_in, "rb") as lines:
        for line in lines:
            if line == b"\n":
                yield None
                continue
            slot, first, shape, about = json.loads(line)
            yield np.frombuffer(shared, np.uint8, int(np.prod(shape)), first).reshape(shape), about
            with suppress(BrokenPipeError):  # it has given its last one and is gone
                os.write(freed_out, bytes([slot]))
