"""Both eyes of a clip's main face in every picture, side by side: sheets from which blinks are labelled by eye.

    python tests/real/eyes.py CLIP... --out FOLDER [--from S --to S] [--cases FOLDER]
    python tests/real/eyes.py CLIP... --out FOLDER --at FRAME --around N [--larger TIMES]
    python tests/real/eyes.py --list [--cases FOLDER]              the clips to be labelled, tab separated
    python tests/real/eyes.py --add LABELS.json... [--second] [--into FILE]     small files, each <stem of a clip>.json

Writes FOLDER/<stem>/sheet_001.png …, outside the repository, for private persons are shown; read each row from the
left. A tile's label is the number of the decoded picture from 0 on, and its time in s. A picture in which the face was
lost for a moment is cut by those around it, and says so: shut eyes can be why; outside the track the tile is dark.
The strip is upright with the face: the person's right eye lies on the picture's left. It is cut by the corners of the
eyes alone, smoothed over time; nothing of the lids and no detector of blinks is used, so labels made from it may be
held against any detector. Without --from and --to: what is to be labelled, the middle LONGEST_S of the main track, the
one with the most pictures.

A blink is labelled by the numbers of three pictures: ``onset``, the first in which a lid is seen lower than before it;
``peak``, the most closed (the middle one of several); ``offset``, the last in which it is lower than it comes to rest.
blinks.json has by SHA-256 of the clip:

    {"clip": stem, "track": "A1", "frames": [first, last] labelled, "observer": "A",
     "blinks": [{"onset": f, "peak": f, "offset": f,
                 "eye": "both" | "left" | "right",  the person's own: right is seen on the picture's left
                 "complete": whether the lids meet (or plainly would between two pictures); a half blink's do not,
                 "sure": whether it plainly is a blink; doubtful ones are not scored,
                 "note": ""}],
     "unreadable": [[first, last], …]  where nobody can tell: blur, hair, turned away; not scored,
     "second": observer, blinks and unreadable of another observer, who saw neither the first's labels nor a detector}

A small file may leave out what has a usual value: "track" and "frames" (those of the sheets), "eye" (both),
"complete", "sure" (true), "note", "unreadable" (none). Lids moving down with the gaze are no blink.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from gate import DATA, HERE, clips
from PIL import Image
from sheets import SHEET, TEXT, opened, save, tile

from forensics import open_case, pipeline
from forensics.case import Case
from forensics.timeline import FaceTrack

BLINKS = HERE / "blinks.json"
#: Longest stretch of a clip to be labelled, s: three or four sheets a clip at 15 blinks a minute give about three.
LONGEST_S = 14.0
#: Corners of the eyes: outer and inner of the person's right, inner and outer of the left.
CORNERS = [33, 133, 362, 263]
#: Width and height of a strip in px: four columns and thirteen rows of tiles fill a sheet.
STRIP = (270, SHEET // 13 - TEXT)
#: Width of a strip in distances between the outer corners: a fifth of an eye's width is left at both sides.
MARGIN = 1.25
#: Standard deviations of the smoothing in s: of where the eyes are (under a tenth of a second, or a turning head leaves
#: the strip), and of their size and roll, which change slowly.
PLACE_S, SHAPE_S = 0.06, 0.3
#: Colour of a tile without eyes.
DARK = (24, 24, 24)
#: Clips of each family of alteration, and of those from web pages.
OF_A_FAMILY, OF_THE_WEB = 2, 14
EYES = ("both", "left", "right")


@dataclass(frozen=True)
class Eyes:
    """Where both eyes are, in px, in the pictures of the main track in which the face was found: ``centre`` (n, 2),
    ``span`` (n,), ``roll`` (n,) rad, clockwise as seen. ``frames``: first and last picture to be labelled."""

    track: str
    frame: np.ndarray
    pts: np.ndarray
    t_s: np.ndarray
    centre: np.ndarray
    span: np.ndarray
    roll: np.ndarray
    eye_px: float
    frames: tuple[int, int]

    def place(self, frame: int) -> tuple[np.ndarray, float, float] | None:
        """Centre, span and roll in a picture of the track; where the face was lost for a moment, from those around."""
        if not self.frame[0] <= frame <= self.frame[-1]:
            return None
        x, y, span, roll = (np.interp(frame, self.frame, v) for v in (*self.centre.T, self.span, self.roll))
        return np.array([x, y]), float(span), float(roll)

    def between(self, start_s: float, end_s: float) -> tuple[int, int]:
        inside = self.frame[(self.t_s >= start_s) & (self.t_s <= end_s)]
        if not len(inside):
            raise SystemExit(f"The main track lies from {self.t_s[0]:.2f} to {self.t_s[-1]:.2f} s.")
        return int(inside[0]), int(inside[-1])


def found(clip: Path, cases: Path | None) -> Eyes | None:
    """Of the finished case in ``cases``, else of a pass made now; None where no face is followed for a second."""
    if cases and (cases / clip.stem).is_dir():
        case = open_case(cases / clip.stem)
        if case.state["evidence_sha256"] != sha256(clip):
            raise SystemExit(f"{cases / clip.stem} is the case of another file than {clip}.")
        return eyes_of(case.scene.tracks)
    with tempfile.TemporaryDirectory() as folder, Case(Path(folder) / "case", clip) as made:
        return eyes_of(pipeline.examine(made).scene.tracks)


def eyes_of(tracks: list[FaceTrack]) -> Eyes | None:
    track = max(tracks, key=lambda t: len(t.t_s), default=None)
    if track is None:
        return None
    corners = np.asarray(track.landmarks[:])[:, CORNERS].astype(float)
    across = corners[:, 2:, :2].mean(1) - corners[:, :2, :2].mean(1)
    shape = np.column_stack([np.linalg.norm(corners[:, 3] - corners[:, 0], axis=1), across])  # 3-D: a turn keeps it
    span, x, y = smoothed(track.t_s, shape, SHAPE_S).T
    middle, half = (track.t_s[0] + track.t_s[-1]) / 2, LONGEST_S / 2
    chosen = track.frame[np.abs(track.t_s - middle) <= half]
    return Eyes(
        track.name,
        track.frame,
        track.pts,
        track.t_s,
        smoothed(track.t_s, corners[:, :, :2].mean(1), PLACE_S),
        span,
        np.arctan2(y, x),
        float(np.median(track.quality["eye_width"].values)),
        (int(chosen[0]), int(chosen[-1])),
    )


def smoothed(t_s: np.ndarray, values: np.ndarray, deviation_s: float) -> np.ndarray:
    """``values`` (n, k) under a Gaussian window of ``deviation_s`` over uneven times ``t_s`` (n,)."""
    weight = np.exp(-0.5 * ((t_s[:, None] - t_s) / deviation_s) ** 2)
    return weight @ values / weight.sum(1, keepdims=True)


# -- sheets ----------------------------------------------------------------------------------------------------------


def tiles(clip: Path, eyes: Eyes, first: int, last: int, larger: int) -> Iterator[Image.Image]:
    """One tile for each picture from ``first`` to ``last``; outside the track a dark one."""
    width, height = (side * larger for side in STRIP)
    pts = dict(zip(eyes.frame, eyes.pts, strict=True))
    with opened(clip) as (_, pictures):
        for picture in pictures:
            if picture.index > last:
                return
            if picture.index < first:
                continue
            if pts.get(picture.index, picture.pts) != picture.pts:
                raise SystemExit(f"Picture {picture.index} of {clip.name} is not the one of the case.")
            place = eyes.place(picture.index)
            made = (
                strip(Image.fromarray(picture.rgb()), *place, width, height)
                if place
                else Image.new("RGB", (width, height), DARK)
            )
            lost = "" if picture.index in pts else "   face not found"
            yield tile(made, f"{picture.index}   {picture.t_s:.3f} s{lost}", width)


def strip(picture: Image.Image, centre: np.ndarray, span: float, roll: float, width: int, height: int) -> Image.Image:
    """Both eyes, upright; cut at no less than the picture's own scale, so that shrinking it averages."""
    step = MARGIN * span / width
    finer = max(1, round(step))
    size, step = (width * finer, height * finer), step / finer
    turn = step * np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    corner = centre - turn @ size / 2
    about = np.column_stack([turn, corner]).ravel()  # from the strip's px to the picture's
    return picture.transform(size, Image.Transform.AFFINE, tuple(about), Image.Resampling.BICUBIC)


def make(clip: Path, args: argparse.Namespace) -> None:
    eyes = found(clip, args.cases)
    if eyes is None:
        print(f"{clip.stem}: no face is followed for a second")
        return
    (first, last), name = eyes.frames, "sheet"
    if args.at is not None:
        first, last, name = max(args.at - args.around, 0), args.at + args.around, f"at_{args.at:05d}"
    elif args.start is not None or args.end is not None:
        first, last = eyes.between(args.start or 0.0, float("inf") if args.end is None else args.end)
    paths = save(tiles(clip, eyes, first, last, args.larger), args.out / clip.stem, name)
    print(
        f"{clip.stem}: track {eyes.track}, seen from {eyes.t_s[0]:.2f} to {eyes.t_s[-1]:.2f} s, pictures {first} to "
        f"{last}, eyes {eyes.eye_px:.0f} px wide: {len(paths)} sheets, {paths[0]} …"
    )


# -- the list --------------------------------------------------------------------------------------------------------


def listed(cases: Path | None) -> list[dict[str, Any]]:
    """The clips to be labelled, in three parts of as many pictures, every third of a part twice."""
    rows = [row for row in clips() if not row["path"].startswith("clips/small_faces/")]
    looked = [row | {"stem": Path(row["path"]).stem, "eyes": found(DATA / row["path"], cases)} for row in rows]
    chosen = selected([row for row in looked if row["eyes"]])
    pictures = [row["eyes"].frames[1] - row["eyes"].frames[0] + 1 for row in chosen]
    for place, at in enumerate(sorted(range(len(chosen)), key=lambda i: (-pictures[i], chosen[i]["stem"]))):
        chosen[at]["part"] = "ABCCBA"[place % 6]  # dealt to and fro from the longest on
    chosen.sort(key=lambda row: (row["part"], row["path"]))
    for _, part in groupby(chosen, key=lambda row: row["part"]):
        for place, row in enumerate(part):
            row["double"] = place % 3 == 1
    return chosen


def selected(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All authentic clips but those from web pages; of these, one of each stretch of eye widths, rare frame rates
    first; of each family of alteration OF_A_FAMILY, faces first that are not yet in the list, then small files' names.
    """
    web = sorted(
        (row for row in rows if row["path"].startswith("clips/authentic/t")), key=lambda row: row["eyes"].eye_px
    )
    chosen = [row for row in rows if row["label"] == "authentic" and row not in web]
    rates = Counter(round(float(row["fps"])) for row in web)
    for stretch in np.array_split(np.arange(len(web)), OF_THE_WEB):
        chosen.append(min((web[i] for i in stretch), key=lambda row: (rates[round(float(row["fps"]))], row["path"])))
    persons = {row["person"] for row in chosen}
    altered = sorted((row for row in rows if row["label"] == "altered"), key=lambda row: row["generator"])
    for _, family in groupby(altered, key=lambda row: row["generator"]):
        picked = sorted(family, key=lambda row: (row["person"] in persons, row["path"]))[:OF_A_FAMILY]
        chosen += picked
        persons |= {row["person"] for row in picked}
    return chosen


def print_list(cases: Path | None) -> None:
    table = csv.writer(sys.stdout, delimiter="\t", lineterminator="\n")
    table.writerow(["stem", "part", "double", "first", "last", "track", "eye_px", "fps", "path"])
    for row in listed(cases):
        eyes = row["eyes"]
        table.writerow(
            [row["stem"], row["part"], "yes" if row["double"] else "no", *eyes.frames, eyes.track]
            + [f"{eyes.eye_px:.0f}", row["fps"], row["path"]]
        )


# -- labels ----------------------------------------------------------------------------------------------------------


def add(labels: Path, cases: Path | None, second: bool, into: Path) -> None:
    """``labels`` of one clip into the file ``into``; labels of the same clip and place are replaced."""
    row = next((row for row in clips() if Path(row["path"]).stem == labels.stem), None)
    if row is None:
        raise SystemExit(f"{labels.name}: no clip of this name.")
    clip = DATA / row["path"]
    eyes = found(clip, cases)
    if eyes is None:
        raise SystemExit(f"{labels.name}: this clip has no face to be labelled.")
    known = json.loads(into.read_text("utf-8")) if into.exists() else {}
    told = checked(json.loads(labels.read_text("utf-8")), eyes, labels.name)
    merged = known | {sha256(clip): placed(known.get(sha256(clip)), {"clip": clip.stem} | told, second, labels.name)}
    into.write_text(json.dumps(dict(sorted(merged.items(), key=lambda item: item[1]["clip"])), indent=1) + "\n")
    print(f"{clip.stem}: {len(told['blinks'])} blinks by observer {told['observer']}")


def placed(known: dict[str, Any] | None, told: dict[str, Any], second: bool, name: str) -> dict[str, Any]:
    """The clip's record with ``told`` as its first or its second labels."""
    if not second:
        kept = {"second": known["second"]} if known and "second" in known else {}
        return told | kept
    if known is None or known["observer"] == told["observer"]:
        raise SystemExit(f"{name}: second labels need the first ones, by another observer.")
    if (known["track"], known["frames"]) != (told["track"], told["frames"]):
        raise SystemExit(f"{name}: the second observer's pictures are not those of the first.")
    return known | {"second": {key: told[key] for key in ("observer", "blinks", "unreadable")}}


def checked(told: dict[str, Any], eyes: Eyes, name: str) -> dict[str, Any]:
    """``told`` with its usual values filled in. Raises SystemExit with what is wrong."""
    if strange := told.keys() - {"track", "frames", "observer", "blinks", "unreadable"}:
        raise SystemExit(f"{name}: unknown {sorted(strange)}.")
    first, last = told.get("frames", eyes.frames)
    if not eyes.frame[0] <= first <= last <= eyes.frame[-1] or told.get("track", eyes.track) != eyes.track:
        raise SystemExit(f"{name}: the main track is {eyes.track}, pictures {eyes.frame[0]} to {eyes.frame[-1]}.")
    if not isinstance(told.get("observer"), str) or not told["observer"]:
        raise SystemExit(f"{name}: say who the observer is, by a letter.")
    blinks = [{"eye": "both", "complete": True, "sure": True, "note": ""} | blink for blink in told["blinks"]]
    for blink in blinks:
        strange = blink.keys() ^ {"onset", "peak", "offset", "eye", "complete", "sure", "note"}
        at = [blink.get(key) for key in ("onset", "peak", "offset")]
        if strange or not all(type(f) is int for f in at) or not first <= at[0] <= at[1] <= at[2] <= last:
            raise SystemExit(f"{name}: {blink}: onset, peak, offset in order, from {first} to {last}, no other words.")
        if blink["eye"] not in EYES or not isinstance(blink["complete"], bool) or not isinstance(blink["sure"], bool):
            raise SystemExit(f"{name}: {blink}: eye is one of {', '.join(EYES)}; complete and sure are true or false.")
    unreadable = told.get("unreadable", [])
    if not all(first <= a <= b <= last for a, b in unreadable):
        raise SystemExit(f"{name}: unreadable stretches lie in order from {first} to {last}.")
    return {
        "track": eyes.track,
        "frames": [first, last],
        "observer": told["observer"],
        "blinks": sorted(blinks, key=lambda blink: (blink["onset"], blink["eye"])),
        "unreadable": sorted(unreadable),
    }


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--cases", type=Path, help="folder of finished cases, by the clips' stems")
    parser.add_argument("--out", type=Path, help="folder for the sheets, outside the repository")
    parser.add_argument("--from", dest="start", type=float, help="s")
    parser.add_argument("--to", dest="end", type=float, help="s")
    parser.add_argument("--at", type=int, help="number of a picture to be looked at closely")
    parser.add_argument("--around", type=int, default=6, help="pictures before and behind it")
    parser.add_argument("--larger", type=int, nargs="?", const=4, default=1, choices=(1, 2, 4), help="times; 4 if bare")
    parser.add_argument("--list", action="store_true", help="print the clips to be labelled")
    parser.add_argument("--add", type=Path, nargs="+", default=[], help="labels to be put into blinks.json")
    parser.add_argument("--second", action="store_true", help="they are a second observer's")
    parser.add_argument("--into", type=Path, default=BLINKS, help="instead of blinks.json, to try labels")
    args = parser.parse_args()
    if args.clips and not args.out:
        parser.error("say --out, a folder for the sheets.")
    if args.list:
        print_list(args.cases)
    for labels in args.add:
        add(labels, args.cases, args.second, args.into)
    for clip in args.clips:
        make(clip, args)


if __name__ == "__main__":
    main()
