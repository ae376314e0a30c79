"""Values on one time line: seconds on the container's presentation clock.

Frame numbers and rates are for decoding; everything above it speaks in seconds. NaN stands for "not measured".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from forensics.errors import ParameterError

#: Longer than any recording: an open end of an interval.
FOREVER_S = 1e7


@dataclass(frozen=True, order=True)
class Interval:
    """A stretch of time in seconds, ``start_s`` inside, ``end_s`` outside."""

    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        if not self.start_s <= self.end_s:
            raise ParameterError("an interval ends no earlier than it starts", (self.start_s, self.end_s))

    @property
    def duration(self) -> float:
        return self.end_s - self.start_s

    def __contains__(self, t_s: float) -> bool:
        return self.start_s <= t_s < self.end_s

    def __and__(self, other: Interval) -> Interval | None:
        """The common part, or None where there is none."""
        start, end = max(self.start_s, other.start_s), min(self.end_s, other.end_s)
        return Interval(start, end) if start < end else None

    def __or__(self, other: Interval) -> Interval:
        """The shortest interval that holds both."""
        return Interval(min(self.start_s, other.start_s), max(self.end_s, other.end_s))


def union(intervals: Iterable[Interval], gap_s: float = 0.0) -> list[Interval]:
    """Disjoint intervals in order; those that touch, or are at most ``gap_s`` apart, become one."""
    merged: list[Interval] = []
    for interval in sorted(intervals):
        if merged and interval.start_s <= merged[-1].end_s + gap_s:
            merged[-1] |= interval
        else:
            merged.append(interval)
    return merged


def intersection(first: Iterable[Interval], second: Iterable[Interval]) -> list[Interval]:
    """The time that both sets of intervals cover."""
    found, own, others = [], union(first), union(second)
    a = b = 0
    while a < len(own) and b < len(others):
        if common := own[a] & others[b]:
            found.append(common)
        if own[a].end_s < others[b].end_s:
            a += 1
        else:
            b += 1
    return union(found)


def total_s(intervals: Iterable[Interval]) -> float:
    """Seconds covered, overlaps counted once."""
    return sum(interval.duration for interval in union(intervals))


def share(intervals: Iterable[Interval], whole: Interval) -> float:
    """The part of ``whole`` that the intervals cover, 0 to 1."""
    return min(1.0, total_s(intersection(intervals, [whole])) / whole.duration) if whole.duration else 0.0


def inside(t_s: np.ndarray, intervals: Iterable[Interval]) -> np.ndarray:
    """Which of the times ``t_s`` (n,) lie in any of the intervals: bool (n,)."""
    own = union(intervals)
    if not own:
        return np.zeros(len(t_s), bool)
    start_s, end_s = (np.array([getattr(i, side) for i in own]) for side in ("start_s", "end_s"))
    last = np.searchsorted(start_s, t_s, "right") - 1  # that begins before
    return (last >= 0) & (np.asarray(t_s) < end_s[np.maximum(last, 0)])


def runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """Index pairs ``(first, behind_last)`` of the stretches where ``mask`` (n,) is true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], np.asarray(mask, bool), [False])).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


@dataclass(frozen=True)
class Series:
    """A quantity over time: ``t_s`` (n,) in s, ``values`` (n, ...) in ``unit``; NaN = not measured."""

    name: str
    t_s: np.ndarray
    values: np.ndarray
    unit: str

    def __post_init__(self) -> None:
        if len(self.t_s) != len(self.values):
            raise ParameterError(f"{self.name}: as many times as values", (len(self.t_s), len(self.values)))
        if np.any(np.diff(self.t_s) < 0):
            raise ParameterError(f"{self.name}: times in ascending order", "a step back")

    def between(self, interval: Interval) -> Series:
        first, behind = np.searchsorted(self.t_s, (interval.start_s, interval.end_s))
        return Series(self.name, self.t_s[first:behind], self.values[first:behind], self.unit)

    def at(self, t_s: np.ndarray, longest_gap_s: float) -> np.ndarray:
        """Linear interpolation at ``t_s`` (m,); NaN across gaps over ``longest_gap_s`` and outside."""
        good = np.isfinite(self.values)
        t, v = self.t_s[good], self.values[good]
        if len(t) < 2:
            return np.full(len(t_s), np.nan)
        right = np.clip(np.searchsorted(t, t_s), 1, len(t) - 1)
        known = (t_s >= t[0]) & (t_s <= t[-1]) & (t[right] - t[right - 1] <= longest_gap_s)
        return np.where(known, np.interp(t_s, t, v), np.nan)


class Rows(Protocol):
    """Rows of an array, in memory or on disk: what analyses may do with them is to take slices."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, key: Any) -> np.ndarray: ...


class DiskArray:
    """Rows of an array in a ``.npy`` file, read slice by slice so that memory does not grow with the clip."""

    def __init__(self, path: Path):
        self.path = Path(path)
        mapped = np.load(self.path, mmap_mode="r")
        self.shape, self.dtype = mapped.shape, mapped.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> np.ndarray:
        # A fresh map each time: pages of a map that stays open count as this process's memory.
        return np.array(np.load(self.path, mmap_mode="r")[key])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype=dtype)


def chunks(n: int, size: int) -> Iterator[slice]:
    """Slices of at most ``size`` that cover ``range(n)`` in order."""
    return (slice(first, min(first + size, n)) for first in range(0, n, size))


@dataclass(frozen=True)
class Audio:
    """Sound as decoded: ``samples`` (n, channels) float32 in [-1, 1] (array or DiskArray), first one at ``start_s``."""

    samples: Rows
    rate_hz: int
    start_s: float
    gaps: tuple[Interval, ...] = ()  # stretches the file does not fill; held as zeros

    def __post_init__(self) -> None:
        if len(self.samples.shape) != 2:
            raise ParameterError("samples have the shape (n, channels)", self.samples.shape)
        if self.rate_hz <= 0:
            raise ParameterError("a sampling rate is positive", self.rate_hz)

    @property
    def interval(self) -> Interval:
        return Interval(self.start_s, self.start_s + len(self.samples) / self.rate_hz)

    def mono(self, interval: Interval) -> tuple[np.ndarray, float]:
        """Mean of all channels inside ``interval``: float32 (n,), and the time of its first sample in s."""
        first = max(0, round((interval.start_s - self.start_s) * self.rate_hz))
        behind = min(len(self.samples), round((interval.end_s - self.start_s) * self.rate_hz))
        block = self.samples[first : max(first, behind)]
        return np.asarray(block, np.float32).mean(axis=1), self.start_s + first / self.rate_hz

    def between(self, interval: Interval) -> Audio:
        """The sound inside ``interval``, in memory; without a sample where it has none."""
        first = min(len(self.samples), max(0, round((interval.start_s - self.start_s) * self.rate_hz)))
        behind = min(len(self.samples), max(first, round((interval.end_s - self.start_s) * self.rate_hz)))
        gaps = tuple(common for gap in self.gaps if (common := gap & interval) is not None)
        return Audio(self.samples[first:behind], self.rate_hz, self.start_s + first / self.rate_hz, gaps)

    def windows(self, seconds: float) -> Iterator[Interval]:
        """Consecutive intervals of ``seconds`` (the last may be shorter) that cover the sound."""
        whole = self.interval
        for k in range(int(np.ceil(whole.duration / seconds - 1e-9))):
            start = whole.start_s + k * seconds
            yield Interval(start, min(start + seconds, whole.end_s))


@dataclass(frozen=True)
class Repeats:
    """A sample of a track's pictures looked at again in slightly shifted and rescaled copies, mapped back.

    ``row`` (m,) row of the track; ``landmarks`` (m, k, 478, 3) px and ``blendshapes`` (m, k, 52) of the k copies.
    What differs between the copies is the model's scatter, not the face's movement; a bias that all copies share does
    not show. ``lost`` is the share of copies in which the face was not found; a picture with one is left out.
    """

    row: np.ndarray
    landmarks: np.ndarray
    blendshapes: np.ndarray
    lost: float = 0.0

    def __len__(self) -> int:
        return len(self.row)


def repeatability(values: np.ndarray) -> float:
    """Standard deviation between repeats, pooled over samples: of ``values`` (m, k, ...); NaN without any."""
    return float(np.sqrt(np.mean(np.var(values, axis=1, ddof=1)))) if len(values) else float("nan")


@dataclass(frozen=True)
class CloseUps:
    """A sample of a track's pictures looked at close up (``closeup``).

    ``row`` (m,) row of the track; ``rim_light`` (m, 36, 14, 3) linear and ``rim_detail`` (m, 36, 14, 2) levels of 255,
    on spokes from inside the face's outline to beyond it; ``detail`` (m, 478, 2) at the landmarks; ``glints``
    (m, 2, 4, 4) highlights of both eyes and ``irises`` (m, 2, 3). NaN where outside the picture or not there.
    """

    row: np.ndarray
    rim_light: Rows
    rim_detail: Rows
    detail: Rows
    glints: Rows
    irises: Rows

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True)
class FaceTrack:
    """One face, uninterrupted within one shot.

    ``name`` (``A1``); ``t_s`` (n,) s; ``frame`` (n,) index of the decoded picture; ``pts`` (n,) its raw time stamp;
    ``landmarks`` (n, 478, 3) px, x right, y down, z in the scale of x, smaller = nearer;
    ``blendshapes`` (n, 52) in [0, 1]; ``transform`` (n, 4, 4) canonical face to camera;
    ``vertex_rgb`` (n, 478, 3) linear light in [0, 1], mean of a small patch; ``quality`` Series by name.
    The large ones may be arrays or DiskArrays. ``named`` is the analyst's name for the person.
    """

    name: str
    t_s: np.ndarray
    frame: np.ndarray
    pts: np.ndarray
    landmarks: Rows
    blendshapes: Rows
    transform: Rows
    vertex_rgb: Rows
    quality: dict[str, Series] = field(default_factory=dict)
    repeats: Repeats | None = None
    closeups: CloseUps | None = None
    named: str | None = None

    def __post_init__(self) -> None:
        rows = {
            len(a)
            for a in (self.t_s, self.frame, self.pts, self.landmarks, self.blendshapes, self.transform, self.vertex_rgb)
        }
        if len(rows) != 1:
            raise ParameterError(f"track {self.name}: all arrays have as many rows", sorted(rows))

    @property
    def person(self) -> str:
        """The analyst's name, else the letter of the track's: ``A`` of ``A1``."""
        return self.named or self.letter

    @property
    def letter(self) -> str:
        """``A`` of ``A1``: one face within one shot."""
        return self.name.rstrip("0123456789")

    @property
    def landmark_error_px(self) -> float:
        """Repeatability of the landmarks in the picture plane, px, pooled over all; NaN if not sampled."""
        return float("nan") if self.repeats is None else repeatability(self.repeats.landmarks[..., :2])

    @property
    def interval(self) -> Interval:
        """From the first picture to one usual picture step behind the last."""
        step = float(np.median(np.diff(self.t_s))) if len(self.t_s) > 1 else 0.0
        return Interval(float(self.t_s[0]), float(self.t_s[-1]) + step)
