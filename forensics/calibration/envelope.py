"""The conditions a calibration has seen, and those of the recording at hand: outside them it says nothing.

Read from the ``clip`` part of ``findings.json`` and from the findings, so that the laboratory's recordings and the
exhibit are described by the same numbers. The ratio of speech to noise is not measured; the level of the recording's
own background stands for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

#: In words, with the unit.
NAMES = {
    "face_height_px": ("height of the face", "px"),
    "yaw_deg": ("turn of the head to the side, median", "deg"),
    "mean_fps": ("pictures a second", "1/s"),
    "bit_rate": ("bit rate of the file", "bit/s"),
    "speech_s": ("speech", "s"),
    "noise_floor_db": ("background of the sound", "dB"),
    "sound_rate_hz": ("sampling rate of the sound", "Hz"),
}


def conditions(
    clip: Mapping[str, Any], findings: Sequence[Mapping[str, Any]], person: str | None
) -> dict[str, float | None]:
    """Each condition of a recording, for ``person`` (None: of the sound); None = not known or not there."""
    tracks = [t for t in clip["tracks"] if t["person"] == person]
    seen = max(tracks, key=lambda track: track["pictures"], default=None)
    speech = clip["speech"]
    return {
        "face_height_px": seen and seen["median_face_height_px"],
        "yaw_deg": seen and seen["median_yaw_deg"],
        "mean_fps": clip["mean_fps"],
        "bit_rate": round(8 * clip["size_bytes"] / clip["duration_s"]) if clip["duration_s"] else None,
        "speech_s": None if speech is None else round(sum(end - start for start, end in speech), 3),
        "noise_floor_db": next(
            (m["value"] for f in findings for m in f["measurements"] if m["name"] == "noise_floor"), None
        ),
        "sound_rate_hz": clip["sound_rate_hz"],
    }


def learned(
    known: Sequence[Mapping[str, float | None]], labels: np.ndarray, names: Sequence[str]
) -> dict[str, list[float] | None]:
    """Range of each condition that recordings of both classes have, so that neither class is only known elsewhere.

    A condition that no recording has is left out. Low above high: the classes share no range of it. None: it is known
    of one class alone, and tells the classes apart by itself.
    """
    found: dict[str, list[float] | None] = {}
    for name in names:
        values = [c.get(name) for c in known]
        sides = [
            [v for v, y in zip(values, labels, strict=True) if y == side and v is not None] for side in (True, False)
        ]
        if all(sides):
            found[name] = [max(min(side) for side in sides), min(max(side) for side in sides)]
        elif any(sides):
            found[name] = None
    return found


def empty(envelope: Mapping[str, Sequence[float] | None]) -> list[str]:
    """Conditions of which the classes share no range."""
    return [name for name, seen in envelope.items() if seen is None or seen[0] > seen[1]]


def outside(envelope: Mapping[str, Sequence[float]], here: Mapping[str, float | None]) -> list[str]:
    """Sentences: each condition in which this recording lies outside of what was seen, or is not known."""
    told = []
    for name, (low, high) in envelope.items():
        value, (what, unit) = here.get(name), NAMES.get(name, (name, ""))
        seen = f"the calibration has seen {low:g} to {high:g} {unit}".rstrip()
        if value is None:
            told.append(f"The {what} is not known; {seen}.")
        elif not low <= value <= high:
            told.append(f"The {what} is {value:g} {unit}; {seen}.")
    return told
