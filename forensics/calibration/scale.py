"""A likelihood ratio's interval in words, by a named scale that a laboratory may replace (data/verbal_scale.json)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.errors import ParameterError
from forensics.weights import table


def shipped() -> dict[str, Any]:
    """The scale that comes with the package."""
    return table("verbal_scale")


def nearest(low: float, high: float) -> float:
    """The end of an interval of log10 LR that is nearest to LR = 1; 0 where the interval holds it."""
    if not low <= high:
        raise ParameterError("an interval's low end is not above its high end", (low, high))
    return 0.0 if low <= 0 <= high else min(low, high, key=abs)


def words(low: float, high: float, h1: str, h2: str, scale: Mapping[str, Any]) -> str:
    """What findings with this interval of log10 LR = P(findings | ``h1``) / P(findings | ``h2``) say, and for which.

    The word is that of the end nearest to 1. Exchanging the propositions and turning the ratio over changes nothing.
    """
    end = nearest(low, high)
    if abs(end) < scale["least_log10"]:
        return str(scale["none"])
    degree = next(b["degree"] for b in scale["bands"] if b["to_log10"] is None or abs(end) <= b["to_log10"])
    favoured, other = (h1, h2) if end > 0 else (h2, h1)
    return f"{degree} support for “{favoured}” rather than “{other}”"
