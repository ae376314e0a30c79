"""Learned weights that come with the package: plain arrays, checked against their hash before they are read.

Each set is ``data/NAME.npz`` with its SHA-256 in ``data/NAME.sha256`` and its model card in ``data/NAME.md``, all three
written by ``python -m forensics.training``. Nothing in them is code: pickled objects are refused.
"""

from __future__ import annotations

import hashlib
import io
import json
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np

from forensics.errors import CaseError


def write(folder: Path, name: str, arrays: dict[str, np.ndarray]) -> str:
    """``NAME.npz`` and ``NAME.sha256`` in ``folder``; the same arrays give the same bytes. Returns the SHA-256."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **{key: arrays[key] for key in sorted(arrays)})
    digest = hashlib.sha256(file.getvalue()).hexdigest()
    (folder / f"{name}.npz").write_bytes(file.getvalue())
    (folder / f"{name}.sha256").write_text(f"{digest}  {name}.npz\n", "ascii")
    return digest


def table(name: str) -> dict[str, Any]:
    """The values of ``NAME.json``, plain text that a reader can check. Raises CaseError where it is missing."""
    try:
        return json.loads((resources.files("forensics") / "data" / f"{name}.json").read_text("utf-8"))
    except FileNotFoundError as error:
        raise CaseError("E_WEIGHTS", f"The table {name} is missing.", "Install the package again.") from error


@cache
def shipped(name: str) -> dict[str, np.ndarray]:
    """The arrays of the set that comes with the package. Raises CaseError where they are not those of its hash."""
    return read(resources.files("forensics") / "data", name)


def read(folder: Traversable, name: str) -> dict[str, np.ndarray]:
    """The arrays of a set in ``folder``. Raises CaseError ``E_WEIGHTS`` where file and hash do not agree."""
    try:
        content = (folder / f"{name}.npz").read_bytes()
        stated = (folder / f"{name}.sha256").read_text("ascii").split()[:1]
    except FileNotFoundError:
        content, stated = b"", []
    if stated != [hashlib.sha256(content).hexdigest()]:
        raise CaseError(
            "E_WEIGHTS",
            f"The weights {name} are missing or are not those that were shipped.",
            "Install the package again.",
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)
