"""A calibration that is there already, tried on recordings it was not learned from: what its ratios cost there.

Its models are applied as a report would: within their bounds, to scores of the same versions and settings, inside the
envelope, to no recording of its own data. Expiry and language are for the case to judge, not for the trial.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from forensics.calibration import applying, envelope, file
from forensics.validation.calibrating import Scored, misleading
from forensics.validation.examining import Result
from forensics.validation.settings import Settings
from forensics.validation.tables import AUTHENTIC


def tried(results: Sequence[Result], text: str, settings: Settings) -> dict[str, Any]:
    """Of each model of the calibration ``text``: how many recordings it weighs, refuses and why, Cllr, misleading."""
    values = file.parse(text)
    reasons = [why for _, why in applying.unfit(text, values)]
    pairs = {} if reasons else values["pairs"]
    models = [
        {"pair": name, "questions": model["questions"], **_trial(name, model, values["data"], results, settings)}
        for name, pair in pairs.items()
        for model in pair["models"]
    ]
    return {**applying.about(text), "reasons": reasons, "models": models}


def _trial(
    name: str, model: Mapping[str, Any], data: Sequence[str], results: Sequence[Result], settings: Settings
) -> dict[str, Any]:
    questions = tuple(model["questions"])
    counts = dict.fromkeys(("not_scored", "in_calibration_data", "foreign", "outside_envelope"), 0)
    kept = []
    for r in results:
        if r.recording.weak or r.recording.label not in (name, AUTHENTIC):
            continue
        if why := _refused(r, questions, model, data):
            counts[why] += 1
        else:
            kept.append(r)
    rows = Scored(questions, tuple(kept), settings)
    weighed = {"h1": int(rows.labels.sum()), "h2": int((~rows.labels).sum())}
    if not kept or not rows.enough():
        return {"weighed": weighed, "refused": counts, "cllr": None, "misleading": None}
    ratios = np.clip([applying.ratio(model, scores)[0] for scores in rows.scores], *model["bounds"])
    wrong = {"h1": misleading(rows, ratios, rows.labels), "h2": misleading(rows, ratios, ~rows.labels)}
    cost = rows.cost(ratios, np.ones(len(kept), bool)).as_json()
    return {"weighed": weighed, "refused": counts, "cllr": cost, "misleading": wrong}


def _refused(r: Result, questions: Sequence[str], model: Mapping[str, Any], data: Sequence[str]) -> str:
    if any(r.score(q) is None for q in questions):
        return "not_scored"
    if r.sha256 in data:
        return "in_calibration_data"
    if not all(
        applying.same(model["parts"][q], r.parts.get(q))
        and model["parts"][q]["score_direction"] == r.parts[q]["score_direction"]
        for q in questions
    ):
        return "foreign"
    here = (r.answers or {})[questions[0]].conditions
    return "outside_envelope" if envelope.outside(model["envelope"], here) else ""
