"""What generators smooth and codecs empty: the depth between harmonics, the play of the fine spectrum, holes of coding.

Between the harmonics of a steady voice lies its breath, the room and noise; vocoders often leave more of it, above all
in high bands. The fine shape of the spectrum (finer than formants are wide) moves in speech; text-to-speech that
averages over many utterances moves it less. Coding at low rates sets cells of time and frequency to nothing that
uncoded sound fills.
Reference: Yegnanarayana et al. 1998 (harmonic against noise energy by band); Toda & Tokuda 2007 (global variance of
cepstra); Liu, Hsu & Lee 2008 (zero bands of perceptual coders).
Not to be trusted of one recording alone: voices and recordings differ about as far as copies from their originals
(tests/real/CANDIDATES.md). Noise and echo fill what lies between harmonics; AAC fills its holes with noise of its own
(perceptual noise substitution).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from forensics.analysis.voice.measures import Voiced, clearness, slower
from forensics.analysis.voice.pieces import bootstrap, measured
from forensics.analysis.voice.settings import Settings
from forensics.finding import Measurement
from forensics.timeline import Audio, Interval, Series

#: Windows, s: of harmonics (four to eight periods), and of cepstra with their step (the field's usual ones).
HARMONIC_S, CEPSTRAL_S, CEPSTRAL_STEP_S = 0.064, 0.025, 0.010
#: Bins are so many times finer than the window of harmonics gives: a harmonic lies on one.
FINER = 4
#: Bands of the contrast, Hz: by name.
CONTRAST_HZ = {"low": (300.0, 2000.0), "middle": (2000.0, 4000.0), "high": (4000.0, 7500.0)}
#: Of F0, on each side: where a harmonic's peak is sought; half-way to the next is what lies between.
BESIDE = np.array([-0.08, -0.04, 0.0, 0.04, 0.08])
#: F0 may change by this share within 25 ms on each side: more smears the upper harmonics.
STEADY = 0.03
#: Bands of the cepstra, Hz, and their number: up to what telephones carry and a little above.
CEPSTRAL_HZ, FILTERS = (100.0, 4000.0), 20
#: Cepstral coefficients: finer than formants are wide, coarser than the harmonics of a low voice.
FINE = slice(8, 18)
#: Frames this far below the loudest are pauses within speech, dB.
RANGE_DB = 30.0
#: What is told of each measure that may be withheld: its name in words, and the band that must be clear, Hz.
NAMES = {
    **{f"harmonic_contrast_{k}": (f"The depth between harmonics in the {k} band", hz) for k, hz in CONTRAST_HZ.items()},
    "fine_play": ("The play of the fine spectrum", (1000.0, CEPSTRAL_HZ[1])),  # noise is heard where speech is weak
    "codec_holes": ("The share of empty cells", (3000.0, 8000.0)),  # where speech is weak and codecs leave out first
}
#: Cells of a codec's hole: a long block of AAC or MP3 at 48 kHz, and two of its scale factor bands at mid frequencies.
CELL_S, CELL_HZ = 0.0213, 500.0
#: What is summed of a cell, as shares of its width: two bins at each side hold its neighbours' main lobe.
INNER = np.array([0.2, 0.8])
#: Cells below: valleys between harmonics and formants lie there, Hz; above: no codec's edge at low rates.
LOWEST_CELL_HZ, HIGHEST_CELL_HZ = 1000.0, 16000.0
#: How far a hole lies below the cells beside it, and below its own band's usual level, dB.
HOLE_DB, USUAL_DB = 30.0, 20.0


@dataclass(frozen=True)
class Fine:
    """Of one stretch of speech.

    ``contrast_db`` (n, 3): harmonics over what lies between, in each band of ``CONTRAST_HZ``, NaN where it has too few;
    ``moments`` (3, coefficients): number of frames, sum and sum of squares of fine cepstra in dB; ``holes`` of
    ``cells``.
    """

    interval: Interval
    contrast_db: np.ndarray
    moments: np.ndarray
    holes: int
    cells: int


def measure_fine(audio: Audio, stretches: Sequence[Voiced], limit_hz: float) -> list[Fine]:
    """The fine structure of each stretch of speech; ``limit_hz``: where the sound's band ends."""
    found = []
    for stretch in stretches:
        block, start_s = audio.mono(stretch.interval)
        slow, rate_hz = slower(block, audio.rate_hz)
        holes, cells = count_holes(block, audio.rate_hz, limit_hz)
        contrast = contrasts(slow, rate_hz, stretch.t_s - start_s, stretch.f0_hz)
        found.append(Fine(stretch.interval, contrast, cepstral_moments(slow, rate_hz), holes, cells))
    return found


def _powers(block: np.ndarray, size: int, step: int) -> np.ndarray:
    """Power spectra (n, size / 2 + 1) under Hann windows."""
    if len(block) < size:
        return np.zeros((0, size // 2 + 1), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(block.astype(np.float32), size)[::step]
    window = scipy.signal.windows.hann(size, sym=False).astype(np.float32)
    return np.abs(scipy.fft.rfft(frames * (2 * window / window.sum()), axis=1)) ** 2


def contrasts(block: np.ndarray, rate_hz: int, t_s: np.ndarray, f0_hz: np.ndarray) -> np.ndarray:
    """Mean level of harmonics over that half-way to the next, dB, (n, bands), where F0 (at ``t_s``) is steady."""
    size = 2 * round(HARMONIC_S * rate_hz / 2)
    around = np.stack([f0_hz[:-4], f0_hz[2:-2], f0_hz[4:]]) if len(f0_hz) > 4 else np.zeros((3, 0))
    first = np.round(t_s[2:-2] * rate_hz).astype(int) - size // 2
    steady = np.ptp(around, axis=0) <= STEADY * around[1]  # never true where any of them is unvoiced
    rows = np.flatnonzero(steady & (first >= 0) & (first + size <= len(block)))[::2]
    if not len(rows):
        return np.zeros((0, len(CONTRAST_HZ)))
    frames = block[first[rows, None] + np.arange(size)] * scipy.signal.windows.hann(size).astype(np.float32)
    db = 10 * np.log10(np.abs(scipy.fft.rfft(frames, FINER * size, axis=1)) ** 2 + 1e-12)
    f0, bin_hz = around[1, rows], rate_hz / (FINER * size)

    def level(multiples: np.ndarray) -> np.ndarray:
        at = np.round(multiples * f0[:, None] / bin_hz).astype(int)
        return np.take_along_axis(db, np.minimum(at, db.shape[1] - 1), axis=1)

    number = np.arange(1, int(CONTRAST_HZ["high"][1] / f0.min()) + 1)
    depth = np.max([level(number + some) for some in BESIDE], axis=0) - level(number + 0.5)
    hz = number * f0[:, None]
    found = []
    for low, high in CONTRAST_HZ.values():
        inside = (hz >= low) & (hz + f0[:, None] <= high)
        several = (inside.sum(1) >= 2) & (high <= rate_hz / 2)
        found.append(np.where(several, (depth * inside).sum(1) / np.maximum(inside.sum(1), 1), np.nan))
    return np.stack(found, 1)


def cepstral_moments(block: np.ndarray, rate_hz: int) -> np.ndarray:
    """Number, sum and sum of squares (3, coefficients) of the fine cepstra, dB, of frames that are not pauses."""
    size = round(CEPSTRAL_S * rate_hz)
    power = _powers(block, size, round(CEPSTRAL_STEP_S * rate_hz))
    coefficients = FINE.stop - FINE.start
    if not len(power) or rate_hz / 2 < CEPSTRAL_HZ[1]:
        return np.zeros((3, coefficients))
    total = power.sum(1)
    power = power[total >= np.percentile(total, 95) * 10 ** (-RANGE_DB / 10)]
    db = 10 * np.log10(power @ filters(size, rate_hz).T + 1e-14)
    cepstra = scipy.fft.dct(db, axis=1, norm="ortho")[:, FINE]
    return np.stack([np.full(coefficients, float(len(cepstra))), cepstra.sum(0), (cepstra**2).sum(0)])


def filters(size: int, rate_hz: int) -> np.ndarray:
    """Triangles (filters, size / 2 + 1), evenly spread in mel (O'Shaughnessy 1987)."""
    hz = np.fft.rfftfreq(size, 1 / rate_hz)
    lowest, highest = (2595 * np.log10(1 + end / 700) for end in CEPSTRAL_HZ)
    corners = 700 * (10 ** (np.linspace(lowest, highest, FILTERS + 2) / 2595) - 1)
    low, middle, high = (corners[k : k + FILTERS, None] for k in range(3))
    return np.maximum(0, np.minimum((hz - low) / (middle - low), (high - hz) / (high - middle))).astype(np.float32)


def count_holes(block: np.ndarray, rate_hz: int, limit_hz: float) -> tuple[int, int]:
    """Cells of loud frames that lie far below their neighbours in frequency and their band's own level; and all."""
    size = 2 * round(CELL_S * rate_hz / 2)
    power = _powers(block, size, size // 2)
    middles = CELL_HZ * (np.arange(rate_hz / 2 // CELL_HZ)[:, None] + INNER)
    bounds = np.searchsorted(np.fft.rfftfreq(size, 1 / rate_hz), middles).ravel()
    top = int(min(limit_hz, HIGHEST_CELL_HZ, rate_hz / 2) / CELL_HZ) - 2  # its neighbours lie below the edge
    lowest = int(LOWEST_CELL_HZ / CELL_HZ)
    if not len(power) or top <= lowest:
        return 0, 0
    db = 10 * np.log10(np.add.reduceat(power, bounds, axis=1)[:, ::2] + 1e-15)
    loudest = db.max(1)
    db = db[loudest >= np.median(loudest) - 10]
    beside = [np.maximum(db[:, lowest + s : top + s], db[:, lowest + 2 * s : top + 2 * s]) for s in (-1, 1)]
    own = db[:, lowest:top]
    empty = (own <= np.minimum(*beside) - HOLE_DB) & (own <= np.median(own, axis=0) - USUAL_DB)
    return int(empty.sum()), own.size


def measure_fine_structure(
    fine: Sequence[Fine], limit_hz: float, clear_db: Callable[[tuple[float, float]], float], settings: Settings
) -> tuple[list[Measurement], tuple[str, ...]]:
    """What can be said of these stretches, and what is not given, with its reason, in words.

    ``limit_hz``: where the sound's band ends or has faded out; ``clear_db``: of a band in Hz, how far speech stands
    over its quietest moments there (NaN: not known, which withholds too).
    """
    found, untold = [], []
    for m in (measure_holes(fine, settings), *measure_contrasts(fine, settings), measure_play(fine, settings)):
        if m is None:
            continue
        name, (low, high) = NAMES[m.name]
        holes = m.name == "codec_holes"
        least_db, least_hz = (settings.holes_clear_db, low) if holes else (settings.fine_clear_db, high)
        if limit_hz < least_hz:
            untold.append(f"{name} is not given: the band ends by {limit_hz:.0f} Hz, below {least_hz:.0f} Hz.")
        elif not (clear := clear_db((low, min(high, limit_hz)))) >= least_db:
            untold.append(f"{name} is not given: from {low:.0f} to {high:.0f} Hz {clearness(clear, least_db)}.")
        else:
            found.append(m)
    return found, tuple(untold)


def measure_contrasts(fine: Sequence[Fine], settings: Settings) -> list[Measurement]:
    """Median depth between harmonics of each band that has enough steady frames."""
    found = []
    for k, (name, (low, high)) in enumerate(CONTRAST_HZ.items()):
        frames = [f.contrast_db[np.isfinite(f.contrast_db[:, k]), k] for f in fine]
        frames = [values for values in frames if len(values)]
        n = sum(map(len, frames))
        if n < settings.steady_frames:
            continue
        reference = (
            f"of harmonics over half-way between them, {low:.0f} to {high:.0f} Hz, {n} frames of steady pitch in "
            f"{len(frames)} stretches; no norm: voices, breath, echo and noise differ"
        )
        found.append(_measured(f"harmonic_contrast_{name}", "dB", frames, _median, reference, settings))
    return found


def measure_play(fine: Sequence[Fine], settings: Settings) -> Measurement | None:
    """Standard deviation over time of the fine cepstra, dB; None with too little speech."""
    moments = [f.moments for f in fine if f.moments[0, 0]]
    n = int(sum(m[0, 0] for m in moments))
    if n * CEPSTRAL_STEP_S < settings.fine_s:
        return None
    reference = (
        f"standard deviation over time of cepstra {FINE.start} to {FINE.stop - 1} of {FILTERS} mel bands up to "
        f"{CEPSTRAL_HZ[1]:.0f} Hz, {n} frames in {len(moments)} stretches; no norm: pitch and what is said are in it"
    )
    return _measured("fine_play", "dB", moments, _deviation, reference, settings)


def measure_holes(fine: Sequence[Fine], settings: Settings) -> Measurement | None:
    """Share of cells of loud speech that are empty; None with too little speech or too narrow a band."""
    counts = [np.array([f.holes, f.cells]) for f in fine if f.cells]
    if sum(f.interval.duration for f in fine if f.cells) < settings.fine_s:
        return None
    reference = (
        f"of cells of {1000 * CELL_S:.0f} ms and {CELL_HZ:.0f} Hz from {LOWEST_CELL_HZ:.0f} Hz to the edge, "
        f"{HOLE_DB:.0f} dB below those beside them, in {len(counts)} stretches; untouched recordings "
        "and AAC 0 to 1 %, MP3 at 32 kbit/s 1 to 5 % (tests/real/CANDIDATES.md)"
    )
    return _measured("codec_holes", "%", counts, _percent, reference, settings)


def course_of_holes(fine: Sequence[Fine]) -> Series:
    """Share of empty cells of each stretch, %, at its middle."""
    some = [f for f in fine if f.cells]
    t_s = np.array([(f.interval.start_s + f.interval.end_s) / 2 for f in some])
    return Series("empty cells", t_s, np.array([100 * f.holes / f.cells for f in some]), "%")


def _measured(
    name: str,
    unit: str,
    values: list[np.ndarray],
    summary: Callable[[list[np.ndarray]], float],
    reference: str,
    settings: Settings,
) -> Measurement:
    return measured(name, summary(values), unit, bootstrap(values, summary, settings), len(values), reference)


def _median(values: list[np.ndarray]) -> float:
    return float(np.median(np.concatenate(values)))


def _deviation(moments: list[np.ndarray]) -> float:
    n, total, squares = np.sum(moments, axis=0)
    return float(np.sqrt(np.mean(squares / n - (total / n) ** 2)))


def _percent(counts: list[np.ndarray]) -> float:
    holes, cells = np.sum(counts, axis=0)
    return float(100 * holes / cells)
