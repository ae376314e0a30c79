"""The case folder: its lock, its state, its log, its cache. Nothing else writes the log and the cache.

    CASE/findings.json  report.html  report.pdf  summary.pdf  report.json  case.json  custody.jsonl
         charts/  tables/  stills/  exhibits/  cache/<key>/  derivations/<key>/  earlier/  references/<case>/

Each change of ``case.json`` is one entry of the log, written ahead of it: whatever is killed in between, the log tells
of every state the case was in. Outputs are told of behind their writing, whole; until then no entry knows them.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from forensics import custody
from forensics.custody import (
    CACHE,
    DERIVATIONS,
    EARLIER,
    KEPT,
    LOCK,
    LOG,
    OUTPUTS,
    REFERENCES,
    START,
    STATE,
    Actor,
    canonical,
)
from forensics.errors import CaseError, ForensicsError, IntegrityError

__all__ = ["LOCK", "LOG", "STATE", "Case", "CaseFolder", "canonical", "check_place", "disk_errors", "write"]

#: How the name of an unfinished folder of the cache ends.
PARTIAL = ".partial"
#: Bytes kept of a line that was cut off; entries are shorter, but for those that hold a list of trusted signers.
LONGEST_FRAGMENT = 16384
#: What an entry changes in ``case.json``: values, or a function of the entry that gives them.
Changes = Mapping[str, Any] | Callable[[Mapping[str, Any]], Mapping[str, Any]]


def write(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all, also where the power fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
        _to_disk(part)
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def _to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def is_or_holds(folder: Path, home: Path) -> bool:
    """Whether ``folder`` is the folder ``home``, or one in which that lies, links followed."""
    place, inner = Path(os.path.realpath(folder)), Path(os.path.realpath(home))
    return place == inner or place in inner.parents


def check_place(folder: Path, evidence: Path) -> None:
    """The case may lie in a folder of its own inside the evidence's folder, but not be it or hold it."""
    if is_or_holds(folder, Path(os.path.realpath(evidence)).parent):
        raise CaseError(
            "E_CASE_PLACE",
            "The case folder is the evidence's folder or holds it.",
            "Name a new folder for the case with --out.",
        )
    check_folder(folder)


def check_folder(folder: Path) -> None:
    """A case's folder is a case already, or empty, or not there yet."""
    if folder.exists() and not folder.is_dir():
        raise CaseError("E_CASE_PLACE", "The name given for the case is a file.", "Name a folder with --out.")
    if folder.is_dir() and any(p.name != LOCK for p in folder.iterdir()) and not (folder / LOG).exists():
        raise CaseError(
            "E_CASE_PLACE", "The folder given for the case holds other files.", "Name a new or empty folder with --out."
        )


def _refuse_links(folder: Path) -> None:
    """What runs write, move and remove lies in the case itself."""
    linked = [name for name in (LOG, STATE, *KEPT, EARLIER, REFERENCES, *OUTPUTS) if (folder / name).is_symlink()]
    if linked:
        raise CaseError(
            "E_CASE_PLACE",
            f"In the case folder {linked[0]} is a link that leads elsewhere.",
            "Name another folder with --out.",
        )


def _utc_now() -> datetime:
    return datetime.now(UTC)


class CaseFolder:
    """A case opened by its folder alone: its log and state, without its evidence, which may lie elsewhere by now.

    Use as a context manager: it holds the folder's lock until closed.
    """

    def __init__(self, folder: Path, clock: Callable[[], datetime] = _utc_now, actor: Actor | None = None):
        self.folder, self._clock, self.actor = Path(folder), clock, actor or custody.actor()

    def _prepare(self) -> None:
        """Refuse a folder that is no case, before anything is written there."""
        if not (self.folder / LOG).is_file():
            raise CaseError(
                "E_NO_CASE",
                "This folder holds no case.",
                "Name the folder that was given to forensics report with --out.",
            )

    def __enter__(self) -> Self:
        try:
            self._prepare()
            _refuse_links(self.folder)
            self._lock = (self.folder / LOCK).open("wb")
        except OSError as error:
            raise CaseError(
                "E_CASE_NOT_WRITABLE",
                f"The case folder cannot be written ({error.strerror}).",
                "Name another folder with --out.",
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise CaseError(
                "E_CASE_LOCKED",
                "Another run is working on this case.",
                "Wait for it to end, or name another folder with --out.",
            ) from error
        try:
            self._keep_torn_line()
        except BaseException:
            self._lock.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.close()

    def state(self) -> dict[str, Any]:
        """What belongs to this case and not to the evidence: ids, names, times."""
        with suppress(FileNotFoundError, ValueError, TypeError):
            return dict(json.loads((self.folder / STATE).read_text("utf-8")))
        return {}

    def update(self, **values: Any) -> None:
        """Change ``case.json`` alone; an entry tells which values."""
        self._change("noted", values)

    def _change(self, action: str, values: Mapping[str, Any]) -> None:
        state = self.state()
        if changed := sorted(key for key in values if key not in state or state[key] != values[key]):
            self.log(action, values, keys=changed)

    def now(self) -> str:
        """The clock's time as text, UTC."""
        return self._clock().isoformat(timespec="milliseconds")

    # -- log -----------------------------------------------------------------------------------------------------

    def log(self, action: str, changes: Changes | None = None, /, **details: Any) -> str:
        """Append one entry to the custody log, then change ``case.json`` as given; returns the entry's hash.

        ``outputs`` among the details are hashes by file name, None for what is gone.
        """
        last = self._tell_of_state(self.last_entry())
        return str(self._seal(last, action, changes or {}, details)["hash"])

    def _tell_of_state(self, last: dict[str, Any]) -> dict[str, Any]:
        """Log it where ``case.json`` is not the one of the entry ``last``; returns the log's last entry."""
        found = self._state_sha256()
        if found == last.get("case_sha256", found):
            return last
        action = custody.STATE_KEPT if custody.left_behind(self.entries(), found) else "state_changed"
        return self._seal(last, action, {}, {"found_sha256": found})

    def _seal(
        self,
        last: Mapping[str, Any],
        action: str,
        changes: Changes,
        details: Mapping[str, Any],
        behind: bytes | None = None,
    ) -> dict[str, Any]:
        """Write the entry that follows ``last``, then the state. ``behind``: the log to put it behind, written anew."""
        entry = self._stamp() | {"n": last["n"] + 1, "action": action, **details}
        values = changes(entry) if callable(changes) else changes
        link = {"log": {"entry": entry["n"], "previous": last["hash"]}}
        state = self.state() | dict(values) | link
        text = json.dumps(state, indent=1, sort_keys=True, ensure_ascii=False)
        entry |= {
            "item": state.get("evidence_sha256") or last.get("item"),
            "run": state.get("run"),
            "case_sha256": hashlib.sha256(text.encode()).hexdigest(),
            "previous": last["hash"],
        }
        entry = custody.sealed(entry)
        if behind is None:
            _append(self.folder / LOG, custody.line_of(entry))
        else:
            write(self.folder / LOG, behind + custody.line_of(entry))
        write(self.folder / STATE, text)
        return entry

    def _stamp(self) -> dict[str, Any]:
        """When, who, where, with what."""
        now = self._clock()
        own = self._clock is _utc_now
        return {
            "utc": now.isoformat(timespec="milliseconds"),
            "local_offset": custody.local_offset(now),
            "clock": custody.clock_source() if own else {"source": "given by the caller", "synchronised": None},
            "actor": self.actor.name,
            "role": self.actor.role,
            "account": custody.account(),
            "host": socket.gethostname(),
            "software": custody.software(),
        }

    def _state_sha256(self) -> str | None:
        with suppress(FileNotFoundError):
            return custody.digest_of(self.folder / STATE)
        return None

    def _log_content(self) -> bytes:
        with suppress(FileNotFoundError):
            return (self.folder / LOG).read_bytes()
        return b""

    def entries(self) -> list[dict[str, Any]]:
        """The log's sound entries."""
        return [entry for entry in map(custody.sound, custody.split(self._log_content())[0]) if entry]

    def log_head(self) -> tuple[str, int]:
        """Hash and number of the last entry."""
        entry = self.last_entry()
        return entry["hash"], entry["n"]

    def last_entry(self) -> dict[str, Any]:
        """The log's last entry; of a log not begun, what the first one stands on."""
        lines, rest = custody.split(self._log_content())
        if not lines and not rest and "log" not in self.state():
            return {"hash": START, "n": 0}
        last = custody.sound(lines[-1]) if lines and not rest else None
        if last is None:
            raise CaseError(
                "E_CASE_LOG",
                "The last line of the case's custody log is damaged or gone.",
                "Keep this case as it is, look at it with forensics verify, and name a new folder with --out.",
            )
        return last

    def _keep_torn_line(self) -> None:
        """A line that a full disk or a power failure cut off was never an entry: keep its text in one, and go on.

        Where a whole entry was cut off so, ``case.json`` is not the one of the entry before: that is logged too.
        """
        content = self._log_content()
        lines, rest = custody.split(content)
        last = custody.sound(lines[-1]) if lines else {"hash": START, "n": 0}
        if not rest or last is None:
            return
        told = last.get("case_sha256")
        fragment = {
            "fragment": rest[:LONGEST_FRAGMENT].decode(errors="backslashreplace"),
            "fragment_bytes": len(rest),
            "fragment_sha256": hashlib.sha256(rest).hexdigest(),
        }
        found = self._state_sha256()
        last = self._seal(last, "torn_line", {}, fragment, content[: -len(rest)])
        if found != told:
            self._seal(last, "state_changed", {}, {"found_sha256": found})

    # -- runs ----------------------------------------------------------------------------------------------------

    @contextmanager
    def run(self, command: str, **details: Any) -> Iterator[None]:
        """A run of a command: its start and, where it does not come to its end, how it broke off, in log and state."""
        self.log("started", {"run": "running"}, command=command, run_before=self.state().get("run"), **details)
        try:
            yield
        except BaseException as error:
            with suppress(OSError, CaseError):  # the disk may be full: the first fault is the one to tell
                self._broke_off(error)
            raise

    def _broke_off(self, error: BaseException) -> None:
        if isinstance(error, ForensicsError):
            self.log("refused", {"run": f"refused {error.code}"}, code=error.code)
        elif isinstance(error, KeyboardInterrupt):
            self.log("interrupted", {"run": "interrupted"})
        else:
            self.log("broke_off", {"run": "broke off"}, error=type(error).__name__)

    def outputs(self) -> dict[str, str]:
        """SHA-256 of each output of a run that is there, by its name in the case."""
        tops = [self.folder / name for name in OUTPUTS]
        paths = [p for top in tops for p in ((top, *top.glob("*")) if top.is_dir() else (top,)) if p.is_file()]
        return {custody.named(path, self.folder): custody.digest_of(path) for path in sorted(paths)}

    def reported(self, **details: Any) -> None:
        """Log the outputs of a run that came to its end; those of an earlier one, set aside before, go."""
        made = self.outputs()
        self._forget_earlier()
        gone = [n for n in custody.told(self.entries()) if n not in made and not _stays(n)]
        self.log("reported", {"run": "reported"}, outputs=made | dict.fromkeys(gone), **details)

    def set_aside(self, why: str) -> None:
        """Move the outputs of an earlier run into ``earlier/``, so that none is taken for this run's; log it.

        What no entry tells of is what a run that broke off left, and goes. One generation is kept.
        """
        if not (found := self.outputs()):
            return
        known = custody.told(self.entries())
        if any(name in known for name in found):
            self._forget_earlier()
        moved = {}
        for name, digest in found.items():
            if name in known:
                moved[f"{EARLIER}/{name}"] = digest
                (self.folder / EARLIER / name).parent.mkdir(parents=True, exist_ok=True)
                os.replace(self.folder / name, self.folder / EARLIER / name)
            else:
                (self.folder / name).unlink()
        gone = [name for name in known if not _stays(name) and (moved or not name.startswith(EARLIER))]
        self.log("set_aside", why=why, found=found, outputs=dict.fromkeys(gone) | moved)

    def _forget_earlier(self) -> None:
        with suppress(FileNotFoundError):
            shutil.rmtree(self.folder / EARLIER)


def _stays(name: str) -> bool:
    """A file of the case that is no output of one run."""
    return name.split("/")[0] in KEPT


def _append(path: Path, line: bytes) -> None:
    """Behind the file's end, whole or not at all, and onto the disk."""
    with path.open("ab", buffering=0) as file:
        size, rest = file.seek(0, os.SEEK_END), line
        try:
            while rest:
                rest = rest[file.write(rest) :]
            os.fsync(file.fileno())
        except BaseException:
            with suppress(OSError):
                file.truncate(size)
            raise


class BegunCase(CaseFolder):
    """The case's folder, made where it is not there yet: question and propositions come before any recording."""

    def _prepare(self) -> None:
        check_folder(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)


class Case(CaseFolder):
    """The open case of its evidence, made where it is not there yet."""

    def __init__(
        self, folder: Path, evidence: Path, clock: Callable[[], datetime] = _utc_now, actor: Actor | None = None
    ):
        super().__init__(folder, clock, actor)
        self.evidence = Path(evidence)

    def _prepare(self) -> None:
        check_place(self.folder, self.evidence)
        self.folder.mkdir(parents=True, exist_ok=True)

    def claim(self, sha256: str) -> None:
        """Bind the case to its evidence; refuse another one."""
        known = self.last_entry().get("item") or self.state().get("evidence_sha256")
        if known not in (None, sha256):
            raise CaseError(
                "E_CASE_OTHER_EVIDENCE",
                f"This case was opened for another recording ({known[:12]}…).",
                "Name a new folder for this recording with --out.",
            )
        claimed = {
            "opened_utc": self.state().get("opened_utc", self.now()),
            "evidence_sha256": sha256,
            "evidence_name": os.fsencode(self.evidence.name).decode(errors="replace"),
        }
        self._change("claimed", claimed)

    def beneath(self, name: str, evidence: Path) -> Case:
        """The case of a recording that this one is compared with, inside this one's folder; to be opened."""
        return Case(self.folder / REFERENCES / name, evidence, self._clock, self.actor)

    # -- cache ---------------------------------------------------------------------------------------------------

    def cached(
        self, key_parts: dict[str, Any], make: Callable[[Path], dict[str, Any]], home: str = CACHE
    ) -> tuple[Path, dict[str, Any], bool]:
        """Folder and description of a result: from the cache, or made by ``make(folder)``; and whether it was there.

        The key is the hash of everything the result depends on. A folder appears only when it is complete, and is used
        again only while its files have the hashes that the log tells. ``make`` finds there what an earlier one that
        broke off told the case to ``keep``. ``home``: the folder of the case that holds it.
        """
        folder, known = self.told_of(key_parts, home)
        if folder.is_dir():
            if known and known == self._hashes_in(folder):
                return folder, json.loads((folder / "about.json").read_text("utf-8"))["about"], True
            self.log("cache_changed", cache=folder.name)
        partial = folder.with_name(folder.name + PARTIAL)
        for left in folder.parent.glob(f"*{PARTIAL}"):  # what a killed run left
            if left != partial or self.kept(left) is None:
                shutil.rmtree(left, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        partial.mkdir(parents=True, exist_ok=True)
        try:
            about = make(partial)
            write(partial / "about.json", json.dumps({"key": key_parts, "about": about}, indent=1))
            os.replace(partial, folder)
        except BaseException as error:
            # What was seen of evidence that changed is not gone on with, whatever was kept of it.
            if isinstance(error, IntegrityError) or self.kept(partial) is None:
                shutil.rmtree(partial, ignore_errors=True)
            raise
        self.log("derived", cache=folder.name, outputs=dict.fromkeys(known) | self._hashes_in(folder))
        return folder, about, False

    def told_of(self, key_parts: dict[str, Any], home: str = CACHE) -> tuple[Path, dict[str, str]]:
        """Where a result lies, made or not, and by name in the case the SHA-256 that the log tells of its files."""
        folder = self.folder / home / hashlib.sha256(canonical(key_parts).encode()).hexdigest()[:32]
        begins = custody.named(folder, self.folder) + "/"
        return folder, {n: d for n, (d, _) in custody.told(self.entries()).items() if n.startswith(begins)}

    def discard(self, home: str = DERIVATIONS) -> None:
        """Remove what was derived into ``home``; the log keeps the hashes of what was there."""
        gone = [name for name in custody.told(self.entries()) if name.startswith(f"{home}/")]
        if gone:
            self.log("discarded", outputs=dict.fromkeys(gone))
        if (self.folder / home).exists():
            shutil.rmtree(self.folder / home)

    def keep(self, partial: Path, mark: Mapping[str, Any]) -> None:
        """Log that the files in ``partial`` are good as ``mark`` (JSON) tells, should the run break off."""
        self.log("kept", cache=partial.name.removesuffix(PARTIAL), mark=mark)

    def kept(self, partial: Path) -> dict[str, Any] | None:
        """The last mark told of the unfinished folder ``partial``; None without one, or where it was finished since."""
        if not partial.is_dir():
            return None
        about = [e for e in self.entries() if e.get("cache") == partial.name.removesuffix(PARTIAL)]
        last = [e for e in about if e["action"] in ("kept", "derived")][-1:]
        return last[0].get("mark") if last and last[0]["action"] == "kept" else None

    def _hashes_in(self, folder: Path) -> dict[str, str]:
        return {custody.named(path, self.folder): custody.digest_of(path) for path in sorted(folder.iterdir())}


@contextmanager
def disk_errors() -> Iterator[None]:
    """A full disk or a folder that may not be written in plain words; other faults of the system pass through."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM):
            raise
        raise CaseError(
            "E_CASE_NOT_WRITABLE",
            f"The case folder cannot be written ({error.strerror}).",
            "Free space or name another folder with --out, then run again; finished parts are kept.",
        ) from error
