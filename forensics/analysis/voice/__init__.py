"""What are this voice's measures, and is its recording of one piece: level, background, band, samples and hum?

Fundamental frequency, jitter, shimmer and harmonicity follow Praat's definitions (through parselmouth) over the
speech that was detected, and say what they were taken from. The band limit and the background noise describe the
recording; a level jump is a step of the background between words, the mark of a cut, a gate or a switch of scene.
Whether it is one take is read where the band is otherwise empty (``joins``) and from the phase of the mains (``hum``);
what a microphone does not give, from the spectrum's edges, gaps and mirror images (``spectrum``) and from what
generators smooth and codecs empty (``fine``). What the band or noise would move by more than voices differ is withheld,
with its reason. How each fares on real recordings stands in tests/real/VOICE.md, what else was tried in CANDIDATES.md.
Reference: Boersma & Weenink (Praat: ac pitch, local jitter, local shimmer, ac harmonicity).
Not to be trusted: published norms of jitter, shimmer and harmonicity hold for sustained vowels in quiet rooms and not
for running speech through a codec, so no norm is applied here. Music and several voices are measured as one voice.
"""

from forensics.analysis.voice.charts import charts, plot_f0, plot_level, plot_spectrum
from forensics.analysis.voice.fine import Fine, course_of_holes, measure_fine, measure_fine_structure
from forensics.analysis.voice.hum import find_hum, measure_hum, phase_jumps
from forensics.analysis.voice.joins import empty_band, splices
from forensics.analysis.voice.measures import Voiced, measure_stretch, measure_stretches, measure_voice, withheld
from forensics.analysis.voice.pieces import pieces
from forensics.analysis.voice.questions import ALTERNATIVES, LIMITS
from forensics.analysis.voice.recording import (
    background,
    clearness_db,
    digital_silences,
    level_jumps,
    measure_bandwidth,
    measure_noise_floor,
)
from forensics.analysis.voice.settings import METHOD, Settings
from forensics.analysis.voice.spectrum import course_of_edge, edge, gaps, mirror_images, mirror_likeness, spectra
from forensics.analysis.voice.verdict import ANALYSIS, Heard, assess, hear

__all__ = [
    "ALTERNATIVES",
    "ANALYSIS",
    "LIMITS",
    "METHOD",
    "Fine",
    "Heard",
    "Settings",
    "Voiced",
    "assess",
    "background",
    "charts",
    "clearness_db",
    "course_of_edge",
    "course_of_holes",
    "digital_silences",
    "edge",
    "empty_band",
    "find_hum",
    "gaps",
    "hear",
    "level_jumps",
    "measure_bandwidth",
    "measure_fine",
    "measure_fine_structure",
    "measure_hum",
    "measure_noise_floor",
    "measure_stretch",
    "measure_stretches",
    "measure_voice",
    "mirror_images",
    "mirror_likeness",
    "phase_jumps",
    "pieces",
    "plot_f0",
    "plot_level",
    "plot_spectrum",
    "spectra",
    "splices",
    "withheld",
]
