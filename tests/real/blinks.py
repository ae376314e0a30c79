"""Blinks found against blinks labelled by eye: how many, when, from which frame rate and eye width on.

    python tests/real/blinks.py [--cases FOLDER] [--shrunk]

Writes tests/real/BLINKS.md from tests/real/blinks.json (made with eyes.py before any detector was run) and the passes
over those clips (``--cases``: folder of finished cases, else made anew). A blink is found where intervals overlap by a
fifth of their union or more. Not scored: what the observer doubted, what nobody could read, what touches the first or
the last picture labelled, and pictures in which the eyes are not measured; clips that are refused are told apart. The
constants of the decision are fitted anew without each unit (person or group); the shipped ones are fitted on all. What
reports print of it goes into forensics/data/blink.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import av
import numpy as np
from eyes import BLINKS
from gate import DATA, HERE, clips

from forensics import open_case, pipeline
from forensics.analysis import blink
from forensics.case import Case
from forensics.statistics import bootstrap, share, units
from forensics.timeline import FaceTrack

CARD = HERE.parents[1] / "forensics" / "data" / "blink.md"
SETTINGS = blink.Settings()
#: Least overlap of two intervals over their union, as in the publications compared with.
OVERLAP = 0.2
#: Strength of the regularisation: as good as none, the two features are of one kind and one scale.
LOOSE = 10.0
MILLISECONDS = Fraction(1, 1000)
THINNED_FPS = (60, 30, 25, 20, 15, 12, 10)
#: Widths of the eye in the shrunk copies, px, and how many clips are shrunk, those of the largest eyes.
SHRUNK_PX, SHRUNK_CLIPS = (30, 20, 15, 12, 10), 6


@dataclass(frozen=True)
class Labelled:
    """A clip's main track with its labels; ``row`` is the index's."""

    row: Mapping[str, str]
    track: FaceTrack
    label: Mapping[str, Any]

    @cached_property
    def eyes(self) -> dict[str, blink.Eye]:
        return {name: blink.seen_eye(self.track, name, SETTINGS) for name in blink.EYES}

    @cached_property
    def dips(self) -> list[blink.Dip]:
        """Those whose deepest point lies in the pictures labelled."""
        first, last = self.label["frames"]
        return [d for d in blink.dips(self.eyes, SETTINGS) if first - 0.5 <= self.picture(d.peak_s) <= last + 0.5]

    def picture(self, t_s: float) -> float:
        """Number of the picture, as a fraction."""
        return float(np.interp(t_s, self.track.t_s, self.track.frame))

    def span(self, dip: blink.Dip) -> tuple[float, float]:
        """From the first picture of a dip to behind its last, as labels are, inside the pictures labelled."""
        first, last = self.label["frames"]
        return max(first, self.picture(dip.start_s) - 0.5), min(last + 1, self.picture(dip.end_s) + 0.5)

    def measured(self, span: tuple[float, float]) -> bool:
        at_s = np.interp(np.arange(span[0], span[1]), self.track.frame, self.track.t_s)
        closed = blink.closedness(self.eyes)
        near = np.clip(np.searchsorted(closed.t_s, at_s), 0, len(closed.t_s) - 1)
        return bool(np.isfinite(closed.values[near]).mean() >= 0.5)

    def truth(self) -> tuple[list[dict[str, Any]], list[tuple[float, float]]]:
        """Blinks to be scored, and spans that are not."""
        first, last = self.label["frames"]
        sure, aside = [], [(a, b + 1) for a, b in self.label["unreadable"]]
        for each in self.label["blinks"]:
            span = (each["onset"], each["offset"] + 1)
            inside = first < each["onset"] and each["offset"] < last
            if each["sure"] and inside and self.measured(span):
                sure.append(each)
            else:
                aside.append(span)
        return sure, aside

    @property
    def eye_px(self) -> float:
        return float(np.median(self.track.quality["eye_width"].values))

    @property
    def fps(self) -> float:
        return 1 / float(np.median(np.diff(self.track.t_s)))

    @property
    def refused(self) -> tuple[str, ...]:
        (finding,) = blink.assess(_scene(self.track), SETTINGS)[:1]
        return finding.reasons


def _scene(track: FaceTrack) -> Any:
    from forensics.scene import Scene

    return Scene(
        interval=track.interval,
        observation=None,
        tracks=[track],
        brief=[],
        shots=[],
        freezes=[],
        speech=None,
        level=None,
    )


def labelled(cases: Path | None) -> list[Labelled]:
    """Every labelled clip, from its finished case or a pass made now."""
    by_hash, rows = json.loads(BLINKS.read_text("utf-8")), []
    for row in clips():
        label = by_hash.get(row["sha256"])
        if label:
            tracks = seen(DATA / row["path"], cases)
            rows.append(Labelled(row, next(t for t in tracks if t.name == label["track"]), label))
    return rows


def seen(path: Path, cases: Path | None) -> list[FaceTrack]:
    if cases and (cases / path.stem).is_dir():
        scene = open_case(cases / path.stem).scene
        return [*scene.tracks, *scene.brief]
    with tempfile.TemporaryDirectory() as folder, Case(Path(folder) / "case", path) as case:
        scene = pipeline.examine(case).scene
        # Into memory: the case goes with its folder.
        return [taken(t, np.arange(len(t.t_s))) for t in (*scene.tracks, *scene.brief)]


# -- matching --------------------------------------------------------------------------------------------------------


def overlap(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Of two intervals, over their union."""
    return max(0.0, min(a[1], b[1]) - max(a[0], b[0])) / (max(a[1], b[1]) - min(a[0], b[0]))


def matched(true: Sequence[tuple[float, float]], found: Sequence[tuple[float, float]]) -> dict[int, int]:
    """Numbers of the found by those of the true ones; the best overlaps first, each but once."""
    pairs = sorted(((overlap(t, f), i, j) for i, t in enumerate(true) for j, f in enumerate(found)), reverse=True)
    chosen: dict[int, int] = {}
    for value, i, j in pairs:
        if value >= OVERLAP and i not in chosen and j not in chosen.values():
            chosen[i] = j
    return chosen


def spans(blinks: Iterable[Mapping[str, Any]]) -> list[tuple[float, float]]:
    return [(b["onset"], b["offset"] + 1) for b in blinks]


@dataclass(frozen=True)
class Score:
    """Of one clip: found and true, true only, found only; errors in ms of onset, peak and offset of those found."""

    hit: int
    missed: int
    false: int
    errors_ms: np.ndarray  # (hit, 3)
    missed_ones: tuple[Mapping[str, Any], ...] = ()


def scored(clip: Labelled, decide: Callable[[blink.Dip], bool]) -> Score:
    true, aside = clip.truth()
    dips = [dip for dip in clip.dips if decide(dip)]
    found = [clip.span(dip) for dip in dips]
    pairs = matched(spans(true), found)
    false = [f for j, f in enumerate(found) if j not in pairs.values() and not any(overlap(f, a) > 0 for a in aside)]
    at = [[clip.picture(t) for t in (d.start_s, d.peak_s, d.end_s)] for d in dips]
    errors = [np.subtract(at[j], [true[i][k] for k in ("onset", "peak", "offset")]) for i, j in pairs.items()]
    missed = tuple(b for i, b in enumerate(true) if i not in pairs)
    return Score(len(pairs), len(missed), len(false), np.array(errors).reshape(-1, 3) * 1000 / clip.fps, missed)


def features(clip: Labelled) -> tuple[np.ndarray, np.ndarray]:
    """Fall and rise (n, 2) of the clip's dips, and what each is: 1 a blink, 0 none, -1 not scored."""
    true, aside = clip.truth()
    found = [clip.span(dip) for dip in clip.dips]
    kind = np.array([-1 if any(overlap(f, a) > 0 for a in aside) else 0 for f in found], int)
    kind[list(matched(spans(true), found).values())] = 1
    return np.array([[d.fall, d.rise] for d in clip.dips]).reshape(-1, 2), kind


def fitted(clips_: Sequence[Labelled]) -> blink.Settings:
    """The settings with the constants that tell these clips' blinks from their other dips best."""
    from sklearn.linear_model import LogisticRegression

    x, kind = (np.concatenate(parts) for parts in zip(*map(features, clips_), strict=True))
    model = LogisticRegression(C=LOOSE, max_iter=5000).fit(x[kind >= 0], kind[kind >= 0])
    (fall, rise), (at,) = model.coef_[0], model.intercept_
    return replace(SETTINGS, intercept=float(at), openness_weight=float(fall), shape_weight=float(rise))


def left_out(clips_: Sequence[Labelled], unit: np.ndarray) -> list[Score]:
    """Each clip's score by constants fitted without its unit."""
    by_unit = {u: fitted([c for c, v in zip(clips_, unit, strict=True) if v != u]) for u in np.unique(unit)}
    return [scored(c, lambda dip, u=u: dip.is_blink(by_unit[u])) for c, u in zip(clips_, unit, strict=True)]


# -- figures -----------------------------------------------------------------------------------------------------------


def f1(counts: np.ndarray) -> np.ndarray:
    """Of hits, misses and false ones (..., 3)."""
    hit, missed, false = np.moveaxis(counts, -1, 0)
    with np.errstate(invalid="ignore"):
        return 2 * hit / (2 * hit + missed + false)


def figures(scores: Sequence[Score], unit: np.ndarray) -> str:
    """Cells: clips, blinks, F1 with its bootstrap interval over units, recall and precision."""
    counts = np.array([[s.hit, s.missed, s.false] for s in scores])
    hit, missed, false = counts.sum(0)
    if hit + missed == 0:
        return f"{len(scores)} | 0 | – | – | – ({false} false)"
    value = f"{f1(counts.sum(0)):.3f}"
    if len(set(unit.tolist())) >= 5:
        low, high = bootstrap(lambda drawn: f1(drawn @ counts), unit)
        value += f" [{low:.3f}, {high:.3f}]"
    return f"{len(scores)} | {hit + missed} | {value} | {told(hit, hit + missed)} | {told(hit, hit + false)}"


def told(k: int, n: int) -> str:
    if not n:
        return "–"
    found = share(int(k), int(n))
    low = 0.0 if found.low is None else found.low
    return f"{k}/{n} = {found.value:.3f} [{low:.3f}, {found.high:.3f}]"


def by(
    rows: Sequence[Labelled], scores: Sequence[Score], unit: np.ndarray, name: Callable[[Labelled], str]
) -> list[str]:
    names = [name(row) for row in rows]
    lines = []
    for each in sorted(set(names)):
        rows_ = [k for k, n in enumerate(names) if n == each]
        lines.append(f"| {each} | {figures([scores[k] for k in rows_], unit[rows_])} |")
    return lines


def binned(value: float, edges: Sequence[float], unit: str) -> str:
    for low, high in zip(edges, edges[1:], strict=False):
        if low <= value < high:
            return f"{low:02g} to {high:02g} {unit}"
    return f"{edges[-1]:02g} {unit} and more"


def worst(rows: Sequence[Labelled], scores: Sequence[Score]) -> str:
    """The clip of which the smallest share was found, of those with five blinks or more."""
    many = [(s.hit / (s.hit + s.missed), s, r) for r, s in zip(rows, scores, strict=True) if s.hit + s.missed >= 5]
    _, score, row = min(many, key=lambda each: each[0])
    return f"{score.hit} of {score.hit + score.missed} ({Path(row.row['path']).stem})"


HEAD = "| {} | clips | blinks | F1 [bootstrap over persons] | recall | precision |\n|---|---|---|---|---|---|"


def timing(scores: Sequence[Score]) -> list[str]:
    errors = np.concatenate([s.errors_ms for s in scores])
    errors = np.column_stack([errors, errors[:, 2] - errors[:, 0]])
    lines = [
        "| of | n | median error ms | median of its size ms | 90th percentile of its size ms |",
        "|---|---|---|---|---|",
    ]
    for name, column in zip(("onset", "peak", "offset", "duration"), errors.T, strict=True):
        size = np.abs(column)
        cells = np.median(column), np.median(size), np.percentile(size, 90)
        lines.append(f"| {name} | {len(column)} | {' | '.join(f'{cell:.0f}' for cell in cells)} |")
    return lines


def thinned(clip: Labelled, fps: float) -> Labelled | None:
    """The clip with about ``fps`` of its pictures a second; None where it has no more."""
    if clip.fps < 0.95 * fps:
        return None
    track, due, rows = clip.track, -np.inf, []
    for row, t_s in enumerate(track.t_s):
        if t_s >= due - 0.25 / clip.fps:
            rows.append(row)
            due = max(due, t_s - 1 / fps) + 1 / fps if np.isfinite(due) else t_s + 1 / fps
    return replace(clip, track=taken(track, np.array(rows)))


def taken(track: FaceTrack, rows: np.ndarray) -> FaceTrack:
    arrays = {
        name: np.asarray(getattr(track, name)[:])[rows]
        for name in ("t_s", "frame", "pts", "landmarks", "blendshapes", "transform", "vertex_rgb")
    }
    quality = {n: replace(s, t_s=s.t_s[rows], values=s.values[rows]) for n, s in track.quality.items()}
    return replace(track, **arrays, quality=quality, repeats=None)


def shrunk(clip: Labelled, width_px: float, folder: Path) -> Labelled | None:
    """The clip looked at again after its pictures were made so small that the eye is ``width_px`` wide."""
    small = folder / f"{Path(clip.row['path']).stem}_{width_px:g}.mkv"
    factor = width_px / clip.eye_px
    with av.open(str(DATA / clip.row["path"])) as source, av.open(str(small), "w") as out:
        stream = source.streams.video[0]
        made = out.add_stream("libx264", rate=1000, options={"crf": "18", "preset": "veryfast"})
        made.width, made.height = (max(16, round(side * factor / 2) * 2) for side in (stream.width, stream.height))
        made.pix_fmt, made.codec_context.time_base = "yuv420p", MILLISECONDS
        for frame in source.decode(stream):
            if frame.pts is None:
                continue
            picture = frame.reformat(made.width, made.height, "yuv420p", interpolation="AREA")
            picture.pts, picture.time_base = round(frame.time / MILLISECONDS), MILLISECONDS
            out.mux(made.encode(picture))
        out.mux(made.encode(None))
    tracks = seen(small, None)
    small.unlink()
    best = max(tracks, key=lambda t: len(t.t_s), default=None)
    return None if best is None or len(best.t_s) < 10 else replace(clip, track=best)


# -- agreement ---------------------------------------------------------------------------------------------------------


def agreement(rows: Sequence[Labelled]) -> list[str]:
    """Both observers' sure blinks against each other, away from what either doubted or could not read."""
    counts, apart = np.zeros(3, int), []
    for row in (r for r in rows if "second" in r.label):
        first, second = ([b for b in by_["blinks"] if b["sure"]] for by_ in (row.label, row.label["second"]))
        aside = [
            [*spans(b for b in by_["blinks"] if not b["sure"]), *((a, b + 1) for a, b in by_["unreadable"])]
            for by_ in (row.label, row.label["second"])
        ]
        pairs = matched(spans(first), spans(second))
        only = [
            [s for k, s in enumerate(spans(mine)) if k not in used and not any(overlap(s, a) > 0 for a in theirs)]
            for mine, used, theirs in ((first, pairs.keys(), aside[1]), (second, pairs.values(), aside[0]))
        ]
        counts += (len(pairs), len(only[0]), len(only[1]))
        keys = ("onset", "peak", "offset")
        apart += [[(first[i][k] - second[j][k]) * 1000 / row.fps for k in keys] for i, j in pairs.items()]
    size = np.abs(np.array(apart))
    doubles = sum("second" in r.label for r in rows)
    return [
        f"{doubles} of the clips were labelled by a second observer who saw neither the first one's labels nor a "
        f"detector: {counts[0]} blinks by both, {counts[1]} by the first alone, {counts[2]} by the second alone (F1 "
        f"{f1(counts):.3f}). Median and 90th percentile of their distance: "
        + "; ".join(
            f"{name} {np.median(column):.0f} and {np.percentile(column, 90):.0f} ms"
            for name, column in zip(("onset", "peak", "offset"), size.T, strict=True)
        )
        + ". All observers are of one kind and saw the same sheets: they can share a mistake.",
    ]


# -- the document ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tried:
    """Clips that are scored, their units, and their scores by constants fitted without them; why the rest are not."""

    used: list[Labelled]
    unit: np.ndarray
    scores: list[Score]
    refused: Mapping[int, tuple[str, ...]]


def tried(rows: Sequence[Labelled]) -> Tried:
    refused = {k: reasons for k, row in enumerate(rows) if (reasons := row.refused)}
    used = [row for k, row in enumerate(rows) if k not in refused or refused[k] == ("eyes_still",)]
    unit = units([r.row["person"] for r in used], [r.row["group"] for r in used])
    return Tried(used, unit, left_out(used, unit), refused)


def made_at() -> str:
    return subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, text=True).strip()


def card(done: Tried) -> str:
    """What reports print of it: forensics/data/blink.md."""
    n = len(set(done.unit.tolist()))

    def cells(label: str) -> tuple[str, ...]:
        kept = [k for k, row in enumerate(done.used) if label in ("", row.row["label"])]
        return tuple(figures([done.scores[k] for k in kept], done.unit[kept]).split(" | "))

    (clips_, blinks, f_all, recall, precision), altered = cells(""), cells("altered")
    size = np.abs(np.concatenate([s.errors_ms for s in done.scores])[:, 1])
    return "\n".join(
        [
            "# Model card: blinks",
            "",
            f"Made by `python tests/real/blinks.py` at commit {made_at()}; method {blink.METHOD.name}, version "
            f"{blink.METHOD.version}. Every figure with its conditions is in `tests/real/BLINKS.md`.",
            "",
            "## What it was fitted to",
            "",
            f"Three constants, which stand among the settings, to {blinks} blinks that an observer marked in sheets of "
            f"every picture before any detector was run: {clips_} clips, altered ones among them, {n} persons or "
            "groups.",
            "",
            "## Tried on people it was not fitted to",
            "",
            f"The same clips, the constants fitted anew without each person: F1 {f_all}, recall {recall}, precision "
            f"{precision} (F1: 95 % bootstrap over persons; shares: Clopper-Pearson 95 %). Altered clips alone: F1 "
            f"{altered[2]} of {altered[1]} blinks. The deepest instant lies {np.median(size):.0f} ms from the marked "
            f"one in the median, 90 % within {np.percentile(size, 90):.0f} ms.",
            "",
            "## Limits",
            "",
            "- The observers were of one kind and saw the same sheets: they can share a mistake.",
            "- The figures are of these clips together; by eye width and pictures a second they stand in BLINKS.md. "
            "Glasses, make-up, age and health were not tried apart.",
            "- Half closures, as some software makes them, are missed more often.",
            "- The figures are of finding blinks. How often a rate says something about a recording's making was not "
            "measured; the gaze has no figures here.",
            "",
        ]
    )


def document(rows: list[Labelled], done: Tried, small: list[str]) -> str:
    used, unit, scores, refused = done.used, done.unit, done.scores, done.refused
    final = fitted(used)
    shipped = [scored(r, lambda dip: dip.is_blink(SETTINGS)) for r in used]
    every = [b for r in rows for b in r.label["blinks"]]
    missed = [b for s in scores for b in s.missed_ones]
    none = sum(not row.truth()[0] for row in used)
    names = [f"{Path(rows[k].row['path']).stem} {' '.join(reasons)}" for k, reasons in refused.items()]
    lines = [
        "# Blinks against labels by eye",
        "",
        f"Made by `python tests/real/blinks.py` at commit {made_at()}; method {blink.METHOD.name}, version "
        f"{blink.METHOD.version}.",
        "",
        f"Labels: {len(rows)} clips, {sum(r.label['frames'][1] - r.label['frames'][0] + 1 for r in rows):,} pictures, "
        f"{len(every)} blinks, {sum(b['sure'] for b in every)} of them sure, {sum(not b['complete'] for b in every)} "
        f"incomplete. {' '.join(agreement(rows))}",
        "",
        f"Refused: {'; '.join(names) or 'none'}. Refused clips whose eyes never move (`eyes_still`) are scored all the "
        "same: a blink missed there would count.",
        "",
        "## Found and missed",
        "",
        HEAD.format(f"constants fitted without the person, {len(set(unit.tolist()))} units"),
        f"| all | {figures(scores, unit)} |",
        *by(used, scores, unit, lambda r: r.row["label"] + (" blink" if "/blink/" in r.row["path"] else "")),
        *by(used, scores, unit, lambda r: "rate " + binned(r.fps, (20, 27, 40), "pictures/s")),
        *by(used, scores, unit, lambda r: "eye " + binned(r.eye_px, (12, 20, 30, 60), "px")),
        f"| all, constants as shipped (fitted on these clips: flatters) | {figures(shipped, unit)} |",
        "",
        f"Missed: {len(missed)}, of which {sum(not b['complete'] for b in missed)} were labelled incomplete. Clips "
        f"without a blink to be scored: {none}. Fewest found of a clip with five blinks or more: "
        f"{worst(used, scores)}.",
        "",
        f"Constants fitted on all: intercept {final.intercept:.4f}, openness_weight {final.openness_weight:.3f}, "
        f"shape_weight {final.shape_weight:.3f}; shipped: {SETTINGS.intercept:.4f}, {SETTINGS.openness_weight:.3f}, "
        f"{SETTINGS.shape_weight:.3f}.",
        "",
        "Published for comparison, on other recordings (F1): theblinktest 0.944, 0.798 and 0.428 on three sets, "
        "RT-BENE 0.976 and 0.913.",
        "",
        "## When",
        "",
        "Found minus labelled, of the blinks found. A label is a whole picture, of 17 to 42 ms: an onset is labelled "
        "at the first lower picture and measured between it and the one before.",
        "",
        *timing(scores),
        "",
        "## Frame rate: the same landmarks, pictures left out",
        "",
        HEAD.format("pictures/s"),
    ]
    for fps in THINNED_FPS:
        pairs = [(t, u) for r, u in zip(used, unit, strict=True) if (t := thinned(r, fps))]
        if pairs:
            each = [scored(t, lambda dip: dip.is_blink(SETTINGS)) for t, _ in pairs]
            lines.append(f"| {fps} | {figures(each, np.array([u for _, u in pairs]))} |")
    return "\n".join([*lines, "", *small])


def families(cases: Path | None) -> list[str]:
    """What blinking shows of each kind of clip: of those assessed, how many show anything at all."""
    found: dict[str, list[Any]] = {}
    for row in clips():
        tracks = seen(DATA / row["path"], cases)
        if tracks:
            best = max(tracks, key=lambda t: len(t.t_s))
            kind = row["label"] if row["label"] == "authentic" else row["generator"]
            found.setdefault(kind, []).append(blink.assess(_scene(best), SETTINGS)[0])
    lines = [
        "## By kind of clip",
        "",
        "The longest track of each clip. Lip-synced clips keep their source's eyes, most animated stills do not blink: "
        "that a clip shows no blink is a fact, never marked at these lengths.",
        "",
        "| kind | clips | assessed | eyes never move | assessed, no blink | rate marked | median rate 1/min |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind, each in sorted(found.items()):
        rates = [f.measurement("blink_rate") for f in each if f.measurements]
        cells = (
            len(each),
            len(rates),
            sum(f.reasons == ("eyes_still",) for f in each),
            sum(r.n == 0 for r in rates),
            sum(r.unusual for r in rates),
            f"{np.median([r.value for r in rates]):.0f}" if rates else "–",
        )
        lines.append(f"| {kind} | {' | '.join(map(str, cells))} |")
    return [*lines, ""]


def small_eyes(rows: list[Labelled]) -> list[str]:
    chosen = sorted((r for r in rows if r.truth()[0]), key=lambda r: -r.eye_px)[:SHRUNK_CLIPS]
    unit = units([r.row["person"] for r in chosen], [r.row["group"] for r in chosen])
    lines = ["## Eye width: pictures made smaller and looked at again", "", HEAD.format("eye px")]
    with tempfile.TemporaryDirectory() as folder:
        for width in SHRUNK_PX:
            made = [(shrunk(r, width, Path(folder)), u) for r, u in zip(chosen, unit, strict=True)]
            kept = [(r, u) for r, u in made if r is not None]
            # What is lost with the face counts as missed: the labels of the whole clip are the truth.
            each = [scored(r, lambda dip: dip.is_blink(SETTINGS)) for r, _ in kept]
            lines.append(f"| {width} | {figures(each, np.array([u for _, u in kept]))} |")
            print(lines[-1], flush=True)
    return [*lines, ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path)
    parser.add_argument("--shrunk", action="store_true", help="with the table of shrunk copies: 30 more passes")
    options = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"{DATA} is not there: the labelled clips are needed.")
    rows = labelled(options.cases)
    done = tried(rows)
    CARD.write_text(card(done), encoding="utf-8")
    text = document(rows, done, families(options.cases) + (small_eyes(rows) if options.shrunk else []))
    (HERE / "BLINKS.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
