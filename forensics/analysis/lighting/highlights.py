"""Do the highlights of both eyes lie at the same place of the iris, as mirrors of one place have them? Pure.

A lamp far against the distance of the eyes from each other is mirrored at the same place of both corneas.
Reference: Johnson & Farid 2007; Hu, Li & Lyu 2021, who compare the highlights of generated still pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.analysis.lighting.settings import HIGHLIGHTS_METHOD, Settings
from forensics.analysis.lighting.signal import median_interval
from forensics.finding import Measurement
from forensics.timeline import FaceTrack

#: Of untouched development clips, one a person (tests/real/CLOSEUPS.md): sideways, downwards.
UNTOUCHED = ("-16.7 to 11.6 %", "-5.3 to 4.2 %")


@dataclass(frozen=True)
class Highlights:
    """Pairs of highlights in ``n`` pictures: ``left`` and ``right`` (n, 2) of the picture's left and right eye, from
    the iris's centre in iris diameters, right and down. ``looked`` pictures had both eyes open and large enough."""

    t_s: np.ndarray
    left: np.ndarray
    right: np.ndarray
    looked: int
    iris_px: float  # median diameter of the smaller iris, of all pictures with open eyes; NaN without any

    @property
    def shift(self) -> np.ndarray:
        return self.right - self.left


def highlights(tracks: Sequence[FaceTrack], settings: Settings) -> Highlights:
    """The pairs that agree best, of the clear highlights of both eyes in each close-up."""
    t_s, glints, irises = [np.zeros(0)], [np.zeros((0, 2, 4, 4))], [np.zeros((0, 2, 3))]
    for track in tracks:
        if track.closeups is not None:
            t_s.append(track.t_s[track.closeups.row])
            glints.append(track.closeups.glints[:])
            irises.append(track.closeups.irises[:])
    times, spots, eyes = np.concatenate(t_s), np.concatenate(glints), np.concatenate(irises)
    apart = eyes[:, :, 1].min(1) >= settings.open_iris
    smaller = eyes[apart, :, 0].min(1)
    looked = apart & (eyes[:, :, 0].min(1) >= settings.least_iris_px)
    left, right = best_pairs(spots, settings)
    both = looked & np.isfinite(left[:, 0])
    width = float(np.nanmedian(smaller)) if len(smaller) else float("nan")
    return Highlights(times[both], left[both], right[both], int(looked.sum()), width)


def best_pairs(spots: np.ndarray, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Of ``spots`` (n, 2, 4, 4) the places (n, 2) in both eyes of the clear ones nearest to each other, or NaN."""
    rise = np.nan_to_num(spots[..., 2])
    clear = (rise >= settings.least_rise) & (rise >= settings.beside_brightest * rise.max(-1, keepdims=True))
    away = np.linalg.norm(spots[:, 1, None, :, :2] - spots[:, 0, :, None, :2], axis=-1)  # (n, left, right)
    away = np.where(clear[:, 0, :, None] & clear[:, 1, None, :], away, np.inf).reshape(len(spots), spots.shape[2] ** 2)
    pair = np.unravel_index(away.argmin(1), (spots.shape[2],) * 2)
    found, each = np.isfinite(away.min(1))[:, None], np.arange(len(spots))
    left, right = (np.where(found, spots[each, eye, k, :2], np.nan) for eye, k in enumerate(pair))
    return left, right


def measure_highlights(found: Highlights, settings: Settings) -> list[Measurement]:
    """How far the right eye's highlight lies from the left's place, in % of the iris; n is the pictures."""
    value, low, high = median_interval(found.shift, settings)
    sure = found.iris_px >= settings.sure_iris_px
    error = (settings.iris_error if sure else settings.small_iris_error, settings.iris_error)
    axes = (
        ("highlight_shift_x", "the picture's right; a lamp or lens near the face shifts it, and how the iris is read"),
        ("highlight_shift_y", "down"),
    )
    n = len(found.t_s)
    shifts = [
        Measurement(
            name,
            float(100 * value[k]),
            "%",
            float(100 * low[k] - error[k]),
            float(100 * high[k] + error[k]),
            0.95,
            n,
            HIGHLIGHTS_METHOD.name,
            f"none: a fact; positive to {meaning}; untouched clips {UNTOUCHED[k]} (5th to 95th percentile, n = 27): "
            "the interval holds how well the number repeats, not how eyes differ",
        )
        for k, (name, meaning) in enumerate(axes)
    ]
    share = Measurement(
        "highlight_share",
        100 * n / found.looked,
        "%",
        None,
        None,
        None,
        found.looked,
        HIGHLIGHTS_METHOD.name,
        "none: a fact; of the pictures with open eyes, those with a highlight in both",
    )
    return [*shifts, share]
