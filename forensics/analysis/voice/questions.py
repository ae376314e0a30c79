"""What is asked of the sound: the hypotheses, the limits of every answer, and its other explanations."""

from __future__ import annotations

from forensics.analysis.voice.settings import METHOD
from forensics.finding import Question

LIMITS = (
    "Measured over running speech after the recording's codec: not comparable with clinical norms of held vowels.",
    "All channels are averaged; voices, music and noise at the same time are measured as one.",
)
ALTERNATIVES = (
    "Codecs, resampling, telephone bands, noise suppression, gates and automatic gain change band, level and noise.",
    "Editing for length, a change of scene or microphone, music that starts or stops, compressors.",
)

MEASURES = Question(
    "voice.measures",
    "The voice was synthesised or converted.",
    "The voice was spoken.",
    METHOD,
    LIMITS,
    ALTERNATIVES,
)
RECORDING = Question(
    "voice.recording",
    "The sound was interrupted or put together from several recordings.",
    "The sound was recorded without interruption.",
    METHOD,
    LIMITS,
    ALTERNATIVES,
)
