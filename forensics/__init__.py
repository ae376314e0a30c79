"""Audio-visual forensics of speaking faces: lip-sync, blinking, lighting and voice on one time line, with intervals.

    >>> from forensics import Case, examine
    >>> with Case("case/clip", "clip.mp4") as case:
    ...     findings = examine(case).findings

Importing this is cheap and does nothing; names are loaded when they are used.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "Case": "case",
    "Clip": "clip",
    "Audio": "timeline",
    "FaceTrack": "timeline",
    "Interval": "timeline",
    "Series": "timeline",
    "Event": "finding",
    "Finding": "finding",
    "Measurement": "finding",
    "Examination": "examination",
    "Settings": "settings",
    "examine": "pipeline",
    "open_case": "finished",
    "ForensicsError": "errors",
    "MediaError": "errors",
    "ParameterError": "errors",
}
__all__ = [*_HOMES]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'forensics' has no attribute {name!r}")
    return getattr(importlib.import_module(f"forensics.{_HOMES[name]}"), name)
