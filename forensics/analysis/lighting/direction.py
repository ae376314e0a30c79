"""The direction of the light: one for all pictures with its interval, and one for each picture by itself. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.analysis.lighting.settings import METHOD, Settings
from forensics.analysis.lighting.signal import Skin, luminance, normals
from forensics.finding import Measurement
from forensics.timeline import FaceTrack, repeatability


def fit_lights(facing: np.ndarray, light: np.ndarray, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Even part and light vector (n, 4), robust weights (n, v) of each row of ``facing`` (n, v, 3) and ``light``.

    NaN light has weight 0.
    """
    design = np.concatenate([np.ones((*facing.shape[:-1], 1)), facing], -1)
    known, values = np.isfinite(light), np.nan_to_num(light)
    weights = known.astype(float)
    for _ in range(settings.rounds):
        found = solve(*normal_equations(design, values, weights))
        rest = np.where(known, values - np.einsum("nvi,ni->nv", design, found), np.nan)
        spread = 1.4826 * np.nanmedian(np.abs(rest), axis=1, keepdims=True) + 1e-12
        weights = np.nan_to_num(np.minimum(1, settings.huber * spread / np.maximum(np.abs(rest), 1e-12)))
    return found, weights


def normal_equations(design: np.ndarray, values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Left (n, k, k) and right side (n, k) of weighted least squares, for each row of ``design`` (n, v, k)."""
    weighted = np.swapaxes(design * weights[..., None], -1, -2)
    return weighted @ design, (weighted @ values[..., None])[..., 0]


def solve(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solutions (..., k); a direction that nothing constrains gets 0."""
    ridge = 1e-9 * np.trace(left, axis1=-2, axis2=-1)[..., None, None] + 1e-30
    return np.linalg.solve(left + ridge * np.eye(left.shape[-1]), right[..., None])[..., 0]


def fit_light(facing: np.ndarray, light: np.ndarray, settings: Settings) -> tuple[np.ndarray, float, np.ndarray]:
    """One even part and light vector (4,) for all pictures, share of variance explained, robust weights (n, v)."""
    found, weights = fit_lights(facing.reshape(1, -1, 3), light.reshape(1, -1), settings)
    known = np.isfinite(light)
    rest = (light - found[0, 0] - facing @ found[0, 1:])[known]
    spread = light[known] - light[known].mean()
    return found[0], 1 - float(rest @ rest) / max(float(spread @ spread), 1e-12), weights.reshape(light.shape)


def bootstrap_lights(skin: Skin, weights: np.ndarray, settings: Settings) -> np.ndarray:
    """Even part and light vector of resampled faces (resamples, 4): patches of skin drawn with replacement."""
    design = np.concatenate([np.ones((*skin.facing.shape[:-1], 1)), skin.facing], -1)
    light, used = np.nan_to_num(skin.light), np.unique(skin.cell)
    # Normal equations of each patch, so that a resampled face is a sum of patches.
    parts = [normal_equations(design[:, m], light[:, m], weights[:, m]) for m in (skin.cell == c for c in used)]
    left, right = (np.stack([part[k].sum(0) for part in parts]) for k in (0, 1))
    draws = np.random.default_rng(0).integers(0, len(used), (settings.resamples, len(used)))
    return solve(left[draws].sum(1), right[draws].sum(1))


def direction(light: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Azimuth and elevation in deg of light vectors (..., 3) in the camera's frame."""
    x, y, z = np.moveaxis(light, -1, 0)
    return np.degrees(np.arctan2(x, z)), np.degrees(np.arctan2(y, np.hypot(x, z)))


def directionality(light: np.ndarray) -> np.ndarray:
    """Share of the light that has a direction, 0 to 1, of even part and light vector (..., 4)."""
    directed = np.linalg.norm(light[..., 1:], axis=-1)
    return directed / np.maximum(np.maximum(light[..., 0], 0) + directed, 1e-12)


def beside(values: np.ndarray, centre: float | np.ndarray) -> np.ndarray:
    """Differences of angles from ``centre`` in (-180, 180]."""
    return (values - centre + 180) % 360 - 180


@dataclass(frozen=True)
class Light:
    """One light for all pictures: even part and vector ``light`` (4,), ``drawn`` (k, 4) the same of resampled faces.

    ``explained`` is the share of the skin's variance; ``patches`` how many were resampled; ``error_deg`` the standard
    deviation of azimuth and elevation that the landmarks' own error makes, NaN where not sampled.
    """

    light: np.ndarray
    drawn: np.ndarray
    explained: float
    patches: int
    error_deg: tuple[float, float] = (np.nan, np.nan)

    @property
    def angles(self) -> tuple[float, float]:
        """Azimuth and elevation, deg."""
        azimuth, elevation = direction(self.light[1:])
        return float(azimuth), float(elevation)

    @property
    def strength(self) -> float:
        return float(directionality(self.light))

    @property
    def away_deg(self) -> float:
        """Angle from the camera."""
        return float(np.degrees(np.arccos(self.light[3] / max(np.linalg.norm(self.light[1:]), 1e-12))))

    @property
    def spans(self) -> list[np.ndarray]:
        """Statistical intervals of azimuth and elevation around their values: resampled skin and landmark error."""
        spans = []
        for drawn, value, error in zip(direction(self.drawn[:, 1:]), self.angles, self.error_deg, strict=True):
            sides = np.percentile(beside(drawn, value), (2.5, 97.5)).clip((-360, 0), (0, 360))
            spans.append(np.array((-1, 1)) * np.hypot(sides, 1.96 * np.nan_to_num(error)))
        return spans

    @property
    def width_deg(self) -> float:
        """Half width of the wider interval."""
        return max(float(np.ptp(span)) / 2 for span in self.spans)


def pooled_light(skin: Skin, settings: Settings, error_deg: tuple[float, float] = (np.nan, np.nan)) -> Light:
    """The light that explains all pictures together best."""
    found, explained, weights = fit_light(skin.facing, skin.light, settings)
    return Light(found, bootstrap_lights(skin, weights, settings), explained, len(np.unique(skin.cell)), error_deg)


def measure_light(light: Light, settings: Settings) -> list[Measurement]:
    """Azimuth, elevation and directionality with their intervals; n is the number of patches of skin."""
    # An angle between directions is a larger angle of azimuth the higher they point.
    wider = 1 / max(np.cos(np.radians(light.angles[1])), 0.2)
    axes = (
        ("azimuth", wider * settings.systematic_deg, 360.0, "none: a fact; positive to the picture's right, circular"),
        ("elevation", settings.systematic_deg, 90.0, "none: a fact; positive up"),
    )
    measured = [
        Measurement(
            f"light_{name}",
            value,
            "deg",
            max(-most, value + span[0] - systematic),
            min(most, value + span[1] + systematic),
            0.95,
            light.patches,
            METHOD.name,
            reference,
        )
        for (name, systematic, most, reference), value, span in zip(axes, light.angles, light.spans, strict=True)
    ]
    low, high = np.percentile(directionality(light.drawn), (2.5, 97.5))
    reference = "none: a fact; 0 = the same light from everywhere, 1 = all from one side"
    strength = Measurement(
        "light_directionality", light.strength, "1", low, high, 0.95, light.patches, METHOD.name, reference
    )
    return [*measured, strength]


def landmark_error(tracks: Sequence[FaceTrack], mesh: dict[str, np.ndarray], settings: Settings) -> tuple[float, float]:
    """Standard deviation in deg of azimuth and elevation between repeated landmarks of one picture; NaN without any.

    Each repeat's normals are fitted to the same picture's light, so that nothing but the landmarks differs.
    """
    skin, spread = np.flatnonzero(mesh["skin"]), []
    for track in tracks:
        for row, again in zip(track.repeats.row, track.repeats.landmarks, strict=True) if track.repeats else ():
            facing = normals(again.astype(np.float64), mesh["triangles"])[:, skin]
            light = np.where(facing[..., 2] >= settings.facing, luminance(track.vertex_rgb[row])[skin], np.nan)
            azimuth, elevation = direction(fit_lights(facing, light, settings)[0][:, 1:])
            spread.append((beside(azimuth, azimuth[0]), elevation))
    azimuths, elevations = np.array(spread).reshape(len(spread), 2, -1).swapaxes(0, 1) if spread else ([], [])
    return repeatability(np.asarray(azimuths)), repeatability(np.asarray(elevations))


def light_over_time(skin: Skin, settings: Settings) -> np.ndarray:
    """Even part and light vector (n, 4) fitted to each picture by itself."""
    return fit_lights(skin.facing, skin.light, settings)[0]
