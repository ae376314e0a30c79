"""How well do the scores tell recordings of known history apart, and how often is an untouched one marked?

A table of recordings goes in (file, label, person, group, generator, condition), ``pipeline.examine`` answers for each,
and every question's score is compared between a class and the authentic recordings: area under the ROC curve with its
interval over persons, beside that of *container facts alone* (picture rate, height, bit rate, face height), and what
the score adds to them, cross-fitted on the same folds. A score that adds nothing has told nothing of face or voice.
Where copies are asked for, authentic recordings are encoded anew, made smaller and slower: a score that tells copies
from their originals may tell classes by their encoding (``copying``, ``confounds``).
Where a class is the first proposition of a pair, its scores are calibrated, bounded and tried (``calibrating``).

Rules that the figures keep: the unit is the person and group, never the frame; what was not assessed is counted and
never scored; a figure stands only where both classes have enough recordings and persons, else the clips stand one by
one; weak labels stand apart. What is written is a function of the recordings, the software and the settings: it holds
no clock, host or path.

Not to be trusted as casework error rates unless the table's recordings are like those of the case.
"""

from forensics.validation.calibrating import learned
from forensics.validation.command import validate
from forensics.validation.confounds import moving
from forensics.validation.copying import Copied
from forensics.validation.examining import (
    CRASHED,
    Answer,
    Result,
    answers,
    case_names,
    container_facts,
    examined,
    facts,
)
from forensics.validation.measuring import measure
from forensics.validation.page import page
from forensics.validation.sealing import Seal, sealed
from forensics.validation.settings import Settings
from forensics.validation.tables import AUTHENTIC, Recording, TableError, read_table
from forensics.validation.trying import tried
from forensics.validation.wording import markdown, text

__all__ = [
    "AUTHENTIC",
    "CRASHED",
    "Answer",
    "Copied",
    "Recording",
    "Result",
    "Seal",
    "Settings",
    "TableError",
    "answers",
    "case_names",
    "container_facts",
    "examined",
    "facts",
    "learned",
    "markdown",
    "measure",
    "moving",
    "page",
    "read_table",
    "sealed",
    "text",
    "tried",
    "validate",
]
