"""How often, when and how does this person blink, and what can a clip of this length say about it?

The eye aspect ratio (lid distance over corner distance) of each eye is divided by its own recent open value, so that
the person, the camera's height and slow changes of gaze cancel; beside it stands the model's eyeBlink. A blink is a dip
of both measures in both eyes at once: by how much they move decides, with weights fitted to blinks labelled by eye.
The rate has two intervals for the seconds in which the eyes could be seen: over-dispersed, for one person's rate varies
with time, and exact, at a steady rate.
Reference: Soukupová & Čech 2016 (eye aspect ratio); Garwood 1936 (Poisson interval); Cruz et al. 2011 (how a person's
rate varies); Doughty 2001 (ranges by task).
Not to be trusted: on small or shaded eyes, strong glasses, heads turned or nodding; a glance down closes the lids
too, and a brief one looks like a blink. Nothing here tells who a person is, or how they feel.
"""

from forensics.analysis.blink.charts import charts
from forensics.analysis.blink.events import Closure, Dip, blinks, closure, dips, winks
from forensics.analysis.blink.gaze import GAZE, Gaze
from forensics.analysis.blink.intervals import between_blinks, measure_intervals, measure_regularity
from forensics.analysis.blink.rate import absences, measure_rate, measure_steady_rate
from forensics.analysis.blink.repeats import repeated_blinks
from forensics.analysis.blink.settings import METHOD, TASKS, Settings
from forensics.analysis.blink.shape import measure_shape
from forensics.analysis.blink.signal import (
    EYES,
    GRID_HZ,
    Eye,
    closedness,
    eye_aspect_ratio,
    openness,
    openness_error,
    seen_eye,
)
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
    "Dip",
    "Eye",
    "Gaze",
    "Settings",
    "absences",
    "assess",
    "between_blinks",
    "blinks",
    "charts",
    "closedness",
    "closure",
    "dips",
    "eye_aspect_ratio",
    "measure_intervals",
    "measure_rate",
    "measure_regularity",
    "measure_shape",
    "measure_steady_rate",
    "openness",
    "openness_error",
    "repeated_blinks",
    "seen_eye",
    "winks",
]

ANALYSIS = "blink"
