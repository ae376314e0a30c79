"""All that can be asked of a run: the settings of each part, together. Their defaults are those of a report."""

from __future__ import annotations

from dataclasses import dataclass, field

from forensics import coincidence, comparison, controls, observe, search, speech, tracks, transcript
from forensics.analysis import blink, evidence, lighting, lipsync, voice
from forensics.calibration import applying


@dataclass(frozen=True)
class Settings:
    """The settings of every part, by its name; two runs of equal settings ask the same."""

    observe: observe.Settings = field(default_factory=observe.Settings)
    search: search.Settings = field(default_factory=search.Settings)
    tracks: tracks.Settings = field(default_factory=tracks.Settings)
    speech: speech.Settings = field(default_factory=speech.Settings)
    transcript: transcript.Settings = field(default_factory=transcript.Settings)
    lipsync: lipsync.Settings = field(default_factory=lipsync.Settings)
    blink: blink.Settings = field(default_factory=blink.Settings)
    lighting: lighting.Settings = field(default_factory=lighting.Settings)
    voice: voice.Settings = field(default_factory=voice.Settings)
    evidence: evidence.Settings = field(default_factory=evidence.Settings)
    coincidence: coincidence.Settings = field(default_factory=coincidence.Settings)
    comparison: comparison.Settings = field(default_factory=comparison.Settings)
    calibration: applying.Settings = field(default_factory=applying.Settings)
    controls: controls.Settings = field(default_factory=controls.Settings)
