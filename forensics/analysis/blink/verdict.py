"""What can be said of a person's blinks, or why nothing can."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from forensics.analysis.blink import gaze
from forensics.analysis.blink.events import blinks, described, winks
from forensics.analysis.blink.intervals import between_blinks, measure_intervals, measure_regularity
from forensics.analysis.blink.rate import absences, measure_rate, measure_steady_rate, spoken_share
from forensics.analysis.blink.repeats import repeated_blinks
from forensics.analysis.blink.settings import METHOD, Settings
from forensics.analysis.blink.shape import measure_shape
from forensics.analysis.blink.signal import EYES, openness_error, seen_eye, visible_s
from forensics.finding import About, Finding, Measurement, Question
from forensics.timeline import FaceTrack, Interval, Series, runs, total_s

if TYPE_CHECKING:
    from forensics.scene import Scene

LIMITS = (
    "Brief glances down can be counted as blinks, and blinks during a glance down can be missed.",
    "Only closures of both eyes at once are counted; those of one eye are told as winks.",
    "A lip-synced recording keeps the eyes of its source, so blinking says nothing about it.",
)
ALTERNATIVES = (
    "Rates differ widely between people and with task, light, dry air, contact lenses, fatigue and medication.",
    "An edited recording may have had blinks cut out with its pauses.",
    "A stretch that repeats may have been shown twice by an editor, a player or a stream that stalled.",
)

RATE = Question(
    "blink.rate",
    "The eyes' movement was generated or removed, so that blinks are missing.",
    "The eyes' movement was recorded from a person.",
    METHOD,
    LIMITS,
    ALTERNATIVES,
)


def still(eyes: dict[str, list[Series]], settings: Settings) -> bool:
    """Whether neither eye's openness moves: a picture, a mask or dark glasses, of which no rate can be told."""

    def motion(parts: list[Series]) -> float:
        values = np.concatenate([s.values[np.isfinite(s.values)] for s in parts])
        return float(np.ptp(np.percentile(values, (5, 95)))) if len(values) else 0.0

    return max(motion(parts) for parts in eyes.values()) < settings.least_motion


def refusals(tracks: list[FaceTrack], seen_s: float, error: Measurement | None, settings: Settings) -> tuple[str, ...]:
    """Reason codes why the eyes of these tracks cannot be assessed; empty where they can."""
    pictures = sum(len(t.t_s) for t in tracks)
    eye = np.concatenate([t.quality["eye_width"].values for t in tracks])
    yaw = np.abs(np.concatenate([t.quality["yaw"].values for t in tracks]))
    reasons = []
    if np.median(eye) < settings.smallest_eye_px:
        reasons.append("eyes_too_small")
    if np.median(yaw) > settings.widest_yaw:
        reasons.append("head_turned")
    if pictures / total_s(t.interval for t in tracks) < settings.lowest_fps:
        reasons.append("frame_rate_too_low")
    lost = [t.repeats.lost for t in tracks if t.repeats is not None]
    if not reasons and (
        (error is not None and error.value > settings.most_error) or (lost and np.mean(lost) > settings.most_lost)
    ):
        reasons.append("landmarks_uncertain")
    if not reasons and seen_s < settings.shortest_s:
        reasons.append("too_few_visible_seconds")
    return tuple(reasons)


def assess_rate(
    person: str,
    tracks: list[FaceTrack],
    examined: Interval,
    settings: Settings,
    frozen: Sequence[Interval] = (),
    speech: Sequence[Interval] | None = None,
) -> Finding:
    """Does this person blink as people do, as far as the visible seconds can tell? ``frozen`` pictures show nothing."""
    each = [
        {name: seen_eye(t, name, settings).without(frozen).in_stretches(settings.window_s) for name in EYES}
        for t in tracks
    ]
    eyes = {name: [eye[name].openness for eye in each] for name in EYES}
    seen = [Series("both eyes", r.t_s, r.values + le.values, "1") for r, le in zip(*eyes.values(), strict=True)]
    covered = [Interval(float(s.t_s[a]), float(s.t_s[b - 1])) for s in seen for a, b in runs(np.isfinite(s.values))]
    about = About(examined, settings, covered, person, tuple(t.name for t in tracks))
    seen_s = sum(visible_s(s) for s in seen)
    error = openness_error(tracks, settings)
    if reasons := refusals(tracks, seen_s, error, settings):
        return RATE.refuse(about, *reasons)
    pairs, events = [], []
    for track, pair in zip(tracks, each, strict=True):
        found = blinks(pair, settings)
        pairs += [(both["right"], both["left"]) for _, both in found]
        events += described(found, winks(pair, [dip for dip, _ in found], settings), track, error, settings)
    if not pairs and still(eyes, settings):
        return RATE.refuse(about, "eyes_still")
    peaks_s = [(a.peak_s + b.peak_s) / 2 for a, b in pairs]
    between_s = between_blinks(peaks_s, covered)
    rate = measure_rate(len(pairs), seen_s, settings, spoken=spoken_share(covered, speech))
    measured = (
        rate,
        *measure_shape(pairs),
        measure_intervals(between_s),
        measure_regularity(between_s, settings),
        measure_steady_rate(len(pairs), seen_s, settings),
        error,
    )
    if error is not None:
        events += repeated_blinks(tracks, peaks_s, error.value, settings)
    return RATE.answer(
        about,
        measurements=tuple(m for m in measured if m),
        events=tuple(events),
        evidence={"eyes": eyes, "examined": examined, "seen_s": seen_s, "absences": absences(settings)},
        score=-rate.value,
        score_direction="higher = fewer blinks a minute, as when blinks are missing",
    )


def assess(scene: Scene, settings: Settings) -> list[Finding]:
    """Two findings a person, rates before gaze; two refusals where there is nobody."""
    gazes = gaze.assess_all(scene, settings)
    if not scene.persons:
        return [RATE.refuse(About(scene.interval, settings), scene.nobody), *gazes]
    return [
        assess_rate(person, tracks, scene.interval, settings, scene.freezes, scene.speech)
        for person, tracks in scene.persons.items()
    ] + gazes
