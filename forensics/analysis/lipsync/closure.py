"""Are the lips closed while the sound says p, b or m? Over the clip, against the clip's own shifted sound. Pure.

Every instant's gap of the lips is ranked among all of the clip's. At each /p b m/ that the recogniser decoded, brought
to the lips by the offset, the lowest rank counts. Shifted round by seconds the same times fall anywhere: that is the
null. The recogniser mishears, so that no single instant is told.
Reference: Agarwal et al. 2020 (phonemes and visemes that do not go together).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from forensics.analysis.lipsync.settings import CLOSURE_METHOD, Settings
from forensics.analysis.lipsync.signal import GRID_HZ
from forensics.finding import Measurement
from forensics.statistics import clopper_pearson
from forensics.timeline import Interval, Series


@dataclass(frozen=True)
class Closures:
    """Lowest rank of the gap, 0 to 1, at each of n bilabials (n,) and, shifted by ``shifts_s`` (s,), (s, n).

    NaN where a shifted one falls where the mouth was not seen.
    """

    own: np.ndarray
    shifts_s: np.ndarray
    shifted: np.ndarray

    @property
    def closeness(self) -> float:
        """How low the ranks lie, 0 to 1."""
        return 1 - float(self.own.mean())

    @property
    def null(self) -> np.ndarray:
        """The same at each shift, (s,)."""
        return 1 - np.nanmean(self.shifted, axis=1)


def close(gap: Series, bilabials: Sequence[Interval], offset_s: float, settings: Settings) -> Closures | None:
    """Ranks of the ``gap`` (n,) on the grid, NaN where it does not count, at ``bilabials`` of the sound, which comes
    ``offset_s`` after the lips; None with fewer than ``least_bilabials`` in view or too short for a shift."""
    n, rank = len(gap.t_s), _ranks(gap.values)
    at = [np.round((np.array([b.start_s, b.end_s]) - offset_s - gap.t_s[0]) * GRID_HZ).astype(int) for b in bilabials]
    spans = [np.arange(a, max(b, a + 1)) for a, b in at if a >= 0 and b < n]
    spans = [span for span in spans if np.isfinite(rank[span]).all()]
    step, first = (round(s * GRID_HZ) for s in (settings.closure_step_s, settings.least_shift_s))
    shifts = np.arange(first, n - first + 1, step)
    shifts = shifts[np.linspace(0, len(shifts) - 1, min(len(shifts), settings.shifts)).astype(int)]
    if len(spans) < settings.least_bilabials or not len(shifts):
        return None
    lowest = np.array([[rank[(span + shift) % n].min() for span in spans] for shift in (0, *shifts)])
    seen = np.isfinite(lowest[1:]).mean(1) >= settings.least_in_view  # min() keeps a NaN
    return Closures(lowest[0], shifts[seen] / GRID_HZ, lowest[1:][seen]) if seen.any() else None


def _ranks(values: np.ndarray) -> np.ndarray:
    """Rank of each finite value among all, in (0, 1]; NaN stays."""
    made = np.full(len(values), np.nan)
    finite = np.isfinite(values)
    made[finite] = scipy.stats.rankdata(values[finite]) / max(1, finite.sum())
    return made


def measure_rate(found: Closures, settings: Settings, level: float = 0.95) -> Measurement:
    """Share of the bilabials at which the gap is among the clip's lowest, with the interval of so few."""
    n, k = len(found.own), int((found.own < settings.closed_rank).sum())
    chance = float(np.nanmean(np.where(np.isnan(found.shifted), np.nan, found.shifted < settings.closed_rank)))
    low, high = clopper_pearson(k, n, level)
    return Measurement(
        "closure_rate",
        100 * k / n,
        "%",
        100 * low,
        100 * high,
        level,
        n,
        CLOSURE_METHOD.name,
        f"shifted sound: {100 * chance:.0f} %; no published range; untouched clips are far from 100 % because the "
        f"recogniser mishears; closed: among the lowest {100 * settings.closed_rank:g} % of the gaps of this clip",
    )


def measure_rank(found: Closures, level: float = 0.95) -> Measurement:
    """Share of the shifts at which the lips are less close; its finest step is 1/(shifts + 1)."""
    null = found.null
    n, k = len(null), float((null < found.closeness).sum() + (null == found.closeness).sum() / 2)
    low, high = clopper_pearson(k, n, level)
    return Measurement(
        "closure_percentile",
        100 * k / (n + 1),
        "%",
        100 * low,
        100 * high,
        level,
        n,
        CLOSURE_METHOD.name,
        f"no published range; {n} shifts of the sound, so the finest step is {100 / (n + 1):.1f} %; the interval is "
        "that of the share beaten",
    )
