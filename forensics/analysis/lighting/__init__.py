"""Where does the light on this face come from, in the camera's frame, and does it stay there as the head turns?

The brightness of the skin in linear light is explained by the direction in which each piece of the landmark mesh
faces: first-order spherical harmonics, an even part plus one that grows towards the light, fitted robustly and pooled
over pictures. Azimuth is positive to the picture's right, elevation positive up, both from the viewing direction.
Where the direction jumps and stays is an event. As the head turns, the changes of each piece's brightness are set
against those that light which stays would make; the colour of the skin turns with the head and drops out.
Reference: Ramamoorthi & Hanrahan 2001; Johnson & Farid 2007; Kee & Farid 2010.
Not to be trusted: under several lights, with hard shadows, beards, masks or make-up, filters that smooth or relight,
or where the camera's tone curve is extreme. The mesh is a learned average, so its normals err by some degrees.
A direction is a fact about the picture; by itself it says nothing about alteration.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from forensics.analysis.lighting.charts import charts
from forensics.analysis.lighting.direction import (
    Light,
    beside,
    direction,
    fit_lights,
    holds,
    landmark_error,
    light_over_time,
    measure_light,
    outline,
    pooled_light,
    width_deg,
)
from forensics.analysis.lighting.jumps import event, light_jumps
from forensics.analysis.lighting.settings import METHOD, Settings
from forensics.analysis.lighting.signal import (
    LUMINANCE,
    Skin,
    face_cells,
    longest_face,
    luminance,
    normals,
    skin_samples,
    spread,
)
from forensics.analysis.lighting.turning import follow, measure_following, shading, steady, upper_face
from forensics.finding import About, Finding, Question
from forensics.timeline import FaceTrack, Interval, intersection, total_s

if TYPE_CHECKING:
    from forensics.scene import Scene

__all__ = [
    "ANALYSIS",
    "LUMINANCE",
    "METHOD",
    "Settings",
    "Skin",
    "assess",
    "beside",
    "charts",
    "direction",
    "face_cells",
    "fit_lights",
    "fit_refusals",
    "holds",
    "landmark_error",
    "luminance",
    "measure_light",
    "normals",
    "outline",
    "pooled_light",
    "signal",
]

ANALYSIS = "lighting"
#: Transfer characteristics (ITU-T H.273) of high dynamic range: PQ and HLG.
HDR = (16, 18)

#: Refusals of a direction that leave open whether the light stays where it is.
PLACE = ("light_ambiguous", "light_ill_conditioned", "self_shadowed")

LIMITS = (
    "One direction stands for all light; several lamps or a window and a lamp give a direction between them.",
    "Skin of uneven colour, beards and make-up shift the direction; so does a filter that evens the face.",
    "Only directions within about 60 degrees of the camera were validated.",
    "Appearances in other shots are left out: each shot has its own light. Where the light jumps, the pooled direction "
    "is that of the longest time without a jump.",
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
HEAD_FIXED = Question(
    "lighting.head_fixed",
    "The shading turns with the head, as on an animated picture or a pasted face.",
    "The shading stays with the place while the head turns.",
    METHOD,
    (
        "Skin that is dark where the shading is, as a beard under light from above, reads as shading on the head.",
        "Software that makes the whole face anew also makes its shading anew: a low value does not show a recording.",
    ),
    (
        "A lamp or screen carried with the head, a cap or hair that shades the face, light that changes as the head "
        "turns, retouching filters, strong compression.",
    ),
)


def refusals(tracks: Sequence[FaceTrack], skin: Skin, transfer: np.ndarray, settings: Settings) -> tuple[str, ...]:
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


def fit_refusals(light: Light, settings: Settings) -> tuple[str, ...]:
    """Reason codes that the fit itself gives."""
    reasons = []
    flat = light.strength < settings.least_directionality  # which leaves any direction ambiguous: one reason is enough
    if flat:
        reasons.append("light_too_flat")
    elif light.explained < settings.least_explained:
        reasons.append("light_fit_poor")
    if light.condition > settings.worst_condition:
        reasons.append("light_ill_conditioned")
    if light.shadowed > settings.most_shadowed:
        reasons.append("self_shadowed")
    if not flat and (width_deg(light, settings) > settings.widest_deg or light.away_deg > settings.farthest_deg):
        reasons.append("light_ambiguous")
    return tuple(reasons)


def turn_refusals(skin: Skin, settings: Settings) -> tuple[str, ...]:
    """Reason codes why these pictures of one light cannot show whether it turns with the head."""
    if len(skin.t_s) < 2 or np.ptp(skin.t_s) < settings.turn_s:
        return ("too_few_visible_seconds",)
    if len(skin.t_s) < settings.turn_pictures:
        return ("frame_rate_too_low",)
    if np.ptp(np.percentile(skin.yaw, (2.5, 97.5))) < settings.least_turn_deg:
        return ("head_turned_too_little",)
    return ()


def assess_person(
    person: str,
    tracks: Sequence[FaceTrack],
    mesh: dict[str, np.ndarray],
    transfer: np.ndarray,
    examined: Interval,
    settings: Settings,
) -> list[Finding]:
    """Two findings: from where is this face lit, and does that stay so as the head turns?"""
    used = longest_face(tracks)
    about = About(examined, settings, [t.interval for t in used], person, tuple(t.name for t in used))
    skin = skin_samples(spread(used, settings), mesh, settings)
    if reasons := refusals(used, skin, transfer, settings):
        return [question.refuse(about, *reasons) for question in (DIRECTION, HEAD_FIXED)]
    lights = light_over_time(skin, settings)
    jumps = light_jumps(used, skin, lights, mesh, settings)
    one_light = steady(skin, jumps)
    light = pooled_light(one_light, settings, landmark_error(used, mesh, settings))
    reasons = fit_refusals(light, settings)
    # Light from far aside has no direction that was validated; whether it stays there can still be seen.
    unfit = [r for r in reasons if r not in PLACE]
    turning = HEAD_FIXED.refuse(about, *unfit) if unfit else assess_turning(one_light, about, settings)
    if reasons:
        return [DIRECTION.refuse(about, *reasons), turning]
    azimuth, elevation = direction(lights[:, 1:])
    evidence = {
        "light": light.light,
        "outline": outline(light, settings),
        "residual": residual(one_light, light),
        "points": one_light.points[0, :, :2],
        "examined": examined,
        "t_s": skin.t_s,
        "azimuth": azimuth,
        "elevation": elevation,
    }
    found = DIRECTION.answer(
        about,
        measurements=tuple(measure_light(light, settings)),
        events=tuple(event(jump) for jump in jumps),
        evidence=evidence,
    )
    return [found, turning]


def residual(skin: Skin, light: Light) -> np.ndarray:
    """How much brighter each landmark (v,) is than this light explains, in % of the skin's median."""
    rest = skin.light - light.light[0] - skin.facing @ light.light[1:]
    known = np.isfinite(rest)
    total = np.where(known, rest, 0.0).sum(0) / np.where(known.any(0), known.sum(0), np.nan)
    return 100 * total / max(float(np.nanmedian(skin.light)), 1e-12)


def assess_turning(skin: Skin, about: About, settings: Settings) -> Finding:
    """Does the shading turn with the head? ``skin`` is of one light."""
    about = replace(about, covered=intersection(about.covered, [Interval(float(skin.t_s[0]), float(skin.t_s[-1]))]))
    chosen = upper_face(skin, settings)
    if chosen.mean() < settings.least_skin:
        return HEAD_FIXED.refuse(about, "head_turned")
    skin = skin[(skin.light[:, chosen] > 0).mean(1) > 0.5]  # most of it in view, and not black
    if reasons := turn_refusals(skin, settings):
        return HEAD_FIXED.refuse(about, *reasons)
    seen = shading(skin, chosen, settings)
    found = follow(seen, settings)
    measured, misfit = measure_following(found, settings)
    if measured.low is None or measured.high is None or (measured.low <= 0 and measured.high >= 1):
        return HEAD_FIXED.refuse(about, "light_fits_both")
    return HEAD_FIXED.answer(
        about,
        measurements=(measured, misfit),
        evidence={"t_s": skin.t_s, "yaw": skin.yaw, "azimuth": seen.azimuth},
        score=measured.value,
        score_direction="higher = the shading turns with the head",
    )


def assess(scene: Scene, settings: Settings) -> list[Finding]:
    """Two findings a person; two refusals where there is nobody."""
    if not scene.persons:
        return [question.refuse(About(scene.interval, settings), scene.nobody) for question in (DIRECTION, HEAD_FIXED)]
    mesh, transfer = scene.observation.mesh, scene.observation.pictures["transfer"]
    return [
        finding
        for person, tracks in scene.persons.items()
        for finding in assess_person(person, tracks, mesh, transfer, scene.interval, settings)
    ]
