"""How good likelihood ratios are, on recordings of which it is known whether H1 or H2 holds. Pure functions.

``log10_lr`` (n,) are log10 likelihood ratios, ±inf allowed where said; ``labels`` (n,) True where H1 holds; ``weights``
(n,) what each counts, None: all alike. Recordings of one unit share its weight (``balanced``), so that copies of a
recording add nothing.

Reference: Brümmer & du Preez 2006, Computer Speech and Language 20 (Cllr and its parts, PAV); Ramos &
Gonzalez-Rodriguez 2013, Forensic Science International 230 (ECE); Evett & Buckleton 1996 (Tippett).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.errors import ParameterError

_LN10_BY_LN2 = np.log2(10.0)


@dataclass(frozen=True)
class Cost:
    """Cllr in bits (0 = always right and sure, 1 = as good as saying nothing) and its parts: ``value`` = both's sum."""

    value: float
    discrimination: float  # Cllr_min: what is left after the best monotone recalibration (PAV)
    calibration: float  # what that recalibration would gain


@dataclass(frozen=True)
class Entropy:
    """Empirical cross-entropy in bits by prior log10 odds: of these ratios, after PAV, and of LR = 1."""

    prior_log10_odds: np.ndarray
    given: np.ndarray
    recalibrated: np.ndarray
    neutral: np.ndarray


def balanced(labels: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Weight (n,) of each recording: one over the number of its unit's recordings in its class."""
    weights = np.empty(len(labels))
    for label, unit in set(zip(labels.tolist(), units.tolist(), strict=True)):
        own = (labels == label) & (units == unit)
        weights[own] = 1 / own.sum()
    return weights


def costs(log10_lr: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Cost (n,) in bits of each ratio where its own side holds: log2(1 + 1/LR) under H1, log2(1 + LR) under H2."""
    against = np.where(labels, -1.0, 1.0) * log10_lr * _LN10_BY_LN2
    return np.logaddexp2(0.0, against)


def cllr(
    log10_lr: Sequence[float] | np.ndarray,
    labels: Sequence[bool] | np.ndarray,
    weights: Sequence[float] | np.ndarray | None = None,
) -> float:
    """½ [mean over H1 of log2(1 + 1/LR) + mean over H2 of log2(1 + LR)]; infinite for a ratio infinitely wrong."""
    ratios, y, w = checked(log10_lr, labels, weights)
    each = costs(ratios, y)
    return float(sum(np.average(each[side], weights=w[side]) for side in (y, ~y)) / 2)


def pav(
    scores: Sequence[float] | np.ndarray,
    labels: Sequence[bool] | np.ndarray,
    weights: Sequence[float] | np.ndarray | None = None,
) -> np.ndarray:
    """log10 LR (n,) of the best monotone calibration on these very recordings: pool adjacent violators, ties pooled.

    -inf and inf where all on one side are of one class. It knows the answers, so it says what could be, not what is.
    """
    from sklearn.isotonic import isotonic_regression

    s, y, w = checked(scores, labels, weights)
    sides = np.where(y, w / w[y].sum(), w / w[~y].sum())  # both classes weigh alike: the share is LR / (1 + LR)
    _, place = np.unique(s, return_inverse=True)
    mass, first = np.bincount(place, sides), np.bincount(place, sides * y)
    share = isotonic_regression(first / mass, sample_weight=mass, y_min=0.0, y_max=1.0)
    with np.errstate(divide="ignore"):
        return (np.log10(share) - np.log10(1 - share))[place]


def cost(
    log10_lr: Sequence[float] | np.ndarray,
    labels: Sequence[bool] | np.ndarray,
    weights: Sequence[float] | np.ndarray | None = None,
) -> Cost:
    """Cllr with its parts."""
    value, least = cllr(log10_lr, labels, weights), cllr(pav(log10_lr, labels, weights), labels, weights)
    return Cost(value, least, value - least)


def tippett(log10_lr: np.ndarray, labels: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of the recordings of H1, and of those of H2, whose log10 LR lies at or above each of ``at``."""
    return tuple((side[:, None] >= at).mean(0) for side in (log10_lr[labels], log10_lr[~labels]))  # type: ignore[return-value]


def misleading(log10_lr: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Which (n,) point the wrong way: LR > 1 where H2 holds, LR < 1 where H1 holds."""
    return np.where(labels, log10_lr < 0, log10_lr > 0)


def entropy(
    log10_lr: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray | None = None,
    prior_log10_odds: np.ndarray | None = None,
) -> Entropy:
    """ECE over prior odds; at even odds it is Cllr."""
    ratios, y, w = checked(log10_lr, labels, weights)
    odds = np.linspace(-2.5, 2.5, 51) if prior_log10_odds is None else prior_log10_odds
    recalibrated = pav(ratios, y, w)

    def curve(values: np.ndarray) -> np.ndarray:
        each = costs(values[:, None] + odds, y[:, None])
        chance = 10**odds / (1 + 10**odds)
        return chance * np.average(each[y], axis=0, weights=w[y]) + (1 - chance) * np.average(
            each[~y], axis=0, weights=w[~y]
        )

    return Entropy(odds, curve(ratios), curve(recalibrated), curve(np.zeros(len(y))))


def checked(log10_lr: object, labels: object, weights: object) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The three as arrays. Raises ParameterError for NaN, other lengths, or a class without a recording."""
    values, y = np.asarray(log10_lr, float), np.asarray(labels, bool)
    w = np.ones(len(y)) if weights is None else np.asarray(weights, float)
    if not len(values) == len(y) == len(w):
        raise ParameterError("each ratio has a label and a weight", (len(values), len(y), len(w)))
    if np.isnan(values).any():
        raise ParameterError("what was not assessed is counted, and is no ratio of 1", "NaN")
    if not (w[y].sum() > 0 and w[~y].sum() > 0):
        raise ParameterError("both propositions have a recording", (int(y.sum()), int((~y).sum())))
    return values, y, w
