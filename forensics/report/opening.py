"""What a court report begins with: cover, summary for counsel, question, propositions, what was told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.finding import REASONS
from forensics.report import phrases
from forensics.report.blocks import (
    Block,
    Said,
    banner,
    bullets,
    heading,
    lead,
    mono,
    note,
    outside,
    paragraph,
    parts,
    strong,
    table,
    terms,
    whole,
)
from forensics.report.html import CASE_FIELDS, struck_by
from forensics.report.matter import (
    NOT_THE_ODDS,
    Matter,
    dated,
    more,
    strength_of,
    utc,
    whom,
)
from forensics.text import Untrusted

#: Lines of each list of counsel's summary, so that it keeps to two pages; the full report holds all.
MOST_ANSWERS, MOST_OUTSTANDING, MOST_REFUSED, MOST_TOLD = 14, 6, 6, 3
#: Characters of a question or of what was told in the summary.
LONGEST_TOLD = 300


def cover(m: Matter) -> list[Block]:
    return [banner(m.banner), *terms(cover_rows(m))]


def cover_rows(m: Matter) -> list[tuple[str, Said]]:
    """Report, case, people, dates, as far as the case tells them."""
    kept = [
        (title, outside(utc(str(m.state[key])) if key.endswith("_utc") else m.state[key]))
        for key, title in CASE_FIELDS.items()
        if m.state.get(key)
    ]
    rows = [("Report", [mono(m.id), f", version {m.version} in its case"]), *kept]
    unknown = [title for key, title in CASE_FIELDS.items() if not m.state.get(key)]
    reviewed = [] if m.state.get("reviewer") else [("Review", "not peer reviewed: no reviewer was named")]
    return rows + reviewed + ([("Not recorded", ", ".join(unknown))] if unknown else [])


def summary(m: Matter) -> list[Block]:
    """What counsel needs on one page; the same in both editions."""
    question = m.told.get("question")
    put = (
        [strong("Question put: "), _short(question["text"])] if question else "No question was told; none is answered."
    )
    told = [[_short(line["text"]), " (", outside(utc(line["utc"])), " UTC)"] for line in m.told.get("told", [])]
    return [
        paragraph(*parts(put)),
        *([lead("Told to the examiner:"), *bullets(told[:MOST_TOLD])] if told else []),
        *more(told, MOST_TOLD, "lines of what was told"),
        paragraph(
            f"One recording was examined, {'in the part ' if m.clip['excerpt'] else ''}from "
            f"{phrases.stretch(*m.clip['examined'])}. What follows describes what was measured. It does not say which "
            "hypothesis holds."
        ),
        *_measured(m),
        heading(2, "What stood out"),
        *_stood_out(m),
        heading(2, "What could not be assessed"),
        *_not_assessed(m),
        paragraph(
            "Results relate only to the item examined. Nothing is said about guilt, intent, identity, mind or "
            "character."
        ),
    ]


def _short(text: str) -> Untrusted:
    return Untrusted(text if len(text) <= LONGEST_TOLD else text[:LONGEST_TOLD] + " …")


def _measured(m: Matter) -> list[Block]:
    if not m.assessed:
        return [paragraph("None of the questions could be assessed.")]
    first = sorted(m.assessed, key=lambda f: not _outstanding(f))
    rows = [
        [whom(f["person"]), phrases.question(f["question"]), phrases.sentence(f), strength_of(f["strength"])[:1]]
        if m.calibrated
        else [whom(f["person"]), phrases.question(f["question"]), phrases.sentence(f)]
        for f in first[:MOST_ANSWERS]
    ]
    columns = [("About", 1.1, False), ("Question", 1.9, False), ("Measured", 5.0, False)]
    columns += [("Strength of evidence", 1.8, False)] if m.calibrated else []
    return [
        *table("What was measured", columns, rows),
        *more(first, MOST_ANSWERS, "answers"),
        *([note(NOT_THE_ODDS)] if m.calibrated else []),
    ]


def _outstanding(finding: Mapping[str, Any]) -> bool:
    return any(one["unusual"] for kind in ("measurements", "events") for one in finding[kind])


def _stood_out(m: Matter) -> list[Block]:
    lines = [(f, line) for f in m.findings for line in phrases.outstanding(f)]
    said = [[*whom(f["person"]), f", {phrases.inner(phrases.question(f['question']))}: {line}."] for f, line in lines]
    if said:
        return [
            *bullets(said[:MOST_OUTSTANDING]),
            *more(said, MOST_OUTSTANDING, "lines"),
            paragraph(
                "To lie outside a published range has causes other than alteration; they are listed among the limits. "
                "What did not stand out is not evidence that the recording is unaltered."
            ),
        ]
    if not m.assessed:
        return [paragraph("Nothing could be assessed. This is not evidence that the recording is unaltered.")]
    return [
        paragraph(
            "No measurement was marked as lying outside its published range, and no event was flagged. This is not "
            "evidence that the recording is unaltered: other questions were not asked, and a good alteration may leave "
            "none of these traces."
        )
    ]


def _not_assessed(m: Matter) -> list[Block]:
    groups: dict[tuple[str, ...], list[str | None]] = {}
    for f in m.refused:
        groups.setdefault((f["question"], *f["reasons"]), []).append(f["person"])
    lines = [
        [*whom(*who), f", {phrases.inner(phrases.question(slug))}: {' '.join(REASONS[r][0] for r in reasons)}"]
        for (slug, *reasons), who in groups.items()
    ]
    if not lines:
        return [paragraph("Every question asked could be assessed.")]
    return [*bullets(lines[:MOST_REFUSED]), *more(lines, MOST_REFUSED, "lines")]


def questions(m: Matter) -> list[Block]:
    """What was asked and told, by whom and when, and whether that was before anything was measured."""
    question, put = m.told.get("question"), m.told.get("propositions", {})
    asked_for = (
        [paragraph(whole(question["text"])), note(*dated(m, question))]
        if question
        else [paragraph("No question was told. What follows answers the software's own questions alone.")]
    )
    pairs = [
        block
        for pair, about in put.items()
        for block in (
            paragraph(strong(f"{pair.capitalize()}. H1: "), whole(about["h1"])),
            paragraph(strong("H2: "), whole(about["h2"])),
            note(*dated(m, about)),
        )
    ]
    lines = [[whole(line["text"]), " (", *dated(m, line), ")"] for line in m.told.get("told", [])]
    return [
        heading(2, "Question put to the examiner"),
        *asked_for,
        heading(2, "Propositions"),
        *(pairs or [paragraph("No pair of propositions was told.")]),
        note(
            "The software asks each of its questions with a pair of hypotheses of its own, fixed before any recording "
            "and printed in the evaluation."
        ),
        heading(2, "What the examiner was told, and when"),
        *(bullets(lines) or [paragraph("Nothing is recorded as told to the examiner.")]),
        *_transcript(m),
    ]


def _transcript(m: Matter) -> list[Block]:
    told = m.record.get("told")
    if not told:
        return []
    struck, why = [b for b in told["bilabials"] if b["struck"]], struck_by(m.state)
    rows = [
        [
            phrases.stretch(part["start_s"], part["end_s"]),
            str(part["words"]),
            phrases.number(part["score"], "1"),
            "—" if part["agreement"] is None else phrases.percent(part["agreement"]),
            f"no: {phrases.why(part['reason'])}" if part["reason"] else "yes",
        ]
        for part in told["passages"]
    ]
    return [
        heading(2, "The words told"),
        paragraph(
            "The words spoken, as a transcript: a statement of the examiner, not a measurement. The answers on the "
            "lips at the words told rest on it. SHA-256 of the transcript ",
            mono(told["sha256"]),
            ".",
        ),
        *bullets(whole(line) for line in told["transcript"].split("\n") if line.strip()),
        *table(
            "The transcript at the sound",
            [
                ("Part", 3, False),
                ("Words", 1, True),
                ("Score", 1, True),
                ("Heard without", 1.2, True),
                ("Used", 2, False),
            ],
            rows,
        ),
        *bullets(
            [
                f"Struck out: number {b['number']}, {b['phoneme'].lower()} of ",
                outside(b["word"]),
                f" at {phrases.instant(b['start_s'])}: ",
                outside(why.get(b["number"])),
            ]
            for b in struck
        ),
    ]
