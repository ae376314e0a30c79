"""Scores to likelihood ratios: class-balanced, regularised logistic regression, of one score or of several of a pair.

Both classes weigh alike in the fit, so that its log odds are log likelihood ratios, free of how many recordings of
each there were. Scores are standardised, and their weights shrunk towards 0 by a normal prior of spread 1: a cue that
comes twice shares its weight, and perfect separation of few recordings gives no infinite slope.

Reference: Brümmer & du Preez 2006; Morrison 2013, Australian Journal of Forensic Sciences 45 (calibration and fusion by
logistic regression).
Not to be trusted: outside the scores that were fitted; that is what bounds (``bounds``) and envelope are for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensics.calibration.measures import balanced
from forensics.errors import ParameterError

_LN10 = float(np.log(10.0))
#: Of the normal prior on the weights of standardised scores: weakly informative (Gelman et al. 2008 use 2.5, Cauchy).
PRIOR_SPREAD = 1.0


@dataclass(frozen=True)
class Fitted:
    """log10 LR = coefficients · (1, (score - mean) / spread); ``coefficients`` (d + 1,), the others (d,)."""

    mean: np.ndarray
    spread: np.ndarray
    coefficients: np.ndarray

    def design(self, scores: np.ndarray) -> np.ndarray:
        """(n, d + 1) of scores (n, d)."""
        return np.column_stack([np.ones(len(scores)), (scores - self.mean) / self.spread])

    def log10_lr(self, scores: np.ndarray) -> np.ndarray:
        """(n,) of scores (n, d)."""
        return self.design(scores) @ self.coefficients


def fit(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> Fitted:
    """The regression on scores (n, d), each recording counting as much as its weight (n,)."""
    x, y = _checked(scores, labels)
    mean = np.average(x, axis=0, weights=weights)
    spread = np.sqrt(np.average((x - mean) ** 2, axis=0, weights=weights))
    spread = np.where(spread > 0, spread, 1.0)  # a score that never varies tells nothing, and divides nothing
    return Fitted(mean, spread, _coefficients((x - mean) / spread, y, weights))


def _coefficients(z: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    from sklearn.linear_model import LogisticRegression

    total = weights.sum()
    even = np.where(y, weights * total / (2 * weights[y].sum()), weights * total / (2 * weights[~y].sum()))
    seen = even > 0
    model = LogisticRegression(C=PRIOR_SPREAD**2, tol=1e-8, max_iter=1000)
    model.fit(z[seen], y[seen], sample_weight=even[seen])
    return np.concatenate([model.intercept_, model.coef_[0]]) / _LN10


def covariance(
    fitted: Fitted, scores: np.ndarray, labels: np.ndarray, units: np.ndarray, resamples: int, seed: int
) -> np.ndarray:
    """Covariance (d + 1, d + 1) of the coefficients where units are drawn with replacement (Efron & Tibshirani 1993).

    Copies of a recording share its unit's weight and narrow nothing.
    """
    x, y = _checked(scores, labels)
    z, weights = fitted.design(x)[:, 1:], balanced(y, units)
    names, unit = np.unique(units, return_inverse=True)
    drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), resamples)
    refits = [_coefficients(z, y, w) for times in drawn if _both(w := weights * times[unit], y)]
    if len(refits) < 0.9 * resamples:
        raise ParameterError("nine in ten resamples hold both classes", f"{len(refits)} of {resamples}")
    return np.cov(np.array(refits), rowvar=False)


def _both(weights: np.ndarray, y: np.ndarray) -> bool:
    return bool(weights[y].sum() > 0 and weights[~y].sum() > 0)


def cross_fitted(
    scores: np.ndarray,
    labels: np.ndarray,
    units: np.ndarray,
    fold: np.ndarray,
    left_out: np.ndarray | None = None,
) -> np.ndarray:
    """log10 LR (n,) of each recording by the fit to the other folds, which hold neither its person nor its group.

    ``left_out`` (n,): recordings that no fit may see, such as those of one generator. NaN where a fit lacks a class.
    """
    x, y = _checked(scores, labels)
    hidden = np.zeros(len(y), bool) if left_out is None else left_out
    ratios = np.full(len(y), np.nan)
    for k in np.unique(fold):
        own, seen = fold == k, (fold != k) & ~hidden
        if y[seen].any() and not y[seen].all():
            ratios[own] = fit(x[seen], y[seen], balanced(y[seen], units[seen])).log10_lr(x[own])
    return ratios


def _checked(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(scores, float), np.asarray(labels, bool)
    if x.ndim != 2 or len(x) != len(y):
        raise ParameterError("scores are (n, d), one row a label", (x.shape, y.shape))
    if not np.isfinite(x).all():
        raise ParameterError("what was not assessed is counted, not scored", x[~np.isfinite(x)][0])
    if y.all() or not y.any():
        raise ParameterError("both propositions have a recording", (int(y.sum()), int((~y).sum())))
    return x, y
