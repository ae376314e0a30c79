"""One quantity of a recording beside the same of its references: how far apart, and is that beyond their spread? Pure.

>>> q, a, b, c = (Value(v, v - 1, v + 1) for v in (20.0, 10.0, 11.0, 12.0))
>>> apart(q, [a]).beyond, apart(q, [a, b, c]).beyond
(True, True)
>>> apart(q, [a, b]).beyond  # Student's t of one degree of freedom: two references tell next to nothing
False
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from forensics.errors import ParameterError
from forensics.statistics import LEVEL


@dataclass(frozen=True)
class Value:
    """A quantity of one recording with its two-sided interval at ``statistics.LEVEL``, in the quantity's unit."""

    value: float
    low: float
    high: float

    def towards(self, other: float) -> float:
        """Half-width of the interval on the side of ``other``, not under 0."""
        return max(0.0, self.high - self.value if other > self.value else self.value - self.low)


@dataclass(frozen=True)
class Apart:
    """Questioned value less the references' mean, ``apart``, with [``low``, ``high``] at the level asked for.

    Of one reference: the interval of the difference, from both recordings' own. Of more: ``apart`` and the half-width
    of the prediction interval round it; 0 outside means that the questioned value lies outside that interval.
    ``beyond``: 0 lies outside. ``beyond_all``: also at the level that holds over all comparisons together.
    ``outside_all``: above or below every reference; of one, None.
    """

    apart: float
    low: float
    high: float
    references: int
    beyond: bool
    beyond_all: bool
    outside_all: bool | None


def apart(questioned: Value, references: Sequence[Value], together: int = 1, level: float = LEVEL) -> Apart:
    """``questioned`` beside one or more ``references``; ``together``: how many comparisons share the family's level."""
    if not references or together < 1:
        raise ParameterError("a comparison has a reference and is one at least", (len(references), together))
    bounds = _of_one if len(references) == 1 else _of_several
    mean = float(np.mean([r.value for r in references]))
    low, high = bounds(questioned, references, level)
    wide = bounds(questioned, references, 1 - (1 - level) / together)
    values = [r.value for r in references]
    outside = not min(values) <= questioned.value <= max(values) if len(values) > 1 else None
    return Apart(
        questioned.value - mean,
        low,
        high,
        len(references),
        not low <= 0 <= high,
        not wide[0] <= 0 <= wide[1],
        outside,
    )


def _of_one(questioned: Value, references: Sequence[Value], level: float) -> tuple[float, float]:
    """MOVER: interval of a difference from two intervals, each side by the halves that face each other.

    At another level than the intervals' own the halves are stretched as a normal's are: an approximation.
    """
    (reference,) = references
    stretch = scipy.stats.norm.ppf((1 + level) / 2) / scipy.stats.norm.ppf((1 + LEVEL) / 2)
    q, r = questioned, reference
    difference = q.value - r.value
    down = math.hypot(q.towards(-math.inf), r.towards(math.inf))
    up = math.hypot(q.towards(math.inf), r.towards(-math.inf))
    return difference - stretch * down, difference + stretch * up


def _of_several(questioned: Value, references: Sequence[Value], level: float) -> tuple[float, float]:
    """Round the difference: the half-width of the prediction interval of one further recording.

    The references' variance holds their own scatter; it is held at that at least, for few may agree by chance. What
    the questioned recording scatters beyond theirs, as a shorter one does, is added.
    """
    n, values = len(references), np.array([r.value for r in references])
    mean = float(values.mean())
    normal = scipy.stats.norm.ppf((1 + LEVEL) / 2)
    own = float(np.mean([(r.towards(questioned.value) / normal) ** 2 for r in references]))
    more = max(0.0, (questioned.towards(mean) / normal) ** 2 - own)
    variance = max(float(values.var(ddof=1)), own) * (1 + 1 / n) + more
    half = float(scipy.stats.t.ppf((1 + level) / 2, n - 1)) * math.sqrt(variance)
    return questioned.value - mean - half, questioned.value - mean + half


def widened(value: Value, n: int) -> Value | None:
    """The interval of a percentile bootstrap over ``n`` stretches, wider as few of them ask; of one stretch, none.

    Percentiles of few resampled units leave out that their spread is itself estimated: Student's t over the normal's
    quantile, and n over n - 1 for the variance (Hesterberg 2015, Am Stat 69:371, the expanded percentile interval).
    """
    if n < 2:
        return None
    tail = (1 + LEVEL) / 2
    more = float(scipy.stats.t.ppf(tail, n - 1) / scipy.stats.norm.ppf(tail)) * math.sqrt(n / (n - 1))
    down, up = (more * value.towards(end) for end in (-math.inf, math.inf))
    return Value(value.value, value.value - down, value.value + up)


def unwrapped(value: Value, about: float) -> Value:
    """An angle in degrees as the turn of it nearest ``about``."""
    turn = 360 * round((about - value.value) / 360)
    return Value(value.value + turn, value.low + turn, value.high + turn)
