"""What was done, in which version, with which settings: stored with every result."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class Method:
    """A procedure that examiners can cite: raise ``version`` whenever its numbers change."""

    name: str
    version: str
    reference: str


def setting(default: Any, unit: str, source: str) -> Any:
    """A field of a Settings class: its default, its unit, and where the value comes from."""
    return field(default=default, metadata={"unit": unit, "source": source})


def describe(settings: Any) -> list[dict[str, Any]]:
    """Name, value, unit and source of each field of a Settings object, for reports and cache keys."""
    return [
        {"name": f.name, "value": getattr(settings, f.name), **{k: f.metadata[k] for k in ("unit", "source")}}
        for f in fields(settings)
    ]
