"""The command ``forensics``: thin; what it prints on stdout is for people, the case holds the results."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.errors import CaseError, ForensicsError, IntegrityError
from forensics.text import for_terminal, joined

if TYPE_CHECKING:
    from forensics import pipeline
    from forensics.case import Case
    from forensics.timeline import Interval

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Measure what can be said about whether a recording of a speaking person was altered.",
)

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
        typer.Option("--controls", help="Also plant known alterations in this recording: which of them would be told?"),
    ] = False,
    examiner: Examiner = None,
    role: Role = None,
) -> None:
    """Examine CLIP and write findings.json, report.html, report.pdf and summary.pdf into the case folder."""
    from forensics import custody, pipeline, transcript  # slow to import: not for --help
    from forensics.case import Case, disk_errors

    settings = replace(
        _settings(task, trust, calibration, language),
        transcript=transcript.Settings(text=transcript.read(words) if words else ""),
        controls=pipeline.controls.Settings(planted=planted),
        comparison=pipeline.comparison.Settings(relation=relation),
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
    """Plant known alterations in CLIP and in degraded copies of it: which would have been seen at this quality?

    Where CASE holds a report, part, settings and names are that report's (unless --from or --to say otherwise); it is
    written anew with the controls in it. The same as forensics report --controls, which takes all options of a report.
    """
    from forensics import custody, pipeline, replay  # slow to import: not for --help
    from forensics.case import Case, disk_errors

    asked = _interval(start, end)
    with disk_errors(), Case(out, Path(clip), actor=custody.actor(examiner, role)) as case:
        before, settings = replay.as_before(case.entries())
        settings = replace(settings, controls=pipeline.controls.Settings(planted=True))
        _reported(case, "controls", asked or before, settings, out)
        if discard:
            case.discard()
            head, entries = case.log_head()
            typer.echo(f"Copies removed. Custody log: {entries} entries; the head hash to note is now: {head}")


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
    settings: pipeline.Settings,
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


def _settings(task: str, trust: Path | None, calibration: str, language: str) -> pipeline.Settings:
    """What the options that reports and batches share ask for."""
    from forensics import credentials, pipeline
    from forensics.calibration import file as calibrations

    return pipeline.Settings(
        blink=pipeline.BlinkSettings(task=task),
        evidence=pipeline.EvidenceSettings(trusted_signers=credentials.signers(trust) if trust else ""),
        calibration=pipeline.CalibrationSettings(
            text=calibrations.read(calibration) if calibration else "", language=language
        ),
    )


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
    first, in a new folder, then run forensics report. Each act is logged and dated; the next report prints it.
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
def check(
    case_folder: Annotated[Path, typer.Argument(metavar="CASE", help="Folder of a case with a report.")],
) -> None:
    """Check the PDFs of CASE: words, sections, captions, texts for the blind, intervals, and where each number stands.

    Changes nothing. The PDFs are laid out from report.json; that they are these very PDFs is for forensics verify.
    """
    from forensics.report import checking

    faults = checking.check(case_folder)
    for fault in faults:
        typer.echo(for_terminal(fault, longest=1000))
    if faults:
        raise CaseError(
            "E_REPORT_FAULTS",
            f"The report has {len(faults)} faults, first: {for_terminal(faults[0], longest=1000)}",
            "Make the report anew with this version; if a fault stays, it is the software's.",
        )
    typer.echo("No fault was found. What such a check cannot see: whether the words are the right ones.")


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


@app.command()
def verify(
    case_folder: Annotated[Path, typer.Argument(metavar="CASE", help="Folder of a case; a read-only copy will do.")],
    clip: Annotated[str | None, typer.Option(help="The recording, to verify it too. It is only read.")] = None,
    head: Annotated[str | None, typer.Option(help="Hash of a log entry noted elsewhere: is it in this log?")] = None,
    log: Annotated[bool, typer.Option("--log", help="Append the result to the custody log.")] = False,
    examiner: Examiner = None,
    role: Role = None,
) -> None:
    """Recompute CASE from its data: the log's chain, each output, the evidence; name the first bad entry.

    Changes nothing, unless --log asks for an entry. Says at the end what a chain of hashes cannot show.
    """
    from forensics import custody
    from forensics.case import CaseFolder, disk_errors
    from forensics.clip import hashes, opened

    evidence = None
    if clip is not None:
        with opened(Path(clip)) as fd:
            evidence = hashes(fd)
    found = custody.verify(case_folder, evidence, head)
    if log:
        with disk_errors(), CaseFolder(case_folder, actor=custody.actor(examiner, role)) as case:
            case.log("checked", verdicts=[v.code for v in found.verdicts], head=found.head, clip_read=clip is not None)
    for verdict in found.verdicts:
        typer.echo(f"{verdict.code}: {for_terminal(verdict.sentence, longest=1000)}")
    typer.echo(f"{found.entries} log entries and {found.files} files recomputed; head hash {found.head}")
    typer.echo("What a chain of hashes cannot show:")
    for sentence in found.cannot_show:
        typer.echo(f"- {sentence}")
    if found.bad:
        first = found.bad[0]
        raise IntegrityError(
            "INTEGRITY_FAILED",
            f"{len(found.bad)} of what was recomputed is not as the log tells, first {first.code}: "
            f"{for_terminal(first.sentence, longest=1000)}",
            "Compare with a copy kept elsewhere.",
        )
    typer.echo("Everything recomputed is in order.")


@app.command()
def replay(
    case_folder: Annotated[Path, typer.Argument(metavar="CASE", help="Folder of a finished case.")],
    clip: Annotated[str, typer.Argument(help="Its recording, or a copy of it. It is only read.")],
    out: Annotated[Path | None, typer.Option(help="Keep the new examination in this new folder.")] = None,
    beside: Annotated[
        list[Path] | None,
        typer.Option("--reference", help="The recording of a reference of the case; give the option once for each."),
    ] = None,
    examiner: Examiner = None,
    role: Role = None,
) -> None:
    """Examine CLIP again with CASE's settings and names, in a fresh folder; say whether the findings are the same.

    The verdict is appended to CASE's custody log, with the name and role of who replays (else: second examiner).
    """
    from forensics import custody, replay  # slow to import: not for --help
    from forensics.case import CaseFolder, disk_errors

    who = custody.actor(examiner, role, otherwise="second examiner")
    with disk_errors(), CaseFolder(case_folder, actor=who) as case:
        found = replay.replay(case, Path(clip), out, progress=Bar(), beside=beside or ())
    for line in found.lines():
        typer.echo(for_terminal(line, longest=1000))
    if found.verdict == replay.DIFFERS:
        print(f"REPLAY_DIFFERS: {found.sentence} Look at what differs; ask which software made each.", file=sys.stderr)
        raise typer.Exit(DIFFERS)


@app.command()
def notebook(
    lesson: Annotated[str, typer.Argument(metavar="NAME", help="Name of a notebook, as 03_lipsync.")],
    clip: Annotated[str, typer.Argument(help="The recording: a video or sound file. It is only read.")],
    out: Annotated[Path, typer.Option(help="Folder for NAME.html, NAME.ipynb and cases/; made if needed.")],
    examiner: Examiner = None,
    role: Role = None,
) -> None:
    """Run one of the notebooks on CLIP and write it as a page without code, with its own controls beside.

    The recording gets a case with its report in OUT/cases, as from forensics report; the notebook reads that case. The
    notebooks lie in notebooks/ of this software's checkout, and their controls in samples/out (make samples). It needs
    pip install 'forensics[notebooks]'.
    """
    from forensics import custody  # slow to import: not for --help
    from forensics import notebook as lessons
    from forensics.case import disk_errors

    with disk_errors():
        page = lessons.run(lesson, Path(clip), out, custody.actor(examiner, role), progress=Bar())
    typer.echo(f"Page: {for_terminal(str(page), longest=4096)}; with its code: {for_terminal(page.stem)}.ipynb")


@app.command()
def info(clip: Annotated[str, typer.Argument(help="The recording. It is only read.")]) -> None:
    """Print hashes and what CLIP declares about itself, without decoding it."""
    from forensics.clip import identify, opened

    with opened(Path(clip)) as fd:
        about = identify(Path(clip), fd)
    typer.echo(
        f"SHA-256   {about.sha256}\nSHA-512   {about.sha512}\nsize      {about.size_bytes} bytes\n"
        f"container {for_terminal(about.declared['container'])}, "
        f"declared {about.declared['declared_duration_s']} s from {about.declared['declared_start_s']} s"
    )
    for stream in about.declared["streams"]:
        chosen = "examined" if stream["index"] in (about.picture, about.sound) else "not examined"
        facts = joined((joined(fact, " ") for fact in stream.items() if fact[0] not in ("index", "kind", "tags")), ", ")
        typer.echo(f"stream {stream['index']}  {stream['kind']}, {chosen}: {for_terminal(facts)}")
    for key, value in about.declared["tags"].items():
        typer.echo(f"tag       {for_terminal(key)}: {for_terminal(value)}")


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
        moving = dict.fromkeys(row["question"] for row in validation.moving(figures["confounds"]))
        typer.echo(f"Scores that move with copies, as far as these tell: {', '.join(moving) or 'none'}.")
    typer.echo(f"Figures: {for_terminal(str(out / 'validation.html'), longest=4096)}")
    if seal is not None:
        typer.echo(f"Calibration: {for_terminal(str(out / 'calibration.json'), longest=4096)}")
    if any(code.startswith(validation.CRASHED) for code in refused):
        raise typer.Exit(1)  # a defect of ours, told above: figures without these recordings are not the table's


class CtrlC:
    """Ctrl-C, remembered: Python drops the KeyboardInterrupt that falls into a destructor or a library's callback."""

    pressed = False

    @classmethod
    @contextmanager
    def remembered(cls) -> Iterator[None]:
        """Where Ctrl-C raises KeyboardInterrupt it is noted too; where it is ignored, as behind nohup, it stays so."""
        cls.pressed, before = False, signal.getsignal(signal.SIGINT)
        if before is not signal.default_int_handler:
            yield
            return
        signal.signal(signal.SIGINT, cls._note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    @classmethod
    def _note(cls, *_: object) -> None:
        cls.pressed = True
        raise KeyboardInterrupt

    @classmethod
    def raise_if_pressed(cls) -> None:
        if cls.pressed:
            raise KeyboardInterrupt


class Bar:
    """Progress with the time left: in place on a terminal, a line a step elsewhere. stderr is for refusals alone."""

    def __init__(self) -> None:
        self._began, self._what, self._terminal = time.monotonic(), "", sys.stdout.isatty()

    def __call__(self, what: str, share: float) -> None:
        CtrlC.raise_if_pressed()
        if what != self._what:
            self._began, self._what = time.monotonic(), what
            if not self._terminal:
                print(what, flush=True)
        if self._terminal:
            gone = time.monotonic() - self._began
            left = f"about {gone / share - gone:.0f} s left" if 0.02 < share < 1 else ""
            print(f"\r\033[K{what} {share:4.0%} {left}", end="\n" if what == "done" else "", flush=True)


def main() -> None:
    """Entry point: refusals as one line with their code, and the exit status of their kind."""
    # Limits of BLAS threads are read when numpy loads, so they are set before anything imports it.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # for terminals of few characters
    try:
        with CtrlC.remembered():
            app()
    except ForensicsError as error:
        print(for_terminal(str(error), longest=4096), file=sys.stderr)  # a child that reads evidence may have worded it
        sys.exit(INTEGRITY if isinstance(error, IntegrityError) else REFUSED)
    except SystemExit as ended:
        if ended.code == INTERRUPTED:  # typer's answer to Ctrl-C
            print("E_INTERRUPTED: Stopped. Finished parts are kept; run again to continue.", file=sys.stderr)
        raise


if __name__ == "__main__":
    main()
