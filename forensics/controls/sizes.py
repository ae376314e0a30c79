"""From which size on are alterations told? The trials of each kind, put side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.controls.control import Control


@dataclass(frozen=True)
class Size:
    """One kind of alteration in one appearance (``""``: in the sound), over all sizes that were planted.

    ``trials``: by size, ascending, how many there were and how many were told; a kind without sizes has one of None.
    ``reasons``: why none could be planted.
    """

    kind: str
    what: str
    question: str
    told_by: str
    appearance: str
    unit: str
    beside_untouched: bool
    trials: tuple[tuple[float | None, int, int], ...]
    reasons: tuple[str, ...]

    @property
    def told(self) -> bool:
        """Some size is told in every trial."""
        return any(0 < n == told for _, n, told in self.trials)

    @property
    def smallest(self) -> float | None:
        """The smallest size told in every trial; None where there is none, or the kind has no sizes."""
        return next((size for size, n, told in self.trials if 0 < n == told), None)

    @property
    def missed(self) -> list[float]:
        """Sizes above it that are not told in every trial."""
        least = self.smallest
        return [s for s, n, told in self.trials if least is not None and s is not None and s > least and told < n]

    def as_json(self) -> dict[str, Any]:
        """As findings.json has it, with what follows from the trials."""
        own = {key: value for key, value in vars(self).items() if key not in ("trials", "reasons")}
        return {
            **own,
            "trials": [{"size": size, "n": n, "told": told} for size, n, told in self.trials],
            "reasons": list(self.reasons),
            "is_told": self.told,
            "smallest": self.smallest,
            "missed": self.missed,
        }


def sizes(controls: Iterable[Control]) -> tuple[Size, ...]:
    """The controls by kind and appearance, in their order."""
    by_kind: dict[tuple[str, str], list[Control]] = {}
    for control in controls:
        by_kind.setdefault((control.kind, control.appearance), []).append(control)
    return tuple(_size(own) for own in by_kind.values())


def _size(own: Sequence[Control]) -> Size:
    first = own[0]
    planted = sorted((c for c in own if c.n), key=lambda c: c.size or 0.0)
    return Size(
        first.kind,
        first.what,
        first.question,
        first.told_by,
        first.appearance,
        first.unit,
        first.beside_untouched,
        tuple((c.size, c.n, c.told) for c in planted),
        () if planted else tuple(dict.fromkeys(reason for c in own for reason in c.reasons)),
    )
