"""How often an untouched recording, or a copy of one, holds anything ``unusual``: rates over units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from forensics import statistics
from forensics.validation.examining import Result

#: Questions that have a published range, so that something in their findings can be `unusual` at all.
MARKABLE = ("blink.rate",)


def false_alarms(results: Sequence[Result], questions: Sequence[str]) -> list[dict[str, Any]]:
    """How many authentic recordings are ``unusual``: by question and in any (None), by condition, weak labels apart."""
    return [
        {"by": by, "name": name, "question": question, **counted(members, question)}
        for by, name, members in _sets([r for r in results if r.authentic])
        for question in (None, *(q for q in questions if q in MARKABLE))
    ]


def counted(members: Sequence[Result], question: str | None = None) -> dict[str, Any]:
    """Marked among those in which the question, or any, was assessed; the rate is that of units."""
    by_unit: dict[int, list[bool]] = {}
    for r in members:
        asked = [a for q, a in (r.answers or {}).items() if question in (None, q) and (q in MARKABLE or a.unusual)]
        if any(a.assessed or a.unusual for a in asked):
            by_unit.setdefault(r.unit, []).append(any(a.unusual for a in asked))
    every = [unusual for unit in by_unit.values() for unusual in unit]
    rate = statistics.share(sum(any(unit) for unit in by_unit.values()), len(by_unit)) if by_unit else None
    return {"marked": sum(every), "assessed": len(every), "rate": rate and rate.as_json()}


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
