"""A laboratory's own figures: validate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from forensics.cli.app import app
from forensics.cli.terminal import CtrlC
from forensics.text import for_terminal, joined


@app.command()
def validate(
    table: Annotated[Path, typer.Argument(help="Recordings: file, label, person, group, generator, condition.")],
    out: Annotated[Path, typer.Option(help="Folder for validation.json, .md and .html; made if needed.")],
    root: Annotated[Path | None, typer.Option(help="Folder the files are named from; else the table's.")] = None,
    cases: Annotated[Path | None, typer.Option(help="Folder of the recordings' cases; else OUT/cases.")] = None,
    calibration: Annotated[
        str, typer.Option(help="Also try this calibration on the recordings; demonstration: the one shipped.")
    ] = "",
    expires: Annotated[
        str, typer.Option(help="Also write calibration.json, good for cases opened until this day: 2027-12-31.")
    ] = "",
    stamp: Annotated[
        str, typer.Option(help="What the calibration says of itself wherever it is used; else that it demonstrates.")
    ] = "",
    copies: Annotated[
        int,
        typer.Option(
            min=0,
            help="Also examine copies of so many authentic recordings, encoded anew, smaller, with fewer pictures: "
            "which scores follow the encoder?",
        ),
    ] = 0,
) -> None:
    """Score the recordings of TABLE and say how well each question tells their classes from the authentic ones.

    A class named lips, identity, animation, voice or edit is the first proposition of that pair: its likelihood ratios
    are measured too, and with --expires those that are earned are written for forensics report --calibration.
    """
    from forensics import validation  # slow to import: not for --help
    from forensics.calibration import file as calibrations
    from forensics.case import disk_errors

    recordings = validation.read_table(table)
    known = calibrations.read(calibration) if calibration else ""
    seal = validation.Seal(expires, **({"stamp": stamp} if stamp else {})) if expires else None

    def told(number: int, result: validation.Result) -> None:
        CtrlC.raise_if_pressed()
        print(
            f"{number} of {len(recordings)}  {for_terminal(result.recording.file)}  {result.code}".rstrip(), flush=True
        )

    def told_copies(number: int, of: int, made: Sequence[validation.Copied]) -> None:
        CtrlC.raise_if_pressed()
        codes = joined((f"{one.kind} {one.copy.code}".rstrip() for one in made), ", ")
        print(
            f"copies {number} of {of}  {for_terminal(made[0].copy.recording.file)}  {for_terminal(codes)}", flush=True
        )

    with disk_errors():
        figures = validation.validate(
            recordings,
            root or table.parent,
            out,
            cases,
            validation.Settings(copies=copies),
            told,
            seal,
            known,
            told_copies,
        )
    refused = [row["refused"] for row in figures["recordings"] if row["refused"]]
    typer.echo(f"{len(recordings) - len(refused)} of {len(recordings)} recordings examined, {len(refused)} refused.")
    given = [pair["pair"] for pair in figures["pairs"] if any(not m["why_not"] for m in pair["models"])]
    typer.echo(f"Pairs of propositions with a likelihood ratio: {', '.join(given) or 'none'}.")
    if copies:
        kinds = figures["confounds"]["kinds"]
        refused += [code for kind in kinds for code in kind["refused"]]
        refused += [one["refused"] for one in figures["confounds"]["recordings"] if one["refused"]]
        moving = dict.fromkeys(row["question"] for row in validation.moving(figures["confounds"]))
        typer.echo(f"Scores that move with copies, as far as these tell: {', '.join(moving) or 'none'}.")
    typer.echo(f"Figures: {for_terminal(str(out / 'validation.html'), longest=4096)}")
    if seal is not None:
        typer.echo(f"Calibration: {for_terminal(str(out / 'calibration.json'), longest=4096)}")
    if any(code.startswith(validation.CRASHED) for code in refused):
        raise typer.Exit(1)  # a defect of ours, told above: figures without these recordings are not the table's
