"""Settings of the voice's analyses, each with its unit and source."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.method import Method, setting

METHOD = Method("Praat measures, band limit, background steps", "2", "Boersma & Weenink (Praat), through parselmouth")
_PRAAT = "Praat's default"


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
