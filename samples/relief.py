"""The head as a relief over the portrait: which way each pixel faces and how near it lies.

Inside the landmark mesh normals and heights are the mesh's own, rasterised triangle by triangle; around it, over hair
and ears, an ellipsoid carries them on. Under a lamp the relief shades the photograph (Lambert's cosine law plus
ambient light); turned about its upright axis it moves the photograph's pixels.

Coordinates of pixels are those of ``portrait``; directions are x to the picture's right, y up, z to the viewer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from portrait import (
    CROP_LEFT,
    CROP_SIDE,
    CROP_TOP,
    HEAD_CENTRE,
    HEAD_FADE,
    HEAD_RADII,
    SIZE,
    fade,
    figure,
    sample,
)

Field = NDArray[np.float32]

# An ellipsoid about the hair's outline, as deep as a head is for its width; chosen by eye.
# Carries the face on over hair and ears; chosen by eye on the hair's outline.
SKULL_CENTRE, SKULL_RADII, SKULL_DEPTH_PX = (320.0, 250.0), (230.0, 280.0), 190.0
# The model's depths are shallow: with them as they are it sees 0.55 of a planned turn, with 1.8 times them 0.8.
DEPTH = 1.8
SMOOTH_PX = 9.0  # takes away the facets of triangles 10 to 40 px wide
EDGE_PX = 3.0  # softness of the outline under the lamp
COARSE = 4  # the way back of a turn is found on a grid of 4 px: the heights are smooth over 9
INVERSION_STEPS = 8  # slopes up to 0.7 at the sides of the nose leave a tenth of a pixel

# ITU-R BT.709: V = 4.5 L below the toe, 1.099 L^0.45 - 0.099 above it.
TOE, SLOPE, POWER, OFFSET = 0.018, 4.5, 0.45, 0.099
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # of linear R, G, B; ITU-R BT.709
DARKEST_OWN = 0.35  # of its mean: the photograph's own shading is divided out, but not without limit
EXPOSURE = 0.85  # keeps the side towards the lamp below white; chosen by eye


@dataclass(frozen=True)
class Lamp:
    """Far light: ``azimuth_deg`` positive to the picture's right, ``elevation_deg`` up, both from the viewing
    direction; ``ambient`` is the share of light that comes from everywhere."""

    azimuth_deg: float
    elevation_deg: float
    ambient: float = 0.15

    @property
    def direction(self) -> Field:
        """Unit vector (3,) towards the lamp."""
        a, e = math.radians(self.azimuth_deg), math.radians(self.elevation_deg)
        return np.array([math.sin(a) * math.cos(e), math.sin(e), math.cos(a) * math.cos(e)], np.float32)


class Relief:
    """Shape of the head in ``photo`` uint8 (640, 640, 3).

    ``landmarks`` (478, 3) px, ``triangles`` (n, 3) of the mesh, ``skin`` (478,) which of them have no feature near.
    """

    def __init__(
        self, photo: NDArray[np.uint8], landmarks: Field, triangles: NDArray[np.int64], skin: NDArray[np.bool_]
    ) -> None:
        self._y, self._x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
        about = np.column_stack([vertex_normals(landmarks, triangles), -DEPTH * landmarks[:, 2], skin])
        face = rasterise(landmarks, triangles, about)
        self.mesh = np.isfinite(face[..., 3])
        self.skin = face[..., 4] > 0.99  # NaN outside is not skin
        skull, height = self._skull()
        rim = self.mesh & ~cv2.erode(self.mesh.astype(np.uint8), np.ones((9, 9))).astype(bool)
        lift = float(np.median(height[rim] - face[rim, 3]))  # the mesh's rim lies on the skull
        self.height: Field = _blur(np.where(self.mesh, face[..., 3] + lift, height))
        normal = _blur(np.where(self.mesh[..., None], face[..., :3], skull))
        self.normal: Field = normal / np.linalg.norm(normal, axis=-1, keepdims=True)
        radius = np.hypot((self._x - HEAD_CENTRE[0]) / HEAD_RADII[0], (self._y - HEAD_CENTRE[1]) / HEAD_RADII[1])
        self._turns: Field = fade((radius - 1) / (HEAD_FADE - 1))
        outline = figure(SIZE, CROP_LEFT, CROP_TOP, SIZE / CROP_SIDE, EDGE_PX)[..., 0]
        self._lit = self._turns * np.maximum(outline, _blur(self.mesh))
        self._own = self._own_shading(photo)

    def _skull(self) -> tuple[Field, Field]:
        """Normals (640, 640, 3) of an ellipsoid, and the height of a paraboloid in it, whose edge is not steep."""
        u = (self._x - SKULL_CENTRE[0]) / SKULL_RADII[0]
        v = (self._y - SKULL_CENTRE[1]) / SKULL_RADII[1]
        w2 = np.clip(1 - u**2 - v**2, 0, None)
        upwards = np.maximum(np.sqrt(w2), 0.2) / SKULL_DEPTH_PX
        normal = np.dstack([u / SKULL_RADII[0], -v / SKULL_RADII[1], upwards])
        return normal / np.linalg.norm(normal, axis=-1, keepdims=True), SKULL_DEPTH_PX * w2

    def _own_shading(self, photo: NDArray[np.uint8]) -> Field:
        """The photograph's own light, mean 1 on the skin: its luminance there, fitted linearly in the normals."""
        light = to_linear(photo.astype(np.float32) / 255) @ LUMINANCE
        design = np.column_stack([np.ones(int(self.skin.sum()), np.float32), self.normal[self.skin]])
        even, *vector = np.linalg.lstsq(design, light[self.skin], rcond=None)[0]
        shade = even + self.normal @ np.asarray(vector, np.float32)
        return np.asarray(np.maximum(shade / shade[self.skin].mean(), DARKEST_OWN), np.float32)

    def gain(self, lamp: Lamp, yaw_deg: float = 0.0) -> Field:
        """Factor (640, 640, 1) on linear light that takes the photograph's own shading off and the lamp's on.

        ``yaw_deg`` is how far the head is turned under the lamp; 0 for a lamp that turns with it.
        """
        facing = self.normal @ (lamp.direction @ yaw(yaw_deg))
        shade = EXPOSURE * (lamp.ambient + (1 - lamp.ambient) * np.maximum(facing, 0))
        return np.asarray((1 + self._lit * (shade / self._own - 1))[..., None], np.float32)

    def turn(self, face: Field, yaw_deg: float) -> Field:
        """``face`` (640, 640, 3) with the head turned to the picture's right; what lies around gives way."""
        a = math.radians(yaw_deg)
        across = (math.cos(a) - 1) * (self._x - SKULL_CENTRE[0]) + math.sin(a) * self.height
        dx = _smaller(self._turns * across) / COARSE
        y, x = np.mgrid[: dx.shape[0], : dx.shape[1]].astype(np.float32)
        back = dx
        for _ in range(INVERSION_STEPS):
            back = cv2.remap(dx, x - back, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        back = cv2.resize(COARSE * back, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
        return sample(face, self._x - back, self._y)


def yaw(deg: float) -> Field:
    """Rotation (3, 3) about the upright axis; positive turns what faces the viewer to the picture's right."""
    c, s = math.cos(math.radians(deg)), math.sin(math.radians(deg))
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]], np.float32)


def relight(face: Field, gain: Field) -> Field:
    """``face`` (h, w, 3) in 0..255 with its linear light multiplied by ``gain`` (h, w, 1).

    On the curve of BT.709 that is a factor on V + 0.099; what starts below the toe stays on its line.
    """
    toe, offset = 255 * SLOPE * TOE, 255 * OFFSET
    return np.asarray(np.where(face < toe, face * gain, (face + offset) * gain**POWER - offset), np.float32)


def to_linear(v: Field) -> Field:
    """Display values 0..1 to linear light 0..1."""
    above = ((np.maximum(v, SLOPE * TOE) + OFFSET) / (1 + OFFSET)) ** (1 / POWER)
    return np.asarray(np.where(v < SLOPE * TOE, v / SLOPE, above), np.float32)


def vertex_normals(landmarks: NDArray[np.float32], triangles: NDArray[np.int64]) -> Field:
    """Unit normals (478, 3) towards the viewer: the area-weighted mean of the triangles around each landmark."""
    points = landmarks.astype(np.float64) * (1, -1, -1)
    a, b, c = (points[triangles[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    across *= np.sign(across[:, 2:])  # the face is seen from the front: every triangle faces the viewer
    total = np.zeros_like(points)
    for k in range(3):
        np.add.at(total, triangles[:, k], across)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.asarray(total / np.maximum(length, 1e-9), np.float32)


def rasterise(landmarks: NDArray[np.float32], triangles: NDArray[np.int64], values: Field) -> Field:
    """``values`` (478, c) at the landmarks, linear over each triangle: (640, 640, c), NaN outside the mesh."""
    drawn = np.full((SIZE, SIZE, values.shape[1]), np.nan, np.float32)
    far_first = np.argsort(-landmarks[triangles, 2].mean(1))  # nearer triangles hide farther ones
    for corners in triangles[far_first]:
        xy = landmarks[corners, :2].astype(np.float64)
        (left, top), (right, bottom) = np.floor(xy.min(0)).astype(int), np.ceil(xy.max(0)).astype(int) + 1
        y, x = np.mgrid[top:bottom, left:right]
        to_shares = np.linalg.pinv(np.vstack([xy.T, np.ones(3)]))
        shares = np.stack([x, y, np.ones_like(x)], -1) @ to_shares.T
        inside = (shares >= -1e-6).all(-1)
        drawn[y[inside], x[inside]] = shares[inside] @ values[corners]
    return drawn


def _smaller(image: Field) -> Field:
    side = SIZE // COARSE
    return np.asarray(cv2.resize(image.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA), np.float32)


def _blur(image: Field) -> Field:
    return np.asarray(cv2.GaussianBlur(image.astype(np.float32), (0, 0), SMOOTH_PX), np.float32)
