"""Stretches in which both eyes move again exactly as before, as in a loop. Pure.

No two blinks of a person are alike, with what the lids do around them: over one second, both eyes, separate blinks
differ by several times what the landmarks scatter between two looks at one picture. A stretch that is shown twice
differs by about once that, even newly encoded. So the tolerance comes from the landmarks' own repeatability, the check
from the clip's own separate blinks, and the length from clips of people in which nothing repeats (``Settings``). One
blink may be like another by chance; two with the time between them are asked for.
Not to be trusted to find: a stretch with one blink that is shown just twice; one that was played backwards, at another
speed or picture rate, or compressed strongly; a repetition behind a cut that makes another person of the same face.
A repetition is a fact; who made it, and why, it does not tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.analysis.blink.settings import Settings
from forensics.analysis.blink.signal import EYES, eye_aspect_ratio
from forensics.finding import Event
from forensics.timeline import FaceTrack, Interval, chunks, runs

#: Pictures by which the deepest point of a repeated blink may come earlier or later, as noise has it.
SHIFTS = range(-2, 3)
#: Later blinks with which each is compared, half an hour at 17 a minute: memory does not grow with their square.
MOST_LATER = 500


@dataclass(frozen=True)
class Repeat:
    """``first`` is seen again ``lag_s`` later; root mean square differences in relative openness.

    ``difference`` of the two; ``separate`` usual one of the clip's separate blinks, None without any.
    """

    first: Interval
    lag_s: float
    blinks: int
    difference: float
    separate: float | None


def repeated_blinks(
    tracks: Sequence[FaceTrack], peaks_s: Sequence[float], error: float, settings: Settings
) -> list[Event]:
    """Events, one a stretch seen again, none of them ``unusual``; none where the landmarks scatter too much to tell."""
    if error > settings.most_repeat_error or len(peaks_s) < 2:
        return []
    ordered = sorted(tracks, key=lambda t: float(t.t_s[0]))
    t_s = np.concatenate([t.t_s for t in ordered])
    curves = np.concatenate([_ratios(t) for t in ordered])
    found = repeats(t_s, curves / np.percentile(curves, settings.baseline_percentile, axis=0), peaks_s, error, settings)
    return [_event(repeat, error) for repeat in found]


def _ratios(track: FaceTrack) -> np.ndarray:
    """Aspect ratio of each eye (n, 2) in each picture: not of the grid, on which no picture comes twice."""
    return np.concatenate(
        [
            np.stack([eye_aspect_ratio(landmarks, eye) for eye in EYES], 1)
            for landmarks in (track.landmarks[rows] for rows in chunks(len(track.t_s), 512))
        ]
    )


def _event(repeat: Repeat, error: float) -> Event:
    again = repeat.first.start_s + repeat.lag_s
    return Event(
        "repeated_blinks",
        repeat.first,
        f"both eyes move again in the same way {repeat.lag_s:.2f} s later",
        details={
            "eye": "both",
            "again_s": round(again, 3),
            "lag_s": round(repeat.lag_s, 3),
            "blinks": repeat.blinks,
            "difference": round(repeat.difference, 3),
            "difference_of_separate_blinks": repeat.separate and round(repeat.separate, 3),
            "repeatability_sd": round(error, 3),
        },
    )


def repeats(
    t_s: np.ndarray, openness: np.ndarray, peaks_s: Sequence[float], error: float, settings: Settings
) -> list[Repeat]:
    """Repeated stretches in ``openness`` (n, 2) at the pictures ``t_s`` (n,), longest first, none across another.

    Only lags that bring one blink onto another are tried, so that it stays quick in clips of hours.
    """
    step = float(np.median(np.diff(t_s)))
    half, most = round(settings.repeat_window_s / 2 / step), settings.repeat_errors * error
    rows = _nearest(t_s, np.sort(peaks_s))
    rows = rows[(rows >= half - SHIFTS[0]) & (rows < len(t_s) - half - SHIFTS[-1])]
    lags, distances = _pairs(openness, rows, half)
    found = []
    for lag in np.unique(lags[distances <= most]):
        # A loop repeats at multiples of its length; pairs at other lags are separate blinks.
        away = np.abs(lags - lag * np.round(lags / lag)) > SHIFTS[-1]
        separate = float(np.median(distances[away])) if away.any() else None
        found += _at(int(lag), t_s, openness, rows, most, separate, settings)
    kept: list[Repeat] = []
    for repeat in sorted(found, key=lambda r: -r.first.duration):
        if not any(repeat.first & other.first for other in kept):
            kept.append(repeat)
    return kept


def _nearest(t_s: np.ndarray, at_s: np.ndarray) -> np.ndarray:
    right = np.clip(np.searchsorted(t_s, at_s), 1, len(t_s) - 1)
    return right - (at_s - t_s[right - 1] < t_s[right] - at_s)


def _pairs(openness: np.ndarray, rows: np.ndarray, half: int) -> tuple[np.ndarray, np.ndarray]:
    """Lag in pictures and root mean square difference of each pair of blinks (m,), at its best shift."""
    around = np.arange(-half, half + 1)
    lags, distances = [np.zeros(0, int)], [np.zeros(0)]
    for k, row in enumerate(rows):
        later = rows[k + 1 : k + 1 + MOST_LATER]
        shifted = later[later >= row + 2 * half, None] + np.array(SHIFTS)
        difference = openness[shifted[..., None] + around] - openness[row + around]
        distance = np.sqrt(np.mean(difference**2, axis=(2, 3)))
        best = distance.argmin(1)[:, None]
        lags.append(np.take_along_axis(shifted, best, 1)[:, 0] - row)
        distances.append(np.take_along_axis(distance, best, 1)[:, 0])
    return np.concatenate(lags), np.concatenate(distances)


def _at(
    lag: int,
    t_s: np.ndarray,
    openness: np.ndarray,
    rows: np.ndarray,
    most: float,
    separate: float | None,
    settings: Settings,
) -> list[Repeat]:
    """Stretches with two blinks or more, copies too, in which the curves repeat ``lag`` pictures later."""
    steps = t_s[lag:] - t_s[:-lag]
    lag_s, step = float(np.median(steps)), float(np.median(np.diff(t_s)))
    squares = np.mean((openness[lag:] - openness[:-lag]) ** 2, axis=1)
    window = np.ones(max(1, round(settings.repeat_smooth_s / step)))
    # "same" pads with zeros, which would flatter the ends: divided by what was there.
    level = np.convolve(squares, window, "same") / np.convolve(np.ones(len(squares)), window, "same")
    found = []
    for a, b in runs((level <= most**2) & (np.abs(steps - lag_s) <= step)):
        blinks = int(np.sum((rows >= a) & (rows < b)))
        difference = float(np.sqrt(squares[a:b].mean()))
        alike = separate is not None and difference > settings.repeat_share * separate
        if blinks > 1 and t_s[b - 1] - t_s[a] >= settings.shortest_repeat_s and not alike:
            found.append(Repeat(Interval(float(t_s[a]), float(t_s[b - 1])), lag_s, blinks, difference, separate))
    return found
