"""One planted alteration and how often it was told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Control:
    """One alteration of one size: how often of ``n`` trials it was told by ``told_by``; or why it cannot be.

    ``beside_untouched``: what was seen is a number that left its interval, for which the recording is needed as it was
    before; the question itself marks nothing. ``appearance``: the face's track; "" for the sound. ``size`` in ``unit``;
    None where the kind has none. Trials on one recording are no sample: there is no interval.
    """

    kind: str
    what: str
    question: str
    told_by: str
    n: int
    told: int
    reasons: tuple[str, ...] = ()  # why the untouched recording gives no answer to compare with
    beside_untouched: bool = False
    size: float | None = None
    unit: str = ""
    appearance: str = ""

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "reasons": list(self.reasons)}
