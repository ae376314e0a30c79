"""Peak memory of a whole report, of all its processes together, for a short and a ten times longer clip.

    python bench/memory.py [--minutes 2 20]

Memory of the process tree, read ten times a second: pages shared by several processes are counted once (PSS).
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from joined import join, source


def peak_mb(command: list[str]) -> float:
    process, peak = psutil.Popen(command, stdout=subprocess.DEVNULL), 0
    while process.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            tree = [process, *process.children(recursive=True)]
            peak = max(peak, sum(held(p) for p in tree))
        time.sleep(0.1)
    if process.returncode:
        raise SystemExit(f"the report ended with status {process.returncode}")
    return peak / 2**20


def held(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        return process.memory_full_info().pss
    return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, nargs="+", default=[2, 20])
    options = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for minutes in options.minutes:
            clip = join(source("P07_real.mp4"), 60 * minutes, Path(folder) / f"{minutes:g}.mp4")
            found.append(
                peak_mb(
                    [sys.executable, "-m", "forensics.cli", "report", str(clip), "--out", f"{folder}/case{minutes:g}"]
                )
            )
            print(f"{minutes:g} minutes: peak {found[-1]:.0f} MB", flush=True)
    print(f"{options.minutes[-1]:g} minutes take {found[-1] - found[0]:.0f} MB more than {options.minutes[0]:g}")


if __name__ == "__main__":
    main()
