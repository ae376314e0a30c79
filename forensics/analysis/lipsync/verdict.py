"""Answers and refusals: of each person whether and when the lips follow this sound, of the clip who is heard."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from forensics.analysis.lipsync import words
from forensics.analysis.lipsync.closure import close, measure_rank, measure_rate
from forensics.analysis.lipsync.components import Components, take
from forensics.analysis.lipsync.coverage import (
    Watched,
    accounted,
    gap_on,
    lips_without_speech,
    measure_share,
    speech_without_lips,
    stretches,
    watch,
)
from forensics.analysis.lipsync.kinematics import gestures, measure, measured_s, move, rate_of
from forensics.analysis.lipsync.measure import (
    Comparison,
    at_edge,
    bootstrap_offsets,
    compare,
    course,
    jump,
    measure_drift,
    measure_offset,
    measure_opening_error,
    measure_percentile,
    seen_blocks,
    strips,
    swapped_peaks,
)
from forensics.analysis.lipsync.model import shipped
from forensics.analysis.lipsync.questions import CHOSEN, CLOSURE, COVERAGE, KINEMATICS, LINK, OFFSET, SPEAKER, WORDS
from forensics.analysis.lipsync.settings import Settings
from forensics.analysis.lipsync.signal import (
    GRID_HZ,
    mouth_opening,
    repeated_openings,
    sound_spectrum,
)
from forensics.analysis.lipsync.speaker import Turn, Windows, follow, measure_known, turns, without
from forensics.finding import About, Event, Finding
from forensics.speech import BILABIALS, phonemes
from forensics.timeline import Audio, FaceTrack, Interval, Series, inside, intersection, repeatability, total_s, union

if TYPE_CHECKING:
    from forensics.scene import Scene


#: Asked of a person in the same time and refused for the same reasons.
PAIRED = LINK, OFFSET, CLOSURE, KINEMATICS


@dataclass(frozen=True)
class Heard:
    """What this analysis takes from the sound alone: its spectrum, and its /p b m/ as they were decoded."""

    spectrum: Series
    bilabials: list[Interval]


def hear(audio: Audio, spoken: list[Interval], settings: Settings) -> Heard | None:
    """It can be computed while the pictures are looked at; None where nobody speaks."""
    if not spoken:
        return None
    return Heard(sound_spectrum(audio), [p.interval for p in phonemes(audio) if p.name in BILABIALS])


def assess(scene: Scene, settings: Settings) -> list[Finding]:
    """Who is heard, once; link and offset of each person; refusals where there is nobody or no sound."""
    missing = [] if scene.persons else [scene.nobody]
    missing += [] if scene.speech is not None else [scene.soundless]
    if missing:
        about = About(scene.interval, settings)
        persons = [About(scene.interval, settings, (), p, tuple(t.name for t in ts)) for p, ts in scene.persons.items()]
        asked = (*PAIRED, COVERAGE, *([WORDS] if scene.told else []))
        answers = [question.refuse(a, *missing) for a in persons or [about] for question in asked]
        return [*answers, SPEAKER.refuse(about, *missing)]
    assert scene.speech is not None and scene.observation.audio is not None
    heard = scene.heard["lipsync"] if scene.heard else hear(scene.observation.audio, scene.speech, settings)
    rivals, compared = candidates(scene, heard, settings)
    wanted = {t.name: t for t in (*rivals, *(t for tracks in compared.values() for t in tracks))}
    parts = take(wanted.values(), heard.spectrum, scene.interval, settings, shipped()) if heard else None
    speaking = find_speaker(scene, rivals, parts, settings)
    watched = {
        person: watch_person(tracks, scene, parts if person in compared else None, settings)
        for person, tracks in scene.persons.items()
    }
    answers = [
        finding
        for person, tracks in scene.persons.items()
        for finding in (
            *assess_person(person, tracks, scene, heard, parts, watched[person], speaking, settings),
            assess_coverage(person, tracks, scene, watched, settings),
        )
    ]
    return [*answers, *assess_words(answers, scene, watched), assess_speaker(scene, speaking, settings)]


def assess_words(answers: list[Finding], scene: Scene, watched: dict[str, Watched]) -> list[Finding]:
    """The lips of each person at the words told, from the findings on their offset; nothing where none were told."""
    if scene.told is None:
        return []
    offsets = {f.person: f for f in answers if f.question == OFFSET.slug}
    return [words.answer(p, tracks, scene, offsets[p], watched[p].gap) for p, tracks in scene.persons.items()]


# -- one person ------------------------------------------------------------------------------------------------------


def assess_person(
    person: str,
    tracks: list[FaceTrack],
    scene: Scene,
    heard: Heard | None,
    parts: Components | None,
    watched: Watched,
    speaking: Speaking,
    settings: Settings,
) -> list[Finding]:
    """Four findings, of the link, the offset, the closures and the kinematics, over all of the person's ``tracks``.

    While others are in view only the time counts in which the person is known to speak.
    """
    spoken, subjects = scene.speech or [], tuple(t.name for t in tracks)
    spectrum = heard.spectrum if heard else None
    within = [t.interval for t in tracks]
    reasons = refusals(tracks, within, spoken, spectrum, settings)
    chosen = not reasons and accompanied(person, scene.tracks, spoken)
    if chosen:
        within = own_time(person, scene.tracks, speaking)
        if refusals(tracks, within, spoken, spectrum, settings):
            reasons = (unsettled(person, tracks, speaking),)
    about = About(scene.interval, settings, intersection(spoken, within), person, subjects)
    if reasons:
        return [question.refuse(about, *reasons) for question in PAIRED]
    assert heard is not None and parts is not None
    mouth, sound = parts.pair(tracks, within)
    if np.isfinite(mouth.values).all(1).sum() / GRID_HZ < settings.least_visible_s:  # in view, but too seldom seen
        return [question.refuse(about, "too_few_visible_seconds") for question in PAIRED]
    comparison = compare(mouth.values, sound.values, settings)
    orders = settings.least_null - comparison.independent
    evidence = {
        "comparison": comparison,
        "swapped": swapped_peaks(mouth.values, sound.values, orders, settings),
        "examined": scene.interval,
        "spoken": spoken,
        "within": within,
        "mouth": mouth,
        "sound": sound,
        "opening": [mouth_opening(track) for track in tracks],
        "opening_error": repeatability(repeated_openings(tracks)),
    }
    answers = [answer_link(about, evidence, tracks), answer_offset(about, evidence)]
    answers.append(answer_closure(about, answers[1], watched.gap, heard.bilabials, within))
    answers.append(answer_kinematics(about, tracks, scene))
    return [_as_chosen(a) for a in answers] if chosen and speaking.of(person) else answers


def _as_chosen(finding: Finding) -> Finding:
    """A finding on time that was chosen because the mouth moved with the sound there: no score, and it says so."""
    return replace(finding, score=None, score_direction="", limits=(CHOSEN, *finding.limits))


def refusals(
    tracks: list[FaceTrack],
    within: list[Interval],
    spoken: list[Interval],
    spectrum: Series | None,
    settings: Settings,
) -> tuple[str, ...]:
    """Reason codes why these tracks cannot be compared with the sound ``within`` this time; empty where they can."""
    reasons = unfit(tracks, settings)
    if spectrum is not None and heard_s(within, spectrum) < settings.least_visible_s:
        reasons.append("too_few_visible_seconds")
    speech_s = total_s(intersection(spoken, within))
    if speech_s == 0:
        reasons.append("no_speech")
    elif speech_s < settings.least_speech_s:
        reasons.append("too_little_speech")
    if not reasons and still(tracks, settings):
        reasons.append("mouth_still")
    return tuple(reasons)


def heard_s(within: list[Interval], spectrum: Series) -> float:
    """Seconds of ``within`` that have sound."""
    return total_s(intersection(within, [Interval(float(spectrum.t_s[0]), float(spectrum.t_s[-1]))]))


def comparable(tracks: list[FaceTrack], spectrum: Series, settings: Settings) -> bool:
    """Whether these tracks, over all of their time, can be compared with the sound."""
    return not unfit(tracks, settings) and heard_s([t.interval for t in tracks], spectrum) >= settings.least_visible_s


def unfit(tracks: list[FaceTrack], settings: Settings) -> list[str]:
    """Reason codes why a mouth cannot be measured in these tracks."""

    def all_of(name: str) -> np.ndarray:
        return np.concatenate([t.quality[name].values for t in tracks])

    reasons = []
    if np.median(all_of("face_height")) < settings.least_face_px:
        reasons.append("face_too_small")
    if np.median(np.abs(all_of("yaw"))) > settings.widest_yaw:
        reasons.append("head_turned")
    if sum(len(t.t_s) for t in tracks) / sum(t.interval.duration for t in tracks) < settings.lowest_fps:
        reasons.append("frame_rate_too_low")
    return reasons


def still(tracks: list[FaceTrack], settings: Settings) -> bool:
    """Whether the mouth moves no more than a still one, or than the landmarks' own error, where that is known."""
    moved = np.std(np.concatenate([mouth_opening(t).values for t in tracks]))
    error = repeatability(repeated_openings(tracks))
    return bool(moved < np.fmax(settings.least_motion, settings.error_ratio * error))  # fmax: an unknown error is NaN


def answer_link(about: About, evidence: dict[str, Any], tracks: list[FaceTrack]) -> Finding:
    """Rank of this sound among its shifted copies, and the error of the mouth's opening where it was sampled."""
    comparison, openings = evidence["comparison"], repeated_openings(tracks)
    return LINK.answer(
        about,
        measurements=(
            measure_percentile(comparison, evidence["swapped"]),
            *([measure_opening_error(openings)] if len(openings) else []),
        ),
        evidence=evidence,
        score=comparison.z,
        score_direction="higher = mouth and sound move together more than shifted sound does",
    )


def answer_offset(about: About, evidence: dict[str, Any]) -> Finding:
    """The lag between lips and sound, how it runs, and where it jumps; or why none can be read."""
    settings, comparison = about.settings, evidence["comparison"]
    mouth, sound = evidence["mouth"], evidence["sound"]
    jumped = jump(mouth, sound, settings)
    events = (jumped,) if jumped else ()
    if comparison.z < settings.least_z:  # both sides of a jump may stand clear where the whole does not
        return replace(OFFSET.refuse(about, "sync_not_established"), events=events)
    offsets = bootstrap_offsets(mouth.values, sound.values, settings)
    if reason := unreadable(comparison, offsets, settings):
        return replace(OFFSET.refuse(about, reason), events=events)
    measured = measure_offset(comparison, offsets, len(seen_blocks(mouth.values, settings)), settings)
    along = course(mouth, sound, settings)
    drift = measure_drift(along, settings)
    return OFFSET.answer(
        about,
        measurements=(measured, *([drift] if drift else [])),
        events=events,
        evidence=evidence
        | {
            "offsets": offsets,
            "course": along,
            "strips": strips(mouth, sound, measured.value, evidence["spoken"], settings),
        },
        score=measured.value,
        score_direction="positive = the sound comes after the lips, ms",
    )


def answer_closure(
    about: About, offset: Finding, gap: Series, bilabials: list[Interval], within: list[Interval]
) -> Finding:
    """Whether the lips are closed at the sound's /p b m/, brought to them by the offset; refused without one."""
    settings = about.settings
    if offset.reasons:
        return CLOSURE.refuse(about, *offset.reasons)
    own = replace(gap, values=np.where(inside(gap.t_s, within), gap.values, np.nan))
    found = close(own, bilabials, offset.measurements[0].value / 1000, settings)
    if found is None:
        return CLOSURE.refuse(about, "too_few_bilabials")
    return CLOSURE.answer(
        about,
        measurements=(measure_rate(found, settings), measure_rank(found)),
        evidence={"closures": found},
        score=found.closeness - float(found.null.mean()),
        score_direction="higher = the lips are closer at p, b and m than at shifted times",
    )


def answer_kinematics(about: About, tracks: list[FaceTrack], scene: Scene) -> Finding:
    """How the mouth moves in the covered speech; facts only."""
    settings = about.settings
    if rate_of(tracks) < settings.least_kinematics_fps:
        return KINEMATICS.refuse(about, "frame_rate_too_low")
    grid = np.arange(scene.interval.start_s, scene.interval.end_s, 1 / GRID_HZ)
    movement = move(tracks, list(about.covered), grid, settings)
    if measured_s(movement) < settings.least_kinematics_s:
        return KINEMATICS.refuse(about, "too_little_speech")
    return KINEMATICS.answer(
        about,
        measurements=tuple(measure(movement, settings)),
        evidence={"movement": movement, "gestures": gestures(movement, settings), "examined": scene.interval},
    )


def unreadable(comparison: Comparison, offsets: np.ndarray, settings: Settings) -> str:
    """Reason code why an established link has no single offset; "" where it has one."""
    if at_edge(comparison, offsets) > settings.most_at_edge:
        return "offset_outside_search"
    return "offset_not_unique" if np.ptp(np.percentile(offsets, (2.5, 97.5))) > settings.widest_ms else ""


# -- speech without lips, lips without speech ------------------------------------------------------------------------


def watch_person(tracks: list[FaceTrack], scene: Scene, parts: Components | None, settings: Settings) -> Watched:
    """What a person's mouth does in the examined time, while someone speaks and while nobody does.

    ``parts`` is None where this person's lips cannot be compared with the sound.
    """
    audio, spoken = scene.observation.audio, scene.speech or []
    assert audio is not None
    grid = np.arange(scene.interval.start_s, scene.interval.end_s, 1 / GRID_HZ)
    gap = gap_on([] if unfit(tracks, settings) else tracks, grid, settings)
    seen, in_view = stretches(np.isfinite(gap.values), grid), [t.interval for t in tracks]
    pair = parts.pair(tracks, seen) if parts and total_s(seen) >= settings.least_visible_s else None
    return watch(gap, in_view, pair, spoken, quiet(audio, spoken, settings), settings)


def quiet(audio: Audio, spoken: list[Interval], settings: Settings) -> list[Interval]:
    """When sound was recorded without speech in or near it."""
    wide = [Interval(i.start_s - settings.speech_margin_s, i.end_s + settings.speech_margin_s) for i in spoken]
    return without([audio.interval], [*wide, *audio.gaps])


def assess_coverage(
    person: str, tracks: list[FaceTrack], scene: Scene, watched: dict[str, Watched], settings: Settings
) -> Finding:
    """Where speech and this person's mouth do not go together; facts only."""
    own, audio, spoken = watched[person], scene.observation.audio, scene.speech or []
    assert audio is not None
    others = [other for name, other in watched.items() if name != person]
    alone = accounted(own, others, [t.interval for t in (*scene.brief, *scene.set_aside)])
    speech, hushed = intersection(spoken, alone), intersection(quiet(audio, spoken, settings), own.seen)
    about = About(scene.interval, settings, [*speech, *hushed], person, tuple(t.name for t in tracks))
    events = [*speech_without_lips(own, alone, spoken, settings), *lips_without_speech(own, settings)]
    asked = (
        ("speech_without_lips", total_s(speech), settings.course_s, "speech with this face in view"),
        ("lips_without_speech", total_s(hushed), settings.still_s, "sound without speech, with this face in view"),
    )
    shares = tuple(
        measure_share(kind, sum(e.details["seconds"] for e in events if e.kind == kind), of_s, window_s, of)
        for kind, of_s, window_s, of in asked
        if of_s >= settings.least_speech_s
    )
    if not shares:
        watched_s = total_s(intersection(spoken, own.seen))
        hidden = "too_little_speech" if watched_s <= total_s(speech) else "several_faces"
        if not watched_s:
            hidden = "too_few_visible_seconds"
        return COVERAGE.refuse(about, *(unfit(tracks, settings) or [hidden]))
    evidence = {"watched": own, "spoken": spoken, "examined": scene.interval}
    return COVERAGE.answer(about, measurements=shares, events=tuple(sorted(events, key=_start)), evidence=evidence)


def _start(event: Event) -> Interval:
    return event.interval


# -- several faces ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Speaking:
    """Who was found to speak: the tracks compared, their windows, and the turns, in s of the clip."""

    tracks: tuple[FaceTrack, ...] = ()
    windows: Windows | None = None
    turns: tuple[Turn, ...] = ()

    def person(self, turn: Turn) -> str:
        return self.tracks[turn.face].person

    def of(self, person: str) -> list[Interval]:
        return union(turn.interval for turn in self.turns if self.person(turn) == person)


def candidates(
    scene: Scene, heard: Heard | None, settings: Settings
) -> tuple[tuple[FaceTrack, ...], dict[str, list[FaceTrack]]]:
    """Tracks whose mouth can be measured and moves: one of them may speak; and by person those that can be compared
    with the sound over all of their time."""
    if heard is None:
        return (), {}
    rivals = tuple(t for t in scene.tracks if not unfit([t], settings) and not still([t], settings))
    return rivals, {p: own for p, own in scene.persons.items() if comparable(own, heard.spectrum, settings)}


def find_speaker(scene: Scene, rivals: tuple[FaceTrack, ...], parts: Components | None, settings: Settings) -> Speaking:
    """Compare the lips of all ``rivals`` with the sound of the examined time."""
    if parts is None or not rivals:
        return Speaking(rivals)
    lips = [parts.weighted_lips(track.name) for track in rivals]
    windows = follow(lips, parts.weighted_sound(), scene.speech or [], settings)
    if windows is None:
        return Speaking(rivals)
    found = tuple(
        replace(turn, interval=common)
        for turn in turns(windows, settings)
        if (common := turn.interval & rivals[turn.face].interval)
    )
    return Speaking(rivals, windows, found)


def own_and_others(person: str, tracks: list[FaceTrack]) -> tuple[list[Interval], list[Interval]]:
    """When the person is in view, and when others are."""
    own = [t.interval for t in tracks if t.person == person]
    return own, [t.interval for t in tracks if t.person != person]


def accompanied(person: str, tracks: list[FaceTrack], spoken: list[Interval]) -> bool:
    """Whether another person's face is in view together with this one while someone speaks."""
    own, others = own_and_others(person, tracks)
    return total_s(intersection(intersection(own, others), spoken)) > 0


def own_time(person: str, tracks: list[FaceTrack], speaking: Speaking) -> list[Interval]:
    """Time in which the person is alone in view or found to speak."""
    own, others = own_and_others(person, tracks)
    return union([*without(own, others), *speaking.of(person)])


def unsettled(person: str, tracks: list[FaceTrack], speaking: Speaking) -> str:
    """Reason code why an accompanied person has too little time of their own."""
    if speaking.of(person):
        return "too_little_speech"
    own = [t.interval for t in tracks]
    others = [turn.interval for turn in speaking.turns if speaking.person(turn) != person]
    return "not_the_speaker" if intersection(own, others) else "several_faces"


# -- who is heard ----------------------------------------------------------------------------------------------------


def assess_speaker(scene: Scene, speaking: Speaking, settings: Settings) -> Finding:
    """Which face moves with the sound, by interval; facts only."""
    spoken, windows = scene.speech or [], speaking.windows
    seen = intersection(spoken, [t.interval for t in speaking.tracks])
    about = About(scene.interval, settings, seen, None, tuple(t.name for t in speaking.tracks))
    if windows is None:
        return SPEAKER.refuse(about, *_why_nobody(scene, speaking, settings))
    known = intersection(spoken, [turn.interval for turn in speaking.turns])
    return SPEAKER.answer(
        about,
        measurements=(measure_known(total_s(known), total_s(seen), settings),),
        events=tuple(sorted([*_turns(speaking), *_out_of_view(scene, settings)], key=_start)),
        evidence={
            "windows": windows,
            "persons": [track.person for track in speaking.tracks],
            "turns": [(speaking.person(turn), turn.interval) for turn in speaking.turns],
            "spoken": spoken,
            "examined": scene.interval,
        },
        score=windows.lag_z,
        score_direction="higher = at one lag the faces in view move with the sound more than with shifted sound",
    )


def _why_nobody(scene: Scene, speaking: Speaking, settings: Settings) -> list[str]:
    if not scene.speech:
        return ["no_speech"]
    if not speaking.tracks:
        return unfit(scene.tracks, settings) or ["mouth_still"]
    in_view = total_s(intersection(scene.speech, [t.interval for t in speaking.tracks]))
    return ["too_little_speech" if in_view < settings.least_spoken * settings.window_s else "too_few_visible_seconds"]


def _turns(speaking: Speaking) -> list[Event]:
    """One event an interval in which a face is named, with how clearly."""
    return [
        Event(
            "speaks",
            turn.interval,
            f"The mouth of person {speaking.person(turn)} moves with the sound: z {turn.z:.1f} in standard deviations "
            "of shifted sound"
            + (
                f", {turn.lead:.1f} before the next face compared."
                if np.isfinite(turn.lead)
                else "; no other face could be compared."
            ),
            details={
                "person": speaking.person(turn),
                "track": speaking.tracks[turn.face].name,
                "z": round(turn.z, 2),
                "lead": round(turn.lead, 2) if np.isfinite(turn.lead) else None,
            },
        )
        for turn in speaking.turns
    ]


def _out_of_view(scene: Scene, settings: Settings) -> list[Event]:
    """Speech while no face is followed; stretches shorter than a step are left out."""
    faces = [t.interval for t in (*scene.tracks, *scene.brief, *scene.set_aside)]
    return [
        Event("speech_without_face", interval, "Speech is detected while no face is followed.")
        for interval in without(scene.speech or [], faces)
        if interval.duration >= settings.step_s
    ]
