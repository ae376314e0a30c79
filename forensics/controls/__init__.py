"""What would have been seen in this very recording? Known alterations are planted in it, and the report's questions
are asked again.

A question that found nothing has weight only where it would have found something: at this size of face, this much
speech, this light. Each control plants an alteration of a known kind and size in what the pass measured of one
appearance of a face, or of the sound, and tells in how many trials the answer left what the untouched recording gives.
Where a size means something several are planted: from which on is it told? ``degrading`` asks the same of worse copies.
Not to be trusted: for alterations of other kinds and sizes; what a codec does behind an alteration is not simulated,
so these are upper bounds of what would be seen. Numbers that only moved against the recording as it was
are told apart: an examiner has no such recording. A control says nothing about whether the recording was altered.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from forensics import speech
from forensics.analysis import blink, lighting, lipsync, voice
from forensics.controls import planting
from forensics.controls.control import Control
from forensics.controls.degrading import Copy
from forensics.controls.sizes import Size, sizes
from forensics.finding import ASSESSED, Finding
from forensics.method import Method, setting
from forensics.scene import Scene
from forensics.timeline import FaceTrack, Interval, intersection, total_s

__all__ = ["METHOD", "Control", "Planted", "Settings", "Size", "answer", "faces", "lost", "moved", "run", "sizes"]

_T = TypeVar("_T")

METHOD = Method("alterations planted in the exhibit", "2", "own procedure, no publication")


@dataclass(frozen=True)
class Settings:
    planted: bool = setting(False, "1", "whether controls are planted: it takes several times as long as the questions")
    longest_s: float = setting(120.0, "s", "of each appearance: memory and patience")
    appearances: int = setting(3, "1", "of a face, the longest first: each takes half a minute or more")
    late_ms: tuple[float, ...] = setting((20.0, 40.0, 80.0, 160.0), "ms", "half a picture of 25 a second to four")
    turns: tuple[float, ...] = setting((0.25, 0.4, 0.5, 0.6, 0.75), "1", "shares of the time: mouths of other words")
    replaced: tuple[float, ...] = setting((10.0, 25.0, 50.0), "%", "of the time, at its end: a sentence to half")
    cuts: tuple[int, ...] = setting((1, 2, 4, 8), "1", "words cut")
    cut_s: float = setting(0.25, "s", "a short word")
    near_s: float = setting(0.05, "s", "a splice is told where it is planted")
    blinks: tuple[float, ...] = setting((25.0, 50.0, 75.0, 100.0), "%", "of the blinks that were found")
    light_deg: tuple[float, ...] = setting(
        (15.0, 30.0, 45.0, 60.0, 90.0), "deg", "beside the camera to across the room"
    )
    places: tuple[float, ...] = setting((0.35, 0.5, 0.65), "1", "shares of the time at which a lamp is turned")
    redder: tuple[float, ...] = setting((5.0, 10.0, 20.0, 40.0), "%", "red of the inner face: white balance")
    lighter: tuple[float, ...] = setting((10.0, 20.0, 40.0), "%", "light of the inner face")
    smoother: tuple[float, ...] = setting((30.0, 50.0, 70.0), "%", "detail gone; 30: as of two thirds the size")
    moved_iris: tuple[float, ...] = setting((5.0, 10.0, 20.0, 40.0), "%", "of the iris: some 4 to 34 degrees of lamp")
    voice_s: float = setting(30.0, "s", "of sound made anew")
    copied_s: float = setting(20.0, "s", "of the exhibit in each degraded copy, which is examined anew; 0: no copies")
    crf: tuple[int, ...] = setting((23, 30, 38), "1", "x264's default, a small file, a poor one")
    shrink: int = setting(2, "1", "sides of a smaller copy: one of so many")
    fps: int = setting(15, "1/s", "of a copy with fewer pictures: as of poor connections")
    noise_sd: float = setting(5.0, "1", "levels of 255: a camera in a dim room")


@dataclass(frozen=True)
class Planted:
    """All that was planted. ``left``: appearances in which nothing was planted, and why by reason code.

    ``part``: what was copied, ``copies``: the part as it was and each degraded copy; none where ``refused`` says why.
    """

    controls: tuple[Control, ...] = ()
    left: tuple[tuple[str, str], ...] = ()
    part: Interval | None = None
    copies: tuple[Copy, ...] = ()
    refused: tuple[str, ...] = ()


def run(
    scene: Scene,
    settings: Any,
    planted: Settings | None = None,
    progress: Callable[[str, float], None] = lambda w, s: None,
) -> Planted:
    """All controls of a scene; ``settings`` are the pipeline's. Of the longest appearances, and of the sound."""
    planted = planted or Settings()
    found: list[Control] = []
    left: list[tuple[str, str]] = []
    tracks = sorted(scene.tracks, key=lambda track: -track.interval.duration)
    for k, track in enumerate(tracks):
        if k >= planted.appearances:
            left.append((track.name, "others_longer"))
            continue
        progress("planting controls", k / (min(len(tracks), planted.appearances) + 1))
        own = list(faces(scene, track, settings, planted))
        if any(control.n for control in own) or len(tracks) == 1:
            found += own
        else:
            left.append((track.name, "nothing_answered"))
    if scene.observation.audio is not None:
        progress("planting controls", 0.9)
        found += sound(scene, settings, planted)
    return Planted(tuple(found), tuple(left))


def faces(scene: Scene, track: FaceTrack, settings: Any, planted: Settings) -> Iterator[Control]:
    """Alterations of one appearance, as if it were alone."""
    alone = planting.with_face(scene, planting.first_part(track, planted.longest_s))
    for part in (_lips, _eyes, _light, _closeups):
        for control in part(alone, settings, planted):
            yield replace(control, appearance=track.name)


def sound(scene: Scene, settings: Any, planted: Settings) -> Iterator[Control]:
    """Alterations of the sound."""
    yield from _joins(scene, settings, planted)
    yield from _vocoder(scene, settings, planted)


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
    size: float | None = None,
    unit: str = "",
) -> Control:
    count = sum(told(before, f) for f in after)
    reasons = before.reasons if before.state != ASSESSED else ()
    return Control(kind, what, before.question, told_by, len(after), count, reasons, beside_untouched, size, unit)


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
    what = "The sound is later, or earlier, than it was."
    for late_ms in planted.late_ms:
        after = [ask("offset", planting.early(track, k * late_ms / 1000)) for k in (1, -1)] if _is(offset) else []
        yield _trials("sound_late", what, "av_offset", offset, after, moved("av_offset"), True, late_ms, "ms")
    after = [ask("offset", planting.rolled(track, share)) for share in planted.turns] if _is(offset) else []
    what = "The mouth speaks other words: that of another time of the same recording."
    yield _trials("other_words", what, "offset_refused", offset, after, lost)
    what = "In the last part of the time the mouth speaks other words."
    for share in planted.replaced:  # of the turns every other one: each takes as long as the question
        since = float(track.t_s[min(len(track.t_s) - 1, round((1 - share / 100) * len(track.t_s)))])
        after = [ask("coverage", planting.rolled(track, s, since)) for s in planted.turns[::2]] if _is(coverage) else []
        told = _speech_alone(since)
        yield _trials("other_words_part", what, "speech_without_lips", coverage, after, told, False, share, "%")


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
    what = "Blinks are taken out."
    marked = ("no_blinks",) if not blinks else ("already_marked",) if rate.unusual else ()
    for share in planted.blinks:
        if _is(rate) and marked:
            yield Control("no_blinks", what, rate.question, "blink_rate", 0, 0, marked, False, share, "%")
            continue
        after = []
        if _is(rate):
            still = planting.unblinking(track, spread(blinks, math.ceil(share / 100 * len(blinks))))
            after = [answer("blink.rate", blink.assess(planting.with_face(scene, still), settings.blink))]
        yield _trials("no_blinks", what, "blink_rate", rate, after, _blinks_lack, False, share, "%")


def _blinks_lack(_: Finding, now: Finding) -> bool:
    return "eyes_still" in now.reasons or now.unusual


def spread(items: Sequence[_T], n: int) -> list[_T]:
    """``n`` of the items, evenly from first to last."""
    return [items[k * len(items) // n] for k in range(n)]


def _light(scene: Scene, settings: Any, planted: Settings) -> Iterator[Control]:
    (track,) = scene.tracks

    track = replace(track, closeups=None)  # of other questions, which would take three times as long

    def ask(altered: FaceTrack) -> list[Finding]:
        return lighting.assess(planting.with_face(scene, altered), settings.lighting)

    untouched = ask(track)
    direction, turning = (answer(f"lighting.{q}", untouched) for q in ("direction", "head_fixed"))
    blank = None if not _is(direction) else planting.Unlit.of(track, scene.observation.mesh, settings.lighting)
    own = [e.interval.end_s for e in direction.events]
    instants = [float(track.t_s[round(share * (len(track.t_s) - 1))]) for share in planted.places]
    instants = [at for at in instants if all(abs(at - jump) > 1.0 for jump in own)]
    reasons = direction.reasons if blank is None else () if instants else ("already_marked",)
    for angle in planted.light_deg:
        after = [answer("lighting.direction", ask(blank.turned(angle, at))) for at in instants] if blank else []
        near = [
            any(e.kind == "light_jump" and abs(e.interval.end_s - at) < 0.3 for e in f.events)
            for f, at in zip(after, instants, strict=False)
        ]
        what = "The lamp is turned at one instant."
        n, told = len(near), sum(near)
        yield Control("light_jump", what, direction.question, "light_jump", n, told, reasons, False, angle, "deg")
    yield _on_head(blank, turning, ask)


def _on_head(blank: planting.Unlit | None, turning: Finding, ask: Callable[[FaceTrack], list[Finding]]) -> Control:
    what = "The shading is fixed to the head, as on an animated picture."
    if blank and _is(turning) and _follows(turning, turning):
        return Control("light_on_head", what, turning.question, "light_follows_head", 0, 0, ("already_marked",))
    lamp = np.array([0.55, 0.35, 0.76])
    after = [answer("lighting.head_fixed", ask(blank.on_head(lamp)))] if blank and _is(turning) else []
    return _trials("light_on_head", what, "light_follows_head", turning, after, _follows)


def _follows(_: Finding, now: Finding) -> bool:
    return _is(now) and (now.measurement("light_follows_head").low or 0) > 0


def _closeups(scene: Scene, settings: Any, planted: Settings) -> Iterator[Control]:
    (track,) = scene.tracks
    if track.closeups is None:
        return

    def ask(question: str, altered: FaceTrack) -> Finding:
        return answer(f"lighting.{question}", lighting.assess(planting.with_face(scene, altered), settings.lighting))

    around = ask("surround", track)
    changes: tuple[tuple[str, str, Callable[[float], dict[str, Any]]], ...] = (
        ("redder", "surround_red", lambda by: {"colour": (1 + by, 1.0, 1.0)}),
        ("lighter", "surround_light", lambda by: {"colour": (1 + by,) * 3}),
        ("smoother", "surround_detail", lambda by: {"detail": 1 - by}),
    )
    for how, name, change in changes:
        for percent in getattr(planted, how):
            after = [ask("surround", planting.pasted(track, **change(percent / 100)))] if _is(around) else []
            what = f"The inner face is {how}."
            yield _trials(f"face_{how}", what, name, around, after, moved(name), True, percent, "%")
    track = replace(track, vertex_rgb=np.zeros(track.vertex_rgb.shape, np.float32))  # the highlights alone: quicker
    eyes = ask("highlights", track)
    what, name = "The highlights of one eye are moved, by a share of the iris.", "highlight_shift_y"
    for percent in planted.moved_iris:
        by = percent / 100
        after = [ask("highlights", planting.highlight_moved(track, k * by)) for k in (1, -1)] if _is(eyes) else []
        yield _trials("highlight_moved", what, name, eyes, after, moved(name), True, percent, "%")


def _joins(scene: Scene, settings: Any, planted: Settings) -> Iterator[Control]:
    """Cuts inside speech, far from each other, all at once; several are told where one of them is."""
    scene = _first_sound(scene, settings, planted.longest_s)
    audio, spoken = scene.observation.audio, scene.speech or []
    assert audio is not None
    take = answer("voice.take", voice.assess(scene, settings.voice))
    at_s: list[float] = []
    for part in spoken:
        instant = part.start_s + part.duration / 2
        if part.duration > 3 * planted.cut_s and (not at_s or instant - at_s[-1] > 2.0):
            at_s.append(instant)
    at_s = spread(at_s, min(len(at_s), max(planted.cuts)))
    what = f"{1000 * planted.cut_s:g} ms are cut out of speech, so many times; at least one cut is told."
    told: list[bool] = []
    if _is(take) and at_s:
        altered, joins = planting.cut(audio, at_s, planted.cut_s)
        after = answer("voice.take", voice.assess(_with_sound(scene, altered, settings), settings.voice))
        instants = [e.interval.start_s for e in after.events if e.kind == "splice"]
        told = [any(abs(at - join) <= planted.near_s for at in instants) for join in joins]
    for size in planted.cuts:
        groups = [told[k :: len(told) // size][:size] for k in range(len(told) // size)]
        n, found = len(groups), sum(map(any, groups))
        reasons = () if n else take.reasons or ("no_speech" if not at_s else "too_little_speech",)
        yield Control("word_cut", what, take.question, "splice", n, found, reasons, False, size, "1")


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
