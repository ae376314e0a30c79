"""Run the command ``forensics`` on one file in a place of its own, and look at what it does from outside.

The place has an umlaut and spaces in its name, a HOME and a TMPDIR of its own, no display. Either the real command
is started (``Process``), or a process that has already imported everything becomes it (``Preloaded``): the same
``main`` in a process of its own, without two seconds of imports for each of some fifty rows.

Seen: exit status, both outputs, every file in the place before and after, sockets that Python makes (which end the
run, see ``watched/``) or that stay open for a twentieth of a second in the process or its children, the memory of all
of them together, the time. Not seen: a file outside the place; a socket made in C, never used and closed at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib
import psutil

HERE = Path(__file__).parent
#: How often memory and open sockets are looked at, in s.
LOOK_S = 0.05


@dataclass(frozen=True)
class Ran:
    """What a run of the command did."""

    status: int
    stdout: str
    stderr: str
    seconds: float
    peak_mb: float  # resident memory of the process and its children together; what they share counts several times
    sockets: tuple[str, ...]
    changed: tuple[str, ...]  # files made, changed or removed outside the case
    case: Path
    evidence: Path

    @property
    def code(self) -> str:
        return self.stderr.partition(":")[0]

    def found(self) -> dict[str, Any]:
        """findings.json. Raises ValueError for NaN in it."""

        def refuse(name: str) -> None:
            raise ValueError(f"{name} in findings.json")

        return json.loads((self.case / "findings.json").read_text("utf-8"), parse_constant=refuse)

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.case / "custody.jsonl").read_text("utf-8").split("\n")[:-1]]


class Place:
    """A folder with the evidence's, a home, a folder for temporary files, one to stand in, and the case's."""

    def __init__(self, root: Path):
        self.root = root / "Fälle und mehr"
        self.evidence, self.case = self.root / "evidence", self.root / "case"
        for name in ("evidence", "home", "tmp", "here"):
            (self.root / name).mkdir(parents=True)

    def environment(self) -> dict[str, str]:
        mine = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        paths = [str(HERE / "watched"), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        return mine | {
            "HOME": str(self.root / "home"),
            "TMPDIR": str(self.root / "tmp"),
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "PYTHONDONTWRITEBYTECODE": "1",
            "MPLCONFIGDIR": matplotlib.get_configdir(),  # else it keeps a list of fonts in HOME
        }

    def files(self) -> dict[str, Any]:
        """What lies outside the case: kind, mode, time and content of each."""
        return {str(p): _state(p) for p in sorted(self.root.rglob("*")) if self.case not in (p, *p.parents)}


def _state(path: Path) -> tuple[Any, ...]:
    about = path.lstat()
    kind = stat.S_IFMT(about.st_mode)
    if kind == stat.S_IFDIR:
        return kind, about.st_mode
    content = os.readlink(path) if kind == stat.S_IFLNK else _digest(path) if kind == stat.S_IFREG else ""
    return kind, about.st_mode, about.st_size, about.st_mtime_ns, about.st_ino, content


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Process:
    """The command itself, as anybody starts it."""

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None: ...

    def start(self, job: dict[str, Any]) -> int:
        with open(job["stdout"], "wb") as out, open(job["stderr"], "wb") as err:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "forensics.cli", *map(os.fsencode, job["arguments"])],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=job["here"],
                env=job["environment"],
            )
        return self._process.pid

    def ended(self) -> int | None:
        return self._process.poll()


class Preloaded:
    """A process that has imported the package and forks one that becomes the command, for each job."""

    def __enter__(self) -> Preloaded:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "preloaded.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def start(self, job: dict[str, Any]) -> int:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        self._ended = Path(job["stdout"]).with_name("ended")
        return int(self._process.stdout.readline())

    def ended(self) -> int | None:
        return int(self._ended.read_text()) if self._ended.exists() else None


@dataclass
class _Watch:
    """What is seen of a process and its children while they run."""

    process: psutil.Process
    peak: int = 0
    sockets: set[str] = field(default_factory=set)
    _last: set[str] = field(default_factory=set)

    def look(self) -> None:
        with contextlib.suppress(psutil.Error, OSError):
            memory, here = 0, set()
            for one in (self.process, *self.process.children(recursive=True)):
                with contextlib.suppress(psutil.Error, OSError):
                    memory += one.memory_info().rss
                    links = [os.readlink(f) for f in Path(f"/proc/{one.pid}/fd").iterdir()]
                    here |= {link for link in links if link.startswith("socket:")}
            # Seen twice: a child that was just forked holds its parent's sockets until it becomes the command.
            self.sockets |= here & self._last
            self._last = here
            self.peak = max(self.peak, memory)


def run(command: Process | Preloaded, place: Place, evidence: Path, limit_s: float = 300.0) -> Ran:
    """``forensics report`` of ``evidence`` in ``place``. Raises TimeoutError where it is not done in time; ends it."""
    before, began = place.files(), time.monotonic()
    outputs = place.root.parent / "outputs"
    outputs.mkdir(exist_ok=True)
    for old in outputs.iterdir():
        old.unlink()
    job = {
        "arguments": ["report", str(evidence), "--out", str(place.case)],
        "here": str(place.root / "here"),
        "environment": place.environment(),
        "stdout": str(outputs / "stdout"),
        "stderr": str(outputs / "stderr"),
    }
    watch = _Watch(psutil.Process(command.start(job)))
    while (status := command.ended()) is None:
        watch.look()
        if time.monotonic() - began > limit_s:
            watch.process.kill()
            raise TimeoutError(f"not done after {limit_s} s")
        time.sleep(LOOK_S)
    after = place.files()
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    out, err = ((outputs / name).read_bytes().decode(errors="replace") for name in ("stdout", "stderr"))
    seconds = time.monotonic() - began
    return Ran(status, out, err, seconds, watch.peak / 1e6, tuple(watch.sockets), tuple(changed), place.case, evidence)
