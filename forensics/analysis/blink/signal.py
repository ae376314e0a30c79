"""How far each eye is open, on one grid of time. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from forensics.analysis.blink.settings import Settings
from forensics.finding import Measurement
from forensics.timeline import FaceTrack, Interval, Series, chunks, inside, repeatability, runs

#: The model's eyeBlink among its blendshapes, and what of it counts as shut: shut eyes read about 0.6.
BLINK_SHAPE, SHUT_SHAPE = {"right": 10, "left": 9}, 1 / 1.6
#: Landmarks of each eye of the person: outer corner, two of the upper lid, inner corner, two of the lower lid.
EYES = {"right": (33, 160, 158, 133, 153, 144), "left": (263, 387, 385, 362, 380, 373)}
GRID_HZ = 100.0


def eye_aspect_ratio(landmarks: np.ndarray, eye: str) -> np.ndarray:
    """Lid distance over corner distance, in the picture plane: (n,) from landmarks (n, 478, 3) px."""
    outer, up1, up2, inner, low2, low1 = (landmarks[:, i, :2] for i in EYES[eye])

    def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.linalg.norm(a - b, axis=1)

    return (distance(up1, low1) + distance(up2, low2)) / (2 * distance(outer, inner))


@dataclass(frozen=True)
class Eye:
    """One eye on a regular grid, NaN = not measurable. ``openness``: 1 = as open as around it, 0 = shut; ``shape``: the
    model's eyeBlink above its value with open eyes around it."""

    openness: Series
    shape: Series

    def without(self, frozen: Sequence[Interval]) -> Eye:
        """The eye with NaN where the picture was frozen."""
        return self._where(~inside(self.openness.t_s, frozen))

    def in_stretches(self, shortest_s: float) -> Eye:
        """The eye with NaN in what was measured for less than ``shortest_s`` on end: no blink could be found there."""
        kept = np.zeros(len(self.openness.t_s), bool)
        for first, behind in runs(np.isfinite(self.openness.values + self.shape.values)):
            kept[first:behind] = behind - first >= shortest_s * GRID_HZ
        return self._where(kept)

    def _where(self, kept: np.ndarray) -> Eye:
        return Eye(
            *(replace(s, values=np.where(kept, s.values, np.nan)) for s in (self.openness, self.shape)),
        )


def seen_eye(track: FaceTrack, name: str, settings: Settings) -> Eye:
    """What was seen of one eye."""
    ratio, shape = np.concatenate(
        [
            [eye_aspect_ratio(track.landmarks[rows], name), track.blendshapes[rows][:, BLINK_SHAPE[name]]]
            for rows in chunks(len(track.t_s), 512)
        ],
        axis=1,
    )
    fit, grid = ~_unfit(track, settings), np.arange(track.t_s[0], track.t_s[-1], 1 / GRID_HZ)

    def gridded(values: np.ndarray) -> np.ndarray:
        # An unfit picture is a hole in the measurement, not a value to draw a line across.
        return Series("", track.t_s[fit], values[fit], "1").at(grid, settings.longest_gap_s)

    ratio, shape = gridded(ratio), gridded(shape)
    return Eye(
        Series(f"{name} eye openness", grid, ratio / _open_ratio(ratio, settings), "1"),
        Series(f"{name} eyeBlink", grid, shape - _open_shape(shape, settings), "1"),
    )


def openness(track: FaceTrack, eye: str, settings: Settings) -> Series:
    """Relative openness of one eye on a regular grid: 1 = as open as around it, 0 = shut; NaN = not measurable."""
    return seen_eye(track, eye, settings).openness


def closedness(eyes: Mapping[str, Eye]) -> Series:
    """Mean of both measures and of the eyes given: 0 = open, about 1 = shut; NaN where one was not measured."""
    parts = list(eyes.values())
    values = [1 - e.openness.values for e in parts] + [e.shape.values / SHUT_SHAPE for e in parts]
    return Series("closedness", parts[0].openness.t_s, np.mean(values, axis=0), "1")


def openness_error(tracks: list[FaceTrack], settings: Settings) -> Measurement | None:
    """Repeatability of relative openness, a standard deviation; None where it was not sampled.

    One picture in shifted and rescaled copies, over the person's usual open eye; pooled over both eyes and the pictures
    fit for measuring. It holds the model's scatter, not a bias that all copies share.
    """
    parts = [part for track in tracks for part in _openness_again(track, settings)]
    if not parts:
        return None
    again = np.concatenate(parts)
    return Measurement(
        "openness_error",
        repeatability(again),
        "1",
        None,
        None,
        None,
        len(again) // len(EYES),
        "repeated detection in shifted and rescaled copies",
        "none: a standard deviation, 1 = from shut to open; it holds the model's scatter, not its bias",
    )


def _openness_again(track: FaceTrack, settings: Settings) -> list[np.ndarray]:
    """Relative openness (m, k) of each eye in the k copies of the track's m sampled pictures that are fit."""
    if track.repeats is None:
        return []
    fit = ~_unfit(track, settings)
    chosen, rows = fit[track.repeats.row], np.flatnonzero(fit)
    if not chosen.any():
        return []
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), 200)).astype(int)]
    points = track.repeats.landmarks[chosen]
    return [
        eye_aspect_ratio(points.reshape(-1, 478, 3), eye).reshape(points.shape[:2])
        / np.percentile(eye_aspect_ratio(track.landmarks[rows], eye), settings.baseline_percentile)
        for eye in EYES
    ]


def _unfit(track: FaceTrack, settings: Settings) -> np.ndarray:
    """Pictures (n,) in which the eyes are too small or turned away to be measured."""
    return (np.abs(track.quality["yaw"].values) > settings.widest_yaw) | (
        track.quality["eye_width"].values < settings.smallest_eye_px
    )


def _open_ratio(ratio: np.ndarray, settings: Settings) -> np.ndarray:
    """The open eye's ratio around each time; where it is shut for seconds, not that of the shut eye."""
    usual = _percentile(ratio, settings.baseline_percentile)
    return np.maximum(_running(ratio, settings.baseline_percentile, settings), settings.least_open * usual)


def _open_shape(shape: np.ndarray, settings: Settings) -> np.ndarray:
    """The open eye's eyeBlink around each time, likewise."""
    usual = _percentile(shape, 100 - settings.baseline_percentile)
    most = usual + (1 - settings.least_open) * SHUT_SHAPE
    return np.minimum(_running(shape, 100 - settings.baseline_percentile, settings), most)


def _running(values: np.ndarray, percent: float, settings: Settings) -> np.ndarray:
    """Running percentile of ``values``, taken at steps of a quarter second: that of the open eye."""
    half, step = round(settings.baseline_s * GRID_HZ), round(GRID_HZ / 4)
    at = np.arange(0, len(values), step)
    found = np.array([_percentile(values[max(0, i - half) : i + half + 1], percent) for i in at])
    known = np.isfinite(found)
    return np.interp(np.arange(len(values)), at[known], found[known]) if known.any() else np.full(len(values), np.nan)


def _percentile(values: np.ndarray, percent: float) -> float:
    good = values[np.isfinite(values)]
    return float(np.percentile(good, percent)) if len(good) else np.nan


def visible_s(series: Series) -> float:
    """Seconds in which the openness was measured."""
    return float(np.isfinite(series.values).sum() / GRID_HZ)
