"""Does the inner face agree with the skin around it, in light, colour and detail? Pure.

On spokes from the face's middle outwards, skin inside the outline is compared with the skin next to it outside:
forehead and neck. What leads along a spoke through hair, a collar or the background is left out by its colour.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from forensics.analysis.lighting.settings import SURROUND_METHOD, Settings
from forensics.analysis.lighting.signal import LUMINANCE, median_interval
from forensics.closeup import RADII
from forensics.finding import Measurement
from forensics.timeline import FaceTrack, chunks

#: Added to light and to detail (levels of 255) before logarithms: half a level in the dark, and a level's rounding.
DARKEST, SMOOTHEST = 2e-3, 0.2
#: 5th to 95th percentile of untouched development clips, one a person, each clip's own number (tests/real/CLOSEUPS.md).
UNTOUCHED = {
    "surround_light": "untouched clips 0.47 to 1.12, n = 78",
    "surround_side": "untouched clips 0.57 to 1.40, n = 52",
    "surround_red": "untouched clips 0.87 to 1.12, n = 78",
    "surround_blue": "untouched clips 0.89 to 1.09, n = 78",
    "surround_detail": "untouched clips 0.76 to 1.51, n = 78",
    "surround_flicker": "untouched clips 1.6 to 10.1 %, n = 78",
}
_ROWS = 64  # close-ups read from disk at once


@dataclass(frozen=True)
class Rim:
    """The rim of one face in ``n`` pictures: ``t_s`` (n,) s, ``light`` (n, 36, 14, 3) linear, ``detail`` (n, 36, 14)
    of the finest band in levels of 255; NaN outside the picture."""

    t_s: np.ndarray
    light: np.ndarray
    detail: np.ndarray


@dataclass(frozen=True)
class Contrast:
    """Skin outside over skin inside the outline: natural logarithms (n, s) on the ``spokes`` (s,) that have both."""

    t_s: np.ndarray
    spokes: np.ndarray
    light: np.ndarray
    red: np.ndarray  # over green
    blue: np.ndarray
    detail: np.ndarray


def rims(tracks: Sequence[FaceTrack], settings: Settings) -> Rim:
    """The rim in the close-ups of these tracks in which the face is turned to the camera."""
    t_s, light, detail = [np.zeros(0)], [np.zeros((0, 36, len(RADII), 3))], [np.zeros((0, 36, len(RADII)))]
    for track in tracks:
        if track.closeups is None:
            continue
        frontal = np.abs(track.quality["yaw"].values[track.closeups.row]) <= settings.frontal_deg
        chosen = in_runs(np.flatnonzero(frontal), settings.most_pictures)
        for part in chunks(len(chosen), _ROWS):
            rows = chosen[part]
            t_s.append(track.t_s[track.closeups.row[rows]])
            light.append(track.closeups.rim_light[rows].astype(np.float64))
            detail.append(track.closeups.rim_detail[rows][..., 0].astype(np.float64))
    return Rim(np.concatenate(t_s), np.concatenate(light), np.concatenate(detail))


def median(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """Over what is known along ``axis``; NaN where nothing is."""
    if not values.shape[axis]:
        return np.full(np.delete(values.shape, axis), np.nan)
    # numpy's nanmedian takes ten times as long over small tables, of which the resampling asks for a thousand.
    ordered, known = np.sort(values, axis), np.isfinite(values).sum(axis, keepdims=True)  # NaN last
    low, high = (np.take_along_axis(ordered, middle, axis) for middle in (np.maximum(known - 1, 0) // 2, known // 2))
    return np.where(known > 0, (low + high) / 2, np.nan).squeeze(axis)


def in_runs(rows: np.ndarray, most: int, length: int = 20) -> np.ndarray:
    """At most ``most`` of the rows, in runs spread evenly: neighbours in time stay neighbours."""
    if len(rows) <= most:
        return rows
    starts = np.linspace(0, len(rows) - length, most // length).astype(int)
    return rows[np.unique(starts[:, None] + np.arange(length))]


def tint(light: np.ndarray) -> np.ndarray:
    """Logarithms of red and of blue over green (..., 2)."""
    red, green, blue = np.moveaxis(np.log(light + DARKEST), -1, 0)
    return np.stack([red - green, blue - green], -1)


def skin_zones(rim: Rim, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Places (36, 14) of skin inside and outside of the outline, by the medians over the pictures."""
    light, detail, radii = median(rim.light), median(rim.detail), RADII.round(2)
    inside = (settings.inner_from <= radii) & (radii <= settings.inner_to)
    outside = (settings.outer_from <= radii) & (radii <= settings.outer_to)
    own, usual = np.nanmedian(tint(light)[:, inside], (0, 1)), np.nanmedian(detail[:, inside])
    alike = (np.abs(tint(light) - own) < settings.skin_tint).all(-1) & (detail < settings.skin_detail * usual)
    bright = light @ LUMINANCE
    near = np.abs(np.log((bright + DARKEST) / (median(bright[:, inside], 1)[:, None] + DARKEST)))
    alike &= (near < np.log(settings.skin_light)) & (np.isfinite(rim.detail).mean(0) > 0.8)  # cut off by the frame
    return alike & inside, alike & outside


def contrast(rim: Rim, settings: Settings) -> Contrast:
    """What lies outside over what lies inside on each spoke with skin on both sides."""
    inner, outer = skin_zones(rim, settings)
    used = np.flatnonzero((inner.sum(1) >= 2) & (outer.sum(1) >= 2))

    def mean(values: np.ndarray, zone: np.ndarray) -> np.ndarray:
        """Over the places of ``zone`` on each spoke used (n, s, ...); NaN where one lies outside the picture."""
        chosen = zone[used].reshape(len(used), len(RADII), *(1,) * (values.ndim - 3))
        return np.where(chosen, values[:, used], 0.0).sum(2) / chosen.sum(1)

    light_in, light_out = mean(rim.light, inner), mean(rim.light, outer)
    red, blue = np.moveaxis(tint(light_out) - tint(light_in), -1, 0)
    return Contrast(
        rim.t_s,
        used,
        np.log(light_out @ LUMINANCE + DARKEST) - np.log(light_in @ LUMINANCE + DARKEST),
        red,
        blue,
        np.log(mean(rim.detail, outer) + SMOOTHEST) - np.log(mean(rim.detail, inner) + SMOOTHEST),
    )


def pooled(values: np.ndarray, settings: Settings) -> tuple[float, float, float]:
    """Median of ``values`` (n, s) over time and spokes with its 95 % interval: stretches and spokes are resampled."""
    parts = np.array_split(np.arange(len(values)), settings.stretches)
    table = np.stack([median(values[rows]) for rows in parts])  # (stretches, s)
    table = np.where(np.isfinite(table), table, median(table))  # outside the picture for a while
    random, (n, k) = np.random.default_rng(0), table.shape
    drawn = [
        np.nanmedian(median(table[random.integers(0, n, n)][:, random.integers(0, k, k)]))
        for _ in range(settings.resamples)
    ]
    low, high = np.percentile(drawn, (2.5, 97.5))
    value = float(np.nanmedian(median(table)))
    return value, min(value, float(low)), max(value, float(high))


def mirrored(found: Contrast) -> np.ndarray:
    """Light outside over inside on the picture's right over the same on its left (n, pairs), logarithms."""
    place = {int(spoke): k for k, spoke in enumerate(found.spokes)}
    pairs = [(k, place[36 - spoke]) for spoke, k in place.items() if 0 < spoke < 18 and 36 - spoke in place]
    right, left = np.array(pairs, int).reshape(-1, 2).T
    return found.light[:, right] - found.light[:, left]


def flicker(found: Contrast, settings: Settings) -> tuple[float, float, float] | None:
    """Standard deviation in % of the light outside over inside from one close-up to the next, robust; its interval.

    None where too few close-ups have a neighbour in time.
    """
    each, near = median(found.light, 1), np.diff(found.t_s) < settings.next_s
    steps = np.abs(np.diff(each)[near])
    steps = steps[np.isfinite(steps)]
    if len(steps) < settings.least_closeups:
        return None
    scale = 100 * 1.4826 / np.sqrt(2)  # of a median difference to the standard deviation of one of its sides
    value, low, high = (scale * float(end) for end in median_interval(steps, settings))
    return value, low, high


def measure_surround(found: Contrast, settings: Settings) -> list[Measurement]:
    """Ratios outside over inside: light, its right over its left, tints, detail; n is the spokes. And the flicker."""
    told = (
        ("surround_light", found.light, "1 = as light; necks lie in the chin's shade"),
        ("surround_side", mirrored(found), "1 = the same on both sides"),
        ("surround_red", found.red, "1 = as much red over green"),
        ("surround_blue", found.blue, "1 = as much blue over green"),
        ("surround_detail", found.detail, "1 = as much detail and noise"),
    )

    def measured(name: str, found: Iterable[float], unit: str, n: int, meaning: str) -> Measurement:
        value, low, high = map(float, found)
        reference = f"none: a fact; {meaning}"
        return Measurement(name, value, unit, low, high, 0.95, n, SURROUND_METHOD.name, reference)

    ratios = [
        measured(name, np.exp(pooled(values, settings)), "1", values.shape[1], f"{meaning}; {UNTOUCHED[name]}")
        for name, values, meaning in told
        if values.shape[1] >= settings.least_pairs
    ]
    if (play := flicker(found, settings)) is None:
        return ratios
    meaning = f"{UNTOUCHED['surround_flicker']}; turning heads and compression change it too"
    return [*ratios, measured("surround_flicker", play, "%", len(found.t_s), meaning)]
