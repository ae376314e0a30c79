"""Does this mouth move with this sound, by how many milliseconds are they apart, and which face is heard?

Learned components of the mouth's shape are compared with those of the sound's spectrum, at every lag of the sound
against the lips. Is the best lag near zero better than the clip's own sound shifted round in a circle or with its
blocks swapped (its own null, nobody else's data needed); and if so, where does that best lag lie, does it drift, does
it jump. All faces in view are compared with each other, window by window, to tell which one is heard (``speaker``).
Also: whether the lips are closed where p, b, m are heard (``closure``), and when speech and lips do not go together
(``coverage``); how far, how fast and how often the mouth moves in speech (``kinematics``).
Reference: Slaney & Covell 2000 (audio-visual synchrony by canonical correlation); Rahimi & Recht 2008 (random units);
permutation by circular shifts as in time series practice; ITU-R BT.1359 for what viewers notice. What was learned from
what stands in ``data/lipsync.md``; how it fares on other people, in tests/real/LIPSYNC.md.
Not to be trusted: under about 5 s of speech, under loud music, with several voices, with the mouth covered or turned
away. A high percentile says that mouth and sound belong together in time, which lip synchronisation software also
achieves; a low one says only that no link was found.
"""

from forensics.analysis.lipsync.charts import charts
from forensics.analysis.lipsync.measure import (
    Comparison,
    Course,
    band,
    circular_correlation,
    compare,
    measure_opening_error,
    measure_percentile,
    peak_ms,
    swapped_peaks,
)
from forensics.analysis.lipsync.model import shipped
from forensics.analysis.lipsync.questions import ALTERNATIVES, LIMITS
from forensics.analysis.lipsync.settings import METHOD, Settings
from forensics.analysis.lipsync.signal import mouth_opening, mouth_velocity, sound_spectrum, sound_velocity
from forensics.analysis.lipsync.verdict import assess, hear

__all__ = [
    "ALTERNATIVES",
    "ANALYSIS",
    "LIMITS",
    "METHOD",
    "Comparison",
    "Course",
    "Settings",
    "assess",
    "band",
    "charts",
    "circular_correlation",
    "compare",
    "hear",
    "measure_opening_error",
    "measure_percentile",
    "mouth_opening",
    "mouth_velocity",
    "peak_ms",
    "shipped",
    "sound_spectrum",
    "sound_velocity",
    "swapped_peaks",
]

ANALYSIS = "lipsync"
