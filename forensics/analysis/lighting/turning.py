"""As the head turns, does its shading stay with the place or turn with the head? Pure.

Each landmark's brightness is divided by its own mean over the pictures, so that the colour of the skin, which turns
with the head, drops out. What is left is compared with the change that a light fixed in the camera's frame makes on
the turned normals: share 1 of it is left under light that stays, share 0 if the shading is a part of the skin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from forensics.analysis.lighting.direction import (
    bootstrap_lights,
    direction,
    fit_light,
    fit_lights,
    normal_equations,
)
from forensics.analysis.lighting.jumps import Step
from forensics.analysis.lighting.settings import METHOD, Settings
from forensics.analysis.lighting.signal import Skin
from forensics.finding import Measurement


@dataclass(frozen=True)
class Shading:
    """The upper face's shading and its changes, the colour of the skin and the exposure taken out.

    ``change`` (n, v) relative to each landmark's mean; ``expected`` (n, v, 3) that change for each component of the
    light's vector if it stays; ``weights`` (n, v); ``vector`` (3,) of the mean light, ``vectors`` (k, 3) the same of
    resampled faces; ``azimuth`` (n,) deg of the light in each picture; ``cell`` (v,) patches of skin.
    """

    change: np.ndarray
    expected: np.ndarray
    weights: np.ndarray
    vector: np.ndarray
    vectors: np.ndarray
    azimuth: np.ndarray
    cell: np.ndarray


@dataclass(frozen=True)
class Following:
    """``value`` 0: the light stays in the camera's frame, 1: it turns with the head; ``drawn`` (k,) the same resampled.

    ``left`` is the sum of squares that light which stays leaves, over that which light on the head leaves: under 1,
    light that stays fits better.
    """

    value: float
    drawn: np.ndarray
    left: float

    @property
    def span(self) -> np.ndarray:
        """Statistical interval around the value."""
        return np.percentile(self.drawn - self.value, (2.5, 97.5)).clip((-np.inf, 0), (0, np.inf))


def steady(skin: Skin, jumps: Sequence[Step]) -> Skin:
    """The pictures of the longest time without a jump of the light."""
    edges = np.searchsorted(skin.t_s, [jump.interval.end_s for jump in jumps])
    return max((skin[part] for part in np.split(np.arange(len(skin.t_s)), edges)), key=lambda part: len(part.t_s))


def upper_face(skin: Skin, settings: Settings) -> np.ndarray:
    """Landmarks (v,) above the mouth, in the head's own frame, that are seen in most pictures and not black."""
    points = (skin.points - skin.points.mean(1, keepdims=True)) * np.array([1.0, -1.0, -1.0])
    height = np.einsum("nji,nvj->nvi", skin.rotation, points)[..., 1].mean(0)
    low, high = height.min(), height.max()
    seen = np.isfinite(skin.light).mean(0) > 0.8  # mean over pictures that lack many would be of other pictures
    lit = np.array([seen[v] and np.nanmedian(skin.light[:, v]) > settings.darkest for v in range(len(seen))])
    return lit & (height > low + settings.above_mouth * (high - low))


def rigid(skin: Skin) -> np.ndarray:
    """Normals (n, v, 3) of the mean face turned as the head is: landmark noise and expression are averaged out."""
    own = np.einsum("nji,nvj->vi", skin.rotation, skin.facing)
    own /= np.linalg.norm(own, axis=-1, keepdims=True)
    return np.einsum("nij,vj->nvi", skin.rotation, own)


def centred(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """``values`` (n, v, ...) less the mean of each landmark and of each picture over what is known."""
    weights = known.reshape(*known.shape, *(1,) * (values.ndim - 2)).astype(float)
    values = values * weights
    for _ in range(8):  # of alternating projections; they settle in a few where little is missing
        for axis in (0, 1):
            values = weights * (values - values.sum(axis, keepdims=True) / weights.sum(axis, keepdims=True).clip(1))
    return values


def shading(skin: Skin, chosen: np.ndarray, settings: Settings) -> Shading:
    """Changes of the shading of the ``chosen`` landmarks (v,), and what they would be in light that stays."""
    facing, light = rigid(skin)[:, chosen], skin.light[:, chosen]
    exposure = np.nanmedian(light / np.nanmedian(light, axis=0), axis=1, keepdims=True)
    relative = light / exposure
    usual = np.nanmean(relative, axis=0)
    mean = replace(skin[:1], facing=facing.mean(0)[None], light=usual[None], cell=skin.cell[chosen])
    found, _, weights = fit_light(mean.facing, mean.light, settings)
    drawn = bootstrap_lights(mean, weights, settings)
    vector = found[1:] / found[0]
    # Light = albedo (1 + vector . normal), so that one vector stands for the mean shading and for its changes.
    shade = np.maximum(1 + mean.facing[0] @ vector, settings.dimmest)
    known = np.isfinite(light)
    lights, _ = fit_lights(facing, relative / usual * shade, settings)
    return Shading(
        change=centred(np.nan_to_num(relative / usual), known),
        expected=centred(facing / shade[:, None], known),
        weights=known * shade**2,  # the light's noise is about the same everywhere: what is dark tells less
        vector=vector,
        vectors=drawn[:, 1:] / drawn[:, :1],
        azimuth=direction(lights[:, 1:])[0],
        cell=mean.cell,
    )


def follow(seen: Shading, settings: Settings) -> Following:
    """How far the shading turns with the head: 1 less the share of the expected change that is seen."""
    expected, weights = seen.expected @ seen.vector, seen.weights
    for _ in range(settings.rounds):
        share = float((weights * seen.change * expected).sum() / max((weights * expected**2).sum(), 1e-12))
        rest = np.abs(seen.change - share * expected)
        spread = 1.4826 * np.median(rest[seen.weights > 0]) + 1e-12
        weights = seen.weights * np.minimum(1, settings.huber * spread / np.maximum(rest, 1e-12))
    stays, turns = ((weights * (seen.change - k * expected) ** 2).sum() for k in (1, 0))
    return Following(1 - share, 1 - bootstrap_shares(seen, weights, settings), float(stays / max(turns, 1e-12)))


def bootstrap_shares(seen: Shading, weights: np.ndarray, settings: Settings) -> np.ndarray:
    """Shares of the expected change (k,): stretches of time and patches of skin drawn with replacement."""
    used, n = np.unique(seen.cell), settings.stretches
    left, right = np.zeros((n, len(used), 3, 3)), np.zeros((n, len(used), 3))
    for c, cell in enumerate(used):
        own = seen.cell == cell
        parts = normal_equations(seen.expected[:, own], seen.change[:, own], weights[:, own])
        for k, rows in enumerate(np.array_split(np.arange(len(weights)), n)):
            left[k, c], right[k, c] = (part[rows].sum(0) for part in parts)
    random, shares = np.random.default_rng(0), []
    for vector in seen.vectors:
        drawn = np.ix_(random.integers(0, n, n), random.integers(0, len(used), len(used)))
        shares.append(vector @ right[drawn].sum((0, 1)) / max(vector @ left[drawn].sum((0, 1)) @ vector, 1e-12))
    return np.array(shares)


def measure_following(found: Following, settings: Settings) -> list[Measurement]:
    """How far the light turns with the head, and how much worse light that stays fits; n is the stretches of time."""
    low, high = found.span
    follows = Measurement(
        "light_follows_head",
        found.value,
        "1",
        found.value + low - settings.systematic_following,
        found.value + high + settings.systematic_following,
        0.95,
        settings.stretches,
        METHOD.name,
        "none: a fact; 0 = the shading stays with the place, 1 = it turns with the head",
    )
    reference = "none: a fact; under 1, light that stays fits the changes better, over 1 light that turns with the head"
    misfit = Measurement(
        "light_misfit_ratio", found.left, "1", None, None, None, settings.stretches, METHOD.name, reference
    )
    return [follows, misfit]
