"""The viewing copy: each examined picture as a small JPEG, one behind the other in one file, with a table of times.

Players seek to key pictures and many recordings do not play in a browser at all; here picture k is the k-th picture
that was examined, at its own time stamp. The copy is a derivation of the evidence: made once, in the child that
decodes, kept in the case's cache and told of in its log by SHA-256. While it is made, what is there can be looked at.

    pictures.jpegs   the pictures; number.npy, pts.npy, t_s.npy, end.npy: one row each, ``end`` the byte behind it
    phonemes.json    [name, start_s, end_s] as they are decoded from the sound, without knowing the words
"""

from __future__ import annotations

import atexit
import importlib.metadata
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from forensics import sandbox, speech
from forensics.case import PARTIAL, Case
from forensics.clip import Clip, hashes, identify, opened
from forensics.custody import Actor, digest_of
from forensics.errors import CaseError, ForensicsError, MediaError
from forensics.finished import FinishedCase
from forensics.method import Method
from forensics.timeline import Audio, DiskArray

METHOD = Method("viewing copy: each picture as JPEG", "1", "own procedure, no publication")
#: Shorter side of the copy's pictures, px: the first of which so many pictures fit into the bytes below.
SIDES_PX = (720, 540, 360, 240)
#: JPEG quality, at which blocks do not show at this size; and bytes a pixel it takes at most, of our recordings.
QUALITY, BYTES_A_PIXEL = 80, 0.15
#: Bytes of the copy: 10 minutes of 1080p at 25 pictures a second fit; where they run out the copy ends, and says so.
MOST_BYTES = 2 << 30
TABLE = {"number": np.int64, "pts": np.int64, "t_s": np.float64, "end": np.int64}
PICTURES, PHONEMES = "pictures.jpegs", "phonemes.json"
#: How an unfinished copy's folder in the case begins, and how long another run of the case is waited for, in s.
STAGED, PATIENCE_S = ".viewing-", 120.0


def side_px(pictures: int, size: tuple[int, int]) -> int:
    """Shorter side of the copy of so many pictures of that size (width, height)."""
    long = max(size) / min(size)
    fits = (side for side in SIDES_PX if pictures * side * side * long * BYTES_A_PIXEL <= MOST_BYTES)
    return min(next(fits, SIDES_PX[-1]), *size)


# -- in the children -------------------------------------------------------------------------------------------------


def draw(fd: int, stream_index: int, side_px: int, interval: list[float] | None) -> Iterator[sandbox.Message]:
    """Runs in the child that decodes: each picture inside ``interval`` as JPEG, with its number, PTS and time in s."""
    from forensics import decode, pixels

    for picture in decode.pictures(fd, stream_index, decode.Losses()):
        if interval and picture.t_s >= interval[1]:
            return
        if interval and picture.t_s < interval[0]:
            yield sandbox.AT_WORK
            continue
        jpeg = np.frombuffer(pixels.as_jpeg(picture.small(side_px), QUALITY), np.uint8)
        yield {"row": [picture.index, picture.pts, picture.t_s]}, {"jpeg": jpeg}


def hear(fd: int, rate_hz: int, start_s: float) -> Iterator[sandbox.Message]:
    """Runs in a child on the samples kept by the pass: the phonemes heard in them."""
    audio = Audio(DiskArray(Path(f"/dev/fd/{fd}")), rate_hz, start_s)
    yield {"phonemes": [[p.name, p.interval.start_s, p.interval.end_s] for p in speech.phonemes(audio)]}, {}


# -- to look at ------------------------------------------------------------------------------------------------------


class Pictures:
    """The copy's pictures by row, also while it is being made: the table is in memory, the pictures stay on disk."""

    def __init__(self, path: Path, table: Mapping[str, np.ndarray] | None = None):
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._rows: list[tuple[int, int, float, int]] = []
        if table is not None:
            self._rows = list(zip(*(table[name].tolist() for name in TABLE), strict=True))

    def __len__(self) -> int:
        return len(self._rows)

    def __del__(self) -> None:
        os.close(self._fd)

    def add(self, row: tuple[int, int, float, int]) -> None:
        """One more picture, whose bytes are in the file: number, time stamp, time, byte behind it."""
        self._rows.append(row)

    def row(self, k: int) -> tuple[int, int, float]:
        """Number of the decoded picture, its time stamp, its time in s."""
        return self._rows[k][:3]

    def jpeg(self, k: int) -> bytes:
        """Picture ``k``."""
        first = self._rows[k - 1][3] if k else 0
        return os.pread(self._fd, self._rows[k][3] - first, first)

    def table(self) -> dict[str, np.ndarray]:
        """As it is kept."""
        columns = zip(*self._rows, strict=True) if self._rows else [()] * len(TABLE)
        return {name: np.array(column, kind) for (name, kind), column in zip(TABLE.items(), columns, strict=True)}


def loaded(folder: Path) -> tuple[Pictures, list[list[Any]]]:
    """Pictures and phonemes of a finished copy."""
    table = {name: np.load(folder / f"{name}.npy") for name in TABLE}
    return Pictures(folder / PICTURES, table), json.loads((folder / PHONEMES).read_text("utf-8"))


def fault(error: Exception) -> CaseError:
    """A fault of ours as a refusal in words; where it happened goes into the kernel's log. Call it in an except."""
    from traitlets.log import get_logger  # the kernel's; the children, which load this module too, do not need it

    get_logger().exception("The explorer failed.")
    return CaseError(
        "E_FAULT",
        f"The software failed ({type(error).__name__}).",
        "Run the cell again; if it fails again, give the kernel's log to those who look after the software.",
    )


# -- making it -------------------------------------------------------------------------------------------------------


def key(finished: FinishedCase, clip: Clip, side: int) -> dict[str, Any]:
    """Everything that the copy depends on."""
    packages = ("av", "opencv-python", "pocketsphinx", "soxr", "numpy")
    return {
        "evidence": clip.sha256,
        "streams": [clip.picture, clip.sound],
        "pass": finished.run.observed["cache"],
        "interval": finished.run.opened["interval"],
        "methods": [asdict(METHOD), asdict(speech.METHOD)],
        "side_px": side,
        "quality": QUALITY,
        "most_bytes": MOST_BYTES,
        "versions": {name: importlib.metadata.version(name) for name in packages},
    }


class ViewingCopy:
    """The case's viewing copy: found in its cache, else made by a thread, and kept there when it is whole.

    ``pictures`` and ``phonemes`` may be read at any time; ``fault`` is what went wrong, in a sentence. The case is
    locked only while the copy is looked for and handed over, so that the analyst can mark and name meanwhile. Of a copy
    that was found the pictures are compared with the log by the thread: reading a gigabyte takes a while. Where they
    ``changed`` since they were made, it makes them again.
    """

    def __init__(self, finished: FinishedCase, evidence: Path, actor: Actor | None = None):
        self._case, self._finished, self._actor = finished.folder, finished, actor
        self._evidence, self._stop = evidence, threading.Event()
        self._folder: Path | None = None  # of one that is being made
        seen = finished.scene.observation
        self.expected = len(seen.pictures.get("t_s", ()))
        self.side = side_px(self.expected, seen.size) if seen.size else 0
        self.pictures: Pictures | None = None
        self.phonemes: list[list[Any]] | None = None
        self.fault, self.changed = "", False
        with self._opened_case() as case, opened(evidence) as fd:
            self._clip = identify(evidence, fd)
            case.claim(self._clip.sha256)
            self._key = key(finished, self._clip, self.side)
            self._kept, told = case.told_of(self._key)
            self._told = {name.rpartition("/")[2]: digest for name, digest in told.items()}
            found = (self._kept / PICTURES).is_file() and self._as_told({*self._told} - {PICTURES})
            about = {"sha256": self._clip.sha256, "sha512": self._clip.sha512}
            case.log("viewing", **about, pictures=self.expected, from_cache=found)
        if found:
            self.pictures, self.phonemes = loaded(self._kept)
        else:
            self._begin()
        atexit.register(self._remove)
        self._thread = threading.Thread(target=self._work_guarded, daemon=True)
        self._thread.start()

    @property
    def working(self) -> bool:
        """It is being made, or compared with the log."""
        return self._thread.is_alive()

    def wait(self, timeout_s: float | None = None) -> None:
        """Until it is whole, or the time is over."""
        self._thread.join(timeout_s)

    def close(self) -> None:
        """Stop making it; what was made goes."""
        self._stop.set()
        if self._folder is not None:
            self.wait()

    def _opened_case(self) -> Case:
        return Case(self._case, self._evidence, actor=self._actor)

    def _clear_leftovers(self) -> None:
        """What kernels that ended left of copies."""
        for left in self._case.glob(f"{STAGED}*{PARTIAL}"):
            pid = left.name.removeprefix(STAGED).partition("-")[0]
            if not (pid.isdigit() and Path(f"/proc/{pid}").exists()):
                shutil.rmtree(left, ignore_errors=True)

    def _remove(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _as_told(self, names: Collection[str]) -> bool:
        """Whether the copy in the case has files of these names, each with the hash that the log tells."""
        return bool(names) and all(
            (self._kept / name).is_file() and digest_of(self._kept / name) == self._told.get(name) for name in names
        )

    def _begin(self) -> None:
        """An empty copy, to be filled."""
        self._clear_leftovers()
        self._folder = Path(tempfile.mkdtemp(PARTIAL, f"{STAGED}{os.getpid()}-", self._case))
        (self._folder / PICTURES).touch()
        self.pictures, self.phonemes = Pictures(self._folder / PICTURES), None

    def _work_guarded(self) -> None:
        try:
            if self.phonemes is not None:
                if self._as_told({PICTURES}):
                    return
                self.changed = True
                self._begin()
            self._make()
            self._hand_over()
        except ForensicsError as error:
            self.fault = f"The viewing copy could not be finished: {error.sentence}"
        except OSError as error:
            self.fault = f"The viewing copy could not be written ({error.strerror})."
        except Exception as error:
            failed = fault(error)
            self.fault = f"The viewing copy could not be finished: {failed.sentence} {failed.next_step}"
        finally:
            self._remove()
            atexit.unregister(self._remove)

    def _make(self) -> None:
        if self._clip.picture is not None and self.expected:
            self._draw()
        found: list[list[Any]] = []
        if (audio := self._finished.scene.observation.audio) is not None and isinstance(audio.samples, DiskArray):
            with audio.samples.path.open("rb") as file:
                for header, _ in sandbox.stream(
                    "forensics.explorer.frames:hear", file.fileno(), rate_hz=audio.rate_hz, start_s=audio.start_s
                ):
                    found = header["phonemes"]
        self.phonemes = found

    def _draw(self) -> None:
        assert self.pictures is not None and self._folder is not None
        interval, behind = self._finished.run.opened["interval"], 0
        asked = interval and [interval["start_s"], interval["end_s"]]
        with opened(self._evidence) as fd, (self._folder / PICTURES).open("ab", buffering=0) as file:
            messages = sandbox.stream(
                "forensics.explorer.frames:draw",
                fd,
                stream_index=self._clip.picture,
                side_px=self.side,
                interval=asked,
            )
            for header, arrays in messages:
                if behind + arrays["jpeg"].nbytes > MOST_BYTES or self._stop.is_set():
                    messages.close()
                    break
                file.write(arrays["jpeg"].tobytes())
                behind += arrays["jpeg"].nbytes
                number, pts, t_s = header["row"]
                self.pictures.add((int(number), int(pts), float(t_s), behind))
        examined = self._finished.scene.observation.pictures["pts"][: len(self.pictures)]
        if not np.array_equal(self.pictures.table()["pts"], examined):
            raise MediaError(
                "E_PICTURES_GONE",
                "Decoded a second time, the pictures are not those that were examined.",
                "Check that the evidence did not change, and run forensics report again.",
            )

    def _hand_over(self) -> None:
        """Into the case's cache, once nobody else works on the case."""
        assert self.pictures is not None and self._folder is not None
        staged, table = self._folder, self.pictures.table()
        for name, values in table.items():
            np.save(staged / f"{name}.npy", values)
        (staged / PHONEMES).write_text(json.dumps(self.phonemes), "utf-8")

        def adopt(place: Path) -> dict[str, Any]:
            # Not by taking.derived: that would void the finished run, which was verified when it ended.
            with opened(self._evidence) as fd:
                if hashes(fd) != (self._clip.sha256, self._clip.sha512):
                    raise MediaError(
                        "E_OTHER_FILE",
                        "The recording changed while it was shown.",
                        "Check it with forensics verify CASE --clip CLIP.",
                    )
            for path in staged.iterdir():
                os.replace(path, place / path.name)
            return {"pictures": len(table["end"]), "side_px": self.side, "method": asdict(METHOD)}

        since = time.monotonic()
        while not self._stop.is_set():
            try:
                with self._opened_case() as case:
                    case.cached(self._key, adopt)
                return
            except CaseError as error:
                if error.code != "E_CASE_LOCKED" or time.monotonic() - since > PATIENCE_S:
                    raise
                time.sleep(0.2)
