"""Both editions of the court report as blocks: the full one and counsel's summary, from one record.

A pure function of (findings.json, its plates and stills, case.json, the custody log): it arranges and computes nothing.
Reference for what stands where: ENFSI guideline for evaluative reporting in forensic science (2015); ISO 21043-5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from forensics.report import closing, item, observed, opening, phrases, weighed
from forensics.report.blocks import (
    CONTENTS,
    NEW_PAGE,
    Block,
    banner,
    heading,
    mono,
    note,
    terms,
)
from forensics.report.matter import (
    Matter,
    about,
    figure_of,
    sha256,
    strength_of,
)
from forensics.report.plates import Plate

#: Rows of the cover that counsel's edition leaves to the full one.
UNTOLD = ("Case opened (UTC)", "Run started (UTC)")


def full(m: Matter) -> dict[str, Any]:
    """The technical edition."""
    sections = (
        ("Summary", opening.summary),
        ("Question, propositions, what the examiner was told", opening.questions),
        ("The item and its integrity", item.integrity),
        ("File and streams", item.streams),
        ("Suitability: what could be examined and what not", item.suitability),
        ("Observations", observed.observations),
        ("Evaluation", weighed.evaluation),
        ("Validation and error rates", weighed.validation),
        ("Limits and innocent alternatives", weighed.limits),
        ("Methods, for repetition", closing.methods),
        ("Questions you will be asked", closing.cross_examination),
        ("Declarations", closing.declarations),
    )
    annexes = (
        ("Custody log", closing.custody_log),
        ("Charts and data tables", closing.files),
        ("Scale of words", closing.scale),
        ("Glossary", closing.glossary),
        ("References", closing.references),
    )
    numbered = [(f"{n} {title}", part) for n, (title, part) in enumerate(sections, 1)]
    lettered = [(f"Annex {'ABCDE'[n]}: {title}", part) for n, (title, part) in enumerate(annexes)]
    body = [block for title, part in numbered + lettered for block in (heading(1, title), *part(m))]
    return _edition(m, "Examination of a recording", [*opening.cover(m), CONTENTS, NEW_PAGE, *body])


def counsel(m: Matter) -> dict[str, Any]:
    """Counsel's edition: one to two pages."""
    end = note(f"The full report {m.id} (report.pdf) holds the propositions, every measurement, limits and methods.")
    rows = [row for row in opening.cover_rows(m) if row[0] not in UNTOLD]
    blocks = [banner(m.banner), *terms(rows), heading(1, "Summary"), *opening.summary(m), end]
    return _edition(m, "Examination of a recording: summary for counsel", blocks) | {"compact": True}


def sheet(m: Matter, plate: Plate) -> dict[str, Any]:
    """One chart as an exhibit on a page of its own."""
    finding = m.record["findings"][plate.place]
    rows = [
        ("Item", ["SHA-256 ", mono(m.clip["sha256"])]),
        ("Question", [phrases.question(finding["question"]), *about(finding)]),
        ("Method", f"{finding['method']['name']}, version {finding['method']['version']}"),
        ("Data", ["tables/", mono(f"{plate.stem}.csv"), ", SHA-256 ", mono(sha256(plate.csv))]),
        ("Findings", ["findings.json, SHA-256 ", mono(m.findings_sha256)]),
        ("Strength", strength_of(finding["strength"])),
    ]
    title = f"Exhibit sheet: figure {plate.number}"
    return _edition(m, title, [banner(m.banner), figure_of(plate), *terms(rows)]) | {"compact": True}


def _edition(m: Matter, title: str, blocks: Sequence[Block]) -> dict[str, Any]:
    return {
        "title": title,
        "subtitle": f"Item {m.item} (first 12 characters of its SHA-256)",
        "foot": f"Item {m.item} · report {m.id}, version {m.version} · {m.status}",
        "compact": False,
        "blocks": list(blocks),
    }
