"""Exact intervals of counts. Pure; every printed rate goes through here."""

from __future__ import annotations

from scipy import stats

from forensics.errors import ParameterError


def clopper_pearson(k: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Two-sided interval of a share after ``k`` of ``n`` (Clopper & Pearson 1934). ``k`` may be fractional."""
    if not 0 <= k <= n:
        raise ParameterError("a count lies between 0 and n", (k, n))
    tail = (1 - level) / 2
    low = float(stats.beta.ppf(tail, k, n - k + 1)) if k > 0 else 0.0
    high = float(stats.beta.ppf(1 - tail, k + 1, n - k)) if k < n else 1.0
    return low, high


def poisson_interval(n: int, level: float = 0.95) -> tuple[float, float]:
    """Two-sided interval of the mean of a Poisson count ``n`` (Garwood 1936)."""
    if n < 0:
        raise ParameterError("a count is not negative", n)
    tail = (1 - level) / 2
    low = float(stats.chi2.ppf(tail, 2 * n)) / 2 if n else 0.0
    return low, float(stats.chi2.ppf(1 - tail, 2 * n + 2)) / 2
