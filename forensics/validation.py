"""How well do the scores tell recordings of known history apart, and how often is an untouched one marked?

A table of recordings goes in (file, label, person, group, generator, condition), ``pipeline.examine`` answers for each,
and every question's score is compared between a class and the authentic recordings: area under the ROC curve with its
interval over persons, beside that of *container facts alone* (picture rate, height, bit rate, face height), and what
the score adds to them, cross-fitted on the same folds. A score that adds nothing has told nothing of face or voice.

Rules that the figures keep: the unit is the person and group, never the frame; what was not assessed is counted and
never scored; a figure stands only where both classes have enough recordings and persons, else the clips stand one by
one; weak labels stand apart. ``validation.json`` and ``validation.md`` are functions of the recordings, the software
and the settings: they hold no clock, host or path.

Not to be trusted as casework error rates unless the table's recordings are like those of the case.
"""

from __future__ import annotations

import csv
import functools
import hashlib
import io
import json
import os
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from forensics import custody, naming, pipeline, statistics
from forensics.analysis import ANALYSES
from forensics.case import Case, canonical, write
from forensics.clip import hashes, opened
from forensics.errors import CaseError, ForensicsError, MediaError
from forensics.finding import ASSESSED
from forensics.method import describe, setting
from forensics.report.record import dumps, findings_json, methods, software
from forensics.statistics import Estimate
from forensics.text import for_markdown

SCHEMA = "forensics-validation-1"
AUTHENTIC = "authentic"
CRASHED = "CRASHED"  # begins the code of a recording on which the software itself failed
#: Facts of the container and the picture's scale that a classifier could live on (PICTURE), or of a sound file (SOUND).
PICTURE_FACTS = ("mean_fps", "height_px", "bit_rate", "face_height_px")
SOUND_FACTS = ("bit_rate", "sound_rate_hz")
#: Questions that have a published range, so that something in their findings can be `unusual` at all.
MARKABLE = ("blink.rate",)
#: Columns of a table, and other names under which they are known.
COLUMNS = {"file": "path", "weak": "label_is_weak"}


@dataclass(frozen=True)
class Settings:
    resamples: int = setting(statistics.RESAMPLES, "1", "Efron & Tibshirani 1993: 1000 and more for intervals")
    folds: int = setting(10, "1", "usual; fewer where a class has fewer units")
    seed: int = setting(0, "1", "any: the draws are repeatable, not chosen")
    least_recordings: int = setting(10, "1", "own rule: below, a rate of either class is mostly chance")
    least_speakers: int = setting(5, "1", "own rule, counted as units: persons of one group are not independent")


class TableError(ForensicsError):
    """The table of recordings cannot be used as it is."""

    def __init__(self, line: int | None, sentence: str, next_step: str):
        place = "" if line is None else f"Line {line}: "
        super().__init__("E_TABLE", place + sentence, next_step)


@dataclass(frozen=True)
class Recording:
    """One row of the table. ``label``: ``authentic`` or the class's name; ``weak``: why the label is doubtful."""

    file: str  # under the root, with /
    label: str
    person: str
    group: str = ""
    generator: str = ""
    condition: str = ""
    weak: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Answer:
    """What one question got from one recording, of the person that was covered longest: a choice blind to the score."""

    assessed: bool
    score: float | None
    direction: str
    reasons: tuple[str, ...]
    unusual: bool  # of any person
    persons: int


@dataclass(frozen=True)
class Result:
    """A recording, examined or refused with its ``code``."""

    recording: Recording
    unit: int
    code: str = ""
    sha256: str = ""
    facts: Mapping[str, float | None] | None = None
    answers: Mapping[str, Answer] | None = None

    @property
    def authentic(self) -> bool:
        return self.recording.label == AUTHENTIC

    def score(self, question: str) -> float | None:
        answer = (self.answers or {}).get(question)
        return answer.score if answer and answer.assessed else None


# -- the table -------------------------------------------------------------------------------------------------------


def read_table(path: Path) -> list[Recording]:
    """Recordings of a table of comma- or tab-separated values with a header, in its order.

    Needs the columns file (or path), label and person; knows group, generator, condition, weak (or label_is_weak) and
    sha256; leaves others alone. Raises TableError with the line at fault.
    """
    try:
        text = Path(path).read_text("utf-8-sig")
    except OSError as error:
        raise TableError(None, f"The table cannot be read ({error.strerror}).", "Name a file.") from error
    except UnicodeDecodeError as error:
        raise TableError(None, "The table is not UTF-8 text.", "Save it as UTF-8 text, not as a workbook.") from error
    lines = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in text.partition("\n")[0] else ",")
    header = [name.strip() for name in next(lines, [])]
    places = {f.name: _place(header, f.name) for f in fields(Recording)}
    if missing := [name for name in ("file", "label", "person") if places[name] is None]:
        raise TableError(1, f"There is no column {' and no column '.join(missing)}.", "Add it to the first line.")
    found: dict[str, Recording] = {}
    for cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise TableError(
                lines.line_num, f"It has {len(cells)} cells, the first line {len(header)}.", "Complete the line."
            )
        row = Recording(**{name: cells[at].strip() for name, at in places.items() if at is not None})
        _check(row, lines.line_num, found)
        found[row.file] = row
    if not found:
        raise TableError(None, "The table has no recording.", "Add a line for each recording.")
    return list(found.values())


def _place(header: Sequence[str], name: str) -> int | None:
    return next((header.index(known) for known in (name, COLUMNS.get(name)) if known in header), None)


def _check(row: Recording, line: int, before: Mapping[str, Recording]) -> None:
    for name in ("file", "label", "person"):
        if not getattr(row, name):
            raise TableError(line, f"The {name} is empty.", "Fill it in: splits need to know who speaks.")
    if row.file in before:
        raise TableError(line, "This file stands in an earlier line too.", "Keep one line a file.")
    if row.file.startswith("/") or ".." in PurePosixPath(row.file).parts:
        raise TableError(line, "The file is not named from the root on.", "Name it from --root on, without .. in it.")


# -- examining -------------------------------------------------------------------------------------------------------


def validate(
    recordings: Sequence[Recording],
    root: Path,
    out: Path,
    cases: Path | None = None,
    settings: Settings | None = None,
    told: Callable[[int, Result], None] = lambda number, result: None,
) -> dict[str, Any]:
    """Examine all ``recordings`` under ``root``, write validation.json and validation.md into ``out``.

    Each has a case in the folder ``cases`` (``out/cases`` if None), where it is not run again while neither its bytes
    nor the software change. ``told`` is called with each result's number.
    """
    settings = settings or Settings()
    ordered = sorted(recordings, key=lambda r: r.file)  # the order of lines changes no fold
    _check_place(out, [root / r.file for r in ordered])
    unit = statistics.units([r.person for r in ordered], [r.group for r in ordered])
    results = []
    for number, (recording, name) in enumerate(zip(ordered, case_names(ordered), strict=True)):
        result = _result(recording, int(unit[number]), root, (cases or out / "cases") / name)
        results.append(result)
        told(number + 1, result)
    validation = measure(results, settings)
    write(out / "validation.json", dumps(validation))
    write(out / "validation.md", markdown(validation))
    return validation


def _check_place(out: Path, evidence: Iterable[Path]) -> None:
    place = Path(os.path.realpath(out))
    for home in {Path(os.path.realpath(path)).parent for path in evidence}:
        if place == home or place in home.parents:
            raise CaseError(
                "E_CASE_PLACE", "The folder named holds recordings of the table.", "Name another with --out."
            )


def case_names(recordings: Sequence[Recording]) -> list[str]:
    """Name of each recording's case: its file's stem, with a digest where two files share one."""
    stems = [PurePosixPath(r.file).stem for r in recordings]
    often = Counter(stems)
    return [
        stem if often[stem] == 1 else f"{stem}-{hashlib.sha256(r.file.encode()).hexdigest()[:8]}"
        for stem, r in zip(stems, recordings, strict=True)
    ]


def _result(recording: Recording, unit: int, root: Path, folder: Path) -> Result:
    try:
        document = examined(root / recording.file, folder, recording.sha256)
    except OSError:
        raise  # the disk, not the recording
    except ForensicsError as error:
        return Result(recording, unit, error.code)
    except Exception as error:  # a defect of ours: one row of the table, not the end of the run
        traceback.print_exc()
        return Result(recording, unit, f"{CRASHED} {type(error).__name__}")
    return Result(recording, unit, "", document["clip"]["sha256"], facts(document), answers(document))


def examined(path: Path, folder: Path, sha256: str = "") -> dict[str, Any]:
    """``findings.json`` of a recording: from its case where this very software left it there, else made and kept.

    A case of ``forensics report`` saves the looking: its observation is taken, its findings are made again.
    Raises MediaError ``E_OTHER_FILE`` where the file is not the one of the ``sha256`` given, CaseError where an analyst
    named faces in the case: figures are about the software alone.
    """
    with opened(path) as fd:
        digest, _ = hashes(fd)
    if sha256 not in ("", digest):
        raise MediaError("E_OTHER_FILE", "The file's SHA-256 is not the table's.", "Find the file, or mend the table.")
    stored = folder / "findings.json"
    with Case(folder, path) as case:
        if naming.names_in(case.state()):
            raise CaseError("E_CASE_NAMED", "Faces were named in this case.", "Give another folder with --cases.")
        with suppress(FileNotFoundError):
            content = stored.read_bytes()
            if case.state().get("validated") == _mark(digest, content):
                return json.loads(content)
        with case.run("validate"):
            document = findings_json(pipeline.examine(case))
            content = dumps(document).encode()
            write(stored, content)
            outputs = {stored.name: hashlib.sha256(content).hexdigest()}
            case.log("validated", {"run": "validated", "validated": _mark(digest, content)}, outputs=outputs)
    return document


def _mark(evidence_sha256: str, findings: bytes) -> dict[str, str]:
    """What findings depend on, and their own hash: any change of the package's files makes them anew."""
    return {
        "evidence_sha256": evidence_sha256,
        "software_sha256": _software_sha256(),
        "findings_sha256": hashlib.sha256(findings).hexdigest(),
    }


@functools.cache
def _software_sha256() -> str:
    package = custody.package_sha256(Path(__file__).parent)
    return hashlib.sha256(canonical([package, pipeline.versions()]).encode()).hexdigest()


def facts(document: Mapping[str, Any]) -> dict[str, float | None]:
    """Container facts and the height of the face seen longest; None = not there."""
    clip = document["clip"]
    seen = max(clip["tracks"], key=lambda track: track["pictures"], default=None)
    return {
        "mean_fps": clip["mean_fps"],
        "height_px": clip["height"],
        "bit_rate": round(8 * clip["size_bytes"] / clip["duration_s"]) if clip["duration_s"] else None,
        "face_height_px": seen and seen["median_face_height_px"],
        "sound_rate_hz": clip["sound_rate_hz"],
    }


def answers(document: Mapping[str, Any]) -> dict[str, Answer]:
    """The answer to each question of a ``findings.json``."""
    found = {}
    for question in dict.fromkeys(f["question"] for f in document["findings"]):
        asked = [f for f in document["findings"] if f["question"] == question]
        chosen = max(asked, key=lambda f: (f["state"] == ASSESSED, f["coverage"]))
        found[question] = Answer(
            chosen["state"] == ASSESSED,
            None if chosen["score"] is None else chosen["score"] + 0.0,  # -0.0 is 0
            chosen["score_direction"],
            tuple(chosen["reasons"]),
            any(item["unusual"] for f in asked for item in (*f["measurements"], *f["events"])),
            len(asked),
        )
    return found


# -- measuring -------------------------------------------------------------------------------------------------------


def measure(results: Sequence[Result], settings: Settings) -> dict[str, Any]:
    """All figures as plain values: what ``validation.json`` holds."""
    questions = list(dict.fromkeys(q for r in results for q in r.answers or ()))
    return json.loads(
        dumps(
            {
                "schema": SCHEMA,
                "software": software(pipeline.versions()),
                "methods": methods(pipeline.Settings()),
                "analyses": {
                    a.ANALYSIS: {
                        "method": vars(a.METHOD),
                        "settings": describe(getattr(pipeline.Settings(), a.ANALYSIS)),
                    }
                    for a in ANALYSES
                },
                "settings": describe(settings),
                "recordings": [_row(r) for r in results],
                "false_alarms": false_alarms(results, questions),
                "comparisons": [c for q in questions for c in comparisons(results, q, settings)],
            }
        )
    )


def _row(result: Result) -> dict[str, Any]:
    given = {name: value for name, value in asdict(result.recording).items() if name != "sha256"}
    return given | {
        "unit": result.unit,
        "refused": result.code,
        "sha256": result.sha256,
        "facts": result.facts,
        "answers": None if result.answers is None else {q: asdict(answer) for q, answer in result.answers.items()},
    }


def _estimate(estimate: Estimate | None) -> dict[str, Any] | None:
    """Rounded: other processors differ behind the fourth digit, and no interval here is as narrow."""
    if estimate is None:
        return None
    return {k: round(v, 4) + 0.0 if isinstance(v, float) else v for k, v in asdict(estimate).items()}


def false_alarms(results: Sequence[Result], questions: Sequence[str]) -> list[dict[str, Any]]:
    """How many authentic recordings are ``unusual``: by question and in any (None), by condition, weak labels apart."""
    return [
        {"by": by, "name": name, "question": question, **_alarms(members, question)}
        for by, name, members in _sets([r for r in results if r.authentic])
        for question in (None, *(q for q in questions if q in MARKABLE))
    ]


def _alarms(members: Sequence[Result], question: str | None) -> dict[str, Any]:
    """Marked among those in which the question, or any, was assessed; the rate is that of units."""
    by_unit: dict[int, list[bool]] = {}
    for r in members:
        asked = [a for q, a in (r.answers or {}).items() if question in (None, q) and (q in MARKABLE or a.unusual)]
        if any(a.assessed or a.unusual for a in asked):
            by_unit.setdefault(r.unit, []).append(any(a.unusual for a in asked))
    every = [unusual for unit in by_unit.values() for unusual in unit]
    rate = statistics.share(sum(any(unit) for unit in by_unit.values()), len(by_unit)) if by_unit else None
    return {"marked": sum(every), "assessed": len(every), "rate": _estimate(rate)}


def _sets(members: Sequence[Result]) -> list[tuple[str, str, list[Result]]]:
    """All of firm label, the same by condition, and those of weak labels by their reason."""
    firm = [r for r in members if not r.recording.weak]
    conditions = sorted({r.recording.condition for r in firm} - {""})
    weak = sorted({r.recording.weak for r in members} - {""})
    return [
        ("all", "", firm),
        *(("condition", c, [r for r in firm if r.recording.condition == c]) for c in conditions),
        *(("weak label", w, [r for r in members if r.recording.weak == w]) for w in weak),
    ]


def comparisons(results: Sequence[Result], question: str, settings: Settings) -> list[dict[str, Any]]:
    """The question's score in each class against the authentic recordings: all, by generator, condition, weak label."""
    rows = []
    for label in sorted({r.recording.label for r in results} - {AUTHENTIC}):
        for by, name, h1, authentic in _pairs(results, label):
            row = {"question": question, "class": label, "by": by, "name": name}
            rows.append(row | _compare(h1, authentic, question, settings, listed=by in ("all", "generator")))
    return rows


def _pairs(results: Sequence[Result], label: str) -> list[tuple[str, str, list[Result], list[Result]]]:
    """Named pairs of a class and the authentic recordings it is compared with.

    Where a condition knows one side alone, the other side is taken whole, and the name says so. A weak label's pair is
    the firm pair with the recordings of that doubt added: how far the figure hangs on them.
    """
    every = [[r for r in results if r.recording.label == side] for side in (label, AUTHENTIC)]
    firm = [[r for r in members if not r.recording.weak] for members in every]
    pairs = [("all", "", firm[0], firm[1])]
    for generator in sorted({r.recording.generator for r in firm[0]} - {""}):
        pairs.append(("generator", generator, [r for r in firm[0] if r.recording.generator == generator], firm[1]))
    for condition in sorted({r.recording.condition for r in (*firm[0], *firm[1])} - {""}):
        here = [[r for r in members if r.recording.condition == condition] for members in firm]
        whole = "" if all(here) else f" (against all {label if not here[0] else AUTHENTIC})"
        pairs.append(("condition", condition + whole, here[0] or firm[0], here[1] or firm[1]))
    for weak in sorted({r.recording.weak for r in (*every[0], *every[1])} - {""}):
        added = [[r for r in members if r.recording.weak in ("", weak)] for members in every]
        pairs.append(("with weak labels", weak, added[0], added[1]))
    return pairs


def _compare(
    h1: Sequence[Result], authentic: Sequence[Result], question: str, settings: Settings, listed: bool
) -> dict[str, Any]:
    scored = [r for r in (*h1, *authentic) if r.score(question) is not None]
    sides = {
        name: {"recordings": len(members), **_counts(members, question)}
        for name, members in (("h1", h1), (AUTHENTIC, authentic))
    }
    figures: dict[str, Any] = {"auc": None, "facts_alone": None, "with_score": None, "gain": None}
    why = "no score" if not scored else _too_few(sides, settings)
    if not why:
        figures = _figures(scored, question, settings)
    clips = _one_by_one(h1, authentic, question) if scored and why and listed else []
    directions = sorted({r.answers[question].direction for r in scored if r.answers})
    return {**sides, "score_direction": directions, "why_no_figure": why, **figures, "clips": clips}


def _counts(members: Sequence[Result], question: str) -> dict[str, Any]:
    """How many were scored, assessed without a score, not assessed and why, or not examined and why."""
    asked = [r.answers[question] for r in members if r.answers is not None and question in r.answers]
    scored = [r for r in members if r.score(question) is not None]
    return {
        "scored": len(scored),
        "scored_units": len({r.unit for r in scored}),
        "without_score": sum(a.assessed and a.score is None for a in asked),
        "not_assessable": sum(not a.assessed for a in asked),
        "reasons": dict(sorted(Counter(code for a in asked for code in a.reasons).items())),
        "refused": dict(sorted(Counter(r.code for r in members if r.code).items())),
    }


def _too_few(sides: Mapping[str, Mapping[str, Any]], settings: Settings) -> str:
    for side in sides.values():
        if side["scored"] < settings.least_recordings or side["scored_units"] < settings.least_speakers:
            return f"fewer than {settings.least_recordings} recordings or {settings.least_speakers} speakers of a class"
    return ""


def _figures(scored: Sequence[Result], question: str, settings: Settings) -> dict[str, Any]:
    labels = np.array([not r.authentic for r in scored])
    units = np.array([r.unit for r in scored])
    scores = np.array([r.score(question) for r in scored], float)
    about = container_facts(scored)
    fold = statistics.folds(units, labels, settings.folds, settings.seed)
    alone, both = (
        statistics.cross_fit(statistics.logistic, features, labels, units, fold)
        for features in (about, np.column_stack([about, scores]))
    )
    drawn = (labels, units, settings.resamples, settings.seed)
    return {
        "auc": _estimate(statistics.auc(scores, *drawn)),
        "facts_alone": _estimate(statistics.auc(alone, *drawn)),
        "with_score": _estimate(statistics.auc(both, *drawn)),
        "gain": _estimate(statistics.paired_comparison(both, alone, *drawn)),
    }


def container_facts(results: Sequence[Result]) -> np.ndarray:
    """Features (n, d) of the control: logarithms, as sizes and rates differ by factors; NaN = not there."""
    known = [r.facts or {} for r in results]
    names = PICTURE_FACTS if any(f.get("height_px") for f in known) else SOUND_FACTS
    return np.log(np.array([[f.get(name) or np.nan for name in names] for f in known], float))


def _one_by_one(h1: Sequence[Result], authentic: Sequence[Result], question: str) -> list[dict[str, Any]]:
    """Each recording's score and how many authentic ones of other units score lower; None where it has no score."""
    others = [(s, r.unit) for r in authentic if (s := r.score(question)) is not None]
    rows = []
    for r in h1:
        score, answer = r.score(question), (r.answers or {}).get(question)
        compared = [s for s, unit in others if unit != r.unit]
        rows.append(
            {
                "file": r.recording.file,
                "score": score,
                "lower": None if score is None else sum(s < score for s in compared),
                "of": len(compared),
                "reasons": [r.code] if r.code else list(answer.reasons) if answer else [],
            }
        )
    return rows


# -- in words --------------------------------------------------------------------------------------------------------


def text(estimate: Mapping[str, Any] | None, scale: float = 1.0, digits: int = 3) -> str:
    """An estimate in figures: ``0.970 [0.943, 0.992]``, a one-sided bound as ``≤`` or ``≥``."""
    if estimate is None:
        return "–"
    value, low, high = (
        None if estimate[k] is None else f"{scale * estimate[k]:.{digits}f}".replace("-", "−")
        for k in ("value", "low", "high")
    )
    if low is None and high is None:
        return f"{value} (no interval)"
    if low is None or high is None:
        return f"{value} ({'≤ ' + str(high) if low is None else '≥ ' + str(low)}, one-sided)"
    return f"{value} [{low}, {high}]"


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    return ["| " + " | ".join(map(str, cells)) + " |" for cells in (header, ["---"] * len(header), *rows)]


def markdown(validation: Mapping[str, Any]) -> str:
    """``validation.md``: arranges what ``validation.json`` holds."""
    questions = list(dict.fromkeys(c["question"] for c in validation["comparisons"]))
    lines = [
        "# Scores on recordings of known history",
        "",
        *_about(validation),
        "",
        "## Authentic recordings with anything `unusual`",
        "",
        "Over units, so that copies and persons with many recordings narrow nothing: two-sided 95 % Clopper-Pearson; "
        "after none, the one-sided 95 % upper bound 1-0.05^(1/n).",
        "",
        *_alarm_lines(validation["false_alarms"]),
    ]
    for question in questions:
        lines += [
            "",
            f"## {question}",
            "",
            *_question_lines([c for c in validation["comparisons"] if c["question"] == question]),
        ]
    refused = [
        (for_markdown(r["file"]), for_markdown(r["label"]), r["refused"])
        for r in validation["recordings"]
        if r["refused"]
    ]
    lines += ["", "## Refused", "", *(_table(("file", "label", "code"), refused) if refused else ["None."])]
    return "\n".join(lines) + "\n"


def _about(validation: Mapping[str, Any]) -> list[str]:
    counts: dict[str, list[dict[str, Any]]] = {}
    for row in validation["recordings"]:
        counts.setdefault(row["label"], []).append(row)
    rows = [
        (
            for_markdown(label),
            len(members),
            len({m["unit"] for m in members}),
            sum(bool(m["weak"]) for m in members),
            sum(bool(m["refused"]) for m in members),
        )
        for label, members in sorted(counts.items())
    ]
    chosen = {s["name"]: s["value"] for s in validation["settings"]}
    return [
        *_table(("class", "recordings", "units (persons and groups)", "of weak label", "refused"), rows),
        "",
        "AUC: share of pairs in which the class's score is higher than the authentic one's, 0.5 = no difference; "
        "two-sided 95 % intervals over units, which do not hold the fits' own uncertainty; where all pairs agree, a "
        "one-sided 95 % bound. Facts alone: picture rate, height, bit rate and face height (of sound files: bit rate "
        "and sampling rate) in a logistic regression fitted without the recording's person and group, "
        f"{chosen['folds']} folds; under 0.5 it tells no more than at 0.5. Gain: what the score adds to the facts, on "
        "the same recordings and folds. A figure needs "
        f"{chosen['least_recordings']} recordings and {chosen['least_speakers']} units of both classes; otherwise the "
        "recordings stand one by one. Not assessable is counted and never scored. Weak labels are in no figure but "
        "those that name them. Results relate to these recordings only.",
    ]


def _alarm_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every question over all, and any question in each condition; the rest stands in validation.json."""
    return _table(
        ("authentic recordings", "question", "marked / assessed", "units", "units with a mark, %"),
        [
            (
                _named(row),
                row["question"] or "any",
                f"{row['marked']}/{row['assessed']}",
                row["rate"]["n"] if row["rate"] else 0,
                text(row["rate"], 100, 1),
            )
            for row in rows
            if row["by"] == "all" or row["question"] is None
        ],
    )


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['by']} {for_markdown(row['name'])}".strip()


def _question_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    directions = sorted({d for row in rows for d in row["score_direction"]})
    if not directions:
        return ["No recording has a score: this question gives facts, or was not assessable."]
    lines = ["Score: " + "; ".join(d or "no direction given" for d in directions) + ".", ""]
    lines += _table(
        (
            *("class", "recordings", "scored (units)", "not assessable"),
            *("authentic scored (units)", "authentic not assessable"),
            *("AUC", "the class scores", "facts alone", "facts and score", "gain"),
        ),
        [
            (
                for_markdown(row["class"]),
                _named(row),
                *_scored(row["h1"]),
                *_scored(row[AUTHENTIC]),
                text(row["auc"]),
                _side(row["auc"]),
                *(text(row[figure]) for figure in ("facts_alone", "with_score", "gain")),
            )
            for row in rows
            if row["auc"] or row["by"] in ("all", "generator")
        ],
    )
    lines += ["", "Conditions and weak labels too few for a figure stand in validation.json."]
    apart: dict[str, tuple[str, Any]] = {}
    for row in rows:
        for clip in row["clips"]:
            apart.setdefault(clip["file"], (row["class"], clip))
    if apart:
        lines += ["", "One by one, where too few for a figure:", ""]
        lines += _table(
            ("class", "file", "score", "authentic ones of other units below"),
            [
                (
                    for_markdown(label),
                    for_markdown(file),
                    c["score"] if c["score"] is not None else "– " + ", ".join(c["reasons"]),
                    "" if c["score"] is None else f"{c['lower']}/{c['of']}",
                )
                for file, (label, c) in sorted(apart.items())
            ],
        )
    return lines


def _scored(side: Mapping[str, Any]) -> tuple[str, str]:
    refused = sum(side["refused"].values())
    return (
        f"{side['scored']} ({side['scored_units']})",
        f"{side['not_assessable']}/{side['recordings']}" + (f", refused {refused}" if refused else ""),
    )


def _side(auc: Mapping[str, Any] | None) -> str:
    """On which side the class scores, as far as the interval tells."""
    if auc is None:
        return ""
    low, high = (auc["low"] or 0.0), (1.0 if auc["high"] is None else auc["high"])
    return "higher" if low > 0.5 else "lower" if high < 0.5 else "not told apart"
