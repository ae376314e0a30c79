"""The calibration file of a validation: what was earned, bound to the software, the recordings and a last day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics import landmarks, pipeline, statistics
from forensics.calibration import applying, file, scale
from forensics.errors import ParameterError
from forensics.report.record import methods
from forensics.validation.examining import Result

#: Characters of a stamp: one line under a heading.
LONGEST_STAMP = 120
#: Figures of a model that its file repeats for the reader.
METRICS = ("cllr", "cllr_min", "cllr_cal", "facts_alone", "gain", "misleading")


@dataclass(frozen=True)
class Seal:
    """What the laboratory says of its calibration: until which day it is good (2027-12-31), and its ``stamp``."""

    expires: str
    stamp: str = file.STAMP

    def __post_init__(self) -> None:
        file.day(self.expires)
        if not self.stamp.strip() or len(self.stamp) > LONGEST_STAMP or not self.stamp.isprintable():
            raise ParameterError(f"a stamp has 1 to {LONGEST_STAMP} characters that show themselves", self.stamp)


def sealed(validation: Mapping[str, Any], results: Sequence[Result], seal: Seal) -> str:
    """Text of the calibration file of a ``validation``: the models earned, and of each pair why there is no other."""
    settings = pipeline.Settings()
    steps = {name: applying.part(step["method"], step["settings"]) for name, step in methods(settings).items()}
    bound = {question: part for r in results for question, part in r.parts.items()}
    used = [r for r in results if not r.recording.weak and r.answers is not None]
    return file.sealed(
        {
            "schema": file.SCHEMA,
            "stamp": seal.stamp,
            "expires": seal.expires,
            "languages": sorted({r.recording.language for r in used} - {""}),
            "scale": scale.shipped(),
            "steps": steps,
            "model_sha256": landmarks.MODEL_SHA256,
            "packages": pipeline.versions(),
            "settings": {row["name"]: row["value"] for row in validation["settings"]},
            "pairs": {p["pair"]: _sealed_pair(p, bound) for p in validation["pairs"]},
            "data": sorted({r.sha256 for r in used}),
        }
    )


def _sealed_pair(pair: Mapping[str, Any], bound: Mapping[str, Any]) -> dict[str, Any]:
    models = [_sealed_model(m, bound) for m in pair["models"] if m.get("fitted")]
    refused = [f"{' with '.join(m['questions'])}: {' '.join(m['why_not'])}" for m in pair["models"] if m["why_not"]]
    nothing = [] if pair["models"] else ["No question gives a score on these propositions."]
    return {"h1": pair["h1"], "h2": pair["h2"], "models": models, "why_not": refused + nothing}


def _sealed_model(model: Mapping[str, Any], bound: Mapping[str, Any]) -> dict[str, Any]:
    figures = model["figures"]
    return {
        **model["fitted"],
        "questions": model["questions"],
        "parts": {q: bound[q] for q in model["questions"]},
        "level": statistics.LEVEL,
        "bounds": figures["bounds"],
        "n_h1": model["h1"]["recordings"],
        "n_h2": model["h2"]["recordings"],
        "units_h1": model["h1"]["units"],
        "units_h2": model["h2"]["units"],
        "envelope": model["envelope"],
        "metrics": {name: figures[name] for name in METRICS},
    }
