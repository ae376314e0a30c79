"""Commands that examine recordings: report, controls, batch, notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli.app import UNAPPLIED, Calibration, Examiner, Language, Role, Task, Trust, app
from forensics.cli.terminal import Bar, CtrlC
from forensics.errors import IntegrityError
from forensics.text import for_terminal

if TYPE_CHECKING:
    from forensics.case import Case
    from forensics.settings import Settings
    from forensics.timeline import Interval


@app.command()
def report(
    clip: Annotated[str, typer.Argument(help="The recording: a video or sound file. It is only read.")],
    out: Annotated[Path, typer.Option(help="Folder of the case; made if needed.")],
    start: Annotated[float | None, typer.Option("--from", help="Examine from this second on.")] = None,
    end: Annotated[float | None, typer.Option("--to", help="Examine up to this second.")] = None,
    task: Task = "unknown",
    trust: Trust = None,
    words: Annotated[
        Path | None,
        typer.Option(
            "--transcript",
            help="Text file (UTF-8) of the words spoken, American English: your statement, kept in log and report. "
            "Lines may begin with a time range in seconds, [12.4-17.9]; panama = P AE N AH M AA tells a word's sounds.",
        ),
    ] = None,
    calibration: Calibration = "",
    language: Language = "",
    beside: Annotated[
        list[Path] | None,
        typer.Option(
            "--reference",
            help="A recording to compare with, or the folder of its finished case; give the option once for each.",
        ),
    ] = None,
    relation: Annotated[
        str,
        typer.Option(
            "--reference-for",
            help="What recording and references have in common, by your statement: person, camera or session.",
        ),
    ] = "person",
    final: Annotated[
        bool,
        typer.Option("--final", help="FINAL instead of DRAFT; refused (E_FINAL) where forensics tell left blanks."),
    ] = False,
    exhibits: Annotated[
        bool,
        typer.Option("--exhibits", help="Also make each chart an exhibit sheet: PDF, and PNG of 300 dots an inch."),
    ] = False,
    planted: Annotated[
        bool,
        typer.Option("--controls", help="Also plant known alterations in what was measured: which would be told?"),
    ] = False,
    examiner: Examiner = None,
    role: Role = None,
) -> None:
    """Examine CLIP and write findings.json, report.html, report.pdf and summary.pdf into the case folder."""
    from forensics import custody, transcript  # slow to import: not for --help
    from forensics.case import Case, disk_errors

    settings = _settings(task, trust, calibration, language)
    settings = replace(
        settings,
        transcript=replace(settings.transcript, text=transcript.read(words) if words else ""),
        controls=replace(settings.controls, planted=planted),
        comparison=replace(settings.comparison, relation=relation),
    )
    who, interval = custody.actor(examiner, role), _interval(start, end)
    with disk_errors(), Case(out, Path(clip), actor=who) as case:
        names = {who.role: who.name} if examiner and who.role in ("examiner", "reviewer") else {}
        _reported(case, "report", interval, settings, out, names, final, exhibits, beside or ())


@app.command()
def controls(
    clip: Annotated[str, typer.Argument(help="The recording: a video or sound file. It is only read.")],
    out: Annotated[Path, typer.Option(help="Folder of the case; made if needed.")],
    start: Annotated[float | None, typer.Option("--from", help="Examine from this second on.")] = None,
    end: Annotated[float | None, typer.Option("--to", help="Examine up to this second.")] = None,
    discard: Annotated[
        bool, typer.Option("--discard", help="Remove the degraded copies at the end; the log keeps their SHA-256.")
    ] = False,
    examiner: Examiner = None,
    role: Role = None,
) -> None:
    """Plant known alterations in what was measured of CLIP and of degraded copies: which would be told at this quality?

    CLIP itself is not altered and encoded, so the sizes told are optimistic. Where CASE holds a report, part, settings
    and names are that report's (unless --from or --to say otherwise); it is written anew with the controls in it. The
    same as forensics report --controls, which takes all options of a report.
    """
    from forensics import custody, replay  # slow to import: not for --help
    from forensics.case import Case, disk_errors

    asked = _interval(start, end)
    with disk_errors(), Case(out, Path(clip), actor=custody.actor(examiner, role)) as case:
        before, settings = replay.as_before(case.entries())
        settings = replace(settings, controls=replace(settings.controls, planted=True))
        _reported(case, "controls", asked or before, settings, out)
        if discard:
            case.discard()
            head, entries = case.log_head()
            typer.echo(f"Copies removed. Custody log: {entries} entries; the head hash to note is now: {head}")


@app.command()
def batch(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of recordings, with the folders in it. They are only read.")
    ],
    out: Annotated[
        Path, typer.Option(help="Folder of the cases and of summary/; made if needed. It may not hold recordings.")
    ],
    workers: Annotated[int, typer.Option(min=1, help="Recordings examined at a time on this machine.")] = 2,
    scheduler: Annotated[
        str,
        typer.Option(
            help="Address of a Dask scheduler (tcp://…) whose workers do it, on machines that see DIR and the cases "
            "under the same paths and have this very software (pip install 'forensics[dask]'). Only one you trust: "
            "names and settings, though no recordings, are sent to it, and it runs what it is told."
        ),
    ] = "",
    task: Task = "unknown",
    trust: Trust = None,
    calibration: Calibration = "",
    language: Language = "",
    examiner: Examiner = None,
    role: Role = None,
) -> None:
    """Examine every file in DIR as forensics report does, each in a case of its own; then write summary/summary.html.

    Files are judged by their content, whatever their names end in; what is no recording is refused by its code and
    stops nothing. Links, pipes and devices are not opened. Run again after a stop: cases whose report is whole, of the
    same bytes, software, settings and names, are kept as they are, and all others are gone on with. The summary is
    ranked by what deserves a look, which is no score.
    """
    from forensics import batch as batches  # slow to import: not for --help
    from forensics import custody
    from forensics.case import disk_errors

    given = {"--task": task, "--trust": trust and trust.absolute(), "--language": language, "--examiner": examiner}
    shipped = calibration == "demonstration"
    given["--calibration"] = calibration if shipped or not calibration else Path(calibration).absolute()
    asked = batches.Batch(
        folder,
        out,
        _settings(task, trust, calibration, language),
        tuple(str(part) for option, value in given.items() if value for part in (option, value)),
        workers,
        scheduler,
    )

    def told(number: int, n: int, file: str, outcome: batches.Outcome, left_s: float | None) -> None:
        CtrlC.raise_if_pressed()
        what = "kept" if outcome.kept else outcome.code or "examined"
        left = "" if left_s is None or number == n else f"  about {left_s:.0f} s left"
        print(f"{number} of {n}  {for_terminal(file)}  {for_terminal(what)}{left}", flush=True)

    with disk_errors():
        rows = batches.batch(asked, custody.actor(examiner, role), told)
    codes = [row.code for row in rows]
    for row in (row for row in rows if row.code):
        typer.echo(f"{row.state.capitalize()}: {for_terminal(row.file)}: {row.code}: {for_terminal(row.why)}")
    typer.echo(f"{codes.count('')} of {len(rows)} files have a report.")
    typer.echo(f"Summary: {for_terminal(str(out / batches.SUMMARY / 'summary.html'), longest=4096)}, summary.csv")
    if any(code.startswith(batches.CRASHED) or code in batches.UNDONE for code in codes):
        raise typer.Exit(1)  # a defect of ours, or recordings that nobody refused and nobody examined; told above
    if "INTEGRITY_FAILED" in codes:
        raise IntegrityError(
            "INTEGRITY_FAILED",
            f"{codes.count('INTEGRITY_FAILED')} recordings changed while they were examined.",
            "The summary names them; secure the files, compare their hashes, and run again.",
        )


@app.command()
def notebook(
    lesson: Annotated[str, typer.Argument(metavar="NAME", help="Name of a notebook, as 03_lipsync.")],
    clip: Annotated[str, typer.Argument(help="The recording: a video or sound file. It is only read.")],
    out: Annotated[Path, typer.Option(help="Folder for NAME.html, NAME.ipynb and cases/; made if needed.")],
    examiner: Examiner = None,
    role: Role = None,
) -> None:
    """Run one of the notebooks 00 to 07 on CLIP and write it as a page without code, with its own controls beside.

    08_compare, 09_validate and 10_batch are about several recordings: open them in JupyterLab and set their parameters
    there. The recording gets a case with its report in OUT/cases, as from forensics report; the notebook reads that
    case. The notebooks lie in notebooks/ of this software's checkout, and their controls in samples/out (make samples).
    It needs pip install 'forensics[notebooks]'.
    """
    from forensics import custody  # slow to import: not for --help
    from forensics import notebook as lessons
    from forensics.case import disk_errors

    with disk_errors():
        page = lessons.run(lesson, Path(clip), out, custody.actor(examiner, role), progress=Bar())
    typer.echo(f"Page: {for_terminal(str(page), longest=4096)}; with its code: {for_terminal(page.stem)}.ipynb")


def _interval(start: float | None, end: float | None) -> Interval | None:
    from forensics.timeline import FOREVER_S, Interval

    if start is None and end is None:
        return None
    bounds = (-FOREVER_S if start is None else start, FOREVER_S if end is None else end)
    return Interval(*(min(max(bound, -FOREVER_S), FOREVER_S) for bound in bounds))


def _reported(
    case: Case,
    command: str,
    interval: Interval | None,
    settings: Settings,
    out: Path,
    names: Mapping[str, str] | None = None,
    final: bool = False,
    exhibits: bool = False,
    beside: Sequence[Path] = (),
) -> None:
    """A run that ends with a report, and what is printed of it."""
    from forensics import naming, pipeline
    from forensics.report import findings_json
    from forensics.report.planted import lines

    asked = interval and [interval.start_s, interval.end_s]
    with case.run(command, interval=asked):
        case.update(**(names or {}))  # as the report names them
        examination = pipeline.report(
            case, interval, settings, progress=Bar(), final=final, exhibits=exhibits, beside=beside
        )
        unapplied, (head, entries) = naming.unapplied(case.state()), case.log_head()
    assessed = sum(f.state == "assessed" for f in examination.findings)
    typer.echo(
        f"{assessed} of {len(examination.findings)} questions assessed. Streams examined: "
        f"picture {examination.clip.picture}, sound {examination.clip.sound}."
    )
    for other in examination.clip.others():
        typer.echo(f"Not examined: {other['kind']} stream {other['index']} ({for_terminal(other['codec'])}).")
    if unapplied:
        typer.echo(f"{UNAPPLIED}: {', '.join(unapplied)}.")
    for line in lines(findings_json(examination)):
        typer.echo(for_terminal(line, longest=1000))
    typer.echo(f"Custody log: {entries} entries; note the head hash elsewhere: {head}")
    typer.echo(f"Report: {for_terminal(str(out / 'report.html'), longest=4096)}, report.pdf, summary.pdf")


def _settings(task: str, trust: Path | None, calibration: str, language: str) -> Settings:
    """What the options that reports and batches share ask for."""
    from forensics import credentials
    from forensics.calibration import file as calibrations
    from forensics.settings import Settings

    default = Settings()
    text = calibrations.read(calibration) if calibration else ""
    return replace(
        default,
        blink=replace(default.blink, task=task),
        evidence=replace(default.evidence, trusted_signers=credentials.signers(trust) if trust else ""),
        calibration=replace(default.calibration, text=text, language=language),
    )
