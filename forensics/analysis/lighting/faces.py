"""Are two faces that are seen at the same time lit from the same side? Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from forensics.analysis.lighting.direction import Light, beside_light, edge, region, within
from forensics.analysis.lighting.settings import METHOD, Settings
from forensics.finding import Measurement
from forensics.timeline import FaceTrack, Interval, intersection, total_s


def beside_longest(
    used: Sequence[FaceTrack], others: Mapping[str, Sequence[FaceTrack]]
) -> tuple[str, list[Interval]] | None:
    """The person of ``others`` seen longest together with the tracks ``used``, and when; None where there is nobody."""
    own = [track.interval for track in used]
    shared = {name: intersection(own, [t.interval for t in tracks]) for name, tracks in others.items()}
    name = max(shared, key=lambda name: total_s(shared[name]), default=None)
    return None if name is None or not shared[name] else (name, shared[name])


def apart(one: Light, other: Light, settings: Settings) -> tuple[float, float, float]:
    """Angle in deg between two directions, and the ends of its 95 % interval; 0 where the ellipse of both holds it."""
    away = np.degrees(beside_light(other.light[None, 1:], one.light[1:]))[0]
    spread = region(one, settings) + region(other, settings)
    ends = np.linalg.norm(away + edge(spread), axis=1)
    low = 0.0 if within(away, spread) else float(ends.min())
    return float(np.linalg.norm(away)), low, min(180.0, float(ends.max()))


def measure_apart(one: Light, other: Light, settings: Settings) -> Measurement:
    """The angle between the lights of two faces; n is the patches of skin of the one with fewer."""
    value, low, high = apart(one, other, settings)
    reference = "none: a fact; near 0 = lit from the same side; lamps near two persons light them from different ones"
    n = min(one.patches, other.patches)
    return Measurement("light_between_faces", value, "deg", low, high, 0.95, n, METHOD.name, reference)
