"""Where does the light on this face come from, in the camera's frame, as far as the face's own shading tells?

The brightness of the skin in linear light is explained by the direction in which each piece of the landmark mesh
faces: first-order spherical harmonics, an even part plus one that grows towards the light, fitted robustly and pooled
over pictures. Azimuth is positive to the picture's right, elevation positive up, both from the viewing direction.
Reference: Ramamoorthi & Hanrahan 2001; Johnson & Farid 2007; Kee & Farid 2010.
Not to be trusted: under several lights, with hard shadows, beards, masks or make-up, filters that smooth or relight,
or where the camera's tone curve is extreme. The mesh is a learned average, so its normals err by some degrees.
A direction is a fact about the picture; by itself it says nothing about alteration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forensics import plots
from forensics.finding import ASSESSED, About, Finding, Measurement, Question
from forensics.method import Method, setting
from forensics.timeline import FaceTrack, Interval, total_s

if TYPE_CHECKING:
    from forensics.pipeline import Scene

ANALYSIS = "lighting"
METHOD = Method(
    "first-order spherical harmonics on landmark normals", "1", "Ramamoorthi & Hanrahan 2001; Johnson & Farid 2007"
)
#: Luminance of linear R, G, B (ITU-R BT.709).
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
#: Transfer characteristics (ITU-T H.273) of high dynamic range: PQ and HLG.
HDR = (16, 18)

LIMITS = (
    "One direction stands for all light; several lamps or a window and a lamp give a direction between them.",
    "Skin of uneven colour, beards and make-up shift the direction; so does a filter that evens the face.",
    "Only directions within about 60 degrees of the camera were validated.",
)
ALTERNATIVES = (
    "Lamps that move or change, clouds, screens that light the face, automatic exposure, retouching filters.",
)

DIRECTION = Question(
    "lighting.direction",
    "The face was lit in another place than the rest of the picture.",
    "The face was lit where it is seen.",
    METHOD,
    LIMITS,
    ALTERNATIVES,
)


@dataclass(frozen=True)
class Settings:
    pictures: int = setting(60, "1", "spread over the appearances; neighbouring pictures tell little more")
    facing: float = setting(0.2, "1", "least cosine to the camera: beyond it the mesh's edge meets hair and background")
    huber: float = setting(1.5, "1", "in robust standard deviations: moles, highlights and shadow edges count less")
    rounds: int = setting(8, "1", "of the robust fit; it no longer moves")
    cells: int = setting(6, "1", "the face is resampled in 6 x 6 patches: neighbouring skin errs together")
    resamples: int = setting(200, "1", "of the bootstrap; seed 0")
    systematic_deg: float = setting(
        20.0,
        "deg",
        "half width added: about 19 in 20 Extended Yale B photographs with "
        "light within 60 degrees of the camera err by less (`make real` prints it)",
    )
    least_face_px: float = setting(60.0, "px", "face height; a patch is then under a pixel")
    shortest_s: float = setting(0.5, "s", "of appearance")
    least_directionality: float = setting(0.3, "1", "under it the shading is no more than skin colour varies")
    farthest_deg: float = setting(60.0, "deg", "from the camera; the cone in which directions were validated")
    least_explained: float = setting(0.25, "1", "share of the skin's variance; below it one light does not explain it")
    darkest: float = setting(0.01, "1", "median linear light of the skin: code values near black")
    most_clipped: float = setting(0.08, "1", "share of the face's pixels at white")
    widest_deg: float = setting(60.0, "deg", "half width of the statistical interval beyond which nothing is said")


# -- signal ----------------------------------------------------------------------------------------------------------


def normals(landmarks: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Unit normals (..., 478, 3) of the mesh in the camera's frame: x right, y up, z towards the viewer."""
    points = landmarks * np.array([1.0, -1.0, -1.0])
    a, b, c = (points[..., triangles[:, k], :] for k in range(3))
    faces = np.cross(b - a, c - a)  # length = twice the area: large triangles weigh more
    total = np.zeros_like(points)
    for k in range(3):
        for corner, face in zip(triangles[:, k], np.moveaxis(faces, -2, 0), strict=True):
            total[..., corner, :] += face
    unit = total / np.maximum(np.linalg.norm(total, axis=-1, keepdims=True), 1e-12)
    # The face looks at the viewer: whatever the triangles' winding, most of it points towards the camera.
    return unit if np.median(unit[..., 2]) > 0 else -unit


def luminance(vertex_rgb: np.ndarray) -> np.ndarray:
    return vertex_rgb.astype(np.float64) @ LUMINANCE


@dataclass(frozen=True)
class Skin:
    """Skin samples of the chosen pictures: ``facing`` (n, v, 3), ``light`` (n, v) NaN where unfit, ``cell`` (v,)."""

    t_s: np.ndarray
    facing: np.ndarray
    light: np.ndarray
    cell: np.ndarray


def skin_samples(tracks: list[FaceTrack], mesh: dict[str, np.ndarray], settings: Settings) -> Skin:
    """Normals and light of the skin in up to ``pictures`` pictures spread over the tracks."""
    where = [(track, row) for track in tracks for row in range(len(track.t_s))]
    chosen = [where[int(i)] for i in np.linspace(0, len(where) - 1, min(len(where), settings.pictures))]
    points = np.stack([track.landmarks[row] for track, row in chosen]).astype(np.float64)
    light = luminance(np.stack([track.vertex_rgb[row] for track, row in chosen]))
    skin = np.flatnonzero(mesh["skin"])
    facing = normals(points, mesh["triangles"])[:, skin]
    light = np.where(facing[..., 2] >= settings.facing, light[:, skin], np.nan)
    return Skin(
        np.array([track.t_s[row] for track, row in chosen]), facing, light, face_cells(points[0, skin], settings)
    )


def face_cells(points: np.ndarray, settings: Settings) -> np.ndarray:
    """Number of the patch of the face that each landmark lies in."""
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    column, row = ((points[:, :2] - low) / (high - low + 1e-9) * settings.cells).astype(int).T
    return row * settings.cells + column


# -- measurement -----------------------------------------------------------------------------------------------------


def fit_light(facing: np.ndarray, light: np.ndarray, settings: Settings) -> tuple[np.ndarray, float, np.ndarray]:
    """Even part and light vector (4,), share of variance explained, robust weights; NaN light has weight 0."""
    design = np.concatenate([np.ones((*facing.shape[:-1], 1)), facing], -1).reshape(-1, 4)
    values = light.reshape(-1)
    good = np.isfinite(values)
    design, values = design[good], values[good]
    weight = np.ones(len(values))
    for _ in range(settings.rounds):
        root = np.sqrt(weight)
        found = np.linalg.lstsq(design * root[:, None], values * root, rcond=None)[0]
        rest = values - design @ found
        spread = 1.4826 * np.median(np.abs(rest)) + 1e-12
        weight = np.minimum(1, settings.huber * spread / np.maximum(np.abs(rest), 1e-12))
    explained = 1 - float(rest @ rest) / max(float(((values - values.mean()) ** 2).sum()), 1e-12)
    weights = np.zeros(light.size)
    weights[good] = weight
    return found, explained, weights.reshape(light.shape)


def bootstrap_lights(skin: Skin, weights: np.ndarray, settings: Settings) -> np.ndarray:
    """Even part and light vector of resampled faces (resamples, 4): patches of skin drawn with replacement."""
    design = np.concatenate([np.ones((*skin.facing.shape[:-1], 1)), skin.facing], -1)
    light = np.nan_to_num(skin.light)
    used = np.unique(skin.cell)
    # Normal equations of each patch, so that a resampled face is a sum of patches.
    left = np.stack(
        [np.einsum("nvi,nv,nvj->ij", design[:, m], weights[:, m], design[:, m]) for m in (skin.cell == c for c in used)]
    )
    right = np.stack(
        [np.einsum("nvi,nv->i", design[:, m], (weights * light)[:, m]) for m in (skin.cell == c for c in used)]
    )
    draws = np.random.default_rng(0).integers(0, len(used), (settings.resamples, len(used)))
    ridge = 1e-9 * np.trace(left.sum(0)) * np.eye(4)
    return np.stack([np.linalg.solve(left[d].sum(0) + ridge, right[d].sum(0)) for d in draws])


def direction(light: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Azimuth and elevation in deg of light vectors (..., 3) in the camera's frame."""
    x, y, z = np.moveaxis(light, -1, 0)
    return np.degrees(np.arctan2(x, z)), np.degrees(np.arctan2(y, np.hypot(x, z)))


def directionality(light: np.ndarray) -> np.ndarray:
    """Share of the light that has a direction, 0 to 1, of even part and light vector (..., 4)."""
    directed = np.linalg.norm(light[..., 1:], axis=-1)
    return directed / np.maximum(np.maximum(light[..., 0], 0) + directed, 1e-12)


def _around(values: np.ndarray, centre: float) -> np.ndarray:
    """Differences of angles from ``centre`` in (-180, 180]."""
    return (values - centre + 180) % 360 - 180


def measure_light(skin: Skin, settings: Settings) -> tuple[list[Measurement], dict[str, Any]]:
    """Azimuth, elevation and directionality with intervals, and what the refusals and the chart need."""
    found, explained, weights = fit_light(skin.facing, skin.light, settings)
    drawn = bootstrap_lights(skin, weights, settings)
    azimuth, elevation = (float(a) for a in direction(found[1:]))
    azimuths, elevations = direction(drawn[:, 1:])
    n, name, level = len(np.unique(skin.cell)), METHOD.name, 0.95  # patches of skin are what is resampled
    spans = {
        "azimuth": np.percentile(_around(azimuths, azimuth), (2.5, 97.5)),
        "elevation": np.percentile(elevations - elevation, (2.5, 97.5)),
    }
    strength, strengths = directionality(found), directionality(drawn)

    def angle(which: str, value: float, most: float, reference: str) -> Measurement:
        low, high = spans[which]
        # An angle between directions is a larger angle of azimuth the higher they point.
        beside = settings.systematic_deg / (max(np.cos(np.radians(elevation)), 0.2) if which == "azimuth" else 1)
        return Measurement(
            f"light_{which}",
            value,
            "deg",
            max(-most, value + min(low, 0) - beside),
            min(most, value + max(high, 0) + beside),
            level,
            n,
            name,
            reference,
        )

    measurements = [
        angle("azimuth", azimuth, 360, "none: a fact; positive to the picture's right, circular"),
        angle("elevation", elevation, 90, "none: a fact; positive up"),
        Measurement(
            "light_directionality",
            float(strength),
            "1",
            float(np.percentile(strengths, 2.5)),
            float(np.percentile(strengths, 97.5)),
            level,
            n,
            name,
            "none: a fact; 0 = the same light from everywhere, 1 = all from one side",
        ),
    ]
    width = max(float(np.ptp(span)) / 2 for span in spans.values())
    away = float(np.degrees(np.arccos(found[3] / max(np.linalg.norm(found[1:]), 1e-12))))
    return measurements, {
        "light": found,
        "explained": explained,
        "strength": float(strength),
        "width_deg": width,
        "away_deg": away,
        "azimuths": azimuth + _around(azimuths, azimuth),
        "elevations": elevations,
    }


def light_over_time(skin: Skin, settings: Settings) -> dict[str, np.ndarray]:
    """Direction fitted to each picture by itself: ``t_s``, ``azimuth``, ``elevation`` (n,)."""
    fits = [fit_light(f, v, settings)[0] for f, v in zip(skin.facing, skin.light, strict=True)]
    azimuth, elevation = direction(np.stack(fits)[:, 1:])
    return {"t_s": skin.t_s, "azimuth": azimuth, "elevation": elevation}


# -- verdict ---------------------------------------------------------------------------------------------------------


def refusals(tracks: list[FaceTrack], skin: Skin, transfer: np.ndarray, settings: Settings) -> tuple[str, ...]:
    """Reason codes that stand before any fit; empty where there are none."""
    heights = np.concatenate([t.quality["face_height"].values for t in tracks])
    clipped = np.concatenate([t.quality["clipped"].values for t in tracks])
    reasons = []
    if np.median(heights) < settings.least_face_px:
        reasons.append("face_too_small")
    if total_s(t.interval for t in tracks) < settings.shortest_s:
        reasons.append("too_few_visible_seconds")
    if np.isin(transfer, HDR).any():
        reasons.append("transfer_not_supported")
    if np.nanmedian(clipped) > settings.most_clipped:
        reasons.append("over_exposed")
    known = skin.light[np.isfinite(skin.light)]
    if not len(known) or np.median(known) <= settings.darkest:
        reasons.append("too_dark")
    return tuple(reasons)


def fit_refusals(about: dict[str, Any], settings: Settings) -> tuple[str, ...]:
    """Reason codes that the fit itself gives."""
    reasons = []
    if about["strength"] < settings.least_directionality:
        reasons.append("light_too_flat")
    elif about["explained"] < settings.least_explained:
        reasons.append("light_fit_poor")
    if about["width_deg"] > settings.widest_deg or about["away_deg"] > settings.farthest_deg:
        reasons.append("light_ambiguous")
    return tuple(reasons)


def assess_direction(
    person: str,
    tracks: list[FaceTrack],
    mesh: dict[str, np.ndarray],
    transfer: np.ndarray,
    examined: Interval,
    settings: Settings,
) -> Finding:
    """From where is this face lit?"""
    asked = About(examined, settings, [t.interval for t in tracks], person, tuple(t.name for t in tracks))
    skin = skin_samples(tracks, mesh, settings)
    if reasons := refusals(tracks, skin, transfer, settings):
        return DIRECTION.refuse(asked, *reasons)
    measurements, about = measure_light(skin, settings)
    if reasons := fit_refusals(about, settings):
        return DIRECTION.refuse(asked, *reasons)
    return DIRECTION.answer(
        asked,
        measurements=tuple(measurements),
        evidence={"about": about, "examined": examined, **light_over_time(skin, settings)},
    )


def assess(scene: Scene, settings: Settings) -> list[Finding]:
    """One finding a person; one refusal where there is nobody."""
    if not scene.persons:
        return [DIRECTION.refuse(About(scene.interval, settings), scene.nobody)]
    transfer = scene.observation.pictures["transfer"]
    return [
        assess_direction(person, tracks, scene.observation.mesh, transfer, scene.interval, settings)
        for person, tracks in scene.persons.items()
    ]


# -- charts ----------------------------------------------------------------------------------------------------------


def plot_sphere(finding: Finding, ax: Any) -> None:
    """A white ball under the estimated light, as the camera would see it."""
    even, *light = finding.evidence["about"]["light"]
    y, x = np.mgrid[1:-1:121j, -1:1:121j]
    z = np.sqrt(np.clip(1 - x * x - y * y, 0, None))
    shade = even + light[0] * x + light[1] * y + light[2] * z
    shown = np.where(x * x + y * y <= 1, np.clip(shade, 0, None) / max(shade.max(), 1e-9), np.nan)
    ax.imshow(shown, cmap="cividis", vmin=0, vmax=1, extent=(-1, 1, -1, 1))
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlabel("a white ball under this light")
    ax.spines[:].set_visible(False)
    bar = ax.figure.colorbar(ax.images[0], ax=ax, fraction=0.05, pad=0.02)
    bar.set_label("relative brightness")
    bar.ax.tick_params(labelsize=8)
    ax.plot(0, 0, "+", color=plots.BLACK, ms=6)


def plot_direction(finding: Finding, ax: Any) -> None:
    """Direction over time: each picture by itself as points, the pooled value with its interval as band."""
    for which, colour, marker, style in (("azimuth", plots.BLUE, "o", "-"), ("elevation", plots.ORANGE, "s", "--")):
        pooled = finding.measurement(f"light_{which}")
        ax.plot(
            finding.evidence["t_s"],
            finding.evidence[which],
            marker,
            ms=2.5,
            color=colour,
            ls="none",
            label=f"{which}, each picture",
        )
        ax.axhline(pooled.value, color=colour, ls=style, label=f"{which}, pooled")
        ax.axhspan(pooled.low, pooled.high, color=colour, alpha=0.1, lw=0)
    plots.missing(ax, finding.evidence["examined"], finding.covered)
    ax.set_ylabel("direction of the light (deg)")
    plots.time_axis(ax, finding.evidence["examined"])
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(handles, labels, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)


@plots.styled
def charts(finding: Finding) -> list[plots.Chart]:
    """One chart of the direction over time beside a ball under that light; none of a refusal."""
    if finding.state != ASSESSED:
        return []
    fig, axes = plots.figure(columns=2, row_mm=62, width_ratios=(3, 1.25))
    plot_direction(finding, axes[0])
    plot_sphere(finding, axes[1])
    azimuth, elevation = (finding.measurement(f"light_{which}").value for which in ("azimuth", "elevation"))
    return [
        plots.Chart(
            "lighting",
            fig,
            f"Direction of the light on the face of person {finding.person} over time (bands: 95 % intervals with "
            "their "
            "systematic part), and a ball under that light. Notice whether points wander with the head or jump. "
            "It does "
            "not show where the lamp stood, and an offset of all points may be skin colour.",
            f"Points over time for azimuth near {azimuth} and elevation near {elevation} degrees; a shaded ball.",
            {k: finding.evidence[k] for k in ("t_s", "azimuth", "elevation")},
        )
    ]
