"""Faces found against faces seen by eye, before and after tiles and crops; how well landmarks repeat, by face size.

    python tests/real/faces.py [--cases FOLDER]

Truth: persons.json, told by one observer from contact sheets without any detector. A face seen is found in a picture
where a measured face's middle lies within its height of the place told. Writes tests/real/FACES.md.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from gate import DATA, HERE, clips, commit, share

from forensics import decode, observe, pipeline
from forensics.analysis import blink, lipsync
from forensics.case import Case
from forensics.clip import identify, opened
from forensics.landmarks import FaceModel
from forensics.timeline import FaceTrack, repeatability
from forensics.tracks import face_box

FACES = HERE / "FACES.md"
#: Bins of face height, px.
HEIGHTS_PX = (0, 20, 30, 45, 60, 80, 120, 200, 300, 2000)
#: Heights within which a face that moves much lies at other times than the one at which its place was read.
MOVING = 3.0
#: A moving face is compared with what was read at one second, within this of it.
AROUND_S = 0.3


@dataclass(frozen=True)
class Found:
    """What was found in one clip: pictures, faces measured, tracks; and repeats by face."""

    name: str
    size: tuple[int, int]
    t_s: np.ndarray
    face_t_s: np.ndarray
    boxes: np.ndarray  # (n, 4)
    sighting_t_s: np.ndarray
    sighted: np.ndarray  # (n, 4)
    yaw: np.ndarray  # of all tracks, deg
    tracks: list[tuple[str, float, float, np.ndarray]]  # name, start, end, median box
    repeats: list[dict[str, float]]


def look(job: tuple[str, str]) -> Found:
    """One clip through the pipeline, one worker."""
    path, folder = DATA / job[0], job[1]
    settings = pipeline.Settings(observe=replace(observe.Settings(), workers=1))
    with Case(Path(folder) / path.stem, path) as case:
        scene = pipeline.examine(case, settings=settings).scene
    seen = scene.observation
    boxes = face_box(np.asarray(seen.faces["landmarks"])) if len(seen.faces["row"]) else np.zeros((0, 4))
    t_s = seen.pictures["t_s"]
    assert seen.size is not None
    return Found(
        path.stem,
        seen.size,
        t_s,
        t_s[np.asarray(seen.faces["row"])],
        boxes,
        t_s[seen.sightings["sighting_row"]],
        np.asarray(seen.sightings["sighting_box"]).reshape(-1, 4),
        np.concatenate([np.zeros(0), *(t.quality["yaw"].values for t in scene.tracks)]),
        [(t.name, t.interval.start_s, t.interval.end_s, median_box(t)) for t in scene.tracks],
        [sample for t in scene.tracks for sample in samples(t, path.stem)],
    )


def median_box(track: FaceTrack) -> np.ndarray:
    return np.median(face_box(np.asarray(track.landmarks[:])), 0)


def samples(track: FaceTrack, name: str) -> Iterable[dict[str, Any]]:
    """Repeatability of each picture that was looked at again."""
    again = track.repeats
    for k in range(0 if again is None else len(again)):
        assert again is not None
        points, own = again.landmarks[k : k + 1], again.row[k]
        flat = points[0]
        face = np.linalg.norm(flat[:, lipsync.signal.FACE[0]] - flat[:, lipsync.signal.FACE[1]], axis=1)
        gap = np.linalg.norm(flat[:, lipsync.signal.INNER[0]] - flat[:, lipsync.signal.INNER[1]], axis=1)
        ratio = np.mean([blink.eye_aspect_ratio(flat, eye) for eye in blink.EYES], 0)
        yield {
            "clip": name,
            "height": float(track.quality["face_height"].values[own]),
            "yaw": abs(float(track.quality["yaw"].values[own])),
            "px": repeatability(points[..., :2]),
            "mouth": 100 * float(np.std(gap / face, ddof=1)),
            "eyes": 100 * float(np.std(ratio, ddof=1) / max(ratio.mean(), 0.1)),
        }


def whole_pictures(path: str) -> tuple[int, int]:
    """Pictures in which the landmark model finds a face in the whole picture, as before tiles; and all pictures."""
    with opened(DATA / path) as fd, FaceModel(4, least_confidence=0.5) as model:
        stream = identify(DATA / path, fd).picture
        assert stream is not None
        found = [bool(model.detect(p.rgb())) for p in decode.pictures(fd, stream, decode.Losses())]
    return sum(found), len(found)


# -- against what was seen ------------------------------------------------------------------------------------------


def place(face: dict[str, Any], found: Found) -> tuple[np.ndarray, float]:
    """Middle and height in px of a face as told."""
    return np.array(face["centre"]) * found.size, face["height"] * found.size[1]


def pictures_of(face: dict[str, Any], found: Found) -> np.ndarray:
    start, end = face["in_view"]
    if "at" in face:
        start, end = max(start, face["at"] - AROUND_S), min(end, face["at"] + AROUND_S)
    return (found.t_s >= start) & (found.t_s <= end)


def near(boxes: np.ndarray, middle: np.ndarray, height: float, heights: float = 1.0) -> np.ndarray:
    """Which boxes lie within some of its heights of where a face was told, and are about of its size."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    sides = boxes[:, 3] - boxes[:, 1]
    return (
        (np.linalg.norm(centres - middle, axis=1) < heights * max(height, 12))
        & (sides < 2 * height)
        & (sides > height / 2.5)
    )


def owned(faces: list[dict[str, Any]], found: Found) -> np.ndarray:
    """Number of the told face that each measured one (n,) belongs to, the nearest in heights; -1 for none."""
    away = np.full((len(faces), len(found.boxes)), np.inf)
    centres = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
    for k, face in enumerate(faces):
        middle, height = place(face, found)
        here = np.isin(found.face_t_s, found.t_s[pictures_of(face, found)]) & near(found.boxes, middle, height)
        away[k, here] = np.linalg.norm(centres[here] - middle, axis=1) / height
    return np.where(np.isfinite(away.min(0, initial=np.inf)), away.argmin(0) if len(faces) else 0, -1)


def told_faces(labels: dict[str, Any], found: dict[str, Found]) -> pd.DataFrame:
    """One row a face told, sure ones only: its height, and the share of its pictures in which it was found."""
    rows = []
    for key, about in labels.items():
        seen = found[key]
        faces = [f for shot in about["shots"] for f in shot["faces"]]
        owners = owned(faces, seen)
        for k, face in enumerate(faces):
            middle, height = place(face, seen)
            wanted = pictures_of(face, seen)
            if not face["sure"] or not wanted.any():
                continue
            there = seen.face_t_s[owners == k]
            sighted = np.isin(seen.sighting_t_s[near(seen.sighted, middle, height)], seen.t_s[wanted])
            share_found = float(np.isin(seen.t_s[wanted], there).mean())
            rows.append(
                {
                    "clip": seen.name,
                    "height": height,
                    "view": face["view"],
                    "kind": "pictured" if face.get("pictured") else "living",
                    "share": share_found,
                    "found": share_found > 0,
                    "told": share_found > 0 or bool(sighted.any()),
                }
            )
    return pd.DataFrame(rows)


def strangers(labels: dict[str, Any], found: dict[str, Found]) -> list[str]:
    """Tracks of a second and more at whose place and time nobody told a face, sure or not."""
    extra = []
    for key, about in labels.items():
        seen = found[key]
        faces = [f for shot in about["shots"] for f in shot["faces"]]
        for name, start, end, box in seen.tracks:
            during = [f for f in faces if f["in_view"][0] < end and f["in_view"][1] > start]
            if not any(near(box[None], *place(f, seen), MOVING if "at" in f else 1.0).any() for f in during):
                extra.append(f"{seen.name} {name} ({start:.1f} to {end:.1f} s, {box[3] - box[1]:.0f} px)")
    return extra


def height_table(told: pd.DataFrame) -> list[str]:
    lines = [
        "| face height px | faces told | found in some picture [95 %] | pictures in which found, median | "
        "found or sighted |",
        "|---|---|---|---|---|",
    ]
    for kind in ("living", "pictured"):
        of_kind = told[told["kind"] == kind]
        for span, group in of_kind.groupby(pd.cut(of_kind["height"], HEIGHTS_PX), observed=True):
            lines.append(
                f"| {kind}, {span.left} to {span.right} | {len(group)} | "
                f"{share(int(group['found'].sum()), len(group))} | "
                f"{100 * group['share'].median():.0f} % | {int(group['told'].sum())}/{len(group)} |"
            )
    return lines


def persons_table(labels: dict[str, Any], found: dict[str, Found]) -> list[str]:
    """Persons of clips in which more than one face was told."""
    lines = [
        "| clip | persons by eye | faces told at once, most | letters of a second or more | measured at once, most |",
        "|---|---|---|---|---|",
    ]
    for key, about in labels.items():
        seen = found[key]
        at_once = max(len(shot["faces"]) for shot in about["shots"])
        if about["persons"] < 2 and at_once < 2:
            continue
        letters = {name.rstrip("0123456789") for name, *_ in seen.tracks}
        most = int(np.unique(seen.face_t_s, return_counts=True)[1].max()) if len(seen.face_t_s) else 0
        persons = ("about " if about.get("persons_about") else "") + str(about["persons"])
        lines.append(f"| {seen.name} | {persons} | {at_once} | {len(letters)} | {most} |")
    return lines


def repeat_table(found: Iterable[Found]) -> list[str]:
    table = pd.DataFrame([sample for f in found for sample in f.repeats])
    lines = [
        "| face height px | samples | clips | landmark repeatability px, median and 90th percentile | of face height | "
        "mouth opening, % of face height | eye aspect ratio, % of itself |",
        "|---|---|---|---|---|---|---|",
    ]
    for span, group in table.groupby(pd.cut(table["height"], HEIGHTS_PX), observed=True):
        lines.append(
            f"| {span.left} to {span.right} | {len(group)} | {group['clip'].nunique()} | {group['px'].median():.2f}, "
            f"{group['px'].quantile(0.9):.2f} | {100 * (group['px'] / group['height']).median():.2f} % | "
            f"{group['mouth'].median():.2f} | {group['eyes'].median():.1f} |"
        )
    turned = table[table["yaw"] > 40]
    lines += [
        "",
        f"Heads turned by more than 40 degrees: n {len(turned)}, median {turned['px'].median():.2f} px, "
        f"eye aspect ratio {turned['eyes'].median():.1f} % of itself."
        if len(turned)
        else "No sample had the head turned by more than 40 degrees.",
    ]
    return lines


def coverage_table(rows: list[dict[str, str]], found: dict[str, Found]) -> list[str]:
    lines = [
        "| clip | pictures | face found in whole pictures (before) | face measured (after) | median height px | "
        "yaw deg, 5th and 95th percentile |",
        "|---|---|---|---|---|---|",
    ]
    for row in (r for r in rows if "small_faces" in r["path"]):
        seen = found[row["sha256"]]
        before, n = whole_pictures(row["path"])
        after = len(np.unique(seen.face_t_s))
        height = np.median(seen.boxes[:, 3] - seen.boxes[:, 1]) if len(seen.boxes) else float("nan")
        low, high = np.percentile(np.abs(seen.yaw), (5, 95)) if len(seen.yaw) else (float("nan"), float("nan"))
        lines.append(
            f"| {seen.name} | {n} | {100 * before / n:.0f} % | {100 * after / n:.0f} % | {height:.0f} | "
            f"{low:.0f}, {high:.0f} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", help="keep the cases in this folder, and use their caches")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("SKIPPED: tests/real/faces.py needs ../shared/data, which is absent")
    labels = json.loads((HERE / "persons.json").read_text())["clips"]
    rows = [row for row in clips() if row["sha256"] in labels]
    with tempfile.TemporaryDirectory() as scratch, multiprocessing.get_context("spawn").Pool(2) as pool:
        jobs = [(row["path"], options.cases or scratch) for row in rows]
        found = dict(zip((row["sha256"] for row in rows), pool.imap(look, jobs), strict=True))
    told, extra = told_faces(labels, found), strangers(labels, found)
    tracks = sum(len(f.tracks) for f in found.values())
    FACES.write_text(
        "\n".join(
            [
                "# Faces found, faces seen, and how well landmarks repeat",
                "",
                f"Made by `python tests/real/faces.py` at commit {commit()}, on the {len(found)} clips of "
                "`../shared/data` in which an observer told the faces by eye (`persons.json`), without any detector: "
                "all clips with several faces, distant or pictured ones, and ordinary ones as controls.",
                "",
                "## Coverage of the small-face clips, before and after",
                "",
                "Pictures of one clip are no independent draws: no intervals.",
                "",
                *coverage_table(rows, found),
                "",
                "## Faces told by eye, sure ones, by height",
                "",
                *height_table(told),
                "",
                f"Tracks of a second and more where no face was told: {share(len(extra), tracks)}"
                + (": " + "; ".join(extra) if extra else "")
                + ".",
                "",
                "## Clips with several faces",
                "",
                "A letter is one face in one shot, so that a person seen in three shots has three.",
                "",
                *persons_table(labels, found),
                "",
                "## Repeatability",
                "",
                "One picture of each 2 s looked at again in four copies shifted by up to 3 % of the crop and "
                "rescaled by up to 3 %; standard deviation between the copies.",
                "",
                *repeat_table(found.values()),
                "",
            ]
        )
    )
    print(FACES.read_text())


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
