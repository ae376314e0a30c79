"""What ``forensics check`` asks of a report: its words, its parts, and that each number printed stands in its twins.

It reads ``report.json``, which the PDFs are laid out from, and the case's own files; it opens no PDF. Its limits: it
knows phrases, not meanings; and a number that stands in a twin may still stand in the wrong place.
"""

from __future__ import annotations

import bisect
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from forensics import custody
from forensics.custody import LOG, STATE
from forensics.errors import CaseError
from forensics.finding import ASSESSED
from forensics.report import asked, closing, phrases, weighed, words
from forensics.report.blocks import Block
from forensics.report.html import MOST_EVENTS
from forensics.report.matter import bound_of
from forensics.report.observed import MEASUREMENTS

#: Sections of the full report, by a word of each one's heading.
SECTIONS = (
    *("Summary", "Question, propositions", "integrity", "File and streams", "Suitability", "Observations"),
    *("Evaluation", "Validation", "Limits", "Methods", "Questions you will be asked", "Declarations"),
    *("Custody log", "data tables", "Scale", "Glossary", "References"),
)
#: What every figure's caption holds, beside its number.
CAPTION = (
    r"Figure \d+\.",
    r"Item [0-9a-f]{12}",
    r"\d to .*\d\u00a0s",
    r"version \S+",
    r"Notice|notice",
    r"not show",
    r"Data:",
)
#: Shortest text for the blind, in characters: shorter ones name a chart and do not tell it.
SHORTEST_ALT = 20
NUMBER = re.compile(r"(?<![\w.⟨+\-])[−]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]\d+)?(?![\w])")
_FIGURE = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
_TIME = re.compile(r"−?\d+:\d\d:\d\d\.\d{3}")


def check(folder: Path) -> list[str]:
    """The faults of the report in the case ``folder``, in words. Raises CaseError where there is no report."""
    try:
        editions = json.loads((folder / "report.json").read_text("utf-8"))
        record = json.loads((folder / "findings.json").read_text("utf-8"))
        return _faults(editions, record, [numbers_of(record) | read(folder, record), tables(folder)])
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:  # a case may come from anyone
        raise CaseError(
            "E_NO_REPORT",
            "This folder holds no report, or none of this version.",
            "Run forensics report CLIP --out CASE.",
        ) from error


def _faults(editions: Mapping[str, Any], record: Mapping[str, Any], twins: Sequence[set[float]]) -> list[str]:
    full = editions["report.pdf"]
    faults = [*_words(editions), *_sections(full), *_figures(full), *_findings(full, record)]
    for name, edition in editions.items():
        faults += [f"{name}: {said} stands in no twin ({where[:80]})" for said, where in strangers(edition, twins)]
    return faults


# -- texts of an edition ---------------------------------------------------------------------------


def own(value: Any) -> str:
    """A text's own words, without those of the evidence and the analyst, and without hashes and names of files."""
    if isinstance(value, list):
        return "".join(map(own, value))
    if isinstance(value, Mapping):
        return own(value["strong"]) if "strong" in value else " "
    return str(value)


def texts(edition: Mapping[str, Any]) -> Iterator[str]:
    """Each own text of an edition, alt texts among them."""
    for block in edition["blocks"]:
        yield from _texts(block)


def _texts(block: Block) -> Iterator[str]:
    yield from (own(block[key]) for key in ("text", "caption", "alt") if key in block)
    yield from (own(item) for item in block.get("items", ()))
    yield from (column["title"] for column in block["columns"]) if block["kind"] == "table" else ()
    for row in block.get("rows", ()):
        yield from [": ".join(map(own, row))] if block["kind"] == "terms" else map(own, row)
    for picture in block.get("pictures", ()):
        yield from (picture["alt"], own(picture["caption"]))


def headings(edition: Mapping[str, Any]) -> list[str]:
    return [own(block["text"]) for block in edition["blocks"] if block["kind"] == "heading"]


# -- the checks ------------------------------------------------------------------------------------


def _words(editions: Mapping[str, Any]) -> Iterator[str]:
    for name, edition in editions.items():
        page = "".join(f"<p>{html.escape(text)}</p>" for text in texts(edition))
        yield from (f"{name}: {hit}" for hit in words.check(page))


def _sections(full: Mapping[str, Any]) -> list[str]:
    found = headings(full)
    return [f"report.pdf lacks the section “{s}”" for s in SECTIONS if not any(s in heading for heading in found)]


def _figures(full: Mapping[str, Any]) -> Iterator[str]:
    for block in full["blocks"]:
        for one in (block, *block.get("pictures", ())):
            if "path" in one and len(one["alt"]) < SHORTEST_ALT and block["kind"] == "figure":
                yield f"{one['path']} has no text for the blind"
        if block["kind"] == "figure":
            caption = own(block["caption"])
            yield from (f"{block['path']}: the caption lacks {p}" for p in CAPTION if not re.search(p, caption))


def _findings(full: Mapping[str, Any], record: Mapping[str, Any]) -> Iterator[str]:
    """Each assessed finding shows both hypotheses; each measurement its interval; each ratio its bound."""
    said = " ".join(texts(full))
    measured = " ".join(
        text for block in full["blocks"] if block.get("caption") == MEASUREMENTS for text in _texts(block)
    )
    for f in record["findings"]:
        if f["state"] != ASSESSED:
            continue
        spreads = [phrases.spread(m) for m in f["measurements"] if m["low"] is not None]
        missing = [text for text in (f["h1"], f["h2"]) if text not in said]
        missing += [spread for spread in spreads if spread not in measured]
        if (strength := f["strength"]) and not strength.get("withheld"):
            bound = bound_of(strength)
            missing += [] if bound in said else [bound]
        yield from (f"{f['question']}: “{text}” is not printed" for text in missing)


# -- numbers ---------------------------------------------------------------------------------------


def numbers_of(value: Any) -> set[float]:
    """All numbers in values of JSON: as they are, as per cent, in texts, as lengths of lists."""
    if isinstance(value, bool) or value is None:
        return set()
    if isinstance(value, int | float):
        return {float(value), round(100 * value, 6)}
    if isinstance(value, str):
        return set(numbers_in(value).values())
    if isinstance(value, Mapping):
        return set[float]().union(*map(numbers_of, [*value, *value.values()]))
    return {float(len(value))}.union(*map(numbers_of, value))


def numbers_in(text: str) -> dict[str, float]:
    """The numbers of a text by their spelling; timecodes as seconds."""
    times = {
        t: (-1 if t.startswith("−") else 1)
        * sum(float(p) * f for p, f in zip(t.lstrip("−").split(":"), (3600, 60, 1), strict=True))
        for t in _TIME.findall(text)
    }
    rest = _TIME.sub(" ", text)
    return times | {n: float(n.replace(",", "").replace("−", "-")) for n in NUMBER.findall(rest)}


def read(folder: Path, record: Mapping[str, Any]) -> set[float]:
    """Numbers of the other twins: case.json, the log, the tables' texts, the model cards, our own fixed texts."""
    state = json.loads((folder / STATE).read_text("utf-8"))
    entries = list(filter(None, map(custody.sound, custody.split((folder / LOG).read_bytes())[0])))
    fixed = [weighed.card(name) for name in weighed.CARDS]
    fixed += [closing.proposed_declaration(), repr(asked.GENERAL), repr(asked.BY_ANALYSIS), repr(custody.CANNOT_SHOW)]
    counted = {float(n) for n in range(len(entries) + 1)}
    stills = {float(k) for k in range(len(list((folder / "stills").glob("*"))) + 1)}
    charts = {float(k) for k in range(len(list((folder / "charts").glob("*"))) + 1)}
    events = {float(len(f["events"]) - MOST_EVENTS) for f in record["findings"]}
    return numbers_of(state) | numbers_of(fixed) | counted | stills | charts | events | numbers_of(_entries(entries))


def tables(folder: Path) -> set[float]:
    """All that stands in the tables of charts, events and stills."""
    return {
        float(cell)
        for path in sorted((folder / "tables").glob("*.csv"))
        for cell in re.split(r"[,\n]", path.read_text("utf-8"))
        if _FIGURE.fullmatch(cell)
    }


def _entries(entries: Sequence[Mapping[str, Any]]) -> list[Any]:
    return [[entry["n"], entry["utc"], entry.get("versions")] for entry in entries]


def strangers(edition: Mapping[str, Any], twins: Sequence[Iterable[float]]) -> Iterator[tuple[str, str]]:
    """Numbers that stand in none of the ``twins``, each with its text. Headings count themselves.

    The first twins are asked for a whole number as it is; those of charts are rounded, or rounded up, in captions.
    """
    exact, drawn = (sorted(set(values)) for values in twins)
    seen: set[str] = set()
    for block in edition["blocks"]:
        for text in () if block["kind"] == "heading" else _texts(block):
            for said, value in numbers_in(text).items():
                if said not in seen and not (_near(value, _half(said, 0.0), exact) or _near(value, _half(said), drawn)):
                    yield said, text
                seen.add(said)


def _half(said: str, whole: float = 1.0) -> float:
    """Half of the last digit printed; of a whole number as told: charts also round seconds needed up."""
    digits = 3 if ":" in said else len(said.rpartition(".")[2]) if "." in said else 0
    return 0.5 * 10.0**-digits if digits else whole


def _near(value: float, half: float, known: Sequence[float]) -> bool:
    """Whether one of the sorted ``known`` lies within ``half`` of it: is it, or is it once rounded."""
    slack = half + 1e-9 * max(1.0, abs(value))
    place = bisect.bisect_left(known, value - slack)
    return place < len(known) and known[place] <= value + slack
