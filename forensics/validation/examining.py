"""Each recording of the table through ``pipeline.examine``, in a case of its own: what its questions answered."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from forensics import custody, naming, pipeline
from forensics.calibration import applying, envelope
from forensics.case import Case, CaseFolder, canonical, is_or_holds, write
from forensics.clip import hashes, opened
from forensics.errors import CaseError, ForensicsError, MediaError
from forensics.finding import ASSESSED
from forensics.finished import FINDINGS
from forensics.report.record import dumps, findings_json
from forensics.timeline import Interval
from forensics.validation.tables import AUTHENTIC, Recording

#: Facts of the container and the picture's scale that a classifier could live on (PICTURE), or of a sound file (SOUND).
PICTURE_FACTS = ("mean_fps", "height_px", "bit_rate", "face_height_px")
SOUND_FACTS = ("bit_rate", "sound_rate_hz")
CRASHED = "CRASHED"  # begins the code of a recording on which the software itself failed


@dataclass(frozen=True)
class Answer:
    """What one question got from one recording, of the person that was covered longest: a choice blind to the score."""

    assessed: bool
    score: float | None
    direction: str
    reasons: tuple[str, ...]
    unusual: bool  # of any person
    persons: int
    conditions: Mapping[str, float | None] = field(default_factory=dict)  # as in ``calibration.envelope``


@dataclass(frozen=True)
class Result:
    """A recording, examined or refused with its ``code``."""

    recording: Recording
    unit: int
    code: str = ""
    sha256: str = ""
    facts: Mapping[str, float | None] | None = None
    answers: Mapping[str, Answer] | None = None
    parts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by question: what its score was made with

    @property
    def authentic(self) -> bool:
        return self.recording.label == AUTHENTIC

    def score(self, question: str) -> float | None:
        answer = (self.answers or {}).get(question)
        return answer.score if answer and answer.assessed else None


def check_place(out: Path, evidence: Iterable[Path]) -> None:
    """Refuse to write where recordings of the table lie. Raises CaseError ``E_CASE_PLACE``."""
    for home in {Path(os.path.realpath(path)).parent for path in evidence}:
        if is_or_holds(out, home):
            raise CaseError(
                "E_CASE_PLACE", "The folder named holds recordings of the table.", "Name another with --out."
            )


def case_names(recordings: Sequence[Recording]) -> list[str]:
    """Name of each recording's case: its file's stem, with a digest where two files share one."""
    stems = [PurePosixPath(r.file).stem for r in recordings]
    often = Counter(stems)
    return [
        stem if often[stem] == 1 else f"{stem}-{hashlib.sha256(r.file.encode()).hexdigest()[:8]}"
        for stem, r in zip(stems, recordings, strict=True)
    ]


def result(recording: Recording, unit: int, root: Path, folder: Path) -> Result:
    """The recording examined in the case ``folder``, or refused with its code; a defect of ours is told as CRASHED."""
    return result_of(recording, unit, lambda: examined(root / recording.file, folder, recording.sha256))


def result_of(recording: Recording, unit: int, examine: Callable[[], dict[str, Any]]) -> Result:
    """What the ``findings.json`` that ``examine`` gives says of the recording, or of a copy of it."""
    try:
        document = examine()
    except OSError:
        raise  # the disk, not the recording
    except ForensicsError as error:
        return Result(recording, unit, error.code)
    except Exception as error:  # a defect of ours: one row of the table, not the end of the run
        traceback.print_exc()
        return Result(recording, unit, f"{CRASHED} {type(error).__name__}")
    return Result(recording, unit, "", document["clip"]["sha256"], facts(document), answers(document), parts(document))


def examined(
    path: Path,
    folder: Path,
    sha256: str = "",
    part: Interval | None = None,
    copy_of: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """``findings.json`` of a recording: from its case where this very software left it there, else made and kept.

    ``part``: of this time alone; ``copy_of``: how it was made of another, so that ``left`` finds it by that. A case of
    ``forensics report`` saves the looking: its observation is taken, its findings are made again. Raises MediaError
    ``E_OTHER_FILE`` where the file is not the one of the ``sha256`` given, CaseError where an analyst named faces in
    the case: figures are about the software alone.
    """
    with opened(path) as fd:
        digest, _ = hashes(fd)
    if sha256 not in ("", digest):
        raise MediaError("E_OTHER_FILE", "The file's SHA-256 is not the table's.", "Find the file, or mend the table.")
    stored = folder / FINDINGS
    about = ({"part": asdict(part)} if part else {}) | ({"copy_of": copy_of} if copy_of else {})
    with Case(folder, path) as case:
        if naming.names_in(case.state()):
            raise CaseError("E_CASE_NAMED", "Faces were named in this case.", "Give another folder with --cases.")
        with suppress(FileNotFoundError):
            content = stored.read_bytes()
            if case.state().get("validated") == _mark(digest, content) | about:
                return json.loads(content)
        with case.run("validate"):
            document = findings_json(pipeline.examine(case, part))
            content = dumps(document).encode()
            write(stored, content)
            outputs = {stored.name: hashlib.sha256(content).hexdigest()}
            case.log("validated", {"run": "validated", "validated": _mark(digest, content) | about}, outputs=outputs)
    return document


def left(folder: Path, copy_of: Mapping[str, Any]) -> dict[str, Any] | None:
    """``findings.json`` that this very software left of a copy so made, which itself may be gone; None without."""
    with suppress(CaseError, FileNotFoundError), CaseFolder(folder) as case:
        content = (folder / FINDINGS).read_bytes()
        known = case.state().get("validated") or {}
        if known == _mark(known.get("evidence_sha256", ""), content) | {"copy_of": copy_of}:
            return dict(json.loads(content))
    return None


def _mark(evidence_sha256: str, findings: bytes) -> dict[str, str]:
    """What findings depend on, and their own hash: any change of the package's files makes them anew."""
    return {
        "evidence_sha256": evidence_sha256,
        "software_sha256": _software_sha256(),
        "findings_sha256": hashlib.sha256(findings).hexdigest(),
    }


@functools.cache
def _software_sha256() -> str:
    package = custody.package_sha256(Path(__file__).parents[1])
    return hashlib.sha256(canonical([package, pipeline.versions()]).encode()).hexdigest()


def facts(document: Mapping[str, Any]) -> dict[str, float | None]:
    """Container facts and the height of the face seen longest; None = not there."""
    clip = document["clip"]
    seen = max(clip["tracks"], key=lambda track: track["pictures"], default=None)
    return {
        "mean_fps": clip["mean_fps"],
        "height_px": clip["height"],
        "bit_rate": round(8 * clip["size_bytes"] / clip["duration_s"]) if clip["duration_s"] else None,
        "face_height_px": seen and seen["median_face_height_px"],
        "sound_rate_hz": clip["sound_rate_hz"],
        "persons": len({track["person"] for track in clip["tracks"]}),
    }


def answers(document: Mapping[str, Any]) -> dict[str, Answer]:
    """The answer to each question of a ``findings.json``."""
    found = {}
    for question in dict.fromkeys(f["question"] for f in document["findings"]):
        asked = [f for f in document["findings"] if f["question"] == question]
        chosen = max(asked, key=lambda f: (f["state"] == ASSESSED, f["coverage"]))
        found[question] = Answer(
            chosen["state"] == ASSESSED,
            None if chosen["score"] is None else chosen["score"] + 0.0,  # -0.0 is 0
            chosen["score_direction"],
            tuple(chosen["reasons"]),
            any(item["unusual"] for f in asked for item in (*f["measurements"], *f["events"])),
            len(asked),
            envelope.conditions(document["clip"], document["findings"], chosen["person"]),
        )
    return found


def parts(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Method, settings and direction of each question's score: what a calibration is bound to."""
    return {
        f["question"]: applying.part(f["method"], f["settings"]) | {"score_direction": f["score_direction"]}
        for f in document["findings"]
        if f["score"] is not None
    }


def container_facts(results: Sequence[Result]) -> np.ndarray:
    """Features (n, d) of the control: logarithms, as sizes and rates differ by factors; NaN = not there."""
    known = [r.facts or {} for r in results]
    names = PICTURE_FACTS if any(f.get("height_px") for f in known) else SOUND_FACTS
    return np.log(np.array([[f.get(name) or np.nan for name in names] for f in known], float))
