"""How far likelihood ratios may go with so many recordings: empirical lower and upper bounds (ELUB).

Reference: Vergeer, van Es, de Jongh, Alberink & Stoel 2016, Science and Justice 56: a ratio is not to exceed the point
from which on decisions by the ratios cost more than decisions without any, one misleading recording of each class
added to those that were seen.
"""

from __future__ import annotations

import numpy as np

from forensics.calibration.measures import checked

#: Step of the thresholds that are tried, in log10 (Vergeer et al. 2016).
STEP = 0.01


def farthest(n: float) -> float:
    """Size of log10 LR beyond which no bound is earned with n recordings of a class told apart without error."""
    return float(np.log10(n + 1)) + STEP


def elub(log10_lr: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> tuple[float, float]:
    """Lower and upper bound of log10 LR, lower <= 0 <= upper; 0 where no ratio of that side is earned.

    With n units of each class told apart without error the bounds are about 1/n and n. Where n is itself a threshold
    both decisions cost the same there, and rounding settles which step is taken: 98 for n = 100, 1000 for 1000.
    """
    ratios, y, w = checked(log10_lr, labels, weights)
    n1, n2 = w[y].sum(), w[~y].sum()
    lowest = max(ratios.min(), -np.log10(n1 + 1))
    highest = min(ratios.max(), np.log10(n2 + 1))
    steps = np.arange(min(0, int(lowest // STEP)), max(0, int(highest // STEP) + 1) + 1)
    thresholds = np.linspace(steps[0] * STEP, steps[-1] * STEP, len(steps))
    worse = _cost(np.zeros(len(y)), y, w, thresholds, 0.0) < _cost(ratios, y, w, thresholds, 1.0)
    low = max((k + 1 for k in steps[worse & (steps <= 0)]), default=steps[0])
    high = min((k - 1 for k in steps[worse & (steps >= 0)]), default=steps[-1])
    return float(min(low, 0) * STEP), float(max(high, 0) * STEP)


def _cost(ratios: np.ndarray, y: np.ndarray, w: np.ndarray, thresholds: np.ndarray, added: float) -> np.ndarray:
    """Expected cost of accepting H1 above each threshold t, a false acceptance t times as dear as a miss."""
    above = (ratios[:, None] > thresholds) * w[:, None]
    hits = above[y].sum(0) / (w[y].sum() + added)
    false = (above[~y].sum(0) + added) / (w[~y].sum() + added)
    return 1 - hits + 10**thresholds * false
