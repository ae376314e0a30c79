"""Seconds to open a finished case in a fresh interpreter, with all imports; and what the custody log costs.

    python bench/opening.py [--seconds 60] [--rounds 5]

Printed: opening (findings, then what was seen and heard), one log entry, hashing the evidence, ``verify``, and the
log's part of a whole report.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from joined import join, source
from timing import seconds_of

from forensics import custody
from forensics.case import Case, CaseFolder
from forensics.clip import hashes, opened

OPENING = """
import sys, time
began = time.monotonic()
from forensics import open_case
case = open_case(sys.argv[1])
assert case.findings
print(time.monotonic() - began)
assert case.scene.tracks
print(time.monotonic() - began)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    name = source("P03_real.mp4").name
    with tempfile.TemporaryDirectory() as place:
        clip, folder = join(source(name), options.seconds, Path(place) / "joined.mp4"), Path(place) / "case"
        began = time.monotonic()
        with Case(folder, clip) as case, case.run("bench"):
            from forensics import pipeline

            pipeline.report(case)
        whole = time.monotonic() - began
        runs = [
            [float(s) for s in subprocess.check_output([sys.executable, "-c", OPENING, str(folder)]).split()]
            for _ in range(options.rounds)
        ]
        findings, scene = (max(times) for times in zip(*runs, strict=True))
        print(f"{name} joined to {options.seconds:.0f} s, n = {options.rounds} fresh interpreters, the slowest:")
        print(f"opened with its findings in {findings:.2f} s, with what was seen and heard in {scene:.2f} s")
        with opened(clip) as fd:
            hashing = seconds_of(lambda: hashes(fd), options.rounds)
        checking = seconds_of(lambda: custody.verify(folder), options.rounds)
        with CaseFolder(folder) as case:
            entries = case.log_head()[1]
            entry = seconds_of(lambda: case.log("bench"), 20)
        size = clip.stat().st_size / 2**20
        print(
            f"one log entry {1000 * entry:.1f} ms (n = 20), {entries} entries: {entries * entry:.2f} s of {whole:.1f} s"
        )
        print(f"both hashes of the evidence ({size:.1f} MB) {hashing:.3f} s, verify {checking:.3f} s")


if __name__ == "__main__":
    main()
