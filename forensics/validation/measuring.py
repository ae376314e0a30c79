"""Scores against labels: areas under the ROC curve beside container facts alone, false alarms, clips one by one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from forensics import pipeline, statistics
from forensics.analysis import ANALYSES
from forensics.method import describe
from forensics.report.record import dumps, methods, software
from forensics.validation.alarms import false_alarms
from forensics.validation.calibrating import learned
from forensics.validation.confounds import measured
from forensics.validation.copying import Copied
from forensics.validation.examining import Result, container_facts
from forensics.validation.settings import Settings
from forensics.validation.tables import AUTHENTIC

SCHEMA = "forensics-validation-3"


def measure(results: Sequence[Result], settings: Settings, copied: Sequence[Copied] = ()) -> dict[str, Any]:
    """All figures as plain values: what ``validation.json`` holds. ``copied``: copies, where they were asked for."""
    questions = list(dict.fromkeys(q for r in results for q in r.answers or ()))
    compared = [c for q in questions for c in comparisons(results, q, settings)]
    confounds = measured(copied, results, compared, settings) if settings.copies else None
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
                "comparisons": compared,
                "pairs": learned(results, settings, confounds),
            }
            | ({"confounds": confounds} if confounds else {})
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


def comparisons(results: Sequence[Result], question: str, settings: Settings) -> list[dict[str, Any]]:
    """The question's score in each class against the authentic recordings: all, by generator, condition, weak label."""
    rows = []
    for label in sorted({r.recording.label for r in results} - {AUTHENTIC}):
        for by, name, h1, authentic in sides(results, label):
            row = {"question": question, "class": label, "by": by, "name": name}
            rows.append(row | _compare(h1, authentic, question, settings, listed=by in ("all", "generator")))
    return rows


def sides(results: Sequence[Result], label: str) -> list[tuple[str, str, list[Result], list[Result]]]:
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
        name: {"recordings": len(members), **counts(members, question)}
        for name, members in (("h1", h1), (AUTHENTIC, authentic))
    }
    figures: dict[str, Any] = {"auc": None, "facts_alone": None, "with_score": None, "gain": None}
    why = "no score" if not scored else too_few(sides, settings)
    if not why:
        figures = _figures(scored, question, settings)
    clips = _one_by_one(h1, authentic, question) if scored and why and listed else []
    directions = sorted({r.answers[question].direction for r in scored if r.answers})
    return {**sides, "score_direction": directions, "why_no_figure": why, **figures, "clips": clips}


def counts(members: Sequence[Result], question: str) -> dict[str, Any]:
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


def too_few(sides: Mapping[str, Mapping[str, Any]], settings: Settings) -> str:
    """Why there is no figure, in words; "" where both classes have enough."""
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
        "auc": statistics.auc(scores, *drawn).as_json(),
        "facts_alone": statistics.auc(alone, *drawn).as_json(),
        "with_score": statistics.auc(both, *drawn).as_json(),
        "gain": statistics.paired_comparison(both, alone, *drawn).as_json(),
    }


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
