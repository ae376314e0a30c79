"""Findings on the sound: what could be measured, and what is refused with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from forensics.analysis.voice.measures import Voiced, hear, measure_voice
from forensics.analysis.voice.questions import MEASURES, RECORDING
from forensics.analysis.voice.recording import (
    average_spectrum,
    background,
    digital_silences,
    level_jumps,
    measure_bandwidth,
    measure_noise_floor,
)
from forensics.analysis.voice.settings import Settings
from forensics.analysis.voice.synthesis import QUESTION as SYNTHESIS
from forensics.analysis.voice.synthesis import Settings as SynthesisSettings
from forensics.analysis.voice.synthesis import assess_synthesis
from forensics.finding import About, Finding
from forensics.timeline import Audio, Interval, Series, intersection, total_s

if TYPE_CHECKING:
    from forensics.scene import Scene

ANALYSIS = "voice"


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


def assess_phases(
    audio: Audio | None, level: Series | None, spoken: list[Interval], examined: Interval, settings: Settings
) -> Finding:
    """Do the voice's phases look like those of synthetic copies? Descriptive, never marked."""
    if reasons := sound_refusals(audio, level, settings):
        return SYNTHESIS.refuse(About(examined, SynthesisSettings(), subjects=("sound",)), *reasons)
    assert audio is not None and level is not None
    return assess_synthesis(audio, level, spoken, examined)


def sound_refusals(audio: Audio | None, level: Series | None, settings: Settings) -> tuple[str, ...]:
    if audio is None or level is None or (not np.isfinite(level.values).any() and not np.isneginf(level.values).any()):
        return ("no_sound",)
    if not np.nanmax(level.values) >= settings.silent_db:
        return ("sound_is_silent",)
    return ()


def assess(scene: Scene, settings: Settings) -> list[Finding]:
    """Three findings on the sound."""
    audio, spoken = scene.observation.audio, scene.speech or []
    if audio is None:
        about = _sound(scene.interval, settings)
        return [question.refuse(about, scene.soundless) for question in (MEASURES, RECORDING)] + [
            SYNTHESIS.refuse(About(scene.interval, SynthesisSettings(), subjects=("sound",)), scene.soundless)
        ]
    level = scene.level.between(scene.interval) if scene.level else None
    stretches = scene.heard[ANALYSIS] if scene.heard else hear(audio, spoken, settings)
    return [
        assess_measures(audio, level, spoken, scene.interval, settings, stretches),
        assess_recording(audio, level, spoken, scene.interval, settings),
        assess_phases(audio, level, spoken, scene.interval, settings),
    ]
