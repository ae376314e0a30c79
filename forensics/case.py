"""The case folder: its lock, its custody log, its cache. Nothing else writes the log and the cache.

    CASE/findings.json  report.html  case.json  custody.jsonl  charts/  tables/  stills/  cache/<key>/

The log is a chain: each line holds the hash of the one before, so that a change inside it shows. A chain cannot show
that its tail was cut off or that all of it was written anew.
"""

from __future__ import annotations

import errno
import fcntl
import getpass
import hashlib
import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from forensics.errors import CaseError

LOG, LOCK, STATE = "custody.jsonl", ".lock", "case.json"
_START = "0" * 64


def write(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(content.encode() if isinstance(content, str) else content)
    os.replace(part, path)


def canonical(values: Any) -> str:
    """JSON with one spelling: sorted keys, no NaN."""
    return json.dumps(values, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def check_place(folder: Path, evidence: Path) -> None:
    """The case may lie in a folder of its own inside the evidence's folder, but not be it or hold it."""
    place, home = Path(os.path.realpath(folder)), Path(os.path.realpath(evidence)).parent
    if place == home or place in home.parents:
        raise CaseError(
            "E_CASE_PLACE",
            "The case folder is the evidence's folder or holds it.",
            "Name a new folder for the case with --out.",
        )
    if folder.exists() and not folder.is_dir():
        raise CaseError("E_CASE_PLACE", "The name given for the case is a file.", "Name a folder with --out.")
    if folder.is_dir() and any(p.name != LOCK for p in folder.iterdir()) and not (folder / LOG).exists():
        raise CaseError(
            "E_CASE_PLACE", "The folder given for the case holds other files.", "Name a new or empty folder with --out."
        )


def _utc_now() -> datetime:
    return datetime.now(UTC)


class CaseFolder:
    """A case opened by its folder alone: its log and state, without its evidence, which may lie elsewhere by now.

    Use as a context manager: it holds the folder's lock until closed.
    """

    def __init__(self, folder: Path, clock: Callable[[], datetime] = _utc_now):
        self.folder, self._clock = Path(folder), clock

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
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.close()

    def state(self) -> dict[str, Any]:
        """What belongs to this case and not to the evidence: ids, names, times."""
        with suppress(FileNotFoundError, json.JSONDecodeError):
            return dict(json.loads((self.folder / STATE).read_text("utf-8")))
        return {}

    def update(self, **values: Any) -> None:
        write(self.folder / STATE, json.dumps(self.state() | values, indent=1, sort_keys=True, ensure_ascii=False))

    def now(self) -> str:
        """The clock's time as text, UTC."""
        return self._clock().isoformat(timespec="milliseconds")

    # -- log -----------------------------------------------------------------------------------------------------

    def log(self, action: str, **details: Any) -> str:
        """Append one entry to the custody log; returns its hash."""
        last, number = self.log_head()
        entry = {
            "n": number + 1,
            "utc": self.now(),
            "actor": _actor(),
            "host": socket.gethostname(),
            "action": action,
            **details,
            "previous": last,
        }
        digest = hashlib.sha256(canonical(entry).encode()).hexdigest()
        with (self.folder / LOG).open("a", encoding="utf-8") as file:
            file.write(canonical(entry | {"hash": digest}) + "\n")
            file.flush()
            os.fsync(file.fileno())
        return digest

    def log_head(self) -> tuple[str, int]:
        """Hash and number of the last entry."""
        entry = self.last_entry()
        return entry["hash"], entry["n"]

    def last_entry(self) -> dict[str, Any]:
        """The log's last entry; of an empty log, what the first one stands on."""
        try:
            *_, last, rest = ["", *(self.folder / LOG).read_text("utf-8").split("\n")]
        except FileNotFoundError:
            return {"hash": _START, "n": 0}
        try:
            entry = json.loads(last + rest)  # each line ends with a line feed, so nothing is left behind the last
            return {"hash": entry["hash"], "n": entry["n"], **entry}
        except (ValueError, LookupError, TypeError) as error:
            raise CaseError(
                "E_CASE_LOG",
                "The last line of the case's custody log is damaged, as by a full disk.",
                "Keep this case as it is and name a new folder with --out.",
            ) from error


class Case(CaseFolder):
    """The open case of its evidence, made where it is not there yet."""

    def __init__(self, folder: Path, evidence: Path, clock: Callable[[], datetime] = _utc_now):
        super().__init__(folder, clock)
        self.evidence = Path(evidence)

    def _prepare(self) -> None:
        check_place(self.folder, self.evidence)
        self.folder.mkdir(parents=True, exist_ok=True)

    def claim(self, sha256: str) -> None:
        """Bind the case to its evidence; refuse another one."""
        if (known := self.state().get("evidence_sha256")) not in (None, sha256):
            raise CaseError(
                "E_CASE_OTHER_EVIDENCE",
                f"This case was opened for another recording ({known[:12]}…).",
                "Name a new folder for this recording with --out.",
            )
        self.update(
            opened_utc=self.state().get("opened_utc", self.now()),
            evidence_sha256=sha256,
            evidence_name=os.fsencode(self.evidence.name).decode(errors="replace"),
        )

    # -- cache ---------------------------------------------------------------------------------------------------

    def cached(
        self, key_parts: dict[str, Any], make: Callable[[Path], dict[str, Any]]
    ) -> tuple[Path, dict[str, Any], bool]:
        """Folder and description of a result: from the cache, or made by ``make(folder)``; and whether it was there.

        The key is the hash of everything the result depends on. A folder appears only when it is complete, and is used
        again only while its files have the hashes they were stored with.
        """
        key = hashlib.sha256(canonical(key_parts).encode()).hexdigest()[:32]
        folder = self.folder / "cache" / key
        with suppress(FileNotFoundError, json.JSONDecodeError, KeyError):
            stored = json.loads((folder / "about.json").read_text("utf-8"))
            if stored["files"] == _file_hashes(folder):
                return folder, stored["about"], True
            self.log("cache_changed", cache=key)
        partial = folder.with_name(key + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            about = make(partial)
            stored = {"key": key_parts, "about": about, "files": _file_hashes(partial)}
            write(partial / "about.json", json.dumps(stored, indent=1))
            os.replace(partial, folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return folder, about, False


def _file_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of the arrays in ``folder`` by name."""
    found = {}
    for path in sorted(folder.glob("*.npy")):
        with path.open("rb") as file:
            found[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _actor() -> str:
    with suppress(OSError, KeyError):
        return getpass.getuser()
    return f"uid {os.getuid()}"


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
