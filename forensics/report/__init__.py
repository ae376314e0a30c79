"""The report: ``findings.json``, one HTML file and two PDFs, with the charts, tables and stills beside them.

It arranges and computes nothing: every number in ``report.html``, ``report.pdf`` and ``summary.pdf`` stands in
``findings.json``, rounded the same way. What belongs to the case and not to the evidence (names, dates, ids) comes from
``case.json``. ``report.json`` is what the PDFs are laid out from, for ``forensics check``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from forensics.case import Case
from forensics.case import write as write_file
from forensics.report import document, pdf
from forensics.report.html import render
from forensics.report.matter import Matter
from forensics.report.plates import Plate, files, photographs, plates
from forensics.report.record import dumps, findings_json, schema

__all__ = ["dumps", "findings_json", "plates", "render", "schema", "write"]

#: Folders of the case that belong to the report: what an earlier one left there goes.
FOLDERS = ("charts", "tables", "stills", "exhibits")


def write(
    case: Case,
    record: dict[str, Any],
    figures: Sequence[Plate] = (),
    stills: Iterable[Any] = (),
    exhibits: bool = False,
) -> Path:
    """Write findings, tables, charts, stills and the report into the case; returns the HTML report's path.

    ``record`` is ``findings_json``'s and ``figures`` are ``plates`` of it; ``stills`` have ``name, person, t_s, frame,
    pts, caption, jpeg, question``; with ``exhibits`` each chart is a page of its own, too. The same values give the
    same bytes.
    """
    pictures, state, log = photographs(record, stills), case.state(), case.entries()
    made = {"findings.json": dumps(record), **files(record, figures, pictures)}
    matter = Matter(record, figures, pictures, state, log, dict(made))
    made["report.html"] = render(record, figures, pictures, state, log)
    made |= dict(printed(matter))
    if exhibits:
        made |= dict(sheets(matter))
    for name, content in made.items():
        write_file(case.folder / name, content)
    _remove_others(case.folder, made)
    return case.folder / "report.html"


def printed(matter: Matter) -> Iterator[tuple[str, str | bytes]]:
    """Both editions as PDF, and what they are laid out from."""
    editions = {"report.pdf": pdf.plain(document.full(matter)), "summary.pdf": pdf.plain(document.counsel(matter))}
    yield "report.json", dumps(editions)
    for name, edition in editions.items():
        yield name, pdf.compiled(edition, matter)


def sheets(matter: Matter) -> Iterator[tuple[str, bytes]]:
    """Each chart as an exhibit sheet: PDF with vectors, and a picture."""
    for plate in matter.plates:
        page = pdf.plain(document.sheet(matter, plate))
        yield f"exhibits/{plate.stem}.pdf", pdf.compiled(page, matter)
        yield f"exhibits/{plate.stem}.png", pdf.compiled(page, matter, format="png", ppi=pdf.SHEET_PPI)


def _remove_others(case_folder: Path, made: Iterable[str]) -> None:
    """Remove files of an earlier report, which nothing refers to any more."""
    kept = {case_folder / name for name in made}
    for folder in FOLDERS:
        for path in (case_folder / folder).glob("*"):
            if path not in kept and not path.is_dir():
                path.unlink()
