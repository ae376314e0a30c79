"""How long blinks last, how the lids go down and up, and how far the eyes are apart. Pure.

None of it is ever marked: at 25 pictures a second a picture is a third of a closing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from forensics.analysis.blink.events import Closure
from forensics.analysis.blink.settings import METHOD
from forensics.finding import Measurement
from forensics.statistics import LEVEL, median_interval

Pair = tuple[Closure, Closure]  # right and left eye of one blink

_PICTURES = "one picture lasts 17 to 42 ms at 60 to 24 pictures a second"


def measure_shape(pairs: Sequence[Pair]) -> tuple[Measurement, ...]:
    """Medians over blinks, ms: duration, closing and opening time, mean of both eyes, and the left eye's lag."""
    if not pairs:
        return ()
    return (
        _median("blink_duration", pairs, _whole, f"blinks last 100 to 400 ms; {_PICTURES}"),
        _median("blink_closing", pairs, _closing, f"lids close faster than they open; {_PICTURES}"),
        _median("blink_opening", pairs, _opening, f"lids open more slowly than they close; {_PICTURES}"),
        _median(
            "eye_lag", pairs, _lag, f"both eyes blink within tens of ms; positive = the left one later; {_PICTURES}"
        ),
    )


def _whole(pair: Pair) -> float:
    return float(np.mean([c.end_s - c.start_s for c in pair]))


def _closing(pair: Pair) -> float:
    return float(np.mean([c.peak_s - c.start_s for c in pair]))


def _opening(pair: Pair) -> float:
    return float(np.mean([c.end_s - c.peak_s for c in pair]))


def _lag(pair: Pair) -> float:
    right, left = pair
    return left.peak_s - right.peak_s


def _median(name: str, pairs: Sequence[Pair], seconds: Callable[[Pair], float], reference: str) -> Measurement:
    """Median in ms with its distribution-free interval, which a few blinks do not have."""
    values = [1000 * seconds(pair) for pair in pairs]
    low, high = median_interval(values) or (None, None)
    level = None if low is None else LEVEL
    return Measurement(name, float(np.median(values)), "ms", low, high, level, len(values), METHOD.name, reference)
