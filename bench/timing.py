"""Seconds that a call takes, for the benches."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def seconds_of(call: Callable[[], object], rounds: int = 1) -> float:
    """Median over ``rounds``."""
    spent = []
    for _ in range(rounds):
        began = time.monotonic()
        call()
        spent.append(time.monotonic() - began)
    return statistics.median(spent)
