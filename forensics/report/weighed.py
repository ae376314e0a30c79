"""Evaluation, validation, limits: what the observations are worth, and where that is not known."""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping, Sequence
from typing import Any

from forensics.finding import ASSESSED
from forensics.report import phrases, planted
from forensics.report.blocks import (
    BREAK,
    Block,
    bullets,
    heading,
    lead,
    mono,
    note,
    paragraph,
    table,
    terms,
)
from forensics.report.matter import (
    NOT_THE_ODDS,
    Matter,
    sha256,
    state_of,
    strength_of,
    whom,
)

UNTESTED = "skin tone, glasses, beard, sex, age and language"
#: Model cards that come with the software: the only figures on other recordings that the package itself holds.
CARDS = {"lipsync": "lipsync.md", "blink": "blink.md", "voice": "voice.md"}


def evaluation(m: Matter) -> list[Block]:
    """Each question's two hypotheses, and for each person the strength, or why there is none."""
    blocks = [
        paragraph(
            NOT_THE_ODDS
            if m.calibrated
            else "No calibration gives a ratio for any question, so no likelihood ratio is given: what was measured is "
            "described, and its strength as evidence is not stated. That is the honest state of these methods, not a "
            "finding for either hypothesis."
        )
    ]
    for slug in dict.fromkeys(f["question"] for f in m.findings):
        own = [f for f in m.findings if f["question"] == slug]
        blocks.append(heading(2, phrases.question(slug)))
        for pair in dict.fromkeys((f["h1"], f["h2"]) for f in own):
            same = [f for f in own if (f["h1"], f["h2"]) == pair]
            blocks += terms([("H1", pair[0]), ("H2", pair[1])])
            blocks += bullets(_evaluated(f) for f in same)
    return blocks


def _evaluated(f: Mapping[str, Any]) -> list[Any]:
    if f["state"] != ASSESSED:
        return [*whom(f["person"]), f": {state_of(f)}"]
    lines = strength_of(f["strength"])
    return [*whom(f["person"]), ": ", lines[0], *(part for line in lines[1:] for part in (BREAK, line))]


def validation(m: Matter) -> list[Block]:
    """What the package's own data files say of other recordings; for this exhibit's conditions nothing is claimed."""
    analyses = list(dict.fromkeys(f["analysis"] for f in m.findings))
    blocks = [
        paragraph(
            "For recordings made under the conditions of this one no error rate was measured, and none is claimed. "
            "What follows was measured on other recordings and is printed as the software's own files tell it."
        )
    ]
    for analysis in analyses:
        blocks += [heading(2, phrases.family(analysis))]
        if analysis in CARDS:
            text = card(analysis)
            blocks += [
                *_card(text),
                note(f"From forensics/data/{CARDS[analysis]}, SHA-256:", BREAK, mono(sha256(text))),
            ]
        else:
            blocks += [paragraph("Not validated here: no figures on other recordings come with this method.")]
    return blocks + controls(m)


def controls(m: Matter) -> list[Block]:
    """The alterations planted in this recording and its copies, where they were asked for."""
    if "controls" not in m.record:
        return []
    found = m.record["controls"]
    above = planted.copied(found)
    return [
        heading(2, planted.TITLE),
        paragraph(planted.ABOUT),
        *(_tables(planted.sizes(found)) or [note("Nothing could be planted.")]),
        *bullets(planted.notes(found)),
        *([paragraph(above)] if above else []),
        *_tables(planted.of_copies(found)),
    ]


def _tables(several: Sequence[planted.Table]) -> list[Block]:
    return [
        block
        for of in several
        for block in table(
            of.caption, [(name, share, False) for name, share in zip(of.columns, of.shares, strict=True)], of.rows
        )
    ]


def card(analysis: str) -> str:
    """The model card of an analysis that has one."""
    return importlib.resources.files("forensics").joinpath("data", CARDS[analysis]).read_text("utf-8")


def _card(text: str) -> list[Block]:
    """The card's sections of what it was fitted to, tried on, and of limits, as plain paragraphs."""
    wanted = ("What it was fitted to", "Tried on", "Limits")
    sections = [part.split("\n\n") for part in text.split("\n## ")[1:] if part.startswith(wanted)]
    return [
        block
        for title, *lines in sections
        for block in (lead(title), *(b for line in lines for b in _line(" ".join(line.split()))))
    ]


def _line(text: str) -> list[Block]:
    plain = text.replace("`", "")
    return bullets(plain[2:].split(" - ")) if plain.startswith("- ") else [paragraph(plain)]


def limits(m: Matter) -> list[Block]:
    """Of the whole report, of groups of people, and of each question with its innocent alternatives."""
    common = (
        "Results relate only to the item examined, as it was received.",
        "Editing, dubbing, transmission delay, a variable frame rate as telephones record it, a codec, a beauty "
        "filter, mixed light and medical reasons for blinking can cause the same observations as an alteration.",
        f"Untested groups: the influence of {UNTESTED} was not tested here.",
        "A question that is not listed was not asked.",
        "No statement is made about guilt, intent, identity, mind or character.",
    )
    blocks = [*bullets(common)]
    seen: set[tuple[Any, ...]] = set()
    first: dict[tuple[str, ...], str] = {}
    for f in m.findings:
        key = (f["question"], *f["limits"], *f["alternatives"])
        if key not in seen:
            seen.add(key)
            name = phrases.question(f["question"])
            blocks += [
                heading(2, name),
                *(_limits(f["limits"], first.setdefault(tuple(f["limits"]), name), name)),
                *([lead("Innocent alternatives"), *bullets(f["alternatives"])] if f["alternatives"] else []),
            ]
    return blocks


def _limits(limits: Sequence[str], stand: str, name: str) -> list[Block]:
    """Limits that several questions share are printed where they first ``stand``, under that question's name."""
    if not limits:
        return []
    return [lead("Limits"), *(bullets(limits) if stand == name else [paragraph(f"As under: {stand}.")])]
