"""The talking picture: one photograph, moved through its landmarks.

The face is cut into layers along the lips and the upper eyelids. Each layer is
the photograph moved by a smooth field; where lips part, a painted mouth
interior with the photograph's own upper teeth shows between them. All fields
are drawn once; a frame only adds them up with the plan's amplitudes.

Coordinates are pixels of the enlarged portrait, x right, y down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import skimage.data
from motion import Plan
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

Image = NDArray[np.uint8]
Field = NDArray[np.float32]
Points = NDArray[np.float32]

SIZE = 640  # side of the square picture; the face is then about 290 px high
# Head, hair and collar in scikit-image's 512x512 astronaut: left, top, side in its pixels.
CROP_LEFT, CROP_TOP, CROP_SIDE = 111, 1, 230
# The astronaut's outline in its pixels, drawn by hand: hair, suit and the helmet on her lap.
OUTLINE = (
    (154, 62), (163, 50), (178, 42), (191, 31), (214, 20), (232, 15), (252, 19), (274, 30), (287, 41), (298, 67),
    (301, 89), (298, 106), (287, 122), (276, 135), (267, 137), (258, 162), (258, 172), (280, 195), (300, 225),
    (304, 245), (330, 255), (350, 275), (358, 300), (362, 345), (390, 345), (430, 350), (470, 375), (492, 420),
    (500, 470), (500, 511), (30, 511), (24, 470), (30, 400), (45, 310), (60, 265), (90, 235), (118, 220), (113, 195),
    (125, 168), (150, 155), (184, 148), (181, 132), (170, 120), (158, 104), (153, 89),
)  # fmt: skip
# Unsharp mask against the softness of a 2.8-fold enlargement, chosen by eye.
SHARPEN_SIGMA_PX, SHARPEN_AMOUNT = 2.0, 0.6

# MediaPipe face mesh indices, from the subject's right corner to the left one.
UPPER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER_LIP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
EYES = (
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    ((362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263)),
)
CHIN = 152

# How far things move, in px of the enlarged portrait; chosen by eye on the face's size.
WIDEST_PX = 27.0  # lips apart at opening 1: 0.09 of the face's height
UPPER_LIP_SHARE = 0.10  # of the opening; the rest is the jaw's
SEAM = 0.40  # where the smiling lips meet: share of the gap the upper lip comes down
ROUNDING_PX = 11.0  # each corner moves inwards at full rounding
RELAX_IN_PX, RELAX_DOWN_PX = 5.0, 3.0  # part of the broad smile taken back at each corner
UPPER_REACH_PX = 42.0  # the upper lip's motion ends below the nose
LOWER_REACH_PX = 62.0  # closing the smile's gap moves the lower lip, not the chin
NECK_REACH_PX = 75.0  # the jaw's motion ends in the dark collar
ARCH_POWER = 2.6  # shape of the open lips between the corners: rounder than a parabola (2)
JAW_SPREAD = 0.8  # px of jaw width gained per px below the lips
LID_REACH_PX = 21.0  # from the lid to just below the eyebrow
LID_OVERSHOOT = 1.1  # the upper lid's lashes come to lie upon the lower lid
LASH_PX, CREASE_PX = 3.0, 5.0  # lash line above the lid's edge, shadowed crease above that
CORNER_OVERLAP_PX = 2.0  # outside the mouth both layers cover the seam

LIPS_ABOVE_PX, LIPS_BELOW_PX = 18.0, 36.0  # reach of the corners' motion: nose, chin stay
NARROWING = 0.3  # a mouth opened wide is narrower: rounding added per opening
MOUTH_MARGIN_PX = 120  # the mouth's window: its corners plus what the jaw moves
LID_MARGIN_PX = 14

_BACK = np.array([38, 14, 14], np.float32)  # RGB behind the teeth
_TONGUE = np.array([120, 52, 50], np.float32)  # RGB low in a wide open mouth
TONGUE_PX = 12.0  # it shows this far above the lower lip
TEETH_SHADE = 0.95  # teeth behind parted lips get less light than in the smile
LIP_SHADOW_PX, LIP_SHADOW_FLOOR = 7.0, 0.45  # shadow of the upper lip upon the teeth

HEAD_CENTRE, HEAD_RADII = (312.0, 232.0), (240.0, 262.0)  # ellipse around hair and chin
HEAD_FADE = 1.4  # the head's motion is gone at 1.4 radii
DEPTH_CENTRE, DEPTH_RADII = (312.0, 300.0), (120.0, 150.0)  # what lies nearest: the face's middle

# The second person: chosen by eye to look like somebody else.
SECOND_WIDTH, SECOND_COLOUR, SECOND_GAMMA, SECOND_TINT = 0.9, 0.6, 1.6, (1.0, 0.95, 0.88)

NOISE_SEED = 20240229
NOISE_SD = 1.6  # in 8-bit steps: a good camera indoors

CAPTION = "SYNTHETIC SAMPLE"  # a real person's picture says words she never said
CAPTION_AT, CAPTION_STRENGTH = (12, 22), 0.7  # px from the left top, over plain background


def portrait() -> Image:
    """The enlarged photograph: uint8 RGB (640, 640, 3). Public domain (NASA)."""
    whole: Image = skimage.data.astronaut()  # type: ignore[no-untyped-call]
    part = whole[CROP_TOP : CROP_TOP + CROP_SIDE, CROP_LEFT : CROP_LEFT + CROP_SIDE]
    large = cv2.resize(part, (SIZE, SIZE), interpolation=cv2.INTER_LANCZOS4).astype(np.float32)
    soft = cv2.GaussianBlur(large, (0, 0), SHARPEN_SIGMA_PX)
    return to_uint8(large + SHARPEN_AMOUNT * (large - soft))


def figure(size: int, left: float, top: float, scale: float, soft_px: float) -> NDArray[np.float32]:
    """How much of each pixel the astronaut covers, (size, size, 1) in 0..1, in an enlarged part of her photograph."""
    mask = np.zeros((size, size), np.uint8)
    at = (np.array(OUTLINE) - (left, top)) * scale
    cv2.fillPoly(mask, [np.rint(at).astype(np.int32)], 255)
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), soft_px), np.float32)[..., None]


def second_portrait() -> Image:
    """Another person, made of the same photograph: mirrored, narrower, darker hair and skin, less colour."""
    photo = portrait()[:, ::-1].astype(np.float32) / 255
    narrower = np.array([[SECOND_WIDTH, 0, (1 - SECOND_WIDTH) * SIZE / 2], [0, 1, 0]], np.float32)
    photo = cv2.warpAffine(photo, narrower, (SIZE, SIZE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    grey = photo.mean(-1, keepdims=True)
    faded = np.clip(grey + SECOND_COLOUR * (photo - grey), 0, 1)
    return to_uint8(255 * np.asarray(SECOND_TINT, np.float32) * faded**SECOND_GAMMA)


@dataclass(frozen=True)
class _Window:
    """A rectangle of the portrait that a part of the face moves in."""

    top: int
    bottom: int
    left: int
    right: int

    def of(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        return image[self.top : self.bottom, self.left : self.right]

    def grid(self) -> tuple[Field, Field]:
        """x and y of every pixel, each (h, w), in portrait coordinates."""
        y, x = np.mgrid[self.top : self.bottom, self.left : self.right].astype(np.float32)
        return x, y


class Mouth:
    """Lips and jaw: two layers that part along the lips, and what is behind them."""

    def __init__(self, photo: NDArray[np.float32], landmarks: Points) -> None:
        upper, lower = landmarks[list(UPPER_LIP), :2], landmarks[list(LOWER_LIP), :2]
        left, right = upper[0], upper[-1]
        self.window = _Window(
            int(left[1]) - MOUTH_MARGIN_PX // 2,
            min(SIZE, int(landmarks[CHIN, 1] + NECK_REACH_PX) + 2),
            int(left[0]) - MOUTH_MARGIN_PX,
            int(right[0]) + MOUTH_MARGIN_PX,
        )
        self._x, self._y = self.window.grid()
        self._upper, self._lower = _curve(upper, self._x), _curve(lower, self._x)
        centre, half = (left + right) / 2, (right[0] - left[0]) / 2
        self._half, self._corner_y = float(half), float(centre[1])
        self._u = (self._x - float(centre[0])) / self._half
        self._draw_fields(float(landmarks[CHIN, 1]))
        self._layers(photo)

    def _draw_fields(self, chin_y: float) -> None:
        """Displacement fields in px, (h, w), at full amplitude."""
        gap = self._lower - self._upper
        above, below = self._upper - self._y, self._y - self._lower
        self._close_upper = SEAM * gap * fade(above / UPPER_REACH_PX)
        self._close_lower = -(1 - SEAM) * gap * fade(below / LOWER_REACH_PX)
        arch = np.clip(1 - np.abs(self._u) ** ARCH_POWER, 0, None)
        self._open_upper = -UPPER_LIP_SHARE * WIDEST_PX * arch * fade(above / UPPER_REACH_PX)
        self._open_lower = (1 - UPPER_LIP_SHARE) * WIDEST_PX * self._jaw(below, chin_y)
        off = self._y - self._corner_y
        level = np.exp(-0.5 * (off / np.where(off < 0, LIPS_ABOVE_PX, LIPS_BELOW_PX)) ** 2)
        self._inwards = (-self._u * np.exp(0.5 * (1 - self._u**2)) * level).astype(np.float32)
        corner = np.exp(-0.5 * ((np.abs(self._u) - 1) / 0.35) ** 2)
        self._relax_down = (RELAX_DOWN_PX * corner * level).astype(np.float32)

    def _jaw(self, below: Field, chin_y: float) -> Field:
        """Share of the jaw's drop: as wide as the mouth at the lips, as the face at the chin."""
        depth = np.clip(below, 0, None)
        width = self._half + JAW_SPREAD * depth
        across = np.clip(1 - np.abs(self._u * self._half / width) ** ARCH_POWER, 0, None)
        rounder = 1 + np.clip(depth / 30, 0, 1)  # an arch at the lips, a soft bell below
        return np.asarray(across**rounder * fade((self._y - chin_y) / NECK_REACH_PX), np.float32)

    def _layers(self, photo: NDArray[np.float32]) -> None:
        """Upper and lower face with the signed distance to their lip as a fourth channel."""
        here = self.window.of(photo)
        outside = CORNER_OVERLAP_PX * np.clip((np.abs(self._u) - 1) / 0.1, 0, 1)
        self._upper_layer = np.dstack([here, self._upper - self._y + outside])
        self._lower_layer = np.dstack([here, self._y - self._lower + outside])
        inside = np.minimum(self._y - self._upper, self._lower - self._y)
        self._teeth = TEETH_SHADE * here
        self._teeth_alpha = np.clip(cv2.GaussianBlur(inside, (0, 0), 1.0), 0, 1)[..., None]

    def draw(self, face: NDArray[np.float32], opening: float, rounding: float) -> None:
        """Paint the mouth into ``face`` (640, 640, 3), in place."""
        narrow = rounding + NARROWING * max(opening, 0)
        dx = (RELAX_IN_PX + ROUNDING_PX * narrow) * self._inwards
        up = self._move(self._upper_layer, dx, self._relax_down + self._close_upper + opening * self._open_upper)
        low = self._move(self._lower_layer, dx, self._relax_down + self._close_lower + opening * self._open_lower)
        inner = self._interior(-up[..., 3], -low[..., 3])
        lower_face = _over(low[..., :3], inner, low[..., 3])
        self.window.of(face)[:] = _over(up[..., :3], lower_face, up[..., 3])

    def _move(self, layer: Field, dx: Field, dy: Field) -> Field:
        """The layer pushed along (dx, dy), given where things come from.

        The way back is found by fixed-point steps: the fields are gentle
        (slopes below 1/2), four steps leave less than a tenth of a pixel.
        """
        x, y = self._x - self.window.left, self._y - self.window.top
        both = np.dstack([dx, dy]).astype(np.float32)
        from_x, from_y = x - both[..., 0], y - both[..., 1]
        for _ in range(3):
            shift = cv2.remap(both, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            from_x, from_y = x - shift[..., 0], y - shift[..., 1]
        return sample(layer, from_x, from_y)

    def _interior(self, below_upper: Field, above_lower: Field) -> Field:
        """Teeth that stay with the skull, dark behind them, the tongue low and faint."""
        deep = np.clip(below_upper / WIDEST_PX, 0, 1)
        tongue = (deep * np.clip(1 - above_lower / TONGUE_PX, 0, 1))[..., None]
        back = _BACK + tongue * (_TONGUE - _BACK)
        shown = back + self._teeth_alpha * (self._teeth - back)
        lit = np.clip(below_upper / LIP_SHADOW_PX, 0, 1)
        light = LIP_SHADOW_FLOOR + (1 - LIP_SHADOW_FLOOR) * lit
        return np.asarray(shown * light[..., None], np.float32)


class Eye:
    """One upper lid that slides over the eye, drawing the skin below the brow with it."""

    def __init__(
        self,
        photo: NDArray[np.float32],
        landmarks: Points,
        contours: tuple[tuple[int, ...], tuple[int, ...]],
    ) -> None:
        upper, lower = (landmarks[list(indices), :2] for indices in contours)
        self.window = _Window(
            int(upper[:, 1].min() - LID_REACH_PX) - LID_MARGIN_PX,
            int(lower[:, 1].max()) + LID_MARGIN_PX,
            int(upper[0, 0]) - LID_MARGIN_PX,
            int(upper[-1, 0]) + LID_MARGIN_PX,
        )
        self._x, self._y = self.window.grid()
        self._upper, self._lower = _curve(upper, self._x), _curve(lower, self._x)
        self._photo = self.window.of(photo).copy()

    def draw(self, face: NDArray[np.float32], shut: float) -> None:
        """Paint the eye with its lid at ``shut`` (0 open .. 1 shut) into ``face``, in place."""
        drop = shut * LID_OVERSHOOT * (self._lower - self._upper)
        height = self._upper + drop - self._y  # above the moved lid
        source = _lid_source(height, drop, shut)
        moved = np.where(source < LID_REACH_PX, self._upper - source, self._y)
        lid = sample(self._photo, self._x - self.window.left, moved - self.window.top)
        self.window.of(face)[:] = _over(lid, self._photo, height)


def _lid_source(height: Field, drop: Field, shut: float) -> Field:
    """How high above the open lid the skin now seen ``height`` px above the moved lid was.

    The lash line moves as it is; the shadowed crease behind it folds away, and the
    bright skin below the brow is drawn out over the lid.
    """
    end = LID_REACH_PX + drop
    fold = LASH_PX + shut * CREASE_PX
    beyond = (height - LASH_PX - 2) / (end - LASH_PX - 2)
    skin = fold + 2 + beyond * (LID_REACH_PX - fold - 2)
    lash = np.interp(height, [0, LASH_PX, LASH_PX + 2], [0, LASH_PX, fold + 2])
    return np.asarray(np.where(height < LASH_PX + 2, lash, skin), np.float32)


class Head:
    """The head as a whole, moved against a background that gives way smoothly."""

    def __init__(self) -> None:
        self._x, self._y = _Window(0, SIZE, 0, SIZE).grid()
        radius = np.hypot((self._x - HEAD_CENTRE[0]) / HEAD_RADII[0], (self._y - HEAD_CENTRE[1]) / HEAD_RADII[1])
        self._weight = fade((radius - 1) / (HEAD_FADE - 1))
        depth = np.hypot(
            (self._x - DEPTH_CENTRE[0]) / DEPTH_RADII[0],
            (self._y - DEPTH_CENTRE[1]) / DEPTH_RADII[1],
        )
        self._near = self._weight * np.exp(-0.5 * depth**2)
        self._across = self._weight * (self._x - HEAD_CENTRE[0])
        self._along = self._weight * (self._y - HEAD_CENTRE[1])

    def move(self, face: NDArray[np.float32], pose: dict[str, float]) -> NDArray[np.float32]:
        """Shift, roll about the head's centre, come nearer, and turn (nearer parts move more)."""
        angle, size = math.radians(pose["roll_deg"]), 1 + pose["scale"]
        cos, sin = math.cos(angle) / size - 1, math.sin(angle) / size
        dx = cos * self._across - sin * self._along - pose["right_px"] * self._weight
        dy = sin * self._across + cos * self._along - pose["down_px"] * self._weight
        return sample(face, self._x + dx - pose["turn_px"] * self._near, self._y + dy)


class Talker:
    """Frames of the talking portrait: ``photo`` uint8 (640, 640, 3), ``landmarks`` (478, 3) px."""

    def __init__(self, photo: Image, landmarks: Points) -> None:
        self._photo = photo.astype(np.float32)
        self._mouth = Mouth(self._photo, landmarks)
        self._eyes = [Eye(self._photo, landmarks, contours) for contours in EYES]
        self._head = Head()
        self._caption = caption()
        self._drawn: tuple[tuple[float, ...], NDArray[np.float32]] = ((), self._photo)

    def frame(self, plan: Plan, index: int) -> Image:
        """Frame ``index`` of the plan: uint8 RGB (640, 640, 3)."""
        return self.finish(self.face(plan, index), plan, index)

    def face(self, plan: Plan, index: int) -> NDArray[np.float32]:
        """The face that speaks and blinks, before the head moves: RGB (640, 640, 3) in 0..255."""
        amounts = float(plan.opening[index]), float(plan.rounding[index]), float(plan.lid[index])
        if amounts != self._drawn[0]:  # at rest the face of the frame before is shown again
            self._drawn = amounts, self._draw(*amounts)
        return self._drawn[1]

    def _draw(self, opening: float, rounding: float, lid: float) -> NDArray[np.float32]:
        face = self._photo.copy()
        self._mouth.draw(face, opening, rounding)
        for eye in self._eyes:
            eye.draw(face, lid)
        return face

    def finish(self, face: NDArray[np.float32], plan: Plan, index: int) -> Image:
        """``face`` with the head's slow motion, the caption and the camera's noise of frame ``index``."""
        pose = {name: float(values[index]) for name, values in plan.head.items()}
        moved = self._head.move(face, pose) * (1 - self._caption)
        return to_uint8(moved + sensor_noise(index))


def sensor_noise(index: int) -> NDArray[np.float32]:
    """Noise of frame ``index``, (640, 640, 1): luma only, 4:2:0 would blur noise of colour."""
    generator = np.random.default_rng([NOISE_SEED, index])
    return NOISE_SD * generator.standard_normal((SIZE, SIZE, 1), np.float32)


def caption(height: int = SIZE, width: int = SIZE) -> NDArray[np.float32]:
    """How much of each pixel the caption covers, (height, width, 1) in 0..1."""
    mask = np.zeros((height, width), np.uint8)
    cv2.putText(mask, CAPTION, CAPTION_AT, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 255, 1, cv2.LINE_AA)
    return CAPTION_STRENGTH * np.asarray(mask / 255, np.float32)[..., None]


def _curve(points: Points, x: Field) -> Field:
    """y of a smooth curve through ``points`` (n, 2) at every x; level beyond its ends."""
    order = np.argsort(points[:, 0])
    ends = points[order][[0, -1], 0]
    curve = PchipInterpolator(points[order, 0].astype(float), points[order, 1].astype(float))
    return np.asarray(curve(np.clip(x, *ends)), np.float32)


def fade(x: Field) -> Field:
    """1 for x <= 0, 0 for x >= 1, half a cosine between."""
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * np.clip(x, 0, 1)), np.float32)


def _over(top: Field, under: Field, distance_px: Field) -> Field:
    """``top`` where its signed distance is positive, with a soft edge of one pixel."""
    alpha = np.clip(distance_px + 0.5, 0, 1)[..., None]
    return np.asarray(under + alpha * (top - under), np.float32)


def sample(image: Field, x: Field, y: Field) -> Field:
    at = np.asarray(x, np.float32), np.asarray(y, np.float32)
    moved = cv2.remap(image, *at, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, np.float32)


def to_uint8(image: NDArray[np.float32]) -> Image:
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)
