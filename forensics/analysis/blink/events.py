"""Closures of each eye, and those that both make together. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from forensics.analysis.blink.settings import Settings
from forensics.analysis.blink.signal import GRID_HZ
from forensics.finding import Event, Measurement
from forensics.timeline import FaceTrack, Interval, Series, runs


@dataclass(frozen=True)
class Closure:
    """One eye's dip: half-depth crossings and deepest point in s, depth 0-1 of relative openness."""

    eye: str
    start_s: float
    peak_s: float
    end_s: float
    depth: float


def closures(series: Series, eye: str, settings: Settings) -> list[Closure]:
    """Dips of relative openness that are deep enough and stand out, brief ones and long ones."""
    found = []
    for first, behind in runs(np.isfinite(series.values)):
        closed = 1 - series.values[first:behind]
        peaks, about = scipy.signal.find_peaks(
            closed,
            height=settings.shallowest,
            prominence=settings.least_prominence,
            width=0,
            rel_height=0.5,
            plateau_size=0,
        )
        for peak, left, right in zip(peaks, about["left_ips"], about["right_ips"], strict=True):
            start, end = (float(series.t_s[first] + x / GRID_HZ) for x in (left, right))
            found.append(Closure(eye, start, float(series.t_s[first + peak]), end, float(min(closed[peak], 1))))
    return found


def binocular(right: list[Closure], left: list[Closure], settings: Settings) -> list[tuple[Closure, Closure]]:
    """Brief closures that both eyes make together, in order of time."""
    pairs = []
    free = [c for c in left if c.end_s - c.start_s <= settings.longest_s]
    for a in right:
        if a.end_s - a.start_s > settings.longest_s:
            continue
        b = min(free, key=lambda c: abs(c.peak_s - a.peak_s), default=None)
        if b and abs(a.peak_s - b.peak_s) <= settings.together_s:
            free.remove(b)
            pairs.append((a, b))
    return pairs


def described(
    pairs: list[tuple[Closure, Closure]], track: FaceTrack, error: Measurement | None, settings: Settings
) -> list[Event]:
    """One event an eye, each with the decoded picture nearest its deepest point."""
    events = []
    for pair in pairs:
        for closure in pair:
            nearest = int(np.abs(track.t_s - closure.peak_s).argmin())
            events.append(
                Event(
                    "blink",
                    Interval(closure.start_s, closure.end_s),
                    f"{closure.eye} eye closes",
                    details={
                        "eye": closure.eye,
                        "depth": round(closure.depth, 2),
                        "depth_repeatability_2sd": error and round(2 * error.value, 2),
                        "complete": closure.depth >= settings.complete,
                        "peak_s": round(closure.peak_s, 3),
                        "frame": int(track.frame[nearest]),
                        "pts": int(track.pts[nearest]),
                        "track": track.name,
                    },
                )
            )
    return events
