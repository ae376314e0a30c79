"""Skin samples: in which direction each landmark's skin faces, and how bright it is, in pictures of one face. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from forensics.analysis.lighting.settings import Settings
from forensics.timeline import FaceTrack, Interval, chunks, total_s

#: Luminance of linear R, G, B (ITU-R BT.709).
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])

#: Some rows of a track, close enough together to be read at once.
Places = list[tuple[FaceTrack, np.ndarray]]
_ROWS = 16  # wanted rows read from disk at once


@dataclass(frozen=True)
class Skin:
    """``v`` skin landmarks in ``n`` pictures: one row a picture, and the patch ``cell`` (v,) each landmark lies in.

    ``t_s`` s; ``track`` name; ``yaw`` deg; ``rotation`` (n, 3, 3) head to camera; ``facing`` (n, v, 3) unit normals in
    the camera's frame; ``light`` (n, v) linear, NaN where unfit; ``points`` (n, v, 3) px as in ``FaceTrack``.
    """

    t_s: np.ndarray
    track: np.ndarray
    yaw: np.ndarray
    rotation: np.ndarray
    facing: np.ndarray
    light: np.ndarray
    points: np.ndarray
    cell: np.ndarray

    def __getitem__(self, rows: np.ndarray | slice) -> Skin:
        """The same skin in some of the pictures."""
        kept = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name != "cell"}
        return replace(self, **kept)


def longest_face(tracks: Sequence[FaceTrack]) -> list[FaceTrack]:
    """Tracks of the letter seen longest: another shot has its own light, even where it shows the same person."""
    by_letter: dict[str, list[FaceTrack]] = {}
    for track in tracks:
        by_letter.setdefault(track.letter, []).append(track)
    return max(by_letter.values(), key=lambda own: total_s(t.interval for t in own))


def spread(tracks: Sequence[FaceTrack], settings: Settings) -> Places:
    """Pictures spread evenly over the tracks, as many a second as set."""
    wanted = round(settings.pictures_per_s * total_s(t.interval for t in tracks))
    ends = np.cumsum([len(track.t_s) for track in tracks])
    rows = evenly(np.arange(ends[-1]), min(max(wanted, 2), settings.most_pictures))
    parts = np.split(rows, np.searchsorted(rows, ends[:-1]))
    return [
        piece
        for track, end, part in zip(tracks, ends, parts, strict=True)
        for piece in pieces(track, part - (end - len(track.t_s)))
    ]


def around(track: FaceTrack, interval: Interval, settings: Settings) -> Places:
    """Pictures of a track inside ``interval``, all if they are few enough."""
    first, behind = np.searchsorted(track.t_s, (interval.start_s, interval.end_s))
    return pieces(track, evenly(np.arange(first, behind), settings.jump_pictures))


def evenly(rows: np.ndarray, most: int) -> np.ndarray:
    return rows[np.linspace(0, len(rows) - 1, min(len(rows), most)).astype(int)]


def pieces(track: FaceTrack, rows: np.ndarray) -> Places:
    return [(track, rows[part]) for part in chunks(len(rows), _ROWS)]


def normals(landmarks: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Unit normals (..., 478, 3) of the mesh in the camera's frame: x right, y up, z towards the viewer."""
    points = landmarks * np.array([1.0, -1.0, -1.0])
    a, b, c = (points[..., triangles[:, k], :] for k in range(3))
    faces = np.cross(b - a, c - a)  # length = twice the area: large triangles weigh more
    total = np.zeros_like(points)
    for k in range(3):
        for corner, face in zip(triangles[:, k], np.moveaxis(faces, -2, 0), strict=True):
            total[..., corner, :] += face
    unit = total / np.maximum(np.linalg.norm(total, axis=-1, keepdims=True), 1e-12)
    # The face looks at the viewer: whatever the triangles' winding, most of it points towards the camera.
    return unit if np.median(unit[..., 2]) > 0 else -unit


def median_interval(values: np.ndarray, settings: Settings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Median of ``values`` (n, ...) in order of time, and its 95 % interval: stretches of time are drawn whole."""
    parts = [part for part in np.array_split(values, settings.stretches) if len(part)]
    random = np.random.default_rng(0)
    drawn = [
        np.median(np.concatenate([parts[k] for k in random.integers(0, len(parts), len(parts))]), 0)
        for _ in range(settings.resamples)
    ]
    value = np.median(values, 0)
    low, high = np.percentile(drawn, (2.5, 97.5), axis=0)
    return value, np.minimum(low, value), np.maximum(high, value)


def luminance(vertex_rgb: np.ndarray) -> np.ndarray:
    return vertex_rgb.astype(np.float64) @ LUMINANCE


def rotations(transform: np.ndarray) -> np.ndarray:
    """Rotation part (n, 3, 3) of ``transform`` (n, 4, 4), its scale taken out."""
    return transform[:, :3, :3] / np.linalg.norm(transform[:, :3, :3], axis=1, keepdims=True)


def skin_samples(places: Places, mesh: dict[str, np.ndarray], settings: Settings) -> Skin:
    """Normals and light of the skin in these pictures, without those in which none of it is seen."""
    points = np.concatenate([track.landmarks[rows] for track, rows in places]).astype(np.float64)
    light = luminance(np.concatenate([track.vertex_rgb[rows] for track, rows in places]))
    skin = np.flatnonzero(mesh["skin"])
    facing = normals(points, mesh["triangles"])[:, skin]
    light = np.where(facing[..., 2] >= settings.facing, light[:, skin], np.nan)
    samples = Skin(
        t_s=np.concatenate([track.t_s[rows] for track, rows in places]),
        track=np.concatenate([[track.name] * len(rows) for track, rows in places]),
        yaw=np.concatenate([track.quality["yaw"].values[rows] for track, rows in places]),
        rotation=rotations(np.concatenate([track.transform[rows] for track, rows in places]).astype(np.float64)),
        facing=facing,
        light=light,
        points=points[:, skin],
        cell=face_cells(points[0, skin], settings),
    )
    return samples[np.isfinite(light).any(1)]


def face_cells(points: np.ndarray, settings: Settings) -> np.ndarray:
    """Number of the patch of the face that each landmark lies in."""
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    column, row = ((points[:, :2] - low) / (high - low + 1e-9) * settings.cells).astype(int).T
    return row * settings.cells + column
