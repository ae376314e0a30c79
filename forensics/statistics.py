"""Exact and bootstrap intervals, splits by person and group, cross-fitting. Pure; every printed rate goes through here.

The unit that is drawn, split and counted is never a frame and not always a recording: recordings that share a person
or a group are one *unit* (``units``). Copies of a recording then change no interval, and no fit sees the person that it
is tried on. What could not be assessed has no place in these functions: NaN is refused, so that it is counted instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import scipy

from forensics.errors import ParameterError

#: A fit: from features (n, d) and labels (n,) to the function that scores other features, higher = True.
Fit = Callable[[np.ndarray, np.ndarray], Callable[[np.ndarray], np.ndarray]]

LEVEL = 0.95  # of every interval printed: the field's convention, no law of nature
RESAMPLES = 2000  # Efron & Tibshirani 1993, ch. 14: 1000 and more for percentiles at 95 %


@dataclass(frozen=True)
class Estimate:
    """A figure, its interval, what it was counted on, and how the interval was made.

    One of ``low`` and ``high`` is None where ``method`` gives a one-sided bound; both where there is no interval.
    """

    value: float
    low: float | None
    high: float | None
    n: int  # recordings
    units: int  # of them independent
    method: str

    def as_json(self) -> dict[str, Any]:
        """Plain values, rounded: other processors differ behind the fourth digit, and no interval here is as narrow."""
        return {k: round(v, 4) + 0.0 if isinstance(v, float) else v for k, v in asdict(self).items()}


# -- counts ----------------------------------------------------------------------------------------------------------


def clopper_pearson(k: float, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Two-sided interval of a share after ``k`` of ``n`` (Clopper & Pearson 1934). ``k`` may be fractional."""
    if not 0 <= k <= n:
        raise ParameterError("a count lies between 0 and n", (k, n))
    tail = (1 - level) / 2
    low = float(scipy.stats.beta.ppf(tail, k, n - k + 1)) if k > 0 else 0.0
    high = float(scipy.stats.beta.ppf(1 - tail, k + 1, n - k)) if k < n else 1.0
    return low, high


def poisson_interval(n: int, level: float = LEVEL) -> tuple[float, float]:
    """Two-sided interval of the mean of a Poisson count ``n`` (Garwood 1936)."""
    if n < 0:
        raise ParameterError("a count is not negative", n)
    tail = (1 - level) / 2
    low = float(scipy.stats.chi2.ppf(tail, 2 * n)) / 2 if n else 0.0
    return low, float(scipy.stats.chi2.ppf(1 - tail, 2 * n + 2)) / 2


def clustered_interval(n: int, variation: float, dispersion: float, level: float = LEVEL) -> tuple[float, float]:
    """Two-sided interval of the mean of a count ``n`` more scattered than Poisson.

    Variance = ``dispersion`` · mean + (``variation`` · mean)²: the rate itself varies between stretches of time, gamma
    distributed with the coefficient of variation ``variation``, and events come in bursts of variance over mean
    ``dispersion``. The tails are those of the negative binomial, inverted as Garwood inverts Poisson's, exactly for
    dispersion 1; else the count is taken in bursts (quasi-likelihood, McCullagh & Nelder 1989, ch. 9), which leans to
    the wide side for few. With variation 0 and dispersion 1 it is Garwood's.
    """
    if n < 0 or variation < 0 or dispersion < 1:
        raise ParameterError(
            "a count and a variation are not negative, a dispersion not under 1", (n, variation, dispersion)
        )
    tail, bursts = (1 - level) / 2, n / dispersion
    if variation == 0:
        low = float(scipy.stats.chi2.ppf(tail, 2 * bursts)) / 2 if n else 0.0
        return dispersion * low, dispersion * float(scipy.stats.chi2.ppf(1 - tail, 2 * bursts + 2)) / 2
    shape = variation**-2
    # P(N >= n) and P(N <= n) of a negative binomial are beta distributions of m / (m + shape), m its mean.
    share_low = float(scipy.stats.beta.ppf(tail, bursts, shape)) if n else 0.0
    share_high = float(scipy.stats.beta.ppf(1 - tail, bursts + 1, shape))
    low, high = (dispersion * shape * share / (1 - share) for share in (share_low, share_high))
    return low, high


def median_interval(values: Sequence[float] | np.ndarray, level: float = LEVEL) -> tuple[float, float] | None:
    """Distribution-free interval of the median of ``values`` (n,), by order statistics (Conover 1999, ch. 3).

    None where no pair of them reaches ``level``: under 6 values at 95 %.
    """
    n = len(values)
    k = int(scipy.stats.binom.ppf((1 - level) / 2, n, 0.5))
    if not k:
        return None
    ordered = np.sort(np.asarray(values, float))
    return float(ordered[k - 1]), float(ordered[n - k])


def upper_bound_of_none(n: int, level: float = LEVEL) -> float:
    """One-sided upper bound of a share of which none was seen in ``n``: the share p with (1 - p)^n = 1 - level."""
    if n < 1:
        raise ParameterError("a share needs at least one observation", n)
    return 1 - (1 - level) ** (1 / n)


def share(k: int, n: int) -> Estimate:
    """``k`` of ``n`` independent units: Clopper-Pearson, or after none the one-sided upper bound."""
    if k == 0:
        return Estimate(0.0, None, upper_bound_of_none(n), n, n, "one-sided 95 % upper bound 1-0.05^(1/n)")
    return Estimate(k / n, *clopper_pearson(k, n), n, n, "two-sided 95 % Clopper-Pearson")


# -- units and resamples ---------------------------------------------------------------------------------------------


def units(persons: Sequence[str], groups: Sequence[str]) -> np.ndarray:
    """Number of the unit (n,) of each recording, in order of first appearance.

    Recordings that share a person or a group, directly or through others, are one unit; "" is no group and no person.
    """
    if len(persons) != len(groups):
        raise ParameterError("each recording has a person and a group", (len(persons), len(groups)))
    n = len(persons)
    named = [(k, key) for k in range(n) for key in (("person", persons[k]), ("group", groups[k])) if key[1]]
    number = {key: n + j for j, key in enumerate(dict.fromkeys(key for _, key in named))}
    size = n + len(number)
    links = scipy.sparse.coo_array(
        (np.ones(len(named)), ([k for k, _ in named], [number[key] for _, key in named])), shape=(size, size)
    )
    return _numbered(scipy.sparse.csgraph.connected_components(links, directed=False)[1][:n])


def _numbered(names: Sequence[object] | np.ndarray) -> np.ndarray:
    """Names as numbers 0, 1, … in order of first appearance, so that copies at the end renumber nothing."""
    order: dict[object, int] = {}
    return np.array([order.setdefault(name, len(order)) for name in np.asarray(names).tolist()], dtype=int)


def resampled(
    statistic: Callable[[np.ndarray], np.ndarray],
    units: Sequence[object] | np.ndarray,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> np.ndarray:
    """Values of a statistic where units are drawn with replacement, as many as there are (Efron & Tibshirani 1993).

    ``statistic`` maps how often each of n rows was drawn, (resamples, n), to values (resamples,); a unit's rows are
    drawn together. It answers NaN where a resample cannot show it (one class is missing): these are left out, and
    more than one in ten of them refused.
    """
    unit = _numbered(units)
    if not len(unit):
        raise ParameterError("a bootstrap needs at least one unit", 0)
    n = int(unit.max()) + 1
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), resamples)
    values = statistic(drawn[:, unit].astype(float))
    known = values[np.isfinite(values)]
    if len(known) < 0.9 * resamples:
        raise ParameterError("nine in ten resamples can show the statistic", f"{len(known)} of {resamples}")
    return known


def bootstrap(
    statistic: Callable[[np.ndarray], np.ndarray],
    units: Sequence[object] | np.ndarray,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = LEVEL,
) -> tuple[float, float]:
    """Percentile interval of a statistic as ``resampled`` takes it. Not to be trusted near the statistic's bound."""
    values = resampled(statistic, units, resamples, seed)
    low, high = np.quantile(values, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)


# -- how well a score tells two classes apart ------------------------------------------------------------------------


def _area(scores: np.ndarray, labels: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """From rows' weights (r, n) to the share of pairs in which the True one scores higher, ties half, (r,).

    scikit-learn's ``roc_auc_score`` with these weights (tested), for all resamples at once.
    """
    apart = scores[labels][:, None] - scores[~labels]
    higher = np.heaviside(apart, 0.5)

    def area(weights: np.ndarray) -> np.ndarray:
        positive, negative = weights[:, labels], weights[:, ~labels]
        pairs = positive.sum(1) * negative.sum(1)
        return np.divide(
            ((positive @ higher) * negative).sum(1), pairs, out=np.full(len(weights), np.nan), where=pairs > 0
        )

    return area


def auc(
    scores: Sequence[float] | np.ndarray,
    labels: Sequence[bool] | np.ndarray,
    units: Sequence[object] | np.ndarray,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """Area under the ROC curve, P(score of a True > score of a False), with its bootstrap interval over units.

    The interval is normal in the area's log odds, with the bootstrap's spread (after Pepe 2003, ch. 5): in simulations
    of 20 to 100 units it held the truth in 93 to 98 of 100, percentiles only in 89 to 95.

    At 0 or 1 every resample repeats the value, which would print a width of nothing. There the bound is exact and
    one-sided: m disjoint pairs, each of two units that no other pair uses, all agree, so that (Clopper & Pearson 1934)
    the area lies above 0.05^(1/m), or below 1 - 0.05^(1/m).
    """
    s, y, unit = _checked(scores, labels, units)
    area, n, drawn = _area(s, y), len(s), int(unit.max()) + 1
    value = float(area(np.ones((1, n)))[0])
    if value in (0.0, 1.0):
        with_true, with_false = set(unit[y].tolist()), set(unit[~y].tolist())
        pairs = min(len(with_true), len(with_false), len(with_true | with_false) // 2)
        bound = upper_bound_of_none(pairs) if pairs else 1.0
        method = f"one-sided 95 % bound of {pairs} disjoint pairs"
        low, high = (1 - bound, None) if value else (None, bound)
        return Estimate(value, low, high, n, drawn, method)
    spread = float(resampled(area, unit, resamples, seed).std()) / (value * (1 - value))
    if spread == 0:  # as when all scores are equal
        return Estimate(value, None, None, n, drawn, "no interval: the same area in every resample")
    bounds = scipy.stats.norm.ppf([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    low, high = scipy.special.expit(scipy.special.logit(value) + bounds * spread)
    return Estimate(value, float(low), float(high), n, drawn, f"two-sided 95 % bootstrap over {drawn} units")


def paired_comparison(
    scores_a: Sequence[float] | np.ndarray,
    scores_b: Sequence[float] | np.ndarray,
    labels: Sequence[bool] | np.ndarray,
    units: Sequence[object] | np.ndarray,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """AUC of method a minus that of method b on the same recordings, with the interval over the same resamples."""
    a, y, unit = _checked(scores_a, labels, units)
    b, _, _ = _checked(scores_b, labels, units)
    drawn = int(unit.max()) + 1
    area_a, area_b = _area(a, y), _area(b, y)

    def difference(weights: np.ndarray) -> np.ndarray:
        return area_a(weights) - area_b(weights)

    low, high = bootstrap(difference, unit, resamples, seed)
    value = float(difference(np.ones((1, len(y))))[0])
    if low == high:  # as when both tell all apart: no resample can show what more recordings would
        return Estimate(value, None, None, len(y), drawn, "no interval: the same difference in every resample")
    return Estimate(value, low, high, len(y), drawn, f"two-sided 95 % bootstrap over {drawn} units")


def _checked(scores: object, labels: object, units: object) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    s, y, unit = np.asarray(scores, float), np.asarray(labels, bool), _numbered(units)  # type: ignore[arg-type]
    if not len(s) == len(y) == len(unit):
        raise ParameterError("each score has a label and a unit", (len(s), len(y), len(unit)))
    if not np.isfinite(s).all():
        raise ParameterError("what was not assessed is counted, not scored", s[~np.isfinite(s)][0])
    if y.all() or not y.any():
        raise ParameterError("both classes have a recording", (int(y.sum()), int((~y).sum())))
    return s, y, unit


# -- cross-fitting ---------------------------------------------------------------------------------------------------


def folds(
    units: Sequence[object] | np.ndarray, labels: Sequence[bool] | np.ndarray, k: int = 10, seed: int = 0
) -> np.ndarray:
    """Fold number (n,) of each recording: no unit in two folds, the classes spread as evenly as units allow.

    There are as many folds as the class of fewer units has units, ``k`` at most.
    """
    from sklearn.model_selection import StratifiedGroupKFold  # slow to import: a report needs none of it

    unit, y = _numbered(units), np.asarray(labels, bool)
    fewest = min(len(set(unit[y].tolist())), len(set(unit[~y].tolist())))
    if fewest < 2 or k < 2:
        raise ParameterError("splitting needs two units of each class and two folds", (fewest, k))
    number = np.full(len(y), -1)
    splitter = StratifiedGroupKFold(min(k, fewest), shuffle=True, random_state=seed)
    for fold, (_, tried) in enumerate(splitter.split(y, y, unit)):
        number[tried] = fold
    return number


def cross_fit(
    fit: Fit,
    features: np.ndarray,
    labels: Sequence[bool] | np.ndarray,
    units: Sequence[object] | np.ndarray,
    fold: Sequence[int] | np.ndarray,
) -> np.ndarray:
    """Score (n,) of each recording by the fit to the other folds, which hold neither its person nor its group."""
    x, y, unit, part = np.asarray(features, float), np.asarray(labels, bool), _numbered(units), np.asarray(fold)
    if torn := [u for u in range(unit.max() + 1) if len(set(part[unit == u].tolist())) > 1]:
        raise ParameterError("a unit lies in one fold", f"unit {torn[0]} in {sorted(set(part[unit == torn[0]]))}")
    scores = np.full(len(y), np.nan)
    for k in np.unique(part):
        out = part == k
        if y[~out].all() or not y[~out].any():
            raise ParameterError("each fit sees both classes", f"one class without fold {k}")
        scores[out] = fit(x[~out], y[~out])(x[out])
    return scores


def logistic(features: np.ndarray, labels: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """A ``Fit``: log odds from regularised logistic regression on standardised features; NaN = not measured.

    A missing feature takes the median and tells that it was missing. Classes weigh alike: else a fold with more of one
    class leaves a fit that leans to the other, and noise pooled over folds scores below 0.5.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(class_weight="balanced"),
    )
    return model.fit(features, labels).decision_function
