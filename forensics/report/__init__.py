"""The report: ``findings.json`` and one HTML file, with the charts, tables and stills beside them.

It arranges and computes nothing: every number in ``report.html`` stands in ``findings.json``, rounded the
same way. What belongs to the case and not to the evidence (names, dates, ids) comes from ``case.json``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from forensics.case import Case
from forensics.case import write as write_file
from forensics.report.html import render
from forensics.report.plates import Plate, files, photographs, plates
from forensics.report.record import dumps, findings_json, schema

__all__ = ["dumps", "findings_json", "plates", "render", "schema", "write"]

#: Folders of the case that belong to the report: what an earlier one left there goes.
FOLDERS = ("charts", "tables", "stills")


def write(case: Case, record: dict[str, Any], figures: Sequence[Plate] = (), stills: Iterable[Any] = ()) -> Path:
    """Write findings, tables, charts, stills and the report into the case; returns the report's path.

    ``record`` is ``findings_json``'s and ``figures`` are ``plates`` of it; ``stills`` have ``name, person, t_s, frame,
    pts, caption, jpeg, question``. The same values give the same bytes.
    """
    pictures = photographs(record, stills)
    page = render(record, figures, pictures, case.state(), case.entries())
    made = {"findings.json": dumps(record), **files(record, figures, pictures), "report.html": page}
    for name, content in made.items():
        write_file(case.folder / name, content)
    _remove_others(case.folder, made)
    return case.folder / "report.html"


def _remove_others(case_folder: Path, made: Iterable[str]) -> None:
    """Remove files of an earlier report, which nothing refers to any more."""
    kept = {case_folder / name for name in made}
    for folder in FOLDERS:
        for path in (case_folder / folder).glob("*"):
            if path not in kept and not path.is_dir():
                path.unlink()
