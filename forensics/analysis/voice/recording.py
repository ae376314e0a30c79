"""The recording behind the voice: its band, the background between words and its steps, digital silence."""

from __future__ import annotations

import numpy as np
import scipy

from forensics.analysis.voice.pieces import bootstrap, measured, pieces
from forensics.analysis.voice.settings import Settings
from forensics.finding import Event, Measurement
from forensics.timeline import Audio, Interval, Series, inside, runs, union

#: Quieter than the dither of 16-bit sound (-98 dB) by far: nothing a microphone gives.
LOWEST_DB = -120.0


def average_spectrum(audio: Audio, intervals: list[Interval], size: int = 2048) -> tuple[np.ndarray, np.ndarray, int]:
    """Frequencies in Hz, mean power in dB over ``intervals`` (Hann windows of ``size`` samples), number of windows."""
    import librosa

    total, n = np.zeros(size // 2 + 1), 0
    for piece in (p for interval in intervals for p in pieces(interval, 30.0)):
        block, _ = audio.mono(piece)
        if len(block) >= size:
            power = np.abs(librosa.stft(block, n_fft=size, hop_length=size // 2, center=False)) ** 2
            total, n = total + power.sum(1), n + power.shape[1]
    return np.fft.rfftfreq(size, 1 / audio.rate_hz), 10 * np.log10(total / max(n, 1) + 1e-20), n


def measure_bandwidth(spectrum: tuple[np.ndarray, np.ndarray, int], settings: Settings) -> Measurement | None:
    """Frequency of the steepest edge above 2 kHz, else half the sampling rate; None where nothing was averaged."""
    hz, db, n = spectrum
    if n == 0:
        return None
    smooth = scipy.ndimage.uniform_filter1d(db, 5)
    upper = np.searchsorted(hz, hz * 2 ** (1 / 8)).clip(max=len(hz) - 1)  # an eighth of an octave above
    # The last eighth of an octave has no "above": an edge there is the converter's own.
    drop = np.where((hz >= 2000) & (hz * 2 ** (1 / 8) <= hz[-1]), smooth - smooth[upper], 0)
    k = int(drop.argmax())
    if drop[k] < settings.band_drop_db:
        value, where = hz[-1], "no edge: the sound reaches half the sampling rate or fades out gradually"
    else:
        value = (hz[k] + hz[upper[k]]) / 2
        where = f"an edge of {drop[k]:.0f} dB between {hz[k]:.0f} and {hz[upper[k]]:.0f} Hz"
    return measured(
        "bandwidth",
        float(value),
        "Hz",
        None,
        n,
        f"{where}; half the sampling rate is {hz[-1]:.0f} Hz; a fact about the recording",
    )


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
