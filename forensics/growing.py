"""Arrays that grow on the disk, and can be gone on with where a run broke off."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

_BLOCK = 1 << 20


class Altered(Exception):
    """What a run that broke off left is not what its mark tells."""


class Growing:
    """A ``.npy`` file that rows are appended to; its header is written over with the final count at the end.

    With the ``mark`` of an earlier one on the same path it goes on behind those rows. Raises ``Altered`` where they are
    not there as marked.
    """

    HEADER = 128  # bytes; numpy pads its own headers to multiples of 64

    def __init__(self, path: Path, dtype: Any, mark: Mapping[str, Any] | None = None):
        self._dtype, self._n = np.dtype(dtype), 0
        self._row_shape: tuple[int, ...] | None = None
        self._written = hashlib.sha256()
        self._file = path.open("r+b" if mark else "wb")
        self._file.write(b"\0" * self.HEADER)
        if mark is not None:
            self._go_on(mark)

    def _go_on(self, mark: Mapping[str, Any]) -> None:
        try:
            self._n, shape = int(mark["rows"]), mark["shape"]
            self._row_shape = None if shape is None else tuple(map(int, shape))
            left = self._n * self._dtype.itemsize * math.prod(self._row_shape or ())  # no rows: no shape is known
            while left > 0 and (block := self._file.read(min(left, _BLOCK))):
                self._written.update(block)
                left -= len(block)
            known = left == 0 and self._written.hexdigest() == mark["sha256"]
        except (KeyError, TypeError, ValueError):  # no mark of ours
            known = False
        if not known:
            self._file.close()
            raise Altered
        self._file.truncate()

    def append(self, rows: np.ndarray) -> None:
        self._row_shape = rows.shape[1:]
        self._n += len(rows)
        data = np.ascontiguousarray(rows, self._dtype).data.cast("B") if rows.size else b""
        self._written.update(data)
        self._file.write(data)

    def __len__(self) -> int:
        return self._n

    def mark(self) -> dict[str, Any]:
        """Rows on the disk now, the shape of each (None: not known yet), and the SHA-256 of all."""
        self._file.flush()
        os.fsync(self._file.fileno())
        shape = None if self._row_shape is None else [*self._row_shape]
        return {"rows": self._n, "shape": shape, "sha256": self._written.hexdigest()}

    def close(self) -> None:
        """Write the header: from now on numpy reads the file."""
        shape = (self._n, *(self._row_shape or ()))
        text = repr({"descr": self._dtype.str, "fortran_order": False, "shape": shape})
        start = b"\x93NUMPY\x01\x00" + (self.HEADER - 10).to_bytes(2, "little")
        self._file.seek(0)
        self._file.write(start + text.ljust(self.HEADER - 11).encode() + b"\n")
        self._file.close()
