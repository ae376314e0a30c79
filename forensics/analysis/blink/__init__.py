"""How often, when and how does this person blink, and what can a clip of this length say about it?

The eye aspect ratio (lid distance over corner distance) of each eye is divided by its own recent open value, so that
the person, the camera's height and slow changes of gaze cancel. A blink is a dip of that relative openness in both
eyes at once: deep enough, standing out from both sides, and brief. The rate has an exact Poisson interval for the
seconds in which the eyes could be seen.
Reference: Soukupová & Čech 2016 (eye aspect ratio); Garwood 1936 (Poisson interval).
Not to be trusted: on small or shaded eyes, strong glasses, heads turned or nodding; a glance down closes the lids
too, and a brief one looks like a blink. Nothing here tells who a person is, or how they feel.
"""

from forensics.analysis.blink.charts import charts
from forensics.analysis.blink.events import Closure, binocular, closures
from forensics.analysis.blink.gaze import GAZE, Gaze
from forensics.analysis.blink.rate import measure_duration, measure_rate
from forensics.analysis.blink.settings import METHOD, TASKS, Settings
from forensics.analysis.blink.signal import EYES, GRID_HZ, eye_aspect_ratio, openness, openness_error
from forensics.analysis.blink.verdict import ALTERNATIVES, LIMITS, assess

__all__ = [
    "ALTERNATIVES",
    "ANALYSIS",
    "EYES",
    "GAZE",
    "GRID_HZ",
    "LIMITS",
    "METHOD",
    "TASKS",
    "Closure",
    "Gaze",
    "Settings",
    "assess",
    "binocular",
    "charts",
    "closures",
    "eye_aspect_ratio",
    "measure_duration",
    "measure_rate",
    "openness",
    "openness_error",
]

ANALYSIS = "blink"
