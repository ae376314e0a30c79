"""The offset of sound to lips against releases of p, b, m marked by hand, and against built samples of known offset.

    python tests/real/offsets.py --cases FOLDER     (cases made by tests/real/gate.py --cases FOLDER)

Writes tests/real/OFFSETS.md from offsets.json (made with lips.py before any offset was looked at). A clip's offset by
hand is the mean, over its sure releases, of the sound's time less the middle between the last closed and the first open
picture. Beside the offset that the report prints, which comes from weights fitted to these very recordings among
others: that of a fit without any of the marked persons.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy.stats
from gate import DATA, HERE, OTHER_SOUND, commit, share
from lips import MARKS, main_track

from forensics import observe, open_case, pipeline, training
from forensics.analysis import lipsync
from forensics.analysis.lipsync import measure
from forensics.analysis.lipsync.model import Model
from forensics.case import Case
from forensics.finding import Measurement
from forensics.timeline import Interval, union

OFFSETS, SAMPLES = HERE / "OFFSETS.md", HERE.parents[1] / "samples" / "out"
SETTINGS = lipsync.Settings()
#: Clips of one recording chain, which are one unit: their offset is one.
STUDIO, CHAIN = "grid_", "studio clips (GRID)"
#: Built samples looked at: in step, known to be late, and in step with pictures left out.
BUILT = ("talker.mp4", "talker_sound_200ms_late.mp4", "talker_variable_rate.mp4")
#: Shares of the widest opening (27 px) from which an eye may call the planned lips parted; the middle one is a pixel.
PARTED = (0.0, 0.05, 0.1)
#: Pictures a second of the plan; a release belongs to a closure that ends within two of them.
PLAN_FPS, NEAR_S = 25, 0.08
COLUMNS = (
    "clip",
    "pictures/s",
    "by hand ms",
    "sure",
    "SD of one",
    "all marks (n)",
    "printed ms",
    "less hand",
    "holds it",
    "without ms",
    "less hand",
)


@dataclass(frozen=True)
class Release:
    """One release: the sound's time ± its error, last closed and first open picture, all s; whether it is sure."""

    sound_s: float
    error_s: float
    closed_s: float
    open_s: float
    sure: bool = True

    @property
    def offset_s(self) -> float:
        return self.sound_s - (self.closed_s + self.open_s) / 2

    @property
    def variance(self) -> float:
        """In s²: the lips may part at any time between the pictures; ``error_s`` is half of a uniform interval."""
        return (self.open_s - self.closed_s) ** 2 / 12 + self.error_s**2 / 3


@dataclass(frozen=True)
class Mean:
    """Mean in ms of n with its two-sided 95 % interval, and the standard deviation of one."""

    value: float
    low: float
    high: float
    sd: float
    n: int

    def __str__(self) -> str:
        return interval(self.value, self.low, self.high)


def interval(value: float, low: float, high: float) -> str:
    return f"{value:+.0f} [{low:+.0f}, {high:+.0f}]"


def by_hand(releases: Sequence[Release]) -> Mean:
    """By Student's t; the scatter of one release is that seen, but no less than pictures and marks allow."""
    expected = np.sqrt(np.mean([r.variance for r in releases]))
    return mean_of([1000 * r.offset_s for r in releases], least_sd=1000 * float(expected))


def mean_of(values: Sequence[float], least_sd: float = 0.0) -> Mean:
    n, value = len(values), float(np.mean(values))
    sd = max(float(np.std(values, ddof=1)) if n > 1 else np.inf, least_sd)
    half = sd / np.sqrt(n) * scipy.stats.t.ppf(0.975, n - 1) if n > 1 else np.inf
    return Mean(value, value - half, value + half, sd, n)


# -- marked clips ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Marked:
    """A clip with its releases and what its report prints: ``av_offset``, or None where it refuses."""

    name: str
    fps: float
    releases: list[Release]
    printed: dict[str, Any] | None

    @property
    def sure(self) -> list[Release]:
        return [r for r in self.releases if r.sure]


def marked(cases: Path) -> list[Marked]:
    found = []
    for digest, label in json.loads(MARKS.read_text("utf-8")).items():
        case = open_case(cases / label["clip"])
        if case.state["evidence_sha256"] != digest:
            raise SystemExit(f"{cases / label['clip']} is the case of another file than the one marked.")
        track = main_track(case.scene)
        t_s = dict(zip(track.frame.tolist(), track.t_s.tolist(), strict=True))
        releases = [
            Release(r["sound_s"], r["error_s"], t_s[r["closed"]], t_s[r["open"]], r["sure"]) for r in label["releases"]
        ]
        found.append(
            Marked(label["clip"], 1 / float(np.median(np.diff(track.t_s))), releases, printed_of(case.findings))
        )
    return found


def printed_of(findings: Sequence[Any]) -> dict[str, Any] | None:
    """``av_offset`` of the first person whose offset was assessed."""
    told = [m for f in findings if f["question"] == "lipsync.offset" for m in f["measurements"]]
    return next((m for m in told if m["name"] == "av_offset"), None)


def left_out(cases: Path, clips: Sequence[Marked]) -> tuple[dict[str, Measurement], int]:
    """By clip, the offset by a fit without any marked person or studio clip; how many recordings it was fitted to."""
    samples = training.gather(cases, DATA / "index.tsv", sorted(OTHER_SOUND))
    names = {c.name for c in clips}
    mine = {s.unit for s in samples if s.name in names or s.name.startswith(STUDIO)}
    others = [s for s in samples if s.unit not in mine]
    model = training.fit(others)
    asked = [s for s in samples if s.name in names or s.name.startswith(STUDIO)]
    return {s.name: offset_of(s, model) for s in asked}, len(others)


def offset_of(sample: training.Sample, model: Model) -> Measurement:
    mouth, sound = model.of_lips(sample.lips), model.of_sound(sample.sound)
    blocks = len(measure.seen_blocks(mouth, SETTINGS))
    return measure.measure_offset(
        measure.compare(mouth, sound, SETTINGS), measure.bootstrap_offsets(mouth, sound, SETTINGS), blocks, SETTINGS
    )


# -- built samples ---------------------------------------------------------------------------------------------------


def planned(truth: dict[str, Any], told: dict[str, Any], parted: float) -> list[Release]:
    """Releases of a sample by its exact phonemes and the plan of its pictures, as an eye would mark them."""
    t_s = np.array(told.get("presentation_s") or np.arange(told["frames"]) / PLAN_FPS)
    shut = np.array(truth["plan_per_frame"]["opening"])[np.round(t_s * PLAN_FPS).astype(int)] <= parted
    last = np.flatnonzero(shut[:-1] & ~shut[1:])
    middles = (t_s[last] + t_s[last + 1]) / 2
    found = []
    for closure in union([Interval(c["start_s"], c["end_s"]) for c in told["bilabial_closures"]], 1 / PLAN_FPS):
        k = int(np.abs(middles - closure.end_s).argmin())
        if abs(middles[k] - closure.end_s) < NEAR_S:
            sound_s = closure.end_s + told["av_offset_ms"] / 1000  # closures are told as seen on the lips
            found.append(Release(sound_s, 0.0, float(t_s[last[k]]), float(t_s[last[k] + 1])))
    return found


def sample_rows() -> list[str]:
    if not (SAMPLES / "truth.json").exists():
        return ["The samples are not built."]
    truth = json.loads((SAMPLES / "truth.json").read_text("utf-8"))
    marks = " | ".join(f"as marked, parted from {100 * p:.0f} % on" for p in PARTED)
    lines = [
        f"| sample | planned ms | printed ms | less planned | releases | {marks} |",
        "|" + "---|" * (5 + len(PARTED)),
    ]
    for name in BUILT:
        told, seen = truth["files"][name], reported(SAMPLES / name)
        exact = [planned(truth, told, parted) for parted in PARTED]
        lines.append(
            f"| {name} | {told['av_offset_ms']:+.0f} | {interval(seen.value, seen.low, seen.high)} | "
            f"{seen.value - told['av_offset_ms']:+.0f} | {len(exact[0])} | "
            + " | ".join(str(by_hand(releases)) for releases in exact)
            + " |"
        )
    return lines


def reported(clip: Path) -> Measurement:
    settings = pipeline.Settings(observe=replace(observe.Settings(), workers=1))
    with tempfile.TemporaryDirectory() as folder, Case(Path(folder) / "case", clip) as case:
        found = pipeline.report(case, settings=settings).findings
    return next(f for f in found if f.question == "lipsync.offset").measurement("av_offset")


# -- the tables ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unit:
    """A recording chain: the hand's offset, the printed one (None: refused) and that of the fit without it, ms."""

    name: str
    hand: Mean
    all_marks: Mean
    fps: float
    printed: dict[str, Any] | None
    without: float


def units_of(clips: Sequence[Marked], without: dict[str, Measurement]) -> list[Unit]:
    def unit(name: str, some: Sequence[Marked], printed: dict[str, Any] | None, lags: list[float]) -> Unit:
        sure, every = [r for c in some for r in c.sure], [r for c in some for r in c.releases]
        return Unit(name, by_hand(sure), by_hand(every), some[0].fps, printed, float(np.mean(lags)))

    studio = [c for c in clips if c.name.startswith(STUDIO)]
    lags = [m.value for name, m in without.items() if name.startswith(STUDIO)]
    return [
        unit(CHAIN, studio, None, lags),
        *(unit(c.name, [c], c.printed, [without[c.name].value]) for c in clips if c not in studio),
    ]


def unit_row(u: Unit) -> str:
    told = u.printed
    printed, less, holds = "– (too short)", "–", "–"
    if told is not None:
        printed = interval(told["value"], told["low"], told["high"])
        less = f"{told['value'] - u.hand.value:+.0f}"
        holds = "yes" if told["low"] <= u.hand.value <= told["high"] else "**no**"
    return (
        f"| {u.name} | {u.fps:.0f} | {u.hand} | {u.hand.n} | {u.hand.sd:.0f} | {u.all_marks.value:+.0f} "
        f"({u.all_marks.n}) | {printed} | {less} | {holds} | {u.without:+.0f} | {u.without - u.hand.value:+.0f} |"
    )


def differences(what: str, values: Sequence[float]) -> str:
    """Median size, mean with its interval, and where a further chain's difference is to be expected."""
    mean, size = mean_of(values), np.abs(values)
    reach = mean.sd * np.sqrt(1 + 1 / mean.n) * scipy.stats.t.ppf(0.975, mean.n - 1)
    return (
        f"| {what} | {mean.n} | {np.median(size):.0f} | {size.max():.0f} | {mean} | {mean.sd:.0f} | "
        f"{mean.value - reach:+.0f} to {mean.value + reach:+.0f} |"
    )


def signed(values: Sequence[float]) -> str:
    return ", ".join(f"{v:+.0f}" for v in values) + f" ms; standard deviation {np.std(values, ddof=1):.0f} ms"


def text_of(cases: Path) -> str:
    clips = marked(cases)
    without, fitted = left_out(cases, clips)
    units = units_of(clips, without)
    told = [(u, u.printed) for u in units if u.printed is not None]
    held = sum(p["low"] <= u.hand.value <= p["high"] for u, p in told)
    statistical = np.median([p["high"] - p["low"] - 2 * SETTINGS.systematic_ms for _, p in told])
    studio = sorted(m.value for name, m in without.items() if name.startswith(STUDIO))
    own = sorted(1000 * r.offset_s for c in clips if c.name.startswith(STUDIO) for r in c.sure)
    n, sure = sum(len(c.releases) for c in clips), sum(len(c.sure) for c in clips)
    return f"""# Offset of sound to lips: by hand, and as measured

Made by `python tests/real/offsets.py` at commit {commit()} on the clips of `../shared/data` and the built samples.
Positive: the sound comes after the lips. Intervals: 95 %.

By hand: {n} releases of p, b, m ({sure} sure) in {len(clips)} clips of {len(units)} recording chains, marked by one
observer in sound and picture before any offset was looked at (`offsets.json`; how: `lips.py`). Intervals by Student's t
over the sure releases; the scatter of one is that seen, and no less than the spacing of the pictures and the marks'
errors allow. They do not hold what all marks share: lips are seen parted only once the gap is about a pixel wide, and
so late, which makes offsets by hand too small (by how much in the built samples: below). Which closure belongs to which
sound was told partly from the clip's other releases, so their scatter flatters; in the studio clips the sentence is
known.

Without: by a fit to {fitted} recordings of other persons; the shipped weights were fitted to these clips, too. The
studio clips, 3 s each, get no offset in a report; here the mean of the seven.

| {" | ".join(COLUMNS)} |
{"|" + "---|" * len(COLUMNS)}
{chr(10).join(unit_row(u) for u in units)}

| difference to the hand | chains | median size ms | largest | mean | SD | a further clip, 95 % |
{"|" + "---|" * 7}
{differences("printed", [p["value"] - u.hand.value for u, p in told])}
{differences("fit without the marked persons", [u.without - u.hand.value for u in units])}

Printed intervals that hold the offset by hand: {share(held, len(told))}. Of their width,
{2 * SETTINGS.systematic_ms:.0f} ms are `systematic_ms` = {SETTINGS.systematic_ms:.0f} on both sides and
{statistical:.0f} ms (median) the scatter in time: the systematic part has to cover the last column, the normal
prediction of one more chain from so few.

## One recording chain

Studio clips by the fit without them (n {len(studio)}, 3 s each): {signed(studio)}.
Their sure releases by hand (n {len(own)}): {signed(own)}.
Pictures at 25/s alone make 12 ms of a release's (40 / √12).

## Built samples of known offset

{chr(10).join(sample_rows())}

As marked: the exact phonemes and the plan of the pictures through the arithmetic of the marks; parted from such a share
of the widest opening on (27 px: 5 % is about a pixel). The plan eases the lips open, which is our model of lips: it
shows how far marks by eye come out too small where lips part that slowly, not that real ones do.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--cases", type=Path, required=True, help="finished cases, as tests/real/gate.py --cases makes them"
    )
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("SKIPPED: tests/real/offsets.py needs ../shared/data, which is absent")
    OFFSETS.write_text(text_of(options.cases), encoding="utf-8")
    print(OFFSETS.read_text("utf-8"))


if __name__ == "__main__":
    main()
