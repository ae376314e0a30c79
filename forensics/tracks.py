"""Detections -> face tracks with their quality; picture differences -> shots. Pure.

A face is followed within a shot by the overlap of its boxes. A cut ends every track, and behind it the same face gets
a new letter: that two shots show one person is the analyst's to say. Inside a shot a face found again where it was
lost keeps its letter (``A1``, ``A2``).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

import numpy as np

from forensics.landmarks import CHIN, FOREHEAD, angles
from forensics.method import Method, setting
from forensics.timeline import CloseUps, FaceTrack, Interval, Repeats, Series, chunks, runs

METHOD = Method("overlap linking within shots", "1", "own procedure, no publication")

#: Landmarks at the corners of the eyes, right eye of the person first: (outer, inner).
EYE_CORNERS = ((33, 133), (263, 362))
#: Side of the detector's box (brows to chin) below which a face seen without landmarks is called too small, px:
#: that of a face 60 px high, the least that an analysis takes.
SMALL_PX = 45
_ROWS = 512  # detections read from disk at once


@dataclass(frozen=True)
class Settings:
    cut_difference: float = setting(10.0, "grey levels", "chosen on dev clips: hard cuts 13-83, motion up to 16")
    cut_likeness: float = setting(0.85, "1", "chosen on dev clips: hard cuts up to 0.80, fast motion from 0.88")
    cut_ratio: float = setting(4.0, "1", "of the median difference around it: fast motion raises its neighbours too")
    cut_window_s: float = setting(0.5, "s", "half window of that median")
    overlap: float = setting(0.3, "1", "intersection over union of face boxes, usual in tracking")
    longest_gap_s: float = setting(0.5, "s", "a face lost for longer starts a new track")
    longest_absence_s: float = setting(5.0, "s", "a face back after longer is not taken for the same person")
    shortest_track_s: float = setting(1.0, "s", "briefer appearances are listed, not analysed")
    frozen_s: float = setting(0.2, "s", "identical pictures for at least this long are a freeze")


def cut_times(pictures: dict[str, Any], settings: Settings) -> list[float]:
    """Times of the first pictures of new shots (hard cuts only)."""
    t_s, difference = pictures["t_s"], np.nan_to_num(pictures["difference"])
    cuts = []
    changed = (difference > settings.cut_difference) & (pictures["likeness"] < settings.cut_likeness)
    for i in np.flatnonzero(changed):
        first, behind = np.searchsorted(t_s, (t_s[i] - settings.cut_window_s, t_s[i] + settings.cut_window_s))
        around = np.delete(difference[first:behind], i - first)
        if len(around) and difference[i] > settings.cut_ratio * max(np.median(around), 1.0):
            cuts.append(float(t_s[i]))
    return cuts


def shots(pictures: dict[str, Any], settings: Settings) -> list[Interval]:
    """The clip's shots, in order; the last ends one usual picture step behind its last picture."""
    t_s = pictures["t_s"]
    if not len(t_s):
        return []
    # An excerpt's first picture may differ from the one before it: no shot lies in front of it here.
    cuts = [t for t in cut_times(pictures, settings) if t > t_s[0]]
    edges = [float(t_s[0]), *cuts, picture_end_s(t_s)]
    return [Interval(a, b) for a, b in pairwise(edges)]


def picture_end_s(t_s: np.ndarray) -> float:
    return float(t_s[-1] + (np.median(np.diff(t_s)) if len(t_s) > 1 else 0.0))


def freezes(pictures: dict[str, Any], settings: Settings) -> list[Interval]:
    """Where the picture repeats itself exactly for ``frozen_s`` or longer."""
    t_s, step = pictures["t_s"], float(np.median(np.diff(pictures["t_s"]))) if len(pictures["t_s"]) > 1 else 0.0
    # The first of an excerpt may repeat the picture before it, which is not there.
    held = [Interval(float(t_s[max(a - 1, 0)]), float(t_s[b - 1]) + step) for a, b in runs(pictures["repeated"])]
    return [interval for interval in held if interval.duration >= settings.frozen_s]


def face_box(landmarks: np.ndarray) -> np.ndarray:
    """Corners x0, y0, x1, y1 in px around landmarks (..., 478, 3): (..., 4)."""
    return np.concatenate([landmarks[..., :2].min(-2), landmarks[..., :2].max(-2)], -1)


def _boxes(landmarks: Any) -> np.ndarray:
    parts = [face_box(landmarks[rows]) for rows in chunks(len(landmarks), _ROWS)]
    return np.concatenate([np.zeros((0, 4)), *parts])


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    width, height = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return float(common / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - common))


@dataclass
class _Open:
    """A track being followed: its rows of the detections, and where it was last."""

    letter: int
    number: int
    rows: list[int]
    box: np.ndarray
    last_s: float


def _follow(t_s: np.ndarray, boxes: np.ndarray, letter: int, settings: Settings) -> list[_Open]:
    """Link the detections of one shot, in order; ``letter`` is the first free one."""
    ended: list[_Open] = []
    live: list[_Open] = []
    times, counts = np.unique(t_s, return_counts=True)
    behind = np.cumsum(counts)
    for now, rows in zip(times, map(range, behind - counts, behind), strict=True):
        free = [o for o in live if now - o.last_s <= settings.longest_absence_s]
        for row in rows:
            best = max(free, key=lambda o: overlap(o.box, boxes[row]), default=None)
            if best is None or overlap(best.box, boxes[row]) < settings.overlap:
                letters = {o.letter for o in live}
                best = _Open(max(letters | {letter - 1}) + 1, 1, [], boxes[row], now)
                live.append(best)
            else:
                free.remove(best)
                if now - best.last_s > settings.longest_gap_s:
                    ended.append(replace(best))
                    best.number, best.rows = best.number + 1, []
            best.rows.append(int(row))
            best.box, best.last_s = boxes[row], now
    return sorted(ended + live, key=lambda o: (o.letter, o.number))


def letters(number: int) -> str:
    """0 -> A, 25 -> Z, 26 -> AA."""
    name = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(65 + rest) + name
    return name


def link(
    pictures: dict[str, Any], faces: dict[str, Any], settings: Settings | None = None
) -> list[tuple[str, np.ndarray]]:
    """Tracks as (name, rows of the detections), in order of appearance."""
    settings = settings or Settings()
    rows = np.asarray(faces["row"])
    t_s, boxes = pictures["t_s"][rows], _boxes(faces["landmarks"])
    found: list[tuple[str, np.ndarray]] = []
    letter = 0
    starts = np.searchsorted(t_s, [shot.start_s for shot in shots(pictures, settings)])
    for first, behind in pairwise([*starts, len(t_s)]):
        followed = _follow(t_s[first:behind], boxes[first:behind], letter, settings)
        found += [(f"{letters(o.letter)}{o.number}", np.array(o.rows) + first) for o in followed]
        letter = max([o.letter for o in followed], default=letter - 1) + 1
    return found


def quality(
    t_s: np.ndarray, landmarks: Any, transform: Any, sharpness: np.ndarray, clipped: np.ndarray
) -> dict[str, Series]:
    """Series of face height and eye width in px, yaw, pitch, roll in deg, sharpness, share of clipped pixels."""
    heights, eyes, poses = [], [], []
    for rows in chunks(len(t_s), _ROWS):
        points = landmarks[rows]
        heights.append(np.linalg.norm(points[:, FOREHEAD, :2] - points[:, CHIN, :2], axis=1))
        eyes.append(np.mean([np.linalg.norm(points[:, a, :2] - points[:, b, :2], axis=1) for a, b in EYE_CORNERS], 0))
        poses.append(angles(transform[rows]))
    pose = np.concatenate(poses)
    columns = {
        "face_height": (np.concatenate(heights), "px"),
        "eye_width": (np.concatenate(eyes), "px"),
        "yaw": (pose[:, 0], "deg"),
        "pitch": (pose[:, 1], "deg"),
        "roll": (pose[:, 2], "deg"),
        "sharpness": (sharpness, "1"),
        "clipped": (clipped, "1"),
    }
    return {name: Series(name, t_s, values, unit) for name, (values, unit) in columns.items()}


def sighted_px(sightings: dict[str, Any]) -> np.ndarray:
    """Sides in px of the faces seen without landmarks; empty where just one search saw one, which may be a slip."""
    if len(np.unique(sightings.get("sighting_row", ()))) < 2:
        return np.zeros(0)
    corners = sightings["sighting_box"]
    return (corners[:, 2:] - corners[:, :2]).max(1)


@dataclass(frozen=True)
class DiskRows:
    """Some rows of an array on disk, read as they are asked for."""

    source: Any
    rows: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.rows), *self.source.shape[1:])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: Any) -> np.ndarray:
        wanted = self.rows[key]
        if np.ndim(wanted) == 0 or not len(wanted):
            return self.source[wanted]
        low = int(wanted.min())  # rows of a track lie close together: read the stretch, pick from it
        return self.source[low : int(wanted.max()) + 1][wanted - low]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype=dtype)


def _repeats(repeats: dict[str, Any], rows: np.ndarray) -> Repeats:
    """Those of the repeats that look again at the detections ``rows`` of a track, and the share of copies lost."""
    own = np.isin(repeats["repeat_face"], rows)
    found = np.isfinite(repeats["repeat_landmarks"][own]).all((2, 3))  # (m, k)
    whole = np.flatnonzero(own)[found.all(1)]
    return Repeats(
        np.searchsorted(rows, repeats["repeat_face"][whole]),
        repeats["repeat_landmarks"][whole],
        repeats["repeat_blendshapes"][whole],
        float(1 - found.mean()) if found.size else 0.0,
    )


def _closeups(closeups: dict[str, Any], rows: np.ndarray) -> CloseUps:
    """Those of the close-ups that show the detections ``rows`` of a track."""
    faces = np.asarray(closeups["closeup_face"])
    own = np.flatnonzero(np.isin(faces, rows))
    arrays: dict[str, Any] = {f.name: DiskRows(closeups[f.name], own) for f in fields(CloseUps) if f.name != "row"}
    return CloseUps(np.searchsorted(rows, faces[own]), **arrays)


def face_tracks(
    pictures: dict[str, Any],
    faces: dict[str, Any],
    repeats: dict[str, Any],
    closeups: dict[str, Any],
    settings: Settings | None = None,
) -> list[FaceTrack]:
    """All tracks of a clip, those under ``shortest_track_s`` too."""
    tracks = []
    sharpness, clipped = np.asarray(faces["sharpness"]), np.asarray(faces["clipped"])
    picture_rows = np.asarray(faces["row"])
    for name, rows in link(pictures, faces, settings):
        seen = picture_rows[rows]
        t_s = pictures["t_s"][seen]
        large: dict[str, Any] = {
            key: DiskRows(faces[key], rows) for key in ("landmarks", "blendshapes", "transform", "vertex_rgb")
        }
        tracks.append(
            FaceTrack(
                name,
                t_s,
                pictures["number"][seen],
                pictures["pts"][seen],
                **large,
                quality=quality(t_s, large["landmarks"], large["transform"], sharpness[rows], clipped[rows]),
                repeats=_repeats(repeats, rows) if len(repeats.get("repeat_face", ())) else None,
                closeups=_closeups(closeups, rows) if len(closeups.get("closeup_face", ())) else None,
            )
        )
    return tracks


#: What a track holds of each picture beside its quality.
_ROWS_OF = ("t_s", "frame", "pts", "landmarks", "blendshapes", "transform", "vertex_rgb")


def part(track: FaceTrack, interval: Interval) -> FaceTrack | None:
    """What a track holds inside ``interval``, in memory; None where that is no picture."""
    first, behind = (int(k) for k in np.searchsorted(track.t_s, (interval.start_s, interval.end_s)))
    if first == behind:
        return None
    arrays: dict[str, Any] = {name: np.asarray(getattr(track, name)[first:behind]) for name in _ROWS_OF}
    quality = {k: replace(s, t_s=s.t_s[first:behind], values=s.values[first:behind]) for k, s in track.quality.items()}
    repeats, closeups = track.repeats, track.closeups
    if repeats is not None:
        own = (repeats.row >= first) & (repeats.row < behind)
        repeats = replace(
            repeats,
            row=repeats.row[own] - first,
            landmarks=repeats.landmarks[own],
            blendshapes=repeats.blendshapes[own],
        )
    if closeups is not None:
        low, high = np.searchsorted(closeups.row, (first, behind))
        held = {f.name: np.asarray(getattr(closeups, f.name)[low:high]) for f in fields(CloseUps)}
        closeups = CloseUps(**held | {"row": held["row"] - first})
    return replace(track, **arrays, quality=quality, repeats=repeats, closeups=closeups)
