"""Findings on the sound: what could be measured, and what is refused with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from forensics.analysis.voice.fine import Fine, course_of_holes, measure_fine, measure_fine_structure
from forensics.analysis.voice.hum import Hum, find_hum, measure_hum, phase_jumps
from forensics.analysis.voice.joins import EmptyBand, empty_band, measure_band, splices
from forensics.analysis.voice.measures import Voiced, measure_stretches, measure_voice, withheld
from forensics.analysis.voice.questions import MEASURES, RECORDING, SPECTRUM, TAKE
from forensics.analysis.voice.recording import (
    background,
    clearness_db,
    digital_silences,
    level_jumps,
    measure_bandwidth,
    measure_noise_floor,
    voice_limit_hz,
)
from forensics.analysis.voice.settings import Settings
from forensics.analysis.voice.spectrum import (
    Spectra,
    course_of_edge,
    gaps,
    measure_course,
    mirror_images,
    mirror_likeness,
    spectra,
)
from forensics.analysis.voice.synthesis import QUESTION as SYNTHESIS
from forensics.analysis.voice.synthesis import assess_synthesis
from forensics.finding import About, Event, Finding
from forensics.timeline import Audio, Interval, Series, intersection

if TYPE_CHECKING:
    from forensics.scene import Scene

ANALYSIS = "voice"


@dataclass(frozen=True)
class Heard:
    """What is taken from the sound of ``interval`` alone."""

    interval: Interval
    stretches: list[Voiced]
    found: Spectra
    band: EmptyBand | None
    hum: Hum | None
    mirrors: dict[float, float]
    limit_hz: float  # where the band ends; infinite where the sound was too short to tell
    voice_hz: float  # the same, or where it has faded out without an edge
    fine: list[Fine]


def hear(audio: Audio, spoken: list[Interval], settings: Settings) -> Heard:
    """What this analysis takes from the sound alone: it can be measured while the pictures are looked at."""
    return listen(audio, audio.interval, measure_stretches(audio, spoken, settings), settings)


def listen(audio: Audio, interval: Interval, stretches: list[Voiced], settings: Settings) -> Heard:
    """The spectrum, the empty band and the hum of ``interval``; nothing of one too short for them."""
    if interval.duration < settings.shortest_s:
        return Heard(interval, stretches, Spectra(*np.zeros((4, 0))), None, None, {}, np.inf, np.inf, [])
    found = spectra(audio, interval)
    limit = measure_bandwidth(found, settings)
    assert limit is not None  # there is a second of sound
    return Heard(
        interval,
        stretches,
        found=found,
        band=empty_band(audio, interval, settings),
        hum=find_hum(audio, interval, settings),
        mirrors=mirror_likeness(audio, interval, settings),
        limit_hz=limit.value,
        voice_hz=voice_limit_hz(found, limit.value, settings),
        fine=measure_fine(audio, stretches, limit.value),
    )


def _sound(examined: Interval, settings: Settings, covered: Sequence[Interval] = ()) -> About:
    return About(examined, settings, covered, subjects=("sound",))


def assess_measures(
    audio: Audio | None,
    level: Series | None,
    spoken: list[Interval],
    examined: Interval,
    settings: Settings,
    heard: Heard,
) -> Finding:
    """What are this voice's measures?"""
    stretches = heard.stretches
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
        "stretches": stretches,
        "examined": examined,
    }
    without = withheld(heard.voice_hz, clearness_db(heard.found, covered, settings), settings)
    measurements = measure_voice(stretches, settings, heard.limit_hz, without)
    question = replace(MEASURES, limits=(*MEASURES.limits, *dict.fromkeys(without.values())))
    return question.answer(about, measurements=tuple(measurements), evidence=evidence)


def assess_recording(
    heard: Heard, level: Series, spoken: list[Interval], examined: Interval, settings: Settings
) -> Finding:
    """The recording behind the voice: band, background and its steps."""
    quiet = background(level, spoken)
    found = (measure_bandwidth(heard.found, settings), measure_noise_floor(quiet, settings))
    events = [*level_jumps(quiet, settings), *digital_silences(level, settings)]
    return RECORDING.answer(
        _sound(examined, settings, [heard.interval]),
        measurements=tuple(m for m in found if m),
        events=_in_order(events),
        evidence={"level": level, "quiet": quiet, "found": heard.found, "spoken": spoken, "examined": examined},
    )


def assess_take(audio: Audio, heard: Heard, examined: Interval, settings: Settings) -> Finding:
    """One room, one take: joins in an otherwise empty band, and the mains hum with its phase."""
    about = _sound(examined, settings, [heard.interval])
    band, hum = heard.band, heard.hum
    if band is None and hum is None:
        return TAKE.refuse(about, "no_empty_band")
    events = [
        *(splices(audio, heard.interval, band, settings) if band else []),
        *(phase_jumps(hum, audio.gaps, settings) if hum else []),
    ]
    measurements = [*(measure_band(band, events) if band else []), *(measure_hum(hum) if hum else [])]
    return TAKE.answer(
        about,
        measurements=tuple(measurements),
        events=_in_order(events),
        evidence={"band": band, "hum": hum, "examined": examined, "heard": heard.interval},
    )


def assess_spectrum(heard: Heard, examined: Interval, settings: Settings) -> Finding:
    """What the spectrum holds that a microphone does not give."""
    found = heard.found
    course, limit_hz = course_of_edge(found, settings), heard.limit_hz
    mirrors = {hz: r for hz, r in heard.mirrors.items() if hz + settings.mirror_band_hz <= limit_hz}
    events = [
        *gaps(found, heard.interval, limit_hz, settings),
        *mirror_images(mirrors, heard.interval, settings),
    ]
    spoken = [stretch.interval for stretch in heard.stretches]
    fine, untold = measure_fine_structure(
        heard.fine, heard.voice_hz, lambda band_hz: clearness_db(found, spoken, settings, band_hz), settings
    )
    return replace(SPECTRUM, limits=(*SPECTRUM.limits, *untold)).answer(
        _sound(examined, settings, [heard.interval]),
        measurements=(*measure_course(course), *fine),
        events=_in_order(events),
        evidence={
            "found": found,
            "course": course,
            "holes": course_of_holes(heard.fine),
            "examined": examined,
            "heard": heard.interval,
        },
    )


def _in_order(events: Sequence[Event]) -> tuple[Event, ...]:
    return tuple(sorted(events, key=lambda e: e.interval.start_s))


def assess_phases(
    audio: Audio | None, level: Series | None, spoken: list[Interval], examined: Interval, settings: Settings
) -> Finding:
    """Do the voice's phases look like those of synthetic copies? Descriptive, never marked."""
    if reasons := sound_refusals(audio, level, settings):
        return SYNTHESIS.refuse(About(examined, settings.synthesis, subjects=("sound",)), *reasons)
    assert audio is not None and level is not None
    return assess_synthesis(audio, level, spoken, examined, settings.synthesis)


def sound_refusals(audio: Audio | None, level: Series | None, settings: Settings) -> tuple[str, ...]:
    if audio is None or level is None or (not np.isfinite(level.values).any() and not np.isneginf(level.values).any()):
        return ("no_sound",)
    if not np.nanmax(level.values) >= settings.silent_db:
        return ("sound_is_silent",)
    return ()


def assess(scene: Scene, settings: Settings) -> list[Finding]:
    """What is asked of the sound: the voice's measures, the recording, one take, its spectrum, its phases."""
    audio, spoken = scene.observation.audio, scene.speech or []
    questions = (RECORDING, TAKE, SPECTRUM)
    if audio is None:
        about = _sound(scene.interval, settings)
        phases = SYNTHESIS.refuse(About(scene.interval, settings.synthesis, subjects=("sound",)), scene.soundless)
        return [*(question.refuse(about, scene.soundless) for question in (MEASURES, *questions)), phases]
    level = scene.level.between(scene.interval) if scene.level else None
    heard = scene.heard[ANALYSIS] if scene.heard else hear(audio, spoken, settings)
    inside = audio.interval & scene.interval
    if inside is not None and inside != heard.interval:
        heard = listen(audio, inside, heard.stretches, settings)
    measures = assess_measures(audio, level, spoken, scene.interval, settings, heard)
    phases = assess_phases(audio, level, spoken, scene.interval, settings)
    about = _sound(scene.interval, settings, [inside] if inside else [])
    if reasons := sound_refusals(audio, level, settings):
        refused = (question.refuse(_sound(scene.interval, settings), *reasons) for question in questions)
        return [measures, *refused, phases]
    if inside is None or inside.duration < settings.shortest_s:
        return [measures, *(question.refuse(about, "sound_too_short") for question in questions), phases]
    assert level is not None
    return [
        measures,
        assess_recording(heard, level, spoken, scene.interval, settings),
        assess_take(audio, heard, scene.interval, settings),
        assess_spectrum(heard, scene.interval, settings),
        phases,
    ]
