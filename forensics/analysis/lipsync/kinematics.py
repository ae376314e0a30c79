"""How a mouth moves in speech: how far and how fast it opens and spreads, how often, and what moves with what. Pure.

Distances are taken in the face's own frame, the head's turn and distance out, in percent of the distance between the
outer corners of the eyes: the face's height, used elsewhere, ends at the chin and grows with the opening itself. Only
pictures that differ from the one before count, only speech in view, on the presentation clock.
Speeds are those of the movement smoothed (``smoothing_s``): a gesture repeated 4 times a second shows 72 % of its speed
at any picture rate, and fewer pictures a second show less (tests/real/KINEMATICS.md).
Each measure printed came through one door: halves of a clip agree more than persons do, and neither the landmarks' own
scatter nor fewer pictures moves it far. Left at that door as noise: ratio of closing to opening speed, regularity of
intervals, spectral flatness and arc length, stiffness, coherence with the sound's envelope, scatter of local lags,
share of the movement that the sound around explains. Clips show too few onsets for the lips' lead. Protrusion is left
out because depth is no measurement: the model guesses it from the same picture.
Reference: Ostry & Munhall 1985 and Nelson 1983 (amplitude and speed of speech gestures); Chandrasekaran et al. 2009
(mouths open 2 to 7 times a second); Rice 1945 (frequency of a random movement).
Not to be trusted: under about ten seconds of speech, in laughter, with food, a beard or a hand at the mouth; to compare
recordings of unlike picture rates or encodings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import scipy

from forensics import weights
from forensics.analysis.lipsync.features import RIGID, without_pose
from forensics.analysis.lipsync.settings import KINEMATICS_METHOD, Settings
from forensics.analysis.lipsync.signal import GRID_HZ, INNER, smoothed
from forensics.finding import Measurement
from forensics.timeline import FaceTrack, Interval, Series, chunks, inside, runs

#: Landmarks at the corners of the mouth, and of the eyes (outer): the person's right, left.
CORNERS, EYES = (61, 291), (33, 263)
#: Distance of the eyes' outer corners in the units of ``without_pose``.
EYES_APART = float(np.linalg.norm(np.subtract(RIGID[EYES[0]], RIGID[EYES[1]])))
#: Rows of the statistics, in steps of the grid: 40 ms, under which the smoothed movement holds next to nothing.
ROW = 4
#: The file in ``forensics/data`` that holds what untouched development clips measure.
NAME = "kinematics"
#: The measures in the order printed, with their units.
UNITS = {
    "lip_opening": "%",
    "opening_range": "%",
    "opening_speed": "%/s",
    "gesture_rate": "1/s",
    "spread_range": "%",
    "spread_speed": "%/s",
    "spread_frequency": "1/s",
    "opening_with_spread": "1",
    "corner_agreement": "1",
}


# -- signals -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Movement:
    """A mouth on the grid ``t_s`` (n,), in % of the eyes' distance (speeds: a second); NaN where not measured.

    ``opening`` and ``spread`` as they are; their smoothed speeds; how fast the ``corners`` (n, 2), right and left, move
    outwards; ``quick`` (n,): the smoothed spread without its slow changes, a smile or the pose's rest; ``smooth`` (n,):
    the smoothed opening.
    """

    t_s: np.ndarray
    opening: np.ndarray
    spread: np.ndarray
    opening_speed: np.ndarray
    spread_speed: np.ndarray
    corners: np.ndarray
    quick: np.ndarray
    smooth: np.ndarray

    @property
    def measured(self) -> np.ndarray:
        return np.isfinite(self.opening)


def mouth_shape(landmarks: np.ndarray) -> np.ndarray:
    """Gap of the inner lips, width of the mouth, outward place of its right and left corner: (..., 4).

    Of ``landmarks`` (..., 478, 3), in % of the distance between the outer corners of the eyes.
    """
    points = np.asarray(landmarks, float).reshape(-1, *landmarks.shape[-2:])
    upper, lower, right, left = np.swapaxes(without_pose(points[:, [*INNER, *CORNERS]], points[:, list(RIGID)]), 0, 1)
    gap, width = np.linalg.norm(upper - lower, axis=1), np.linalg.norm(right - left, axis=1)
    made = np.stack([gap, width, -right[:, 0], left[:, 0]], 1) * 100 / EYES_APART
    return made.reshape(*landmarks.shape[:-2], 4)


def distinct(shapes: np.ndarray) -> np.ndarray:
    """Which rows of (n, k) differ from the one before: a repeated picture is no look at the mouth."""
    return np.concatenate([[True], (np.diff(shapes, axis=0) != 0).any(1)])


def move(tracks: Iterable[FaceTrack], within: list[Interval], grid: np.ndarray, settings: Settings) -> Movement:
    """The mouth of one person's ``tracks`` on ``grid`` (n,), where it can be measured ``within`` this time."""
    raw, still, speed, slow = (np.full((len(grid), 4), np.nan) for _ in range(4))
    for track in tracks:
        own = slice(*np.searchsorted(grid, (track.t_s[0], track.t_s[-1])))
        shapes = np.concatenate([mouth_shape(track.landmarks[rows]) for rows in chunks(len(track.t_s), 512)])
        new = distinct(shapes)
        fit = (np.abs(track.quality["yaw"].values) <= settings.widest_yaw) & (
            track.quality["face_height"].values >= settings.least_face_px
        )
        for k, column in enumerate(np.where(fit[:, None], shapes, np.nan).T):
            on = Series("", track.t_s[new], column[new], "%").at(grid[own], settings.longest_gap_s)
            wide = settings.corner_smoothing_s if k >= 2 else settings.smoothing_s
            raw[own, k], still[own, k] = on, smoothed(on, wide)
            speed[own, k] = smoothed(on, wide, order=1) * GRID_HZ
            slow[own, k] = smoothed(on, settings.slow_s)
    out = ~inside(grid, within)
    for values in (raw, still, speed, slow):
        values[out] = np.nan
    return Movement(
        grid, raw[:, 0], raw[:, 1], speed[:, 0], speed[:, 1], speed[:, 2:], still[:, 1] - slow[:, 1], still[:, 0]
    )


def gestures(movement: Movement, settings: Settings) -> np.ndarray:
    """Steps of the grid at which the opening is widest in a gesture of at least ``least_gesture`` of its range."""
    least = settings.least_gesture * _span(movement.opening[movement.measured])
    found = [
        first + scipy.signal.find_peaks(movement.smooth[first:behind], prominence=least)[0]
        for first, behind in runs(movement.measured)
    ]
    return np.concatenate([np.zeros(0, int), *found])


# -- measures ----------------------------------------------------------------------------------------------------------


def rate_of(tracks: list[FaceTrack]) -> float:
    """Pictures a second that show the mouth anew, over all tracks."""
    seen = sum(int(distinct(_one_landmark(t)).sum()) for t in tracks)
    return seen / sum(t.interval.duration for t in tracks)


def _one_landmark(track: FaceTrack) -> np.ndarray:
    return np.concatenate([track.landmarks[rows][:, INNER[0]] for rows in chunks(len(track.t_s), 512)])


def measured_s(movement: Movement) -> float:
    return float(movement.measured.sum()) / GRID_HZ


def measure(movement: Movement, settings: Settings, level: float = 0.95) -> list[Measurement]:
    """Each measure with its interval: blocks of ``block_s`` drawn with replacement, widened. Facts, never unusual.

    A measure that has no value, as the spread's frequency of a mouth that never spreads, is left out.
    """
    rows = np.flatnonzero(movement.measured)[::ROW]
    peaks = np.zeros(len(movement.t_s))
    peaks[gestures(movement, settings)] = 1
    values = _values(movement, rows, peaks)
    blocks = [
        part for part in np.split(rows, np.flatnonzero(np.diff(_block(movement, rows, settings))) + 1) if len(part)
    ]
    draws = np.random.default_rng(0).integers(0, len(blocks), (settings.resamples, len(blocks)))
    resampled = [_values(movement, np.concatenate([blocks[k] for k in draw]), peaks) for draw in draws]
    made = []
    for name, unit in UNITS.items():
        some = np.array([one[name] for one in resampled])
        if np.isfinite(values[name]) and np.isfinite(some).all():
            low, high = np.quantile(some, ((1 - level) / 2, (1 + level) / 2))
            low, high = _widened(values[name], float(low), float(high), unit, settings)
            made.append(
                Measurement(
                    name, values[name], unit, low, high, level, len(blocks), KINEMATICS_METHOD.name, reference(name)
                )
            )
    return made


def _widened(value: float, low: float, high: float, unit: str, settings: Settings) -> tuple[float, float]:
    """The bootstrap's ends, which hold for this time, moved out to hold for other speech of the clip; in bounds."""
    least, most = (-1.0, 1.0) if unit == "1" else (0.0, np.inf)
    below, above = (settings.kinematics_widening * max(0.0, apart) for apart in (value - low, high - value))
    return max(least, value - below), min(most, value + above)


def _block(movement: Movement, rows: np.ndarray, settings: Settings) -> np.ndarray:
    return np.floor((movement.t_s[rows] - movement.t_s[0]) / settings.block_s)


def _values(movement: Movement, rows: np.ndarray, peaks: np.ndarray) -> dict[str, float]:
    """The measures over these ``rows``, each of which stands for the steps up to the next."""
    opening, spread = movement.opening[rows], movement.spread[rows]
    speeds = movement.opening_speed[rows], movement.spread_speed[rows]
    quick = float(np.std(movement.quick[rows]))
    counted = sum(peaks[np.minimum(rows + k, len(peaks) - 1)].sum() for k in range(ROW))
    return {
        "lip_opening": float(np.median(opening)),
        "opening_range": _span(opening),
        "opening_speed": float(np.percentile(np.abs(speeds[0]), 95)),
        "gesture_rate": float(counted) / (len(rows) * ROW / GRID_HZ),
        "spread_range": _span(spread),
        "spread_speed": float(np.percentile(np.abs(speeds[1]), 95)),
        "spread_frequency": float(np.sqrt(np.mean(speeds[1] ** 2))) / quick / 2 / np.pi if quick else np.nan,
        "opening_with_spread": _correlation(*speeds),
        "corner_agreement": _correlation(*movement.corners[rows].T),
    }


def _span(values: np.ndarray) -> float:
    low, high = np.percentile(values, (2.5, 97.5))
    return float(high - low)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size else float("nan")


# -- what untouched recordings measure ---------------------------------------------------------------------------------


@cache
def authentic() -> Mapping[str, Any]:
    """By measure: ``persons`` (how many), ``low`` and ``high`` (5th and 95th percentile of them), their intervals."""
    return weights.table(NAME)["measures"]


def reference(name: str) -> str:
    """The range of the authentic development clips, in words."""
    known = authentic().get(name)
    if known is None:
        return "no published range; a fact"
    return (
        f"authentic development clips: {known['low']:g} to {known['high']:g} (n {known['persons']} persons, 5th to "
        "95th percentile); one person in ten lies outside; no published range; a fact"
    )
