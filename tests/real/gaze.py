"""Gaze against persons who look into the lens; how well it repeats, by eye width; what families of alteration show.

    python tests/real/gaze.py [--cases FOLDER] [--shrunk]

Truth: LENS, clips in which the person, told by eye from five pictures each before any gaze was computed, looks into the
lens or a telephone's screen beside it. FOLDER holds finished cases by the clips' stems; without it every clip goes
through the pass. ``--shrunk`` also looks at pictures of large faces made smaller. Writes tests/real/GAZE.md.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from gate import DATA, HERE, clips, commit
from PIL import Image
from sheets import opened

from forensics import open_case, pipeline
from forensics.analysis.blink import Settings
from forensics.analysis.blink import gaze as looked
from forensics.case import Case
from forensics.landmarks import FaceFinder, FaceModel
from forensics.search import Lookout
from forensics.search import Settings as SearchSettings
from forensics.timeline import FaceTrack
from forensics.tracks import face_box

GAZE = HERE / "GAZE.md"
#: Clips whose person looks into the lens most of the time, each another person, by one observer.
LENS = (
    "P06_real",
    "P09_real",
    "edtalk_in_pose_source2",
    "edtalk_in_expression_source",
    "grid_brbk7n",
    "grid_swiz3n",
    "liveportrait_drv_d13",
    "latentsync_demo2_in",
    "t002_01d534",
    "t004_0ece53",
    "t005_115f77",
    "t007_174256",
    "t021_3f660e",
    "t027_505c06",
    "t031_59fece",
    "t033_60e984",
    "t035_69e15e",
    "t039_71b0d4",
    "t041_778a21",
    "t043_7b8621",
    "t048_8b60a1",
    "t052_a368d8",
    "t058_b74a63",
    "t062_bfa12b",
)
#: Bins of eye width, px, and of the head's turn, deg.
WIDTHS_PX = (0, 8, 10, 12, 14, 17, 20, 25, 30, 40, 60, 300)
YAWS_DEG = (0, 5, 10, 15, 20, 25, 30, 35)
#: Eye widths to which pictures of faces with eyes of LARGE_PX and more are made smaller; pictures of each clip.
SHRUNK_PX, LARGE_PX, PICTURES = (8, 10, 12, 14, 17, 20, 25, 30), 40, 6
#: Measurements of the table by family.
NAMES = (
    "gaze_azimuth",
    "gaze_elevation",
    "gaze_spread",
    "gaze_agreement",
    "vergence",
    "iris_ratio",
    "iris_roundness",
    "gaze_error",
)
#: No floor and no limit, so that what lies beyond them is measured too.
ALL = replace(Settings(), smallest_gaze_px=0.0, widest_gaze_yaw=35.0, most_gaze_error_deg=1e9)


@dataclass(frozen=True)
class Seen:
    """One clip: its row of the index and its tracks."""

    row: dict[str, str]
    tracks: list[FaceTrack]
    scene: Any

    @property
    def name(self) -> str:
        return Path(self.row["path"]).stem

    @property
    def main(self) -> FaceTrack:
        return max(self.tracks, key=lambda t: len(t.t_s))


def seen(row: dict[str, str], cases: Path | None, scratch: Path) -> Seen:
    path = DATA / row["path"]
    if cases:
        scene = open_case(cases / path.stem).scene
    else:
        with Case(scratch / path.stem, path) as case:
            scene = pipeline.examine(case).scene
    return Seen(row, scene.tracks, scene)


# -- numbers ---------------------------------------------------------------------------------------------------------


def interval(values: pd.Series, units: pd.Series, statistic: Callable[[np.ndarray], float] = np.median) -> str:
    """The statistic with its 95 % percentile bootstrap over ``units`` (clips)."""
    groups = [group.to_numpy() for _, group in values.groupby(units.to_numpy())]
    value = statistic(values.to_numpy())
    if len(groups) < 3:
        return f"{value:.2f} [–]"
    draws = np.random.default_rng(0).integers(0, len(groups), (1000, len(groups)))
    low, high = np.percentile([statistic(np.concatenate([groups[k] for k in d])) for d in draws], (2.5, 97.5))
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"


# -- the eyeball's place, from persons who look into the lens --------------------------------------------------------


def lens_rows(track: FaceTrack) -> tuple[np.ndarray, np.ndarray]:
    """Offsets of the irises (n, 2, 2) mm and rotations (n, 3, 3), in pictures with open eyes."""
    found = looked.gaze(track, ALL)
    rows = np.flatnonzero(found.seen)
    eyes, rotation = looked.eye_points(track.landmarks[:]), looked._rotation(track.transform[:])
    share = looked.iris_share(eyes[looked._fit(track, ALL)], rotation[looked._fit(track, ALL)])
    return looked.offsets_mm(eyes[rows], share), rotation[rows]


def fitted_front(parts: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """Depth of the eyeball's centre, mm, from how the irises move while the head turns: each clip less its medians."""
    moved, turned = [], []
    for offsets, rotation in parts:
        keep = np.linspace(0, len(rotation) - 1, min(len(rotation), 200)).astype(int)
        column = rotation[keep, :2, 2]
        moved.append((offsets[keep].mean(1) - np.median(offsets[keep].mean(1), 0)).ravel())
        turned.append((column - np.median(column, 0)).ravel())
    y, x = np.concatenate(moved), np.concatenate(turned)
    weights = np.ones(len(y))
    for _ in range(20):  # robust: glances aside count less
        front = float((weights * x * y).sum() / (weights * x * x).sum())
        rest = np.abs(y - front * x)
        weights = np.minimum(1, 1.5 * 1.4826 * np.median(rest) / np.maximum(rest, 1e-9))
    return front


def place(part: tuple[np.ndarray, np.ndarray], front: float) -> np.ndarray:
    """Where one person's eyeballs stand to the temple and up, mm, with the depth ``front``."""
    offsets, rotation = part
    rest = np.median(offsets - front * rotation[:, None, :2, 2], 0)  # (2 eyes, 2)
    return np.array([(rest[1, 0] - rest[0, 0]) / 2, rest[:, 1].mean()])


def lens_lines(found: dict[str, Seen]) -> list[str]:
    chosen = [name for name in LENS if name in found and found[name].tracks]
    parts = {name: lens_rows(found[name].main) for name in chosen}

    def fit(names: Iterable[str]) -> tuple[float, float, float]:
        own = [parts[name] for name in names]
        front = fitted_front(own)
        temporal, up = np.median([place(part, front) for part in own], 0)
        return float(temporal), float(up), front

    rows = []
    for name in chosen:
        temporal, up, front = fit(n for n in chosen if n != name)
        offsets, rotation = parts[name]
        centres = np.array([[-temporal, up, front], [temporal, up, front]]) @ np.swapaxes(rotation, 1, 2)
        across = (offsets - centres[..., :2]) / looked.REACH_MM
        each = np.degrees(np.median(np.arcsin(np.clip(across, -1, 1)), 0))
        rows.append([*each.mean(0), each[0, 0] - each[1, 0]])
    errors = np.array(rows)
    whole = fit(chosen)
    lines = [
        f"Fitted to all {len(chosen)}: the eyeball's centre lies {whole[0]:.1f} mm to the temple, {whole[1]:.1f} mm up "
        f"and {whole[2]:.1f} mm to the front of the middle of the corners. The software has {looked.CENTRE_MM}.",
        "",
        "Each person measured with a fit to the others; truth 0, medians over the clip:",
        "",
        "| | n persons | median | standard deviation | 95th percentile of its size | largest |",
        "|---|---|---|---|---|---|",
    ]
    for name, column in zip(("azimuth deg", "elevation deg", "vergence deg"), errors.T, strict=True):
        lines.append(
            f"| {name} | {len(column)} | {np.median(column):.1f} | {column.std(ddof=1):.1f} | "
            f"{np.percentile(np.abs(column), 95):.1f} | {np.abs(column).max():.1f} |"
        )
    return lines


# -- repeatability ---------------------------------------------------------------------------------------------------


def repeat_rows(one: Seen) -> Iterable[dict[str, Any]]:
    """Scatter of each picture that was looked at again."""
    for track in one.tracks:
        again = looked.gaze_again(track, ALL)
        if not len(again):
            continue
        fit = looked._fit(track, ALL)
        chosen = fit[track.repeats.row]
        eyes = looked.eye_points(track.repeats.landmarks[chosen])
        width = np.linalg.norm(eyes[..., looked.RIGHTMOST, :2] - eyes[..., looked.LEFTMOST, :2], axis=-1)
        ratio = width[..., 1] / width[..., 0]
        own = track.quality["eye_width"].values[track.repeats.row[chosen]]
        yaw = np.abs(track.quality["yaw"].values[track.repeats.row[chosen]])
        if len(own) != len(again):  # an eyeball that fits nowhere: rare
            continue
        for k in range(len(again)):
            yield {
                "clip": one.name,
                "width": own[k],
                "yaw": yaw[k],
                "azimuth": float(again[k, :, :, 0].std(0, ddof=1).mean()),
                "elevation": float(again[k, :, :, 1].std(0, ddof=1).mean()),
                "vergence": float((again[k, :, 0, 0] - again[k, :, 1, 0]).std(ddof=1)),
                "ratio": float(ratio[k].std(ddof=1)),
            }


def repeat_table(found: dict[str, Seen]) -> list[str]:
    table = pd.DataFrame([row for one in found.values() for row in repeat_rows(one)])
    names = {"azimuth": "azimuth deg", "elevation": "elevation deg", "vergence": "vergence deg", "ratio": "iris ratio"}
    lines = [
        "| eye width px | pictures | clips | " + " | ".join(names.values()) + " |",
        "|---|---|---|" + "---|" * len(names),
    ]
    for span, group in table.groupby(pd.cut(table["width"], WIDTHS_PX), observed=True):
        cells = [interval(group[name], group["clip"]) for name in names]
        lines.append(
            f"| {span.left} to {span.right} | {len(group)} | {group['clip'].nunique()} | " + " | ".join(cells) + " |"
        )
    return lines


# -- shrunk copies ---------------------------------------------------------------------------------------------------


def shrunk_rows(one: Seen, model: Any, finder: Any) -> Iterable[dict[str, Any]]:
    """Pictures of one clip's main face as they are and made smaller, each looked at by itself."""
    track = one.main
    rows = np.flatnonzero(looked.gaze(track, ALL).seen)
    if not len(rows):
        return
    rows = rows[np.linspace(0, len(rows) - 1, min(PICTURES, len(rows))).astype(int)]
    wanted = {int(track.frame[r]): r for r in rows}
    share = looked.iris_share(looked.eye_points(track.landmarks[rows]), looked._rotation(track.transform[rows]))
    with opened(DATA / one.row["path"]) as (_, pictures):
        for picture in pictures:
            if picture.index > max(wanted):
                return
            if picture.index not in wanted:
                continue
            row = wanted[picture.index]
            own = track.quality["eye_width"].values[row]
            x0, y0, x1, y1 = face_box(track.landmarks[row])
            around = (int(x0 - (x1 - x0)), int(y0 - (y1 - y0)), int(2 * x1 - x0), int(2 * y1 - y0))
            whole = Image.fromarray(picture.rgb()).crop(around)  # other people and far corners need not be searched
            for px in (float(own), *SHRUNK_PX):
                size = tuple(max(1, round(side * px / own)) for side in whole.size)
                small = np.asarray(whole.resize(size, Image.Resampling.LANCZOS))
                faces, _ = Lookout(model, finder, SearchSettings()).look(small, 0.0)
                if not faces:
                    continue
                eyes = looked.eye_points(faces[0].landmarks)
                rotation = looked._rotation(faces[0].transform)
                each = looked.angles(looked.directions(eyes[None], rotation[None], share))[0]
                yield {
                    "clip": one.name,
                    "picture": picture.index,
                    "px": "as is" if px == own else int(px),
                    "azimuth": float(each[:, 0].mean()),
                    "elevation": float(each[:, 1].mean()),
                    "vergence": float(each[0, 0] - each[1, 0]),
                }


def shrunk_table(found: dict[str, Seen]) -> list[str]:
    large = [
        one
        for one in found.values()
        if one.row["label"] == "authentic"
        and one.tracks
        and LARGE_PX <= np.median(one.main.quality["eye_width"].values) <= 100
        and np.median(np.abs(one.main.quality["yaw"].values)) < 15
    ]
    with FaceModel() as model, FaceFinder() as finder:
        table = pd.DataFrame([row for one in large for row in shrunk_rows(one, model, finder)])
    names = ["azimuth", "elevation", "vergence"]
    full = table[table["px"] == "as is"].set_index(["clip", "picture"])[names]
    asked = len(full)
    lines = [
        "| eyes made px wide | pictures found of asked | clips | "
        + " | ".join(f"{name} deg: median size of the difference | correlation" for name in names)
        + " |",
        "|---|---|---|" + "---|" * (2 * len(names)),
    ]
    for px in SHRUNK_PX:
        small = table[table["px"] == px].set_index(["clip", "picture"])[names]
        both = small.join(full, rsuffix="_full", how="inner").dropna().reset_index()
        cells = []
        for name in names:
            off = (both[name] - both[f"{name}_full"]).abs()
            within = both.groupby("clip")[[name, f"{name}_full"]].transform(lambda v: v - v.mean())
            cells += [interval(off, both["clip"]), f"{within.corr().iloc[0, 1]:.2f}"]
        lines.append(f"| {px} | {len(both)}/{asked} | {both['clip'].nunique()} | " + " | ".join(cells) + " |")
    return lines


# -- the head's turn -------------------------------------------------------------------------------------------------


def yaw_table(found: dict[str, Seen], floor_px: float) -> list[str]:
    """Iris ratio, far eye's over near one's, and vergence of authentic clips' main faces, against the head's turn."""
    rows = []
    for one in found.values():
        if one.row["label"] != "authentic" or not one.tracks:
            continue
        track = one.main
        each, yaw = looked.gaze(track, ALL), track.quality["yaw"].values
        ok = each.seen & (track.quality["eye_width"].values >= floor_px)
        far = np.where(yaw > 0, each.iris[:, 1] / each.iris[:, 0], each.iris[:, 0] / each.iris[:, 1])
        for low, high in zip(YAWS_DEG, YAWS_DEG[1:], strict=False):
            here = ok & (np.abs(yaw) >= low) & (np.abs(yaw) < high)
            if here.sum() >= 10:
                rows.append(
                    {
                        "clip": one.name,
                        "yaw": low,
                        "far": np.median(far[here]),
                        "vergence": np.median(each.vergence[here]),
                    }
                )
    table = pd.DataFrame(rows)
    lines = [
        "| head turned by deg | clips | far iris over near one | of the clips, 5th and 95th percentile | "
        "vergence deg | standard deviation between clips |",
        "|---|---|---|---|---|---|",
    ]
    for (low, group), high in zip(table.groupby("yaw"), YAWS_DEG[1:], strict=False):
        spread = group["far"].quantile((0.05, 0.95))
        lines.append(
            f"| {low} to {high} | {len(group)} | {interval(group['far'], group['clip'])} | "
            f"{spread.iloc[0]:.2f}, {spread.iloc[1]:.2f} | {interval(group['vergence'], group['clip'])} | "
            f"{group['vergence'].std():.1f} |"
        )
    return lines


# -- families --------------------------------------------------------------------------------------------------------


def answers(found: dict[str, Seen]) -> pd.DataFrame:
    """One row a clip, of the person covered longest: state, reasons, measurements at the shipped settings."""
    rows = []
    for one in found.values():
        given = looked.assess_all(one.scene, Settings())
        best = max(given, key=lambda f: (f.state == "assessed", f.coverage))
        family = "authentic" if one.row["label"] == "authentic" else one.row["generator"]
        rows.append(
            {
                "clip": one.name,
                "family": family,
                "person": one.row["person"] or one.name,
                "state": best.state,
                "reasons": ", ".join(best.reasons),
            }
            | {m.name: m.value for m in best.measurements}
            | {f"{m.name} width": m.high - m.low for m in best.measurements if m.low is not None}
        )
    return pd.DataFrame(rows)


def family_table(table: pd.DataFrame) -> list[str]:
    lines = [
        "| family | clips | assessed | persons | " + " | ".join(NAMES) + " |",
        "|---|---|---|---|" + "---|" * len(NAMES),
    ]
    order = sorted(table["family"].unique(), key=lambda f: (f != "authentic", f))
    for family in ["authentic", "all altered", *order[1:]]:
        group = table[table["family"] == family] if family != "all altered" else table[table["family"] != "authentic"]
        known = group[group["state"] == "assessed"]
        cells = [ranged(known[name].dropna(), known["person"]) for name in NAMES]
        lines.append(
            f"| {family} | {len(group)} | {len(known)} | {known['person'].nunique()} | " + " | ".join(cells) + " |"
        )
    return lines


def ranged(values: pd.Series, persons: pd.Series) -> str:
    """Median, its interval over persons, and in round brackets the extremes."""
    if not len(values):
        return "–"
    ends = f"({values.min():.2f} to {values.max():.2f}; n {len(values)})"
    return f"{interval(values, persons.loc[values.index])} {ends}"


def reasons_line(table: pd.DataFrame) -> str:
    refused = table[table["state"] != "assessed"]
    counted = refused["reasons"].value_counts()
    return f"{len(refused)} of {len(table)} clips refused: " + "; ".join(f"{k} {v}" for k, v in counted.items()) + "."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, help="folder of finished cases, by the clips' stems")
    parser.add_argument("--shrunk", action="store_true", help="look at shrunk pictures too: some minutes")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("SKIPPED: tests/real/gaze.py needs ../shared/data, which is absent")
    with tempfile.TemporaryDirectory() as scratch:
        found = {one.name: one for one in (seen(row, options.cases, Path(scratch)) for row in clips())}
        parts = report(found, options.shrunk)
    GAZE.write_text("\n".join([*parts, ""]))
    print(GAZE.read_text())


def report(found: dict[str, Seen], shrunk: bool) -> list[str]:
    table = answers(found)
    return [
        "# Gaze: persons who look into the lens, repeatability, families",
        "",
        f"Made by `python tests/real/gaze.py --shrunk` at commit {commit()}, on the {len(found)} clips of "
        "`../shared/data`.",
        "Square brackets: 95 % percentile bootstrap over clips (last table: persons).",
        "",
        "## Persons who look into the lens",
        "",
        "By one observer, from five pictures each, before any gaze was computed; the screen of a telephone lies some "
        "degrees beside its lens, which is part of the error.",
        "",
        *lens_lines(found),
        "",
        "## Repeatability by eye width",
        "",
        "Pictures looked at again in four copies shifted by up to 3 % of the crop and rescaled by up to 3 %; standard "
        "deviation between the copies, one eye's angle, median over pictures. The head's rotation is that of the one "
        "picture.",
        "",
        *repeat_table(found),
        "",
        "## Against the head's turn",
        "",
        *yaw_table(found, Settings().smallest_gaze_px),
        "",
        *(
            [
                "## Pictures made smaller",
                "",
                "Authentic clips with large eyes; each picture against itself as it is, looked at afresh. The "
                "correlation is within clips: what of the movement is still seen.",
                "",
                *shrunk_table(found),
                "",
            ]
            if shrunk
            else []
        ),
        "## Authentic and altered",
        "",
        "At the shipped settings, the person covered longest of each clip. " + reasons_line(table),
        "Median [95 % over persons] (extremes; n clips). Facts: nothing here is ever marked.",
        "",
        *family_table(table),
    ]


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
