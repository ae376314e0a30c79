"""From a score to a strength of evidence, by a calibration that the analyst named; or to the reasons for none.

At most one ratio for each pair of propositions and person: by the first model of the file whose scores were all
assessed, a choice blind to the scores. What could not be assessed has no ratio, not a ratio of 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy

from forensics.calibration import bounds, envelope, file
from forensics.calibration.propositions import PAIR_OF, PAIRS, Pair
from forensics.calibration.scale import words
from forensics.errors import CaseError
from forensics.finding import Finding, Strength, Withheld
from forensics.method import Method, describe, setting
from forensics.text import for_json
from forensics.weights import table

Reason = tuple[str, str]


def _fingerprint(text: str) -> str:
    return f"SHA-256 of its text {hashlib.sha256(text.encode()).hexdigest()}" if text else "none"


@dataclass(frozen=True)
class Settings:
    text: str = setting("", "1", "the calibration named (--calibration); none: no likelihood ratio", _fingerprint)
    language: str = setting("", "1", "of the speech, as the analyst tells it (--language)")
    opened: str = setting("", "1", "day on which expiry is judged; none: the day the case was opened")


def weighed(
    findings: Sequence[Finding],
    clip: Mapping[str, Any],
    steps: Mapping[str, Mapping[str, Any]],
    model_sha256: str,
    settings: Settings,
) -> list[Finding]:
    """The findings with their strengths. ``clip``: as in findings.json; ``steps``: ``parts`` of what all share."""
    text = settings.text
    values = file.parse(text)
    stamp = for_json(str(values.get("stamp", "")))
    reasons = unfit(text, values) or _file(values, clip, steps, model_sha256, settings)
    groups: dict[tuple[str, str | None], list[Finding]] = {}
    for finding in findings:
        if finding.question in PAIR_OF and finding.score is not None:
            groups.setdefault((PAIR_OF[finding.question], finding.person), []).append(finding)
    plain = [finding.as_json() for finding in findings]
    strengths: dict[int, Strength | Withheld] = {}
    for (name, person), group in groups.items():
        told = _Told(PAIRS[name], for_json(str(values.get("sha256", ""))), stamp)
        here = envelope.conditions(clip, plain, person)
        given = {f.question: told.withheld(*reasons) for f in group} if reasons else _group(group, values, told, here)
        strengths |= {id(f): given[f.question] for f in group}
    return [replace(f, strength=strengths.get(id(f))) for f in findings]


def about(text: str) -> dict[str, Any]:
    """What ``findings.json`` says of the calibration that was named."""
    values = file.parse(text)
    kept = {key: for_json(str(values.get(key, ""))) for key in ("stamp", "expires", "sha256")}
    return kept | {"whole": not unfit(text, values)}


def part(method: Mapping[str, Any] | Method, settings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Name, version and settings of a step or an analysis: what a score must have in common with its calibration."""
    known = vars(method) if isinstance(method, Method) else method
    chosen = {row["name"]: list(row["value"]) if isinstance(row["value"], tuple) else row["value"] for row in settings}
    return {"name": known["name"], "version": known["version"], "settings": chosen}


def ratio(model: Mapping[str, Any], scores: np.ndarray) -> tuple[float, float]:
    """log10 LR of a model at these scores (d,), not yet held within its bounds, and its standard deviation."""
    x = np.concatenate([[1.0], (scores - model["mean"]) / model["spread"]])
    return float(x @ model["coefficients"]), float(np.sqrt(max(0.0, x @ np.array(model["covariance"]) @ x)))


# -- the file as a whole -----------------------------------------------------------------------------------------------


def unfit(text: str, values: Mapping[str, Any]) -> list[Reason]:
    """Why a calibration file is not what ``forensics validate`` wrote; empty where it is."""
    try:
        untouched = text == file.sealed({k: v for k, v in values.items() if k != "sha256"})
    except ValueError:  # not a number
        untouched = False
    if not untouched:
        return [("calibration_edited", "The calibration file is not as it was made: its SHA-256 is another.")]
    import jsonschema  # slow to import: a report without a calibration needs none of it

    schema = jsonschema.Draft202012Validator(table("calibration.schema"))
    if not schema.is_valid(values) or not all(_shaped(m) for p in values["pairs"].values() for m in p["models"]):
        return [("calibration_foreign", "The calibration file was not made by this version of the software.")]
    return []


def _shaped(model: Mapping[str, Any]) -> bool:
    """Its arrays fit each other, hold numbers that can be counted with, and its bounds can be earned with its n."""
    d = len(model["questions"])
    sizes = [len(model["mean"]), len(model["spread"]), len(model["coefficients"]) - 1]
    square = [len(row) - 1 for row in (model["covariance"], *model["covariance"])]
    numbers = [
        *model["mean"],
        *model["spread"],
        *model["coefficients"],
        *(v for row in model["covariance"] for v in row),
    ]
    low, high = model["bounds"]
    earned = -bounds.farthest(model["n_h1"]) <= low <= 0 <= high <= bounds.farthest(model["n_h2"])
    return (
        earned
        and {*sizes, *square} == {d}
        and max(map(abs, numbers)) < 1e100
        and set(model["questions"]) == set(model["parts"])
    )


def _file(
    values: Mapping[str, Any],
    clip: Mapping[str, Any],
    steps: Mapping[str, Mapping[str, Any]],
    model_sha256: str,
    settings: Settings,
) -> list[Reason]:
    reasons: list[Reason] = []
    expires = values["expires"]
    try:
        expired = file.day(settings.opened) > file.day(expires)
    except CaseError:
        expired = True
    if expired:
        reasons.append(
            ("calibration_expired", f"The calibration was good until {expires}, before the case was opened.")
        )
    differing = [name for name, known in values["steps"].items() if not same(known, steps.get(name))]
    if values["model_sha256"] != model_sha256:
        differing.append("face model")
    if differing:
        reasons.append(_foreign(differing))
    if languages := values["languages"]:
        known = ", ".join(languages)
        if not settings.language:
            reasons.append(
                ("language_not_told", f"The language was not told (--language); the calibration has heard {known}.")
            )
        elif settings.language not in languages:
            reasons.append(
                ("language_other", f"The language told is {settings.language}; the calibration has heard {known}.")
            )
    if clip["sha256"] in values["data"]:
        reasons.append(("in_calibration_data", "This very recording is one of those the calibration was learned from."))
    return reasons


def same(known: Mapping[str, Any], here: Mapping[str, Any] | None) -> bool:
    """A ``part`` in the name, version and settings of another."""
    return here is not None and all(known[key] == here[key] for key in ("name", "version", "settings"))


def _foreign(names: Sequence[str]) -> Reason:
    return (
        "calibration_foreign",
        f"The calibration was made with another version or other settings of: {', '.join(names)}.",
    )


# -- one pair of propositions, one person ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Told:
    """What stands beside every answer on a pair."""

    pair: Pair
    sha256: str
    stamp: str

    def withheld(self, *reasons: Reason) -> Withheld:
        return Withheld(self.pair.name, self.pair.h1, self.pair.h2, reasons, self.sha256, self.stamp)


def _group(
    group: Sequence[Finding], values: Mapping[str, Any], told: _Told, here: Mapping[str, float | None]
) -> dict[str, Strength | Withheld]:
    """By question: the strength, under the first question of the model used, and why the others have none."""
    by_question = {f.question: f for f in group}
    pair = values["pairs"].get(told.pair.name)
    if pair is None or not pair["models"]:
        why = " ".join(pair["why_not"]) if pair else "It holds nothing of them."
        reason = ("not_calibrated", f"The calibration gives no ratio for these propositions. {why}".rstrip())
        return dict.fromkeys(by_question, told.withheld(reason))
    if (pair["h1"], pair["h2"]) != (told.pair.h1, told.pair.h2):
        return dict.fromkeys(by_question, told.withheld(_foreign(["propositions"])))
    model = next((m for m in pair["models"] if set(m["questions"]) <= by_question.keys()), None)
    if model is None:
        needed = " or ".join(" with ".join(m["questions"]) for m in pair["models"])
        return dict.fromkeys(
            by_question, told.withheld(("score_missing", f"The calibration needs the scores of {needed}."))
        )
    first = model["questions"][0]
    if reasons := _model(model, by_question, here):
        return dict.fromkeys(by_question, told.withheld(*reasons))
    once = f"The ratio for these propositions is given under {first}: a second one would count the same twice."
    others = dict.fromkeys(by_question, told.withheld(("counted_once", once)))
    return {**others, first: _strength(model, by_question, values["scale"], told)}


def _model(model: Mapping[str, Any], findings: Mapping[str, Finding], here: Mapping[str, float | None]) -> list[Reason]:
    differing = []
    for question in model["questions"]:
        known, finding = model["parts"][question], findings[question]
        own = part(finding.method, describe(finding.settings))
        if not same(known, own) or known["score_direction"] != finding.score_direction:
            differing.append(question)
    reasons = [_foreign(differing)] if differing else []
    return reasons + [("outside_envelope", sentence) for sentence in envelope.outside(model["envelope"], here)]


def _strength(
    model: Mapping[str, Any], findings: Mapping[str, Finding], scale: Mapping[str, Any], told: _Told
) -> Strength:
    """The model at these scores: its value and interval, both held within the bounds."""
    value, spread = ratio(model, np.array([findings[q].score for q in model["questions"]], float))
    reach = float(scipy.stats.norm.ppf((1 + model["level"]) / 2)) * spread
    low, middle, high = (
        round(float(v), 2) + 0.0 for v in np.clip([value - reach, value, value + reach], *model["bounds"])
    )
    return Strength(
        pair=told.pair.name,
        h1=told.pair.h1,
        h2=told.pair.h2,
        questions=tuple(model["questions"]),
        log10_lr=middle,
        low=low,
        high=high,
        level=model["level"],
        words=words(low, high, told.pair.h1, told.pair.h2, scale),
        bound=tuple(model["bounds"]),
        n_h1=model["n_h1"],
        n_h2=model["n_h2"],
        units_h1=model["units_h1"],
        units_h2=model["units_h2"],
        scale=for_json(scale["name"]),
        calibration_sha256=told.sha256,
        stamp=told.stamp,
    )
