"""Fixtures that several tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

sys.path.insert(0, str(Path(__file__).parent / "hostile"))  # corpus and misbehaving, for the tests beside this file


class FilesTogether(LoadFileScheduling):
    """A file's tests on one worker, and all notebooks on one: they share the cases of the samples."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "notebooks" if file.endswith(".ipynb") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FilesTogether:
    return FilesTogether(config, log)


@pytest.fixture(scope="session")
def face_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five seconds of a face that drifts a little, with a tone: nobody speaks. A small MP4."""
    import synth

    face = synth.portrait(240)
    shifted = [face[: 240 - k % 8, : 240 - k % 8].copy() for k in range(50)]
    framed = []
    for picture in shifted:
        frame = face.copy()
        frame[: picture.shape[0], : picture.shape[1]] = picture
        framed.append(frame)
    return synth.write(
        tmp_path_factory.mktemp("face") / "face.mp4", synth.evenly(framed, 10), synth.Sound(synth.tone(5.0))
    )


@pytest.fixture(scope="session")
def face_case(face_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the finished case of ``face_clip``: to look at, not to change."""
    from forensics import pipeline
    from forensics.case import Case

    with Case(tmp_path_factory.mktemp("cases") / "face", face_clip) as case:
        pipeline.report(case)
    return case.folder


class Kept:
    """A file that must not change: its bytes, mode and time, and what else lies in its folder."""

    def __init__(self, path: Path):
        self.path, self._was = path, self._now(path)

    @staticmethod
    def _now(path: Path) -> Any:
        about = os.lstat(path)
        beside = sorted(os.listdir(os.fsencode(path.parent)))
        return path.read_bytes(), about.st_mode, about.st_mtime_ns, about.st_size, about.st_ino, beside

    def check(self) -> None:
        assert self._now(self.path) == self._was, "the evidence, or what lies beside it, changed"


@pytest.fixture
def kept() -> Iterator[Any]:
    """Call it with paths of evidence: each is checked to be untouched when the test ends."""
    watched: list[Kept] = []

    def watch(path: Path) -> Path:
        watched.append(Kept(path))
        return path

    yield watch
    for one in watched:
        one.check()
