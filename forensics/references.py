"""The recordings a case is compared with: each examined by the one path in a case of its own, or read from one.

    CASE/references/<first 16 digits of the recording's SHA-256>/   a case like any other: findings, report, log

A finished case may be given in a recording's place: it is read, never written, and refused where it was made by other
methods or settings. What was measured of the references stands in the questioned case's log by hash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from forensics import custody, transcript
from forensics.case import Case
from forensics.clip import hashes, opened
from forensics.comparison import Reference
from forensics.custody import REFERENCES
from forensics.errors import CaseError, ForensicsError, IntegrityError, MediaError
from forensics.finished import FinishedCase, open_case
from forensics.method import restored
from forensics.settings import Settings
from forensics.timeline import Interval
from forensics.weights import table

#: Hexadecimal digits of the recording's SHA-256 that name its case.
DIGITS = 16


@dataclass(frozen=True)
class Given:
    """A reference as it was examined: its name in the report, its finished case, and whether that lies in this one."""

    name: str
    case: FinishedCase
    own: bool

    @property
    def reference(self) -> Reference:
        return Reference(self.name, self.case.record)

    def as_json(self) -> dict[str, Any]:
        """For ``findings.json``: what was compared with, by its bytes; nothing of case, clock or place."""
        clip = self.case.record["clip"]
        return {
            "name": self.name,
            "sha256": clip["sha256"],
            "sha512": clip["sha512"],
            "duration_s": clip["duration_s"],
            "examined": clip["examined"],
            "findings_sha256": self.case.run.findings_sha256,
        }

    def as_entry(self) -> dict[str, Any]:
        """For the log: also how to examine it again, and where its own log stood."""
        run = self.case.run
        return self.as_json() | {
            "case": f"{REFERENCES}/{self.case.folder.name}" if self.own else None,
            "head": self.case.head,
            "interval": run.opened["interval"],
            "names": dict(run.names),
            "tracks": run.observed.get("tracks", []),
        }


def alone(settings: Settings) -> Settings:
    """The settings by which a reference is examined: without what was told or asked of the questioned recording."""
    default = type(settings)()
    return replace(
        settings,
        transcript=transcript.Settings(),
        blink=replace(settings.blink, task=default.blink.task),
        evidence=replace(settings.evidence, trusted_signers=default.evidence.trusted_signers),
        comparison=default.comparison,
        calibration=default.calibration,
        controls=default.controls,
    )


def take(
    case: Case,
    places: Sequence[Path],
    questioned: tuple[str, Interval | None],
    settings: Settings,
    procedure: Mapping[str, Any],
    examine: Callable[[Case], Any],
) -> tuple[Given, ...]:
    """The references at ``places``, recordings or finished cases, in their order; logged in ``case``.

    ``questioned``: hash and interval of the recording in question; ``procedure``: methods and model of this run;
    ``examine``: the one path. Raises CaseError where one is no independent recording or was examined otherwise; what
    refuses a recording is told with its name.
    """
    taken: list[Given] = []
    seen = [("the questioned recording", *questioned)]
    for number, place in enumerate(places, 1):
        name = f"R{number}"
        with _told_of(name):
            found, own = (_verified(place), False) if place.is_dir() else (_examined(case, place, seen, examine), True)
            run = found.run
            if found.record["clip"]["sha256"] != run.opened["sha256"]:
                raise CaseError(
                    "E_REFERENCE_DAMAGED",
                    "Its findings are of another recording than its log tells.",
                    "Name the recording itself: it is then examined as this one is.",
                )
            _refuse_again(seen, run.opened["sha256"], run.interval)
            _refuse_other_procedure(run.opened, settings, procedure)
        seen.append((name, run.opened["sha256"], run.interval))
        taken.append(Given(name, found, own))
    if taken:
        case.log("references", relation=settings.comparison.relation, references=[given.as_entry() for given in taken])
    return tuple(taken)


@contextmanager
def _told_of(name: str) -> Iterator[None]:
    """Refusals say of which reference they are."""
    try:
        yield
    except (MediaError, CaseError, IntegrityError) as error:
        raise type(error)(error.code, f"Reference {name}: {error.sentence}", error.next_step) from error


def _verified(place: Path) -> FinishedCase:
    """A finished case given instead of its recording: it comes from anyone, so all of it is recomputed first."""
    import jsonschema  # slow to import: a report without references needs none of it

    found, checked = open_case(place), custody.verify(place)
    shaped = jsonschema.Draft202012Validator(table("findings.schema")).is_valid(found.record)
    if checked.bad or not shaped:
        why = checked.bad[0].sentence if checked.bad else "Its findings.json is not of the form of its schema."
        raise CaseError(
            "E_REFERENCE_DAMAGED",
            f"Its case is not in order: {why}",
            "Name the recording itself: it is then examined as this one is.",
        )
    return found


def _examined(
    case: Case, place: Path, seen: Sequence[tuple[str, str, Interval | None]], examine: Callable[[Case], Any]
) -> FinishedCase:
    """The recording at ``place``, examined in its own case beneath ``case``; an earlier pass of it is used again."""
    with opened(place) as fd:
        sha256 = hashes(fd)[0]
    _refuse_again(seen, sha256, None)
    with case.beneath(sha256[:DIGITS], place) as own, own.run("reference"):
        examine(own)
        folder = own.folder
    return open_case(folder)


def _refuse_again(seen: Sequence[tuple[str, str, Interval | None]], sha256: str, interval: Interval | None) -> None:
    """A recording is no reference for itself: parts of one may be, where they do not overlap."""
    for name, other, part in seen:
        if other == sha256 and (part is None or interval is None or (part & interval) is not None):
            raise CaseError(
                "E_REFERENCE_SAME",
                f"It is the same recording as {name}.",
                "Name another recording, or a finished case of another part of it.",
            )


def _refuse_other_procedure(was: Mapping[str, Any], settings: Settings, procedure: Mapping[str, Any]) -> None:
    """Numbers of other methods, settings or of another model are no measure for these."""
    unlike = sorted(_unlike(was, settings, procedure))
    if unlike:
        raise CaseError(
            "E_REFERENCE_OTHER_METHODS",
            f"It was examined with other methods or settings: {', '.join(unlike)}.",
            "Name the recording itself: it is then examined as this one is.",
        )


def _unlike(was: Mapping[str, Any], settings: Settings, procedure: Mapping[str, Any]) -> Iterator[str]:
    methods = was.get("methods", {})
    yield from (name for name, version in procedure["measuring"].items() if methods.get(name) != version)
    if was.get("model_sha256") != procedure["model_sha256"]:
        yield "face model"
    try:
        before = asdict(alone(restored(type(settings), was["settings"])))
    except ForensicsError:
        yield "settings of another version"
        return
    now = asdict(alone(settings))
    for part in (before, now):
        part["observe"].pop("workers", None)  # changes no number
    yield from (f"settings of {name}" for name in now if now[name] != before[name])
