"""Correlation of mouth and sound over lags, against the clip's own shifted sound: the rank and the offset. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from forensics.analysis.lipsync.settings import METHOD, Settings
from forensics.analysis.lipsync.signal import GRID_HZ
from forensics.finding import Event, Measurement, Strip
from forensics.method import Method
from forensics.statistics import clopper_pearson
from forensics.timeline import Interval, Series, inside, repeatability

#: What viewers detect and accept, in our sign (ITU-R BT.1359 counts early sound as positive), ms.
DETECTABLE_MS, ACCEPTABLE_MS = (-45, 125), (-90, 185)


@dataclass(frozen=True)
class Comparison:
    """Correlation at the searched lags, the peak among them, and the clip's own null."""

    lags_ms: np.ndarray  # searched, ascending; positive = the sound comes after the lips
    correlation: np.ndarray  # at the searched lags
    z: float  # peak in standard deviations of the correlations at far shifts
    null_mean: float
    null_sd: float
    beaten: float  # share of far shifts whose own best lag is below the peak
    independent: int  # of those shifts, how many do not overlap

    @property
    def peak(self) -> float:
        return float(self.correlation.max())


def circular_correlation(mouth: np.ndarray, sound: np.ndarray) -> np.ndarray:
    """Mean product of ``mouth`` (n,) with ``sound`` (n,) taken k steps later, for k = 0 … n-1, round a circle.

    Of several components, (n, k), the products are added.
    """
    n = len(mouth)
    spectra = (np.fft.rfft(side.reshape(n, -1), axis=0) for side in (mouth, sound))
    return np.fft.irfft((next(spectra).conj() * next(spectra)).sum(1), n) / n


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


def swapped_peaks(mouth: np.ndarray, sound: np.ndarray, most: int, settings: Settings) -> np.ndarray:
    """Best correlation in the search where blocks of the sound change places, none staying at its own.

    Of up to ``most`` different orders, fewer where a short clip has no more: (orders,).
    """
    size = round(settings.block_s * GRID_HZ)
    blocks = len(sound) // size
    if blocks < 3 or most <= 0:  # two blocks have one other order, which is a shift
        return np.zeros(0)
    mouth, sound = np.nan_to_num(mouth)[: blocks * size], np.nan_to_num(sound)[: blocks * size]
    near, parts = searched(settings) % (blocks * size), sound.reshape(blocks, size, -1)
    random, orders = np.random.default_rng(0), dict[tuple[int, ...], None]()
    for _ in range(10 * most):  # a third of all orders leaves no block in place
        order = random.permutation(blocks)
        if len(orders) < most and (order != np.arange(blocks)).all():
            orders[tuple(order.tolist())] = None
    peaks = [circular_correlation(mouth, parts[list(order)].reshape(blocks * size, -1))[near].max() for order in orders]
    return np.array(peaks) * blocks * size / len(mouth)


def measure_percentile(comparison: Comparison, swapped: np.ndarray, level: float = 0.95) -> Measurement:
    """Share of shifted and swapped sounds that fit worse; the interval is that of drawing only so many of them.

    The null: shifts too far to overlap, which keep the sound whole but are few in a short clip, and swapped blocks. As
    a permutation test its finest step is 1/(null + 1), so that even a perfect clip stays below 100 %.
    """
    n = comparison.independent + len(swapped)
    k = comparison.beaten * comparison.independent + float((swapped < comparison.peak).sum())
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
        f"no published range; {comparison.independent} shifts of the sound that do not overlap and {len(swapped)} "
        f"orders of its blocks, so the finest step is {100 / (n + 1):.1f} %; the interval is that of the share beaten",
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


def block_products(mouth: np.ndarray, sound: np.ndarray, shifts: np.ndarray, size: int) -> np.ndarray:
    """Sum of the products of each block of ``size`` steps of the mouth (n, k) with the sound (n, k) ``shifts`` steps
    later, nothing behind its ends: (blocks, shifts)."""
    mouth, sound = np.nan_to_num(mouth).reshape(len(mouth), -1), np.nan_to_num(sound).reshape(len(sound), -1)
    whole = len(mouth) // size * size
    before, behind = max(0, -int(shifts.min())), max(0, int(shifts.max()))
    padded = np.pad(sound, ((before, behind), (0, 0)))
    return np.stack(
        [
            (mouth[:whole] * padded[before + shift : before + shift + whole]).sum(1).reshape(-1, size).sum(1)
            for shift in shifts
        ],
        axis=1,
    )


def bootstrap_offsets(mouth: np.ndarray, sound: np.ndarray, settings: Settings) -> np.ndarray:
    """Peak lags in ms of resampled recordings: blocks of time drawn with replacement (resamples,)."""
    lags, blocks = searched(settings), seen_blocks(mouth, settings)
    products = block_products(mouth, sound, lags, round(settings.block_s * GRID_HZ))[blocks]
    draws = np.random.default_rng(0).integers(0, len(blocks), (settings.resamples, len(blocks)))
    return np.array([peak_ms(lags / GRID_HZ * 1000, products[draw].sum(0)) for draw in draws])


def seen_blocks(mouth: np.ndarray, settings: Settings) -> np.ndarray:
    """Numbers of the bootstrap's whole blocks in which the mouth (n, ...) was measured at all."""
    size = round(settings.block_s * GRID_HZ)
    whole = len(mouth) // size
    return np.flatnonzero(np.isfinite(mouth[: whole * size]).reshape(whole, -1).any(1))


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
        f"{band(value)}: viewers detect beyond {DETECTABLE_MS[0]} / +{DETECTABLE_MS[1]} ms and accept "
        f"{ACCEPTABLE_MS[0]} / +{ACCEPTABLE_MS[1]} ms (ITU-R BT.1359); a fact about the recording, not an alarm",
    )


def band(offset_ms: float) -> str:
    """Where an offset lies among the bands of ITU-R BT.1359, in words."""
    if DETECTABLE_MS[0] <= offset_ms <= DETECTABLE_MS[1]:
        return "below what viewers detect"
    return "detectable" if ACCEPTABLE_MS[0] <= offset_ms <= ACCEPTABLE_MS[1] else "beyond what viewers accept"


# -- along the clip --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Course:
    """The offset by window: ``start_s`` (w,) s, ``offset_ms`` (w,), NaN where it cannot be read; its ``z`` (w,)."""

    start_s: np.ndarray
    offset_ms: np.ndarray
    z: np.ndarray


@dataclass(frozen=True)
class Windowed:
    """Windows of ``course_s`` every ``block_s``: ``start_s`` (w,) s; ``z`` (w, lags) at the searched lags, in standard
    deviations of each window's own far shifts; ``shown`` (w,) the share of it in which the mouth was seen."""

    start_s: np.ndarray
    z: np.ndarray
    shown: np.ndarray


def windowed(mouth: Series, sound: Series, settings: Settings) -> Windowed:
    """Mouth and sound, components (n, k) on one grid, window by window, each against its own far shifts."""
    size, lags = round(settings.block_s * GRID_HZ), searched(settings)
    together = round(settings.course_s / settings.block_s)
    far = _far_shifts(len(mouth.t_s), len(lags), settings.shifts)
    near = _running(block_products(mouth.values, sound.values, lags, size), together)
    if not len(near) or not len(far):
        return Windowed(np.zeros(0), np.zeros((0, len(lags))), np.zeros(0))
    null = _running(round_products(mouth.values, sound.values, far, size), together)
    z = (near - null.mean(1)[:, None]) / np.maximum(null.std(1), 1e-12)[:, None]
    seen = np.isfinite(mouth.values.reshape(len(mouth.t_s), -1)[:, 0]).astype(float)
    shown = _running(seen[: len(seen) // size * size].reshape(-1, size).sum(1)[:, None], together)[:, 0]
    start_s = mouth.t_s[0] + np.arange(len(near)) * settings.block_s
    return Windowed(start_s, z, shown / (together * size))


def course(mouth: Series, sound: Series, settings: Settings) -> Course:
    """Offset in windows of ``course_s`` every ``block_s``, each against its own far shifts."""
    found, lags_ms = windowed(mouth, sound, settings), searched(settings) / GRID_HZ * 1000
    offsets, z = np.array([peak_ms(lags_ms, row) for row in found.z]), found.z.max(1)
    read = (z >= settings.least_course_z) & (found.shown >= settings.least_in_view)
    read &= (offsets > lags_ms[0]) & (offsets < lags_ms[-1])
    return Course(found.start_s, np.where(read, offsets, np.nan), z)


def round_products(mouth: np.ndarray, sound: np.ndarray, shifts: np.ndarray, size: int) -> np.ndarray:
    """As ``block_products``, the sound shifted round a circle."""
    mouth, sound = np.nan_to_num(mouth).reshape(len(mouth), -1), np.nan_to_num(sound).reshape(len(sound), -1)
    whole = len(mouth) // size * size
    return np.stack(
        [(mouth * np.roll(sound, -shift, axis=0))[:whole].sum(1).reshape(-1, size).sum(1) for shift in shifts], axis=1
    )


def _far_shifts(n: int, margin: int, most: int) -> np.ndarray:
    steps = np.arange(n)
    far = steps[np.minimum(steps, n - steps) > margin]
    return far[np.linspace(0, len(far) - 1, min(most, len(far))).astype(int)]


def _running(blocks: np.ndarray, together: int) -> np.ndarray:
    """Sums of ``together`` consecutive blocks: (blocks - together + 1, ...)."""
    total = np.concatenate([np.zeros((1, *blocks.shape[1:])), np.cumsum(blocks, axis=0)])
    return total[together:] - total[:-together]


def measure_drift(found: Course, settings: Settings) -> Measurement | None:
    """Change of the offset over time, ms/min, over windows that do not overlap; None where too few were read.

    Slope and interval after Theil 1950 and Sen 1968: the median of the pairs' slopes minds no single odd window.
    """
    apart = round(settings.course_s / settings.block_s)
    start_s, offset_ms = found.start_s[::apart], found.offset_ms[::apart]
    read = np.isfinite(offset_ms)
    if read.sum() < settings.least_course or np.ptp(start_s[read]) < settings.least_drift_s:
        return None
    slope, _, low, high = scipy.stats.theilslopes(offset_ms[read], start_s[read] / 60, 0.95)
    return Measurement(
        "av_drift",
        slope,
        "ms/min",
        low,
        high,
        0.95,
        int(read.sum()),
        METHOD.name,
        f"slope of the offset in windows of {settings.course_s:g} s that do not overlap (Theil-Sen); no published "
        "range; clocks of camera and recorder that differ by 0.01 % drift by 6 ms/min",
    )


def jump(mouth: Series, sound: Series, settings: Settings) -> Event | None:
    """The instant at which the sound's place beside the lips changes, where both sides stand clear; None without one.

    On each side of the best split the side's own lag stands clear of its null, and the other side's lag fits clearly
    worse.
    """
    size, lags = round(settings.block_s * GRID_HZ), searched(settings)
    least = round(settings.course_s / settings.block_s)
    products = block_products(mouth.values, sound.values, lags, size)
    if len(products) < 2 * least:
        return None
    before = np.cumsum(products, axis=0)
    splits = np.arange(least, len(products) - least + 1)
    gain = before[splits - 1].max(1) + (before[-1] - before[splits - 1]).max(1)
    split = int(splits[gain.argmax()])
    null = round_products(mouth.values, sound.values, _far_shifts(len(mouth.t_s), len(lags), settings.shifts), size)
    found = []
    for side in (slice(0, split), slice(split, None)):
        near, far = products[side].sum(0), null[side].sum(0)
        found.append(((near - far.mean()) / max(float(far.std()), 1e-12), int(near.argmax())))
    (early, a), (late, b) = found
    apart_ms = float(abs(lags[b] - lags[a]) / GRID_HZ * 1000)
    clear = min(early[a], late[b]) >= settings.least_course_z
    # The other side's lag fits worse by as much as a lag must stand out.
    worse = min(early[a] - early[b], late[b] - late[a]) >= settings.least_z
    if not (clear and worse and apart_ms >= settings.least_jump_ms):
        return None
    at_s = float(mouth.t_s[0]) + split * settings.block_s
    first_ms, then_ms = (float(lags[k] / GRID_HZ * 1000) for k in (a, b))
    return Event(
        "offset_jump",
        Interval(at_s - settings.block_s, at_s + settings.block_s),
        f"The sound lies {first_ms:+.0f} ms from the lips before, and {then_ms:+.0f} ms after.",
        details={"before_ms": first_ms, "after_ms": then_ms},
    )


def share_of_time(
    name: str, part_s: float, of_s: float, window_s: float, method: Method, reference: str, level: float = 0.95
) -> Measurement:
    """Share of ``of_s`` that ``part_s`` is, in %.

    Clopper-Pearson interval with as many independent trials as windows of ``window_s`` that do not overlap.
    """
    n, share = max(1, int(of_s / window_s)), min(1.0, part_s / of_s)
    low, high = clopper_pearson(share * n, n, level)
    return Measurement(name, 100 * share, "%", 100 * low, 100 * high, level, n, method.name, reference)


# -- what to look at -------------------------------------------------------------------------------------------------


def strips(
    mouth: Series, sound: Series, offset_ms: float, spoken: Sequence[Interval], settings: Settings
) -> tuple[Strip, ...]:
    """Pictures of the lips where they go with the sound most, and where least, while someone speaks.

    Of the first part alone, so that the evidence need not be decoded to its end a second time.
    """
    step, size = (round(s * GRID_HZ) for s in (settings.strip_step_s, settings.strip_step_s * settings.strip_pictures))
    lag, n = round(offset_ms / 1000 * GRID_HZ), min(len(mouth.t_s), round(settings.strip_within_s * GRID_HZ))
    together = (mouth.values[:n] * np.roll(sound.values, -lag, axis=0)[:n]).sum(1)
    together[~inside(mouth.t_s[:n] + lag / GRID_HZ, spoken)] = np.nan
    if n <= size:
        return ()
    mean = np.lib.stride_tricks.sliding_window_view(together, size).mean(1)  # NaN where any of it is
    if not np.isfinite(mean).any():
        return ()
    found = (("most", int(np.nanargmax(mean))), ("least", int(np.nanargmin(mean))))
    return tuple(
        Strip(
            f"The lips where they go with the sound {how}, of {settings.strip_within_s:g} s from the first picture on: "
            f"a picture each {settings.strip_step_s:g} s. The sound of each comes {offset_ms:+.0f} ms after it. "
            "Chosen by the measurement: they illustrate it and are no evidence by themselves.",
            tuple(float(t) for t in mouth.t_s[at : at + size : step]),
        )
        for how, at in found
    )


# -- the landmarks' error --------------------------------------------------------------------------------------------


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
