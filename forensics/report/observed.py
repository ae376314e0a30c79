"""Observations by person and question: measurements, events, charts, stills. No opinion."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from forensics.marking import MARKED
from forensics.report import phrases
from forensics.report.blocks import (
    BREAK,
    Block,
    heading,
    mono,
    note,
    outside,
    paragraph,
    stills,
    strong,
    table,
    terms,
)
from forensics.report.html import MOST_EVENTS, marks, people
from forensics.report.matter import (
    Matter,
    figure_of,
    state_of,
    stretches,
    whom,
)
from forensics.report.plates import Photograph, events_name
from forensics.report.record import persons
from forensics.text import Untrusted

#: Caption of the tables of measurements.
MEASUREMENTS = "Measurements"
APPEARANCES = [
    ("Appearance", 1.1, False),
    ("From (s)", 0.9, True),
    ("To (s)", 0.9, True),
    ("Timecode", 2.4, False),
    ("Pictures", 0.9, True),
    ("Face height (px)", 1.1, True),
    ("Repeats (px)", 1, True),
]


def observations(m: Matter) -> list[Block]:
    """By person and question: measurements with their intervals, events, charts, stills. No opinion."""
    own = persons(m.record)
    return [
        paragraph(
            "Persons are lettered in order of appearance. Behind a cut the same face gets a new letter; appearances "
            "that the analyst gave one name are pooled. A name is the analyst's word: no faces were compared. Height "
            "is the face's, forehead to chin; repeats is the standard deviation of the landmarks between shifted and "
            "rescaled copies of one picture: the model's scatter, not its bias."
        ),
        *table(
            "Persons in view",
            [("Person", 1.3, False), ("Appearances", 1, False), ("In view", 3, False), ("Named by", 2, False)],
            [
                [outside(one["person"]), ", ".join(one["tracks"]), stretches(one["seen"]), _lines(one["named_by"])]
                for one in people(m.clip, m.state)
            ],
        ),
        *(block for person in own for block in _person(m, person)),
        *([] if own else [paragraph("No person was found, and no question was asked.")]),
        *_marked(m),
    ]


def _marked(m: Matter) -> list[Block]:
    """What the examiner marked, with its pictures; nothing where nothing was."""
    found = marks(m.state)
    columns = [("Mark", 0.5, True), ("When", 2, False), ("Comment", 4, False), ("Marked by", 2, False)]
    rows = [[str(a["number"]), a["when"], a["comment"], a["by"]] for a in found]
    return [
        *([heading(2, "Marked by the examiner")] if found else []),
        *([note("The examiner's words on what was looked at: no measurement rests on them.")] if found else []),
        *table("Marks of the examiner", columns, rows),
        *_single([p for p in m.photographs if p.still.person == MARKED]),
    ]


def _lines(texts: Iterable[Untrusted]) -> list[Any]:
    return [part for text in texts for part in (BREAK, text)][1:] or ["not named"]


def _person(m: Matter, person: str | None) -> list[Block]:
    seen = [
        [
            t["name"],
            phrases.seconds(t["start_s"]),
            phrases.seconds(t["end_s"]),
            f"{phrases.timecode(t['start_s'])} to {phrases.timecode(t['end_s'])}",
            str(t["pictures"]),
            phrases.number(t["median_face_height_px"], "px"),
            "not sampled" if t["landmark_error_px"] is None else phrases.number(t["landmark_error_px"], "px"),
        ]
        for t in m.clip["tracks"]
        if person is not None and t["person"] == person
    ]
    loose = [p for p in m.photographs if p.place is None and p.still.person == person]
    own = [f for f in m.findings if f["person"] == person]
    return [
        heading(2, whom(person)),
        *table("Appearances", APPEARANCES, seen),
        *_single(loose),
        *(block for f in own for block in _answer(m, f)),
        *([] if own else [paragraph("No question was asked about this person.")]),
    ]


def _answer(m: Matter, f: Mapping[str, Any]) -> list[Block]:
    pictures = [p for p in m.photographs if p.place == m.own(f)]
    return [
        heading(3, [*whom(f["person"]), f": {phrases.inner(phrases.question(f['question']))}"]),
        *terms(
            [
                ("Question", mono(f["question"])),
                ("State", state_of(f)),
                ("Coverage", f"{phrases.percent(f['coverage'])} of the examined time{_covered(f)}"),
                *([("Appearances", ", ".join(f["subjects"]))] if f["subjects"] else []),
                *([("Score", _score(f))] if f["score"] is not None else []),
            ]
        ),
        *_measurements(f),
        *_events(f),
        *(figure_of(plate) for plate in m.plates if plate.place == m.own(f)),
        *_pictures(pictures),
    ]


def _covered(f: Mapping[str, Any]) -> str:
    return f": {stretches(f['covered'])}" if f["covered"] else ""


def _score(f: Mapping[str, Any]) -> str:
    own = f"{phrases.listed(f['score'])} ({f['score_direction']}; "
    return own + "input to a calibration, no strength of evidence by itself)"


def _measurements(f: Mapping[str, Any]) -> list[Block]:
    rows = []
    for x in f["measurements"]:
        interval = "none" if x["low"] is None else f"{phrases.spread(x)} ({phrases.percent(x['level'])})"
        outcome = " Outside the reference range." if x["unusual"] else " Not marked." if x["reference"] else ""
        about = phrases.told(x["reference"] or "no reference range") + outcome
        name = strong(phrases.label(x["name"])) if x["unusual"] else phrases.label(x["name"])
        rows.append(
            [
                [name, BREAK, mono(x["name"])],
                phrases.quantity(x["value"], x["unit"]),
                interval,
                str(x["n"]),
                [about, BREAK, f"Method: {x['method']}"],
            ]
        )
    columns = [
        ("Quantity", 2.6, False),
        ("Value", 1.4, True),
        ("Interval (level)", 1.7, True),
        ("n", 0.8, True),
        ("Reference range, remark, method", 3.8, False),
    ]
    return table(MEASUREMENTS, columns, rows)


def _events(f: Mapping[str, Any]) -> list[Block]:
    rows = [
        [
            phrases.seconds(e["start_s"]),
            phrases.seconds(e["end_s"]),
            phrases.timecode(e["start_s"]),
            str(e["frame"]) if e.get("frame") is not None else "—",
            str(e["pts"]) if e.get("pts") is not None else "—",
            e["what"],
            strong("flagged") if e["unusual"] else "listed",
        ]
        for e in f["events"][:MOST_EVENTS]
    ]
    columns = [
        ("From (s)", 0.9, True),
        ("To (s)", 0.9, True),
        ("Timecode", 1.2, False),
        ("Frame", 0.8, True),
        ("PTS", 1.1, True),
        ("What", 4, False),
        ("Remark", 0.9, False),
    ]
    rest = len(f["events"]) - MOST_EVENTS
    more = [f"…and {rest} more in the CSV. "] if rest > 0 else []
    return [
        *table("Events", columns, rows),
        *([note(*more, "All events with their details: tables/", mono(events_name(f)), ".")] if rows else []),
    ]


def _pictures(pictures: Sequence[Photograph]) -> list[Block]:
    """Strips of mouths, and the single stills."""
    strips = itertools.groupby((p for p in pictures if p.still.question), lambda p: p.still.caption)
    return [
        *_single([p for p in pictures if not p.still.question]),
        *(block for what, own in strips for block in _strip(what, list(own))),
    ]


def _single(pictures: Sequence[Photograph]) -> list[Block]:
    return stills(
        (
            (
                f"stills/{p.stem}.jpg",
                f"Picture at {phrases.seconds(p.still.t_s)} s: {p.still.caption}",
                [
                    strong(f"Still {p.number}. "),
                    f"{phrases.instant(p.still.t_s)}, frame {p.still.frame}, PTS {p.still.pts}. ",
                    phrases.told(p.still.caption),
                ],
            )
            for p in pictures
        ),
        2,
    )


def _strip(what: str, pictures: Sequence[Photograph]) -> list[Block]:
    first, last = pictures[0].number, pictures[-1].number
    return stills(
        (
            (
                f"stills/{p.stem}.jpg",
                f"Mouth at {phrases.seconds(p.still.t_s)} s",
                [f"{phrases.seconds(p.still.t_s)}\u00a0s", BREAK, f"frame {p.still.frame}"],
            )
            for p in pictures
        ),
        7,
        [strong(f"Stills {first} to {last}. "), phrases.told(what)],
    )
