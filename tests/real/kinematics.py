"""How mouths move: which measures are more than noise, what untouched recordings measure, and what tells alterations.

    python tests/real/kinematics.py --cases FOLDER     (cases made by tests/real/gate.py --cases FOLDER)

Each measure is taken from each clip, from its halves, with fewer pictures and with the landmarks' own scatter added.
Writes tests/real/KINEMATICS.md and what the report prints as authentic range, forensics/data/kinematics.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from gate import DATA, OTHER_SOUND, clips, commit, share
from validate import CLASSES

from forensics import statistics, training, validation
from forensics.analysis import lipsync
from forensics.analysis.lipsync import kinematics, verdict
from forensics.analysis.lipsync.features import RIGID, without_pose
from forensics.analysis.lipsync.kinematics import Movement
from forensics.analysis.lipsync.signal import GRID_HZ, OUTER, smoothed
from forensics.finding import DIGITS, Measurement
from forensics.scene import Scene
from forensics.timeline import FaceTrack, Interval, Series, intersection, repeatability, runs, total_s

HERE = Path(__file__).resolve().parent
KINEMATICS, RANGES = HERE / "KINEMATICS.md", HERE.parents[1] / "forensics" / "data" / f"{kinematics.NAME}.json"
SETTINGS = lipsync.Settings()
#: Pictures a second that clips of more are thinned to; halves shorter than this are not compared.
THINNED, HALF_S = (25.0, 20.0, 15.0), 4.0
#: A measure is printed in reports where halves agree this well and neither scatter nor 20 pictures a second moves it
#: by more than this part of the persons' standard deviation.
LEAST_ICC, MOST_MOVED = 0.4, 0.3
LEAST_FAMILY = 5
RESAMPLES = 2000
#: Measures tried and not printed, unless they pass: what each is.
TRIED = {
    "closing_over_opening": "log of closing over opening peak speed, median of gestures",
    "interval_scatter": "standard deviation of the log of times from gesture to gesture (regularity)",
    "opening_frequency": "frequency of the opening, after Rice 1945, slow changes out",
    "spectral_flatness": "of the opening's speed, 1 to 10 Hz",
    "arc_length": "spectral arc length of the opening's speed in seconds (Balasubramanian et al. 2012)",
    "jerk": "log dimensionless jerk of the opening in seconds (Balasubramanian et al. 2015)",
    "stiffness": "slope of peak speed over amplitude of gestures",
    "protrusion_range": "range of the lips' depth, a guess of the model",
    "coherence": "magnitude squared, opening with sound level, 2 to 8 Hz",
    "lag_scatter": "standard deviation of the best lag in windows of 2 s",
    "coarticulation": "share of the opening explained by the sound level within 240 ms, less at one instant",
}
NAMES = (*kinematics.UNITS, *TRIED)


# -- one clip ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Clip:
    """Measures of one clip's longest face, whole and changed; ``whole`` is empty where they are refused."""

    name: str
    row: dict[str, str]
    facts: dict[str, float | None]
    refused: tuple[str, ...]
    whole: dict[str, float]
    found: Sequence[Measurement] = ()
    halves: Sequence[tuple[dict[str, float], Sequence[Measurement]]] = ()
    thinned: dict[float, dict[str, float]] | None = None
    noisy: dict[str, float] | None = None
    about: dict[str, float] | None = None

    @property
    def family(self) -> str:
        return "" if self.row["label"] == "authentic" else self.row["generator"]


def thin(track: FaceTrack, fps: float) -> FaceTrack:
    clock = np.arange(track.t_s[0], track.t_s[-1], 1 / fps)
    rows = np.unique(np.clip(np.searchsorted(track.t_s, clock - 1e-6), 0, len(track.t_s) - 1))
    return with_rows(track, rows, np.asarray(track.landmarks[:])[rows])


def with_rows(track: FaceTrack, rows: np.ndarray, landmarks: np.ndarray) -> FaceTrack:
    """The track's pictures ``rows`` with other landmarks."""
    some = {k: np.asarray(getattr(track, k)[:])[rows] for k in ("frame", "pts", "blendshapes", "transform")}
    quality = {k: Series(k, s.t_s[rows], s.values[rows], s.unit) for k, s in track.quality.items()}
    light = np.zeros((len(rows), 0))
    return replace(track, t_s=track.t_s[rows], landmarks=landmarks, vertex_rgb=light, quality=quality, **some)


def scattered(track: FaceTrack) -> FaceTrack:
    """Each picture's landmarks off as one of the repeated looks was off its picture's mean."""
    points, rows = np.array(track.landmarks[:], float), np.arange(len(track.t_s))
    if track.repeats is not None and len(track.repeats):
        looks = np.asarray(track.repeats.landmarks, float)
        off = (looks - looks.mean(1, keepdims=True)) * np.sqrt(looks.shape[1] / (looks.shape[1] - 1))
        off = off.reshape(-1, *off.shape[2:])
        points += off[np.random.default_rng(0).integers(0, len(off), len(points))]
    return with_rows(track, rows, points)


def measured(tracks: list[FaceTrack], level: Series, spoken: list[Interval], grid: np.ndarray) -> dict[str, float]:
    movement = kinematics.move(tracks, spoken, grid, SETTINGS)
    if kinematics.measured_s(movement) < HALF_S:
        return {}
    printed = kinematics.measure(movement, replace(SETTINGS, resamples=1))
    return {m.name: m.value for m in printed} | tried(movement, tracks, level)


def clip_of(name: str, row: dict[str, str], scene: Scene, cases: Path) -> Clip:
    facts = validation.facts(json.loads((cases / name / "findings.json").read_text()))
    spoken, audio = scene.speech or [], scene.observation.audio
    if not spoken or audio is None or not scene.tracks:
        return Clip(name, row, facts, ("no_sound_speech_or_face",), {})
    person = max(scene.persons, key=lambda p: total_s(t.interval for t in scene.persons[p]))
    tracks, spectrum = scene.persons[person], lipsync.sound_spectrum(audio)
    within = [t.interval for t in tracks]
    refused = verdict.refusals(tracks, within, spoken, spectrum, SETTINGS)
    if verdict.accompanied(person, scene.tracks, spoken):
        refused = (*refused, "several_faces")
    if kinematics.rate_of(tracks) < SETTINGS.least_kinematics_fps:
        refused = (*refused, "frame_rate_too_low")
    grid, own = np.arange(scene.interval.start_s, scene.interval.end_s, 1 / GRID_HZ), intersection(spoken, within)
    movement = kinematics.move(tracks, own, grid, SETTINGS)
    if not refused and kinematics.measured_s(movement) < SETTINGS.least_kinematics_s:
        refused = ("too_little_speech",)
    if refused:
        return Clip(name, row, facts, refused, {})
    level = Series("level", spectrum.t_s, spectrum.values.mean(1), "log power")
    middle = float(np.median(grid[movement.measured]))
    halves = []
    for half in (Interval(scene.interval.start_s, middle), Interval(middle, scene.interval.end_s)):
        part = intersection(own, [half])
        if values := measured(tracks, level, part, grid):
            halves.append((values, kinematics.measure(kinematics.move(tracks, part, grid, SETTINGS), SETTINGS)))
    fps, found = kinematics.rate_of(tracks), kinematics.measure(movement, SETTINGS)
    spans = {m.name: m.value for m in found}
    error = repeatability(
        np.concatenate([kinematics.mouth_shape(t.repeats.landmarks)[..., 0] for t in tracks if t.repeats])
    )
    return Clip(
        name,
        row,
        facts,
        (),
        measured(tracks, level, own, grid),
        found,
        halves if len(halves) == 2 else (),
        {f: measured([thin(t, f) for t in tracks], level, own, grid) for f in THINNED if fps > 1.1 * f},
        measured([scattered(t) for t in tracks], level, own, grid),
        {
            "gesture_errors": SETTINGS.least_gesture * spans["opening_range"] / error,
            "depth_explained": depth_explained(movement, tracks),
            "onsets": float(sum(seen_onset(movement, i) for i in own)),
        },
    )


def all_clips(cases: Path) -> Iterator[Clip]:
    rows = {Path(r["path"]).stem: r for r in clips() if r["path"].split("/")[1] in ("authentic", "altered")}
    for name, scene in training.scenes(cases, set(rows) - OTHER_SOUND, cases):
        yield clip_of(name, rows[name], scene, cases)


# -- what else was tried ----------------------------------------------------------------------------------------------


def tried(movement: Movement, tracks: list[FaceTrack], level: Series) -> dict[str, float]:
    made = {**of_gestures(movement), **of_speed(movement), **of_sound(movement, level)}
    return made | {"protrusion_range": float(np.ptp(np.percentile(depth(movement, tracks), (2.5, 97.5))))}


def of_gestures(movement: Movement) -> dict[str, float]:
    """From trough to peak to trough."""
    peaks, opening, speed = kinematics.gestures(movement, SETTINGS), movement.smooth, movement.opening_speed
    ratios, sizes, fastest, apart = [], [], [], []
    for first, behind in runs(movement.measured):
        own = [int(p) for p in peaks if first <= p < behind]
        edges = [first, *own, behind - 1]
        troughs = [a + int(opening[a : b + 1].argmin()) for a, b in zip(edges, edges[1:], strict=False)]
        apart += list(np.diff(own) / GRID_HZ)
        for before, peak, after in zip(troughs, own, troughs[1:], strict=False):
            if before < peak < after:
                up, down = float(speed[before:peak].max()), float(-speed[peak:after].min())
                if up > 0 and down > 0:
                    ratios.append(np.log(down / up))
                    sizes += [opening[peak] - opening[before], opening[peak] - opening[after]]
                    fastest += [up, down]
    a, v = np.array(sizes), np.array(fastest)
    return {
        "closing_over_opening": float(np.median(ratios)) if len(ratios) >= 5 else np.nan,
        "interval_scatter": float(np.std(np.log(apart))) if len(apart) >= 5 else np.nan,
        "stiffness": float((a @ v) / (a @ a)) if len(ratios) >= 5 else np.nan,
    }


def of_speed(movement: Movement) -> dict[str, float]:
    speed, seconds = movement.opening_speed, []
    for first, behind in runs(movement.measured):
        seconds += [speed[k : k + 100] for k in range(first, behind - 99, 100)]
    quick = movement.smooth - smoothed(movement.smooth, SETTINGS.slow_s)
    own = movement.measured
    made = {"opening_frequency": float(np.sqrt(np.mean(speed[own] ** 2)) / np.std(quick[own]) / 2 / np.pi)}
    if not seconds:
        return made
    frequency = np.fft.rfftfreq(256, 1 / GRID_HZ)
    power = np.mean([np.abs(np.fft.rfft((s - s.mean()) * np.hanning(100), 256)) ** 2 for s in seconds], 0)
    band = power[(frequency >= 1) & (frequency <= 10)]
    lengths, jerks = [], []
    for s in seconds:
        profile = np.abs(np.fft.rfft(np.abs(s), 1024))[: int(10 * 1024 / GRID_HZ) + 1]
        profile = profile / profile[0]
        lengths.append(-np.sqrt(np.diff(profile) ** 2 + len(profile) ** -2.0).sum())
        third = np.gradient(np.gradient(s)) * GRID_HZ**2
        jerks.append(-np.log((third**2).mean() / (np.abs(s) ** 2).max()))
    return made | {
        "spectral_flatness": float(np.exp(np.log(band).mean()) / band.mean()),
        "arc_length": float(np.mean(lengths)),
        "jerk": float(np.mean(jerks)),
    }


def of_sound(movement: Movement, level: Series) -> dict[str, float]:
    opening, speed, own = movement.smooth, movement.opening_speed, movement.measured
    sound = smoothed(level.at(movement.t_s, 0.1), SETTINGS.smoothing_s)
    sound, rise = np.nan_to_num(sound, nan=float(np.nanmean(sound))), np.gradient(np.nan_to_num(sound))
    cross, mouth, heard = 0.0, 0.0, 0.0
    for first, behind in runs(own):
        for k in range(first, behind - 99, 50):
            a, b = (
                np.fft.rfft((x[k : k + 100] - x[k : k + 100].mean()) * np.hanning(100), 200)[4:17]
                for x in (opening, sound)
            )
            cross, mouth, heard = cross + a * np.conj(b), mouth + np.abs(a) ** 2, heard + np.abs(b) ** 2
    steps = np.flatnonzero(own)
    lags = np.arange(-40, 56)
    fits = steps[(steps + lags[0] >= 0) & (steps + lags[-1] < len(own))]
    if len(fits) < 300:
        return {}
    lag = int(lags[np.argmax([np.corrcoef(speed[fits], rise[fits + k])[0, 1] for k in lags])])
    around, local = np.arange(max(lag - 20, lags[0]), min(lag + 20, lags[-1]) + 1), []
    for start in range(fits[0], fits[-1] - 199, 100):
        some = fits[(fits >= start) & (fits < start + 200)]
        if len(some) >= 160:
            local.append(around[np.argmax([np.corrcoef(speed[some], rise[some + k])[0, 1] for k in around])] * 10.0)
    wide = [lag + k for k in range(-24, 25, 4)]
    told = steps[(steps + wide[0] >= 0) & (steps + wide[-1] < len(own))]
    gain = explained(opening[told], sound[told[:, None] + wide]) - explained(
        opening[told], sound[told[:, None] + [lag]]
    )
    return {
        "coherence": float((np.abs(cross) ** 2 / (mouth * heard)).mean()) if np.ndim(cross) else np.nan,
        "lag_scatter": float(np.std(local)) if len(local) >= 3 else np.nan,
        "coarticulation": gain,
    }


def explained(wanted: np.ndarray, known: np.ndarray) -> float:
    """Share of the variance of ``wanted`` (n,) that ridge regression on ``known`` (n, d) foretells, five blocks."""
    y, x = wanted - wanted.mean(), (known - known.mean(0)) / (known.std(0) + 1e-9)
    part, left = np.arange(len(y)) * 5 // len(y), 0.0
    for k in range(5):
        a, b = x[part != k], y[part != k]
        left += float(
            ((y - x @ np.linalg.solve(a.T @ a + 0.05 * len(a) * np.eye(x.shape[1]), a.T @ b))[part == k] ** 2).sum()
        )
    return 1 - left / float(y @ y)


def depth(movement: Movement, tracks: list[FaceTrack]) -> np.ndarray:
    """How far the outer lips stand out, in % of the eyes' distance, at the measured steps; larger = further."""
    made = np.full(len(movement.t_s), np.nan)
    for track in tracks:
        points = np.asarray(track.landmarks[:], float)
        z = -without_pose(points[:, list(OUTER)], points[:, list(RIGID)])[..., 2].mean(1) * 100 / kinematics.EYES_APART
        own = slice(*np.searchsorted(movement.t_s, (track.t_s[0], track.t_s[-1])))
        made[own] = smoothed(Series("", track.t_s, z, "%").at(movement.t_s[own], 0.2), SETTINGS.smoothing_s)
    return made[movement.measured & np.isfinite(made)]


def depth_explained(movement: Movement, tracks: list[FaceTrack]) -> float:
    """Share of the depth's variance that opening and width in the picture's plane already tell."""
    z, own = depth(movement, tracks), movement.measured
    plane = np.stack([movement.opening[own], movement.spread[own], np.ones(own.sum())], 1)[: len(z)]
    left = z - plane @ np.linalg.lstsq(plane, z, rcond=None)[0]
    return float(1 - left.var() / z.var())


def seen_onset(movement: Movement, spoken: Interval) -> bool:
    """Whether the mouth is seen as this stretch of speech sets in."""
    k = np.searchsorted(movement.t_s, spoken.start_s)
    return bool(0 < k < len(movement.t_s) - 60 and movement.measured[k + 1 : k + 60].all())


# -- figures ----------------------------------------------------------------------------------------------------------


def by_person(some: Sequence[Clip], name: str) -> dict[str, float]:
    """Median of each person's clips."""
    values: dict[str, list[float]] = {}
    for clip in some:
        if np.isfinite(clip.whole.get(name, np.nan)):
            values.setdefault(clip.row["person"], []).append(clip.whole[name])
    return {person: float(np.median(v)) for person, v in values.items()}


def icc(pairs: np.ndarray) -> float:
    """Intraclass correlation ICC(1,1) of two halves, (n, 2) (Shrout & Fleiss 1979)."""
    between = 2 * np.var(pairs.mean(1), ddof=1)
    inside = np.mean((pairs[:, 0] - pairs[:, 1]) ** 2) / 2
    return float((between - inside) / (between + inside)) if between + inside else 0.0


def agreement(some: Sequence[Clip], name: str) -> tuple[float, float, float, int]:
    """ICC of halves, one clip a person, with its bootstrap interval over persons; n."""
    first = {c.row["person"]: [v.get(name, np.nan) for v, _ in c.halves] for c in reversed(some) if c.halves}
    pairs = np.array([p for p in first.values() if np.isfinite(p).all()])
    draws = np.random.default_rng(0).integers(0, len(pairs), (RESAMPLES, len(pairs)))
    low, high = np.percentile([icc(pairs[d]) for d in draws], (2.5, 97.5))
    return icc(pairs), float(low), float(high), len(pairs)


def moved(
    some: Sequence[Clip], name: str, other: Callable[[Clip], dict[str, float] | None]
) -> tuple[float, float, int]:
    """Mean and standard deviation of the change of a measure, in persons' standard deviations; n."""
    spread = float(np.std(list(by_person(some, name).values())))
    pairs = [(c.whole.get(name, np.nan), (other(c) or {}).get(name, np.nan)) for c in some]
    change = np.array([b - a for a, b in pairs if np.isfinite(a) and np.isfinite(b)])
    return (float(change.mean()) / spread, float(change.std()) / spread, len(change)) if len(change) else (0, 0, 0)


def passes(some: Sequence[Clip], name: str) -> bool:
    value, low, _, _ = agreement(some, name)
    changes = (moved(some, name, lambda c: c.noisy), moved(some, name, lambda c: (c.thinned or {}).get(20.0)))
    return value >= LEAST_ICC and low > 0 and all(abs(mean) <= MOST_MOVED for mean, _, _ in changes)


def door_line(some: Sequence[Clip], name: str) -> str:
    value, low, high, n = agreement(some, name)
    noisy = moved(some, name, lambda c: c.noisy)
    cells = []
    for fps in THINNED:
        mean, sd, m = moved(some, name, lambda c, fps=fps: (c.thinned or {}).get(fps))  # type: ignore[misc]
        cells.append(f"{mean:+.2f} ± {sd:.2f} ({m})")
    persons = np.array(list(by_person(some, name).values()))
    return (
        f"| `{name}` | {len(persons)} | {np.median(persons):.3g} | {np.std(persons):.2g} | {value:.2f} [{low:.2f}, "
        f"{high:.2f}] ({n}) | {noisy[0]:+.2f} ± {noisy[1]:.2f} | {' | '.join(cells)} | "
        f"{'yes' if passes(some, name) else 'no'}{', printed' if name in kinematics.UNITS else ''} |"
    )


def ranges(some: Sequence[Clip]) -> dict[str, dict[str, object]]:
    """What reports print beside a measure: persons, 5th, 50th, 95th percentile, 95 % intervals of the outer ones."""
    made: dict[str, dict[str, object]] = {}
    for name, unit in kinematics.UNITS.items():
        values, digits = np.array(list(by_person(some, name).values())), DIGITS[unit]
        draws = np.random.default_rng(0).integers(0, len(values), (RESAMPLES, len(values)))
        low, middle, high = np.quantile(values, (0.05, 0.5, 0.95))
        ends = [np.quantile(np.quantile(values[draws], q, axis=1), (0.025, 0.975)) for q in (0.05, 0.95)]
        made[name] = {
            "unit": unit,
            "persons": len(values),
            "low": round(float(low), digits),
            "median": round(float(middle), digits),
            "high": round(float(high), digits),
            "low_interval": [round(float(v), digits) for v in ends[0]],
            "high_interval": [round(float(v), digits) for v in ends[1]],
        }
    return made


def range_line(name: str, known: dict[str, object], some: Sequence[Clip]) -> str:
    apart = []
    for clip in (c for c in some if c.halves):
        (a,), (b,) = ([m for m in found if m.name == name] for _, found in clip.halves)
        width = np.hypot(a.high - a.low, b.high - b.low) / 3.92
        apart.append((a.value - b.value) / width)
    return (
        f"| `{name}` | {known['unit']} | {known['persons']} | {known['median']} | {known['low']} "
        f"{known['low_interval']} | {known['high']} {known['high_interval']} | {np.std(apart):.2f} ({len(apart)}) |"
    )


def text(estimate: statistics.Estimate) -> str:
    low, high = estimate.low, estimate.high
    if low is None and high is None:
        return f"{estimate.value:.2f}"
    return f"{estimate.value:.2f} [{'–' if low is None else f'{low:.2f}'}, {'–' if high is None else f'{high:.2f}'}]"


# -- authentic against altered ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Table:
    """All assessed clips: features, families, units."""

    clips: Sequence[Clip]
    units: np.ndarray
    facts: np.ndarray
    movement: np.ndarray

    @property
    def authentic(self) -> np.ndarray:
        return np.array([not c.family for c in self.clips])

    def of(self, families: Sequence[str]) -> np.ndarray:
        return np.array([c.family in families for c in self.clips])


def table_of(some: Sequence[Clip]) -> Table:
    groups = ["grid" if c.name.startswith("grid_") else c.row["group"] for c in some]
    units = statistics.units([c.row["person"] for c in some], groups)
    results = [
        validation.Result(validation.Recording(c.row["path"], c.row["label"], c.row["person"]), int(u), facts=c.facts)
        for c, u in zip(some, units, strict=True)
    ]
    movement = np.array([[c.whole.get(name, np.nan) for name in kinematics.UNITS] for c in some])
    return Table(some, units, validation.container_facts(results), movement)


def left_out(table: Table, features: np.ndarray, family: str) -> np.ndarray:
    """Scores (n,) of the authentic clips and of ``family``, by fits without that family, their persons and groups."""
    tried, altered = table.authentic | table.of([family]), ~table.authentic
    fold, scores = statistics.folds(table.units, altered), np.full(len(table.clips), np.nan)
    for k in np.unique(fold):
        seen = (fold != k) & ~table.of([family])
        scores[(fold == k) & tried] = statistics.logistic(features[seen], altered[seen])(features[(fold == k) & tried])
    return scores


def combined_lines(table: Table, keep: np.ndarray) -> list[str]:
    """Facts alone, movement alone, both: by class and family cross-fitted, and by family never seen in the fit."""
    lines = []
    classes = {kind: [g for g, k in CLASSES.items() if k == kind] for kind in ("lips", "animation")}
    often = [f for f in CLASSES if table.of([f]).sum() >= LEAST_FAMILY]
    for title, families in (*classes.items(), *((f, [f]) for f in often)):
        own = (table.authentic | table.of(families)) & keep
        labels, units = ~table.authentic[own], table.units[own]
        if len(set(units[labels].tolist())) >= 5:
            fold = statistics.folds(units, labels)
            scores = [
                statistics.cross_fit(statistics.logistic, f[own], labels, units, fold)
                for f in (table.facts, table.movement, np.hstack([table.facts, table.movement]))
            ]
            lines.append(combined_line(f"{title}, cross-fitted", scores, labels, units))
        if title in often and len(set(units[labels].tolist())) > 1:
            some = Table(
                [c for c, k in zip(table.clips, keep, strict=True) if k],
                table.units[keep],
                table.facts[keep],
                table.movement[keep],
            )
            rows = some.authentic | some.of(families)
            scores = [
                left_out(some, f, families[0])[rows]
                for f in (some.facts, some.movement, np.hstack([some.facts, some.movement]))
            ]
            lines.append(
                combined_line(f"{title}, never seen in the fit", scores, ~some.authentic[rows], some.units[rows])
            )
    return lines


def combined_line(title: str, scores: Sequence[np.ndarray], labels: np.ndarray, units: np.ndarray) -> str:
    cells = [text(statistics.auc(s, labels, units)) for s in scores]
    gain = text(statistics.paired_comparison(scores[2], scores[0], labels, units))
    return (
        f"| {title} | {labels.sum()} ({len(set(units[labels].tolist()))}) | {(~labels).sum()} | "
        f"{' | '.join(cells)} | {gain} |"
    )


def area_text(scores: np.ndarray, labels: np.ndarray, units: np.ndarray) -> str:
    """AUC with its interval; of too few groups of the altered clips without one."""
    groups = len(set(units[labels].tolist()))
    if groups >= LEAST_FAMILY:
        return text(statistics.auc(scores, labels, units))
    return (
        f"{np.heaviside(scores[labels][:, None] - scores[~labels], 0.5).mean():.2f} ({groups} group)" if groups else "–"
    )


def family_lines(table: Table, keep: np.ndarray) -> list[str]:
    """AUC of each measure for each family of enough clips: above 0.5 the altered ones measure more."""
    often = [f for f in CLASSES if table.of([f]).sum() >= LEAST_FAMILY]
    lines = [
        "| measure | " + " | ".join(f"{f} ({table.of([f]).sum()})" for f in often) + " |",
        "|---" * (len(often) + 1) + "|",
    ]
    for name in NAMES:
        values, cells = np.array([c.whole.get(name, np.nan) for c in table.clips]), []
        for family in often:
            own = (table.authentic | table.of([family])) & keep & np.isfinite(values)
            labels, units = ~table.authentic[own], table.units[own]
            cells.append(area_text(values[own], labels, units))
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return lines


def rare_lines(table: Table) -> list[str]:
    """Clips of families too few for a figure: the share of authentic persons who measure less."""
    rare = [c for c in table.clips if c.family and table.of([c.family]).sum() < LEAST_FAMILY]
    own = [c for c in table.clips if not c.family]
    lines = ["| clip | family | " + " | ".join(f"`{n}`" for n in kinematics.UNITS) + " |", "|---" * 11 + "|"]
    for clip in sorted(rare, key=lambda c: (c.family, c.name)):
        cells = []
        for name in kinematics.UNITS:
            others = [v for p, v in by_person(own, name).items() if p != clip.row["person"]]
            value = clip.whole.get(name, np.nan)
            cells.append(f"{value:g} ({np.mean(np.array(others) < value):.2f})" if np.isfinite(value) else "–")
        lines.append(f"| {clip.name} | {clip.family} | {' | '.join(cells)} |")
    return lines


def pair_lines(assessed: Sequence[Clip]) -> list[str]:
    """Each altered clip less its own authentic source, in persons' standard deviations."""
    own = [c for c in assessed if not c.family]
    spread = {name: np.std(list(by_person(own, name).values())) for name in kinematics.UNITS}
    lines = ["| clip | " + " | ".join(f"`{n}`" for n in kinematics.UNITS) + " |", "|---" * 10 + "|"]
    for clip in (c for c in assessed if c.family and c.row["group"]):
        for source in (c for c in own if c.row["group"] == clip.row["group"]):
            apart = [(clip.whole[n] - source.whole[n]) / spread[n] for n in kinematics.UNITS]
            lines.append(f"| {clip.name} | {' | '.join(f'{a:+.1f}' for a in apart)} |")
    return lines


def outside_line(some: Sequence[Clip], known: dict[str, dict[str, object]], title: str) -> str:
    """How many measures of a clip lie outside the range with their whole interval."""

    def beyond(m: Measurement) -> bool:
        return bool(m.low > known[m.name]["high"] or m.high < known[m.name]["low"])  # type: ignore[operator]

    counts = [sum(beyond(m) for m in c.found) for c in some]
    cells = [share(sum(k >= least for k in counts), len(counts)) for least in (1, 2)]
    return f"| {title} | {' | '.join(cells)} |"


# -- in words ---------------------------------------------------------------------------------------------------------


def text_of(found: Sequence[Clip], known: dict[str, dict[str, object]]) -> str:
    assessed = [c for c in found if c.whole]
    own = [c for c in assessed if not c.family]
    table = table_of(assessed)
    every = np.ones(len(assessed), bool)
    firm = np.array([not c.row["label_is_weak"] for c in assessed])
    why: dict[str, int] = {}
    for clip in found:
        for reason in clip.refused:
            why[reason] = why.get(reason, 0) + 1
    about = {k: np.array([c.about[k] for c in own if c.about]) for k in ("gesture_errors", "depth_explained", "onsets")}
    depth_low, depth_middle, depth_high = 100 * np.percentile(about["depth_explained"], (5, 50, 95))
    persons = len({c.row["person"] for c in own})
    combined = [
        "| class | altered (units) | authentic | facts alone | movement alone | both | gain over facts |",
        "|---" * 7 + "|",
    ]
    return "\n".join(
        [
            "# How mouths move",
            "",
            f"Made by `python tests/real/kinematics.py` at commit {commit()} on the clips of `../shared/data`. "
            f"{len(own)} authentic clips of {persons} persons and {len(assessed) - len(own)} altered ones could be "
            "assessed; refused: "
            + ", ".join(f"{k} {n}" for k, n in sorted(why.items()))
            + ". Lengths in % of the distance between the outer corners of the eyes. Facts, never marked: a range of "
            f"{persons} persons holds, from least to most, 95 % of people with a confidence of only "
            f"{100 * (1 - persons * 0.95 ** (persons - 1) + (persons - 1) * 0.95**persons):.0f} % (Wilks 1941).",
            "",
            "## Which measures are more than noise",
            "",
            "Halves: intraclass correlation ICC(1,1), one clip a person, halves of "
            f"{HALF_S:g} s of speech or more, 95 % bootstrap over persons. Scatter: change when each picture's "
            "landmarks are off as a repeated look was. Fewer pictures: change when thinned. Changes as mean ± standard "
            "deviation over clips, in the persons' standard deviations. Passes: ICC of "
            f"{LEAST_ICC:g} or more with its interval above 0, and mean changes by scatter and at 20/s of "
            f"{MOST_MOVED:g} or less. Chosen and counted on the same clips, and the forms of `spread_frequency` and "
            "`corner_agreement` (how much is smoothed, what is slow) with the families below in view: it flatters.",
            "",
            "| measure | persons | median | sd of persons | halves (n) | scatter | 25/s (n) | 20/s (n) | 15/s (n) | "
            "passes |",
            "|---" * 10 + "|",
            *(door_line(own, name) for name in NAMES),
            "",
            "What was tried: " + "; ".join(f"`{k}` {v}" for k, v in TRIED.items()) + ".",
            "",
            "Protrusion repeats, but the model guesses depth from the picture, and no clip has a measured one to hold "
            f"it against; opening and width tell {depth_middle:.0f} % of its variance (median of clips; "
            f"5th to 95th percentile {depth_low:.0f} to {depth_high:.0f} %): not printed. "
            "Lips before the voice: the median clip shows "
            f"{np.median(about['onsets']):.0f} onsets of speech, too few for a lead. The least gesture is "
            f"{np.median(about['gesture_errors']):.1f} standard errors of the gap (median), three or more in "
            f"{share(int((about['gesture_errors'] >= 3).sum()), len(own))}.",
            "",
            "## What untouched recordings measure",
            "",
            "Persons are the units (a person's clips: their median). 95 % bootstrap intervals of both percentiles. "
            "Last column: standard deviation of the difference of halves over its interval's standard error, after the "
            f"widening by {SETTINGS.kinematics_widening:g}; 1 = the interval holds for another time of the same clip.",
            "",
            "| measure | unit | persons | median | 5th percentile | 95th percentile | halves apart (n) |",
            "|---" * 7 + "|",
            *(range_line(name, known[name], own) for name in kinematics.UNITS),
            "",
            "Were whole intervals outside these percentiles marked:",
            "",
            "| clips | any of nine | two or more |",
            "|---|---|---|",
            outside_line(own, known, "authentic (the range is their own)"),
            *(outside_line([c for c in assessed if c.family == f], known, f) for f in CLASSES if table.of([f]).any()),
            "",
            "## Authentic and altered, by family",
            "",
            "AUC: share of pairs in which the altered clip measures more; 95 % intervals over persons and groups. "
            "first_order_motion: all of one driving recording, a single unit, which no interval can hold.",
            "",
            *family_lines(table, every),
            "",
            f"The same on firm labels alone ({(firm & table.authentic).sum()} authentic clips):",
            "",
            *family_lines(table, firm),
            "",
            "Families of fewer clips, one by one: value (share of authentic persons who measure less).",
            "",
            *rare_lines(table),
            "",
            "Beside their own sources, where both could be assessed (same person and pictures): altered less "
            "authentic, in the persons' standard deviations.",
            "",
            *pair_lines(assessed),
            "",
            "## Beside container facts alone",
            "",
            "Logistic regression, ten folds by person and group. Facts: picture rate, height, bit rate, face height. "
            "Movement: the nine printed measures. Never seen: the fit knows all other families, not this one.",
            "",
            *combined,
            *combined_lines(table, every),
            "",
            "On firm labels alone:",
            "",
            *combined,
            *combined_lines(table, firm),
            "",
            "What moves alike in an altered clip may be its source's or its encoding's: altered and authentic clips "
            "differ in face size, rate and codec. An offset is a fact and stands in no figure here.",
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, required=True, help="folder of finished cases")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("SKIPPED: tests/real/kinematics.py needs ../shared/data, which is absent")
    found = list(all_clips(options.cases))
    own = [c for c in found if c.whole and not c.family]
    known = ranges(own)
    persons = len({c.row["person"] for c in own})
    about = f"authentic development clips, {len(own)} of {persons} persons; 5th and 95th percentile of persons"
    made = {"made_by": "tests/real/kinematics.py", "of": about, "measures": known}
    RANGES.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")
    KINEMATICS.write_text(text_of(found, known))
    print(KINEMATICS.read_text())


if __name__ == "__main__":
    main()
