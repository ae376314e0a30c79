"""The whole way from a table of recordings to its figures, its report and, where it is earned, its calibration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from forensics import statistics
from forensics.case import write
from forensics.report.record import dumps
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
) -> dict[str, Any]:
    """Examine all ``recordings`` under ``root``; write validation.json, .md and .html into ``out``.

    Each has a case in the folder ``cases`` (``out/cases`` if None), where it is not run again while neither its bytes
    nor the software change. ``told`` is called with each result's number. With a ``seal``, calibration.json is written
    too: it says of each pair of propositions with which model, or why with none. ``calibration``: text of one that is
    there already, to be tried on these recordings.
    """
    settings = settings or Settings()
    ordered = sorted(recordings, key=lambda r: r.file)  # the order of lines changes no fold
    check_place(out, [root / r.file for r in ordered])
    unit = statistics.units([r.person for r in ordered], [r.group for r in ordered])
    results = []
    for number, (recording, name) in enumerate(zip(ordered, case_names(ordered), strict=True)):
        results.append(result(recording, int(unit[number]), root, (cases or out / "cases") / name))
        told(number + 1, results[-1])
    validation = measure(results, settings)
    if calibration:
        validation["tried"] = tried(results, calibration, settings)
    write(out / "validation.json", dumps(validation))
    write(out / "validation.md", markdown(validation))
    write(out / "validation.html", page(validation))
    if seal is not None:
        write(out / "calibration.json", sealed(validation, results, seal))
    return validation
