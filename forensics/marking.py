"""The analyst's marks: an instant or a stretch of the recording with a comment. A logged act, as naming is.

Seconds are those of the presentation clock, so a mark holds for every run of the case. It changes no number: the next
report prints it with its picture. A mark is taken back by a further act, and its number is not given again.

    case.json  marks         by number: start_s, end_s, comment, actor, utc, entry of the log
               marks_given   how many were ever given
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forensics import wording
from forensics.errors import CaseError
from forensics.finding import rounded
from forensics.finished import open_case
from forensics.timeline import FOREVER_S

if TYPE_CHECKING:
    from forensics.case import CaseFolder

#: Characters of a comment: a short paragraph; and marks of one case, which a report can still print.
LONGEST, MOST = 300, 200
#: A mark is kept to the millisecond, and so may lie that far outside what was examined, in s.
KEPT_S = 0.001
#: Marks that each get a still in the report, the first of them; each is some 40 kB.
MOST_SHOWN = 24
#: Whom the stills of marks belong to: no person's name is empty.
MARKED = ""


@dataclass(frozen=True)
class Marked:
    """The picture shown at a mark: as ``stills.Instant``, of nobody, with nothing drawn."""

    name: str
    frame: int
    pts: int
    t_s: float
    caption: str
    person: str = MARKED
    question: str = ""
    points: tuple[()] = ()


def given(state: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    """The marks that hold, by number, in the order of time."""
    marks = {int(number): dict(about) for number, about in state.get("marks", {}).items()}
    return dict(sorted(marks.items(), key=lambda mark: (mark[1]["start_s"], mark[0])))


def give(case: CaseFolder, start_s: float, end_s: float | None, comment: str) -> int:
    """Mark an instant, or up to ``end_s``, and log it; returns its number. A CaseError leaves all as it was."""
    comment, state = wording.kept(comment, "comment", LONGEST, "E_MARK"), case.state()
    end_s = start_s if end_s is None else end_s
    if not all(math.isfinite(t) and abs(t) <= FOREVER_S for t in (start_s, end_s)) or end_s < start_s:
        raise CaseError(
            "E_MARK", "A mark lies at a second of the recording and ends no earlier.", "Give SECONDS, and --to."
        )
    first_s, last_s = examined(case.folder)
    if start_s < first_s - KEPT_S or end_s > last_s + KEPT_S:
        raise CaseError(
            "E_MARK", f"What was examined reaches from {first_s:.3f} to {last_s:.3f} s.", "Mark a time inside it."
        )
    if len(marks := state.get("marks", {})) >= MOST:
        raise CaseError("E_MARK", f"There are {MOST} marks already.", "Take some back with --remove.")
    number = state.get("marks_given", 0) + 1
    mark = {"start_s": rounded(start_s, "s"), "end_s": rounded(end_s, "s"), "comment": comment}

    def change(entry: Mapping[str, Any]) -> dict[str, Any]:
        about = {"actor": entry["actor"], "utc": entry["utc"], "entry": entry["n"]}
        return {"marks": marks | {str(number): mark | about}, "marks_given": number}

    case.log("marked", change, number=number, **mark)
    return number


def examined(folder: Path) -> tuple[float, float]:
    """What the case's last finished report examined, in s; without end where there is none."""
    try:
        first_s, last_s = map(float, open_case(folder).record["clip"]["examined"])
    except (CaseError, LookupError, TypeError, ValueError):  # none, or none that this software wrote
        return -math.inf, math.inf
    return first_s, last_s


def take_back(case: CaseFolder, number: int, reason: str) -> None:
    """Take a mark back, with a reason, and log it. Raises CaseError; then nothing is changed."""
    reason, marks = wording.kept(reason, "comment", LONGEST, "E_MARK"), case.state().get("marks", {})
    if str(number) not in marks:
        listed = ", ".join(sorted(marks, key=int)) or "none"
        raise CaseError("E_MARK", f"There is no mark of the number {number}.", f"There are: {listed}.")
    kept = {n: about for n, about in marks.items() if n != str(number)}
    case.log("mark_taken_back", {"marks": kept}, number=number, reason=reason)


def pictures(marks: Mapping[int, Mapping[str, Any]], seen: Mapping[str, Any]) -> Sequence[Marked]:
    """The picture that is shown where each mark begins, of those ``seen`` (number, pts, t_s); none outside them."""
    found, t_s = [], seen.get("t_s", np.zeros(0))
    for number, mark in marks.items():
        # A mark is kept to the millisecond: the picture that begins within it is meant.
        row = int(np.searchsorted(t_s, mark["start_s"] + 0.0005, "right")) - 1
        if len(t_s) and row >= 0 and mark["start_s"] <= t_s[-1] + 1.0:
            about = int(seen["number"][row]), int(seen["pts"][row]), float(t_s[row])
            found.append(Marked(f"mark-{number}", *about, f"marked by the examiner, number {number}"))
    return found[:MOST_SHOWN]
