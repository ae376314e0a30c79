"""Seconds that the analyses take for a track of 60 s, given what was seen and heard.

    python bench/analyses.py [--seconds 60]

One core, on a bundled or development clip joined to that length; the aim is 3 s for lips (given the phonemes), for
light and for the voice, and 0.5 s for eyes. The first time of each stands beside the best of three: models, filters
and libraries are loaded then.
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
from forensics.analysis import blink, lighting, lipsync, voice
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
        print(f"| {scene.interval.duration:.0f} s of one face and its voice | s, best of three | s, the first time |")
        print("|---|---|---|")
        audio, spoken = scene.observation.audio, scene.speech or []
        for name, assess in (
            ("lips: the sound's bands and phonemes", lambda: lipsync.hear(audio, spoken, settings.lipsync)),
            ("lips: findings", lambda: lipsync.assess(scene, settings.lipsync)),
            ("eyes: findings", lambda: blink.assess(scene, settings.blink)),
            ("light: findings", lambda: lighting.assess(scene, settings.lighting)),
            ("voice: its stretches and spectra", lambda: voice.hear(audio, spoken, settings.voice)),
            ("voice: findings", lambda: voice.assess(scene, settings.voice)),
        ):
            cold, *warm = (seconds_of(assess) for _ in range(4))
            print(f"| {name} | {min(warm):.2f} | {cold:.2f} |")


if __name__ == "__main__":
    main()
