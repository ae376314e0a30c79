"""A folder of clips by ``forensics batch`` against ``forensics report`` one by one: the same findings, in what time?

    python bench/batch.py [--clips 12] [--workers 2 3] [--keep FOLDER]

One after the other in one run: each clip by its own command; batches of 2 and 3 workers; a batch that is killed
(``kill -9``) when half is done, and gone on with; a batch on a local Dask cluster of two workers, one of them killed
when half is done. After each, every ``findings.json`` is compared with that of the clip's own command, to the byte,
and each case's log is asked how often a report was made. Ratios are what counts.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from joined import ROOT, SHARED
from timing import seconds_of

from forensics.batch import case_name

COMMAND = [sys.executable, "-m", "forensics.cli"]


def gathered(n: int, folder: Path) -> list[str]:
    """Copies of the ``n`` smallest authentic recordings, without ../shared/data of the bundled samples; their names."""
    place = SHARED if SHARED.is_dir() else ROOT / "samples" / "out"
    smallest = sorted((p for p in place.glob("*.m*") if p.is_file()), key=lambda p: p.stat().st_size)[:n]
    folder.mkdir(parents=True)
    return [Path(shutil.copy(path, folder)).name for path in smallest]


def one_by_one(clips: Path, names: Iterable[str], out: Path) -> None:
    for name in names:
        report = [*COMMAND, "report", str(clips / name), "--out", str(out / case_name(name))]
        subprocess.run(report, check=True, stdout=subprocess.DEVNULL)


def batch(clips: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, "batch", str(clips), "--out", str(out), *options], stdout=subprocess.PIPE, text=True
    )


def finished(running: subprocess.Popen[str]) -> None:
    running.communicate()
    assert running.returncode == 0, running.returncode


def until_half(running: subprocess.Popen[str], n: int) -> None:
    """Waits until half of the ``n`` files are done."""
    assert running.stdout is not None
    assert any(line.startswith(f"{n // 2} of ") for line in running.stdout), "it ended before"


def killed(clips: Path, out: Path, n: int) -> None:
    running = batch(clips, out)
    until_half(running, n)
    running.kill()
    running.wait()
    finished(batch(clips, out))


def on_dask(clips: Path, out: Path, n: int) -> None:
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        running = batch(clips, out, "--scheduler", cluster.scheduler_address)
        until_half(running, n)
        os.kill(min(client.run(os.getpid).values()), signal.SIGKILL)
        finished(running)


def compared(names: Sequence[str], alone: Path, out: Path) -> str:
    """How many findings are those of the clip's own command, and how many cases have one report, in words."""
    cases = [case_name(name) for name in names]
    equal = sum((alone / c / "findings.json").read_bytes() == (out / c / "findings.json").read_bytes() for c in cases)
    logs = [
        [json.loads(line)["action"] for line in (out / c / "custody.jsonl").read_text().splitlines()] for c in cases
    ]
    once = sum(actions.count("reported") == 1 for actions in logs)
    summaries = {p.read_bytes() for p in (out.parent).glob("*/summary/summary.csv")}
    alike = "alike" if len(summaries) == 1 else "DIFFERENT"
    return f"findings equal {equal}/{len(cases)}, reported once {once}/{len(cases)}, summaries {alike}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--workers", type=int, nargs="*", default=[2, 3])
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        place = asked.keep or Path(scratch)
        clips, alone = place / "clips", place / "alone"
        names = gathered(asked.clips, clips)
        base = seconds_of(lambda: one_by_one(clips, names, alone))
        print(f"{len(names)} clips one by one: {base:.1f} s", flush=True)

        def tried(what: str, out: Path, run: object) -> None:
            spent = seconds_of(run)  # type: ignore[arg-type]
            print(f"{what}: {spent:.1f} s (ratio {spent / base:.2f}); {compared(names, alone, out)}", flush=True)

        for n in asked.workers:
            out = place / f"workers{n}"
            tried(f"batch, {n} workers", out, lambda: finished(batch(clips, out, "--workers", str(n))))  # noqa: B023
        tried("the same again, all kept", place / "workers2", lambda: finished(batch(clips, place / "workers2")))
        tried("killed half way, gone on with", place / "killed", lambda: killed(clips, place / "killed", len(names)))
        tried("Dask, one worker killed", place / "dask", lambda: on_dask(clips, place / "dask", len(names)))


if __name__ == "__main__":
    main()
