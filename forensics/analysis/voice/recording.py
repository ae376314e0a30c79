"""The recording behind the voice: its band, the background between words and its steps, digital silence."""

from __future__ import annotations

import numpy as np
import scipy

from forensics.analysis.voice.pieces import bootstrap, measured
from forensics.analysis.voice.settings import Settings
from forensics.analysis.voice.spectrum import Spectra, edge
from forensics.finding import Event, Measurement
from forensics.timeline import Interval, Series, inside, runs, union

#: Quieter than the dither of 16-bit sound (-98 dB) by far: nothing a microphone gives.
LOWEST_DB = -120.0
#: Where noise first hides formants, Hz.
CLEAR_HZ = (1000.0, 4000.0)
#: Within every telephone's band, and above the usual one's, Hz: what is left there when a band fades out.
STRONG_HZ, FADED_HZ = (2400.0, 3300.0), (4000.0, 5500.0)


def measure_bandwidth(found: Spectra, settings: Settings) -> Measurement | None:
    """Frequency of the steepest edge above 2 kHz, else half the sampling rate; None where nothing was averaged."""
    if not len(found.t_s):
        return None
    top, steepest = float(found.hz[-1]), edge(found.hz, found.average_db(), settings)
    if steepest is None:
        value, where = top, "no edge: the sound reaches half the sampling rate or fades out gradually"
    else:
        value = steepest.hz
        where = f"an edge of {steepest.drop_db:.0f} dB between {steepest.low_hz:.0f} and {steepest.high_hz:.0f} Hz"
    reference = f"{where}; half the sampling rate is {top:.0f} Hz; a fact about the recording"
    return measured("bandwidth", value, "Hz", None, int(found.windows.sum()), reference)


def voice_limit_hz(found: Spectra, limit_hz: float, settings: Settings) -> float:
    """Up to where there is speech to measure: ``limit_hz``, the edge, or 4 kHz where next to nothing lies above.

    A band that fades out, as behind many telephones, has no edge.
    """
    return FADED_HZ[0] if limit_hz > FADED_HZ[0] and fading_db(found) < settings.faded_db else limit_hz


def fading_db(found: Spectra) -> float:
    """Mean power per Hz above 4 kHz over that within every telephone's band, dB."""
    power = 10 ** (found.average_db() / 10)
    within, above = (power[(found.hz >= low) & (found.hz < high)].mean() for low, high in (STRONG_HZ, FADED_HZ))
    return float(10 * np.log10((above + 1e-30) / (within + 1e-30)))


def background(level: Series, spoken: list[Interval]) -> Series:
    """Level in dB outside speech (and 0.1 s around it) and digital silence; else NaN."""
    near = [Interval(i.start_s - 0.1, i.end_s + 0.1) for i in spoken]
    values = np.where(inside(level.t_s, near) | (level.values < LOWEST_DB), np.nan, level.values)
    return Series("background level", level.t_s, values, "dB")


def measure_noise_floor(quiet: Series, settings: Settings) -> Measurement | None:
    """Low percentile of the background with a bootstrap over its stretches; None without pauses."""
    stretches = [quiet.values[a:b] for a, b in runs(np.isfinite(quiet.values)) if b - a >= 5]
    if not stretches:
        return None

    def low_level(values: list[np.ndarray]) -> float:
        return float(np.percentile(np.concatenate(values), settings.background_percentile))

    return measured(
        "noise_floor",
        low_level(stretches),
        "dB",
        bootstrap(stretches, low_level, settings),
        sum(map(len, stretches)),
        "re full scale, all channels' mean; a fact about the recording",
    )


def clearness_db(
    found: Spectra, spoken: list[Interval], settings: Settings, band_hz: tuple[float, float] = CLEAR_HZ
) -> float:
    """Median level of speech over that of the quietest moments within a band, dB; NaN without speech.

    Where nothing pauses, the quietest moments are the voice's own; where a gate mutes the pauses, noise is not heard.
    """
    band = (found.hz >= band_hz[0]) & (found.hz < band_hz[1])
    level = 10 * np.log10(found.power[:, band].sum(1) + 1e-20)
    sounds, speaks = 10 * np.log10(found.power.sum(1) + 1e-20) > LOWEST_DB, inside(found.t_s, spoken)
    if not (sounds & speaks).any():
        return float("nan")
    return float(np.median(level[sounds & speaks]) - np.percentile(level[sounds], settings.background_percentile))


def level_jumps(quiet: Series, settings: Settings) -> list[Event]:
    """Steps of the background between neighbouring pauses."""
    known = np.isfinite(quiet.values)
    t_s, values = quiet.t_s[known], quiet.values[known]
    need = settings.jump_pause_s / 0.010
    steps = np.zeros(len(t_s))
    for k in range(0, len(t_s), 5):
        first, behind = np.searchsorted(t_s, (t_s[k] - settings.jump_side_s, t_s[k] + settings.jump_side_s))
        if k - first >= need and behind - k >= need:
            steps[k] = np.median(values[k:behind]) - np.median(values[first:k])
    events = []
    for first, behind in runs(scipy.ndimage.binary_dilation(np.abs(steps) >= settings.jump_db, iterations=5)):
        k = first + int(np.abs(steps[first:behind]).argmax())
        at = float(t_s[k])
        events.append(
            Event(
                "level_jump",
                Interval(float(t_s[max(k - 1, 0)]), at),
                f"the background {'rises' if steps[k] > 0 else 'falls'} by {abs(steps[k]):.0f} dB",
                details={"step_db": round(float(steps[k]), 1)},
            )
        )
    return events


def digital_silences(level: Series, settings: Settings) -> list[Event]:
    """Where every sample is exactly zero: no microphone gives that, but codecs, gates and editors do."""
    step = 0.010
    found = [
        Interval(float(level.t_s[a]) - step / 2, float(level.t_s[b - 1]) + step / 2)
        for a, b in runs(np.isneginf(level.values))
    ]
    return [
        Event("digital_silence", i, f"{i.duration:.2f} s of samples exactly zero")
        for i in union(found, step)
        if i.duration >= settings.digital_silence_s
    ]
