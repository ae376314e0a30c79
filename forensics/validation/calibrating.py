"""Which pair of propositions earns a likelihood ratio on these recordings, by which scores, within which bounds.

Of each pair: all its scores together and each alone, calibrated by logistic regression fitted without the recording's
person and group. A set of scores earns a ratio where, in that cross-fitting, Cllr's upper end lies below 1, over all
recordings, in each condition, and with each condition and each generator left out of the fits, wherever there are
enough recordings to tell; where the scores cost less beside container facts than these alone; and where, if copies
were made, they suffice to tell of each score that it does not move with encoding anew as far as with the class. What it
earns is held within ELUB. The common result at a few dozen recordings is that nothing is earned, and why.

Reference: Vergeer et al. 2016 (bounds); Morrison et al. 2021 (what a validation shows).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from forensics import statistics
from forensics.calibration import bounds, envelope, fusion, measures
from forensics.calibration.propositions import PAIRS, Pair
from forensics.statistics import Estimate
from forensics.validation.confounds import beside, moving, untried
from forensics.validation.examining import Result, container_facts
from forensics.validation.settings import Settings
from forensics.validation.tables import AUTHENTIC

_LN10 = float(np.log(10.0))


@dataclass(frozen=True)
class Scored:
    """Recordings of a pair of which all of ``questions`` have a score, in the order of the results."""

    questions: tuple[str, ...]
    results: tuple[Result, ...]
    settings: Settings

    @cached_property
    def scores(self) -> np.ndarray:
        """(n, d)."""
        return np.array([[r.score(q) for q in self.questions] for r in self.results], float)

    @cached_property
    def labels(self) -> np.ndarray:
        """(n,) True where H1 holds."""
        return np.array([not r.authentic for r in self.results], bool)

    @cached_property
    def units(self) -> np.ndarray:
        return np.array([r.unit for r in self.results])

    @cached_property
    def weights(self) -> np.ndarray:
        return measures.balanced(self.labels, self.units)

    @cached_property
    def fold(self) -> np.ndarray:
        return statistics.folds(self.units, self.labels, self.settings.folds, self.settings.seed)

    def enough(self, rows: np.ndarray | None = None) -> bool:
        """Recordings and units of both classes among ``rows`` suffice for a figure."""
        kept = np.ones(len(self.labels), bool) if rows is None else rows
        return all(
            (kept & side).sum() >= self.settings.least_recordings
            and len(set(self.units[kept & side].tolist())) >= self.settings.least_speakers
            for side in (self.labels, ~self.labels)
        )

    def ratios(self, left_out: np.ndarray | None = None) -> np.ndarray:
        """Cross-fitted log10 LR (n,)."""
        return fusion.cross_fitted(self.scores, self.labels, self.units, self.fold, left_out)

    def cost(self, ratios: np.ndarray, rows: np.ndarray) -> Estimate:
        """Cllr among ``rows`` with its interval over units; the fits' own uncertainty is not in it."""
        y, w, unit = self.labels[rows], self.weights[rows], self.units[rows]
        return _mean_cost(measures.costs(ratios[rows], y), y, w, unit, self.settings)


def _mean_cost(each: np.ndarray, y: np.ndarray, w: np.ndarray, unit: np.ndarray, settings: Settings) -> Estimate:
    """Mean over both classes of what each recording costs, or of a difference of two costs."""

    def value(drawn: np.ndarray) -> np.ndarray:
        h1, h2 = (_average(each[side], (drawn * w)[:, side]) for side in (y, ~y))
        return (h1 + h2) / 2

    low, high = statistics.bootstrap(value, unit, settings.resamples, settings.seed)
    n = len(set(unit.tolist()))
    return Estimate(
        float(value(np.ones((1, len(y))))[0]), low, high, len(y), n, f"two-sided 95 % bootstrap over {n} units"
    )


def _average(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    total = weights.sum(1)
    return np.divide(weights @ values, total, out=np.full(len(weights), np.nan), where=total > 0)


def learned(
    results: Sequence[Result], settings: Settings, confounds: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Each pair: how many recordings it has, and what came of each set of its scores. Weak labels take no part.

    ``confounds``: what copies showed, as ``confounds.measured`` gives it; None where none were asked for.
    """
    firm = [r for r in results if not r.recording.weak]
    return [_pair(pair, firm, settings, confounds) for pair in PAIRS.values()]


def _pair(
    pair: Pair, firm: Sequence[Result], settings: Settings, confounds: Mapping[str, Any] | None
) -> dict[str, Any]:
    own = [r for r in firm if r.recording.label in (pair.name, AUTHENTIC)]
    asked = tuple(q for q in pair.questions if any(r.score(q) is not None for r in own))
    sets = [asked] * (len(asked) > 1) + [(q,) for q in asked]
    return {
        "pair": pair.name,
        "h1": pair.h1,
        "h2": pair.h2,
        "recordings": {"h1": sum(not r.authentic for r in own), "h2": sum(r.authentic for r in own)},
        "models": [_model(pair, questions, own, settings, confounds) for questions in sets],
    }


def _model(
    pair: Pair,
    questions: tuple[str, ...],
    own: Sequence[Result],
    settings: Settings,
    confounds: Mapping[str, Any] | None,
) -> dict[str, Any]:
    kept = tuple(r for r in own if all(r.score(q) is not None for q in questions))
    data = Scored(questions, kept, settings)
    counts = {
        name: {"recordings": int(side.sum()), "units": len(set(data.units[side].tolist()))}
        for name, side in (("h1", data.labels), ("h2", ~data.labels))
    }
    model: dict[str, Any] = {"questions": list(questions), **counts}
    if not data.enough():
        few = f"Fewer than {settings.least_recordings} recordings or {settings.least_speakers} speakers of a class."
        return model | {"figures": None, "why_not": [few], "moves_with": _moves_with(data, confounds, None)}
    figures = _figures(data)
    known = [r.answers[questions[0]].conditions for r in kept if r.answers]
    seen = envelope.learned(known, data.labels, pair.conditions)
    moves = _moves_with(data, confounds, settings)
    why_not = _why_not(figures, seen, data) + [_confounded(row) for row in moves if row["how"] == "as_far"]
    why_not += [
        f"{question} has too few copies with an answer to tell whether it moves with encoding."
        for question in untried(confounds, questions)
    ]
    fitted = None if why_not else _fitted(data)
    return model | {"figures": figures, "envelope": seen, "why_not": why_not, "fitted": fitted, "moves_with": moves}


def _moves_with(data: Scored, confounds: Mapping[str, Any] | None, settings: Settings | None) -> list[dict[str, Any]]:
    """Of each score that moves with a kind of copy: its area there, and its own between the propositions."""
    rows = []
    for row in moving(confounds):
        if row["question"] not in data.questions:
            continue
        own = None
        if settings is not None:
            scores = data.scores[:, data.questions.index(row["question"])]
            own = statistics.auc(scores, data.labels, data.units, settings.resamples, settings.seed).as_json()
        how = "" if own is None else beside(row["auc"], own)
        rows.append({key: row[key] for key in ("question", "kind", "what", "auc")} | {"own": own, "how": how})
    return rows


def _confounded(row: Mapping[str, Any]) -> str:
    """Told of a score whose ratio is withheld for it.

    Facts of the container beside the scores do not stand for this control: they know bit rate and size, not how often
    and by what a recording was encoded.
    """
    return (
        f"{row['question']} moves with copies ({row['what']}; AUC {row['auc']['value']:.2f}) as far as with the class "
        f"(AUC {row['own']['value']:.2f}): a difference of encoders alone could make such scores."
    )


def _figures(data: Scored) -> dict[str, Any]:
    every = np.ones(len(data.labels), bool)
    ratios = data.ratios()
    parts = measures.cost(ratios, data.labels, data.weights)
    low, high = bounds.elub(ratios, data.labels, data.weights)
    alone, gain = _beside_facts(data)
    return {
        "cllr": data.cost(ratios, every).as_json(),
        "cllr_min": round(parts.discrimination, 4),
        "cllr_cal": round(parts.calibration, 4),
        "bounds": [round(low, 2) + 0.0, round(high, 2) + 0.0],
        "facts_alone": alone.as_json(),
        "gain": gain.as_json(),
        "misleading": {"h1": misleading(data, ratios, data.labels), "h2": misleading(data, ratios, ~data.labels)},
        "parts": _parts(data, ratios),
        "ratios": [
            {"file": r.recording.file, "h1": not r.authentic, "unit": r.unit, "log10_lr": round(float(v), 4) + 0.0}
            for r, v in zip(data.results, ratios, strict=True)
        ],
    }


def misleading(data: Scored, ratios: np.ndarray, side: np.ndarray) -> dict[str, Any]:
    """How many recordings of a class point the wrong way; the rate is that of units with any."""
    wrong = measures.misleading(ratios, data.labels)
    units, with_wrong = set(data.units[side].tolist()), set(data.units[side & wrong].tolist())
    return {
        "recordings": int(side.sum()),
        "misleading": int((side & wrong).sum()),
        "rate": statistics.share(len(with_wrong), len(units)).as_json(),
    }


def _beside_facts(data: Scored) -> tuple[Estimate, Estimate]:
    """Cllr of container facts alone, and by how much the scores beside them lower it, on the same folds."""
    facts = container_facts(data.results)
    costs = []
    for features in (facts, np.column_stack([facts, data.scores])):
        odds = statistics.cross_fit(statistics.logistic, features, data.labels, data.units, data.fold)
        costs.append(measures.costs(odds / _LN10, data.labels))
    alone, both = costs
    known = (data.labels, data.weights, data.units, data.settings)
    return _mean_cost(alone, *known), _mean_cost(alone - both, *known)


def _parts(data: Scored, ratios: np.ndarray) -> list[dict[str, Any]]:
    """Cllr of each generator and condition that has enough recordings: seen by the fits, and left out of them."""
    rows = []
    for by in ("generator", "condition"):
        names = np.array([getattr(r.recording, by) for r in data.results])
        for name in sorted(set(names.tolist()) - {""}):
            here = names == name
            tried = here.copy()
            for side in (data.labels, ~data.labels):
                if not (here & side).any():  # known of one class alone: against all of the other
                    tried |= side
            row = {"by": by, "name": name, "recordings": int(here.sum()), "seen": None, "left_out": None}
            if data.enough(tried):
                row["seen"] = data.cost(ratios, tried).as_json()
                without = data.ratios(here)
                if np.isfinite(without[tried]).all():
                    row["left_out"] = data.cost(without, tried).as_json()
            rows.append(row)
    return rows


def _why_not(figures: dict[str, Any], seen: dict[str, list[float] | None], data: Scored) -> list[str]:
    """Why no ratio is earned, in sentences; empty where it is."""
    told = []
    for question in data.questions:
        if n := sum(question in r.recording.fitted.split() for r in data.results):
            told.append(f"The weights behind {question} were fitted with {n} of these recordings: its scores flatter.")
    if figures["cllr"]["high"] >= 1:
        told.append(f"Cllr's upper end is {figures['cllr']['high']:.2f}, not below 1.")
    if figures["gain"]["low"] <= 0:
        told.append("The scores add nothing to container facts alone that these recordings could show.")
    for how, words in (("seen", "seen by the fits"), ("left_out", "left out of them")):
        ends = [row[how]["high"] for row in figures["parts"] if row[how]]
        if poor := sum(high >= 1 for high in ends):
            told.append(f"Cllr's upper end is not below 1 in {poor} of {len(ends)} conditions and generators {words}.")
    if figures["bounds"] == [0, 0]:
        told.append("The bounds of these recordings leave room for LR = 1 alone.")
    if shared := envelope.empty(seen):
        told.append(f"The classes share no range of: {', '.join(envelope.NAMES[name][0] for name in shared)}.")
    return told


def _fitted(data: Scored) -> dict[str, Any]:
    """The regression on all recordings, with the covariance of its coefficients over units."""
    fitted = fusion.fit(data.scores, data.labels, data.weights)
    spread = fusion.covariance(fitted, data.scores, data.labels, data.units, data.settings.refits, data.settings.seed)
    return {
        "mean": _digits(fitted.mean),
        "spread": _digits(fitted.spread),
        "coefficients": _digits(fitted.coefficients),
        "covariance": [_digits(row) for row in spread],
    }


def _digits(values: np.ndarray) -> list[float]:
    """Six significant figures: other processors differ far behind them."""
    return [float(f"{v:.6g}") for v in values]
