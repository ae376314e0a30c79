"""The evidence: named for sure, read only, and refused at once where it is no file of its own."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import stat

import numpy as np
import pytest
import synth

from forensics import clip
from forensics.errors import MediaError


@pytest.fixture(autouse=True)
def at_once():
    signal.alarm(20)
    yield
    signal.alarm(0)


@pytest.fixture
def film(tmp_path):
    return synth.write(
        tmp_path / "film.mkv", synth.evenly(synth.plain(5)), synth.Sound(synth.tone(0.2)), tags={"title": "a walk"}
    )


def identify(path) -> clip.Clip:
    with clip.opened(path) as fd:
        return clip.identify(path, fd)


def refusal(path) -> str:
    with pytest.raises(MediaError) as caught:
        identify(path)
    return caught.value.code


@pytest.mark.parametrize("size", [1, (1 << 20) - 1, 1 << 20, (5 << 20) + 7])
def test_hashes_are_those_of_the_whole_file(tmp_path, size):
    data = np.random.default_rng(size).bytes(size)
    (tmp_path / "x").write_bytes(data)
    with clip.opened(tmp_path / "x") as fd:
        assert clip.hashes(fd) == (hashlib.sha256(data).hexdigest(), hashlib.sha512(data).hexdigest())


def test_what_the_file_declares(film, kept):
    known = identify(kept(film))
    assert known.sha256 == hashlib.sha256(film.read_bytes()).hexdigest()
    assert known.size_bytes == film.stat().st_size
    assert (known.picture, known.sound, known.others()) == (0, 1, [])
    assert known.stream(0)["width"] == 64 and known.stream(1)["rate_hz"] == 48000
    assert known.declared["tags"]["title"] == "a walk"
    assert known.stream(None) is None


def test_a_read_only_folder_is_enough(film, kept):
    film.chmod(0o444)
    film.parent.chmod(0o555)
    try:
        assert identify(kept(film)).picture == 0
    finally:
        film.parent.chmod(0o755)


def test_a_cover_picture_is_not_the_film(tmp_path):
    """Sound files carry one as a video stream."""
    import av

    path = synth.write(
        tmp_path / "song.mp4",
        synth.Sound(synth.tone(0.3)),
        synth.Pictures([synth.gradient(64, 64)], [0.0], codec="mjpeg", pixels="yuvj420p", options={}),
    )
    assert identify(path).picture == 1  # one picture alone is a film
    with av.open(str(tmp_path / "cover.mp4"), "w") as out:
        sound, cover = (
            synth.Sound(synth.tone(0.3)),
            synth.evenly([synth.gradient(64, 64)], codec="mjpeg", pixels="yuvj420p", options={}),
        )
        packets = [*sound.packets(out), *cover.packets(out)]
        out.streams.video[0].disposition = av.stream.Disposition.attached_pic
        out.mux(packets)
    known = identify(tmp_path / "cover.mp4")
    assert (known.picture, known.sound) == (None, 0)
    assert [s["index"] for s in known.others()] == [1]


def test_what_is_no_file_is_refused(tmp_path, film):
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "link.mp4").symlink_to(film)
    (tmp_path / "loop.mp4").symlink_to(tmp_path / "loop.mp4")
    (tmp_path / "dangling.mp4").symlink_to(tmp_path / "nothing")
    for name in ("pipe.mp4", "folder.mp4", "link.mp4", "loop.mp4", "dangling.mp4"):
        assert refusal(tmp_path / name) == "E_NOT_REGULAR", name
    for device in ("/dev/null", "/dev/zero"):
        assert refusal(device) == "E_NOT_REGULAR"
    assert refusal(tmp_path / "nothing.mp4") == "E_NOT_FOUND"
    assert refusal(film / "below.mp4") == "E_NOT_READABLE"
    assert refusal(tmp_path / ("n" * 300)) == "E_NOT_READABLE"


def test_an_empty_file_is_refused(tmp_path, kept):
    (tmp_path / "empty.mp4").touch()
    assert refusal(kept(tmp_path / "empty.mp4")) == "E_EMPTY"


def test_a_file_without_picture_and_sound_is_refused(tmp_path):
    path = synth.write(tmp_path / "text.mkv", synth.evenly(synth.plain(2)))
    data = path.read_bytes()
    path.write_bytes(data.replace(b"V_MPEG4/ISO/AVC", b"V_UNKNOWN/CODEC"))
    assert refusal(path) == "E_NO_STREAMS"


def test_a_medium_that_cannot_be_read_is_told_of(film, monkeypatch):
    def failing(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with clip.opened(film) as fd:
        monkeypatch.setattr(os, "pread", failing)
        with pytest.raises(MediaError, match="E_NOT_READABLE"):
            clip.hashes(fd)


def test_it_is_opened_for_reading_alone(film):
    import fcntl

    with clip.opened(film) as fd:
        assert fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
        assert stat.S_ISREG(os.fstat(fd).st_mode)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
