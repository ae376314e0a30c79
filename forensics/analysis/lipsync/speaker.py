"""Which face in view, if any, moves with the sound, window by window. Pure.

In each window with speech every face in view is correlated with the sound. One lag is shared by all, for the recording
has one: that at which the best face of each window follows the sound most, and it counts only where it stands clear of
the clip's own shifted sound. At that lag a face is named where it follows the sound more than chance and clearly more
than the next face; otherwise the speaker is not known.
Reference: Hershey & Movellan 1999; Cutler & Davis 2000 (who is talking, from synchrony of mouth and sound).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.analysis.lipsync.components import Lips
from forensics.analysis.lipsync.measure import searched, share_of_time
from forensics.analysis.lipsync.settings import SPEAKER_METHOD, Settings
from forensics.analysis.lipsync.signal import GRID_HZ
from forensics.finding import Measurement
from forensics.timeline import Interval, Series, inside, intersection, union


@dataclass(frozen=True)
class Windows:
    """Windows with speech and a face in view, and how each face moves with the sound in them.

    ``start_s`` (w,) s; ``z`` (faces, w) in standard deviations of shifted sound, NaN where
    the face is not in view; ``lead`` (w,) of the best before the next face, infinite where there is none; ``named``
    (w,) index of the face, -1 = not known; ``lag_ms`` the shared lag, and ``lag_z`` how far it stands out.
    """

    start_s: np.ndarray
    z: np.ndarray
    lead: np.ndarray
    named: np.ndarray
    lag_ms: float
    lag_z: float


def follow(mouths: Sequence[Lips], sound: Series, spoken: Sequence[Interval], settings: Settings) -> Windows | None:
    """Compare all ``mouths`` with the ``sound`` (n, k) by 10 ms, both weighted; None without a window to compare in."""
    size, step = round(settings.window_s * GRID_HZ), round(settings.step_s * GRID_HZ)
    starts = np.arange(0, max(0, len(sound.t_s) - size + 1), step)
    starts = starts[sums(inside(sound.t_s, spoken), starts, size) >= settings.least_spoken * size]
    seen = [_in_view(mouth, starts, size, settings) for mouth in mouths]
    any_seen = np.logical_or.reduce([np.zeros(len(starts), bool), *seen])
    if not any_seen.any():
        return None
    near, far = searched(settings), _far(len(sound.t_s), settings)
    shifts = np.concatenate([near, far])
    best = np.full((len(shifts), len(starts)), -np.inf, np.float32)
    found = []
    for mouth, rows in zip(mouths, seen, strict=True):
        found.append(correlations(mouth, np.nan_to_num(sound.values), starts[rows], shifts, settings))
        best[:, rows] = np.maximum(best[:, rows], found[-1])
    together = best[:, any_seen].mean(1)
    shared, null = int(together[: len(near)].argmax()), together[len(near) :]
    lag_z = float((together[shared] - null.mean()) / max(null.std(), 1e-12))
    z = np.full((len(mouths), len(starts)), np.nan)
    for row, rows, values in zip(z, seen, found, strict=True):
        if rows.any():
            row[rows] = (values[shared] - values[len(near) :].mean()) / max(values[len(near) :].std(), 1e-12)
    z, starts = z[:, any_seen], starts[any_seen]
    lead, named = name(z, lag_z, settings)
    return Windows(sound.t_s[starts], z, lead, named, float(near[shared] / GRID_HZ * 1000), lag_z)


def name(z: np.ndarray, lag_z: float, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Lead of the best face and which is named (-1: not known) in each window, from ``z`` (faces, w)."""
    known = np.where(np.isnan(z), -np.inf, z)
    ordered = np.sort(np.vstack([np.full(known.shape[1], -np.inf), known]), axis=0)
    lead = ordered[-1] - ordered[-2]
    clear = (ordered[-1] >= settings.least_window_z) & (lead >= settings.least_lead) & (lag_z >= settings.least_z)
    return lead, np.where(clear, known.argmax(0), -1)


def correlations(
    mouth: Lips, sound: np.ndarray, starts: np.ndarray, shifts: np.ndarray, settings: Settings
) -> np.ndarray:
    """Correlation of the mouth with the sound ``shifts`` steps later, round a circle, by window: (shifts, windows)."""
    size = round(settings.window_s * GRID_HZ)
    if not len(starts):
        return np.zeros((len(shifts), 0), np.float32)
    at, steps = starts - starts[0], np.arange(starts[0], starts[-1] + size)
    moving, loud = np.nan_to_num(_stretch(mouth, steps)), (sound**2).sum(1)
    floor = settings.least_power * size  # both signals are standardised: their mean power is 1
    power = np.maximum(sums((moving**2).sum(1), at, size), floor)
    made = np.empty((len(shifts), len(starts)), np.float32)
    for row, shift in zip(made, shifts, strict=True):
        later = (steps + shift) % len(sound)
        product = sums(np.einsum("nk,nk->n", moving, sound[later]), at, size)
        row[:] = product / np.sqrt(power * np.maximum(sums(loud[later], at, size), floor))
    return made


@dataclass(frozen=True)
class Turn:
    """An interval in s in which face ``face`` is named; ``z`` is the median, ``lead`` the least of its windows."""

    face: int
    interval: Interval
    z: float
    lead: float


def turns(windows: Windows, settings: Settings) -> list[Turn]:
    """Intervals in which a face is named, in order."""
    first, last = own_parts(windows.start_s, settings.window_s)
    found = []
    for face, z in enumerate(windows.z):
        rows = np.flatnonzero(windows.named == face)
        for interval in union((Interval(float(first[k]), float(last[k])) for k in rows), gap_s=1e-9):
            own = rows[(first[rows] >= interval.start_s) & (last[rows] <= interval.end_s)]
            found.append(Turn(face, interval, float(np.median(z[own])), float(windows.lead[own].min())))
    return sorted(found, key=lambda turn: turn.interval)


def own_parts(start_s: np.ndarray, window_s: float) -> tuple[np.ndarray, np.ndarray]:
    """First and last instant (w,) that belong to each window: to the one whose middle is nearest, if it holds them."""
    between = start_s[:-1] / 2 + start_s[1:] / 2 + window_s / 2
    first = np.maximum(start_s, np.concatenate([[-np.inf], between]))
    return first, np.minimum(start_s + window_s, np.concatenate([between, [np.inf]]))


def measure_known(known_s: float, seen_s: float, settings: Settings) -> Measurement:
    """Share of ``seen_s``, speech with a face in view, for which a speaker is named."""
    of = f"of {seen_s:.1f} s of speech with a face in view; no published range; n windows that do not overlap"
    return share_of_time("speaker_known", known_s, seen_s, settings.window_s, SPEAKER_METHOD, of)


def without(intervals: Sequence[Interval], others: Sequence[Interval]) -> list[Interval]:
    """The time of ``intervals`` that none of the ``others`` covers."""
    left, taken = [], deque(intersection(intervals, others))
    for interval in union(intervals):
        at = interval.start_s
        while taken and taken[0].start_s < interval.end_s:
            common = taken.popleft()
            left.append(Interval(at, common.start_s))
            at = common.end_s
        left.append(Interval(at, interval.end_s))
    return [interval for interval in left if interval.duration > 0]


def sums(values: np.ndarray, starts: np.ndarray, size: int) -> np.ndarray:
    """Sum of ``values`` over ``size`` steps from each start on."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    return total[starts + size] - total[starts]


def _stretch(mouth: Lips, steps: np.ndarray) -> np.ndarray:
    """The mouth at consecutive ``steps``; NaN outside what was seen of it."""
    rows = steps - mouth.first
    known = (rows >= 0) & (rows < len(mouth.values))
    return np.where(known[:, None], mouth.values[np.clip(rows, 0, len(mouth.values) - 1)], np.nan)


def _in_view(mouth: Lips, starts: np.ndarray, size: int, settings: Settings) -> np.ndarray:
    """Which windows show enough of the mouth: bool (windows,)."""
    measured = np.concatenate([[0], np.cumsum(np.isfinite(mouth.values[:, 0]))])
    first, behind = (np.clip(starts - mouth.first + edge, 0, len(mouth.values)) for edge in (0, size))
    return measured[behind] - measured[first] >= settings.least_in_view * size


def _far(n: int, settings: Settings) -> np.ndarray:
    """Shifts beyond the search on both sides, evenly spread."""
    steps = np.arange(n)
    far = steps[np.minimum(steps, n - steps) > len(searched(settings))]
    return far[np.linspace(0, len(far) - 1, min(settings.shifts, len(far))).astype(int)]
