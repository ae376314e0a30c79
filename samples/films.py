"""Which pictures each film shows: the talking portrait as it is, lit, turned, small, in company, with frames left out.

Each film is drawn and encoded in a process of its own; its arguments say everything, so that it gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import media
import numpy as np
import portrait
import skimage.data
from motion import Plan
from numpy.typing import NDArray
from relief import Lamp, Relief, relight

Image = NDArray[np.uint8]

FPS = 25

# Side of each person's picture where two sit beside each other. Planes of colour 512 px wide fill their rows in memory:
# at 480 the encoder reads what happens to lie behind them, and no two runs give the same bytes.
PANEL_PX = 512

# The distant talker: the whole astronaut stands low in scikit-image's photograph of a rocket, her face 45 px high.
SCENE_WIDTH, SCENE_HEIGHT, SCENE_TOP = 1280, 720, 100
BODY_PX, BODY_LEFT = 219, 190
BODY_SOFT_PX = 0.8  # edge of her outline
DUSK = 0.85  # of the studio's light

KEPT_SEED, KEPT = 11, 0.75  # about the share of frames that a variable rate leaves


@dataclass(frozen=True)
class Sitter:
    """Who is drawn: ``photo`` uint8 (640, 640, 3), ``landmarks`` (478, 3) px, ``triangles`` (n, 3), ``skin`` (478,)."""

    photo: Image
    landmarks: NDArray[np.float32]
    triangles: NDArray[np.int64]
    skin: NDArray[np.bool_]

    def talker(self) -> portrait.Talker:
        return portrait.Talker(self.photo, self.landmarks)

    def relief(self) -> Relief:
        return Relief(self.photo, self.landmarks, self.triangles, self.skin)

    def lit(self, lamp: Lamp) -> Sitter:
        """The same person under ``lamp``, which moves with the head."""
        photo = relight(self.photo.astype(np.float32), self.relief().gain(lamp))
        return replace(self, photo=portrait.to_uint8(photo))


def plain(sitter: Sitter, plan: Plan) -> bytes:
    """The portrait as it is."""
    talker = sitter.talker()
    return media.encode_picture((talker.frame(plan, k) for k in range(len(plan.t_s))), FPS)


def relit(sitter: Sitter, plan: Plan, before: Lamp, after: Lamp, change_s: float) -> bytes:
    """Lit by one lamp until ``change_s`` and by another from there on; the head hardly moves under them."""
    talkers = [sitter.lit(lamp).talker() for lamp in (before, after)]
    lit = (talkers[int(t_s >= change_s)].frame(plan, k) for k, t_s in enumerate(plan.t_s))
    return media.encode_picture(lit, FPS)


def turning(sitter: Sitter, plan: Plan, lamp: Lamp, yaw_deg: NDArray[np.float64], lamp_turns: bool) -> bytes:
    """The head turned by ``yaw_deg`` (n,) under a lamp that turns with it, or that stands before the camera."""
    talker = (sitter.lit(lamp) if lamp_turns else sitter).talker()
    relief = sitter.relief()

    def frames() -> Iterator[Image]:
        for k, angle in enumerate(yaw_deg.tolist()):
            face = talker.face(plan, k)
            if not lamp_turns:
                face = relight(face, relief.gain(lamp, angle))
            yield talker.finish(relief.turn(face, angle), plan, k)

    return media.encode_picture(frames(), FPS)


def pair(left: tuple[Sitter, Plan], right: tuple[Sitter, Plan]) -> bytes:
    """Two persons side by side."""
    seats = [(sitter.talker(), plan) for sitter, plan in (left, right)]

    def frames() -> Iterator[Image]:
        for k in range(len(left[1].t_s)):
            yield np.hstack([_smaller(talker.frame(plan, k), PANEL_PX) for talker, plan in seats])

    return media.encode_picture(frames(), FPS)


def kept_frames(frames: int) -> list[int]:
    """Numbers of the frames that the film of variable rate keeps: the first, and others by lot."""
    drawn = np.random.default_rng(KEPT_SEED).random(frames) < KEPT
    drawn[0] = True
    return [int(k) for k in np.flatnonzero(drawn)]


def uneven(picture: bytes, kept: list[int]) -> bytes:
    """An encoded picture's frames with the numbers ``kept``, each at its own time, encoded anew."""
    chosen = set(kept)
    frames = (frame for k, frame in enumerate(media.decode_picture(picture)) if k in chosen)
    return media.encode_picture(frames, FPS, kept)


def distant(picture: bytes, frames: int) -> bytes:
    """The first ``frames`` of an encoded portrait, small and off the centre of a wide scene."""
    scene = _scene()
    noise = np.random.default_rng(portrait.NOISE_SEED)
    field = portrait.NOISE_SD * noise.standard_normal((2 * SCENE_HEIGHT, 2 * SCENE_WIDTH, 1), np.float32)
    body = _smaller(skimage.data.astronaut(), BODY_PX)
    left, top, side = head_px()
    cover = portrait.figure(BODY_PX, 0, 0, BODY_PX / 512, BODY_SOFT_PX)

    def drawn() -> Iterator[Image]:
        for _, frame in zip(range(frames), media.decode_picture(picture), strict=False):
            body[top : top + side, left : left + side] = _smaller(frame, side)
            shown = scene.copy()
            place = shown[-BODY_PX:, BODY_LEFT : BODY_LEFT + BODY_PX]
            place += cover * (DUSK * body - place)
            down, right = noise.integers((SCENE_HEIGHT, SCENE_WIDTH))  # new noise is dear: another part of one field
            yield portrait.to_uint8(shown + field[down : down + SCENE_HEIGHT, right : right + SCENE_WIDTH])

    return media.encode_picture(drawn(), FPS)


def _scene() -> NDArray[np.float32]:
    """The rocket with the caption, RGB (720, 1280, 3) in 0..255."""
    rocket: Image = skimage.data.rocket()
    height = SCENE_WIDTH * rocket.shape[0] // rocket.shape[1]
    whole = cv2.resize(rocket, (SCENE_WIDTH, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    scene = whole[SCENE_TOP : SCENE_TOP + SCENE_HEIGHT]
    return np.asarray(scene + portrait.caption(SCENE_HEIGHT, SCENE_WIDTH) * (255 - scene), np.float32)


def head_px() -> tuple[int, int, int]:
    """Left, top and side of the portrait in the distant astronaut, whole pixels."""
    scale = BODY_PX / 512
    left, top = round(portrait.CROP_LEFT * scale), round(portrait.CROP_TOP * scale)
    return left, top, round(portrait.CROP_SIDE * scale)


def distant_box(sitter: Sitter) -> list[int]:
    """Left, top, right, bottom of the distant talker's face at rest, px."""
    left, top, side = head_px()
    corner = np.array([BODY_LEFT + left, SCENE_HEIGHT - BODY_PX + top])
    points = corner + sitter.landmarks[:, :2] * side / portrait.SIZE
    return [round(float(v)) for v in (*points.min(0), *points.max(0))]


def _smaller(image: Image, side: int) -> Image:
    return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
