"""The verdicts: what each question about the light is answered with, or why it is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from forensics.analysis.lighting.direction import (
    Light,
    direction,
    landmark_error,
    light_over_time,
    measure_light,
    outline,
    pooled_light,
    width_deg,
)
from forensics.analysis.lighting.faces import beside_longest, measure_apart
from forensics.analysis.lighting.highlights import highlights, measure_highlights
from forensics.analysis.lighting.jumps import event, light_jumps
from forensics.analysis.lighting.questions import (
    BETWEEN_FACES,
    DIRECTION,
    HEAD_FIXED,
    HIGHLIGHTS,
    QUESTIONS,
    SURROUND,
)
from forensics.analysis.lighting.settings import Settings
from forensics.analysis.lighting.signal import (
    Skin,
    longest_face,
    skin_samples,
    spread,
)
from forensics.analysis.lighting.surround import contrast, measure_surround, median, rims
from forensics.analysis.lighting.turning import follow, measure_following, shading, steady, upper_face
from forensics.closeup import EVERY_S
from forensics.finding import About, Finding
from forensics.timeline import FaceTrack, Interval, intersection, total_s

if TYPE_CHECKING:
    from forensics.scene import Scene

ANALYSIS = "lighting"
#: Transfer characteristics (ITU-T H.273) of high dynamic range: PQ and HLG.
HDR = (16, 18)

#: Refusals of a direction that leave open whether the light stays where it is.
PLACE = ("light_ambiguous", "light_ill_conditioned", "self_shadowed")


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
    others: Mapping[str, Sequence[FaceTrack]],
    mesh: dict[str, np.ndarray],
    transfer: np.ndarray,
    examined: Interval,
    settings: Settings,
) -> list[Finding]:
    """The answers to all questions about one person; ``others`` are the other persons' tracks."""
    used = longest_face(tracks)
    about = About(examined, settings, [t.interval for t in used], person, tuple(t.name for t in used))
    eyes = assess_highlights(used, about, settings)
    skin = skin_samples(spread(used, settings), mesh, settings)
    if reasons := refusals(used, skin, transfer, settings):
        return [*(q.refuse(about, *reasons) for q in (DIRECTION, HEAD_FIXED, BETWEEN_FACES, SURROUND)), eyes]
    return [
        *assess_light(used, skin, about, mesh, settings),
        assess_between(used, skin, others, about, mesh, transfer, settings),
        assess_surround(used, about, settings),
        eyes,
    ]


def assess_light(
    used: Sequence[FaceTrack], skin: Skin, about: About, mesh: dict[str, np.ndarray], settings: Settings
) -> list[Finding]:
    """Two findings: from where is this face lit, and does that stay so as the head turns?"""
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
        "examined": about.examined,
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


def assess_between(
    used: Sequence[FaceTrack],
    skin: Skin,
    others: Mapping[str, Sequence[FaceTrack]],
    about: About,
    mesh: dict[str, np.ndarray],
    transfer: np.ndarray,
    settings: Settings,
) -> Finding:
    """Is this face lit from the same side as the one that is seen beside it longest?"""
    beside = beside_longest(used, others)
    if beside is None:
        return BETWEEN_FACES.refuse(replace(about, covered=()), "no_other_face")
    name, shared = beside
    about = replace(about, covered=shared)
    if total_s(shared) < settings.shortest_s:
        return BETWEEN_FACES.refuse(about, "too_few_visible_seconds")
    theirs = [t for t in others[name] if intersection(shared, [t.interval])]
    their_skin = skin_samples(spread(theirs, settings), mesh, settings)
    if reasons := refusals(theirs, their_skin, transfer, settings):
        return BETWEEN_FACES.refuse(about, *reasons)
    both = []
    for tracks, seen in ((used, skin), (theirs, their_skin)):
        own = seen[np.array([any(t_s in part for part in shared) for t_s in seen.t_s], bool)]
        if not len(own.t_s):
            return BETWEEN_FACES.refuse(about, "too_few_visible_seconds")
        both.append(pooled_light(own, settings, landmark_error(tracks, mesh, settings)))
    if reasons := tuple(dict.fromkeys(r for light in both for r in fit_refusals(light, settings))):
        return BETWEEN_FACES.refuse(about, *reasons)
    measured = measure_apart(both[0], both[1], settings)
    return BETWEEN_FACES.answer(
        replace(about, subjects=(*about.subjects, *(t.name for t in theirs))),
        measurements=(measured,),
        evidence={
            "names": (about.person, name),
            "lights": np.stack([light.light[1:] for light in both]),
            "outlines": np.stack([outline(light, settings) for light in both]),
        },
        score=measured.value,
        score_direction="higher = the faces are lit from sides further apart",
    )


def assess_surround(used: Sequence[FaceTrack], about: About, settings: Settings) -> Finding:
    """Does the inner face agree with the skin around it?"""
    rim = rims(used, settings)
    if len(rim.t_s) < settings.least_closeups:
        looked = sum(len(t.closeups) for t in used if t.closeups is not None)
        short = total_s(about.covered) < 2 * settings.least_closeups * EVERY_S
        few = "too_few_visible_seconds" if short else "frame_rate_too_low"
        return SURROUND.refuse(about, "head_turned" if looked >= settings.least_closeups else few)
    found = contrast(rim, settings)
    if len(found.spokes) < settings.least_spokes:
        return SURROUND.refuse(about, "surround_hidden")
    measured = {m.name: m for m in measure_surround(found, settings)}
    return SURROUND.answer(
        about,
        measurements=tuple(measured.values()),
        evidence={
            "t_s": found.t_s,
            "light": median(found.light, 1),
            "detail": median(found.detail, 1),
            "rim_detail": median(rim.detail),
            "spokes": found.spokes,
            "examined": about.examined,
        },
        score=float(np.log(measured["surround_detail"].value)),
        score_direction="higher = the inner face is smoother than the skin around it",
    )


def assess_highlights(used: Sequence[FaceTrack], about: About, settings: Settings) -> Finding:
    """Do both eyes mirror the same place?"""
    found = highlights(used, settings)
    if found.looked < settings.least_closeups:
        if not np.isfinite(found.iris_px):
            return HIGHLIGHTS.refuse(about, "irises_hidden")
        small = found.iris_px < settings.least_iris_px
        return HIGHLIGHTS.refuse(about, "eyes_too_small" if small else "too_few_visible_seconds")
    if len(found.t_s) < settings.least_closeups:
        return HIGHLIGHTS.refuse(about, "no_highlights")
    measured = measure_highlights(found, settings)
    return HIGHLIGHTS.answer(
        about,
        measurements=tuple(measured),
        evidence={"t_s": found.t_s, "left": found.left, "right": found.right},
        score=float(np.hypot(measured[0].value, measured[1].value)),
        score_direction="higher = the eyes mirror different places",
    )


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
    """The answers to all questions for each person; as many refusals where there is nobody."""
    if not scene.persons:
        return [question.refuse(About(scene.interval, settings), scene.nobody) for question in QUESTIONS]
    mesh, transfer = scene.observation.mesh, scene.observation.pictures["transfer"]
    return [
        finding
        for person, tracks in scene.persons.items()
        for finding in assess_person(
            person,
            tracks,
            {name: other for name, other in scene.persons.items() if name != person},
            mesh,
            transfer,
            scene.interval,
            settings,
        )
    ]
