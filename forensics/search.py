"""Which faces a picture shows, near and far, measured one way: found by a detector, then looked at in a crop.

The landmark model sees no face smaller than about a tenth of its picture, and places landmarks the less surely the
smaller the face is in it: over a whole 1280x720 picture the eye aspect ratio scatters up to twice as much from picture
to picture as in a crop three times the face. So every face is measured in such a crop. Faces are found in the whole
picture and in overlapping square tiles, then followed from picture to picture. A crop's place moves in steps, and a
face that has left its step is looked at again in its own crop, so that what is measured hardly depends on where
following began. A Lookout lives for one cell of the grid: cells do not depend on each other.
Faces to which no landmarks can be fitted (tiny, in profile, half hidden) are sightings: told, not measured.
Not to be trusted for counting a crowd; a second face may come unseen for up to a cell.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from forensics import pixels
from forensics.landmarks import Detection
from forensics.method import Method, setting
from forensics.tracks import face_box, overlap

METHOD = Method("faces found in whole pictures and tiles, measured in crops", "3", "own procedure, no publication")

#: Squares searched, by the picture's shorter side over theirs; neighbours overlap by half, so that a face of up to
#: half a tile lies whole in one of them. The fine ones are for pictures in which nothing else is found.
COARSE, FINE = (1, 2), (4,)
#: In a smaller tile a face would be under 5 px; a 16:9 picture takes 91 of the fine ones.
LEAST_TILE_PX, MOST_TILES = 40, 400
#: Copies in which a face is looked at again for repeatability: shift right and down, in parts of the crop's side, and
#: scale. As far as a crop moves from picture to picture, and never by whole pixels.
COPIES = ((0.031, -0.013, 1.0), (-0.013, 0.031, 1.03), (0.017, 0.017, 0.97), (-0.029, -0.021, 1.015))


@dataclass(frozen=True)
class Settings:
    most_faces: int = setting(6, "1", "in one picture, the largest; each costs a run of the model")
    search_s: float = setting(0.5, "s", "between searches of whole pictures, and of tiles while no face is found")
    surest: float = setting(0.8, "1", "score from which a detection without landmarks is told as a sighting")
    same_face: float = setting(0.4, "1", "overlap from which two boxes in one picture are one face")
    followed: float = setting(0.2, "1", "overlap with its region from which a face found in a crop is the one followed")
    crop: float = setting(3.0, "1", "side of a crop over the face's; of 1.5 to 4.5, 2 and 3 scatter least")
    crop_px: tuple[int, int] = setting((256, 1024), "px", "crops are scaled into this: the model's own input is 256 px")
    step: float = setting(1 / 16, "1", "of its side by which a crop moves; its side grows by a fourth root of 2")


class Model(Protocol):
    def detect(self, rgb: np.ndarray) -> list[Detection]: ...


class Finder(Protocol):
    def find(self, rgb: np.ndarray) -> Sequence[tuple[np.ndarray, float]]: ...


@dataclass(frozen=True)
class Sighting:
    """Where the detector sees a face: ``box`` x0, y0, x1, y1 in px, and its score."""

    box: np.ndarray
    score: float


def tiles(width: int, height: int, parts: Iterable[int]) -> Iterator[tuple[int, int, int]]:
    """Left, top and side in px of overlapping squares that cover a picture, neighbours at most half a side apart.

    None smaller than ``LEAST_TILE_PX``, and none where a picture is so oblong that it would take over ``MOST_TILES``.
    """
    for part in parts:
        side = min(width, height) // part
        if side < LEAST_TILE_PX:
            continue
        across, down = (math.ceil((extent - side) / (side / 2)) + 1 for extent in (width, height))
        if across * down > MOST_TILES:
            continue
        for top in np.linspace(0, height - side, down).astype(int):
            for left in np.linspace(0, width - side, across).astype(int):
                yield int(left), int(top), side


class Lookout:
    """Looks at the pictures of one cell in order."""

    def __init__(self, model: Model, finder: Finder, settings: Settings):
        self._model, self._finder, self._settings = model, finder, settings
        self._regions: list[np.ndarray] = []  # boxes of the faces followed
        self._searched_s: float | None = None

    def look(self, rgb: np.ndarray, t_s: float) -> tuple[list[Detection], list[Sighting]]:
        """Faces in ``rgb`` uint8 (h, w, 3) shown at ``t_s``, the largest first; and sightings of a search."""
        faces: list[Detection] = []
        lost = [region for region in self._regions if not self._follow(rgb, region, faces)]
        first, due = self._searched_s is None, self._due(t_s)
        unfitted: list[Sighting] = []
        if due or lost or not faces:
            unfitted += self._fit(rgb, self._found(rgb, [(0, 0, 0)]), faces)
        if first or (due and not faces):
            unfitted += self._fit(rgb, self._found(rgb, tiles(rgb.shape[1], rgb.shape[0], COARSE)), faces)
            if not (faces or unfitted):
                unfitted += self._fit(rgb, self._found(rgb, tiles(rgb.shape[1], rgb.shape[0], FINE)), faces)
        faces.sort(key=lambda f: -_area(face_box(f.landmarks)))
        most = self._settings.most_faces
        # A lost face is looked for where it was until the next search.
        self._regions = [*(face_box(f.landmarks) for f in faces), *([] if due else lost)][:most]
        if not due:
            return faces[:most], []
        self._searched_s = t_s
        left_out = [Sighting(face_box(f.landmarks), 1.0) for f in faces[most:]]
        return faces[:most], left_out + self._sightings(unfitted, faces)

    def repeat(self, rgb: np.ndarray, face: Detection) -> list[Detection | None]:
        """``face`` detected again in shifted and rescaled copies, mapped back; None where a copy lost it."""
        return [self._in_crop(rgb, face_box(face.landmarks), *copy) for copy in COPIES]

    def _due(self, t_s: float) -> bool:
        return self._searched_s is None or t_s - self._searched_s >= self._settings.search_s - 1e-6

    def _follow(self, rgb: np.ndarray, region: np.ndarray, faces: list[Detection]) -> bool:
        """Add to ``faces`` the one that was in ``region`` a picture before; whether there is one."""
        face = self._settled(rgb, region)
        if face is not None and not self._known(face_box(face.landmarks), faces):
            faces.append(face)
        return face is not None

    def _sightings(self, unfitted: list[Sighting], faces: list[Detection]) -> list[Sighting]:
        """Sure ones, each face once, without those that were fitted after all."""
        boxes, told = [face_box(f.landmarks) for f in faces], []
        for sighting in unfitted:
            if sighting.score >= self._settings.surest and not any(self._one(sighting.box, box) for box in boxes):
                told.append(sighting)
                boxes.append(sighting.box)
        return told

    def _found(self, rgb: np.ndarray, squares: Iterable[tuple[int, int, int]]) -> list[Sighting]:
        """What the detector finds in the squares (side 0: the whole picture), one a face, the surest first."""
        hits = []
        for left, top, side in squares:
            part = rgb[top : top + side, left : left + side] if side else rgb
            hits += [Sighting(box + np.array([left, top] * 2), score) for box, score in self._finder.find(part)]
        kept: list[Sighting] = []
        for hit in sorted(hits, key=lambda h: -h.score):
            if not any(self._one(hit.box, other.box) for other in kept):
                kept.append(hit)
        return kept

    def _fit(self, rgb: np.ndarray, hits: list[Sighting], faces: list[Detection]) -> list[Sighting]:
        """Add to ``faces`` those hits that landmarks can be fitted to; returns the others."""
        unfitted = []
        for hit in hits:
            known = any(self._one(hit.box, face_box(f.landmarks)) for f in faces)
            if not known and not self._follow(rgb, hit.box, faces):
                unfitted.append(hit)
        return unfitted

    def _one(self, a: np.ndarray, b: np.ndarray) -> bool:
        """Whether two rough boxes are of one face: those of several tiles agree little, and a tile may cut a face."""
        return overlap(a, b) >= self._settings.followed or _holds(a, b) or _holds(b, a)

    def _known(self, box: np.ndarray, faces: list[Detection]) -> bool:
        return any(overlap(box, face_box(f.landmarks)) >= self._settings.same_face for f in faces)

    def _settled(self, rgb: np.ndarray, box: np.ndarray) -> Detection | None:
        """The face of ``box`` in its own crop: where it has moved on, or the box was rough, looked at again."""
        face = self._in_crop(rgb, box)
        if face is None or self._same_crop(box, face_box(face.landmarks)):
            return face
        return self._in_crop(rgb, face_box(face.landmarks)) or face

    def _same_crop(self, a: np.ndarray, b: np.ndarray) -> bool:
        (corner, side), (other, length) = self._crop(a), self._crop(b)
        return side == length and bool((corner == other).all())

    def _in_crop(
        self, rgb: np.ndarray, box: np.ndarray, right: float = 0.0, down: float = 0.0, scale: float = 1.0
    ) -> Detection | None:
        """The face of ``box``, looked at in a crop around it, in px of the picture."""
        corner, side = self._crop(box)
        corner = corner + np.array([right, down]) * side
        smallest, largest = self._settings.crop_px
        factor = scale * min(max(1.0, smallest / side), largest / side)
        found = self._model.detect(pixels.cut_out(rgb, corner, side, factor))
        placed = [_placed(face, corner, factor) for face in found]
        best = max(placed, key=lambda f: overlap(face_box(f.landmarks), box), default=None)
        if best is None or overlap(face_box(best.landmarks), box) < self._settings.followed:
            return None
        return best

    def _crop(self, box: np.ndarray) -> tuple[np.ndarray, int]:
        """Corner and side in whole px of the crop around ``box``, in steps: boxes that differ little share one."""
        side = round(self._settings.crop * 2 ** (round(4 * math.log2(max(2.0, *(box[2:] - box[:2])))) / 4))
        step = max(1, round(side * self._settings.step))
        centre = np.round((box[:2] + box[2:]) / 2 / step) * step
        return centre - side // 2, side


def _holds(box: np.ndarray, other: np.ndarray) -> bool:
    """Whether the middle of ``other`` lies in ``box``."""
    middle = (other[:2] + other[2:]) / 2
    return bool((box[:2] <= middle).all() and (middle <= box[2:]).all())


def _area(box: np.ndarray) -> float:
    return float(np.prod(box[2:] - box[:2]))


def _placed(face: Detection, corner: np.ndarray, factor: float) -> Detection:
    """A detection in a crop as one in the picture it was cut from."""
    landmarks = face.landmarks / factor + np.array([*corner, 0.0])
    return replace(face, landmarks=landmarks.astype(np.float32))
