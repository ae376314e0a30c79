"""How fast the mouth opens and how fast the sound rises, on one grid of time. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import scipy

from forensics.analysis.lipsync.settings import Settings
from forensics.timeline import Audio, FaceTrack, Interval, Series, chunks

GRID_HZ = 100.0
#: Landmarks: inner lips, outer lips, forehead and chin; index of the blendshape jawOpen.
INNER, OUTER, FACE, JAW_OPEN = (13, 14), (0, 17), (10, 152), 25
#: The sound's spectrum: rate it is brought to, bands, and their range in Hz.
SOUND_HZ, BANDS, LOWEST_HZ, HIGHEST_HZ = 16000, 26, 80.0, 7600.0


def _gap(points: np.ndarray, pair: tuple[int, int]) -> np.ndarray:
    """Distance of two landmarks in units of the face's height: (...,) of ``points`` (..., 478, 3)."""
    (a, b), (top, bottom) = pair, FACE
    apart = np.linalg.norm(points[..., a, :] - points[..., b, :], axis=-1)
    return apart / np.linalg.norm(points[..., top, :] - points[..., bottom, :], axis=-1)


def mouth_opening(track: FaceTrack) -> Series:
    """Gap of the inner lips over face height: (n,)."""
    gaps = [_gap(track.landmarks[rows], INNER) for rows in chunks(len(track.t_s), 512)]
    return Series("mouth opening", track.t_s, np.concatenate(gaps), "of face height")


def repeated_openings(tracks: Iterable[FaceTrack]) -> np.ndarray:
    """The inner gap over face height in each repeated look at a sampled picture: (m, k); (0, 0) without any."""
    found = [_gap(t.repeats.landmarks, INNER) for t in tracks if t.repeats is not None and len(t.repeats)]
    return np.concatenate(found) if found else np.zeros((0, 0))


def _mouth(track: FaceTrack) -> np.ndarray:
    """Inner gap, outer gap (both over face height), jaw opening 0-1: (n, 3)."""
    parts = []
    for rows in chunks(len(track.t_s), 512):
        points = track.landmarks[rows]
        parts.append(np.stack([_gap(points, INNER), _gap(points, OUTER), track.blendshapes[rows][:, JAW_OPEN]], 1))
    return np.concatenate(parts)


def mouth_velocity(track: FaceTrack, grid: np.ndarray, settings: Settings) -> np.ndarray:
    """How fast the mouth opens, mean of three standardised measures, on ``grid``; NaN where not measured."""
    total = np.zeros(len(grid))
    for column in _mouth(track).T:
        total += _standard(_velocity(Series("", track.t_s, column, "1").at(grid, settings.longest_gap_s), settings))
    return total / 3


def sound_spectrum(audio: Audio, window_s: float = 30.0, margin_s: float = 0.2) -> Series:
    """Logarithm of the power in mel bands, (n, 26), by 10 ms, computed in windows."""
    import librosa

    step = round(SOUND_HZ / GRID_HZ)
    highest = min(HIGHEST_HZ, 0.475 * audio.rate_hz)
    times, levels = [], []
    for window in audio.windows(window_s):
        # The margin keeps the windows' edges out of the result.
        block, start_s = audio.mono(Interval(window.start_s - margin_s, window.end_s + margin_s))
        sound = librosa.resample(block, orig_sr=audio.rate_hz, target_sr=SOUND_HZ)
        power = librosa.feature.melspectrogram(
            y=sound, sr=SOUND_HZ, n_fft=512, hop_length=step, n_mels=BANDS, fmin=LOWEST_HZ, fmax=highest
        )
        t_s = start_s + np.arange(power.shape[1]) / GRID_HZ
        own = (t_s >= window.start_s - 1e-9) & (t_s < window.end_s - 1e-9)
        times.append(t_s[own])
        levels.append(np.log(power.T[own] + 1e-7).astype(np.float32))
    return Series("sound spectrum", np.concatenate(times), np.concatenate(levels), "log power")


def sound_velocity(spectrum: Series, grid: np.ndarray, settings: Settings) -> np.ndarray:
    """How fast the mean level of all bands rises, standardised, on ``grid``; NaN outside the sound."""
    floored = np.maximum(spectrum.values, np.percentile(spectrum.values, settings.floor_percentile, axis=0))
    level = Series("", spectrum.t_s, floored.mean(1), "log power").at(grid, 0.1)
    return _standard(_velocity(level, settings))


def _velocity(values: np.ndarray, settings: Settings) -> np.ndarray:
    """Smoothed slope per step."""
    return smoothed(values, settings.smoothing_s, order=1)


def smoothed(values: np.ndarray, sigma_s: float, order: int = 0) -> np.ndarray:
    """Values (n,) on the grid, or their slope per step; holes are bridged for the smoothing and stay holes."""
    hole = ~np.isfinite(values)
    if hole.all():
        return values
    known = np.flatnonzero(~hole)
    whole = np.interp(np.arange(len(values)), known, values[known])
    made = scipy.ndimage.gaussian_filter1d(whole, sigma_s * GRID_HZ, order=order)
    return np.where(hole, np.nan, made)


def _standard(values: np.ndarray) -> np.ndarray:
    spread = np.nanstd(values) if np.isfinite(values).any() else 0.0
    return (values - np.nanmean(values)) / spread if spread > 0 else np.zeros(len(values))
