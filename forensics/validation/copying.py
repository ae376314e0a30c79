"""Copies of authentic recordings, encoded anew, smaller, with fewer pictures: examined by the path of every recording.

Each is made by the encoder of the degraded copies, as a derivation of the recording's case, examined in a case of its
own inside that one, and removed; its findings stay, and are taken again while recording and software are the same.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from forensics import controls, copies, custody, observe
from forensics.case import Case, CaseFolder, canonical
from forensics.clip import identify, opened
from forensics.controls import degrading
from forensics.controls.degrading import Kind
from forensics.custody import DERIVATIONS, REFERENCES
from forensics.errors import MediaError, ParameterError
from forensics.taking import versions_of
from forensics.timeline import FOREVER_S, Interval
from forensics.validation.examining import Result, examined, left, result_of
from forensics.validation.settings import Settings
from forensics.validation.tables import AUTHENTIC, Recording, TableError


@dataclass(frozen=True)
class Copied:
    """A copy of an authentic recording, and that recording over the very part that was copied."""

    kind: str
    what: str
    original: Result
    copy: Result


def kinds(settings: Settings, fps: float) -> tuple[Kind, ...]:
    """What copies are made of a recording of ``fps`` pictures/s: each changes one thing, the first the sound too."""
    sound = f"AAC {settings.copy_sound_bit_rate / 1000:g} kbit/s"
    crf, shrink, fewer = settings.copy_crf, settings.copy_shrink, settings.copy_fps
    again = Kind("encoded", f"H.264 CRF {crf}, {sound}", crf=crf, sound_bit_rate=settings.copy_sound_bit_rate)
    others = degrading.kinds(controls.Settings(crf=(), shrink=shrink, fps=fewer), fps)
    return (again, *(kind for kind in others if not kind.noise_sd))


def check(recordings: Sequence[Recording], n: int) -> None:
    """Refuse before hours of work what could give no copy. Raises ParameterError, TableError."""
    if n < 0:
        raise ParameterError("the number of recordings to be copied is not negative", n)
    if n and not any(r.label == AUTHENTIC and not r.weak for r in recordings):
        raise TableError(
            None, "It has no authentic recording of firm label to copy.", "Add some, or leave --copies out."
        )


def chosen(results: Sequence[Result], n: int) -> list[Result]:
    """The ``n`` authentic recordings of firm label that are copied: of one person, one a unit, in the order of a hash.

    Of several persons, another one might be asked about in the copy. Neither a score nor a name has a say in it; fewer
    where there are no more.
    """
    can = [r for r in results if r.authentic and not r.recording.weak and (r.facts or {}).get("persons") == 1]
    can.sort(key=lambda r: (hashlib.sha256(r.sha256.encode()).hexdigest(), r.recording.file))
    one_each = {r.unit: r for r in reversed(can)}
    return [r for r in can if one_each[r.unit] is r][:n]


def copied(original: Result, root: Path, folder: Path, settings: Settings) -> list[Copied]:
    """The copies of a recording that was examined in the case ``folder``, beside the part of it that was copied."""
    recording, unit, path = original.recording, original.unit, root / original.recording.file
    clip = examined(path, folder, recording.sha256)["clip"]
    part = most_spoken(clip, settings)
    if part is not None:
        place = _place(folder, "part", {"part": asdict(part)})
        original = result_of(recording, unit, lambda: examined(path, place, recording.sha256, part))
    wanted = kinds(settings, clip["mean_fps"] or 0.0)
    made = {kind: _made_of(clip, part, kind) for kind in wanted}
    places = {kind: _place(folder, f"copy-{kind.name}", made[kind]) for kind in wanted}
    found: dict[Kind, Result] = {}
    told = {name for e in CaseFolder(folder).entries() if e["action"] == "copied" for name in e["cases"]}
    for kind in wanted:
        if custody.named(places[kind], folder) not in told:
            continue  # what broke off before that entry may have left its copies behind: they are found and removed
        if (document := left(places[kind], made[kind])) is not None:
            found[kind] = result_of(recording, unit, functools.partial(dict, document))
    if missing := tuple(kind for kind in wanted if kind not in found):

        def look(kind: Kind, copy: Path) -> Result:
            return result_of(recording, unit, lambda: examined(copy, places[kind], copy_of=made[kind]))

        try:
            found |= _anew(path, folder, part, wanted, missing, look)
        except MediaError as error:
            found |= {kind: Result(recording, unit, error.code) for kind in missing}
    return [Copied(kind.name, kind.what, original, found[kind]) for kind in wanted]


def most_spoken(clip: Mapping[str, Any], settings: Settings) -> Interval | None:
    """What is copied of the recording of a ``findings.json``; None: all of it."""
    seen = max((Interval(t["start_s"], t["end_s"]) for t in clip["tracks"]), key=lambda i: i.duration)
    speech = [Interval(*ends) for ends in clip["speech"] or ()]
    grid_s = observe.Settings().cell_s
    return degrading.most_spoken(Interval(*clip["examined"]), seen, speech, settings.copied_s, grid_s)


def _made_of(clip: Mapping[str, Any], part: Interval | None, kind: Kind) -> dict[str, Any]:
    """All that the copy depends on beside this software."""
    return {
        "of": clip["sha256"],
        "streams": [clip["picture_stream"], clip["sound_stream"]],
        "part": part and asdict(part),
        "kind": asdict(kind),
        "versions": versions_of(copies.ENCODING_PACKAGES),
    }


def _place(folder: Path, name: str, made_of: Mapping[str, Any]) -> Path:
    """Case of a copy or a part inside that of the recording, where ``forensics verify`` looks too."""
    return folder / REFERENCES / f"{name}-{hashlib.sha256(canonical(made_of).encode()).hexdigest()[:12]}"


def _anew(
    path: Path,
    folder: Path,
    part: Interval | None,
    wanted: tuple[Kind, ...],
    missing: tuple[Kind, ...],
    look: Callable[[Kind, Path], Result],
) -> dict[Kind, Result]:
    """Copies made, those ``missing`` looked at, and all removed; what breaks off leaves them to the next run.

    All that are ``wanted`` are made: then the next run finds them under the same key, and removes them.
    """
    with opened(path) as fd, Case(folder, path) as case, case.run("copy"):
        clip = identify(path, fd)
        case.claim(clip.sha256)
        whole = Interval(-FOREVER_S, FOREVER_S)
        place, _ = copies.made(case, clip, fd, part or whole, wanted, lambda what, share: None)
        found = {kind: look(kind, place / f"{kind.name}.mov") for kind in missing}
        case.discard(f"{DERIVATIONS}/{place.name}")
        examined_there = sorted((folder / REFERENCES).glob("*/findings.json"))
        case.log(
            "copied",
            {"run": "validated"},
            copies={kind.name: r.sha256 for kind, r in found.items()},
            cases={custody.named(place.parent, folder): custody.digest_of(place) for place in examined_there},
        )
    return found
