"""What would have been seen in this very recording? Known alterations are planted in it, and the report's questions
are asked again.

A question that found nothing has weight only where it would have found something: at this size of face, this much
speech, this light. Each control plants an alteration of a known kind and size in what the pass measured of the person
seen longest, and tells in how many trials the answer left what the untouched recording gives.
Not to be trusted: for alterations of other kinds and sizes; what a codec does behind an alteration is not simulated,
so these are upper bounds of what would be seen. Numbers that only moved against the recording as it was
are told apart: an examiner has no such recording. A control says nothing about whether the recording was altered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from forensics import speech
from forensics.analysis import blink, lighting, lipsync, voice
from forensics.controls import planting
from forensics.finding import ASSESSED, Finding
from forensics.method import Method, setting
from forensics.scene import Scene
from forensics.timeline import FaceTrack, Interval, intersection, total_s

METHOD = Method("alterations planted in the exhibit", "1", "own procedure, no publication")


@dataclass(frozen=True)
class Settings:
    planted: bool = setting(False, "1", "whether controls are planted: it takes several times as long as the questions")
    longest_s: float = setting(120.0, "s", "of the longest appearance: memory and patience")
    late_ms: tuple[float, ...] = setting((40.0, 80.0, 160.0), "ms", "one to four pictures of 25 a second")
    turns: tuple[float, ...] = setting((0.25, 0.4, 0.5, 0.6, 0.75), "1", "shares of the time: mouths of other words")
    cuts: int = setting(8, "1", "words cut at most")
    cut_s: float = setting(0.25, "s", "a short word")
    near_s: float = setting(0.05, "s", "a splice is told where it is planted")
    light_deg: tuple[float, ...] = setting((30.0, 60.0, 90.0), "deg", "from beside the camera to across the room")
    places: tuple[float, ...] = setting((0.35, 0.5, 0.65), "1", "shares of the time at which a lamp is turned")
    redder: float = setting(1.1, "1", "red of the inner face: another complexion or white balance")
    lighter: float = setting(1.2, "1", "light of the inner face")
    smoother: float = setting(0.7, "1", "detail of the inner face: as of a picture of two thirds the size")
    moved_iris: tuple[float, ...] = setting((0.1, 0.2), "1", "of the iris's diameter: some 9 and 17 degrees of lamp")
    voice_s: float = setting(30.0, "s", "of sound made anew")


@dataclass(frozen=True)
class Control:
    """One alteration: how often of ``n`` trials it was told by ``told_by``; or why it cannot be.

    ``beside_untouched``: what was seen is a number that left its interval, for which the recording is needed as it was
    before; the question itself marks nothing. Trials on one recording are no sample: there is no interval.
    """

    kind: str
    what: str
    question: str
    told_by: str
    n: int
    told: int
    reasons: tuple[str, ...] = ()  # why the untouched recording gives no answer to compare with
    beside_untouched: bool = False

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "reasons": list(self.reasons)}


def run(
    scene: Scene,
    settings: Any,
    planted: Settings | None = None,
    progress: Callable[[str, float], None] = lambda w, s: None,
) -> list[Control]:
    """All controls of a scene; ``settings`` are the pipeline's. Of the sound, and of the person seen longest."""
    planted = planted or Settings()
    found: list[Control] = []
    parts: list[Callable[[Scene, Any, Settings], Iterator[Control]]] = []
    if scene.tracks:
        track = planting.first_part(max(scene.tracks, key=lambda t: t.interval.duration), planted.longest_s)
        scene = planting.with_face(scene, track)
        parts += [_lips, _eyes, _light, _closeups]
    if scene.observation.audio is not None:
        parts += [_joins, _vocoder]
    for k, part in enumerate(parts):
        progress("planting controls", k / len(parts))
        found += part(scene, settings, planted)
    return found


def answer(question: str, findings: Sequence[Finding]) -> Finding:
    return next(f for f in findings if f.question == question)


def _trials(
    kind: str,
    what: str,
    told_by: str,
    before: Finding,
    after: Sequence[Finding],
    told: Callable[[Finding, Finding], bool],
    beside_untouched: bool = False,
) -> Control:
    if before.state != ASSESSED:
        return Control(kind, what, before.question, told_by, 0, 0, before.reasons, beside_untouched)
    count = sum(told(before, f) for f in after)
    return Control(kind, what, before.question, told_by, len(after), count, (), beside_untouched)


def moved(name: str) -> Callable[[Finding, Finding], bool]:
    """Seen: the altered recording's interval does not hold the untouched one's value, nor the other way round."""

    def told(before: Finding, after: Finding) -> bool:
        if after.state != ASSESSED:
            return False
        was, now = before.measurement(name), after.measurement(name)
        if was.low is None or was.high is None or now.low is None or now.high is None:
            return False
        return not now.low <= was.value <= now.high and not was.low <= now.value <= was.high

    return told


def lost(before: Finding, after: Finding) -> bool:
    """Told: mouth and sound no longer go together."""
    return after.state != ASSESSED and "sync_not_established" in after.reasons


def _lips(scene: Scene, settings: Any, planted: Settings) -> Iterator[Control]:
    (track,) = scene.tracks

    def ask(question: str, altered: FaceTrack) -> Finding:
        return answer(f"lipsync.{question}", lipsync.assess(planting.with_face(scene, altered), settings.lipsync))

    untouched = lipsync.assess(scene, settings.lipsync)
    offset, coverage = (answer(f"lipsync.{q}", untouched) for q in ("offset", "coverage"))
    for late_ms in planted.late_ms:
        after = [ask("offset", planting.early(track, k * late_ms / 1000)) for k in (1, -1)] if _is(offset) else []
        what = f"The sound is {late_ms:g} ms later, or earlier, than it was."
        yield _trials("sound_late", what, "av_offset", offset, after, moved("av_offset"), True)
    after = [ask("offset", planting.rolled(track, share)) for share in planted.turns] if _is(offset) else []
    what = "The mouth speaks other words: that of another time of the same recording."
    yield _trials("other_words", what, "offset_refused", offset, after, lost)
    middle = float(track.t_s[len(track.t_s) // 2])
    after = [ask("coverage", planting.rolled(track, s, middle)) for s in planted.turns] if _is(coverage) else []
    what = "From the middle on the mouth speaks other words."
    yield _trials("other_words_half", what, "speech_without_lips", coverage, after, _speech_alone(middle))


def _is(finding: Finding) -> bool:
    return finding.state == ASSESSED


def _speech_alone(since_s: float) -> Callable[[Finding, Finding], bool]:
    def seconds(finding: Finding) -> float:
        events = [e.interval for e in finding.events if e.kind == "speech_without_lips"]
        return total_s(intersection(events, [Interval(since_s, max(since_s, *(i.end_s for i in events), since_s))]))

    return lambda before, after: seconds(after) > seconds(before)


def _eyes(scene: Scene, settings: Any, planted: Settings) -> Iterator[Control]:
    (track,) = scene.tracks
    rate = answer("blink.rate", blink.assess(scene, settings.blink))
    blinks = [e.interval for e in rate.events if e.kind == "blink"]
    what = "All blinks are taken out."
    if _is(rate) and not blinks:
        yield Control("no_blinks", what, rate.question, "blink_rate", 0, 0, ("no_blinks",))
        return
    after = []
    if _is(rate):
        still = planting.with_face(scene, planting.unblinking(track, blinks))
        after = [answer("blink.rate", blink.assess(still, settings.blink))]

    def told(before: Finding, now: Finding) -> bool:
        return "eyes_still" in now.reasons or now.unusual

    yield _trials("no_blinks", what, "blink_rate", rate, after, told)


def _light(scene: Scene, settings: Any, planted: Settings) -> Iterator[Control]:
    (track,) = scene.tracks

    def ask(altered: FaceTrack) -> list[Finding]:
        return lighting.assess(planting.with_face(scene, altered), settings.lighting)

    untouched = ask(track)
    direction, turning = (answer(f"lighting.{q}", untouched) for q in ("direction", "head_fixed"))
    blank = None if not _is(direction) else planting.Unlit.of(track, scene.observation.mesh, settings.lighting)
    own = [e.interval.end_s for e in direction.events]
    instants = [float(track.t_s[round(share * (len(track.t_s) - 1))]) for share in planted.places]
    instants = [at for at in instants if all(abs(at - jump) > 1.0 for jump in own)]
    for angle in planted.light_deg:
        after = [answer("lighting.direction", ask(blank.turned(angle, at))) for at in instants] if blank else []
        near = [
            any(e.kind == "light_jump" and abs(e.interval.end_s - at) < 0.3 for e in f.events)
            for f, at in zip(after, instants, strict=False)
        ]
        what = f"The lamp is turned by {angle:g} degrees at one instant."
        reasons = () if blank else direction.reasons
        yield Control("light_jump", what, direction.question, "light_jump", len(near), sum(near), reasons)
    lamp = np.array([0.55, 0.35, 0.76])
    after = [answer("lighting.head_fixed", ask(blank.on_head(lamp)))] if blank and _is(turning) else []

    def told(_: Finding, now: Finding) -> bool:
        return _is(now) and (now.measurement("light_follows_head").low or 0) > 0

    what = "The shading is fixed to the head, as on an animated picture."
    yield _trials("light_on_head", what, "light_follows_head", turning, after, told)


def _closeups(scene: Scene, settings: Any, planted: Settings) -> Iterator[Control]:
    (track,) = scene.tracks

    def ask(question: str, altered: FaceTrack) -> Finding:
        return answer(f"lighting.{question}", lighting.assess(planting.with_face(scene, altered), settings.lighting))

    untouched = lighting.assess(scene, settings.lighting)
    around, eyes = (answer(f"lighting.{question}", untouched) for question in ("surround", "highlights"))
    percent = {name: round(100 * abs(getattr(planted, name) - 1)) for name in ("redder", "lighter", "smoother")}
    for kind, name, change in (
        ("face_redder", "surround_red", {"colour": (planted.redder, 1.0, 1.0)}),
        ("face_lighter", "surround_light", {"colour": (planted.lighter,) * 3}),
        ("face_smoother", "surround_detail", {"detail": planted.smoother}),
    ):
        after = [ask("surround", planting.pasted(track, **change))] if _is(around) else []
        how = kind.removeprefix("face_")
        what = f"The inner face is {how} by {percent[how]} %."
        yield _trials(kind, what, name, around, after, moved(name), True)
    for by in planted.moved_iris:
        after = [ask("highlights", planting.highlight_moved(track, k * by)) for k in (1, -1)] if _is(eyes) else []
        what = f"The highlights of one eye are moved by {100 * by:g} % of the iris."
        yield _trials("highlight_moved", what, "highlight_shift_y", eyes, after, moved("highlight_shift_y"), True)


def _joins(scene: Scene, settings: Any, planted: Settings) -> Iterator[Control]:
    """Cuts inside speech, far from each other, all at once."""
    scene = _first_sound(scene, settings, planted.longest_s)
    audio, spoken = scene.observation.audio, scene.speech or []
    assert audio is not None
    take = answer("voice.take", voice.assess(scene, settings.voice))
    at_s: list[float] = []
    for part in spoken:
        instant = part.start_s + part.duration / 2
        if part.duration > 3 * planted.cut_s and (not at_s or instant - at_s[-1] > 2.0):
            at_s.append(instant)
    at_s = at_s[:: max(1, len(at_s) // planted.cuts)][: planted.cuts]
    what = f"{1000 * planted.cut_s:g} ms are cut out of speech."
    if not _is(take) or not at_s:
        yield Control("word_cut", what, take.question, "splice", 0, 0, take.reasons or ("no_speech",))
        return
    altered, joins = planting.cut(audio, at_s, planted.cut_s)
    after = answer("voice.take", voice.assess(_with_sound(scene, altered, settings), settings.voice))
    instants = [e.interval.start_s for e in after.events if e.kind == "splice"]
    told = sum(any(abs(at - join) <= planted.near_s for at in instants) for join in joins)
    yield Control("word_cut", what, take.question, "splice", len(joins), told)


def _with_sound(scene: Scene, audio: Any, settings: Any) -> Scene:
    """The scene with another sound, heard anew by the voice's analysis alone."""
    found = speech.speech_intervals(speech.speech_probability(audio), settings.speech)
    observation = replace(scene.observation, audio=audio)
    heard = {"voice": voice.hear(audio, found, settings.voice)}
    level = speech.sound_level(audio)
    return replace(scene, observation=observation, speech=found, level=level, heard=heard, interval=audio.interval)


def _first_sound(scene: Scene, settings: Any, seconds: float) -> Scene:
    """The scene with the first seconds of its examined sound alone, all channels as one."""
    audio = scene.observation.audio
    assert audio is not None
    part = audio.interval & scene.interval
    assert part is not None
    samples, start_s = audio.mono(Interval(part.start_s, min(part.end_s, part.start_s + seconds)))
    return _with_sound(scene, replace(audio, samples=samples[:, None], start_s=start_s, gaps=()), settings)


def _vocoder(scene: Scene, settings: Any, planted: Settings) -> Iterator[Control]:
    short = _first_sound(scene, settings, planted.voice_s)
    audio = short.observation.audio
    assert audio is not None
    before = answer("voice.synthesis", voice.assess(short, settings.voice))
    after = []
    if _is(before):
        made = _with_sound(scene, planting.resynthesised(audio, audio.interval), settings)
        after = [answer("voice.synthesis", voice.assess(made, settings.voice))]
    what = "The voice is made anew from its mel spectrum (80 bands, Griffin and Lim)."

    def told(was: Finding, now: Finding) -> bool:
        higher = _is(now) and now.measurement("synthesis_score").value > was.measurement("synthesis_score").value
        return higher and moved("synthesis_score")(was, now)

    yield _trials("voice_resynthesised", what, "synthesis_score", before, after, told, True)
