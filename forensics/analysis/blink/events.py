"""Blinks: dips that both eyes make together; winks of one eye. Pure.

A dip of the closedness (``signal.closedness``) is taken for a blink by how far the lids' openness falls and the model's
eyeBlink rises, each against the higher of its two sides. Onset and offset are where the curve leaves and reaches again
the open eye near it, to a fraction of a picture by the line between pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import scipy

from forensics.analysis.blink.settings import Settings
from forensics.analysis.blink.signal import EYES, GRID_HZ, Eye, closedness
from forensics.finding import Event, Measurement
from forensics.timeline import FaceTrack, Interval, Series, runs

#: How far apart the deepest points of both eyes may lie in one blink, s.
TOGETHER_S = 0.15


@dataclass(frozen=True)
class Closure:
    """One eye's dip: onset, deepest point and offset in s, depth 0-1 of relative openness."""

    eye: str
    start_s: float
    peak_s: float
    end_s: float
    depth: float


@dataclass(frozen=True)
class Dip:
    """A dip of closedness: where it lies, in s, and what tells whether it is a blink."""

    start_s: float
    peak_s: float
    end_s: float
    half_s: float  # between the half-depth crossings
    fall: float  # of relative openness, against the higher side, mean of the eyes
    rise: float  # of the model's eyeBlink, likewise
    share: float  # the smaller fall of an eye over the larger; 1 of a single eye
    depth: float  # 1 - relative openness at the deepest point, mean of the eyes

    def probability(self, settings: Settings) -> float:
        """Of being one that a person would label as a blink, 0 to 1, before its length is looked at."""
        logit = settings.intercept + settings.openness_weight * self.fall + settings.shape_weight * self.rise
        return float(scipy.special.expit(logit))

    def is_blink(self, settings: Settings) -> bool:
        """Of all the eyes together. A long one counts as a closure where the lids meet, else as a glance down."""
        brief = self.half_s <= settings.longest_s or self.depth >= settings.complete
        return brief and self.share > settings.wink_share and self.probability(settings) >= 0.5


@dataclass(frozen=True)
class _Extent:
    """Indices: onset and offset, half-way crossings, and the open eye on each side; the first four are fractions."""

    start: float
    end: float
    half_start: float
    half_end: float
    left: int
    right: int


def _extent(values: np.ndarray, peak: int, low: int, high: int, settings: Settings) -> _Extent:
    """Of the peak of ``values`` at index ``peak``, looked for between the indices ``low`` and ``high``, both inside."""
    left, half_start, start = _side(values[low : peak + 1][::-1], round(settings.before_s * GRID_HZ), settings)
    right, half_end, end = _side(values[peak : high + 1], round(settings.behind_s * GRID_HZ), settings)
    return _Extent(peak - start, peak + end, peak - half_start, peak + half_end, peak - left, peak + right)


def _side(values: np.ndarray, reach: int, settings: Settings) -> tuple[int, float, float]:
    """Steps from the peak, which is ``values[0]``, to the open eye, half-way down, and where the lid comes to rest."""
    far = int(values.argmin())
    half = _crossing(values, (values[0] + values[far]) / 2)
    base = int(values[: min(len(values), int(half) + reach + 1)].argmin())
    rest = _crossing(values, values[base] + settings.lid_moves * (values[0] - values[base]))
    return base, half, rest


def _crossing(values: np.ndarray, level: float) -> float:
    """Where ``values`` first fall to ``level``, between two steps."""
    below = int(np.argmax(values <= level))
    if below == 0:
        return 0.0
    before, here = values[below - 1], values[below]
    return float(below - 1 + (before - level) / (before - here))


def dips(eyes: Mapping[str, Eye], settings: Settings) -> list[Dip]:
    """Dips of the mean closedness of the given eyes, in order of time; none reaches across what was not measured."""
    closed = closedness(eyes)
    found = [_dip(closed, eyes, peak, peak, low, high, settings) for peak, low, high in _peaks(closed.values, settings)]
    told, reach = [dip for dip in found if dip.is_blink(settings)], round(settings.window_s * GRID_HZ)
    for first, behind in _shut(closed.values, settings):
        seen, end = next(run for run in runs(np.isfinite(closed.values)) if run[0] <= first < run[1])
        low, high = max(seen, first - reach), min(end - 1, behind - 1 + reach)
        long = _dip(closed, eyes, first, behind - 1, low, high, settings)
        # Blinks in close succession may hardly open between: they are told as what they are.
        if not any(dip.end_s > long.start_s and dip.start_s < long.end_s for dip in told):
            found.append(long)
    return sorted(found, key=lambda dip: dip.peak_s)


def _shut(values: np.ndarray, settings: Settings) -> list[tuple[int, int]]:
    """Stretches of ``values`` in which the eyes stay shut longer than a blink: too long to stand out as a peak."""
    with np.errstate(invalid="ignore"):
        down = values >= settings.lasting
    return [(a, b) for a, b in runs(down) if b - a > settings.longest_s * GRID_HZ]


def _dip(
    closed: Series, eyes: Mapping[str, Eye], first: int, last: int, low: int, high: int, settings: Settings
) -> Dip:
    """The dip whose deepest part reaches from index ``first`` to ``last``, looked for between ``low`` and ``high``."""
    before = _extent(closed.values, first, low, first, settings)
    behind = _extent(closed.values, last, last, high, settings)
    peak = (first + last) // 2
    sides = before.left, peak, behind.right
    falls = [_rise(1 - eye.openness.values, *sides) for eye in eyes.values()]
    return Dip(
        float(closed.t_s[0] + before.start / GRID_HZ),
        float(closed.t_s[peak]),
        float(closed.t_s[0] + behind.end / GRID_HZ),
        (behind.half_end - before.half_start) / GRID_HZ,
        float(np.mean(falls)),
        float(np.mean([_rise(eye.shape.values, *sides) for eye in eyes.values()])),
        float(min(falls) / max(*falls, 1e-9)) if len(falls) > 1 else 1.0,
        float(np.mean([1 - eye.openness.values[peak] for eye in eyes.values()])),
    )


def _peaks(values: np.ndarray, settings: Settings) -> Iterator[tuple[int, int, int]]:
    """Each peak that stands out, with the indices between which it does."""
    for first, behind in runs(np.isfinite(values)):
        # Beyond the ends the eye counts as open: what is under way there is told of by its other side alone.
        walled = np.concatenate(([-9.0], values[first:behind], [-9.0]))
        peaks, about = scipy.signal.find_peaks(
            walled, prominence=settings.least_rise, wlen=round(settings.window_s * GRID_HZ) | 1
        )
        for peak, low, high in zip(peaks, about["left_bases"], about["right_bases"], strict=True):
            yield first + peak - 1, first + max(low, 1) - 1, first + min(high, len(walled) - 2) - 1


def _rise(values: np.ndarray, left: int, peak: int, right: int) -> float:
    """By how much ``values`` rise at ``peak``, give or take 30 ms, above the higher of the two sides."""
    top = values[max(left, peak - 3) : min(right, peak + 3) + 1].max()
    return float(top - max(values[left], values[right]))


def blinks(eyes: Mapping[str, Eye], settings: Settings) -> list[tuple[Dip, dict[str, Closure]]]:
    """Dips of both eyes that are blinks, each with both eyes' own closures."""
    found = [dip for dip in dips(eyes, settings) if dip.is_blink(settings)]
    return [(dip, {name: closure(dip, eye, name, settings) for name, eye in eyes.items()}) for dip in found]


def winks(eyes: Mapping[str, Eye], both: list[Dip], settings: Settings) -> list[Closure]:
    """Closures of one eye while the other stays open, away from the blinks of ``both``."""
    found = []
    for name, eye in eyes.items():
        (other,) = (e for n, e in eyes.items() if n != name)
        for dip in dips({name: eye}, settings):
            apart = all(dip.end_s < b.start_s or dip.start_s > b.end_s for b in both)
            if apart and dip.is_blink(settings) and dip.fall >= settings.wink_fall:
                rows = slice(*(round((t - eye.openness.t_s[0]) * GRID_HZ) for t in (dip.start_s, dip.end_s)))
                along = np.ptp(other.openness.values[rows]) if rows.start < rows.stop else np.nan
                if along <= settings.wink_share * dip.fall:
                    found.append(closure(dip, eye, name, settings))
    return found


def closure(dip: Dip, eye: Eye, name: str, settings: Settings) -> Closure:
    """What one eye does in a dip: its own deepest point within reach of it, onset and offset."""
    closed = closedness({name: eye})
    values, begin, at = closed.values, closed.t_s[0], round((dip.peak_s - closed.t_s[0]) * GRID_HZ)
    seen, behind = next(run for run in runs(np.isfinite(values)) if run[0] <= at < run[1])

    def within(t_s: float) -> int:
        return int(np.clip(round((t_s - begin) * GRID_HZ), seen, behind - 1))

    low, high = within(dip.start_s - settings.before_s), within(dip.end_s + settings.behind_s)
    first, last = within(dip.peak_s - TOGETHER_S), within(dip.peak_s + TOGETHER_S)
    low, high = min(low, first), max(high, last)
    peak = first + int(values[first : last + 1].argmax())
    extent = _extent(values, peak, low, high, settings)
    depth = 1 - eye.openness.values[first : last + 1].min()
    start_s, peak_s, end_s = (float(begin + k / GRID_HZ) for k in (extent.start, peak, extent.end))
    return Closure(name, start_s, peak_s, end_s, float(min(max(depth, 0.0), 1.0)))


def form(dip: Dip, eyes: Mapping[str, Closure], settings: Settings) -> str:
    """What kind of blink it is."""
    if dip.half_s > settings.longest_s:
        return "long closure"
    return "blink" if max(c.depth for c in eyes.values()) >= settings.complete else "half blink"


def described(
    found: list[tuple[Dip, dict[str, Closure]]],
    alone: list[Closure],
    track: FaceTrack,
    error: Measurement | None,
    settings: Settings,
) -> list[Event]:
    """One event an eye, each with the decoded picture nearest its deepest point."""
    events = []
    for dip, eyes in found:
        lag_s = eyes["left"].peak_s - eyes["right"].peak_s
        about = {"form": form(dip, eyes, settings), "probability": round(dip.probability(settings), 3)}
        for name in EYES:
            events.append(_event("blink", eyes[name], track, error, settings, about | {"lag_s": round(lag_s, 3)}))
    return events + [_event("wink", c, track, error, settings, {"form": "wink"}) for c in alone]


def _event(
    kind: str, c: Closure, track: FaceTrack, error: Measurement | None, settings: Settings, about: Mapping[str, object]
) -> Event:
    nearest = int(np.abs(track.t_s - c.peak_s).argmin())
    return Event(
        kind,
        Interval(c.start_s, c.end_s),
        f"{c.eye} eye closes",
        details={
            "eye": c.eye,
            "depth": round(c.depth, 2),
            "depth_repeatability_2sd": error and round(2 * error.value, 2),
            "complete": c.depth >= settings.complete,
            "peak_s": round(c.peak_s, 3),
            "closing_s": round(c.peak_s - c.start_s, 3),
            "opening_s": round(c.end_s - c.peak_s, 3),
            "frame": int(track.frame[nearest]),
            "pts": int(track.pts[nearest]),
            "track": track.name,
            **about,
        },
    )
