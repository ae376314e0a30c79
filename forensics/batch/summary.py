"""What a batch found, a row a file: ranked by what deserves a look, which is no score and no verdict."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any
from urllib.parse import quote

from forensics import plots
from forensics.finding import ASSESSED
from forensics.report import phrases
from forensics.report.html import environment
from forensics.text import joined

#: What any recording of a speaking person holds: listed in its report, and no reason to look at one before another.
ROUTINE = ("blink", "speaks")
#: By what the rows are ranked, in this order; said wherever they are shown.
RANKED_BY = (
    "measurements and events outside a published range (most first), then events listed other than blinks and the "
    "stretches in which a mouth moves with the sound (most first), then coverage (least first), then name"
)
EXAMINED, REFUSED, SKIPPED = "examined", "refused", "not opened"


@dataclass(frozen=True)
class Row:
    """One file. Numbers are None where it has no report; ``coverage`` is the mean over the questions asked."""

    rank: int | None
    file: str
    state: str
    code: str = ""
    why: str = ""
    case: str = ""
    sha256: str = ""
    same_bytes_as: str = ""
    duration_s: float | None = None
    persons: int | None = None
    questions: int | None = None
    assessed: int | None = None
    coverage: float | None = None
    unusual: int | None = None
    events: int | None = None
    kinds: str = ""  # of these events, with their numbers


def examined(file: str, case: str, record: Mapping[str, Any]) -> Row:
    """The row of a file whose ``findings.json`` is ``record``."""
    findings = record["findings"]
    listed = [e for f in findings for e in f["events"] if e["kind"] not in ROUTINE]
    often = {kind: sum(e["kind"] == kind for e in listed) for kind in sorted({e["kind"] for e in listed})}
    return Row(
        None,
        file,
        EXAMINED,
        case=case,
        sha256=record["clip"]["sha256"],
        duration_s=record["clip"]["duration_s"],
        persons=len({track["person"] for track in record["clip"]["tracks"]}),
        questions=len(findings),
        assessed=sum(f["state"] == ASSESSED for f in findings),
        coverage=round(
            statistics.fmean([f["coverage"] if f["state"] == ASSESSED else 0.0 for f in findings] or [0.0]), 3
        ),
        unusual=sum(item["unusual"] for f in findings for item in (*f["measurements"], *f["events"])),
        events=len(listed),
        kinds=", ".join(f"{kind} {n}" for kind, n in often.items()),
    )


def ranked(rows: Iterable[Row]) -> list[Row]:
    """The rows in the order of ``RANKED_BY``, numbered; behind them what was refused, then what was not opened."""
    rows = sorted(rows, key=_key)
    first: dict[str, str] = {}
    numbered = []
    for k, row in enumerate(rows, 1):
        same = first.setdefault(row.sha256, row.file) if row.sha256 else row.file
        told = row if same == row.file else replace(row, same_bytes_as=same)
        numbered.append(replace(told, rank=k) if row.state == EXAMINED else told)
    return numbered


def _key(row: Row) -> tuple[Any, ...]:
    place = (EXAMINED, REFUSED, SKIPPED).index(row.state)
    return place, -(row.unusual or 0), -(row.events or 0), row.coverage or 0.0, row.file


def csv(rows: Sequence[Row]) -> str:
    """All rows with each number that the page prints; texts that a spreadsheet would run are inert."""
    return plots.csv({f.name: [getattr(row, f.name) for row in rows] for f in fields(Row)})


def page(rows: Sequence[Row]) -> str:
    """One HTML5 file: no script, nothing loaded; it leads to each case's report beside it."""
    shown = [
        asdict(row)
        | {"file": joined([row.file]), "same_bytes_as": row.same_bytes_as and joined([row.same_bytes_as])}
        | {"why": joined([row.why]), "report": f"../{quote(row.case, safe='')}/report.html"}
        | {
            "listed": [
                (phrases.event(kind), n) for kind, _, n in (k.partition(" ") for k in row.kinds.split(", ")) if n
            ]
        }
        for row in rows
    ]
    by_state = {state: [row for row in shown if row["state"] == state] for state in (EXAMINED, REFUSED, SKIPPED)}
    template = environment().get_template("batch.html.j2")
    return template.render(rows=by_state, ranked_by=RANKED_BY, running="Batch")
