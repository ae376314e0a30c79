"""Correlation of mouth and sound over lags, against the clip's own shifted sound: the rank and the offset. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from forensics.analysis.lipsync.settings import METHOD, Settings
from forensics.analysis.lipsync.signal import GRID_HZ
from forensics.finding import Measurement
from forensics.statistics import clopper_pearson
from forensics.timeline import repeatability

#: What viewers detect and accept, in our sign (ITU-R BT.1359 counts early sound as positive), ms.
DETECTABLE_MS, ACCEPTABLE_MS = (-45, 125), (-90, 185)


@dataclass(frozen=True)
class Comparison:
    """Correlation at every circular shift; the searched lags; the peak among them, and the clip's own null."""

    lags_ms: np.ndarray  # searched, ascending; positive = the sound comes after the lips
    correlation: np.ndarray  # at the searched lags
    z: float  # peak in standard deviations of the correlations at far shifts
    null_mean: float
    null_sd: float
    beaten: float  # share of far shifts whose own best lag is below the peak
    independent: int  # of those shifts, how many do not overlap


def circular_correlation(mouth: np.ndarray, sound: np.ndarray) -> np.ndarray:
    """Mean product of ``mouth`` (n,) with ``sound`` (n,) taken k steps later, for k = 0 … n-1, round a circle."""
    return np.fft.irfft(np.fft.rfft(mouth).conj() * np.fft.rfft(sound), len(mouth)) / len(mouth)


def searched(settings: Settings) -> np.ndarray:
    """Lags of the search in steps of the grid, ascending."""
    return np.arange(round(settings.earliest_ms / 1000 * GRID_HZ), round(settings.latest_ms / 1000 * GRID_HZ) + 1)


def compare(mouth: np.ndarray, sound: np.ndarray, settings: Settings) -> Comparison:
    """Set the searched lags against all far circular shifts of the clip's own sound."""
    n, lags = len(mouth), searched(settings)
    correlation = circular_correlation(np.nan_to_num(mouth), np.nan_to_num(sound))
    best_near = scipy.ndimage.maximum_filter1d(correlation, len(lags), mode="wrap", origin=-(lags[0] + len(lags) // 2))
    shifts = np.arange(n)
    far = np.minimum(shifts, n - shifts) > len(lags)
    if not far.any():
        far[n // 2] = True
    peak = correlation[lags % n].max()
    null = correlation[far]
    return Comparison(
        lags / GRID_HZ * 1000,
        correlation[lags % n],
        float((peak - null.mean()) / max(null.std(), 1e-12)),
        float(null.mean()),
        float(null.std()),
        float((best_near[far] < peak).mean()),
        max(1, int(far.sum() // len(lags))),
    )


def measure_percentile(comparison: Comparison, level: float = 0.95) -> Measurement:
    """Share of shifted sounds that fit worse, with the Clopper-Pearson interval for the independent ones.

    As a permutation test its finest step is 1/(shifts + 1), so that even a perfect clip stays below 100 %.
    """
    n = comparison.independent
    k = comparison.beaten * n
    low, high = clopper_pearson(k, n, level)
    return Measurement(
        "sync_percentile",
        100 * k / (n + 1),
        "%",
        100 * low,
        100 * high,
        level,
        n,
        METHOD.name,
        f"no published range; {n} shifts that do not overlap, so the finest step is {100 / (n + 1):.1f} %; "
        "the interval is that of the share of shifts beaten",
    )


def peak_ms(lags_ms: np.ndarray, correlation: np.ndarray) -> float:
    """Lag of the highest correlation, refined by a parabola through its neighbours."""
    k = int(correlation.argmax())
    if 0 < k < len(correlation) - 1:
        before, here, after = correlation[k - 1 : k + 2]
        bend = before - 2 * here + after
        if bend < 0:
            return float(lags_ms[k] + (before - after) / (2 * bend) * (lags_ms[1] - lags_ms[0]))
    return float(lags_ms[k])


def bootstrap_offsets(mouth: np.ndarray, sound: np.ndarray, settings: Settings) -> np.ndarray:
    """Peak lags in ms of resampled recordings: blocks of time drawn with replacement (resamples,)."""
    lags = searched(settings)
    size = round(settings.block_s * GRID_HZ)
    blocks = seen_blocks(mouth, settings)
    mouth, sound = np.nan_to_num(mouth), np.nan_to_num(sound)
    # Products of each block of the mouth with the sound at each lag: resampling blocks is then a weighted sum.
    padded = np.pad(sound, (-lags[0], lags[-1] + 1))
    products = np.array(
        [
            [
                mouth[b * size : (b + 1) * size] @ padded[b * size + lag - lags[0] : (b + 1) * size + lag - lags[0]]
                for lag in lags
            ]
            for b in blocks
        ]
    )
    draws = np.random.default_rng(0).integers(0, len(blocks), (settings.resamples, len(blocks)))
    return np.array([peak_ms(lags / GRID_HZ * 1000, products[draw].sum(0)) for draw in draws])


def seen_blocks(mouth: np.ndarray, settings: Settings) -> np.ndarray:
    """Numbers of the bootstrap's whole blocks in which the mouth (n,) was measured at all."""
    size = round(settings.block_s * GRID_HZ)
    whole = len(mouth) // size
    return np.flatnonzero(np.isfinite(mouth[: whole * size]).reshape(whole, size).any(1))


def at_edge(comparison: Comparison, offsets: np.ndarray) -> float:
    """Share of the resampled offsets at an end of the search; 1 where the best lag itself lies there."""
    lags = comparison.lags_ms
    if peak_ms(lags, comparison.correlation) in (lags[0], lags[-1]):
        return 1.0
    return float(np.isin(offsets, (lags[0], lags[-1])).mean())


def measure_offset(comparison: Comparison, offsets: np.ndarray, n_blocks: int, settings: Settings) -> Measurement:
    """Best lag with the bootstrap's 95 % interval, widened on both sides by the systematic part."""
    value = peak_ms(comparison.lags_ms, comparison.correlation)
    low, high = np.percentile(offsets, (2.5, 97.5))
    return Measurement(
        "av_offset",
        value,
        "ms",
        min(low, value) - settings.systematic_ms,
        max(high, value) + settings.systematic_ms,
        0.95,
        n_blocks,
        METHOD.name,
        f"viewers detect beyond {DETECTABLE_MS[0]} / +{DETECTABLE_MS[1]} ms and accept {ACCEPTABLE_MS[0]} / "
        f"+{ACCEPTABLE_MS[1]} ms (ITU-R BT.1359); a fact about the recording, not an alarm",
    )


def measure_opening_error(openings: np.ndarray) -> Measurement:
    """Repeatability of the mouth's gap from ``openings`` (m, k), k looks at each of m pictures.

    No interval: pictures scatter unlike each other, and few are sampled. A bias of the model does not show.
    """
    return Measurement(
        "mouth_opening_error",
        100 * repeatability(openings),
        "%",
        None,
        None,
        None,
        len(openings),
        "repeated detection in shifted and rescaled copies",
        "of the face's height; a standard deviation; no published range; it holds the model's scatter, not its bias",
    )
