"""What one run gives: to the report, the batch and whoever calls it."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.clip import Clip
from forensics.controls import Planted
from forensics.finding import Finding
from forensics.references import Given
from forensics.scene import Scene
from forensics.settings import Settings
from forensics.timeline import Interval


@dataclass(frozen=True)
class Examination:
    """The result of one run: the clip, what was seen, and the findings."""

    clip: Clip
    scene: Scene
    findings: list[Finding]
    settings: Settings
    versions: dict[str, str]
    from_cache: bool
    excerpt: Interval | None = None  # the part of the clip that was asked for
    controls: Planted | None = None  # where they were asked for
    references: tuple[Given, ...] = ()  # where they were given
