"""Degraded copies of a part of the exhibit, each examined by the same pass: derivations of the case."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from forensics import controls, custody, observe
from forensics.analysis import lipsync
from forensics.case import Case
from forensics.clip import Clip, identify, opened
from forensics.controls import degrading
from forensics.errors import MediaError
from forensics.scene import Scene, build
from forensics.settings import Settings
from forensics.taking import Progress, derived, key_of, observed, refuse_if_changed, versions_of
from forensics.timeline import Interval

#: Packages whose version can change the bytes of a copy: part of its key.
ENCODING_PACKAGES = ("av", "numpy", "opencv-python")


def examined(
    planted: controls.Planted,
    case: Case,
    clip: Clip,
    fd: int,
    scene: Scene,
    interval: Interval | None,
    settings: Settings,
    progress: Progress,
) -> controls.Planted:
    """With what became of answers and controls in degraded copies of a part of the exhibit; or why there is none."""
    asked = settings.controls
    if not asked.copied_s:
        return planted
    if refused := degrading.refusals(scene):
        return replace(planted, refused=refused)
    face, part = degrading.longest(scene.tracks), degrading.part(scene, asked.copied_s, settings.observe.cell_s)
    if part is not None:  # the pass again over the part alone, as over each copy

        def look(place: Path) -> dict[str, Any]:
            return observed(case, clip, fd, place, part, settings, {}, progress)

        scene = _scene_of(*derived(case, clip, key_of(clip, part, settings), look)[:2], part, settings)
    alone = degrading.same(scene, face)
    if alone is None:
        return replace(planted, refused=("face_not_found",))
    part = part or scene.interval
    (own,) = alone.tracks
    kinds = degrading.kinds(asked, len(own.t_s) / max(own.interval.duration, 1e-9))
    try:
        folder, pictures = made(case, clip, fd, part, kinds, progress)
    except MediaError as error:
        case.log("copies_refused", code=error.code)
        return replace(planted, part=part, refused=(error.code,))
    before, begins_s = degrading.asked(alone, settings), _first_s(scene, part)
    copies = [degrading.Copy("part", "the part as it was", len(own.t_s), sizes=_sizes_told(alone, settings))]
    for k, kind in enumerate(kinds):
        progress("examining copies", k / len(kinds))
        copy = degrading.Copy(kind.name, kind.what, pictures[kind.name])
        try:
            seen = _seen_again(case, folder / f"{kind.name}.mov", settings)
        except MediaError as error:
            case.log("copy_refused", copy=kind.name, code=error.code)
            copies.append(replace(copy, refused=error.code))
            continue
        found = degrading.same(seen, own, begins_s, 1 / kind.shrink)
        after = [] if found is None else degrading.asked(found, settings)
        told = () if found is None else _sizes_told(found, settings)
        copies.append(replace(copy, answers=tuple(degrading.compared(before, after)), sizes=told))
    return replace(planted, part=part, copies=tuple(copies))


def made(
    case: Case, clip: Clip, fd: int, part: Interval, kinds: tuple[degrading.Kind, ...], progress: Progress
) -> tuple[Path, dict[str, Any]]:
    """Folder of the copies, derivations of the case, and their numbers of pictures by name.

    Raises MediaError where none can be made: ``degrading.make``.
    """

    def reached(t_s: float) -> None:
        progress("making copies", min(1.0, max(0.0, (t_s - part.start_s) / max(part.duration, 1e-9))))

    def make(place: Path) -> dict[str, Any]:
        assert clip.picture is not None
        pictures = degrading.make(fd, clip.picture, clip.sound, part, kinds, place, reached)
        refuse_if_changed(clip, case)  # copies of other bytes are not kept as copies of these
        return pictures

    key = {
        "copies of": clip.sha256,
        "streams": [clip.picture, clip.sound],
        "part": asdict(part),
        "kinds": [asdict(kind) for kind in kinds],
        "method": asdict(controls.METHOD),
        "versions": versions_of(ENCODING_PACKAGES),
    }
    return case.cached(key, make, custody.DERIVATIONS)[:2]


def _first_s(scene: Scene, part: Interval) -> float:
    """When the part's first picture is shown: the copies' time 0."""
    t_s = scene.observation.pictures["t_s"]
    return float(t_s[min(np.searchsorted(t_s, part.start_s), len(t_s) - 1)])


def _sizes_told(alone: Scene, settings: Settings) -> tuple[controls.Size, ...]:
    (track,) = alone.tracks
    return controls.sizes(controls.faces(alone, track, settings, settings.controls))


def _seen_again(case: Case, path: Path, settings: Settings) -> Scene:
    """A copy by the same pass, which is kept in the cache by the copy's own hash."""
    with opened(path) as fd:
        copy = identify(path, fd)

        def look(place: Path) -> dict[str, Any]:
            return observed(case, copy, fd, place, None, settings, {}, lambda what, share: None)

        return _scene_of(*case.cached(key_of(copy, None, settings), look)[:2], None, settings)


def _scene_of(folder: Path, about: dict[str, Any], interval: Interval | None, settings: Settings) -> Scene:
    """With what questions about lips take from the sound: else each question would take it anew."""
    scene = build(observe.load(folder, about), interval, settings.tracks, settings.speech)
    audio = scene.observation.audio
    if audio is None:
        return scene
    return replace(scene, heard={"lipsync": lipsync.hear(audio, scene.speech or [], settings.lipsync)})
