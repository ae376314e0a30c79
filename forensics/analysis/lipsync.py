"""Does this mouth move with this sound, and by how many milliseconds are they apart?

How fast the mouth opens and closes is compared with how fast the sound's spectrum rises and falls, at every lag of
the sound against the lips. Two questions: is the best lag near zero better than the clip's own sound shifted round
in a circle (its own null, nobody else's data needed); and if so, where does that best lag lie.
Reference: Hershey & Movellan 1999 and Slaney & Covell 2000 (audio-visual synchrony by correlation); permutation by
circular shifts as in time series practice; ITU-R BT.1359 for what viewers notice.
Not to be trusted: under about 8 s of speech, under loud music, with several voices, with the mouth covered or turned
away. A high percentile says that mouth and sound belong together in time, which lip synchronisation software also
achieves; a low one says only that no link was found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from forensics import plots
from forensics.finding import ASSESSED, About, Finding, Measurement, Question
from forensics.method import Method, setting
from forensics.statistics import clopper_pearson
from forensics.timeline import Audio, FaceTrack, Interval, Series, chunks, intersection, total_s

if TYPE_CHECKING:
    from forensics.pipeline import Scene

ANALYSIS = "lipsync"
METHOD = Method(
    "correlation of mouth and sound velocities over lags", "1", "after Hershey & Movellan 1999; Slaney & Covell 2000"
)
GRID_HZ = 100.0
#: Landmarks: inner lips, outer lips, forehead and chin; index of the blendshape jawOpen.
INNER, OUTER, FACE, JAW_OPEN = (13, 14), (0, 17), (10, 152), 25
#: The sound's spectrum: rate it is brought to, bands, and their range in Hz.
SOUND_HZ, BANDS, LOWEST_HZ, HIGHEST_HZ = 16000, 26, 80.0, 7600.0
#: What viewers detect and accept, in our sign (ITU-R BT.1359 counts early sound as positive), ms.
DETECTABLE_MS, ACCEPTABLE_MS = (-45, 125), (-90, 185)

LIMITS = (
    "An offset says how the recording's sound and picture lie, not who moved them.",
    "The method's zero is not established: sounds and mouths of untouched recordings measure some tens of ms apart.",
    "Offsets outside the searched lags are not found.",
    "With several faces in view each is set against the same sound; only one that moves with it is assessed.",
)
ALTERNATIVES = (
    "Players, editors, capture cards, wireless microphones and network links shift sound by tens to hundreds of ms.",
    "Dubbing, voice-over, music, another speaker off screen, a covered or hardly moving mouth.",
)

LINK = Question(
    "lipsync.link",
    "The mouth's movement was made for, or recorded with, other sound.",
    "The mouth's movement was recorded with this sound.",
    METHOD,
    LIMITS,
    ALTERNATIVES,
)
OFFSET = Question(
    "lipsync.offset",
    "The sound lies beside the picture by more than recording explains.",
    "Sound and picture lie as recorded.",
    METHOD,
    LIMITS,
    ALTERNATIVES,
)


@dataclass(frozen=True)
class Settings:
    earliest_ms: float = setting(-400.0, "ms", "searched lags; authentic dev clips lie from -203 to +300 (`make real`)")
    latest_ms: float = setting(550.0, "ms", "searched lags; wider ones leave fewer independent shifts for the null")
    smoothing_s: float = setting(0.032, "s", "sigma; a syllable's opening lasts 80 ms or more, a picture 17-42 ms")
    floor_percentile: float = setting(5.0, "%", "of each band: silence of any depth counts as one level")
    least_visible_s: float = setting(5.0, "s", "with sound; below it fewer than three independent shifts remain")
    lowest_fps: float = setting(12.0, "1/s", "a syllable of 0.2 s is then seen at least twice")
    widest_yaw: float = setting(60.0, "deg", "median; beyond it one half of the lips is hidden")
    most_at_edge: float = setting(0.05, "1", "share of resampled offsets at an end of the search")
    least_speech_s: float = setting(2.0, "s", "about ten syllables")
    least_face_px: float = setting(60.0, "px", "face height; the mouth's gap is then 2-4 px")
    least_motion: float = setting(0.004, "1", "standard deviation of the mouth's gap over face height; a still mouth")
    least_z: float = setting(
        3.5,
        "1",
        "an offset is read only beyond it; strangers' sound reaches it in about 1 of "
        "100 pairings of dev clips (`make real` prints it)",
    )
    block_s: float = setting(1.0, "s", "of the bootstrap: longer than a word")
    resamples: int = setting(400, "1", "of the bootstrap; seed 0")
    systematic_ms: float = setting(
        40.0,
        "ms",
        "half width added to the statistical interval: one picture at 25/s; the "
        "method's zero is not established more closely (`make real` prints the offsets)",
    )
    widest_ms: float = setting(160.0, "ms", "full statistical width beyond which several offsets fit")
    longest_gap_s: float = setting(0.2, "s", "without a picture of the mouth")


# -- signal ----------------------------------------------------------------------------------------------------------


def mouth_opening(track: FaceTrack) -> Series:
    """Gap of the inner lips over face height: (n,)."""
    return Series("mouth opening", track.t_s, _mouth(track)[:, 0], "of face height")


def _mouth(track: FaceTrack) -> np.ndarray:
    """Inner gap, outer gap (both over face height), jaw opening 0-1: (n, 3)."""
    parts = []
    for rows in chunks(len(track.t_s), 512):
        points = track.landmarks[rows]
        inner, outer, face = (np.linalg.norm(points[:, a] - points[:, b], axis=1) for a, b in (INNER, OUTER, FACE))
        parts.append(np.stack([inner / face, outer / face, track.blendshapes[rows][:, JAW_OPEN]], 1))
    return np.concatenate(parts)


def mouth_velocity(track: FaceTrack, grid: np.ndarray, settings: Settings) -> np.ndarray:
    """How fast the mouth opens, mean of three standardised measures, on ``grid``; NaN where not measured."""
    total = np.zeros(len(grid))
    for column in _mouth(track).T:
        total += _standard(_velocity(Series("", track.t_s, column, "1").at(grid, settings.longest_gap_s), settings))
    return total / 3


def sound_spectrum(audio: Audio, window_s: float = 30.0, margin_s: float = 0.2) -> Series:
    """Logarithm of the power in mel bands, (n, 26), by 10 ms, computed in windows."""
    import librosa

    step = round(SOUND_HZ / GRID_HZ)
    highest = min(HIGHEST_HZ, 0.475 * audio.rate_hz)
    times, levels = [], []
    for window in audio.windows(window_s):
        # The margin keeps the windows' edges out of the result.
        block, start_s = audio.mono(Interval(window.start_s - margin_s, window.end_s + margin_s))
        sound = librosa.resample(block, orig_sr=audio.rate_hz, target_sr=SOUND_HZ)
        power = librosa.feature.melspectrogram(
            y=sound, sr=SOUND_HZ, n_fft=512, hop_length=step, n_mels=BANDS, fmin=LOWEST_HZ, fmax=highest
        )
        t_s = start_s + np.arange(power.shape[1]) / GRID_HZ
        own = (t_s >= window.start_s - 1e-9) & (t_s < window.end_s - 1e-9)
        times.append(t_s[own])
        levels.append(np.log(power.T[own] + 1e-7).astype(np.float32))
    return Series("sound spectrum", np.concatenate(times), np.concatenate(levels), "log power")


def sound_velocity(spectrum: Series, grid: np.ndarray, settings: Settings) -> np.ndarray:
    """How fast the mean level of all bands rises, standardised, on ``grid``; NaN outside the sound."""
    floored = np.maximum(spectrum.values, np.percentile(spectrum.values, settings.floor_percentile, axis=0))
    level = Series("", spectrum.t_s, floored.mean(1), "log power").at(grid, 0.1)
    return _standard(_velocity(level, settings))


def _velocity(values: np.ndarray, settings: Settings) -> np.ndarray:
    """Smoothed slope per step; holes are bridged for the smoothing and stay holes."""
    hole = ~np.isfinite(values)
    if hole.all():
        return values
    known = np.flatnonzero(~hole)
    whole = np.interp(np.arange(len(values)), known, values[known])
    slope = ndimage.gaussian_filter1d(whole, settings.smoothing_s * GRID_HZ, order=1)
    return np.where(hole, np.nan, slope)


def _standard(values: np.ndarray) -> np.ndarray:
    spread = np.nanstd(values) if np.isfinite(values).any() else 0.0
    return (values - np.nanmean(values)) / spread if spread > 0 else np.zeros(len(values))


# -- measurement -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """Correlation at every circular shift; the searched lags; the peak among them, and the clip's own null."""

    lags_ms: np.ndarray  # searched, ascending; positive = the sound comes after the lips
    correlation: np.ndarray  # at the searched lags
    z: float  # peak in standard deviations of the correlations at far shifts
    null_mean: float
    null_sd: float
    beaten: float  # share of far shifts whose own best lag is below the peak
    independent: int  # of those shifts, how many do not overlap


def circular_correlation(mouth: np.ndarray, sound: np.ndarray) -> np.ndarray:
    """Mean product of ``mouth`` (n,) with ``sound`` (n,) taken k steps later, for k = 0 … n-1, round a circle."""
    return np.fft.irfft(np.fft.rfft(mouth).conj() * np.fft.rfft(sound), len(mouth)) / len(mouth)


def _searched(settings: Settings) -> np.ndarray:
    return np.arange(round(settings.earliest_ms / 1000 * GRID_HZ), round(settings.latest_ms / 1000 * GRID_HZ) + 1)


def compare(mouth: np.ndarray, sound: np.ndarray, settings: Settings) -> Comparison:
    """Set the searched lags against all far circular shifts of the clip's own sound."""
    n, lags = len(mouth), _searched(settings)
    correlation = circular_correlation(np.nan_to_num(mouth), np.nan_to_num(sound))
    best_near = ndimage.maximum_filter1d(correlation, len(lags), mode="wrap", origin=-(lags[0] + len(lags) // 2))
    shifts = np.arange(n)
    far = np.minimum(shifts, n - shifts) > len(lags)
    if not far.any():
        far[n // 2] = True
    peak = correlation[lags % n].max()
    null = correlation[far]
    return Comparison(
        lags / GRID_HZ * 1000,
        correlation[lags % n],
        float((peak - null.mean()) / max(null.std(), 1e-12)),
        float(null.mean()),
        float(null.std()),
        float((best_near[far] < peak).mean()),
        max(1, int(far.sum() // len(lags))),
    )


def measure_percentile(comparison: Comparison, level: float = 0.95) -> Measurement:
    """Share of shifted sounds that fit worse, with the Clopper-Pearson interval for the independent ones.

    As a permutation test its finest step is 1/(shifts + 1), so that even a perfect clip stays below 100 %.
    """
    n = comparison.independent
    k = comparison.beaten * n
    low, high = clopper_pearson(k, n, level)
    return Measurement(
        "sync_percentile",
        100 * k / (n + 1),
        "%",
        100 * low,
        100 * high,
        level,
        n,
        METHOD.name,
        f"no published range; {n} shifts that do not overlap, so the finest step is {100 / (n + 1):.1f} %; "
        "the interval is that of the share of shifts beaten",
    )


def peak_ms(lags_ms: np.ndarray, correlation: np.ndarray) -> float:
    """Lag of the highest correlation, refined by a parabola through its neighbours."""
    k = int(correlation.argmax())
    if 0 < k < len(correlation) - 1:
        before, here, after = correlation[k - 1 : k + 2]
        bend = before - 2 * here + after
        if bend < 0:
            return float(lags_ms[k] + (before - after) / (2 * bend) * (lags_ms[1] - lags_ms[0]))
    return float(lags_ms[k])


def bootstrap_offsets(mouth: np.ndarray, sound: np.ndarray, settings: Settings) -> np.ndarray:
    """Peak lags in ms of resampled recordings: blocks of time drawn with replacement (resamples,)."""
    mouth, sound, lags = np.nan_to_num(mouth), np.nan_to_num(sound), _searched(settings)
    size = round(settings.block_s * GRID_HZ)
    n = len(mouth) // size
    # Products of each block of the mouth with the sound at each lag: resampling blocks is then a weighted sum.
    padded = np.pad(sound, (-lags[0], lags[-1] + 1))
    products = np.array(
        [
            [
                mouth[b * size : (b + 1) * size] @ padded[b * size + lag - lags[0] : (b + 1) * size + lag - lags[0]]
                for lag in lags
            ]
            for b in range(n)
        ]
    )
    draws = np.random.default_rng(0).integers(0, n, (settings.resamples, n))
    return np.array([peak_ms(lags / GRID_HZ * 1000, products[draw].sum(0)) for draw in draws])


def at_edge(comparison: Comparison, offsets: np.ndarray) -> float:
    """Share of the resampled offsets at an end of the search; 1 where the best lag itself lies there."""
    lags = comparison.lags_ms
    if peak_ms(lags, comparison.correlation) in (lags[0], lags[-1]):
        return 1.0
    return float(np.isin(offsets, (lags[0], lags[-1])).mean())


def measure_offset(comparison: Comparison, offsets: np.ndarray, n_blocks: int, settings: Settings) -> Measurement:
    """Best lag with the bootstrap's 95 % interval, widened on both sides by the systematic part."""
    value = peak_ms(comparison.lags_ms, comparison.correlation)
    low, high = np.percentile(offsets, (2.5, 97.5))
    return Measurement(
        "av_offset",
        value,
        "ms",
        min(low, value) - settings.systematic_ms,
        max(high, value) + settings.systematic_ms,
        0.95,
        n_blocks,
        METHOD.name,
        f"viewers detect beyond {DETECTABLE_MS[0]} / +{DETECTABLE_MS[1]} ms and accept {ACCEPTABLE_MS[0]} / "
        f"+{ACCEPTABLE_MS[1]} ms (ITU-R BT.1359); a fact about the recording, not an alarm",
    )


# -- verdict ---------------------------------------------------------------------------------------------------------


def refusals(
    track: FaceTrack, spoken: list[Interval] | None, heard: Interval | None, settings: Settings
) -> tuple[str, ...]:
    """Reason codes why this track cannot be compared with the sound, ``heard``; empty where it can."""
    if spoken is None:
        return ("no_sound",)
    reasons = []
    if np.median(track.quality["face_height"].values) < settings.least_face_px:
        reasons.append("face_too_small")
    if np.median(np.abs(track.quality["yaw"].values)) > settings.widest_yaw:
        reasons.append("head_turned")
    if len(track.t_s) / track.interval.duration < settings.lowest_fps:
        reasons.append("frame_rate_too_low")
    if heard is not None and ((common := track.interval & heard) is None or common.duration < settings.least_visible_s):
        reasons.append("too_few_visible_seconds")
    speech_s = total_s(intersection(spoken, [track.interval]))
    if speech_s == 0:
        reasons.append("no_speech")
    elif speech_s < settings.least_speech_s:
        reasons.append("too_little_speech")
    if not reasons and np.std(mouth_opening(track).values) < settings.least_motion:
        reasons.append("mouth_still")
    return tuple(reasons)


def assess_person(
    person: str,
    tracks: list[FaceTrack],
    spectrum: Series | None,
    spoken: list[Interval] | None,
    examined: Interval,
    settings: Settings,
    accompanied: bool = False,
) -> list[Finding]:
    """Two findings, of the link and of the offset, from the person's longest appearance.

    ``accompanied``: other faces are in view while someone speaks, so that a mouth without a link may be a listener's.
    """
    track = max(tracks, key=lambda t: t.interval.duration)
    heard = Interval(float(spectrum.t_s[0]), float(spectrum.t_s[-1])) if spectrum is not None else None
    about = About(examined, settings, intersection(spoken or [], [track.interval]), person, (track.name,))
    if reasons := refusals(track, spoken, heard, settings):
        return [question.refuse(about, *reasons) for question in (LINK, OFFSET)]
    assert spectrum is not None and heard is not None
    common = Interval(float(track.t_s[0]), float(track.t_s[-1])) & heard
    assert common is not None
    grid = np.arange(common.start_s, common.end_s, 1 / GRID_HZ)
    mouth, sound = mouth_velocity(track, grid, settings), sound_velocity(spectrum, grid, settings)
    comparison = compare(mouth, sound, settings)
    if accompanied and comparison.z < settings.least_z:
        return [question.refuse(about, "several_faces") for question in (LINK, OFFSET)]
    evidence = {
        "comparison": comparison,
        "examined": examined,
        "spoken": spoken,
        "mouth": Series("mouth velocity", grid, mouth, "standard deviations"),
        "sound": Series("sound velocity", grid, sound, "standard deviations"),
    }
    linked = LINK.answer(
        about,
        measurements=(measure_percentile(comparison),),
        evidence=evidence,
        score=comparison.z,
        score_direction="higher = mouth and sound move together more than shifted sound does",
    )
    if comparison.z < settings.least_z:
        return [linked, OFFSET.refuse(about, "sync_not_established")]
    offsets = bootstrap_offsets(mouth, sound, settings)
    if at_edge(comparison, offsets) > settings.most_at_edge:
        return [linked, OFFSET.refuse(about, "offset_outside_search")]
    if np.ptp(np.percentile(offsets, (2.5, 97.5))) > settings.widest_ms:
        return [linked, OFFSET.refuse(about, "offset_not_unique")]
    measured = measure_offset(comparison, offsets, int(len(grid) / GRID_HZ / settings.block_s), settings)
    return [
        linked,
        OFFSET.answer(
            about,
            measurements=(measured,),
            evidence=evidence | {"offsets": offsets},
            score=measured.value,
            score_direction="positive = the sound comes after the lips, ms",
        ),
    ]


def assess(scene: Scene, settings: Settings) -> list[Finding]:
    """Two findings a person; two refusals where there is nobody."""
    if scene.persons and scene.speech is None:
        return [
            question.refuse(About(scene.interval, settings, (), person, tuple(t.name for t in tracks)), scene.soundless)
            for person, tracks in scene.persons.items()
            for question in (LINK, OFFSET)
        ]
    if not scene.persons:
        reasons = (scene.nobody,) if scene.speech is not None else (scene.nobody, scene.soundless)
        return [question.refuse(About(scene.interval, settings), *reasons) for question in (LINK, OFFSET)]
    audio = scene.observation.audio
    spectrum = sound_spectrum(audio) if audio is not None and scene.speech else None
    return [
        finding
        for person, tracks in scene.persons.items()
        for finding in assess_person(
            person,
            tracks,
            spectrum,
            scene.speech,
            scene.interval,
            settings,
            accompanied(person, scene.tracks, scene.speech or []),
        )
    ]


def accompanied(person: str, tracks: list[FaceTrack], spoken: list[Interval]) -> bool:
    """Whether another person's face is in view together with this one while someone speaks."""
    own, others = ([t.interval for t in tracks if (t.person == person) is same] for same in (True, False))
    return total_s(intersection(intersection(own, others), spoken)) > 0


# -- charts ----------------------------------------------------------------------------------------------------------


def plot_link(finding: Finding, ax: Any) -> None:
    """Correlation over the searched lags against the clip's own null."""
    found: Comparison = finding.evidence["comparison"]
    ax.axhspan(
        found.null_mean - 2 * found.null_sd,
        found.null_mean + 2 * found.null_sd,
        color=plots.GREY,
        alpha=0.25,
        lw=0,
        label="shifted sound, ± 2 standard deviations",
    )
    ax.plot(found.lags_ms, found.correlation, color=plots.BLUE, label="this sound")
    ax.axhline(
        found.null_mean + finding.settings.least_z * found.null_sd,
        color=plots.BLACK,
        ls=":",
        lw=0.8,
        label="needed to read an offset",
    )
    ax.set_xlabel("lag of the sound (ms; positive = after the lips)")
    ax.set_ylabel("correlation")
    plots.legend(ax)


def plot_signals(finding: Finding, ax: Any) -> None:
    """Both velocities over time, one below the other, with speech shaded and the rest hatched."""
    mouth, sound = finding.evidence["mouth"], finding.evidence["sound"]
    drawn: Any = dict(lw=0.8, rasterized=plots.many(mouth.t_s))
    ax.plot(mouth.t_s, mouth.values + 3, color=plots.ORANGE, **drawn)
    ax.plot(sound.t_s, sound.values - 3, color=plots.BLUE, ls=(0, (4, 1)), **drawn)
    ax.set_yticks([-3, 3], ["sound", "mouth"])
    ax.set_ylim(-8, 8)
    ax.set_ylabel("velocity (standard\ndeviations, shifted)")
    plots.shade(ax, finding.evidence["spoken"], "speech detected")
    plots.missing(ax, finding.evidence["examined"], [Interval(float(mouth.t_s[0]), float(mouth.t_s[-1]))])
    plots.time_axis(ax, finding.evidence["examined"])
    plots.legend(ax)


@plots.styled
def charts(finding: Finding) -> list[plots.Chart]:
    """One chart of both velocities and their correlation over lags, for the link; none of a refusal."""
    if finding.state != ASSESSED or finding.question != "lipsync.link":
        return []
    fig, axes = plots.figure(rows=2, row_mm=50)
    plot_signals(finding, axes[0])
    plot_link(finding, axes[1])
    found = finding.evidence["comparison"]
    return [
        plots.Chart(
            "lipsync",
            fig,
            f"Above: how fast the mouth of person {finding.person} opens and the sound rises. Below: their "
            "correlation at "
            "each lag, against the band that shifted sound gives. Notice whether one peak stands clear of the "
            "band, and "
            "where. It does not show who spoke, nor whether software made the mouth fit.",
            "Two charts: velocities of mouth and sound over time; correlation over lags with a grey band of chance.",
            {"lag_ms": found.lags_ms, "correlation": found.correlation},
        )
    ]
