"""Whole report against a plain loop that only decodes and runs the landmark model, side by side in one run.

    python bench/report.py [--seconds 60] [--rounds 2] [--faceless]

Ratios, not times, are what counts: both sides run on the same machine, one after the other, round by round. The first
report of a fresh case is compared; the second one on the same case is printed beside it. ``--faceless`` shows no face
in the second half, where tiles are searched.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from joined import half_faceless, join, source
from timing import seconds_of

from forensics.landmarks import MODEL_NAME, find_model

PLAIN = """
import sys, av, mediapipe, numpy
from mediapipe.tasks.python import BaseOptions, vision
options = vision.FaceLandmarkerOptions(base_options=BaseOptions(model_asset_path=sys.argv[2]),
    running_mode=vision.RunningMode.IMAGE, output_face_blendshapes=True, output_facial_transformation_matrixes=True)
with vision.FaceLandmarker.create_from_options(options) as model, av.open(sys.argv[1]) as clip:
    for frame in clip.decode(video=0):
        picture = numpy.ascontiguousarray(frame.to_ndarray(format="rgb24"))
        model.detect(mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=picture))
"""


def seconds_running(command: list[str]) -> float:
    return seconds_of(lambda: subprocess.run(command, check=True, capture_output=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--faceless", action="store_true")
    options = parser.parse_args()
    name = source("P03_real.mp4").name
    with tempfile.TemporaryDirectory() as folder:
        clip = join(source(name), options.seconds, Path(folder) / "joined.mp4")
        if options.faceless:
            clip = half_faceless(clip, Path(folder) / "half.mp4")
        plain, first, second = [], [], []
        for k in range(options.rounds):
            report = [sys.executable, "-m", "forensics.cli", "report", str(clip), "--out", f"{folder}/case{k}"]
            plain.append(seconds_running([sys.executable, "-c", PLAIN, str(clip), str(find_model())]))
            first.append(seconds_running(report))
            second.append(seconds_running(report))
            print(
                f"round {k + 1}: plain loop {plain[-1]:.1f} s, report {first[-1]:.1f} s "
                f"(ratio {first[-1] / plain[-1]:.2f}), again from the cache {second[-1]:.1f} s",
                flush=True,
            )
        print(
            f"{name} joined to {options.seconds:.0f} s{', its second half without a face' * options.faceless}, "
            f"{MODEL_NAME}: report / plain loop = {min(first) / min(plain):.2f} (best of {options.rounds} each), "
            f"cached / plain = {min(second) / min(plain):.2f}"
        )


if __name__ == "__main__":
    main()
