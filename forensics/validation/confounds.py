"""Does a score tell an authentic recording that was encoded anew from the same one as it was?

If it does, classes of recordings that were encoded differently may differ by that alone. Each copy is compared with its
own original over the same part: how often it scores higher (sign test, Conover 1999, ch. 3), by how much, and the area
under the ROC curve of copies against originals, which is compared with that of each class against the authentic ones.
Both sides of 0.5 count alike: nobody knows which class was encoded how often.

Not to be trusted: for other encoders, rates and sizes than those made; of many intervals at 95 %, one in twenty leaves
out 0.5 by chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from forensics import statistics
from forensics.statistics import Estimate
from forensics.validation.alarms import counted
from forensics.validation.copying import Copied
from forensics.validation.examining import Result
from forensics.validation.settings import Settings


def measured(
    copied: Sequence[Copied], results: Sequence[Result], comparisons: Sequence[Mapping[str, Any]], settings: Settings
) -> dict[str, Any]:
    """Each kind of copy, and each score in it. ``comparisons``: of the classes, for how far their scores lie apart."""
    of_kind: dict[str, list[Copied]] = {}
    for one in copied:
        of_kind.setdefault(one.kind, []).append(one)
    originals = {one.original.recording.file: one.original for one in copied}
    questions = list(dict.fromkeys(q for r in originals.values() for q in r.answers or ()))
    spread = {q: _spread(results, q) for q in questions}
    classes = {q: [c for c in comparisons if c["question"] == q and c["by"] == "all" and c["auc"]] for q in questions}
    return {
        "recordings": [{"file": file, "unit": r.unit, "refused": r.code} for file, r in originals.items()],
        "originals": counted(list(originals.values())),
        "kinds": [_kind(own) for own in of_kind.values()],
        "scores": [
            _score(question, own, spread[question], classes[question], settings)
            for question in questions
            for own in of_kind.values()
            if any(one.original.score(question) is not None or one.copy.score(question) is not None for one in own)
        ],
    }


def _kind(own: Sequence[Copied]) -> dict[str, Any]:
    """How many copies there are of a kind, why others could not be examined, and in how many anything is unusual."""
    refused = Counter(one.copy.code for one in own if one.copy.code)
    head = {"kind": own[0].kind, "what": own[0].what, "copies": len(own), "refused": dict(sorted(refused.items()))}
    return head | {"unusual": counted([one.copy for one in own])}


def _spread(results: Sequence[Result], question: str) -> float | None:
    """Standard deviation of the score among all authentic recordings of firm label; None where they show none."""
    scores = [s for r in results if r.authentic and not r.recording.weak and (s := r.score(question)) is not None]
    return (float(np.std(scores, ddof=1)) or None) if len(scores) > 1 else None


def _score(
    question: str,
    own: Sequence[Copied],
    spread: float | None,
    classes: Sequence[Mapping[str, Any]],
    settings: Settings,
) -> dict[str, Any]:
    """One score in one kind of copy. ``spread``: its standard deviation among authentic recordings."""
    both = [(one, one.original.score(question), one.copy.score(question)) for one in own]
    pairs = [(one, before, after) for one, before, after in both if before is not None and after is not None]
    unit = np.array([one.copy.unit for one, _, _ in pairs])
    scores = np.array([[before, after] for _, before, after in pairs], float).reshape(-1, 2)
    enough = len(pairs) >= settings.least_recordings and len(set(unit.tolist())) >= settings.least_speakers
    auc = None
    if enough:
        labels, drawn = np.repeat([False, True], len(pairs)), (settings.resamples, settings.seed)
        auc = statistics.auc(scores.T.ravel(), labels, np.tile(unit, 2), *drawn).as_json()
    was, now = (
        [bool(r.answers and question in r.answers and r.answers[question].assessed) for r in side]
        for side in ([one.original for one in own], [one.copy for one in own])
    )
    return {
        "question": question,
        "kind": own[0].kind,
        "what": own[0].what,
        "copies": len(own),
        "pairs": len(pairs),
        "units": len(set(unit.tolist())),
        **_signs(scores[:, 1] - scores[:, 0], unit),
        "difference": _difference(scores[:, 1] - scores[:, 0], unit, spread, settings) if enough else None,
        "auc": auc,
        "lost": sum(before and not after for before, after in zip(was, now, strict=True)),
        "gained": sum(after and not before for before, after in zip(was, now, strict=True)),
        "classes": [{"class": c["class"], "auc": c["auc"], "how": beside(auc, c["auc"])} for c in classes],
        "each": [
            {"file": one.copy.recording.file, "original": before, "copy": after}
            for one, before, after in both
            if before is not None or after is not None
        ],
    }


def _signs(change: np.ndarray, unit: np.ndarray) -> dict[str, Any]:
    """Units whose copies score higher, lower or alike, by their mean change; the share of higher is without the alike.

    Two-sided also where none is higher: 0.5 is no effect, and either side of it is one.
    """
    means = [float(change[unit == u].mean()) for u in dict.fromkeys(unit.tolist())]
    higher, lower = sum(m > 0 for m in means), sum(m < 0 for m in means)
    n, share = higher + lower, None
    if n:
        exact = statistics.clopper_pearson(higher, n)
        share = Estimate(higher / n, *exact, n, n, "two-sided 95 % Clopper-Pearson").as_json()
    return {"higher": higher, "lower": lower, "same": len(means) - n, "share": share}


def _difference(
    change: np.ndarray, unit: np.ndarray, spread: float | None, settings: Settings
) -> dict[str, Any] | None:
    """Mean change of the score in standard deviations of the authentic recordings' scores."""
    if spread is None:
        return None

    def value(drawn: np.ndarray) -> np.ndarray:
        return (drawn @ change) / drawn.sum(1) / spread

    low, high = statistics.bootstrap(value, unit, settings.resamples, settings.seed)
    n, mean = len(set(unit.tolist())), float(value(np.ones((1, len(change))))[0])
    if low == high:
        none = "no interval: the same difference in every resample"
        return Estimate(mean, None, None, len(change), n, none).as_json()
    return Estimate(mean, low, high, len(change), n, f"two-sided 95 % bootstrap over {n} units").as_json()


# -- beside the classes ----------------------------------------------------------------------------------------------


def apart(auc: Mapping[str, Any] | None) -> bool:
    """The interval of an area leaves out 0.5."""
    if auc is None:
        return False
    return (auc["low"] is not None and auc["low"] > 0.5) or (auc["high"] is not None and auc["high"] < 0.5)


def beside(copies: Mapping[str, Any] | None, of_class: Mapping[str, Any]) -> str:
    """How far copies lie from their originals beside a class from the authentic recordings; "" where either may not.

    ``as_far``: at least as far from 0.5; ``less_far``: the farther end of its interval nearer than the class's nearer
    end; ``open``: these recordings do not tell which.
    """
    if copies is None or not apart(copies) or not apart(of_class):
        return ""
    if _far(copies["value"]) >= _far(of_class["value"]):
        return "as_far"
    nearest = min(_far(end) for end in (of_class["low"], of_class["high"]) if end is not None)
    farthest = max(0.5 if end is None else _far(end) for end in (copies["low"], copies["high"]))
    return "less_far" if farthest < nearest else "open"


def _far(area: float) -> float:
    return abs(area - 0.5)


def untried(confounds: Mapping[str, Any] | None, questions: Sequence[str]) -> list[str]:
    """Those ``questions`` of which copies, though asked for, do not tell whether they move: too few pairs."""
    if confounds is None:
        return []
    tried = {row["question"] for row in confounds["scores"] if row["auc"]}
    return [question for question in questions if question not in tried]


def moving(confounds: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """The scores that move with a kind of copy: whose area leaves out 0.5."""
    return [row for row in (confounds or {"scores": []})["scores"] if apart(row["auc"])]
