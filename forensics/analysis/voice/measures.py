"""Fundamental frequency, jitter, shimmer and harmonicity by Praat's definitions, over the speech detected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from forensics.analysis.voice.pieces import bootstrap, measured, pieces
from forensics.analysis.voice.settings import Settings
from forensics.finding import Measurement
from forensics.timeline import Audio, Interval


@dataclass(frozen=True)
class Voiced:
    """One stretch of speech: F0 track, and Praat's measures with the voiced time they rest on."""

    interval: Interval
    t_s: np.ndarray
    f0_hz: np.ndarray  # NaN where unvoiced
    voiced_s: float
    jitter: float  # share, NaN where too few periods
    shimmer: float
    hnr_db: float


def measure_stretch(audio: Audio, interval: Interval, settings: Settings) -> Voiced:
    """Praat's F0, local jitter, local shimmer and mean harmonicity of one stretch."""
    import parselmouth
    from parselmouth.praat import call

    block, start_s = audio.mono(interval)
    sound = parselmouth.Sound(block.astype(np.float64), audio.rate_hz)
    low, high = settings.lowest_f0_hz, settings.highest_f0_hz
    nothing = np.zeros(0)
    if sound.duration < 2 * settings.periods_per_window / low + 0.02:  # Praat needs one (Gaussian: double) window
        return Voiced(interval, nothing, nothing, 0.0, np.nan, np.nan, np.nan)
    pitch = sound.to_pitch_ac(pitch_floor=low, pitch_ceiling=high)
    f0 = pitch.selected_array["frequency"]
    f0 = np.where(f0 > 0, f0, np.nan)
    points = call([sound, pitch], "To PointProcess (cc)")
    periods = (0, 0, settings.shortest_period_s, settings.longest_period_s, settings.period_factor)
    jitter = call(points, "Get jitter (local)", *periods)
    shimmer = call([sound, points], "Get shimmer (local)", *periods, settings.amplitude_factor)
    harmonicity = sound.to_harmonicity_ac(
        settings.harmonicity_step_s, minimum_pitch=low, periods_per_window=settings.periods_per_window
    ).values[0]
    voiced = harmonicity[harmonicity > -200]  # Praat's mark for "no voice here"
    return Voiced(
        interval,
        start_s + pitch.xs(),
        f0,
        float(np.isfinite(f0).sum() * pitch.dx),
        jitter,
        shimmer,
        float(voiced.mean()) if len(voiced) else np.nan,
    )


def measure_stretches(audio: Audio, spoken: list[Interval], settings: Settings) -> list[Voiced]:
    """Every stretch of speech, long ones in pieces."""
    return [
        measure_stretch(audio, piece, settings) for interval in spoken for piece in pieces(interval, settings.piece_s)
    ]


def hear(audio: Audio, spoken: list[Interval], settings: Settings) -> list[Voiced]:
    """What this analysis takes from the sound alone: it can be measured while the pictures are looked at."""
    return measure_stretches(audio, spoken, settings)


def measure_voice(stretches: list[Voiced], settings: Settings) -> list[Measurement]:
    """Median F0, and jitter, shimmer and harmonicity weighted by voiced time, with bootstrap intervals."""

    def weighted(pairs: list[np.ndarray]) -> float:
        value, weight = np.array(pairs).T
        return float((value * weight).sum() / weight.sum())

    def summed(name: str, unit: str, values: list[np.ndarray], summary: Any, n: int) -> Measurement:
        return measured(
            name, summary(values), unit, bootstrap(values, summary, settings), n, "no norm applied: running speech"
        )

    f0 = [s.f0_hz[np.isfinite(s.f0_hz)] for s in stretches if np.isfinite(s.f0_hz).any()]
    found = [summed("f0_median", "Hz", f0, lambda v: float(np.median(np.concatenate(v))), len(f0))]
    for name, unit, key, factor in (
        ("jitter_local", "%", "jitter", 100),
        ("shimmer_local", "%", "shimmer", 100),
        ("hnr", "dB", "hnr_db", 1),
    ):
        pairs = [
            np.array([getattr(s, key) * factor, s.voiced_s])
            for s in stretches
            if np.isfinite(getattr(s, key)) and s.voiced_s > 0
        ]
        if pairs:
            found.append(summed(name, unit, pairs, weighted, len(pairs)))
    return found
