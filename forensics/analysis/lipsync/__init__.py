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

from typing import TYPE_CHECKING

import numpy as np

from forensics.analysis.lipsync.charts import charts
from forensics.analysis.lipsync.measure import (
    Comparison,
    at_edge,
    bootstrap_offsets,
    circular_correlation,
    compare,
    measure_offset,
    measure_percentile,
    peak_ms,
)
from forensics.analysis.lipsync.settings import METHOD, Settings
from forensics.analysis.lipsync.signal import GRID_HZ, mouth_opening, mouth_velocity, sound_spectrum, sound_velocity
from forensics.finding import About, Finding, Question
from forensics.timeline import FaceTrack, Interval, Series, intersection, total_s

if TYPE_CHECKING:
    from forensics.pipeline import Scene

__all__ = [
    "ANALYSIS",
    "METHOD",
    "Comparison",
    "Settings",
    "assess",
    "charts",
    "circular_correlation",
    "compare",
    "measure_percentile",
    "mouth_velocity",
    "peak_ms",
    "sound_spectrum",
    "sound_velocity",
]

ANALYSIS = "lipsync"

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
