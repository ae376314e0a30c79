"""What was done, in which version, with which settings: stored with every result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from forensics.errors import ParameterError


@dataclass(frozen=True)
class Method:
    """A procedure that examiners can cite: raise ``version`` whenever its numbers change."""

    name: str
    version: str
    reference: str


def setting(default: Any, unit: str, source: str, shown: Callable[[Any], Any] = lambda value: value) -> Any:
    """A field of a Settings class: its default, its unit, where the value comes from, and how it is ``shown``."""
    return field(default=default, metadata={"unit": unit, "source": source, "shown": shown})


def describe(settings: Any) -> list[dict[str, Any]]:
    """Name, value, unit and source of each field of a Settings object, for reports and cache keys."""
    return [
        {
            "name": f.name,
            "value": f.metadata["shown"](getattr(settings, f.name)),
            "unit": f.metadata["unit"],
            "source": f.metadata["source"],
        }
        for f in fields(settings)
    ]


def restored(kind: Any, values: Mapping[str, Any]) -> Any:
    """Settings of ``kind`` from what ``dataclasses.asdict`` made of them, through JSON; new fields keep their default.

    Raises ParameterError for fields that this version does not have, or of which it has several values.
    """
    default = kind()
    if not isinstance(values, Mapping):
        raise ParameterError("settings are those of this version of the software", "no settings")
    if unknown := sorted(values.keys() - {f.name for f in fields(default)}):
        raise ParameterError("settings are those of this version of the software", ", ".join(unknown))
    made = {}
    for name, value in values.items():
        now = getattr(default, name)
        if isinstance(now, tuple) and not isinstance(value, list | tuple):
            raise ParameterError("settings are those of this version of the software", f"one value of {name}")
        made[name] = (
            restored(type(now), value) if is_dataclass(now) else tuple(value) if isinstance(now, tuple) else value
        )
    return kind(**made)
