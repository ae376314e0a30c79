"""The analyst's acts in a case: tell, name, strike, mark. Each is logged; the next report applies it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forensics.cli.app import UNAPPLIED, Examiner, Role, app
from forensics.text import for_terminal


@app.command()
def tell(
    case_folder: Annotated[Path, typer.Argument(metavar="CASE", help="Folder of the case; made if needed.")],
    question: Annotated[str | None, typer.Option(help="The question put to the examiner.")] = None,
    pairs: Annotated[
        list[str] | None,
        typer.Option(
            "--proposition",
            help="A pair of propositions: lips, identity, animation, voice or edit, as it is worded here; "
            "or in your own words: lips = H1 text / H2 text.",
        ),
    ] = None,
    told: Annotated[list[str] | None, typer.Option(help="What the examiner was told about the recording.")] = None,
    declaration: Annotated[Path | None, typer.Option(help="Text file (UTF-8) of the examiner's declaration.")] = None,
    case_id: Annotated[str | None, typer.Option("--case", help="The case's number or name.")] = None,
    reviewer: Annotated[str | None, typer.Option(help="Who reviews the report.")] = None,
    examiner: Examiner = None,
    role: Role = None,
) -> None:
    """Tell what the report says of the case beside the findings; without options, list what is told and lacking.

    Question and propositions count as put beforehand only in a case in which nothing was measured yet: tell them
    first, in a new folder, then run forensics report. Each act is logged and dated; the next report prints it. The
    report's own examiner is the one named by --examiner: FORENSICS_EXAMINER tells the log alone who acts.
    """
    from forensics import custody, telling
    from forensics.case import BegunCase, disk_errors

    with disk_errors(), BegunCase(case_folder, actor=custody.actor(examiner, role)) as case:
        names = {"case_id": case_id, "reviewer": reviewer}
        if examiner and case.actor.role in ("examiner", "reviewer"):  # as in forensics report
            names[case.actor.role] = examiner
        statement = telling.read(declaration) if declaration else None
        if any([question, pairs, told, statement, *names.values()]):
            telling.give(case, names, question, pairs or (), told or (), statement)
        state, entries = case.state(), case.entries()
    for line in telling.listed(state):
        typer.echo(for_terminal(line, longest=1000))
    lacking = telling.blanks(state, entries)
    typer.echo(f"A final report lacks: {'; '.join(lacking)}." if lacking else "Nothing is lacking for a final report.")


@app.command()
def name(
    case_folder: Annotated[Path, typer.Argument(metavar="CASE", help="Folder of a case with a report.")],
    assignments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TRACK=NAME",
            help="A track (A1) or a letter for all its tracks (A); a track's own name wins over its letter's. "
            "Tracks of the same name are one person; nobody sets them aside; an empty name takes it back.",
        ),
    ] = None,
    examiner: Examiner = None,
    role: Role = None,
) -> None:
    """Name the faces that were followed, as in A1=Anna A2=Anna B=nobody; without names, list them.

    Tracks given the same name are pooled as one person in all findings: no face is compared, that they are one person
    is the analyst's word, and it is logged. Faces on screens or in pictures are people until the analyst says nobody.
    The evidence is not opened; the next report applies the names.
    """
    from forensics import custody, naming
    from forensics.case import CaseFolder, disk_errors

    with disk_errors(), CaseFolder(case_folder, actor=custody.actor(examiner, role)) as case:
        if assignments:
            naming.give(case, assignments)
        state = case.state()
    names, tracks = naming.names_in(state), naming.observed(state)["tracks"]
    typer.echo("track   from (s)     to (s)  face height (px)  name" if tracks else "No face was found.")
    for track in tracks:
        called = naming.name_of(track["name"], names) or "not named"
        called += " (set aside)" * (called == naming.NOBODY) + " (too brief to be examined)" * track["brief"]
        seen = f"{track['start_s']:10.3f} {track['end_s']:10.3f} {track['face_height_px']:17.0f}"
        typer.echo(f"{track['name']:5} {seen}  {called}")
    if unapplied := naming.unapplied(state):
        typer.echo(f"{UNAPPLIED}: {', '.join(unapplied)}.")
    if assignments:
        typer.echo("To apply this, run forensics report CLIP --out CASE again, with the same --from and --to.")


@app.command()
def strike(
    case_folder: Annotated[
        Path, typer.Argument(metavar="CASE", help="Folder of a case with a report on a transcript.")
    ],
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="NUMBER", help="Numbers of aligned phonemes, as they are listed.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why it is not to count, or is to count again.")] = "",
    restore: Annotated[bool, typer.Option("--restore", help="Let them count again.")] = False,
    examiner: Examiner = None,
    role: Role = None,
) -> None:
    """Strike out aligned p, b, m that are not to count, with a reason; without numbers, list them.

    The act is logged; the next report applies it and tells the rate with and without. Sounds that were recognised
    without a transcript cannot be struck out: of them no single instant is claimed.
    """
    from forensics import custody, striking
    from forensics.case import CaseFolder, disk_errors

    with disk_errors(), CaseFolder(case_folder, actor=custody.actor(examiner, role)) as case:
        if numbers:
            striking.give(case, numbers, reason, restore)
        state = case.state()
    struck, phonemes = striking.given(state), striking.aligned_in(state)["phonemes"]
    typer.echo("number  from (s)    to (s)  sound  word" if phonemes else "The words told hold no p, b, m.")
    for p in phonemes:
        why = f"  struck out: {for_terminal(about['reason'])}" if (about := struck.get(str(p["number"]))) else ""
        line = f"{p['number']:6} {p['start_s']:9.3f} {p['end_s']:9.3f}  {p['phoneme']:5}  {for_terminal(p['word'])}"
        typer.echo(line + why)
    if numbers:
        typer.echo("To apply this, run forensics report CLIP --out CASE again, with the same --transcript and times.")


@app.command()
def mark(
    case_folder: Annotated[Path, typer.Argument(metavar="CASE", help="Folder of a case with a report.")],
    seconds: Annotated[
        float | None, typer.Argument(metavar="SECONDS", help="Instant on the presentation clock, as the report has it.")
    ] = None,
    end: Annotated[float | None, typer.Option("--to", help="Mark a stretch, up to this second.")] = None,
    comment: Annotated[
        str, typer.Option(help="What you saw or heard there; with --remove, why it is taken back.")
    ] = "",
    remove: Annotated[int | None, typer.Option(help="Take the mark of this number back.")] = None,
    examiner: Examiner = None,
    role: Role = None,
) -> None:
    """Mark an instant or a stretch with a comment; without SECONDS, list the marks.

    The act is logged; the next report prints the marks with their pictures. No number rests on them.
    """
    from forensics import custody, marking
    from forensics.case import CaseFolder, disk_errors

    with disk_errors(), CaseFolder(case_folder, actor=custody.actor(examiner, role)) as case:
        if remove is not None:
            marking.take_back(case, remove, comment)
        elif seconds is not None:
            marking.give(case, seconds, end, comment)
        marks = marking.given(case.state())
    typer.echo("mark   from (s)     to (s)  comment" if marks else "Nothing is marked.")
    for number, about in marks.items():
        line = f"{number:4} {about['start_s']:10.3f} {about['end_s']:10.3f}  "
        typer.echo(line + for_terminal(about["comment"], longest=marking.LONGEST))
    if seconds is not None or remove is not None:
        typer.echo("To print this, run forensics report CLIP --out CASE again, with the same options.")
