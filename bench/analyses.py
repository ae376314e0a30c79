"""Seconds that the analyses of lips and eyes take for a track of 60 s, given what was seen and heard.

    python bench/analyses.py [--seconds 60]

One core, on a bundled or development clip joined to that length; the aim is 3 s for lips and 0.5 s for eyes.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from joined import join, source
from timing import seconds_of

from forensics import pipeline
from forensics.analysis import blink, lipsync
from forensics.case import Case


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clip = join(source("P07_real.mp4"), options.seconds, Path(folder) / "clip.mp4")
        with Case(Path(folder) / "case", clip) as case:
            done = pipeline.examine(case)
        scene, settings = done.scene, done.settings
        for name, assess in (
            ("lips: sound's bands", lambda: lipsync.hear(scene.observation.audio, scene.speech, settings.lipsync)),
            ("lips: findings", lambda: lipsync.assess(scene, settings.lipsync)),
            ("eyes: findings", lambda: blink.assess(scene, settings.blink)),
        ):
            print(f"{name}: {min(seconds_of(assess) for _ in range(3)):.2f} s for {scene.interval.duration:.0f} s")


if __name__ == "__main__":
    main()
