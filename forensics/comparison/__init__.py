"""How unlike its references is a recording, beyond their own spread? From two or more ``findings.json`` to findings.

References are recordings of which the analyst states that they have a person, a camera or a session in common with the
questioned one. Quantities that the other analyses measured, each with its interval, are set side by side:

- one reference: how far both lie apart beside their own intervals (MOVER, Zou & Donner 2008). How much recordings of
  one person differ anyhow is not known from one: little follows from it, and the finding says so.
- two or more: the prediction interval of one further recording from theirs (Hahn & Meeker 1991, ch. 4), by Student's t
  with as many degrees of freedom as references less one: very wide for few. It is held at least as wide as the
  recordings' own intervals make it, and wider where the questioned one is shorter. Beside it the exact statement of
  ranks: outside all of n references lies any further recording with chance 2/(n + 1).

Many quantities are compared at once: each count stands beside what chance gives, and the family-wise one holds over
all comparisons of the report together (Bonferroni).
What the analyst states decides what is compared. A *person* takes along how they speak, blink and sound, not the room's
light nor the camera's delay; a *camera* its delay between picture and sound, not who stands before it; a *session* all
of these, and its light. Conditions that move a quantity by themselves (picture rate, face size, pose, coding) take it
out, by name.
Reference: Zou & Donner 2008 (Stat Med 27:1693); Hahn & Meeker 1991; figures on real clips: tests/real/COMPARE.md.
Not to be trusted: as a statement on who is seen or heard; where mood, task, language, health or distance to the
microphone differ, none of which is measured; with references that were chosen because they look alike.
"""

from forensics.comparison.charts import charts
from forensics.comparison.questions import ANALYSIS, METHOD, RELATIONS, Settings
from forensics.comparison.verdict import Reference, assess

__all__ = ["ANALYSIS", "METHOD", "RELATIONS", "Reference", "Settings", "assess", "charts"]
