"""What a child does for ``bench/custody.py``: it loads the module that a child of a report loads, and nothing more."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any


def loaded(fd: int, module: str = "forensics.sandbox") -> Iterator[Any]:
    importlib.import_module(module)
    yield from ()
