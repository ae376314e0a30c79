"""Examine a case's evidence again, from the bytes, with the settings, names and strike-outs of its log: the same?

Whoever replays needs the case folder and the recording. The observation is made anew in a fresh folder, never taken
from the case's cache; the verdict is appended to the case's log with the actor's name and role.

Identical: the same bytes of ``findings.json``. Equal within tolerance: each number of a measurement within the
resolution it is printed at, or within ``SHARE`` of its interval; any other number within one unit of its last printed
place; words and counts equal. Else: exactly what differs, the software that differs first.

Not to be trusted: as a test of the methods. The same software makes the same mistakes again.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from forensics import naming, pipeline, references, striking
from forensics.case import Case, CaseFolder, write
from forensics.clip import hashes, opened
from forensics.custody import Entry
from forensics.errors import CaseError, ForensicsError, MediaError, ParameterError
from forensics.finding import DIGITS
from forensics.finished import FINDINGS, Run, run_of
from forensics.method import restored
from forensics.report.record import dumps, findings_json
from forensics.timeline import Interval

#: Verdicts.
IDENTICAL, EQUAL, DIFFERS = "identical", "equal_within_tolerance", "differs"
SENTENCES = {
    IDENTICAL: "The findings are identical, byte by byte.",
    EQUAL: "The findings are equal within tolerance.",
    DIFFERS: "The findings differ.",
}
#: Of a measurement's interval: a difference of a tenth of it changes no reading. Own rule; processors that order sums
#: otherwise move values by far less (tests/test_pipeline.py).
SHARE = 0.1
#: Differences kept in the log and printed; the rest is counted.
MOST_LISTED = 40
#: s by which the bounds of a track may differ for a name to be given to the same one: a few pictures.
SAME_TRACK_S = 0.5
#: Parts of ``findings.json`` that say how it was made: told first, and no difference of the findings by themselves.
MAKING = ("software", "methods", "method", "settings", "findings_sha256")


@dataclass(frozen=True)
class Difference:
    """Where ``findings.json`` differs: the value stored, the value now; ``within`` tolerance; ``making``: how made."""

    where: str
    was: Any
    now: Any
    within: bool = False
    making: bool = False

    def line(self) -> str:
        remark = " (within tolerance)" if self.within else ""
        return f"{self.where}: {_short(self.was)} became {_short(self.now)}{remark}"


@dataclass(frozen=True)
class Replay:
    """What came out: the verdict, what differs, and a remark where the stored findings are not the log's."""

    verdict: str
    differences: tuple[Difference, ...]
    findings_sha256: str
    remark: str = ""

    @property
    def sentence(self) -> str:
        return SENTENCES[self.verdict]

    def lines(self) -> Iterator[str]:
        """The result in words, a line each."""
        yield self.sentence
        if self.remark:
            yield self.remark
        yield from (difference.line() for difference in self.differences[:MOST_LISTED])
        if len(self.differences) > MOST_LISTED:
            yield f"and {len(self.differences) - MOST_LISTED} more"


def replay(
    case: CaseFolder,
    evidence: Path,
    out: Path | None = None,
    progress: Callable[[str, float], None] = lambda what, share: None,
    beside: Sequence[Path] = (),
) -> Replay:
    """Examine ``evidence`` again as the case's findings were made, compare, and log the verdict in the case.

    ``out``: a new folder that keeps the new examination; else it is made in a temporary one. ``beside``: the
    recordings of the case's references, in any order; they are examined again too. Raises CaseError where the case is
    not finished or ``E_REFERENCES_NEEDED``, MediaError ``E_OTHER_FILE`` where a recording is not the case's.
    """
    stored, run = _finished(case)
    case.log("replay_started", software_sha256=run.opened["software_sha256"], findings_sha256=run.findings_sha256)
    try:
        _check(evidence, run, case, out)
        recordings = _recordings(run, beside)
        with ExitStack() as stack:
            folder = out or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="replay-"))) / "case"
            fresh = stack.enter_context(Case(folder, evidence, actor=case.actor))
            stack.enter_context(fresh.run("replay"))
            cases = _references(fresh, run, recordings, progress)
            record, remark = _again(fresh, run, progress, cases)
            content = dumps(record).encode()
            write(folder / FINDINGS, content)
            digest = hashlib.sha256(content).hexdigest()
            fresh.log("findings_written", outputs={FINDINGS: digest})
    except ForensicsError as error:
        case.log("replay_refused", code=error.code)
        raise
    found = compare(stored, content)
    if hashlib.sha256(stored).hexdigest() != run.findings_sha256:
        remark += " The stored findings.json is not the one the log tells of: run forensics verify."
    found = replace(found, findings_sha256=digest, remark=remark.strip())
    case.log(
        "replayed",
        verdict=found.verdict,
        remark=found.remark,
        findings_sha256=digest,
        versions=pipeline.versions(),
        differences=[d.line() for d in found.differences[:MOST_LISTED]],
        differing=len(found.differences),
    )
    return found


def _finished(case: CaseFolder) -> tuple[bytes, Run]:
    run = run_of(case.entries())
    try:
        return (case.folder / FINDINGS).read_bytes(), run
    except FileNotFoundError as error:
        raise CaseError("E_NOT_FINISHED", "findings.json is not in the case.", "Run forensics verify.") from error


def _check(evidence: Path, run: Run, case: CaseFolder, out: Path | None) -> None:
    """The recording is the case's; the new folder is new, and not inside the case."""
    with opened(evidence) as fd:
        if hashes(fd) != (run.opened["sha256"], run.opened["sha512"]):
            raise MediaError(
                "E_OTHER_FILE",
                "This is not the case's recording.",
                "Name its recording, or a true copy of it.",
            )
    if out is not None and (out.exists() or out.resolve().is_relative_to(case.folder.resolve())):
        raise CaseError("E_CASE_PLACE", "The folder for the replay is there, or in the case.", "Name a new one.")


def _recordings(run: Run, beside: Sequence[Path]) -> list[Path]:
    """The files of the case's references in their order; one may serve for several parts of it."""
    found = {}
    for place in beside:
        with opened(place) as fd:
            found[hashes(fd)] = place
    known = [(given["sha256"], given["sha512"]) for given in run.references]
    if missing := [g["name"] for g, own in zip(run.references, known, strict=True) if own not in found]:
        raise CaseError(
            "E_REFERENCES_NEEDED",
            f"The case was compared with references that were not given: {', '.join(missing)}.",
            "Name the recording of each with --reference.",
        )
    if set(found) - set(known):
        raise MediaError(
            "E_OTHER_FILE", "A reference is not one of the case's.", "Name the recordings that its report lists."
        )
    return [found[own] for own in known]


def _references(
    fresh: Case, run: Run, recordings: Sequence[Path], progress: Callable[[str, float], None]
) -> list[Path]:
    """Finished cases of the references, examined again each by the part and names that the log tells."""
    made = []
    for given, recording in zip(run.references, recordings, strict=True):
        settings = asdict(references.alone(settings_of(run)))
        own = replace(
            run,
            opened={**run.opened, "settings": settings, "interval": given["interval"]},
            observed={"tracks": given["tracks"]},
            names=given["names"],
            struck=(),
            references=(),
        )
        with fresh.beneath(given["name"], recording) as case, case.run("replay"):
            record, _ = _again(case, own, progress)
            content = dumps(record).encode()
            write(case.folder / FINDINGS, content)
            case.log("findings_written", outputs={FINDINGS: hashlib.sha256(content).hexdigest()})
            made.append(case.folder)
    return made


def settings_of(run: Run) -> pipeline.Settings:
    """As the run's first entry tells them. Raises CaseError ``E_CASE_VERSION`` where this version has others."""
    told = dict(run.opened["settings"])
    if not told.get("controls", {}).get("planted"):
        told.pop("controls", None)  # of another version they would be no reason to refuse: nothing was planted
    try:
        return restored(pipeline.Settings, told)
    except ParameterError as error:
        versions = ", ".join(f"{name} {version}" for name, version in sorted(run.opened["versions"].items()))
        raise CaseError(
            "E_CASE_VERSION",
            f"Its settings are of another version ({error.sentence})",
            f"Replay it with {versions}.",
        ) from error


def as_before(entries: Sequence[Entry]) -> tuple[Interval | None, pipeline.Settings]:
    """Part and settings of the run that made a case's findings; all of the clip and the usual ones without any."""
    try:
        run = run_of(entries)
    except CaseError:
        return None, pipeline.Settings()
    if run.references:
        raise CaseError(
            "E_REFERENCES_NEEDED",
            "The case's last report compares with references, which this command does not take.",
            "Use forensics report --controls with the same --reference.",
        )
    return run.interval, settings_of(run)


def _again(
    fresh: Case, run: Run, progress: Callable[[str, float], None], beside: Sequence[Path] = ()
) -> tuple[dict[str, Any], str]:
    """The findings made anew, and a remark where the case's names or strike-outs could not be given."""
    settings = settings_of(run)
    examination, remark = pipeline.examine(fresh, run.interval, settings, progress, beside), ""
    again = False
    if run.names and _alike(run.observed.get("tracks", ()), naming.observed(fresh.state())["tracks"]):
        naming.give(fresh, [f"{key}={name}" for key, name in run.names.items()])
        again = True
    elif run.names:
        remark = "Other faces were followed than those that were named: the names were not applied."
    if run.struck and {p["number"] for p in striking.aligned_in(fresh.state())["phonemes"]}.issuperset(run.struck):
        striking.give(fresh, run.struck, "as in the case that is replayed")
        again = True
    elif run.struck:
        remark += " The words were aligned otherwise: what was struck out was not."
    if again:
        examination = pipeline.examine(fresh, run.interval, settings, progress, beside)
    return findings_json(examination), remark.strip()


def _alike(before: Sequence[Sequence[Any]], now: Sequence[Mapping[str, Any]]) -> bool:
    """The same tracks, by name and bounds."""
    return len(before) == len(now) and all(
        a[0] == b["name"] and abs(a[1] - b["start_s"]) <= SAME_TRACK_S and abs(a[2] - b["end_s"]) <= SAME_TRACK_S
        for a, b in zip(before, now, strict=True)
    )


# -- comparison ------------------------------------------------------------------------------------------------------


def compare(stored: bytes, now: bytes) -> Replay:
    """Two ``findings.json``: the verdict and what differs."""
    digest = hashlib.sha256(now).hexdigest()
    if stored == now:
        return Replay(IDENTICAL, (), digest)
    try:
        before = json.loads(stored)
    except (ValueError, RecursionError):
        return Replay(DIFFERS, (Difference("findings.json", "text that is no JSON", "the findings"),), digest)
    found = sorted(differences(before, json.loads(now)), key=lambda d: (not d.making, d.within))
    differs = any(not (d.within or d.making) for d in found) or not found  # not found: other bytes, the same values
    return Replay(DIFFERS if differs else EQUAL, tuple(found), digest)


def differences(was: Any, now: Any, where: str = "", making: bool = False) -> Iterator[Difference]:
    """Leaf by leaf, in the order of the stored one."""
    if isinstance(was, dict) and isinstance(now, dict):
        measured = {"value", "low", "high", "unit"} <= was.keys() & now.keys()
        for key in [*was, *(key for key in now if key not in was)]:
            place, how = f"{where}.{key}".lstrip("."), making or key in MAKING
            if key not in was or key not in now:
                yield Difference(place, was.get(key, "nothing"), now.get(key, "nothing"), making=how)
            elif measured and key in ("value", "low", "high"):
                yield from _numbers(was[key], now[key], place, how, _tolerance(was))
            else:
                yield from differences(was[key], now[key], place, how)
    elif isinstance(was, list) and isinstance(now, list):
        before, after = _by_name(was), _by_name(now)
        for key in [*before, *(key for key in after if key not in before)]:
            place = f"{where}[{key}]"
            if key not in before or key not in after:
                yield Difference(place, before.get(key, "nothing"), after.get(key, "nothing"), making=making)
            else:
                yield from differences(before[key], after[key], place, making)
    else:
        yield from _numbers(was, now, where, making, None)


def _by_name(rows: Sequence[Any]) -> dict[str, Any]:
    """Findings by question and person, measurements and tracks by name, anything else by its place."""
    names = []
    for place, value in enumerate(rows):
        row = value if isinstance(value, dict) else {}
        name = row.get("question") or row.get("name")
        names.append(f"{name}, {row['person']}" if name and row.get("person") else str(name or place))
    return dict(zip(names if len(set(names)) == len(names) else map(str, range(len(rows))), rows, strict=True))


def _tolerance(measurement: Mapping[str, Any]) -> float:
    """Of a measurement's numbers, in its unit."""
    low, high = measurement["low"], measurement["high"]
    width = high - low if _is_number(low) and _is_number(high) else 0.0
    return max(10.0 ** -DIGITS.get(measurement["unit"], 9), SHARE * width)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbers(was: Any, now: Any, where: str, making: bool, tolerance: float | None) -> Iterator[Difference]:
    if was == now and type(was) is type(now):
        return
    within = False
    if _is_number(was) and _is_number(now) and isinstance(was + now, float):
        tolerance = 10.0 ** -max(map(_places, (was, now))) if tolerance is None else tolerance
        within = abs(was - now) <= tolerance * (1 + 1e-6)  # decimal fractions are not exact
    yield Difference(where, was, now, within, making)


def _places(number: float) -> int:
    """Digits printed behind the point."""
    text = f"{number:f}" if "e" in repr(number) else repr(number)
    return len(text.partition(".")[2])


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:80] + "…"
