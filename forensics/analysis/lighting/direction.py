"""The direction of the light: one for all pictures with its interval, and one for each picture by itself. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.analysis.lighting.settings import METHOD, Settings
from forensics.analysis.lighting.signal import Skin, luminance, normals
from forensics.finding import Measurement
from forensics.timeline import FaceTrack, repeatability

#: Of the chi-squared distribution with two degrees of freedom: the ellipse that holds 95 %, in variances.
ELLIPSE = 5.991


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
    deviation of azimuth and elevation that the landmarks' own error makes, NaN where not sampled. ``condition`` is
    that of the normals seen (1 = best), ``shadowed`` the share of the skin in shadow.
    """

    light: np.ndarray
    drawn: np.ndarray
    explained: float
    patches: int
    error_deg: tuple[float, float] = (np.nan, np.nan)
    condition: float = 1.0
    shadowed: float = 0.0

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
    def covariance(self) -> np.ndarray:
        """Covariance (2, 2) in deg² sideways and upwards from the direction: resampled skin and landmark error.

        On the sphere, where azimuth has no pole: a degree sideways is a degree of angle.
        """
        away = np.degrees(beside_light(self.drawn[:, 1:], self.light[1:]))
        side, up = np.nan_to_num(self.error_deg)
        across = side * np.cos(np.radians(self.angles[1]))
        return away.T @ away / max(len(away), 1) + np.diag([across**2, up**2])


def tangents(light: np.ndarray) -> np.ndarray:
    """Unit vectors (2, 3) sideways and upwards from the direction of ``light`` (3,)."""
    azimuth, elevation = (np.radians(angle) for angle in direction(light))
    side = np.array([np.cos(azimuth), 0.0, -np.sin(azimuth)])
    sine = np.sin(elevation)
    return np.stack([side, [-sine * np.sin(azimuth), np.cos(elevation), -sine * np.cos(azimuth)]])


def beside_light(lights: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Angles (n, 2) in radians sideways and upwards from ``centre`` (3,) to ``lights`` (n, 3), along great circles."""
    unit = lights / np.maximum(np.linalg.norm(lights, axis=-1, keepdims=True), 1e-12)
    flat = unit @ tangents(centre).T
    length = np.linalg.norm(flat, axis=-1, keepdims=True)
    angle = np.arctan2(length, (unit @ centre / max(np.linalg.norm(centre), 1e-12))[..., None])
    return flat / np.maximum(length, 1e-12) * angle


def region(light: Light, settings: Settings) -> np.ndarray:
    """Covariance (2, 2) in deg² of the direction, with its systematic part.

    Uneven skin leans the light's vector by a share of the even light, hence the direction by more the weaker the
    directed light is.
    """
    leaning = settings.albedo_deg * (1 - light.strength) / max(light.strength, 1e-3)
    return light.covariance + (settings.systematic_deg**2 + leaning**2) * np.eye(2)


def width_deg(light: Light, settings: Settings) -> float:
    """Half the 95 % interval along the ellipse's longer axis."""
    return float(1.96 * np.sqrt(np.linalg.eigvalsh(region(light, settings))[-1]))


def holds(light: Light, truth: np.ndarray, settings: Settings) -> bool:
    """Whether the 95 % ellipse holds the direction ``truth`` (3,)."""
    away = np.degrees(beside_light(truth[None], light.light[1:]))[0]
    return within(away, region(light, settings))


def within(away: np.ndarray, spread: np.ndarray) -> bool:
    """Whether the 95 % ellipse of covariance ``spread`` (2, 2) around ``away`` (2,) reaches the origin."""
    return bool(away @ np.linalg.solve(spread, away) <= ELLIPSE)


def edge(spread: np.ndarray) -> np.ndarray:
    """The edge (73, 2) of the 95 % ellipse of covariance ``spread`` (2, 2) around the origin."""
    turn = np.radians(np.linspace(0, 360, 73))
    return np.sqrt(ELLIPSE) * np.stack([np.cos(turn), np.sin(turn)], 1) @ np.linalg.cholesky(spread).T


def outline(light: Light, settings: Settings) -> np.ndarray:
    """Directions (73, 3), unit vectors, of the 95 % ellipse's edge."""
    away = edge(region(light, settings))
    length = np.radians(np.linalg.norm(away, axis=1, keepdims=True))
    flat = np.radians(away) / np.maximum(length, 1e-12) @ tangents(light.light[1:])
    return np.cos(length) * light.light[1:] / np.linalg.norm(light.light[1:]) + np.sin(length) * flat


def pooled_light(skin: Skin, settings: Settings, error_deg: tuple[float, float] = (np.nan, np.nan)) -> Light:
    """The light that explains all pictures together best."""
    found, explained, weights = fit_light(skin.facing, skin.light, settings)
    return Light(
        found,
        bootstrap_lights(skin, weights, settings),
        explained,
        len(np.unique(skin.cell)),
        error_deg,
        condition(skin.facing, weights),
        shadowed(skin.light, settings),
    )


def condition(facing: np.ndarray, weights: np.ndarray) -> float:
    """Condition number of the weighted fit: of an even part and normals (n, v, 3)."""
    used = weights > 0
    design = np.concatenate([np.ones((int(used.sum()), 1)), facing[used]], 1) * np.sqrt(weights[used])[:, None]
    return float(np.sqrt(np.linalg.cond(design.T @ design)))


def shadowed(light: np.ndarray, settings: Settings) -> float:
    """Share of the skin (n, v) seen that lies in shadow, against the bright skin of its own picture."""
    bright = np.nanpercentile(light, 90, axis=1, keepdims=True)
    known = np.isfinite(light)
    return float((light < settings.shadow * bright)[known].mean())


def measure_light(light: Light, settings: Settings) -> list[Measurement]:
    """Azimuth, elevation and directionality with their intervals, condition number; n is the patches of skin."""
    # An angle between directions is a larger angle of azimuth the higher they point.
    wider = 1 / max(np.cos(np.radians(light.angles[1])), 0.2)
    side, up = 1.96 * np.sqrt(np.diag(region(light, settings)))
    axes = (
        ("azimuth", wider * side, 360.0, "none: a fact; positive to the picture's right, circular"),
        ("elevation", up, 90.0, "none: a fact; positive up"),
    )
    measured = [
        Measurement(
            f"light_{name}",
            value,
            "deg",
            max(-most, value - half),
            min(most, value + half),
            0.95,
            light.patches,
            METHOD.name,
            reference,
        )
        for (name, half, most, reference), value in zip(axes, light.angles, strict=True)
    ]
    low, high = np.percentile(directionality(light.drawn), (2.5, 97.5))
    reference = "none: a fact; 0 = the same light from everywhere, 1 = all from one side"
    strength = Measurement(
        "light_directionality", light.strength, "1", low, high, 0.95, light.patches, METHOD.name, reference
    )
    reference = "none: a fact; 1 = all directions are held equally, whole faces 6 to 8"
    held = Measurement("light_condition", light.condition, "1", None, None, None, light.patches, METHOD.name, reference)
    return [*measured, strength, held]


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
