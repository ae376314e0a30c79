"""Where the direction of the light jumps and stays, within one uninterrupted appearance. Pure.

The pictures on each side are compared with their own scatter, so that a face which tells little gives no jump, and a
steady drift, which scatters most where it changes most, gives none either. Most of the change has to lie within a few
pictures: a head that turns to and fro in mixed light changes it over a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.analysis.lighting.direction import direction, light_over_time
from forensics.analysis.lighting.settings import Settings
from forensics.analysis.lighting.signal import Skin, around, skin_samples
from forensics.finding import Event
from forensics.timeline import FaceTrack, Interval

#: Scatters by which a change has to stand out for a second look: a few pictures guess their scatter badly.
SECOND_LOOK = 0.6


@dataclass(frozen=True)
class Step:
    """A change between neighbouring pictures: mean light (3,) of ``pictures`` before and after it."""

    interval: Interval
    before: np.ndarray
    after: np.ndarray
    pictures: tuple[int, int]
    apart_deg: float
    scatters: float  # of the pictures beside it
    sudden: float  # share of the change that lies between the pictures nearest to it
    turned_deg: float  # the head, meanwhile


def steps(skin: Skin, light: np.ndarray, settings: Settings) -> list[Step]:
    """The change at each gap between pictures of one track that have ``jump_s`` of neighbours on both sides."""
    unit = light[:, 1:] / np.maximum(np.linalg.norm(light[:, 1:], axis=1, keepdims=True), 1e-12)
    gap = float(np.median(np.diff(skin.t_s))) if len(skin.t_s) > 1 else 0.0
    found = []
    for k in range(1, len(unit)):
        same = skin.track == skin.track[k]
        sides = [
            np.flatnonzero(same & (skin.t_s >= skin.t_s[k - 1] - settings.jump_s) & (skin.t_s < skin.t_s[k])),
            np.flatnonzero(same & (skin.t_s >= skin.t_s[k]) & (skin.t_s <= skin.t_s[k] + settings.jump_s)),
        ]
        lasts = [len(s) > 2 and skin.t_s[s[-1]] - skin.t_s[s[0]] + 1.5 * gap >= settings.jump_s for s in sides]
        if all(lasts) and skin.track[k - 1] == skin.track[k]:
            found.append(_step(unit, skin, k, sides, settings))
    return found


def _step(unit: np.ndarray, skin: Skin, k: int, sides: list[np.ndarray], settings: Settings) -> Step:
    before, after = (unit[side].mean(0) for side in sides)
    nearest = [
        side[np.abs(skin.t_s[side] - skin.t_s[at]) <= settings.sudden_s]
        for side, at in zip(sides, (k - 1, k), strict=True)
    ]
    squares = [float(((unit[side] - unit[side].mean(0)) ** 2).sum(1).mean()) for side in sides]
    scatter = np.degrees(np.sqrt(np.mean(squares)))
    apart = _apart_deg(before, after)
    poses = [skin.rotation[side].mean(0)[:, 2] for side in sides]  # where the face looks
    return Step(
        Interval(float(skin.t_s[k - 1]), float(skin.t_s[k])),
        before,
        after,
        (len(sides[0]), len(sides[1])),
        apart,
        apart / max(float(scatter), 1e-9),
        _apart_deg(*(unit[side].mean(0) for side in nearest)) / max(apart, 1e-9),
        _apart_deg(*poses),
    )


def _apart_deg(a: np.ndarray, b: np.ndarray) -> float:
    """Angle between two vectors; by the chord, which stays exact where they are close."""
    chord = a / max(np.linalg.norm(a), 1e-12) - b / max(np.linalg.norm(b), 1e-12)
    return float(np.degrees(2 * np.arcsin(min(float(np.linalg.norm(chord)) / 2, 1.0))))


def largest(found: Sequence[Step], scatters: float, settings: Settings) -> list[Step]:
    """Of the steps that are large enough, the one that stands out most in each ``jump_s``."""
    kept: list[Step] = []
    for step in sorted(found, key=lambda s: -s.scatters):
        near = any(abs(step.interval.start_s - k.interval.start_s) < settings.jump_s for k in kept)
        if step.apart_deg > settings.jump_deg and step.scatters > scatters and not near:
            kept.append(step)
    return sorted(kept, key=lambda s: s.interval)


def light_jumps(
    tracks: Sequence[FaceTrack], skin: Skin, light: np.ndarray, mesh: dict[str, np.ndarray], settings: Settings
) -> list[Step]:
    """Jumps among the pictures of ``skin``, each then found again among all pictures around it, or dropped."""
    by_name, found = {track.name: track for track in tracks}, []
    for rough in largest(steps(skin, light, settings), SECOND_LOOK * settings.jump_scatter, settings):
        name = str(skin.track[np.searchsorted(skin.t_s, rough.interval.end_s)])
        near = Interval(rough.interval.start_s - settings.jump_s, rough.interval.end_s + settings.jump_s + 1e-6)
        close = skin_samples(around(by_name[name], near, settings), mesh, settings)
        seen = steps(close, light_over_time(close, settings), settings)
        found += [s for s in largest(seen, settings.jump_scatter, settings) if s.sudden >= settings.sudden_share]
    return largest(found, settings.jump_scatter, settings)


def event(step: Step) -> Event:
    """The jump as a fact, with what else makes light jump."""
    details: dict[str, float | int] = {}
    for name, light, pictures in zip(("before", "after"), (step.before, step.after), step.pictures, strict=True):
        azimuth, elevation = (round(float(angle), 1) for angle in direction(light))
        details |= {f"azimuth_{name}_deg": azimuth, f"elevation_{name}_deg": elevation, f"pictures_{name}": pictures}
    return Event(
        "light_jump",
        step.interval,
        f"the direction of the light changes by {step.apart_deg:.0f} degrees and stays, while the head turns by "
        f"{step.turned_deg:.0f}; a lamp that is switched, a cloud, automatic exposure or turning under mixed light "
        "does this too",
        details=details | {"apart_deg": round(step.apart_deg, 1), "head_turned_deg": round(step.turned_deg, 1)},
    )
