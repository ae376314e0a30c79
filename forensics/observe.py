"""The one pass over the evidence: decode, look for faces, sample their light, compare neighbouring pictures.

One child (``sandbox``) decodes and hands the pictures (``handover``) to children that run the model on them, each on
its own cells of a grid fixed in seconds. No state passes from one cell to the next, so the number of children changes
no byte. Pixels never leave the children; what they told is appended to ``.npy`` files, so memory does not grow with
the clip.
"""

from __future__ import annotations

import heapq
import math
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from forensics import closeup, handover, sandbox, search
from forensics.growing import Altered, Growing
from forensics.method import Method, setting
from forensics.search import Lookout
from forensics.timeline import Audio, DiskArray, Interval, Series

METHOD = Method("one pass: decode, landmarks, region samples", "3", "own procedure, no publication")

#: Arrays of a pass. One row a picture:
PICTURE_ARRAYS = {
    "number": np.int64,
    "pts": np.int64,
    "t_s": np.float64,
    "difference": np.float32,
    "likeness": np.float32,
    "repeated": np.bool_,
    "brightness": np.float32,
    "transfer": np.int16,
}
#: One row a detected face; ``row`` is the picture's row.
FACE_ARRAYS = {
    "row": np.int64,
    "landmarks": np.float32,
    "blendshapes": np.float32,
    "transform": np.float32,
    "vertex_rgb": np.float16,
    "sharpness": np.float32,
    "clipped": np.float32,
}
#: One row a face looked at again in copies of its picture; ``repeat_face`` is the face's row.
REPEAT_ARRAYS = {"repeat_face": np.int64, "repeat_landmarks": np.float32, "repeat_blendshapes": np.float32}
#: One row a face looked at close up; ``closeup_face`` is the face's row.
CLOSEUP_ARRAYS = {
    "closeup_face": np.int64,
    "rim_light": np.float16,
    "rim_detail": np.float16,
    "detail": np.float16,
    "glints": np.float32,
    "irises": np.float32,
}
#: One row a face seen, but too small or turned away for landmarks; ``sighting_row`` is the picture's row.
SIGHTING_ARRAYS = {"sighting_row": np.int64, "sighting_box": np.float32, "sighting_score": np.float32}
#: Arrays whose values count rows of others, from the cell's first on until they are put together.
_COUNTED = {"row": "t_s", "repeat_face": "row", "closeup_face": "row", "sighting_row": "t_s"}
MESH_ARRAYS = ("triangles", "skin")

#: What a pass that breaks off loses at most, in s of work: the state of its files is kept this often.
KEPT_EVERY_S = 60.0

_Stream = Generator[sandbox.Message, None, None]
#: State of a pass that may be gone on with: the last cell done, the pictures' size, each file's ``Growing.mark``.
Mark = Mapping[str, Any]


@dataclass(frozen=True)
class Settings:
    cell_s: float = setting(2.0, "s", "long against start-up, short against any clip worth two workers")
    workers: int = setting(2, "1", "cores of the smallest machine supported; changes no result")


@dataclass(frozen=True)
class Observation:
    """What the pass saw. ``pictures`` and ``faces`` hold the arrays named above, on disk; None where no such stream."""

    size: tuple[int, int] | None  # width, height in square pixels, upright
    pictures: dict[str, Any]
    faces: dict[str, Any]
    repeats: dict[str, Any]
    closeups: dict[str, Any]
    sightings: dict[str, Any]
    mesh: dict[str, np.ndarray]  # triangles (m, 3) of landmarks, skin (478,) bool
    audio: Audio | None
    losses: dict[str, dict[str, int]]  # by stream kind
    speech: Series | None = None  # probability of speech over time


def compare(before: np.ndarray, now: np.ndarray) -> tuple[float, float]:
    """Mean absolute difference in grey levels, and correlation (1 where either is plain), of two small pictures."""
    a, b = before - before.mean(), now - now.mean()
    spread = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float(np.abs(before - now).mean()), float((a * b).sum()) / spread if spread > 0 else 1.0


def show(
    fd: int,
    stream_index: int,
    memory: int,
    told_out: list[int],
    freed_in: list[int],
    cell_s: float,
    interval: list[float] | None,
    done: int | None,
) -> Iterator[sandbox.Message]:
    """Runs in the child that decodes: hands each picture to the child of its cell; one message, with the losses.

    Pictures up to the cell ``done`` are decoded, which those behind them need, and handed to nobody.
    """
    from forensics import decode

    losses, before = decode.Losses(), None
    giver = handover.Giver(memory, told_out, freed_in)
    for picture in decode.pictures(fd, stream_index, losses):
        cell = math.floor(picture.t_s / cell_s)
        if interval and picture.t_s >= interval[1]:
            break
        if (interval and picture.t_s < interval[0]) or (done is not None and cell <= done):
            giver.stay()
        else:
            giver.give(cell % len(told_out), picture.rgb(), [cell, _row(picture, before)])
        before = picture
        yield sandbox.AT_WORK
    yield {"losses": vars(losses)}, {}


def _row(picture: Any, before: Any) -> list[Any]:
    """``PICTURE_ARRAYS`` of one picture; ``before`` is its predecessor or None."""
    small = picture.thumbnail
    difference, likeness = (math.nan, math.nan) if before is None else compare(before.thumbnail, small)
    repeated = before is not None and difference == 0 and picture.checksum() == before.checksum()
    brightness = float(small.mean())
    return [picture.index, picture.pts, picture.t_s, difference, likeness, repeated, brightness, picture.transfer]


def watch(memory: int, told_in: int, freed_out: int, searching: dict[str, Any]) -> Iterator[sandbox.Message]:
    """Runs in a child that looks: one message per cell with the arrays named above, then one with the mesh."""
    _spare_matplotlib()
    from forensics.landmarks import FaceFinder, FaceModel, mesh

    held = None
    with FaceModel() as model, FaceFinder() as finder:
        for given in handover.taken(memory, told_in, freed_out):
            if given is not None:
                rgb, (cell, row) = given
                if held is None or held.cell != cell:
                    if held is not None:
                        yield held.message()
                    held = _Held(cell, Lookout(model, finder, search.Settings(**searching)))
                held.add(rgb, row)
            yield sandbox.AT_WORK
    if held is not None:
        yield held.message()
    triangles, skin = mesh()
    yield {}, {"triangles": triangles, "skin": skin}


def _spare_matplotlib() -> None:
    """MediaPipe imports matplotlib to draw, which no child does: it takes longer than all else that a child imports,
    and ends in an error where it may not make a folder in the user's home."""
    for name in ("matplotlib", "matplotlib.pyplot"):
        sys.modules.setdefault(name, ModuleType(name))


class _Held:
    """Rows of one cell, held until it is sent."""

    def __init__(self, cell: int, lookout: Lookout) -> None:
        self.cell, self._lookout = cell, lookout
        self._size = (0, 0)
        self._pictures: list[list[Any]] = []
        self._faces: list[tuple[Any, ...]] = []
        self._repeats: list[tuple[Any, ...]] = []
        self._closeups: list[tuple[Any, ...]] = []
        self._closest: int | None = None  # number of the last time for a close-up
        self._sightings: list[tuple[Any, ...]] = []

    def add(self, rgb: np.ndarray, row: list[Any]) -> None:
        """Look at one picture, of which ``row`` holds ``PICTURE_ARRAYS``."""
        self._size = (rgb.shape[1], rgb.shape[0])
        self._pictures.append(row)
        k, t_s = len(self._pictures) - 1, dict(zip(PICTURE_ARRAYS, row, strict=True))["t_s"]
        faces, sightings = self._lookout.look(rgb, t_s)
        if not self._repeats:
            self._repeat(rgb, faces)
        self._look_close(rgb, faces, t_s)
        for face in faces:
            light = closeup.face_light(rgb, face.landmarks)
            self._faces.append((k, face.landmarks, face.blendshapes, face.transform, *light))
        self._sightings += [(k, sighting.box, sighting.score) for sighting in sightings]

    def _repeat(self, rgb: np.ndarray, faces: list[Any]) -> None:
        """Look again at the faces of this picture, the first of the cell with any; NaN where a copy lost the face."""
        for k, face in enumerate(faces, len(self._faces)):
            again = self._lookout.repeat(rgb, face)
            landmarks = [np.full_like(face.landmarks, np.nan) if a is None else a.landmarks for a in again]
            shapes = [np.full_like(face.blendshapes, np.nan) if a is None else a.blendshapes for a in again]
            self._repeats.append((k, landmarks, shapes))

    def _look_close(self, rgb: np.ndarray, faces: list[Any], t_s: float) -> None:
        """Look close at the faces of this picture, the first of its time."""
        due = math.floor(t_s / closeup.EVERY_S)
        if not faces or due == self._closest:
            return
        self._closest = due
        for k, face in enumerate(faces, len(self._faces)):
            seen = (*closeup.rim(rgb, face.landmarks), *closeup.glints(rgb, face.landmarks))
            self._closeups.append((k, *seen))

    def message(self) -> sandbox.Message:
        return {"cell": self.cell, "size": self._size}, (
            _columns(self._pictures, PICTURE_ARRAYS)
            | _columns(self._faces, FACE_ARRAYS)
            | _columns(self._repeats, REPEAT_ARRAYS)
            | _columns(self._closeups, CLOSEUP_ARRAYS)
            | _columns(self._sightings, SIGHTING_ARRAYS)
        )


def _columns(rows: Sequence[Sequence[Any]], kinds: dict[str, Any]) -> dict[str, np.ndarray]:
    if not rows:
        return {}
    return {
        name: np.array(column, kind)
        for (name, kind), column in zip(kinds.items(), zip(*rows, strict=True), strict=True)
    }


def _opened(folder: Path, kinds: Mapping[str, Any], mark: Mark | None) -> tuple[dict[str, Growing], Mark | None]:
    """Files to write the arrays of ``kinds`` into, behind what ``mark`` tells; anew, and None, where that is not so."""
    files: dict[str, Growing] = {}
    try:
        if mark is not None:
            _, _, marks = int(mark["cell"]), tuple(mark["size"]), mark["files"]
        for name, dtype in kinds.items():
            files[name] = Growing(folder / f"{name}.npy", dtype, None if mark is None else marks[name])
    except (Altered, OSError, KeyError, TypeError, ValueError):
        for file in files.values():
            file.close()
        if mark is None:
            raise
        return _opened(folder, kinds, None)
    return files, mark


def see(
    fd: int,
    stream_index: int,
    folder: Path,
    settings: Settings,
    searching: search.Settings,
    interval: Interval | None,
    progress: Callable[[float], None],
    keep: Callable[[Mark], None] = lambda mark: None,
    kept: Mark | None = None,
) -> dict[str, Any]:
    """The pictures' part of the pass, written into ``folder``. ``progress`` is called with the time reached, in s.

    ``keep`` is called now and then with what a pass that breaks off can be gone on from: with it as ``kept``, and the
    same ``folder``, the pictures seen are decoded again but not looked at. The result is the same, to the byte.
    """
    kinds = PICTURE_ARRAYS | FACE_ARRAYS | REPEAT_ARRAYS | CLOSEUP_ARRAYS | SIGHTING_ARRAYS
    files, kept = _opened(folder, kinds, kept)
    size, done = (kept["size"], kept["cell"]) if kept else (None, None)
    losses, told = {}, time.monotonic()
    try:
        with _children(fd, stream_index, settings, searching, interval, done) as (decoding, looking):
            for header, arrays in _by_cell(looking):
                if "cell" not in header:
                    for name in MESH_ARRAYS:
                        np.save(folder / f"{name}.npy", arrays[name])
                    continue
                size = header["size"]
                before = {name: len(files[counted]) for name, counted in _COUNTED.items()}
                for name in files.keys() & arrays.keys():
                    files[name].append(arrays[name] + before[name] if name in before else arrays[name])
                if time.monotonic() - told >= KEPT_EVERY_S:
                    marks = {name: file.mark() for name, file in files.items()}
                    keep({"cell": header["cell"], "size": size, "files": marks})
                    told = time.monotonic()
                progress(float(arrays["t_s"][-1]))
            for header, _ in decoding:  # where it failed, those that look have ended
                losses = header["losses"]
    finally:
        for file in files.values():
            file.close()
    return {"size": size, "losses": losses}


@contextmanager
def _children(
    fd: int,
    stream_index: int,
    settings: Settings,
    searching: search.Settings,
    interval: Interval | None,
    done: int | None,
) -> Iterator[tuple[_Stream, list[_Stream]]]:
    """The child that decodes and those that look, started; they end with this context."""
    with ExitStack() as started:
        with handover.opened(settings.workers) as (memory, lines):
            told_out, freed_in = [line.told_out for line in lines], [line.freed_in for line in lines]
            decoding = sandbox.stream(
                "forensics.observe:show",
                fd,
                also=[memory, *told_out, *freed_in],
                stream_index=stream_index,
                memory=memory,
                told_out=told_out,
                freed_in=freed_in,
                cell_s=settings.cell_s,
                interval=None if interval is None else [interval.start_s, interval.end_s],
                done=done,
            )
            started.callback(decoding.close)
            looking = []
            for line in lines:
                looking.append(
                    sandbox.stream(
                        "forensics.observe:watch",
                        memory,
                        also=[line.told_in, line.freed_out],
                        told_in=line.told_in,
                        freed_out=line.freed_out,
                        searching=asdict(searching),
                    )
                )
                started.callback(looking[-1].close)
        yield decoding, looking


def _by_cell(streams: list[_Stream]) -> Iterator[sandbox.Message]:
    """Messages of all children that look, in the order of their cells; the mesh, equal in all, at the end."""
    return heapq.merge(*streams, key=lambda message: message[0].get("cell", math.inf))


def hear(fd: int, stream_index: int, folder: Path) -> dict[str, Any]:
    """The sound's part of the pass, written into ``folder``."""
    about: dict[str, Any] = {"gaps": [], "losses": {}}
    file = Growing(folder / "samples.npy", np.float32)
    for header, arrays in sandbox.stream("forensics.decode:sound", fd, stream_index=stream_index):
        if "gap" in header:
            about["gaps"].append(header["gap"])
        else:
            about |= header
        if "samples" in arrays:
            file.append(arrays["samples"])
    file.close()
    return about


def _speech(path: Path) -> Series:
    t_s, values = np.load(path)
    return Series("speech probability", t_s, values, "1")


def load(folder: Path, about: dict[str, Any]) -> Observation:
    """The observation kept in ``folder``, as ``see`` and ``hear`` described it in ``about``."""
    picture, sound = about.get("picture"), about.get("sound")
    arrays = {p.stem: p for p in folder.glob("*.npy")}
    audio = None
    if sound and "rate_hz" in sound:
        gaps = tuple(Interval(*gap) for gap in sound["gaps"])
        audio = Audio(DiskArray(arrays["samples"]), sound["rate_hz"], sound["start_s"], gaps)
    return Observation(
        size=tuple(picture["size"]) if picture and picture["size"] else None,
        pictures={name: np.load(arrays[name]) for name in PICTURE_ARRAYS} if picture else {},
        faces={name: DiskArray(arrays[name]) for name in FACE_ARRAYS} if picture else {},
        repeats={name: np.load(arrays[name]) for name in REPEAT_ARRAYS} if picture else {},
        closeups={name: DiskArray(arrays[name]) for name in CLOSEUP_ARRAYS} if picture else {},
        sightings={name: np.load(arrays[name]) for name in SIGHTING_ARRAYS} if picture else {},
        mesh={name: np.load(arrays[name]) for name in MESH_ARRAYS} if picture else {},
        audio=audio,
        losses={kind: part["losses"] for kind, part in about.items()},
        speech=_speech(arrays["speech"]) if "speech" in arrays else None,
    )
