"""The whole way from a folder of recordings to their cases and the summary."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from forensics import custody, pipeline
from forensics.batch import cluster, summary
from forensics.batch.found import Entry, case_name, check_place, entries
from forensics.batch.summary import REFUSED, SKIPPED, Row
from forensics.batch.working import Job, Outcome, here
from forensics.case import BegunCase, write
from forensics.custody import Actor
from forensics.errors import CaseError
from forensics.finished import open_case

#: Folder of the batch's own log and summary among the cases; no case has this name, as each ends in a digest.
SUMMARY = "summary"

#: Called with how many files are done, of how many, the last one's name, its outcome, and the seconds left (None where
#: nothing is known).
Told = Callable[[int, int, str, Outcome, float | None], None]


@dataclass(frozen=True)
class Batch:
    """What to examine, and how: ``options`` are those of ``forensics report``, which give ``settings``."""

    folder: Path
    out: Path
    settings: pipeline.Settings
    options: tuple[str, ...] = ()
    workers: int = 2
    scheduler: str = ""


def batch(asked: Batch, actor: Actor, told: Told = lambda *_: None) -> list[Row]:
    """Examine every file below the folder, each in its case below ``out``; write and return the summary.

    Raises CaseError where ``out`` cannot be used or another batch works there, MediaError where there are no files.
    """
    found = entries(asked.folder, asked.out)
    place = asked.out / SUMMARY
    check_place(asked.out, place / custody.LOCK, asked.folder, found)
    with BegunCase(place, actor=actor) as log, log.run("batch", files=len(found)):
        outcomes = _examined(asked, actor, [entry for entry in found if not entry.code], told)
        rows = summary.ranked(_row(entry, asked.out, outcomes) for entry in found)
        write(place / "summary.csv", summary.csv(rows))
        write(place / "summary.html", summary.page(rows))
        heads = {row.case: _head(asked.out / row.case) for row in rows if row.state == summary.EXAMINED}
        made = {name: custody.digest_of(place / name) for name in ("summary.csv", "summary.html")}
        log.log("summarised", {"run": "reported"}, outputs=made, cases=heads)
    return rows


def _examined(asked: Batch, actor: Actor, files: Sequence[Entry], told: Told) -> dict[str, Outcome]:
    """The outcome of each file. The largest come first: else one of them may be left to one worker at the end."""
    files = sorted(files, key=lambda entry: -entry.size_bytes)
    procedure = pipeline.procedure(None, asked.settings)
    jobs = [
        Job(
            os.path.abspath(asked.folder / entry.file),
            os.path.abspath(asked.out / case_name(entry.file)),
            asked.options,
            actor,
            procedure,
        )
        for entry in files
    ]
    outcomes: dict[str, Outcome] = {}
    began, examined, left = time.monotonic(), 0, sum(entry.size_bytes for entry in files)
    ending = cluster.there(jobs, asked.scheduler) if asked.scheduler else here(jobs, asked.workers)
    with closing(ending):  # whatever ends this loop stops what is at work
        for number, outcome in ending:
            entry = files[number]
            outcomes[entry.file] = outcome
            left -= entry.size_bytes
            examined += 0 if outcome.kept or outcome.code else entry.size_bytes
            # Bytes stand for work: the number of pictures is not known before they are decoded.
            rate = examined / (time.monotonic() - began)
            told(len(outcomes), len(files), entry.file, outcome, left / rate if rate else None)
    return outcomes


def _row(entry: Entry, out: Path, outcomes: dict[str, Outcome]) -> Row:
    if entry.code:
        return Row(None, entry.file, SKIPPED, entry.code, entry.why)
    outcome, case = outcomes[entry.file], case_name(entry.file)
    if outcome.code:
        return Row(None, entry.file, REFUSED, outcome.code, outcome.why, case)
    try:
        return summary.examined(entry.file, case, open_case(out / case).record)
    except CaseError as error:
        return Row(None, entry.file, REFUSED, error.code, f"{error.sentence} {error.next_step}", case)


def _head(folder: Path) -> str:
    """Hash of the last entry of a case's log: who notes the batch's head holds them all."""
    return open_case(folder).head
