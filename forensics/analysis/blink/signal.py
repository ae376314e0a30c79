"""How far each eye is open, on one grid of time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from forensics.analysis.blink.settings import Settings
from forensics.finding import Measurement
from forensics.timeline import FaceTrack, Interval, Series, chunks, inside, repeatability

#: Landmarks of each eye of the person: outer corner, two of the upper lid, inner corner, two of the lower lid.
EYES = {"right": (33, 160, 158, 133, 153, 144), "left": (263, 387, 385, 362, 380, 373)}
GRID_HZ = 100.0


def eye_aspect_ratio(landmarks: np.ndarray, eye: str) -> np.ndarray:
    """Lid distance over corner distance, in the picture plane: (n,) from landmarks (n, 478, 3) px."""
    outer, up1, up2, inner, low2, low1 = (landmarks[:, i, :2] for i in EYES[eye])

    def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.linalg.norm(a - b, axis=1)

    return (distance(up1, low1) + distance(up2, low2)) / (2 * distance(outer, inner))


def openness(track: FaceTrack, eye: str, settings: Settings) -> Series:
    """Relative openness of one eye on a regular grid: 1 = as open as around it, 0 = shut; NaN = not measurable."""
    ratio = np.concatenate([eye_aspect_ratio(track.landmarks[rows], eye) for rows in chunks(len(track.t_s), 512)])
    unfit = _unfit(track, settings)
    # An unfit picture is a hole in the measurement, not a value to draw a line across.
    fit = Series("eye aspect ratio", track.t_s[~unfit], ratio[~unfit], "1")
    grid = np.arange(track.t_s[0], track.t_s[-1], 1 / GRID_HZ)
    values = fit.at(grid, settings.longest_gap_s) if len(fit.t_s) > 1 else np.full(len(grid), np.nan)
    return Series(f"{eye} eye openness", grid, values / _open_value(values, settings), "1")


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


def _open_value(values: np.ndarray, settings: Settings) -> np.ndarray:
    """Running high percentile of ``values``, taken at steps of a quarter second."""
    half, step = round(settings.baseline_s * GRID_HZ), round(GRID_HZ / 4)
    at = np.arange(0, len(values), step)
    with np.errstate(all="ignore"):
        found = [_percentile(values[max(0, i - half) : i + half + 1], settings.baseline_percentile) for i in at]
    return np.interp(np.arange(len(values)), at, found)


def _percentile(values: np.ndarray, percent: float) -> float:
    good = values[np.isfinite(values)]
    return float(np.percentile(good, percent)) if len(good) else 1.0


def without(series: Series, frozen: Sequence[Interval]) -> Series:
    """``series`` with NaN where the picture was frozen."""
    return replace(series, values=np.where(inside(series.t_s, frozen), np.nan, series.values))


def visible_s(series: Series) -> float:
    """Seconds in which the openness was measured."""
    return float(np.isfinite(series.values).sum() / GRID_HZ)
