"""What a court report ends with: methods, questions to expect, declarations, annexes."""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping, Sequence
from typing import Any

from forensics import custody
from forensics.report import asked, phrases, repeating
from forensics.report.blocks import (
    Block,
    bullets,
    heading,
    lead,
    mono,
    note,
    outside,
    paragraph,
    strong,
    table,
    terms,
    whole,
)
from forensics.report.html import extract, used
from forensics.report.matter import (
    Matter,
    dated,
    more,
    sha256,
)
from forensics.report.record import dumps

#: Entries of the custody log printed; the log holds all.
MOST_ENTRIES = 100


def methods(m: Matter) -> list[Block]:
    """The command, the software, each method with its settings."""
    software = m.record["software"]
    columns = [("Setting", 2.4, False), ("Value", 1.6, True), ("Unit", 0.8, False), ("Source of the value", 5, False)]
    blocks = [
        *_repetition(m),
        *terms([("Face model", [software["model"], ", SHA-256 ", mono(software["model_sha256"])])]),
        *table("Software", [("Package", 2, False), ("Version", 3, False)], sorted(software["packages"].items())),
    ]
    for several in _sharing(used(m.record)):
        for part in several:
            method = part["method"]
            blocks += [
                heading(2, f"{phrases.told(method['name']).removesuffix('.')}, version {method['version']}"),
                paragraph(f"Used for: {'; '.join(part['for'])}. Reference: {method['reference']}."),
            ]
        what = "Settings" if len(several) == 1 else f"Settings of the {len(several)} methods above"
        rows = (_setting(row) for row in several[0]["settings"])
        blocks += table(what, columns, rows)
    return blocks


def _sharing(methods: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Methods that have all their settings in common stand together, so that these are printed once."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for part in methods:
        groups.setdefault(dumps({"settings": part["settings"]}), []).append(part)
    return list(groups.values())


def _setting(row: Mapping[str, Any]) -> list[Any]:
    unit = "no unit" if row["unit"] == "1" else row["unit"]
    return [mono(row["name"]), phrases.listed(row["value"]), unit, row["source"]]


def _repetition(m: Matter) -> list[Block]:
    """The commands, and what they cannot give."""
    told: list[Any] = []
    for command in (made := repeating.commands(m.record, m.log)):
        told += [", then " if told else "Command: ", *(mono(p) if isinstance(p, str) else p for p in command)]
    again = ", then the first again" if len(made) > 1 else ""
    changed = ", ".join(repeating.without_option(m.log))
    return [
        paragraph(*told, f"{again}."),
        *([paragraph(repeating.NO_OPTION, mono(changed), ".")] if changed else []),
        paragraph("The same file, software, names and settings give the same findings.json, byte by byte."),
    ]


def cross_examination(m: Matter) -> list[Block]:
    """Questions to expect, of any method and of those used, with answers."""
    analyses = dict.fromkeys(f["analysis"] for f in m.findings)
    sheets = {"Any method": asked.GENERAL} | {phrases.family(a): asked.BY_ANALYSIS.get(a, ()) for a in analyses}
    return [
        block
        for name, pairs in sheets.items()
        for block in (heading(2, name), *(p for q, a in pairs for p in (lead(q), paragraph(a))))
    ]


def proposed_declaration() -> str:
    """The text that comes with the software, to be edited by whoever declares it."""
    return importlib.resources.files(__package__).joinpath("declaration.txt").read_text("utf-8")


def declarations(m: Matter) -> list[Block]:
    """The examiner's own, or, in a draft, the proposed text, marked as not made by anyone."""
    if own := m.told.get("declaration"):
        texts = [whole(text) for text in own["text"].split("\n\n")]
        return [*(paragraph(text) for text in texts), note(*dated(m, own)), *_signature(m)]
    lines = [" ".join(text.split()) for text in proposed_declaration().split("\n\n")]
    return [
        paragraph(
            strong("No declaration was made. "),
            "The text below is proposed, to be edited by the examiner and told with "
            "forensics tell CASE --declaration FILE:",
        ),
        *bullets(lines),
    ]


def _signature(m: Matter) -> list[Block]:
    return terms([("Examiner", outside(m.state.get("examiner"))), ("Signature, date", "…………………………………………")])


def custody_log(m: Matter) -> list[Block]:
    """The entries of this run, the head hash, and what a chain of hashes cannot show."""
    entries = extract(m.log)
    rows = [
        [str(e["n"]), outside(e["utc"]), outside(e["actor"]), outside(e["role"]), outside(e["action"]), mono(e["hash"])]
        for e in entries[-MOST_ENTRIES:]
    ]
    columns = [
        ("Entry", 0.7, True),
        ("Time (UTC)", 2, False),
        ("Who", 1.5, False),
        ("Role", 1.2, False),
        ("What", 1.6, False),
        ("Hash, first 12", 1.6, False),
    ]
    return [
        *table("Entries of this run", columns, rows),
        *more(entries, MOST_ENTRIES, "entries of this run: custody.jsonl holds all, and not"),
        *terms([("Head hash", mono(m.head)), ("Entries", str(len(m.log)))]),
        paragraph(
            "Each entry holds the hash of the one before, so a change inside the log shows. What such a chain cannot "
            "show:"
        ),
        *bullets(custody.CANNOT_SHOW),
    ]


def files(m: Matter) -> list[Block]:
    """Every file of the report that can be named here, by its hash."""
    hashes = {name: sha256(content) for name, content in m.made.items()}
    return [
        paragraph(
            "Charts stand at full size among the observations, and can be made as exhibit sheets. Every "
            "number of this report stands in findings.json, case.json, the custody log, the model cards named above or "
            "the tables listed here."
        ),
        *table(
            "Files of this report",
            [("File", 1.35, False), ("SHA-256", 3.2, False)],
            [[mono(n), mono(h)] for n, h in sorted(hashes.items(), key=_in_order)],
        ),
    ]


def _in_order(named: tuple[str, str]) -> tuple[str, int, str]:
    """By folder, then by the number in front of the name."""
    folder, _, name = named[0].rpartition("/")
    number = name.partition("-")[0]
    return folder, int(number) if number.isdigit() else 0, name


def scale(m: Matter) -> list[Block]:
    """The words of strength that were used."""
    words = dict.fromkeys(f["strength"]["words"] for f in m.findings if (f["strength"] or {}).get("words"))
    if not words:
        return [paragraph("No verbal scale was applied, as no likelihood ratio is given.")]
    return [paragraph("The words used, each beside its likelihood ratio in the evaluation:"), *bullets(words)]


def glossary(_: Matter) -> list[Block]:
    """The terms of the report."""
    return terms(
        (
            ("Coverage", "The part of the examined time that bears on a question."),
            (
                "Event",
                "Something at an instant. Flagged: outside what is expected at the settings printed. Listed: a fact.",
            ),
            ("Frame", "The place of a decoded picture, counted from the first, which is number zero."),
            ("H1, H2", "The two hypotheses between which a question is put."),
            ("Interval", "The range that the measurement's uncertainty spans, at the level printed beside it."),
            ("Likelihood ratio", "How many times better the findings fit H1 than H2; below one they fit H2 better."),
            ("n", "The number of observations behind a measurement."),
            (
                "Presentation clock",
                "The file's own clock, by which a player shows pictures and sound. All times are "
                "on it, in seconds and as hours:minutes:seconds.",
            ),
            ("PTS", "The raw presentation time stamp of a picture, in the stream's own unit."),
            (
                "Reference range",
                "The range expected, with the place where it is published. A measurement is marked as "
                "outside only where its whole interval is. Not marked does not mean ordinary: some ranges count on one "
                "side only.",
            ),
            ("SHA-256, SHA-512", "Fingerprints of a file: another content gives another fingerprint."),
        )
    )


def references(m: Matter) -> list[Block]:
    return bullets(dict.fromkeys(f"{p['method']['name']}: {p['method']['reference']}." for p in used(m.record)))
