"""Mains hum: is it there, at which frequency, and does its phase run through?

The mains hum at 50 or 60 Hz and its multiples wherever wiring is near. One take has one hum whose phase runs through;
behind a cut it starts anew somewhere else.
Reference: Grigoras 2005 (electric network frequency); Rodríguez, Apolinário & Biscainho 2010 (its phase at edits).
Not to be trusted: on telephones and through codecs that drop what lies below 100 Hz; a motor or a held bass note hums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from forensics.analysis.voice.pieces import measured
from forensics.analysis.voice.settings import Settings
from forensics.finding import Event, Measurement
from forensics.timeline import Audio, Interval, chunks, inside, runs

#: Nominal frequencies of mains, Hz, and how far networks stray (ENTSO-E: 0.2 Hz before shedding; islands further).
MAINS_HZ, STRAY_HZ = (50.0, 60.0), 0.5
#: Multiples looked at: rectifiers hum at twice the mains, transformers at its odd multiples.
MULTIPLES = (1, 2, 3, 4, 6)
#: Rate to which sound is brought, Hz: holds six times 60 Hz with room for the filter.
RATE_HZ = 1000
#: Sound up to this length, s, is looked at four times finer than a line is wide; of longer the spectrum would fill GB.
FINE_S = 600.0
#: How far a recorder's clock may be off: quartz and its temperature.
CLOCK_ERROR = 1e-4
#: Step of the phase's course, s.
PHASE_STEP_S = 0.1


@dataclass(frozen=True)
class Hum:
    """A hum at ``multiple`` times ``hz`` ± ``error_hz`` (95 %), ``snr_db`` above the noise of 1 Hz.

    ``phase`` (n,) rad: of the hum against a steady one of that frequency, over ``t_s`` (n,); ``level_db`` (n,): of the
    hum re its median. What is muted, or was never recorded, has no phase of its own.
    """

    hz: float
    error_hz: float
    multiple: int
    snr_db: float
    t_s: np.ndarray
    phase: np.ndarray
    level_db: np.ndarray


def slow(audio: Audio, interval: Interval) -> tuple[np.ndarray, float]:
    """The sound at ``RATE_HZ``, and the time of its first sample."""
    import soxr

    resampler = soxr.ResampleStream(audio.rate_hz, RATE_HZ, 1, "float32")
    windows = [Interval(a, min(a + 30.0, interval.end_s)) for a in np.arange(interval.start_s, interval.end_s, 30.0)]
    blocks = [audio.mono(w) for w in windows]
    parts = [resampler.resample_chunk(b, last=k == len(blocks) - 1) for k, (b, _) in enumerate(blocks)]
    return np.concatenate(parts).astype(float), blocks[0][1]


def find_hum(audio: Audio, interval: Interval, settings: Settings) -> Hum | None:
    """The clearest line at a multiple of the mains; None where no line stands out."""
    samples, start_s = slow(audio, interval)
    if len(samples) < settings.hum_s * RATE_HZ:
        return None
    seconds, (hz, power) = len(samples) / RATE_HZ, _spectrum(samples)
    lines = [_line(hz, power, seconds, mains, multiple) for mains in MAINS_HZ for multiple in MULTIPLES]
    found_hz, snr_db, multiple = max(lines, key=lambda line: line[1])
    if snr_db < settings.hum_db:
        return None
    t_s, phasor = _phasor(samples, found_hz * multiple)
    # Rife & Boorstyn 1974: the least variance that an estimate of a tone's frequency can have.
    ratio = 10 ** (snr_db / 10)
    error = 1.96 * np.sqrt(12 / (8 * np.pi**2 * ratio * seconds**3)) / multiple
    level = np.abs(phasor)
    level_db = 20 * np.log10(level / max(float(np.median(level)), 1e-12) + 1e-12)
    return Hum(found_hz, float(error), multiple, snr_db, start_s + t_s, np.angle(phasor), level_db)


def _spectrum(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies in Hz and power, four times finer than a line is wide where the sound is not hours long."""
    finer = 4 if len(samples) < FINE_S * RATE_HZ else 1
    size = scipy.fft.next_fast_len(finer * len(samples), real=True)
    window = scipy.signal.windows.hann(len(samples))
    power = np.abs(scipy.fft.rfft(samples * window, size)) ** 2
    return np.fft.rfftfreq(size, 1 / RATE_HZ), power


def _line(
    hz: np.ndarray, power: np.ndarray, seconds: float, mains_hz: float, multiple: int
) -> tuple[float, float, int]:
    """Strongest line near a multiple: its frequency over ``multiple``, dB over the noise of 1 Hz beside it."""
    near = np.abs(hz - multiple * mains_hz) <= multiple * STRAY_HZ
    beside = (np.abs(hz - multiple * mains_hz) <= multiple * STRAY_HZ + 5) & ~near
    k = int(np.flatnonzero(near)[power[near].argmax()])
    a, b, c = np.log(power[k - 1 : k + 2] + 1e-30)
    at = hz[k] + (a - c) / (2 * (a - 2 * b + c)) * hz[1] if a - 2 * b + c < 0 else hz[k]
    # A tone's power over the noise's in 1 Hz: windows spread the first over 1.5 / duration.
    noise = np.median(power[beside]) / np.log(2)
    snr = power[k] / noise / seconds * 1.5
    return float(at / multiple), float(10 * np.log10(snr + 1e-12)), multiple


def _phasor(samples: np.ndarray, hz: float) -> tuple[np.ndarray, np.ndarray]:
    """Level and phase against a steady tone of ``hz`` in windows of a second, every 0.1 s."""
    size, step = RATE_HZ, round(PHASE_STEP_S * RATE_HZ)
    turned = samples * np.exp(-2j * np.pi * hz * np.arange(len(samples)) / RATE_HZ)
    windows = np.lib.stride_tricks.sliding_window_view(turned, size)[::step]
    weights = scipy.signal.windows.hann(size)
    phasor = np.concatenate([windows[some] @ weights for some in chunks(len(windows), 1000)])  # a product copies
    return (np.arange(len(windows)) * step + size / 2) / RATE_HZ, phasor


def measure_hum(hum: Hum) -> list[Measurement]:
    """How far the mains is off its nominal frequency, and how far the line stands out."""
    nominal = min(MAINS_HZ, key=lambda mains: abs(mains - hum.hz))
    off = (hum.hz - nominal) * 1000
    clock = CLOCK_ERROR * nominal * 1000
    error, at = float(np.hypot(hum.error_hz * 1000, clock)), f"read at {hum.multiple} × the mains"
    where = f"{at}, against the noise in 1 Hz beside it"
    n = len(hum.t_s)
    return [
        measured(
            "hum_deviation",
            off,
            "mHz",
            (off - error, off + error),
            n,
            f"from {nominal:.0f} Hz, {at}; holds a recorder's clock 100 ppm off, not how the network strayed meanwhile",
        ),
        measured("hum_level", hum.snr_db, "dB", None, n, where),
    ]


def phase_jumps(hum: Hum, absent: Sequence[Interval], settings: Settings) -> list[Event]:
    """Where the hum's phase leaves its course from one second to the next, by more than it strays elsewhere.

    Only where the hum sounds on both sides: not where it is muted or pauses, nor beside ``absent`` sound.
    """
    side = round(1.0 / PHASE_STEP_S)
    turned = np.exp(1j * hum.phase)
    if len(turned) < 6 * side:
        return []
    step = np.angle(turned[side:] * turned[:-side].conj())  # over a second
    beside = inside(hum.t_s, [Interval(gap.start_s - 0.5, gap.end_s + 0.5) for gap in absent])
    sounds = (hum.level_db >= settings.hum_fade_db) & ~beside
    both = sounds[side:] & sounds[:-side]
    if both.sum() < 5 * side:
        return []
    steady = np.median(step[both])
    off = np.abs(np.angle(np.exp(1j * (step - steady))))
    limit = max(np.radians(settings.hum_phase_deg), settings.hum_phase_spread * np.median(off[both]) / 0.6745)
    events = []
    for first, behind in runs((off >= limit) & both):
        k = first + int(off[first:behind].argmax())
        at = float(hum.t_s[k] + hum.t_s[k + side]) / 2
        events.append(
            Event(
                "splice",
                Interval(at - 0.5, at + 0.5),
                f"the phase of the tone at {hum.multiple * hum.hz:.1f} Hz, mains hum or alike, jumps by "
                f"{np.degrees(off[k]):.0f}°",
                details={"cue": "hum_phase", "phase_deg": round(float(np.degrees(off[k])), 1)},
            )
        )
    return events
