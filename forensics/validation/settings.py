"""What the figures of a validation are counted and drawn with."""

from __future__ import annotations

from dataclasses import dataclass

from forensics import statistics
from forensics.method import setting


@dataclass(frozen=True)
class Settings:
    resamples: int = setting(statistics.RESAMPLES, "1", "Efron & Tibshirani 1993: 1000 and more for intervals")
    refits: int = setting(500, "1", "own rule: the covariance of a fit's coefficients moves by some 6 % between seeds")
    folds: int = setting(10, "1", "usual; fewer where a class has fewer units")
    seed: int = setting(0, "1", "any: the draws are repeatable, not chosen")
    least_recordings: int = setting(10, "1", "own rule: below, a rate of either class is mostly chance")
    least_speakers: int = setting(5, "1", "own rule, counted as units: persons of one group are not independent")
    copies: int = setting(0, "1", "authentic recordings copied for the controls; 0: none, they take a pass each")
    copied_s: float = setting(30.0, "s", "of a longer recording, its most spoken part: patience")
    copy_crf: int = setting(30, "1", "H.264, quality factor of x264: a small file, as sites and messengers make")
    copy_sound_bit_rate: int = setting(64_000, "bit/s", "AAC, one channel: as sites and messengers make")
    copy_shrink: int = setting(2, "1", "sides of a smaller copy: one of so many, as previews and messengers send")
    copy_fps: int = setting(15, "1/s", "of a copy with fewer pictures: as of poor connections")
