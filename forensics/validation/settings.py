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
