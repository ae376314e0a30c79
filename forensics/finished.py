"""A finished case, opened to be read: its findings, and what was seen and heard. Nothing is decoded, hashed or written.

    >>> from forensics import open_case
    >>> case = open_case("case/talker")
    >>> case.findings, case.scene

The evidence is not needed. That ``findings.json`` is the one the log tells of is checked here; the cache, which is
large, is not: ``forensics verify`` does that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics import custody
from forensics.custody import CACHE, LOG, STATE, Entry
from forensics.errors import CaseError

if TYPE_CHECKING:
    from forensics.scene import Scene
    from forensics.timeline import Interval

FINDINGS = "findings.json"
#: What the entry of a run's beginning tells, without which the run cannot be repeated.
TOLD = {"interval", "methods", "settings", "sha256", "sha512", "software_sha256", "versions"}


@dataclass(frozen=True)
class Run:
    """The run that made the findings, as the log tells it: settings, names, strike-outs, pass, the findings' hash."""

    opened: Entry
    observed: Entry
    names: Mapping[str, str]
    findings_sha256: str
    struck: Sequence[int] = ()
    references: Sequence[Mapping[str, Any]] = ()  # as ``references.Given.as_entry`` told them

    @property
    def interval(self) -> Interval | None:
        from forensics.timeline import Interval

        return self.opened["interval"] and Interval(**self.opened["interval"])


def run_of(entries: Iterable[Entry]) -> Run:
    """The run whose findings the log tells of last. Raises CaseError ``E_NOT_FINISHED`` where there is none."""
    entries = list(entries)
    digest, last = custody.told(entries).get(FINDINGS, ("", 0))
    own: dict[str, Entry] = {}
    for entry in entries:
        if entry["n"] <= last:
            own = {"opened": entry} if entry["action"] == "opened" else own | {entry["action"]: entry}
    opened, observed = own.get("opened", {}), own.get("observed", {})
    known = opened.keys() >= TOLD and str(observed.get("cache", "..")).isalnum()  # no path leads out of the case
    if not last or not known:
        raise CaseError(
            "E_NOT_FINISHED",
            "The case's log tells of no findings, or of none with their settings.",
            "Run forensics report CLIP --out CASE first.",
        )
    return Run(
        opened,
        observed,
        own.get("names_applied", {}).get("names", {}),
        digest,
        own.get("strikes_applied", {}).get("numbers", ()),
        own.get("references", {}).get("references", ()),
    )


@dataclass(frozen=True)
class FinishedCase:
    """``record``: findings.json; ``state``: case.json; ``run``: how the findings were made; ``head``: the log's."""

    folder: Path
    record: Mapping[str, Any]
    state: Mapping[str, Any]
    run: Run
    head: str

    @property
    def findings(self) -> list[Mapping[str, Any]]:
        """As ``findings.json`` has them."""
        return list(self.record["findings"])

    @cached_property
    def scene(self) -> Scene:
        """What was seen and heard, with the names applied; without ``heard`` and ``survey``, which a run makes anew."""
        from forensics import naming, observe, speech, tracks
        from forensics.method import restored
        from forensics.scene import build

        place, settings = self.folder / CACHE / self.run.observed["cache"], self.run.opened["settings"]
        try:
            about = json.loads((place / "about.json").read_text("utf-8"))["about"]
        except FileNotFoundError as error:
            raise CaseError(
                "E_NO_CACHE", "What was seen is no longer in the case's cache.", "Run forensics report CLIP again."
            ) from error
        if self.run.opened["methods"].get(observe.METHOD.name) != observe.METHOD.version:
            raise CaseError(
                "E_CASE_VERSION",
                "What was seen was noted by another version of the pass.",
                "Run forensics report CLIP again, or open the case with the version named in its log.",
            )
        following, listening = (restored(m.Settings, settings[m.__name__.split(".")[-1]]) for m in (tracks, speech))
        return naming.applied(
            build(observe.load(place, about), self.run.interval, following, listening), self.run.names
        )


def open_case(folder: str | Path) -> FinishedCase:
    """The finished case in ``folder``, to be read. Raises CaseError where its findings are not those of its log."""
    folder = Path(folder)
    try:
        content, lines = (folder / FINDINGS).read_bytes(), custody.split((folder / LOG).read_bytes())[0]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CaseError(
            "E_NOT_FINISHED", "This folder holds no finished case.", "Run forensics report CLIP --out CASE first."
        ) from error
    try:
        return _read(folder, content, [entry for entry in map(custody.sound, lines) if entry])
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        # Chain and hashes may be in order and yet nothing this software wrote: a case comes from anyone.
        raise CaseError(
            "E_CASE_DAMAGED",
            f"The case's files are not of the form that this software writes ({type(error).__name__}).",
            "Run forensics verify CASE, or examine the recording in a new case.",
        ) from error


def _read(folder: Path, content: bytes, entries: Sequence[Entry]) -> FinishedCase:
    run = run_of(entries)
    if hashlib.sha256(content).hexdigest() != run.findings_sha256:
        raise CaseError("E_FINDINGS_CHANGED", "findings.json is not the one the log tells of.", "Run forensics verify.")
    state = _parsed((folder / STATE).read_bytes())
    _ = run.interval, dict(run.names), list(run.references), dict(run.opened["methods"])  # of the kind they are read as
    return FinishedCase(folder, _parsed(content), state, run, entries[-1]["hash"])


def _parsed(content: bytes) -> dict[str, Any]:
    def refused(constant: str) -> None:
        raise ValueError(f"{constant} is no number")

    return dict(json.loads(content, parse_constant=refused))
