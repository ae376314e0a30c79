"""One recording of a batch: is its report there already? Else ``forensics report`` makes it, in a process of its own.

So a batch gives what the command gives, a process that is killed costs one recording, and libraries that may not be
used twice in one process are not.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics import custody, naming
from forensics.case import CaseFolder
from forensics.clip import hashes, opened
from forensics.custody import CACHE, EARLIER, Actor
from forensics.errors import CaseError, MediaError
from forensics.finished import open_case
from forensics.sandbox import ONE_THREAD

#: Parts of ``pipeline.procedure`` that have to be the same for a report to be kept: all.
PROCEDURE = ("interval", "settings", "methods", "model_sha256", "versions", "software_sha256")
#: What begins the code of a recording on which the software itself failed, as in ``forensics validate``.
CRASHED = "CRASHED"
#: Codes of files that were not refused for what they are: another run examines them.
UNDONE = ("E_KILLED", "E_WORKER_LOST", "E_OTHER_SOFTWARE")
_REFUSAL = re.compile(r"^(E_[A-Z_]+|INTEGRITY_FAILED): (.*)", re.MULTILINE)


@dataclass(frozen=True)
class Job:
    """A recording to examine. ``procedure``: all that its findings depend on beside it, as the log will tell it."""

    clip: str
    folder: str
    options: tuple[str, ...]
    actor: Actor
    procedure: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """``code`` is empty where the case holds the report; else it was refused, and ``why`` says so in words."""

    code: str = ""
    why: str = ""
    kept: bool = False  # the report was there already


def finished(job: Job) -> bool:
    """Whether the case holds the whole report of this very file, made with this software, these settings and names."""
    folder = Path(job.folder)
    try:
        case = open_case(folder)
        entries = CaseFolder(folder).entries()
    except (CaseError, OSError, ValueError):
        return False
    told = {n: d for n, (d, _) in custody.told(entries).items() if not n.startswith((f"{CACHE}/", f"{EARLIER}/"))}
    same = (
        case.state.get("run") == "reported"
        and _comparable(case.run.opened) == _comparable(job.procedure)
        and dict(case.run.names) == naming.names_in(dict(case.state))
        and CaseFolder(folder).outputs() == told
    )
    try:
        with opened(Path(job.clip)) as fd:
            return same and hashes(fd)[0] == case.run.opened["sha256"]
    except MediaError:
        return False  # the examination will say why


def _comparable(procedure: Mapping[str, Any]) -> Any:
    """What is to be the same. The day by which a calibration is judged is the case's own and never changes."""
    values = json.loads(json.dumps({key: procedure.get(key) for key in PROCEDURE}))
    ((values["settings"] or {}).get("calibration") or {}).pop("opened", None)
    return values


class Crew:
    """Runs jobs, each in a process of its own, and knows which are at work."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def work(self, job: Job) -> Outcome:
        """The report of ``job``, made where it is not there yet; a refusal is an outcome."""
        if finished(job):
            return Outcome(kept=True)
        # -P: a module named like one of ours in the current folder, perhaps the evidence's, must not be run.
        ours = [sys.executable, "-P", "-m", "forensics.batch.child"]
        process = subprocess.Popen(
            [*ours, "report", "--out", job.folder, *job.options, "--", job.clip],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            env=os.environ
            | ONE_THREAD
            | {"FORENSICS_EXAMINER": job.actor.name, "FORENSICS_ROLE": job.actor.role, "PYTHONIOENCODING": "utf-8"},
            start_new_session=True,  # Ctrl-C reaches us alone, and from us each of them once
        )
        self._running.add(process)
        if self._stopped:
            process.send_signal(signal.SIGINT)
        try:
            _, said = process.communicate()
        finally:
            self._running.discard(process)
        return outcome(process.returncode, said)

    def stop(self) -> None:
        """As Ctrl-C would: what is at work logs that it was interrupted, keeps its parts and ends."""
        self._stopped = True
        for process in list(self._running):
            process.send_signal(signal.SIGINT)


def outcome(status: int, said: str) -> Outcome:
    """What a process' exit status and stderr tell."""
    refusal = _REFUSAL.search(said)
    if status == 0:
        return Outcome()
    if refusal:
        return Outcome(refusal[1], refusal[2])
    if status < 0:
        why = f"The process that examined it was ended from outside (signal {-status}). Run again to go on."
        return Outcome("E_KILLED", why)
    last = said.strip().splitlines()[-1:] or [f"exit status {status}"]
    return Outcome(f"{CRASHED} {last[0].partition(':')[0]}", last[0])


def here(jobs: Sequence[Job], workers: int) -> Generator[tuple[int, Outcome], None, None]:
    """Number and outcome of each job as it ends, on this machine. Closing it, or Ctrl-C, stops what is at work."""
    crew = Crew()
    with ThreadPoolExecutor(workers) as pool:
        waiting = {pool.submit(crew.work, job): number for number, job in enumerate(jobs)}
        try:
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            crew.stop()
            raise
