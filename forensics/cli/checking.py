"""Commands that look and change nothing: check, verify, replay, info."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from forensics.cli.app import DIFFERS, Examiner, Role, app
from forensics.cli.terminal import Bar
from forensics.errors import CaseError, IntegrityError
from forensics.text import for_terminal, joined


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
