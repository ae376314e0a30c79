"""`make validate`: the clips of ../shared/data through `forensics validate`, printed in tests/real/VALIDATION.md.

It writes the calibration that is shipped, too: forensics/data/calibration-demonstration.json. Run it once the methods
stand: a calibration holds only for the versions and settings it was made with. With `CASES=FOLDER` of cases that the
gate left, what was seen is not looked for again (a few seconds a clip instead of minutes).

Beside the index it says what a validation must know of these clips: which pair of propositions a generator belongs to
("altered" is never one), what was kept by a correlation check, and that the GRID clips share one recording chain.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import subprocess
import sys
from pathlib import Path

from gate import DATA, HERE, clips, commit

VALIDATION = HERE / "VALIDATION.md"
SHIPPED = HERE.parents[1] / "forensics" / "data" / "calibration-demonstration.json"
#: Clips whose blinks were labelled by eye, and so taught the detector.
LABELLED = json.loads((HERE / "blinks.json").read_text("utf-8"))
#: A year behind the figures: by then recorders, codecs and generators have changed. Own rule.
EXPIRES = "2027-12-31"
#: What each generator makes: the mouth for other sound, another person's face, or the whole face from a picture.
CLASSES = {
    **dict.fromkeys(("wav2lip", "latentsync", "videoretalking", "hyperlips", "sadtalker_video"), "lips"),
    **dict.fromkeys(("sadtalker", "dreamtalk", "edtalk", "vasa1", "first_order_motion"), "animation"),
    "ffpp_deepfakes": "identity",
    "ffpp_neuraltextures": "reenactment",
}


def row(clip: dict[str, str]) -> dict[str, str]:
    """A line of the index as a line of the table."""
    name = Path(clip["path"]).stem
    authentic = clip["label"] == "authentic"
    return {
        "file": clip["path"],
        "label": "authentic" if authentic else CLASSES[clip["generator"]],
        "person": clip["person"],
        "group": "grid" if name.startswith("grid_") else clip["group"],
        "generator": clip["generator"],
        "condition": condition(clip["path"]) if authentic else "",
        "weak": clip["label_is_weak"],
        "sha256": clip["sha256"],
        "fitted": " ".join(fitted(clip)),
    }


def fitted(clip: dict[str, str]) -> list[str]:
    """Questions whose shipped weights this clip helped to fit, as their model cards and BLINKS.md say."""
    spoken = clip["label"] == "authentic" and clip["sound"] != "no"
    return [
        *(("lipsync.link", "voice.synthesis") if spoken else ()),
        *(("blink.rate",) if clip["sha256"] in LABELLED else ()),
    ]


def condition(path: str) -> str:
    if path.startswith("clips/blink/"):
        return "eyes close up"
    if path.startswith("clips/small_faces/"):
        return "small or turned faces"
    web = re.match(r"t\d", Path(path).name)
    return "web pages, kept by a correlation check (flatters synchrony)" if web else "corpora and studio"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default="case/validation", help="folder of the cases and of the figures")
    parser.add_argument("--cases", help="use the cases in this folder")
    parser.add_argument("--only", default="", help="clips whose name holds this; VALIDATION.md stays as it is")
    parser.add_argument("--copies", type=int, default=12, help="authentic clips copied for the controls")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("SKIPPED: tests/real/validate.py needs ../shared/data, which is absent")
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    rows = [row(clip) for clip in clips() if options.only in clip["path"]]
    with (out / "table.tsv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    measured = commit()
    cases = ["--cases", options.cases] if options.cases else []
    command = [sys.executable, "-m", "forensics.cli", "validate", out / "table.tsv", "--root", DATA, "--out", out]
    command += ["--expires", EXPIRES, "--copies", str(options.copies)]
    subprocess.run([*command, *cases], check=True)
    head = f"Made by `make validate` at commit {measured} on the clips of `../shared/data`.\n\n"
    if not options.only:
        VALIDATION.write_text(head + (out / "validation.md").read_text("utf-8"), "utf-8")
        SHIPPED.write_bytes((out / "calibration.json").read_bytes())


if __name__ == "__main__":
    main()
