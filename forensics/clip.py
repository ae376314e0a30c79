"""The evidence: opened read-only, hashed before anything is parsed, described by what it declares."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics import sandbox
from forensics.errors import MediaError
from forensics.text import wrapped

_BLOCK = 1 << 20
#: First bytes of text formats by which a "film" makes a player open other files or addresses.
_INDIRECT = (b"ffconcat", b"#EXTM3U", b"[playlist]", b"[Reference]", b"<MPD", b"<smil", b"<asx", b"<ASX", b"file ")
#: Kinds of streams, in our own words; whatever else a container says is text from outside.
KINDS = {"video", "audio", "subtitle"}
_TEXT_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Clip:
    """Identity of the evidence and what its container declares: as ``decode.probe`` gives it, its texts ``Untrusted``.

    ``picture`` and ``sound`` are the indices of the streams examined, None where there is none.
    """

    path: Path
    sha256: str
    sha512: str
    size_bytes: int
    declared: dict[str, Any]
    picture: int | None
    sound: int | None

    def stream(self, index: int | None) -> dict[str, Any] | None:
        return next((s for s in self.declared["streams"] if s["index"] == index), None)

    def others(self) -> list[dict[str, Any]]:
        """Video and audio streams that were not chosen."""
        chosen = (self.picture, self.sound)
        return [s for s in self.declared["streams"] if s["kind"] != "subtitle" and s["index"] not in chosen]


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """Descriptor of the regular file ``path``, read-only. Raises MediaError ``E_NOT_FOUND``, ``E_NOT_REGULAR`` …"""
    step = "Name the recording's file itself."
    try:
        # NONBLOCK: opening a FIFO must not wait for a writer. NOFOLLOW: a link may point out of the evidence folder.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise MediaError("E_NOT_FOUND", "There is no file of this name.", step) from error
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise MediaError("E_NOT_REGULAR", "This is a link or a device, not a regular file.", step) from error
        raise MediaError(
            "E_NOT_READABLE", f"The file cannot be opened ({os.strerror(error.errno or 0)}).", "Check its permissions."
        ) from error
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise MediaError("E_NOT_REGULAR", "This is a folder, pipe or device, not a regular file.", step)
        yield fd
    finally:
        os.close(fd)


def hashes(fd: int) -> tuple[str, str]:
    """SHA-256 and SHA-512 of the whole file, by streaming, in hexadecimal."""
    short, long, position = hashlib.sha256(), hashlib.sha512(), 0
    try:
        while block := os.pread(fd, _BLOCK, position):
            short.update(block)
            long.update(block)
            position += len(block)
    except OSError as error:
        raise MediaError(
            "E_NOT_READABLE",
            f"Reading the file failed ({error.strerror}).",
            "Make an image of the medium it lies on, and examine the copy.",
        ) from error
    return short.hexdigest(), long.hexdigest()


def refuse_indirect(fd: int) -> None:
    """Raise MediaError for an empty file, and for scripts and playlists that would open other files."""
    head = os.pread(fd, 4096, 0)
    if not head:
        raise MediaError("E_EMPTY", "The file is empty (0 bytes).", "Ask for the recording again.")
    for mark in _TEXT_MARKS:
        head = head.removeprefix(mark)
    text = head.replace(b"\0", b"").lstrip()
    if text.startswith(_INDIRECT) or (text.startswith(b"<?xml") and any(mark in text for mark in _INDIRECT)):
        raise MediaError(
            "E_INDIRECT",
            "The file is a script or playlist that names other files, not a recording.",
            "Examine the recording it names.",
        )


def _choose(streams: list[dict[str, Any]], kind: str) -> int | None:
    """The first stream of its kind that is not a cover picture: the one that players choose."""
    fit = [s["index"] for s in streams if s["kind"] == kind and s["decodable"] and not s.get("attached_picture")]
    return fit[0] if fit else None


def identify(path: Path, fd: int) -> Clip:
    """Hash the file on ``fd``, then ask a child what it declares."""
    refuse_indirect(fd)
    sha256, sha512 = hashes(fd)
    message, _ = next(sandbox.stream("forensics.decode:probe", fd))
    declared = wrapped(message, KINDS, keyed={"tags"})
    picture, sound = (_choose(declared["streams"], kind) for kind in ("video", "audio"))
    if picture is None and sound is None:
        raise MediaError(
            "E_NO_STREAMS",
            "The file holds neither picture nor sound that can be decoded.",
            "Ask for the original recording.",
        )
    return Clip(Path(path), sha256, sha512, os.fstat(fd).st_size, declared, picture, sound)
