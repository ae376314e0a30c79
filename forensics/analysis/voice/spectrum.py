"""What the spectrum holds that a microphone does not give: edges over time, gaps within the band, mirror images.

Reference: none of these tells who made it; each has makers that alter nothing, which every event names.
Not to be trusted: where the sound has less than some seconds, or no energy beside the place in question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy

from forensics.analysis.voice.pieces import measured
from forensics.analysis.voice.settings import Settings
from forensics.finding import Event, Measurement
from forensics.timeline import Audio, Interval, Series

#: Length of the windows, s: bins of 25 Hz, four to the 100 Hz of a voice's harmonics.
WINDOW_S = 0.040
#: Length of the columns of the map, s, and how many there are at most: what a page can show.
COLUMN_S, COLUMNS = 0.1, 600
#: Stretches of the course of the edge, s: some words long, so that each holds a hiss.
COURSE_S = 2.0
#: No edge is looked for below, Hz: vowels fall as steeply.
LOWEST_EDGE_HZ = 2000.0
#: An eighth of an octave: across it a codec's edge falls.
STEEP = 2 ** (1 / 8)
#: At least so wide, Hz: AAC fills the band of its scale factor that holds the edge, 430 Hz at 3.4 kHz.
STEEP_HZ = 700.0
#: Fall at which the edge is said to lie, dB: less than codecs' noise lies below the sound.
EDGE_DB = 12.0
#: Distances of the neighbours compared, Hz: for gaps as wide as the space between formants, and for wider ones.
GAP_BESIDE_HZ = (600.0, 2000.0)
#: Of half the sampling rate: behind it the converter's own filter falls, whatever came before.
OWN_EDGE = 0.95
#: What sounds above an edge is wider than this, Hz, or it is a tone: a screen's line frequency, a pilot.
ABOVE_HZ = 500.0
#: Half the usual sampling rates, Hz, round which sound brought to a higher rate without a filter is mirrored.
MIRRORS_HZ = (4000.0, 5512.5, 8000.0, 11025.0, 12000.0, 16000.0)


@dataclass(frozen=True)
class Spectra:
    """Mean ``power`` (n, m) over ``hz`` (m,) of columns at ``t_s`` (n,), each of so many ``windows`` (n,)."""

    hz: np.ndarray
    power: np.ndarray
    windows: np.ndarray
    t_s: np.ndarray

    def average_db(self, rows: slice | np.ndarray = slice(None)) -> np.ndarray:
        """Mean over columns, dB, (m,)."""
        mean = np.average(self.power[rows], axis=0, weights=self.windows[rows])
        return 10 * np.log10(mean + 1e-20)


@dataclass(frozen=True)
class Edge:
    """Where the sound ends upwards: halfway, in dB, down a fall of ``drop_db`` between ``low_hz`` and ``high_hz``."""

    hz: float
    drop_db: float
    low_hz: float
    high_hz: float


def spectra(audio: Audio, interval: Interval) -> Spectra:
    """Average spectra (Hann windows, half overlapping) of each column, a sine of full scale at 0 dB."""
    size = 2 * round(WINDOW_S * audio.rate_hz / 2)
    window = scipy.signal.windows.hann(size, sym=False)
    window = (window / window.sum() * 2).astype(np.float32)
    n = max(1, min(COLUMNS, int(interval.duration / COLUMN_S)))
    power, counts, times = [], [], []
    for first, last in pairwise(np.linspace(interval.start_s, interval.end_s, n + 1)):
        block, start_s = audio.mono(Interval(first, last))
        if len(block) < size:
            continue
        frames = np.lib.stride_tricks.sliding_window_view(block, size)[:: size // 2]
        power.append((np.abs(scipy.fft.rfft(frames * window, axis=1)) ** 2).mean(0))
        counts.append(len(frames))
        times.append(start_s + len(block) / audio.rate_hz / 2)
    hz = np.fft.rfftfreq(size, 1 / audio.rate_hz)
    return Spectra(hz, np.array(power).reshape(-1, len(hz)), np.array(counts), np.array(times))


def together(parts: Sequence[Spectra]) -> Spectra:
    """The columns of all parts of one sound."""
    joined = (np.concatenate([getattr(part, name) for part in parts]) for name in ("power", "windows", "t_s"))
    return Spectra(parts[0].hz, *joined)


def edge(hz: np.ndarray, db: np.ndarray, settings: Settings) -> Edge | None:
    """The steepest fall above 2 kHz; None where the sound fades out gradually or not at all.

    It lies where the level has fallen by ``EDGE_DB``: below that, codecs fill the rest of their band with their noise.
    """
    smooth = scipy.ndimage.uniform_filter1d(db, 5)
    upper = np.searchsorted(hz, np.maximum(hz * STEEP, hz + STEEP_HZ)).clip(max=len(hz) - 1)
    # The last eighth of an octave has no "above": an edge there is the converter's own.
    bands = scipy.ndimage.median_filter(db, round(ABOVE_HZ / hz[1]))
    above = np.maximum.accumulate(bands[::-1])[::-1][upper]  # behind a mere gap the sound goes on
    drop = np.where((hz >= LOWEST_EDGE_HZ) & (hz * STEEP <= hz[-1]), smooth - above, 0)
    k = int(drop.argmax())
    if drop[k] < settings.band_drop_db:
        return None
    at = k + int(np.flatnonzero(smooth[k : upper[k] + 1] >= smooth[k] - EDGE_DB)[-1])
    if hz[at] > OWN_EDGE * hz[-1]:
        return None
    return Edge(float(hz[at]), float(drop[k]), float(hz[k]), float(hz[upper[k]]))


def course_of_edge(found: Spectra, settings: Settings) -> Series:
    """The edge of each stretch of ``COURSE_S`` in Hz; NaN where it has none."""
    stretch = ((found.t_s - found.t_s[0]) / COURSE_S).astype(int)
    rows = [np.flatnonzero(stretch == k) for k in np.unique(stretch)]
    edges = [edge(found.hz, found.average_db(some), settings) for some in rows]
    t_s = np.array([found.t_s[some].mean() for some in rows])
    return Series("edge of the band", t_s, np.array([e.hz if e else np.nan for e in edges]), "Hz")


def _depth(db: np.ndarray, reach: int) -> np.ndarray:
    """By how many dB each bin lies below the median of ``reach`` bins round the bin ``reach`` below and above it."""
    beside = np.pad(scipy.ndimage.median_filter(db, reach), reach, mode="edge")
    return np.minimum(beside[: len(db)], beside[2 * reach :]) - db


def gaps(found: Spectra, whole: Interval, limit_hz: float, settings: Settings) -> list[Event]:
    """Bands inside the sound's own that hold far less than both their neighbours."""
    db = scipy.ndimage.uniform_filter1d(found.average_db(), 3)
    depth = np.max([_depth(db, round(hz / found.hz[1])) for hz in GAP_BESIDE_HZ], axis=0)
    events = []
    inner = (found.hz >= settings.gap_lowest_hz) & (found.hz <= limit_hz - GAP_BESIDE_HZ[0])
    labels, n = scipy.ndimage.label((depth >= settings.gap_db) & inner)
    for k in range(1, n + 1):
        rows = np.flatnonzero(labels == k)
        if found.hz[rows[-1]] - found.hz[rows[0]] < settings.gap_hz:
            continue
        at, to, deep = float(found.hz[rows[0]]), float(found.hz[rows[-1]]), float(depth[rows].max())
        events.append(
            Event(
                "spectral_gap",
                whole,
                f"from {at:.0f} to {to:.0f} Hz the sound is {deep:.0f} dB weaker than beside it: "
                "filters, codecs at low rates, two loudspeakers or echoes at one microphone leave such gaps",
                details={"low_hz": round(at, 1), "high_hz": round(to, 1), "depth_db": round(deep, 1)},
            )
        )
    return events


def mirror_likeness(audio: Audio, interval: Interval, settings: Settings) -> dict[float, float]:
    """By mirror in Hz: correlation of the spectrum's fine structure below with that above, turned round."""
    size = 2 * round(WINDOW_S * audio.rate_hz / 2)
    hz, window = np.fft.rfftfreq(size, 1 / audio.rate_hz), scipy.signal.windows.hann(size, sym=False)
    found: dict[float, float] = {}
    block, _ = audio.mono(Interval(interval.start_s, min(interval.end_s, interval.start_s + settings.mirror_s)))
    if len(block) < size:
        return {}
    frames = np.lib.stride_tricks.sliding_window_view(block, size)[:: size // 2]
    db = 10 * np.log10(np.abs(scipy.fft.rfft(frames * window, axis=1)) ** 2 + 1e-12)
    fine = db - scipy.ndimage.uniform_filter1d(db, 21, axis=1)  # without the envelope, which falls on both sides
    for mirror in (m for m in MIRRORS_HZ if m + settings.mirror_band_hz < hz[-1]):
        d = np.arange(4, round(settings.mirror_band_hz / hz[1]))
        below = np.stack([np.interp(mirror - d * hz[1], hz, row) for row in fine])
        above = np.stack([np.interp(mirror + d * hz[1], hz, row) for row in fine])
        if below.std() and above.std():
            found[mirror] = float(np.corrcoef(below.ravel(), above.ravel())[0, 1])
    return found


def mirror_images(likeness: dict[float, float], whole: Interval, settings: Settings) -> list[Event]:
    """Frequencies round which the fine structure of the spectrum is mirrored."""
    return [
        Event(
            "mirror_image",
            whole,
            f"the spectrum above {hz:.0f} Hz mirrors the one below (correlation {r:.2f}), as where sound of "
            f"{2 * hz:.0f} samples a second is brought to a higher rate without a filter; codecs that copy bands do so "
            "too",
            details={"mirror_hz": hz, "correlation": round(r, 2)},
        )
        for hz, r in likeness.items()
        if r >= settings.mirror_least
    ]


def measure_course(course: Series) -> list[Measurement]:
    """Lowest and highest edge of the stretches; nothing where none has an edge."""
    known = course.values[np.isfinite(course.values)]
    if not len(known):
        return []
    reference = f"of stretches of {COURSE_S:.0f} s, {len(known)} of {len(course.values)} with an edge"
    return [
        measured(name, float(value), "Hz", None, len(known), reference)
        for name, value in (("lowest_edge", known.min()), ("highest_edge", known.max()))
    ]
