"""The custody log: who did what, when, to which item, with which result. Pure functions over its lines; and ``verify``.

One JSON object a line in ``custody.jsonl``, appended only. Each holds the hash of the one before and its own:

    n           number, from 1                     previous, hash   of the entry before, of this one (SHA-256)
    utc         with offset; local_offset: the machine's own        clock     its source, and whether it is synchronised
    actor, role who acts, in words; account: who the system says    host, software
    action      opened, derived, named, refused, reported …         item      SHA-256 of the evidence
    outputs     by file of the case: its SHA-256, null once gone    case_sha256   of case.json as it is after the entry

Reference: hash chains as in Schneier & Kelsey 1999, ACM TISSEC 2(2), without their secret keys: nothing is signed.
Not to be trusted: against one who holds the case and writes all of it anew. Every result prints ``CANNOT_SHOW``.
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import importlib.metadata
import json
import os
import pwd
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from forensics.errors import CaseError

LOG, LOCK, STATE = "custody.jsonl", ".lock", "case.json"
#: What runs make, by the first part of its name.
OUTPUTS = (
    *("findings.json", "report.html", "report.json", "report.pdf", "summary.pdf"),
    *("charts", "tables", "stills", "exhibits"),
)
CACHE, EARLIER = "cache", "earlier"
#: Holds the cases of references, and of copies that a validation examined, each with a log of its own.
REFERENCES = "references"
#: Copies made of the evidence; ``forensics controls --discard`` removes them.
DERIVATIONS = "derivations"
#: Folders that a run leaves to the next one: its outputs go, these stay.
KEPT = (CACHE, DERIVATIONS)
#: Ends of a run, as entries tell them under ``run``, that left its result.
FINISHED = ("examined", "reported", "validated")
#: Actions behind which a run is over, however it ended.
ENDED = ("reported", "refused", "interrupted", "broke_off")
#: The action of an entry that tells of a ``case.json`` left behind by a run that broke off.
STATE_KEPT = "state_kept"
#: What the first entry stands on.
START = "0" * 64
#: Characters of an actor's name and role: one line of a table holds them.
LONGEST = 60
#: Fewest characters of a head hash that are compared: 48 bits, which chance does not hit.
SHORTEST_HEAD = 12

Entry = Mapping[str, Any]

#: What no chain of hashes can show.
CANNOT_SHOW = (
    "A lost tail: where the last entries were removed together with all that they tell of, the rest is still a chain. "
    "Compare the head hash with one noted elsewhere (--head).",
    "A whole rewrite: who holds the case can make all of it anew, hashes included. Only a head hash or a copy kept "
    "elsewhere shows that.",
    "The clock: times are those of the machine; whether it was right is not shown, only what its kernel said.",
    "The person: names and roles are as given; only the account is the system's.",
)


# -- one entry -------------------------------------------------------------------------------------------------------


def canonical(values: Any) -> str:
    """JSON with one spelling: sorted keys, no NaN."""
    return json.dumps(values, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def sealed(values: Entry) -> dict[str, Any]:
    """The entry with its own hash."""
    return {**values, "hash": hashlib.sha256(canonical(values).encode()).hexdigest()}


def line_of(entry: Entry) -> bytes:
    return canonical(entry).encode() + b"\n"


def sound(line: bytes) -> dict[str, Any] | None:
    """The entry of a line (without its line feed); None where any character is not as it was written."""
    try:
        entry = json.loads(line)
        values = {key: value for key, value in entry.items() if key != "hash"}
        return entry if canonical(sealed(values)).encode() == line and _shaped(entry) else None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _shaped(entry: Entry) -> bool:
    """The fields that are read here have the kinds they are written with: a case may come from anyone."""
    texts = all(isinstance(entry[key], str) for key in ("previous", "utc", "action"))
    tables = (entry.get("outputs", {}), entry.get("found", {}), entry.get("cases", {}))
    hashes = all(isinstance(digest, str | None) for table in tables for digest in table.values())
    given = entry["references"] if entry["action"] == "references" else ()
    told = all(
        isinstance(r["case"], str | None) and all(isinstance(r[key], str) for key in ("name", "findings_sha256"))
        for r in given
    )
    return type(entry["n"]) is int and entry["n"] > 0 and texts and hashes and told


def split(content: bytes) -> tuple[list[bytes], bytes]:
    """Whole lines without their line feeds, and what stands behind the last line feed: b"" in a whole log."""
    *lines, rest = content.split(b"\n")
    return lines, rest


# -- who, when, with what --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Actor:
    """Who acts, in which role, in words."""

    name: str
    role: str = "examiner"

    def __post_init__(self) -> None:
        for text in (self.name, self.role):
            if not text.strip() or len(text) > LONGEST or not text.isprintable():
                raise CaseError(
                    "E_ACTOR",
                    f"The examiner's name and role have 1 to {LONGEST} characters that show themselves.",
                    "Mend --examiner, --role or the variables FORENSICS_EXAMINER, FORENSICS_ROLE.",
                )


def actor(name: str | None = None, role: str | None = None, otherwise: str = "examiner") -> Actor:
    """As given, else as the environment says, else the account in the role ``otherwise``."""
    return Actor(
        name or os.environ.get("FORENSICS_EXAMINER") or account(),
        role or os.environ.get("FORENSICS_ROLE") or otherwise,
    )


def account() -> str:
    """Who the system says this is: by number, not by variables that anyone sets."""
    with suppress(KeyError):
        return pwd.getpwuid(os.getuid()).pw_name
    return f"uid {os.getuid()}"


class _Timex(ctypes.Structure):
    """Head of Linux's struct timex (linux/timex.h), and room for the rest of it."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


def clock_source() -> dict[str, Any]:
    """The system clock, and what the kernel says of it; ``synchronised`` is None where that is not known."""
    about: dict[str, Any] = {"source": "system clock", "synchronised": None}
    with suppress(AttributeError, OSError):
        timex = _Timex()  # modes 0: asks, sets nothing
        state = ctypes.CDLL(None).adjtimex(ctypes.byref(timex))
        if state >= 0:
            unsynchronised = state == 5 or bool(timex.status & 0x40)  # TIME_ERROR, STA_UNSYNC
            about["synchronised"] = not unsynchronised
            if not unsynchronised:
                about["largest_error_ms"] = timex.maxerror / 1000
    return about


def local_offset(now: datetime) -> str:
    """The machine's own offset from UTC at that time: ``+05:30``."""
    text = now.astimezone().strftime("%z")
    return f"{text[:3]}:{text[3:5]}"


def software() -> str:
    return f"forensics {importlib.metadata.version('forensics')}"


def package_sha256(package: Path = Path(__file__).parent) -> str:
    """One hash of all files of the package, by name: a change of any changes it."""
    files = sorted(p for p in package.rglob("*") if p.is_file() and p.suffix != ".pyc")
    parts = {p.relative_to(package).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
    return hashlib.sha256(canonical(parts).encode()).hexdigest()


# -- what entries tell -----------------------------------------------------------------------------------------------


def told(entries: Iterable[Entry]) -> dict[str, tuple[str, int]]:
    """By file of the case: its SHA-256 as last told, and the entry that tells it."""
    found: dict[str, tuple[str, int]] = {}
    for entry in entries:
        for name, digest in entry.get("outputs", {}).items():
            if digest is None:
                found.pop(name, None)
            else:
                found[name] = (digest, entry["n"])
    return found


def of_last_run(entries: Sequence[Entry]) -> Sequence[Entry]:
    """The entries of the last run; of one that no command began, those behind the end of the one before."""
    begins = [
        k
        for k, entry in enumerate(entries)
        if entry["action"] == "started" or (k and entries[k - 1]["action"] in ENDED)
    ]
    return entries[begins[-1] if begins else 0 :]


def left_behind(entries: Sequence[Entry], state_sha256: str | None) -> bool:
    """``case.json`` is the one before the last entry: a run broke off between the two, perhaps again in saying so."""
    for before, entry in zip(reversed(entries[:-1]), reversed(entries), strict=False):
        if state_sha256 == before.get("case_sha256"):
            return True
        if entry["action"] != STATE_KEPT:
            return False
    return state_sha256 is None  # it broke off at the first entry


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def named(path: Path, folder: Path) -> str:
    """The file's name in the case, as the log can hold it."""
    return os.fsencode(path.relative_to(folder).as_posix()).decode(errors="backslashreplace")


# -- verify ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """One thing found: a code, one sentence, the entry it is about. ``bad`` False: a remark."""

    code: str
    sentence: str
    entry: int | None = None
    bad: bool = True


@dataclass(frozen=True)
class Verification:
    """What was found, the first bad entry first; how much there is; the last entry's hash."""

    verdicts: tuple[Verdict, ...]
    entries: int
    files: int
    head: str
    cannot_show: tuple[str, ...] = field(default=CANNOT_SHOW)

    @property
    def bad(self) -> tuple[Verdict, ...]:
        return tuple(v for v in self.verdicts if v.bad)


def verify(folder: Path, evidence: tuple[str, str] | None = None, head: str | None = None) -> Verification:
    """Recompute the case in ``folder`` from its data: the chain, each output, case.json, and the evidence.

    ``evidence`` is (SHA-256, SHA-512) of the recording as it is now, None where it is not at hand. ``head`` is the
    hash, or its first 12 characters or more, of an entry noted elsewhere.

    Writes nothing, not even that it was run: it must work on a read-only copy at another examiner's desk, and an act
    of checking must not change what is checked. ``forensics verify --log`` appends the result for those who want it.
    Raises CaseError where the folder holds no case, or a run is changing it.
    """
    folder = Path(folder)
    if not (folder / LOG).is_file():
        raise CaseError("E_NO_CASE", "This folder holds no case.", "Name the folder given to forensics report --out.")
    _refuse_a_running_case(folder)
    lines, rest = split((folder / LOG).read_bytes())
    chain = check_chain(lines, rest)
    entries = sorted(filter(None, map(sound, lines)), key=lambda entry: entry["n"])
    doubt = max((v.entry or 0 for v in chain if v.code != "ENTRIES_REORDERED"), default=0)
    case = _check_state(folder, entries, doubt)
    short = any(v.code == "LOG_SHORTER" for v in case)
    found = dict(_files(folder))
    beneath = {name: verify(place) for name, place in _references(folder)}
    verdicts = [
        *chain,
        *case,
        *_check_files(found, told(entries), doubt, short),
        *_check_references(entries, folder, beneath),
        *_check_history(entries),
        *_check_evidence(entries, evidence),
        *_check_head(entries, head),
    ]
    last = entries[-1] if entries else {"hash": START}
    return Verification(tuple(verdicts), len(lines), len(found), last["hash"])


def _references(folder: Path) -> list[tuple[str, Path]]:
    """The cases of references inside this one, by name; links are not followed."""
    place = folder / REFERENCES
    if place.is_symlink() or not place.is_dir():
        return []
    cases = sorted(p for p in place.iterdir() if not p.is_symlink() and (p / LOG).is_file())
    return [(named(path, folder), path) for path in cases]


def _check_references(entries: Sequence[Entry], folder: Path, beneath: Mapping[str, Verification]) -> Iterator[Verdict]:
    """The references of the last comparison, and copies that were examined: their own cases, recomputed, and that their
    findings are those the log tells of.

    A reference that was given as a finished case lies elsewhere: a remark says so.
    """
    compared = next((e for e in reversed(entries) if e["action"] == "references"), None)
    given = compared["references"] if compared else ()
    n = compared["n"] if compared else None
    for name, found in beneath.items():
        yield from (Verdict(verdict.code, f"{name}: {verdict.sentence}", n) for verdict in found.bad)
    for one in given:
        if one["case"] is None:
            sentence = f"Reference {one['name']} was read from a case of its own elsewhere: verify that too."
            yield Verdict("REFERENCE_ELSEWHERE", sentence, n, False)
    told = {one["case"]: (n, one["findings_sha256"]) for one in given if one["case"] is not None}
    copied = (e for e in entries if e["action"] == "copied")
    told |= {name: (e["n"], digest) for e in copied for name, digest in e.get("cases", {}).items()}
    for name, (entry, digest) in told.items():
        if name not in beneath:
            sentence = f"{name} is not there; entry {entry} tells that it was compared with."
            yield Verdict("REFERENCE_GONE", sentence, entry)
        elif (findings := folder / name / "findings.json").is_file() and digest_of(findings) != digest:
            sentence = f"The findings of {name} are not those that entry {entry} compared with."
            yield Verdict("REFERENCE_CHANGED", sentence, entry)


def _refuse_a_running_case(folder: Path) -> None:
    if not (folder / LOCK).is_file():
        return
    with (folder / LOCK).open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CaseError(
                "E_CASE_LOCKED", "Another run is working on this case.", "Wait for it to end, then verify."
            ) from error


def check_chain(lines: Sequence[bytes], rest: bytes = b"") -> list[Verdict]:
    """The log alone: entries altered, removed, reordered, inserted; a torn last line. The first bad one first."""
    entries = [sound(line) for line in lines]
    numbers = {entry["n"] for entry in entries if entry}
    found: list[Verdict] = []
    seen: set[int] = set()
    last, last_n, gap = START, 0, 0
    for place, entry in enumerate(entries, 1):
        if entry is None:
            found.append(Verdict("ENTRY_ALTERED", f"Line {place} of the log is not as it was written.", place))
            gap += 1
            continue
        n, expected = entry["n"], last_n + gap + 1
        if n in seen:
            found.append(Verdict("ENTRY_INSERTED", f"Line {place} of the log holds entry {n} a second time.", n))
            continue
        if n == expected and not gap and entry["previous"] != last:
            altered = max(1, place - 1)  # the hash of the one before was recomputed
            found.append(
                Verdict("ENTRY_ALTERED", f"Entry {altered} is not the one that entry {n} was chained to.", altered)
            )
        elif n > expected or (n < expected and not (gap and n > last_n)):
            found.append(_out_of_place(place, n, expected, numbers))
        seen.add(n)
        last, last_n, gap = entry["hash"], n, 0
    found = [
        v for k, v in enumerate(found) if v.code != "ENTRIES_REORDERED" or v.code not in {w.code for w in found[:k]}
    ]
    if rest:
        found.append(
            Verdict(
                "LAST_LINE_TORN",
                f"The log's last line, {len(lines) + 1}, is cut off or damaged, as by a full disk.",
                len(lines) + 1,
            )
        )
    return sorted(found, key=lambda verdict: verdict.entry or 0)


def _out_of_place(place: int, n: int, expected: int, numbers: set[int]) -> Verdict:
    first = next((k for k in range(expected, n) if k not in numbers), None)
    if first is not None:
        last = next(k for k in range(n - 1, first - 1, -1) if k not in numbers)
        which = f"Entry {first} was" if first == last else f"Entries {first} to {last} were"
        return Verdict("ENTRY_REMOVED", f"{which} removed: entry {n} follows in line {place}.", first)
    return Verdict("ENTRIES_REORDERED", f"Line {place} of the log holds entry {n}: the order was changed.", place)


def _check_state(folder: Path, entries: Sequence[Entry], doubt: int) -> list[Verdict]:
    """case.json against the last entry; it says itself which entry it belongs to, so that a cut log shows."""
    if not entries or "case_sha256" not in (last := entries[-1]):
        return []
    if not (folder / STATE).is_file() or (folder / STATE).is_symlink():
        return [Verdict("LOG_LONGER", f"case.json is not there; entry {last['n']} tells of it.", last["n"])]
    content = (folder / STATE).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest == last["case_sha256"]:
        return []
    if doubt > last["n"]:
        return [Verdict("NOT_JUDGED", "case.json cannot be judged: the log's last entries are not sound.", bad=False)]
    if _newer(content, entries):
        return [
            Verdict("LOG_SHORTER", f"case.json is newer than the log, which ends with entry {last['n']}.", last["n"])
        ]
    if left_behind(entries, digest):
        return [
            Verdict(
                "LOG_LONGER",
                f"case.json is the one before entry {last['n']}: a run broke off there, or it was put back.",
                last["n"],
            )
        ]
    return [Verdict("OUTPUT_CHANGED", f"case.json is not as entry {last['n']} tells.", last["n"])]


def _newer(content: bytes, entries: Sequence[Entry]) -> bool:
    """case.json names a later entry than the last, and what that was chained to agrees: one changed digit does not."""
    last = entries[-1]
    try:
        belongs = json.loads(content)["log"]
        n, previous = belongs["entry"], belongs["previous"]
        if n == last["n"] + 1:
            return previous == last["hash"]
        return n > last["n"] and previous not in {entry["hash"] for entry in entries}
    except (ValueError, LookupError, TypeError, RecursionError):
        return False


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """All in the case but log, lock, case.json and the cases of references; links are not followed."""
    own = {name for name, _ in _references(folder)}
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if named(Path(place, name), folder) not in own]
        linked = [name for name in folders if Path(place, name).is_symlink()]
        for name in sorted(names + linked):
            path = Path(place, name)
            if path.parent != folder or name not in (LOG, LOCK, STATE):
                yield named(path, folder), path


def _check_files(
    found: Mapping[str, Path], expected: Mapping[str, tuple[str, int]], doubt: int, short: bool
) -> Iterator[Verdict]:
    """Each file against the entry that tells of it; ``doubt``: the last entry that is not sound."""
    for name, (digest, n) in sorted(expected.items(), key=lambda item: item[1][1]):
        path = found.get(name)
        if path is not None and stat.S_ISREG(path.lstat().st_mode) and digest_of(path) == digest:
            continue
        if doubt > n:
            yield Verdict("NOT_JUDGED", f"{name} cannot be judged: entry {doubt} is not sound.", n, False)
        elif short:
            yield Verdict("LOG_SHORTER", f"{name} is not as entry {n} tells: made after the log's end, or changed.", n)
        elif path is None:
            yield Verdict("LOG_LONGER", f"{name} is not there; entry {n} tells of it.", n)
        else:
            yield Verdict("OUTPUT_CHANGED", f"{name} is not as entry {n} tells.", n)
    for name in sorted(found.keys() - expected.keys()):
        parts = PurePosixPath(name).parts
        if name.endswith(".part") or any(part.endswith(".partial") for part in parts):
            yield Verdict("UNFINISHED_FILE", f"{name} is what a run that broke off left.", bad=False)
        elif doubt:
            yield Verdict("NOT_JUDGED", f"{name} cannot be judged: entry {doubt} of the log is not sound.", bad=False)
        elif is_output(name) and not found[name].is_symlink():
            yield Verdict("LOG_SHORTER", f"No entry tells of {name}: the log is shorter than the outputs.")
        else:
            yield Verdict("UNLISTED_FILE", f"No entry tells of {name}, and no run makes a file of this name.")


def is_output(name: str) -> bool:
    return PurePosixPath(name).parts[0] in (*OUTPUTS, *KEPT, EARLIER)


def _check_history(entries: Sequence[Entry]) -> Iterator[Verdict]:
    """What the log itself tells of: changes between runs, runs that broke off, a clock that went back."""
    for n, entry in enumerate(entries):
        number = entry["n"]
        if entry["action"] == "state_changed":
            yield Verdict("STATE_CHANGED", f"case.json had been changed by another hand before entry {number}.", number)
        elif entry["action"] == "torn_line":
            yield Verdict("TORN_LINE_KEPT", f"Entry {number} keeps a line that was cut off before it.", number, False)
        elif entry["action"] == "set_aside":
            before = told(entries[:n])
            for name, digest in entry.get("found", {}).items():
                if name in before and before[name][0] != digest:
                    sentence = f"{name} was not as entry {before[name][1]} tells when entry {number} set it aside."
                    yield Verdict("EARLIER_OUTPUT_CHANGED", sentence, number, False)
        if n and entry["utc"] < entries[n - 1]["utc"]:
            yield Verdict("CLOCK_BACK", f"The clock of entry {number} is behind that of the one before.", number, False)
    run = entries[-1].get("run") if entries else None
    if run not in (None, *FINISHED):
        yield Verdict("RUN_NOT_FINISHED", f"The last run has no result: {run}.", bad=False)


def _check_evidence(entries: Sequence[Entry], now: tuple[str, str] | None) -> Iterator[Verdict]:
    opened = next((e for e in reversed(entries) if e["action"] == "opened"), None)
    if opened is None:
        yield Verdict("EVIDENCE_NOT_AT_HAND", "No evidence was opened in this case yet.", bad=False)
    elif now is None:
        sentence = "The evidence was not given (--clip), so whether it is unchanged was not verified."
        yield Verdict("EVIDENCE_NOT_AT_HAND", sentence, opened["n"], False)
    elif now != (opened.get("sha256"), opened.get("sha512")):
        yield Verdict(
            "EVIDENCE_CHANGED", f"The recording is not the one that entry {opened['n']} tells of.", opened["n"]
        )


def _check_head(entries: Sequence[Entry], head: str | None) -> Iterator[Verdict]:
    if head is None:
        return
    head = head.strip().lower()
    if len(head) < SHORTEST_HEAD or set(head) - set("0123456789abcdef"):
        raise CaseError(
            "E_HEAD",
            f"A head hash has {SHORTEST_HEAD} characters or more, 0-9 and a-f.",
            "Copy it whole.",
        )
    known = next((e["n"] for e in entries if e["hash"].startswith(head)), None)
    if known is None:
        yield Verdict("HEAD_NOT_IN_LOG", "The head hash given is of no entry: this is another log, or it was cut.")
    else:
        sentence = f"The head hash given is that of entry {known}: up to there it is the same log."
        yield Verdict("HEAD_IN_LOG", sentence, known, False)
