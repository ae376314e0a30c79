"""Runs as a process of its own (``running.Preloaded``): imports all that the command needs, then becomes it on demand.

Each line of stdin is a job as ``running.run`` makes it; the number of the process that became the command is printed,
and its exit status stands in the file ``ended`` beside its outputs when it is over.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
import time
import traceback
from pathlib import Path

from forensics import cli

for name in ("forensics.pipeline", "forensics.report", "librosa", "matplotlib.pyplot", "parselmouth"):
    importlib.import_module(name)


def become(job: dict) -> int:
    """The command, in this process, with nothing of the process that forked it. Returns its exit status."""
    for number, name, flags in ((0, os.devnull, os.O_RDONLY), (1, job["stdout"], os.O_WRONLY | os.O_CREAT)):
        os.dup2(os.open(name, flags, 0o600), number)
    os.dup2(os.open(job["stderr"], os.O_WRONLY | os.O_CREAT, 0o600), 2)
    os.environ.clear()
    os.environ.update(job["environment"])
    time.tzset()
    os.chdir(job["here"])
    sys.path.insert(0, os.environ["PYTHONPATH"].split(os.pathsep)[0])
    import sitecustomize  # noqa: F401  # from now on this process makes no socket

    sys.argv = ["forensics", *job["arguments"]]
    try:
        cli.main()
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 0
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def note(pid: int, place: Path) -> None:
    """Wait for the process and write its exit status down, whole or not at all."""
    _, status = os.waitpid(pid, 0)
    (place / "part").write_text(str(os.waitstatus_to_exitcode(status)))
    os.replace(place / "part", place / "ended")


def main() -> None:
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os._exit(become(job))
        print(pid, flush=True)
        waiting = threading.Thread(target=note, args=(pid, Path(job["stdout"]).parent))
        waiting.start()
        waiting.join()  # no fork beside a thread


if __name__ == "__main__":
    sys.modules.pop("sitecustomize", None)
    main()
