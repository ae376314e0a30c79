"""Peak memory of a whole report, of all its processes together, for a short and a ten times longer clip.

    python bench/memory.py [--minutes 2 20]
    python bench/memory.py --minutes 360 --fps 1       (six hours of 1920×1080; all pictures would take as many to see)

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
from joined import join, source, thinned


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
    parser.add_argument("--fps", type=float, help="thin the pictures, enlarged to 1920×1080, to so many a second")
    options = parser.parse_args()
    found, clip = [], source("P07_real.mp4")
    with tempfile.TemporaryDirectory() as folder:
        if options.fps:
            clip = thinned(clip, options.fps, (1920, 1080), Path(folder) / "thinned.mp4")
        for minutes in options.minutes:
            long = join(clip, 60 * minutes, Path(folder) / f"{minutes:g}.mp4")
            began = time.monotonic()
            found.append(
                peak_mb(
                    [sys.executable, "-m", "forensics.cli", "report", str(long), "--out", f"{folder}/case{minutes:g}"]
                )
            )
            print(f"{minutes:g} minutes: peak {found[-1]:.0f} MB, {time.monotonic() - began:.0f} s", flush=True)
    if len(found) > 1:
        print(f"{options.minutes[-1]:g} minutes take {found[-1] - found[0]:.0f} MB more than {options.minutes[0]:g}")


if __name__ == "__main__":
    main()
