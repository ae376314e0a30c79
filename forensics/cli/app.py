"""The command itself, and the options that several of its commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Measure what can be said about whether a recording of a speaking person was altered.",
)


#: Exit statuses beside 0 and 1.
REFUSED, INTEGRITY, DIFFERS, INTERRUPTED = 3, 4, 5, 130
UNAPPLIED = "Names given for another part of the recording, or with other software or settings, are not applied here"

Examiner = Annotated[str | None, typer.Option(help="Who does this, for the log; else FORENSICS_EXAMINER, the account.")]
Role = Annotated[str | None, typer.Option(help="In which role: examiner, reviewer, …; else FORENSICS_ROLE.")]
Task = Annotated[
    str,
    typer.Option(help="What the person does, for the range of blink rates: reading, rest, conversation or unknown."),
]
Trust = Annotated[
    Path | None, typer.Option(help="PEM file of certificates whose content credentials you trust; none is shipped.")
]
Calibration = Annotated[
    str,
    typer.Option(
        help="Calibration file for likelihood ratios, made by forensics validate; demonstration: the one shipped, "
        "not validated for casework. None: no likelihood ratio is given.",
    ),
]
Language = Annotated[str, typer.Option(help="Language spoken, as the calibration names it.")]
