"""The whole way from a table of recordings to its figures, its report and, where it is earned, its calibration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from forensics import statistics
from forensics.case import write
from forensics.report.record import dumps
from forensics.validation.copying import Copied, check, chosen, copied
from forensics.validation.examining import Result, case_names, check_place, result
from forensics.validation.measuring import measure
from forensics.validation.page import page
from forensics.validation.sealing import Seal, sealed
from forensics.validation.settings import Settings
from forensics.validation.tables import Recording
from forensics.validation.trying import tried
from forensics.validation.wording import markdown


def validate(
    recordings: Sequence[Recording],
    root: Path,
    out: Path,
    cases: Path | None = None,
    settings: Settings | None = None,
    told: Callable[[int, Result], None] = lambda number, result: None,
    seal: Seal | None = None,
    calibration: str = "",
    told_copies: Callable[[int, int, Sequence[Copied]], None] = lambda number, of, copied: None,
) -> dict[str, Any]:
    """Examine all ``recordings`` under ``root``; write validation.json, .md and .html into ``out``.

    Each has a case in the folder ``cases`` (``out/cases`` if None), where it is not run again while neither its bytes
    nor the software change. ``told`` is called with each result's number. With a ``seal``, calibration.json is written
    too: it says of each pair of propositions with which model, or why with none. ``calibration``: text of one that is
    there already, to be tried on these recordings. ``told_copies``: as ``told``, of each recording that is copied,
    with how many there are. Raises ParameterError, TableError where copies asked for cannot be made.
    """
    settings = settings or Settings()
    check(recordings, settings.copies)
    ordered = sorted(recordings, key=lambda r: r.file)  # the order of lines changes no fold
    check_place(out, [root / r.file for r in ordered])
    unit = statistics.units([r.person for r in ordered], [r.group for r in ordered])
    results = []
    home = {r.file: (cases or out / "cases") / name for r, name in zip(ordered, case_names(ordered), strict=True)}
    for number, recording in enumerate(ordered):
        results.append(result(recording, int(unit[number]), root, home[recording.file]))
        told(number + 1, results[-1])
    every: list[Copied] = []
    originals = chosen(results, settings.copies)
    for number, original in enumerate(originals):
        every += (made := copied(original, root, home[original.recording.file], settings))
        told_copies(number + 1, len(originals), made)
    validation = measure(results, settings, every)
    if calibration:
        validation["tried"] = tried(results, calibration, settings)
    write(out / "validation.json", dumps(validation))
    write(out / "validation.md", markdown(validation))
    write(out / "validation.html", page(validation))
    if seal is not None:
        write(out / "calibration.json", sealed(validation, results, seal))
    return validation
