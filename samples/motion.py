"""The plan of the talking portrait: what moves how far at which instant.

Pure functions from phonemes and set times to amplitudes. The plan is the truth
that the samples are made from; nothing here knows of pictures or files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from speech import BILABIALS, Closure, Phoneme

Array = NDArray[np.float64]

STEP_S = 0.001  # the plan is drawn on a millisecond grid, then read at the frame times

# Jaw openings per phoneme, 0 (lips meet) to 1 (widest vowel), and lip rounding, 0 to 1.
# Ordinal phonetics (open > mid > close vowels; /u o w/ and the /S/ series rounded), the
# numbers are ours: they decide how the portrait looks, no measurement rests on them. Sounds
# made with parted lips (not /f v/) have 0.3 or more: the landmark model sees less than 0.2 as shut.
# Two entries are a diphthong's first and second half.
VISEMES: dict[str, tuple[tuple[float, float], ...]] = {
    # open and mid vowels
    "a": ((0.90, 0.0),), "aa": ((0.90, 0.0),), "A:": ((1.00, 0.0),), "0": ((0.90, 0.1),),
    "V": ((0.70, 0.0),), "E": ((0.65, 0.0),), "O:": ((0.75, 0.5),), "3:": ((0.50, 0.35),),
    "3": ((0.46, 0.3),), "@": ((0.46, 0.0),), "a#": ((0.46, 0.0),), "@L": ((0.42, 0.1),),
    # close vowels
    "I": ((0.44, 0.0),), "I2": ((0.42, 0.0),), "i": ((0.38, 0.0),), "i:": ((0.40, 0.0),),
    "O2": ((0.75, 0.5),), "@2": ((0.46, 0.0),), ";": ((0.38, 0.0),),  # the last: a palatal glide
    "U": ((0.38, 0.7),), "u:": ((0.34, 1.0),),
    # diphthongs
    "aI": ((0.95, 0.0), (0.45, 0.0)), "eI": ((0.60, 0.0), (0.38, 0.0)),
    "OI": ((0.75, 0.6), (0.38, 0.0)), "aU": ((0.95, 0.1), (0.40, 0.7)),
    "oU": ((0.60, 0.6), (0.35, 0.9)), "o@": ((0.65, 0.6), (0.45, 0.3)),
    "A@": ((0.95, 0.0), (0.45, 0.1)), "e@": ((0.60, 0.0), (0.45, 0.1)), "i@": ((0.35, 0.0), (0.45, 0.1)),
    # consonants
    "p": ((0.0, 0.0),), "b": ((0.0, 0.0),), "m": ((0.0, 0.0),),
    "f": ((0.10, 0.0),), "v": ((0.10, 0.0),), "w": ((0.30, 1.0),), "r": ((0.34, 0.4),), "r-": ((0.34, 0.4),),
    "t": ((0.30, 0.0),), "t#": ((0.34, 0.0),), "d": ((0.30, 0.0),), "n": ((0.32, 0.0),),
    "s": ((0.30, 0.0),), "z": ((0.30, 0.0),), "l": ((0.36, 0.0),), "j": ((0.34, 0.0),),
    "T": ((0.32, 0.0),), "D": ((0.32, 0.0),), "S": ((0.30, 0.6),), "Z": ((0.30, 0.6),),
    "tS": ((0.30, 0.6),), "dZ": ((0.30, 0.6),),
    "k": ((0.36, 0.0),), "g": ((0.36, 0.0),), "N": ((0.36, 0.0),), "h": ((0.42, 0.0),),
    # pauses: the mouth at rest
    "_": ((0.0, 0.0),), "_:": ((0.0, 0.0),), "_|": ((0.0, 0.0),),
}  # fmt: skip

# Width of the coarticulation: a Gaussian of 30 ms blends over about 70 ms (its width at
# half height), the 60-80 ms lips and jaw take from one target to the next.
COARTICULATION_SIGMA_S = 0.030
CLOSING_S = 0.060  # the lips need this long from open to shut, and again to part
PRESS = 0.06  # at a bilabial the lips are pressed together by this share of the widest opening

BLINK_CLOSING_S = 0.080  # the lid falls faster than it rises;
BLINK_OPENING_S = 0.140  # about 200 ms in all, as spontaneous blinks last

# Slow sums of sines (Hz), incommensurate so that no pose comes back within a sample.
HEAD_RATES_HZ = (0.17, 0.41, 0.73)
HEAD_SHARES = (0.6, 0.3, 0.1)
HEAD_PHASES = {"right_px": 0.3, "down_px": 1.9, "roll_deg": 3.1, "scale": 4.4, "turn_px": 5.2}
# Largest excursions, small enough that the stretched background stays unseen.
HEAD_LIMITS = {"right_px": 5.0, "down_px": 3.5, "roll_deg": 2.0, "scale": 0.010, "turn_px": 4.0}


@dataclass(frozen=True)
class Blink:
    """Both lids: begin to fall, shut, fully open again; in seconds."""

    onset_s: float
    peak_s: float
    offset_s: float

    @classmethod
    def at(cls, peak_s: float) -> Blink:
        onset, offset = peak_s - BLINK_CLOSING_S, peak_s + BLINK_OPENING_S
        return cls(round(onset, 6), round(peak_s, 6), round(offset, 6))


@dataclass(frozen=True)
class Plan:
    """Amplitudes per frame, shapes (n,).

    ``opening`` -PRESS (pressed) .. 0 (lips meet) .. 1 (widest); ``rounding`` 0..1;
    ``lid`` 0 (open) .. 1 (shut); ``head`` maps right_px, down_px, roll_deg
    (counter-clockwise), scale (relative change), turn_px.
    """

    t_s: Array
    opening: Array
    rounding: Array
    lid: Array
    head: dict[str, Array]


def make_plan(
    t_s: Array,
    phonemes: tuple[Phoneme, ...],
    closures: tuple[Closure, ...],
    blinks: tuple[Blink, ...],
) -> Plan:
    """Everything that moves, read at the frame times ``t_s`` (n,) in seconds."""
    grid = np.arange(0.0, t_s[-1] + 1.0, STEP_S)
    jaw, rounding = _targets(grid, phonemes)
    shut = lips_shut(grid, closures)
    opening = _smooth(jaw) * (1 - shut) - PRESS * shut
    return Plan(
        t_s=t_s,
        opening=np.interp(t_s, grid, opening),
        rounding=np.interp(t_s, grid, _smooth(rounding)),
        lid=lids(t_s, blinks),
        head={name: head_motion(t_s, name) for name in HEAD_LIMITS},
    )


def lips_shut(t_s: Array, closures: tuple[Closure, ...]) -> Array:
    """1 while a bilabial holds the lips shut, cosine ramps before and after, else 0."""
    shut = np.zeros_like(t_s)
    for closure in closures:
        outside = np.maximum(closure.start_s - t_s, t_s - closure.end_s)
        shut = np.maximum(shut, _cosine_fall(outside / CLOSING_S))
    return shut


def lids(t_s: Array, blinks: tuple[Blink, ...]) -> Array:
    """0 with the eyes open, 1 at the peak of a blink, cosine between."""
    shut = np.zeros_like(t_s)
    for blink in blinks:
        before = (blink.peak_s - t_s) / (blink.peak_s - blink.onset_s)
        after = (t_s - blink.peak_s) / (blink.offset_s - blink.peak_s)
        shut = np.maximum(shut, _cosine_fall(np.maximum(before, after)))
    return shut


def head_motion(t_s: Array, name: str) -> Array:
    """One slow component of the head's motion, within ± its limit."""
    angle = 2 * np.pi * np.outer(HEAD_RATES_HZ, t_s) + HEAD_PHASES[name] * np.arange(1, 4)[:, None]
    return np.asarray(HEAD_LIMITS[name] * (np.array(HEAD_SHARES) @ np.sin(angle)))


def _cosine_fall(x: Array) -> Array:
    """1 for x <= 0, 0 for x >= 1, half a cosine between."""
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * np.clip(x, 0, 1)))


def _targets(grid: Array, phonemes: tuple[Phoneme, ...]) -> tuple[Array, Array]:
    """Jaw and rounding as steps; a bilabial keeps its neighbour's jaw, its lips do the closing.

    Were the jaw itself sent to 0 at /p b m/, the smoothing would shut the mouth
    long before and after the closure that is heard.
    """
    jaw, rounding = np.zeros_like(grid), np.zeros_like(grid)
    spoken = [p for p in phonemes if p.plain not in BILABIALS]
    for phoneme, following in zip(spoken, spoken[1:] + spoken[-1:], strict=True):
        parts = _viseme(phoneme)
        end_s = following.start_s if following is not phoneme else phoneme.end_s
        end_s = end_s if _bridges(phoneme, following) else phoneme.end_s
        edges = np.linspace(phoneme.start_s, end_s, len(parts) + 1)
        for (open_, round_), first, last in zip(parts, edges, edges[1:], strict=False):
            here = (grid >= first) & (grid < last)
            jaw[here], rounding[here] = open_, round_
    return jaw, rounding


def _bridges(phoneme: Phoneme, following: Phoneme) -> bool:
    """Whether the jaw's target holds on through a bilabial up to the next sound."""
    gap_s = following.start_s - phoneme.end_s
    return "_" not in phoneme.plain + following.plain and gap_s > 0


def _viseme(phoneme: Phoneme) -> tuple[tuple[float, float], ...]:
    if phoneme.plain not in VISEMES:
        raise ValueError(f"every phoneme needs a mouth shape; none is set for {phoneme.name!r}")
    return VISEMES[phoneme.plain]


def _smooth(steps: Array) -> Array:
    """Gaussian blur along the millisecond grid: coarticulation."""
    reach = int(4 * COARTICULATION_SIGMA_S / STEP_S)
    lag = np.arange(-reach, reach + 1) * STEP_S
    kernel = np.exp(-0.5 * (lag / COARTICULATION_SIGMA_S) ** 2)
    return np.convolve(steps, kernel / kernel.sum(), mode="same")
