"""Does this mouth move with this sound, by how many milliseconds are they apart, and which face is heard?

How fast the mouth opens and closes is compared with how fast the sound's spectrum rises and falls, at every lag of
the sound against the lips. Is the best lag near zero better than the clip's own sound shifted round in a circle (its
own null, nobody else's data needed); and if so, where does that best lag lie. All faces in view are compared with each
other, window by window, to tell which one is heard (``speaker``).
Reference: Hershey & Movellan 1999 and Slaney & Covell 2000 (audio-visual synchrony by correlation); permutation by
circular shifts as in time series practice; ITU-R BT.1359 for what viewers notice.
Not to be trusted: under about 8 s of speech, under loud music, with several voices, with the mouth covered or turned
away. A high percentile says that mouth and sound belong together in time, which lip synchronisation software also
achieves; a low one says only that no link was found.
"""

from forensics.analysis.lipsync.charts import charts
from forensics.analysis.lipsync.measure import (
    Comparison,
    circular_correlation,
    compare,
    measure_opening_error,
    measure_percentile,
    peak_ms,
)
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
    "Settings",
    "assess",
    "charts",
    "circular_correlation",
    "compare",
    "hear",
    "measure_opening_error",
    "measure_percentile",
    "mouth_opening",
    "mouth_velocity",
    "peak_ms",
    "sound_spectrum",
    "sound_velocity",
]

ANALYSIS = "lipsync"
