"""What a face shows close up: its rim and what lies around it, its finest detail, highlights in its eyes.

Runs in the children that look, on some of the pictures: what is told here could not be told from landmarks alone.
Detail is that of the recording's own pixels, so it holds noise and compression beside sharpness.
Not to be trusted: where hair, a hand or a collar lies on the rim; highlights of glasses pass for those of an eye.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from forensics.landmarks import CHIN, FOREHEAD

#: Faces are enlarged or shrunk to this height before their light is sampled, in px: a patch is then about 1/80 face.
FACE_SAMPLE_PX = 160
#: Clipped: luma at or above this (of 255). Video black and white lie at 16 and 235 before conversion, so white is 255.
CLIPPED = 250
#: Faces are looked at close up this often, in s: as often as their light is read.
EVERY_S = 0.2
#: Outline of the face in the mesh, from the top of the forehead by the picture's right, round.
OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
#: Places on the way from the face's middle (0) to its outline (1) and beyond, where the rim is sampled.
RADII = np.arange(0.70, 1.375, 0.05)
#: Sigma in px of the Gaussians that part two bands of detail: up to the first, and between both.
BANDS_PX = (1.0, 2.0)
#: Side of the square over which light and detail are averaged, of the face's height: a patch of the size of a lip.
PATCH = 0.03
#: Outlines of the picture's left and right eye, and each iris: its centre, then right, top, left, bottom.
EYES = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (362, 398, 384, 385, 386, 387, 388, 466, 263, 249, 390, 373, 374, 380, 381, 382),
)
IRISES = ((468, 469, 470, 471, 472), (473, 474, 475, 476, 477))
#: Diameter of an iris on the grid on which highlights are looked for, and the grid's side, in px.
IRIS_PX, GRID_PX = 32, 48
#: Radius, in iris diameters, inside which a highlight lies: outside it sclera and lids begin.
INSIDE = 0.42
#: Highlights kept of an eye, the brightest first, of as many bright spots looked at.
MOST_GLINTS, MOST_SPOTS = 4, 8
#: Largest area of a highlight, of the iris's: beyond it a whole window or sky is mirrored, which has no one place.
LARGEST_GLINT = 0.12
#: Least rise of a highlight above the iris, in linear light: a few grey levels in the dark.
FAINTEST_GLINT = 0.01
#: Luma and luminance of R, G, B (ITU-R BT.709).
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def linear_light(grey_levels: np.ndarray) -> np.ndarray:
    """Display levels 0-255 -> linear light 0-1 by the inverse of ITU-R BT.709's camera curve.

    Cameras' own tone curves are unknown and differ; the curve is monotonic, so it bends magnitudes more than
    directions.
    """
    v = np.asarray(grey_levels, np.float32) / 255
    return np.where(v < 0.081, v / 4.5, ((v + 0.099) / 1.099) ** (1 / 0.45)).astype(np.float32)


LINEAR = linear_light(np.arange(256))


def _height(landmarks: np.ndarray) -> np.floating:
    return np.linalg.norm(landmarks[CHIN, :2] - landmarks[FOREHEAD, :2])


def _cropped(rgb: np.ndarray, at: np.ndarray, height: float | np.floating) -> tuple[np.ndarray, np.ndarray]:
    """The picture around the places ``at`` (n, 2) with a tenth of the face's ``height`` beside them, and its corner."""
    low = np.floor(at.min(0) - 0.1 * height).astype(int).clip(0)
    high = np.ceil(at.max(0) + 0.1 * height).astype(int).clip(1)
    return rgb[low[1] : high[1], low[0] : high[0]], low


def face_light(rgb: np.ndarray, landmarks: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Linear light around each landmark (478, 3), NaN outside the picture; sharpness; share of clipped pixels."""
    from forensics import pixels

    height = _height(landmarks)
    crop, low = _cropped(rgb, landmarks[:, :2], height)
    if crop.size == 0:
        return np.full((len(landmarks), 3), np.nan, np.float32), math.nan, math.nan
    factor = FACE_SAMPLE_PX / max(float(height), 1.0)
    face = pixels.scale(crop, factor)
    grey = pixels.grey(face)
    # Positions of pixel centres: x of the crop at scale f is (x + 1/2) f - 1/2.
    at = (landmarks[:, :2] - low + 0.5) * factor - 0.5
    light = pixels.sample(pixels.blur(pixels.look_up(face, LINEAR), 1.0), at)
    return light, pixels.laplacian_variance(grey), float((grey >= CLIPPED).mean())


def rim_points(landmarks: np.ndarray) -> np.ndarray:
    """Places (36, 14, 2) px on the spokes from the middle of the outline of ``landmarks`` (478, 3)."""
    oval = landmarks[list(OVAL), :2]
    middle = oval.mean(0)
    return middle + RADII[None, :, None] * (oval - middle)[:, None]


def rim(rgb: np.ndarray, landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Linear light (36, 14, 3) and detail (36, 14, 2) on the rim, detail (478, 2) at the landmarks.

    Detail is the root of the mean square in each band of the luma, in levels of 255. NaN outside the picture.
    """
    from forensics import pixels

    height = float(_height(landmarks))
    around = rim_points(landmarks)
    shape, cut = around.shape[:2], around.shape[0] * around.shape[1]
    at = np.concatenate([around.reshape(-1, 2), landmarks[:, :2]])
    crop, low = _cropped(rgb, at, height)
    if crop.size == 0:
        return tuple(np.full((*of, k), np.nan) for of, k in ((shape, 3), (shape, 2), ((len(landmarks),), 2)))  # type: ignore[return-value]
    side = max(1, round(PATCH * height))
    light = pixels.sample(pixels.average(pixels.look_up(np.ascontiguousarray(crop), LINEAR), side), at[:cut] - low)
    luma = crop.astype(np.float32) @ LUMA
    smooth = [luma, *(pixels.blur(luma, sigma) for sigma in BANDS_PX)]
    power = np.stack([(sharp - soft) ** 2 for sharp, soft in pairwise(smooth)], -1)
    detail = np.sqrt(pixels.sample(pixels.average(power, side), at - low))
    return light.reshape(*shape, 3), detail[:cut].reshape(*shape, 2), detail[cut:]


def glints(rgb: np.ndarray, landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Highlights (2, 4, 4) of both eyes, NaN where there are fewer, and what is known of the irises (2, 3).

    A highlight: x, y from the iris's centre in iris diameters (right, down), rise above the iris in linear light, area
    over the iris's. An iris: its diameter in px, the share of it between the lids, its linear light. The picture's left
    eye comes first.
    """
    from forensics import pixels

    found = np.full((2, MOST_GLINTS, 4), np.nan, np.float32)
    irises = np.full((2, 3), np.nan, np.float32)
    for eye, (outline, iris) in enumerate(zip(EYES, IRISES, strict=True)):
        edge = landmarks[list(iris), :2]
        diameter = float(np.mean([np.linalg.norm(edge[1] - edge[3]), np.linalg.norm(edge[2] - edge[4])]))
        patch = _patch(rgb, edge[0], diameter)
        if patch is None:
            continue
        lids = (landmarks[list(outline), :2] - edge[0]) * (IRIS_PX / diameter) + (GRID_PX - 1) / 2
        inside = (_RADIUS <= INSIDE) & pixels.filled(lids, (GRID_PX, GRID_PX))
        irises[eye, :2] = diameter, inside.sum() / (_RADIUS <= INSIDE).sum()
        if inside.sum() < 0.25 * (_RADIUS <= INSIDE).sum():
            continue
        smooth = pixels.blur(patch, max(0.5, 0.5 * IRIS_PX / diameter))  # half a pixel of the recording
        irises[eye, 2] = np.median(smooth[inside])
        spots = _spots(smooth, inside, float(irises[eye, 2]))
        if spots:
            found[eye, : len(spots)] = spots
    return found, irises


_ROW, _COLUMN = np.mgrid[:GRID_PX, :GRID_PX]
_RADIUS = np.hypot(_ROW - (GRID_PX - 1) / 2, _COLUMN - (GRID_PX - 1) / 2) / IRIS_PX


def _patch(rgb: np.ndarray, centre: np.ndarray, diameter: float) -> np.ndarray | None:
    """Linear luminance around an iris on the grid; None where it is not all in the picture."""
    from forensics import pixels

    half = 0.5 * GRID_PX * diameter / IRIS_PX
    low, high = np.floor(centre - half - 2).astype(int), np.ceil(centre + half + 3).astype(int)
    if not diameter > 1 or low.min() < 0 or high[0] > rgb.shape[1] or high[1] > rgb.shape[0]:
        return None
    window = pixels.look_up(np.ascontiguousarray(rgb[low[1] : high[1], low[0] : high[0]]), LINEAR)
    return pixels.cut_out(window @ LUMA, centre - low - half + 0.5, 2 * half, IRIS_PX / diameter)


def _spots(light: np.ndarray, inside: np.ndarray, base: float) -> list[tuple[float, float, float, float]]:
    """Bright spots that end inside: each has a peak of its own and reaches to half its height above ``base``."""
    from forensics import pixels

    spots: list[tuple[float, float, float, float]] = []
    whole = np.pi / 4 * IRIS_PX**2
    left = inside & (light >= pixels.largest(light, 1))  # a peak, not the slope of one that was told
    for _ in range(MOST_SPOTS):
        if len(spots) == MOST_GLINTS or not left.any():
            break
        peak = np.unravel_index(np.argmax(np.where(left, light, -np.inf)), light.shape)
        rise = float(light[peak]) - base
        if rise < FAINTEST_GLINT:
            break
        own = pixels.region(light > base + rise / 2, (int(peak[0]), int(peak[1])))
        left &= ~own
        if (own & ~inside).any() or own.sum() > LARGEST_GLINT * whole:
            continue
        weight = np.where(own, light - base, 0.0)
        x, y = ((weight * axis).sum() / weight.sum() - (GRID_PX - 1) / 2 for axis in (_COLUMN, _ROW))
        spots.append((x / IRIS_PX, y / IRIS_PX, rise, own.sum() / whole))
    return spots
