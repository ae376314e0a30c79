"""Stretches of sound as the units of measuring, and the interval that resampling them gives."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from forensics.analysis.voice.settings import METHOD, Settings
from forensics.finding import Measurement
from forensics.timeline import Interval


def pieces(interval: Interval, longest_s: float) -> list[Interval]:
    """Equal parts of ``interval``, none longer than ``longest_s``."""
    n = max(1, int(np.ceil(interval.duration / longest_s)))
    edges = np.linspace(interval.start_s, interval.end_s, n + 1)
    return [Interval(float(a), float(b)) for a, b in pairwise(edges)]


def bootstrap(values: list[np.ndarray], summary: Any, settings: Settings) -> tuple[float, float] | None:
    """95 % interval of ``summary(values)`` under resampling of stretches; None for fewer than four."""
    if len(values) < 4:
        return None
    draws = np.random.default_rng(0).integers(0, len(values), (settings.resamples, len(values)))
    low, high = np.nanpercentile([summary([values[k] for k in draw]) for draw in draws], (2.5, 97.5))
    return float(low), float(high)


def measured(
    name: str, value: float, unit: str, interval: tuple[float, float] | None, n: int, reference: str
) -> Measurement:
    low, high = interval or (None, None)
    return Measurement(name, value, unit, low, high, 0.95 if interval else None, n, METHOD.name, reference)
