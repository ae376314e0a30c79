"""Fundamental frequency, jitter, shimmer, harmonicity, formants and syllables, each by a named definition.

Jitter (local): mean absolute difference of neighbouring periods over the mean period. Shimmer (local): the same of
their amplitudes. Harmonicity: 10 log10(r / (1 - r)) of the normalised autocorrelation r at the period (Boersma 1993).
Formants: Burg's linear prediction, five below ``formant_ceiling_hz``, in voiced frames. Syllables: peaks of the
intensity in voiced frames that rise by 2 dB (de Jong & Wempe 2009).
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from forensics.analysis.voice.pieces import bootstrap, measured, pieces
from forensics.analysis.voice.settings import Settings
from forensics.finding import Measurement
from forensics.timeline import Audio, Interval

#: Sound of a higher rate is brought to this one, Hz: the harmonics of a voice lie below 12 kHz, and harmonicity and
#: jitter of recordings at other rates then rest on one band.
RATE_HZ = 24000
FORMANTS = 3


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
    formants_hz: np.ndarray  # (n, 3) of voiced frames
    syllables: int
    rate_hz: int

    @property
    def voiced_frames(self) -> int:
        return int(np.isfinite(self.f0_hz).sum())


def measure_stretch(audio: Audio, interval: Interval, settings: Settings) -> Voiced:
    """Praat's F0, local jitter, local shimmer, mean harmonicity, formants and syllables of one stretch."""
    import parselmouth
    from parselmouth.praat import call

    block, start_s = audio.mono(interval)
    samples, rate_hz = slower(block, audio.rate_hz)
    sound = parselmouth.Sound(samples.astype(np.float64), rate_hz)
    low, high = settings.lowest_f0_hz, settings.highest_f0_hz
    nothing = np.zeros(0)
    if sound.duration < 2 * settings.periods_per_window / low + 0.02:  # Praat needs one (Gaussian: double) window
        none = np.zeros((0, FORMANTS))
        return Voiced(interval, nothing, nothing, 0.0, np.nan, np.nan, np.nan, none, 0, rate_hz)
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
        _formants(sound, pitch.xs()[np.isfinite(f0)], settings),
        _syllables(sound, pitch.xs(), np.isfinite(f0), settings),
        rate_hz,
    )


def slower(block: np.ndarray, rate_hz: int) -> tuple[np.ndarray, int]:
    """The samples at ``RATE_HZ`` at most, and their rate."""
    import soxr

    return (soxr.resample(block, rate_hz, RATE_HZ), RATE_HZ) if rate_hz > RATE_HZ and len(block) else (block, rate_hz)


def _formants(sound: Any, t_s: np.ndarray, settings: Settings) -> np.ndarray:
    """The first three formants in Hz at ``t_s``, (n, 3); nothing where the band does not hold them."""
    if sound.sampling_frequency / 2 < settings.formant_ceiling_hz or not len(t_s):
        return np.zeros((0, FORMANTS))
    found = sound.to_formant_burg(time_step=settings.formant_step_s, maximum_formant=settings.formant_ceiling_hz)
    return np.array([[found.get_value_at_time(k + 1, t) for k in range(FORMANTS)] for t in t_s])


def _syllables(sound: Any, t_s: np.ndarray, voiced: np.ndarray, settings: Settings) -> int:
    """Peaks of the intensity that rise by enough from both sides, in voiced frames."""
    found = sound.to_intensity(minimum_pitch=settings.syllable_pitch_hz)
    level, at = found.values[0], found.xs()
    loud = np.percentile(level, 99) - settings.syllable_depth_db
    peaks, _ = scipy.signal.find_peaks(level, height=loud, prominence=settings.syllable_rise_db)
    return int(np.interp(at[peaks], t_s, voiced.astype(float), left=0, right=0).round().sum())


def measure_stretches(audio: Audio, spoken: list[Interval], settings: Settings) -> list[Voiced]:
    """Every stretch of speech, long ones in pieces."""
    return [
        measure_stretch(audio, piece, settings) for interval in spoken for piece in pieces(interval, settings.piece_s)
    ]


def withheld(limit_hz: float, clear_db: float, settings: Settings) -> dict[str, str]:
    """Measures that would tell of the band or the noise more than of the voice, by name, with the reason in words.

    ``limit_hz``: where the sound's band ends or has faded out; ``clear_db``: how far speech stands over its quietest
    moments (NaN: not known, which withholds too). Limits: where a measure of untouched voices moves by more than voices
    differ (tests/real/VOICE.md).
    """
    moves = "there it moves by more than voices differ (tests/real/VOICE.md)"
    found = {}
    if limit_hz <= settings.jitter_band_hz:
        found["jitter_local"] = f"Jitter is not given: the band ends by {limit_hz:.0f} Hz, as telephones' do; {moves}."
    if not clear_db >= settings.hnr_clear_db:
        found["hnr"] = f"The harmonics-to-noise ratio is not given: {_noisy(clear_db, settings.hnr_clear_db)}; {moves}."
    formants = [f"formant_{k + 1}" for k in range(FORMANTS)]
    if limit_hz < settings.formant_ceiling_hz:
        why = f"the band ends by {limit_hz:.0f} Hz, and they are sought up to {settings.formant_ceiling_hz:.0f} Hz"
        found |= dict.fromkeys(formants, f"Formants are not given: {why}.")
    elif not clear_db >= settings.formant_clear_db:
        why = _noisy(clear_db, settings.formant_clear_db)
        found |= dict.fromkeys(formants, f"Formants are not given: {why}; {moves}.")
    return found


def _noisy(clear_db: float, least_db: float) -> str:
    return f"from 1 to 4 kHz {clearness(clear_db, least_db)}"


def clearness(clear_db: float, least_db: float) -> str:
    """Why speech that stands so little over its quietest moments, dB, is not measured; NaN: not known."""
    if np.isnan(clear_db):
        return "it is not known how far speech stands over its quietest moments"
    return (
        f"speech stands {clear_db:.1f} dB over its quietest moments, less than {least_db:.0f} dB, of noise or for want "
        "of a pause"
    )


def measure_voice(
    stretches: list[Voiced], settings: Settings, limit_hz: float = np.inf, without: Container[str] = ()
) -> list[Measurement]:
    """Medians of F0 and formants; jitter, shimmer and harmonicity weighted by voiced time; syllables a second.

    ``limit_hz`` is where the band of the sound ends; measures named in ``without`` are not given.
    """
    some = [s for s in stretches if s.voiced_frames]
    about = _about(some, settings, limit_hz)

    def summed(name: str, unit: str, values: list[np.ndarray], summary: Any, definition: str) -> Measurement:
        reference = f"{definition}; {about}; no norm applied: running speech"
        return measured(name, summary(values), unit, bootstrap(values, summary, settings), len(values), reference)

    f0 = [s.f0_hz[np.isfinite(s.f0_hz)] for s in some]
    found = [summed("f0_median", "Hz", f0, _median, "Praat's autocorrelation (ac)")]
    for name, unit, key, factor, definition in (
        ("jitter_local", "%", "jitter", 100, "Praat's jitter (local)"),
        ("shimmer_local", "%", "shimmer", 100, "Praat's shimmer (local)"),
        ("hnr", "dB", "hnr_db", 1, "Praat's harmonicity (ac)"),
    ):
        pairs = [np.array([getattr(s, key) * factor, s.voiced_s]) for s in some if np.isfinite(getattr(s, key))]
        if pairs and name not in without:
            found.append(summed(name, unit, pairs, _weighted, definition))
    for k, name in enumerate(f"formant_{k + 1}" for k in range(FORMANTS)):
        values = [s.formants_hz[:, k] for s in some if np.isfinite(s.formants_hz[:, k]).any()]
        if values and name not in without:
            ceiling = f"Praat's Burg, five formants below {settings.formant_ceiling_hz:.0f} Hz"
            found.append(summed(name, "Hz", values, _median, ceiling))
    rate = [np.array([s.syllables, s.interval.duration]) for s in some]
    found.append(summed("articulation_rate", "1/s", rate, _share, "de Jong & Wempe 2009, pauses left out"))
    return found


def _about(stretches: list[Voiced], settings: Settings, limit_hz: float) -> str:
    """What the numbers were taken from."""
    frames, rate_hz = sum(s.voiced_frames for s in stretches), stretches[0].rate_hz if stretches else 0
    searched = f"{settings.lowest_f0_hz:.0f} to {settings.highest_f0_hz:.0f} Hz"
    band = f", its band to {limit_hz:.0f} Hz" if np.isfinite(limit_hz) else ""
    where = f"{frames} voiced frames in {len(stretches)} stretches, F0 searched from {searched}"
    return f"{where}, sound measured at {rate_hz} Hz{band}"


def _median(values: list[np.ndarray]) -> float:
    return float(np.nanmedian(np.concatenate(values)))


def _weighted(pairs: list[np.ndarray]) -> float:
    value, weight = np.array(pairs).T
    return float((value * weight).sum() / weight.sum())


def _share(pairs: list[np.ndarray]) -> float:
    """Sum of the first over the sum of the second."""
    first, second = np.array(pairs).T
    return float(first.sum() / second.sum())
