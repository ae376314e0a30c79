"""What are this voice's measures, and where do the sound's level, background or band change abruptly?

Fundamental frequency, jitter, shimmer and harmonicity follow Praat's definitions (through parselmouth) over the
speech that was detected, and say what they were taken from. The band limit and the background noise describe the
recording; a level jump is a step of the background between words, the mark of a cut, a gate or a switch of scene.
Reference: Boersma & Weenink (Praat: ac pitch, local jitter, local shimmer, ac harmonicity).
Not to be trusted: published norms of jitter, shimmer and harmonicity hold for sustained vowels in quiet rooms and not
for running speech through a codec, so no norm is applied here. Music and several voices are measured as one voice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy

from forensics import plots
from forensics.finding import ASSESSED, About, Event, Finding, Measurement, Question
from forensics.method import Method, setting
from forensics.timeline import Audio, Interval, Series, inside, intersection, runs, total_s, union

if TYPE_CHECKING:
    from forensics.scene import Scene

ANALYSIS = "voice"
METHOD = Method("Praat measures, band limit, background steps", "2", "Boersma & Weenink (Praat), through parselmouth")
_PRAAT = "Praat's default"
#: Quieter than the dither of 16-bit sound (-98 dB) by far: nothing a microphone gives.
LOWEST_DB = -120.0

LIMITS = (
    "Measured over running speech after the recording's codec: not comparable with clinical norms of held vowels.",
    "All channels are averaged; voices, music and noise at the same time are measured as one.",
    "Whether a voice was synthesised is not assessed in this version.",
)
ALTERNATIVES = (
    "Codecs, resampling, telephone bands, noise suppression, gates and automatic gain change band, level and noise.",
    "Editing for length, a change of scene or microphone, music that starts or stops, compressors.",
)

MEASURES = Question(
    "voice.measures",
    "The voice was synthesised or converted.",
    "The voice was spoken.",
    METHOD,
    LIMITS,
    ALTERNATIVES,
)
RECORDING = Question(
    "voice.recording",
    "The sound was interrupted or put together from several recordings.",
    "The sound was recorded without interruption.",
    METHOD,
    LIMITS,
    ALTERNATIVES,
)


@dataclass(frozen=True)
class Settings:
    lowest_f0_hz: float = setting(60.0, "Hz", "below the lowest usual male speaking pitch")
    highest_f0_hz: float = setting(500.0, "Hz", "above excited female speech")
    shortest_period_s: float = setting(0.0001, "s", _PRAAT)
    longest_period_s: float = setting(0.02, "s", _PRAAT)
    period_factor: float = setting(1.3, "1", _PRAAT)
    amplitude_factor: float = setting(1.6, "1", _PRAAT)
    periods_per_window: float = setting(4.5, "1", _PRAAT + " for harmonicity; parselmouth's own default is 1")
    harmonicity_step_s: float = setting(
        0.02, "s", "Praat's 0.01 takes twice the time; hnr moved by 0.14 dB at most (32 clips)"
    )
    shortest_s: float = setting(1.0, "s", "of sound; below it neither background nor band can be told")
    least_voiced_s: float = setting(1.0, "s", "of voiced frames; below it medians move by tens of per cent")
    piece_s: float = setting(2.0, "s", "longest stretch given to Praat at once: units of the bootstrap, a phrase long")
    resamples: int = setting(400, "1", "of the bootstrap over speech intervals; seed 0")
    silent_db: float = setting(-80.0, "dB", "re full scale; a track whose loudest 10 ms lies below is silent")
    band_drop_db: float = setting(20.0, "dB", "a codec's edge falls by this within an eighth of an octave")
    background_percentile: float = setting(10.0, "%", "of the level of pauses: a quiet moment, not the quietest")
    jump_db: float = setting(20.0, "dB", "step of the background; rooms and breath vary by up to 15 dB in dev clips")
    jump_side_s: float = setting(1.0, "s", "background compared on each side")
    jump_pause_s: float = setting(0.3, "s", "of pauses needed on each side")
    digital_silence_s: float = setting(0.02, "s", "of samples exactly zero: longer than any zero crossing")


# -- voice measures, Praat's definitions -----------------------------------------------------------------------------


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


def pieces(interval: Interval, longest_s: float) -> list[Interval]:
    """Equal parts of ``interval``, none longer than ``longest_s``."""
    n = max(1, int(np.ceil(interval.duration / longest_s)))
    edges = np.linspace(interval.start_s, interval.end_s, n + 1)
    return [Interval(float(a), float(b)) for a, b in pairwise(edges)]


def _bootstrap(values: list[np.ndarray], summary: Any, settings: Settings) -> tuple[float, float] | None:
    """95 % interval of ``summary(values)`` under resampling of stretches; None for fewer than four."""
    if len(values) < 4:
        return None
    draws = np.random.default_rng(0).integers(0, len(values), (settings.resamples, len(values)))
    low, high = np.nanpercentile([summary([values[k] for k in draw]) for draw in draws], (2.5, 97.5))
    return float(low), float(high)


def _measured(
    name: str, value: float, unit: str, interval: tuple[float, float] | None, n: int, reference: str
) -> Measurement:
    low, high = interval or (None, None)
    return Measurement(name, value, unit, low, high, 0.95 if interval else None, n, METHOD.name, reference)


def measure_voice(stretches: list[Voiced], settings: Settings) -> list[Measurement]:
    """Median F0, and jitter, shimmer and harmonicity weighted by voiced time, with bootstrap intervals."""

    def weighted(pairs: list[np.ndarray]) -> float:
        value, weight = np.array(pairs).T
        return float((value * weight).sum() / weight.sum())

    def measured(name: str, unit: str, values: list[np.ndarray], summary: Any, n: int) -> Measurement:
        return _measured(
            name, summary(values), unit, _bootstrap(values, summary, settings), n, "no norm applied: running speech"
        )

    f0 = [s.f0_hz[np.isfinite(s.f0_hz)] for s in stretches if np.isfinite(s.f0_hz).any()]
    found = [measured("f0_median", "Hz", f0, lambda v: float(np.median(np.concatenate(v))), len(f0))]
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
            found.append(measured(name, unit, pairs, weighted, len(pairs)))
    return found


# -- the recording ---------------------------------------------------------------------------------------------------


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
    return _measured(
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

    return _measured(
        "noise_floor",
        low_level(stretches),
        "dB",
        _bootstrap(stretches, low_level, settings),
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


# -- verdict ---------------------------------------------------------------------------------------------------------


def _sound(examined: Interval, settings: Settings, covered: Sequence[Interval] = ()) -> About:
    return About(examined, settings, covered, subjects=("sound",))


def assess_measures(
    audio: Audio | None,
    level: Series | None,
    spoken: list[Interval],
    examined: Interval,
    settings: Settings,
    stretches: list[Voiced],
) -> Finding:
    """What are this voice's measures?"""
    if reasons := sound_refusals(audio, level, settings):
        return MEASURES.refuse(_sound(examined, settings), *reasons)
    covered = intersection(spoken, [examined])
    about = _sound(examined, settings, covered)
    if not covered:
        return MEASURES.refuse(about, "no_speech")
    if sum(s.voiced_s for s in stretches) < settings.least_voiced_s:
        return MEASURES.refuse(about, "too_few_voiced_seconds")
    evidence = {
        "t_s": np.concatenate([s.t_s for s in stretches]),
        "f0_hz": np.concatenate([s.f0_hz for s in stretches]),
        "examined": examined,
    }
    return MEASURES.answer(about, measurements=tuple(measure_voice(stretches, settings)), evidence=evidence)


def assess_recording(
    audio: Audio | None, level: Series | None, spoken: list[Interval], examined: Interval, settings: Settings
) -> Finding:
    """One room, one take: band, background and its steps."""
    if reasons := sound_refusals(audio, level, settings):
        return RECORDING.refuse(_sound(examined, settings), *reasons)
    assert audio is not None and level is not None
    heard = intersection([audio.interval], [examined])
    about = _sound(examined, settings, heard)
    if total_s(heard) < settings.shortest_s:
        return RECORDING.refuse(about, "sound_too_short")
    spectrum, quiet = average_spectrum(audio, heard), background(level, spoken)
    found = (measure_bandwidth(spectrum, settings), measure_noise_floor(quiet, settings))
    events = sorted(
        [*level_jumps(quiet, settings), *digital_silences(level, settings)], key=lambda e: e.interval.start_s
    )
    return RECORDING.answer(
        about,
        measurements=tuple(m for m in found if m),
        events=tuple(events),
        evidence={"level": level, "quiet": quiet, "spectrum": spectrum, "spoken": spoken, "examined": examined},
    )


def sound_refusals(audio: Audio | None, level: Series | None, settings: Settings) -> tuple[str, ...]:
    if audio is None or level is None or (not np.isfinite(level.values).any() and not np.isneginf(level.values).any()):
        return ("no_sound",)
    if not np.nanmax(level.values) >= settings.silent_db:
        return ("sound_is_silent",)
    return ()


def assess(scene: Scene, settings: Settings) -> list[Finding]:
    """Two findings on the sound."""
    audio, spoken = scene.observation.audio, scene.speech or []
    if audio is None:
        about = _sound(scene.interval, settings)
        return [question.refuse(about, scene.soundless) for question in (MEASURES, RECORDING)]
    level = scene.level.between(scene.interval) if scene.level else None
    stretches = scene.heard[ANALYSIS] if scene.heard else hear(audio, spoken, settings)
    return [
        assess_measures(audio, level, spoken, scene.interval, settings, stretches),
        assess_recording(audio, level, spoken, scene.interval, settings),
    ]


# -- charts ----------------------------------------------------------------------------------------------------------


def plot_f0(finding: Finding, ax: Any) -> None:
    """F0 by Praat's autocorrelation, gaps where unvoiced."""
    t_s = finding.evidence["t_s"]
    ax.plot(t_s, finding.evidence["f0_hz"], ".", ms=2, color=plots.BLUE, rasterized=plots.many(t_s))
    median = finding.measurement("f0_median")
    ax.axhline(median.value, color=plots.BLACK, lw=0.8, ls="--", label=f"median {median.value} Hz")
    ax.set_ylabel("fundamental\nfrequency (Hz)")
    low, high = np.nanpercentile(finding.evidence["f0_hz"], (1, 99))
    ax.set_ylim(0.7 * low, 1.3 * high)
    plots.missing(ax, finding.evidence["examined"], finding.covered)
    plots.time_axis(ax, finding.evidence["examined"])
    plots.legend(ax)


def plot_level(finding: Finding, ax: Any) -> None:
    """Level over time, the background between words, and the events."""
    level, quiet = finding.evidence["level"], finding.evidence["quiet"]
    drawn: Any = dict(rasterized=plots.many(level.t_s))
    ax.plot(level.t_s, np.maximum(level.values, LOWEST_DB), color=plots.GREY, lw=0.6, label="level, 10 ms", **drawn)
    ax.plot(quiet.t_s, quiet.values, color=plots.BLUE, lw=1.2, label="background, outside speech", **drawn)
    jumps = [e for e in finding.events if e.kind == "level_jump"]
    ax.plot(
        [e.interval.end_s for e in jumps],
        [-10] * len(jumps),
        "v",
        color=plots.BLACK,
        ms=5,
        ls="none",
        label="level jump" if jumps else None,
    )
    plots.shade(ax, finding.evidence["spoken"], "speech detected")
    plots.missing(ax, finding.evidence["examined"], finding.covered)
    ax.set_ylabel("level (dB re full scale)")
    plots.time_axis(ax, finding.evidence["examined"])
    plots.legend(ax)


def plot_spectrum(finding: Finding, ax: Any) -> None:
    """Average spectrum to half the sampling rate with the band's edge."""
    hz, db, _ = finding.evidence["spectrum"]
    ax.plot(hz / 1000, db - db.max(), color=plots.BLUE)
    edge = finding.measurement("bandwidth")
    ax.axvline(edge.value / 1000, color=plots.BLACK, lw=0.8, ls=":", label=f"band limit {edge.value:.0f} Hz")
    ax.set_xlabel("frequency (kHz)")
    ax.set_ylabel("average power\n(dB re its maximum)")
    ax.set_xlim(0, hz[-1] / 1000)
    plots.legend(ax)


@plots.styled
def charts(finding: Finding) -> list[plots.Chart]:
    """One chart: of the pitch, or of level and band, by the question; none of a refusal."""
    if finding.state != ASSESSED:
        return []
    if finding.question == "voice.measures":
        fig, ax = plots.figure(row_mm=50)
        plot_f0(finding, ax)
        return [
            plots.Chart(
                "voice-f0",
                fig,
                "Fundamental frequency of the voice (Praat, autocorrelation). Notice its range and how "
                "it moves. It does not show who spoke, and jumps by an octave are the method's.",
                "Points of fundamental frequency over time with their median.",
                {k: finding.evidence[k] for k in ("t_s", "f0_hz")},
            )
        ]
    has_edge = any(m.name == "bandwidth" for m in finding.measurements)
    fig, axes = plots.figure(rows=1 + has_edge, row_mm=48, squeeze=False)
    plot_level(finding, axes[0, 0])
    if has_edge:
        plot_spectrum(finding, axes[1, 0])
    level = finding.evidence["level"]
    return [
        plots.Chart(
            "voice-recording",
            fig,
            "Level of the sound with the background between words, and the average spectrum. "
            "Notice steps of the background and edges of the band. It does not show why they are there: gates, codecs "
            "and scene changes make them too.",
            "Level over time with background marked; below, average power over frequency with the band's edge.",
            {
                "t_s": level.t_s,
                "level_db": np.maximum(level.values, LOWEST_DB),
                "background_db": finding.evidence["quiet"].values,
            },
        )
    ]
