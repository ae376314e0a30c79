"""Where samples that do not follow one another were joined: an instant of sound in a band that is otherwise empty.

Most sound reaches an examiner through a codec or a converter that leaves nothing above an edge. Samples cut and put
together step, or change their slope, from one sample to the next, and a step sounds at every frequency: for an instant
the empty band is not empty. Speech never does that, for it went through the edge too.
Reference: broadband transients at butt splices, as in SWGDE's best practices for audio authentication.
Not to be trusted: where the sound was later encoded with a lower edge the trace is gone, and a cross-fade leaves none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from forensics.analysis.voice.pieces import measured
from forensics.analysis.voice.settings import Settings
from forensics.finding import Event, Measurement
from forensics.timeline import Audio, Interval, inside, runs

#: Windows and their steps, s: shorter windows do not part bands of 500 Hz, longer ones dilute a step of one sample.
WINDOW_S, STEP_S = 0.004, 0.001
#: Width of the bands whose levels are compared, Hz: two bins of the window.
BAND_HZ = 500.0
#: Below the dither of 16 bits in a band of 500 Hz (-98 dB - 10 log10(48)): what lies lower is the decoder's arithmetic.
FLOOR_DB = -120.0
#: Windows looked at to find what is empty: every so many, and as many fewer in sound longer than so many s.
SPARSE, SPARSE_S = 8, 600.0
#: Slower sound has no millisecond to step by, and no band that could be empty.
LEAST_RATE_HZ = 2000
_BLOCK_S = 30.0


@dataclass(frozen=True)
class EmptyBand:
    """The empty band from ``low_hz`` to ``high_hz``, and its mean level in dB every millisecond."""

    low_hz: float
    high_hz: float
    t_s: np.ndarray
    level_db: np.ndarray


def band_levels(block: np.ndarray, rate_hz: int, every: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Middles of the windows in s from the block's beginning (n,), and levels (n, bands) in dB re full scale."""
    size, step = round(WINDOW_S * rate_hz), round(STEP_S * rate_hz)
    if len(block) < size:
        return np.zeros(0), np.zeros((0, int(rate_hz / 2 // BAND_HZ)))
    window = scipy.signal.windows.hann(size)
    windows = np.lib.stride_tricks.sliding_window_view(block.astype(np.float32), size)[:: step * every]
    weights = (window / np.sqrt((window**2).sum() * size / 2)).astype(np.float32)
    power = np.abs(scipy.fft.rfft(windows * weights, axis=1)) ** 2
    bands = np.arange(int(rate_hz / 2 // BAND_HZ))
    first = np.searchsorted(np.fft.rfftfreq(size, 1 / rate_hz), bands * BAND_HZ)
    levels = 10 * np.log10(np.add.reduceat(power, first, axis=1) + 10 ** (FLOOR_DB / 10))
    return (np.arange(len(windows)) * step * every + size / 2) / rate_hz, levels


def _blocks(audio: Audio, interval: Interval) -> Iterator[tuple[np.ndarray, float]]:
    """Stretches of sound that overlap by one window, each with its beginning in s."""
    for k in range(int(np.ceil(interval.duration / _BLOCK_S))):
        start = interval.start_s + k * _BLOCK_S
        yield audio.mono(Interval(start, min(start + _BLOCK_S + WINDOW_S - STEP_S, interval.end_s)))


def empty_band(audio: Audio, interval: Interval, settings: Settings) -> EmptyBand | None:
    """The band below half the sampling rate that holds next to nothing; None where it is too narrow."""
    if audio.rate_hz < LEAST_RATE_HZ:
        return None
    every = SPARSE * int(np.ceil(interval.duration / SPARSE_S))
    sparse = [band_levels(block, audio.rate_hz, every)[1] for block, _ in _blocks(audio, interval)]
    high = np.percentile(np.concatenate(sparse), settings.empty_percentile, axis=0)[:-1]  # the last may hold a rest
    full = np.flatnonzero(high > settings.empty_db)
    first = int(full[-1]) + 2 if len(full) else 0  # a band of distance: the edge has its own width
    if (len(high) - first) * BAND_HZ < settings.empty_hz:
        return None
    times, levels = [], []
    for block, start_s in _blocks(audio, interval):
        t_s, found = band_levels(block, audio.rate_hz)
        times.append(start_s + t_s)
        levels.append(found[:, first : len(high)].mean(1))
    return EmptyBand(first * BAND_HZ, len(high) * BAND_HZ, np.concatenate(times), np.concatenate(levels))


def rise(level_db: np.ndarray, settings: Settings) -> np.ndarray:
    """By how many dB each window lies above the loudest before and behind it, in the same unit (n,)."""
    near, far = (round(s / STEP_S) for s in (settings.join_near_s, settings.join_far_s))
    reach = far - near
    around = np.pad(level_db, far, mode="edge")
    highest = np.lib.stride_tricks.sliding_window_view(around, reach).max(1) if len(level_db) else np.zeros(0)
    before, behind = highest[: len(level_db)], highest[far + near + 1 :][: len(level_db)]
    return level_db - np.maximum(before, behind)


def splices(audio: Audio, interval: Interval, band: EmptyBand, settings: Settings) -> list[Event]:
    """Instants at which the empty band sounds, but neither where the sound is clipped nor at its ends and gaps."""
    rises = rise(band.level_db, settings)
    ends = [Interval(t - settings.join_far_s, t + settings.join_far_s) for t in (interval.start_s, interval.end_s)]
    gaps = [Interval(g.start_s - settings.join_far_s, g.end_s + settings.join_far_s) for g in audio.gaps]
    high = (rises >= settings.join_db) & ~inside(band.t_s, [*ends, *gaps])
    reach = round(settings.join_far_s / STEP_S)
    events = []
    for first, behind in runs(
        scipy.ndimage.binary_closing(np.pad(high, reach), np.ones(reach))[reach : len(high) + reach]
    ):
        k = first + int(np.where(high[first:behind], rises[first:behind], -np.inf).argmax())
        at = float(band.t_s[k])
        if _clipped(audio, at, settings):
            continue
        events.append(
            Event(
                "splice",
                Interval(at - WINDOW_S / 2, at + WINDOW_S / 2),
                f"the empty band from {band.low_hz:.0f} to {band.high_hz:.0f} Hz sounds for an instant, "
                f"{rises[k]:.0f} dB above its surroundings, as where samples do not follow one another",
                details={"cue": "discontinuity", "rise_db": round(float(rises[k]), 1)},
            )
        )
    return events


def _clipped(audio: Audio, t_s: float, settings: Settings) -> bool:
    """Whether any channel reaches full scale beside ``t_s``: clipped sound sounds at every frequency too."""
    first, behind = (round((t_s + side * WINDOW_S - audio.start_s) * audio.rate_hz) for side in (-1, 1))
    return bool((np.abs(audio.samples[max(0, first) : behind]) >= settings.full_scale).any())


def measure_band(band: EmptyBand, events: Sequence[Event]) -> list[Measurement]:
    """Where the empty band begins, its median level, and how many joins sound in it."""
    n_joins = sum(e.details["cue"] == "discontinuity" for e in events)
    n, to = len(band.t_s), f"up to {band.high_hz:.0f} Hz, in bands of {BAND_HZ:.0f} Hz"
    return [
        measured("empty_band", band.low_hz, "Hz", None, n, to),
        measured("empty_band_level", float(np.median(band.level_db)), "dB", None, n, "re full scale, " + to),
        measured("joins", float(n_joins), "1", None, n, "instants at which the empty band sounds"),
    ]
