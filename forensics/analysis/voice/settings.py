"""Settings of the voice's analyses, each with its unit and source."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from forensics.method import Method, describe, setting

METHOD = Method(
    "Praat measures, band, background, joins, hum, fine structure",
    "5",
    "Boersma & Weenink (Praat), through parselmouth",
)
_PRAAT = "Praat's default"


@dataclass(frozen=True)
class SynthesisSettings:
    least_rate_hz: int = setting(16000, "Hz", "the bands reach to 7.5 kHz")
    least_band_hz: float = setting(7000.0, "Hz", "below, the upper bands hold noise; the telephone band is refused")
    least_upper_db: float = setting(
        -45.0, "dB", "of 5.5-7.5 kHz re all; the least of 89 dev voices; our dither has -66 there"
    )
    least_speech_s: float = setting(4.0, "s", "two pieces: one phrase alone scatters")
    least_snr_db: float = setting(20.0, "dB", "speech over the pauses; noise at 20 dB was tried, no more")
    most_speech_s: float = setting(30.0, "s", "of speech, from the first on: more changes the mean little")
    piece_s: float = setting(2.0, "s", "units of the mean and its bootstrap: a phrase")
    shortest_piece_s: float = setting(1.0, "s", "below, figures of a piece scatter")
    bridged_s: float = setting(0.3, "s", "pauses within a phrase, kept so that no cut makes phases")


def _values(settings: SynthesisSettings) -> dict[str, Any]:
    return {row["name"]: row["value"] for row in describe(settings)}


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
        0.06,
        "s",
        "40 % of its window; Praat's 0.01 takes six times the time and gives the same within 0.5 dB",
    )
    formant_ceiling_hz: float = setting(5500.0, "Hz", _PRAAT + " (a woman's voice); a man's is often taken at 5000")
    formant_step_s: float = setting(0.02, "s", "some two periods of a low voice")
    syllable_pitch_hz: float = setting(50.0, "Hz", "de Jong & Wempe 2009: intensity smoothed over 3.2 / 50 s")
    syllable_depth_db: float = setting(25.0, "dB", "de Jong & Wempe 2009, below the loudest 1 %")
    syllable_rise_db: float = setting(2.0, "dB", "de Jong & Wempe 2009, from the dips beside a peak")
    fine_s: float = setting(3.0, "s", "of speech: halves of recordings so long agreed, tests/real/CANDIDATES.md")
    steady_frames: int = setting(20, "1", "of steady pitch: as many were in those halves")
    jitter_band_hz: float = setting(
        4000.0, "Hz", "where the band ends below, as telephones' do, jitter moves by more than voices differ, VOICE.md"
    )
    faded_db: float = setting(
        -20.0, "dB", "density from 4 to 5.5 kHz re 2.4 to 3.3 kHz; 67 dev voices had -19 and more, VOICE.md"
    )
    hnr_clear_db: float = setting(
        10.0, "dB", "speech over its quietest moments, 1 to 4 kHz; below, harmonicity moves by more than voices differ"
    )
    formant_clear_db: float = setting(12.0, "dB", "as for harmonicity: the second and third formant move")
    fine_clear_db: float = setting(
        14.0,
        "dB",
        "over its quietest moments in the measure's own band; below, noise moves it too far, VOICE.md",
    )
    holes_clear_db: float = setting(20.0, "dB", "the same for holes of coding, which the faintest noise fills")
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
    empty_db: float = setting(-100.0, "dB", "re full scale in 500 Hz; 16-bit dither lies at -114 dB, speech far above")
    empty_percentile: float = setting(90.0, "%", "of windows that must be as low: joins and clipping are brief")
    empty_hz: float = setting(1000.0, "Hz", "two bands of 500 Hz at least: one alone holds the edge's own skirt")
    join_near_s: float = setting(0.004, "s", "a window's length: what belongs to the instant itself")
    join_far_s: float = setting(0.030, "s", "of surroundings compared: longer than a block of AAC at 44.1 kHz")
    join_db: float = setting(
        10.0, "dB", "under one false event a minute in either half of the speakers, tests/real/VOICE.md"
    )
    full_scale: float = setting(0.99, "1", "a limiter or a converter clips here; floats from codecs exceed it")
    hum_s: float = setting(5.0, "s", "of sound: a line is 0.3 Hz wide then")
    hum_db: float = setting(15.0, "dB", "over the noise in 1 Hz; see tests/real/VOICE.md for recordings without mains")
    hum_fade_db: float = setting(-10.0, "dB", "of the hum re its median: below, its phase is that of what is left")
    hum_phase_deg: float = setting(45.0, "deg", "networks drift by 0.02 Hz at most within 2 s, 14° at the mains")
    hum_phase_spread: float = setting(6.0, "1", "robust standard deviations of the course's own steps")
    gap_db: float = setting(20.0, "dB", "as deep as an edge; combs of one echo are shallower between words")
    gap_hz: float = setting(150.0, "Hz", "wider than a zero of the vocal tract or of one microphone in a room")
    gap_lowest_hz: float = setting(300.0, "Hz", "below lie the voice's own first harmonics")
    mirror_s: float = setting(20.0, "s", "of sound looked at for mirror images: some 1000 windows")
    mirror_band_hz: float = setting(2000.0, "Hz", "on each side of the mirror")
    mirror_least: float = setting(
        0.3, "1", "correlation; see tests/real/VOICE.md for recordings that were not mirrored"
    )
    synthesis: SynthesisSettings = field(
        default_factory=SynthesisSettings,
        metadata={"unit": "", "source": "of voice.synthesis, which says them one by one", "shown": _values},
    )
