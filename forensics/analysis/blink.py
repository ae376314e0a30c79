"""How often, when and how does this person blink, and what can a clip of this length say about it?

The eye aspect ratio (lid distance over corner distance) of each eye is divided by its own recent open value, so that
the person, the camera's height and slow changes of gaze cancel. A blink is a dip of that relative openness in both
eyes at once: deep enough, standing out from both sides, and brief. The rate has an exact Poisson interval for the
seconds in which the eyes could be seen.
Reference: Soukupová & Čech 2016 (eye aspect ratio); Garwood 1936 (Poisson interval).
Not to be trusted: on small or shaded eyes, strong glasses, heads turned or nodding; a glance down closes the lids
too, and a brief one looks like a blink. Nothing here tells who a person is, or how they feel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy

from forensics import plots
from forensics.errors import ParameterError
from forensics.finding import ASSESSED, About, Event, Finding, Measurement, Question
from forensics.method import Method, setting
from forensics.statistics import poisson_interval
from forensics.timeline import FaceTrack, Interval, Series, chunks, inside, repeatability, runs, total_s

if TYPE_CHECKING:
    from forensics.scene import Scene

ANALYSIS = "blink"
METHOD = Method("blinks from the eye aspect ratio", "2", "Soukupová & Čech 2016; Garwood 1936")

#: Landmarks of each eye of the person: outer corner, two of the upper lid, inner corner, two of the lower lid.
EYES = {"right": (33, 160, 158, 133, 153, 144), "left": (263, 387, 385, 362, 380, 373)}
#: Ranges of blink rates by task, 1/min, in the studies reviewed by Doughty 2001. Persons scatter more widely.
TASKS = {"reading": (1.4, 14.4), "rest": (8.0, 21.0), "conversation": (10.5, 32.5), "unknown": (1.4, 32.5)}
GRID_HZ = 100.0

LIMITS = (
    "Brief glances down can be counted as blinks, and blinks during a glance down can be missed.",
    "Only closures of both eyes at once are counted.",
    "A lip-synced recording keeps the eyes of its source, so blinking says nothing about it.",
)
ALTERNATIVES = (
    "Rates differ widely between people and with task, light, dry air, contact lenses, fatigue and medication.",
    "An edited recording may have had blinks cut out with its pauses.",
)

RATE = Question(
    "blink.rate",
    "The eyes' movement was generated or removed, so that blinks are missing.",
    "The eyes' movement was recorded from a person.",
    METHOD,
    LIMITS,
    ALTERNATIVES,
)


@dataclass(frozen=True)
class Settings:
    task: str = setting("unknown", "", "the analyst's; unknown takes the widest of the published ranges")
    baseline_s: float = setting(2.0, "s", "half window for the open eye: long against a closure, short against gaze")
    baseline_percentile: float = setting(90.0, "%", "the open eye among blinks; holds with eyes shut most of the time")
    shallowest: float = setting(0.45, "1", "of full closure; on dev clips landmark noise reaches 0.3")
    least_prominence: float = setting(0.35, "1", "a dip stands out by this from both sides")
    longest_s: float = setting(0.5, "s", "at half depth; blinks last 0.1-0.4 s, longer ones are closures or glances")
    complete: float = setting(0.75, "1", "depth from which a closure counts as complete")
    together_s: float = setting(0.1, "s", "both eyes' deepest points lie within this")
    widest_yaw: float = setting(35.0, "deg", "beyond it the far eye's corners are hidden")
    smallest_eye_px: float = setting(12.0, "px", "corner to corner; under it the lids are under 4 px apart")
    lowest_fps: float = setting(12.0, "1/s", "a blink of 0.15 s must be seen at least once near its peak")
    least_recall: float = setting(
        0.67,
        "1",
        "lower 95 % end of the share of blinks found, 17 of 19 counted by eye "
        "(`make real`): widens the rate's upper end",
    )
    least_motion: float = setting(
        0.06,
        "1",
        "5th to 95th percentile of relative openness; dev clips without a blink: pictures "
        "animated at the mouth alone 0.02-0.07, filmed eyes from 0.085",
    )
    most_error: float = setting(
        0.0875, "1", "of relative openness between repeats: a dip then stands out by four standard deviations"
    )
    most_lost: float = setting(0.25, "1", "share of shifted and rescaled copies in which the face is not found again")
    shortest_s: float = setting(3.0, "s", "visible time; below it no rate within a factor of ten can be told")
    longest_gap_s: float = setting(0.15, "s", "without a picture of the eyes")

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise ParameterError(f"a task is one of {', '.join(TASKS)}", self.task)


# -- signal ----------------------------------------------------------------------------------------------------------


def eye_aspect_ratio(landmarks: np.ndarray, eye: str) -> np.ndarray:
    """Lid distance over corner distance, in the picture plane: (n,) from landmarks (n, 478, 3) px."""
    outer, up1, up2, inner, low2, low1 = (landmarks[:, i, :2] for i in EYES[eye])

    def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.linalg.norm(a - b, axis=1)

    return (distance(up1, low1) + distance(up2, low2)) / (2 * distance(outer, inner))


def openness(track: FaceTrack, eye: str, settings: Settings) -> Series:
    """Relative openness of one eye on a regular grid: 1 = as open as around it, 0 = shut; NaN = not measurable."""
    ratio = np.concatenate([eye_aspect_ratio(track.landmarks[rows], eye) for rows in chunks(len(track.t_s), 512)])
    unfit = _unfit(track, settings)
    # An unfit picture is a hole in the measurement, not a value to draw a line across.
    fit = Series("eye aspect ratio", track.t_s[~unfit], ratio[~unfit], "1")
    grid = np.arange(track.t_s[0], track.t_s[-1], 1 / GRID_HZ)
    values = fit.at(grid, settings.longest_gap_s) if len(fit.t_s) > 1 else np.full(len(grid), np.nan)
    return Series(f"{eye} eye openness", grid, values / _open_value(values, settings), "1")


def openness_error(tracks: list[FaceTrack], settings: Settings) -> Measurement | None:
    """Repeatability of relative openness, a standard deviation; None where it was not sampled.

    One picture in shifted and rescaled copies, over the person's usual open eye; pooled over both eyes and the pictures
    fit for measuring. It holds the model's scatter, not a bias that all copies share.
    """
    parts = [part for track in tracks for part in _openness_again(track, settings)]
    if not parts:
        return None
    again = np.concatenate(parts)
    return Measurement(
        "openness_error",
        repeatability(again),
        "1",
        None,
        None,
        None,
        len(again) // len(EYES),
        "repeated detection in shifted and rescaled copies",
        "none: a standard deviation, 1 = from shut to open; it holds the model's scatter, not its bias",
    )


def _openness_again(track: FaceTrack, settings: Settings) -> list[np.ndarray]:
    """Relative openness (m, k) of each eye in the k copies of the track's m sampled pictures that are fit."""
    if track.repeats is None:
        return []
    fit = ~_unfit(track, settings)
    chosen, rows = fit[track.repeats.row], np.flatnonzero(fit)
    if not chosen.any():
        return []
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), 200)).astype(int)]
    points = track.repeats.landmarks[chosen]
    return [
        eye_aspect_ratio(points.reshape(-1, 478, 3), eye).reshape(points.shape[:2])
        / np.percentile(eye_aspect_ratio(track.landmarks[rows], eye), settings.baseline_percentile)
        for eye in EYES
    ]


def _unfit(track: FaceTrack, settings: Settings) -> np.ndarray:
    """Pictures (n,) in which the eyes are too small or turned away to be measured."""
    return (np.abs(track.quality["yaw"].values) > settings.widest_yaw) | (
        track.quality["eye_width"].values < settings.smallest_eye_px
    )


def _open_value(values: np.ndarray, settings: Settings) -> np.ndarray:
    """Running high percentile of ``values``, taken at steps of a quarter second."""
    half, step = round(settings.baseline_s * GRID_HZ), round(GRID_HZ / 4)
    at = np.arange(0, len(values), step)
    with np.errstate(all="ignore"):
        found = [_percentile(values[max(0, i - half) : i + half + 1], settings.baseline_percentile) for i in at]
    return np.interp(np.arange(len(values)), at, found)


def _percentile(values: np.ndarray, percent: float) -> float:
    good = values[np.isfinite(values)]
    return float(np.percentile(good, percent)) if len(good) else 1.0


# -- events ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Closure:
    """One eye's dip: half-depth crossings and deepest point in s, depth 0-1 of relative openness."""

    eye: str
    start_s: float
    peak_s: float
    end_s: float
    depth: float


def closures(series: Series, eye: str, settings: Settings) -> list[Closure]:
    """Dips of relative openness that are deep enough and stand out, brief ones and long ones."""
    found = []
    for first, behind in runs(np.isfinite(series.values)):
        closed = 1 - series.values[first:behind]
        peaks, about = scipy.signal.find_peaks(
            closed,
            height=settings.shallowest,
            prominence=settings.least_prominence,
            width=0,
            rel_height=0.5,
            plateau_size=0,
        )
        for peak, left, right in zip(peaks, about["left_ips"], about["right_ips"], strict=True):
            start, end = (float(series.t_s[first] + x / GRID_HZ) for x in (left, right))
            found.append(Closure(eye, start, float(series.t_s[first + peak]), end, float(min(closed[peak], 1))))
    return found


def binocular(right: list[Closure], left: list[Closure], settings: Settings) -> list[tuple[Closure, Closure]]:
    """Brief closures that both eyes make together, in order of time."""
    pairs = []
    free = [c for c in left if c.end_s - c.start_s <= settings.longest_s]
    for a in right:
        if a.end_s - a.start_s > settings.longest_s:
            continue
        b = min(free, key=lambda c: abs(c.peak_s - a.peak_s), default=None)
        if b and abs(a.peak_s - b.peak_s) <= settings.together_s:
            free.remove(b)
            pairs.append((a, b))
    return pairs


def _events(
    pairs: list[tuple[Closure, Closure]], track: FaceTrack, error: Measurement | None, settings: Settings
) -> list[Event]:
    """One event an eye, each with the decoded picture nearest its deepest point."""
    events = []
    for pair in pairs:
        for closure in pair:
            nearest = int(np.abs(track.t_s - closure.peak_s).argmin())
            events.append(
                Event(
                    "blink",
                    Interval(closure.start_s, closure.end_s),
                    f"{closure.eye} eye closes",
                    details={
                        "eye": closure.eye,
                        "depth": round(closure.depth, 2),
                        "depth_repeatability_2sd": error and round(2 * error.value, 2),
                        "complete": closure.depth >= settings.complete,
                        "peak_s": round(closure.peak_s, 3),
                        "frame": int(track.frame[nearest]),
                        "pts": int(track.pts[nearest]),
                        "track": track.name,
                    },
                )
            )
    return events


# -- measurement -----------------------------------------------------------------------------------------------------


def measure_rate(n: int, visible_s: float, settings: Settings, level: float = 0.95) -> Measurement:
    """Blinks per minute with the exact Poisson interval (Garwood 1936) for ``n`` blinks in ``visible_s``.

    The upper end allows for blinks that the detector misses.
    """
    low, high = poisson_interval(n, level)
    high /= settings.least_recall  # some blinks are missed
    per_minute = 60 / visible_s
    lowest, highest = TASKS[settings.task]
    return Measurement(
        "blink_rate",
        n * per_minute,
        "1/min",
        low * per_minute,
        high * per_minute,
        level,
        n,
        METHOD.name,
        f"{lowest} to {highest} 1/min, range of the studies reviewed, task {settings.task} (Doughty 2001). "
        "Only a rate whose whole "
        "interval lies below is marked: high rates are a trait of persons and tasks.",
        unusual=high * per_minute < lowest,
    )


def measure_duration(pairs: list[tuple[Closure, Closure]]) -> Measurement | None:
    """Median time between half-depth crossings, mean of both eyes, with its distribution-free interval."""
    if not pairs:
        return None
    durations = np.sort([np.mean([c.end_s - c.start_s for c in pair]) * 1000 for pair in pairs])
    n = len(durations)
    # Order statistics around the median; below 6 blinks none reach 95 %, so no interval is given.
    k = int(scipy.stats.binom.ppf(0.025, n, 0.5))
    has = n >= 6
    return Measurement(
        "blink_duration",
        float(np.median(durations)),
        "ms",
        float(durations[k - 1]) if has else None,
        float(durations[n - k]) if has else None,
        0.95 if has else None,
        n,
        METHOD.name,
        "none applied: at half depth, so shorter than whole blinks; one picture lasts 17 to 42 ms",
    )


def _without(series: Series, frozen: Sequence[Interval]) -> Series:
    """``series`` with NaN where the picture was frozen."""
    return replace(series, values=np.where(inside(series.t_s, frozen), np.nan, series.values))


def visible_s(series: Series) -> float:
    """Seconds in which the openness was measured."""
    return float(np.isfinite(series.values).sum() / GRID_HZ)


# -- verdict ---------------------------------------------------------------------------------------------------------


def still(eyes: dict[str, list[Series]], settings: Settings) -> bool:
    """Whether neither eye's openness moves: a picture, a mask or dark glasses, of which no rate can be told."""

    def motion(parts: list[Series]) -> float:
        values = np.concatenate([s.values[np.isfinite(s.values)] for s in parts])
        return float(np.ptp(np.percentile(values, (5, 95)))) if len(values) else 0.0

    return max(motion(parts) for parts in eyes.values()) < settings.least_motion


def refusals(tracks: list[FaceTrack], seen_s: float, error: Measurement | None, settings: Settings) -> tuple[str, ...]:
    """Reason codes why the eyes of these tracks cannot be assessed; empty where they can."""
    pictures = sum(len(t.t_s) for t in tracks)
    eye = np.concatenate([t.quality["eye_width"].values for t in tracks])
    yaw = np.abs(np.concatenate([t.quality["yaw"].values for t in tracks]))
    reasons = []
    if np.median(eye) < settings.smallest_eye_px:
        reasons.append("eyes_too_small")
    if np.median(yaw) > settings.widest_yaw:
        reasons.append("head_turned")
    if pictures / total_s(t.interval for t in tracks) < settings.lowest_fps:
        reasons.append("frame_rate_too_low")
    lost = [t.repeats.lost for t in tracks if t.repeats is not None]
    if not reasons and (
        (error is not None and error.value > settings.most_error) or (lost and np.mean(lost) > settings.most_lost)
    ):
        reasons.append("landmarks_uncertain")
    if not reasons and seen_s < settings.shortest_s:
        reasons.append("too_few_visible_seconds")
    return tuple(reasons)


def assess_rate(
    person: str, tracks: list[FaceTrack], examined: Interval, settings: Settings, frozen: Sequence[Interval] = ()
) -> Finding:
    """Does this person blink as people do, as far as the visible seconds can tell? ``frozen`` pictures show nothing."""
    eyes = {eye: [_without(openness(t, eye, settings), frozen) for t in tracks] for eye in EYES}
    seen = [Series("both eyes", r.t_s, r.values + le.values, "1") for r, le in zip(*eyes.values(), strict=True)]
    covered = [Interval(float(s.t_s[a]), float(s.t_s[b - 1])) for s in seen for a, b in runs(np.isfinite(s.values))]
    about = About(examined, settings, covered, person, tuple(t.name for t in tracks))
    seen_s = sum(visible_s(s) for s in seen)
    error = openness_error(tracks, settings)
    if reasons := refusals(tracks, seen_s, error, settings):
        return RATE.refuse(about, *reasons)
    pairs, events = [], []
    for track, right, left in zip(tracks, eyes["right"], eyes["left"], strict=True):
        found = binocular(closures(right, "right", settings), closures(left, "left", settings), settings)
        pairs += found
        events += _events(found, track, error, settings)
    if not pairs and still(eyes, settings):
        return RATE.refuse(about, "eyes_still")
    rate = measure_rate(len(pairs), seen_s, settings)
    return RATE.answer(
        about,
        measurements=tuple(m for m in (rate, measure_duration(pairs), error) if m),
        events=tuple(events),
        evidence={"eyes": eyes, "examined": examined},
        score=-rate.value,
        score_direction="higher = fewer blinks a minute, as when blinks are missing",
    )


def assess(scene: Scene, settings: Settings) -> list[Finding]:
    """One finding a person; one refusal where there is nobody."""
    if not scene.persons:
        return [RATE.refuse(About(scene.interval, settings), scene.nobody)]
    return [
        assess_rate(person, tracks, scene.interval, settings, scene.freezes) for person, tracks in scene.persons.items()
    ]


# -- charts ----------------------------------------------------------------------------------------------------------


def plot_rate(finding: Finding, axes: Any) -> None:
    """Relative openness of each eye with its blinks; what was not measured is hatched."""
    for ax, (eye, parts), colour, style in zip(
        axes, finding.evidence["eyes"].items(), (plots.BLUE, plots.ORANGE), ("-", (0, (4, 1))), strict=True
    ):
        for series in parts:
            ax.plot(series.t_s, series.values, color=colour, ls=style, rasterized=plots.many(series.t_s))
        blinks = [e for e in finding.events if e.details["eye"] == eye]
        ax.plot(
            [e.details["peak_s"] for e in blinks],
            [1 - e.details["depth"] for e in blinks],
            "v",
            color=plots.BLACK,
            ms=5,
            ls="none",
            label="blink counted",
        )
        ax.axhline(
            1 - finding.settings.shallowest, color=plots.GREY, lw=0.8, ls=":", label="depth from which a dip counts"
        )
        _error_bar(finding, ax)
        plots.missing(ax, finding.evidence["examined"], finding.covered)
        ax.set_ylim(-0.1, 1.6)
        ax.set_ylabel(f"{eye} eye openness\n(1 = open, 0 = shut)")
        plots.time_axis(ax, finding.evidence["examined"])
    axes[0].set_xlabel("")
    plots.legend(axes[0])


def _error_bar(finding: Finding, ax: Any) -> None:
    """How far the landmarks' own scatter moves the curve, as a bar at its left end."""
    error = next((m for m in finding.measurements if m.name == "openness_error"), None)
    if error is not None:
        at = finding.evidence["examined"].start_s
        ax.errorbar(
            [at], [1.4], [2 * error.value], color=plots.BLACK, capsize=3, lw=1, label="landmark repeatability, ± 2 SD"
        )


@plots.styled
def charts(finding: Finding) -> list[plots.Chart]:
    """One chart of both eyes' openness with the blinks counted; none of a refusal."""
    if finding.state != ASSESSED:
        return []
    fig, axes = plots.figure(rows=2, row_mm=42, sharex=True)
    plot_rate(finding, axes)
    rate = finding.measurement("blink_rate")
    parts = finding.evidence["eyes"]
    table = {"t_s": np.concatenate([s.t_s for s in parts["right"]])}
    table |= {f"{eye}_openness": np.concatenate([s.values for s in series]) for eye, series in parts.items()}
    return [
        plots.Chart(
            "blink",
            fig,
            f"Openness of each eye of person {finding.person}, relative to the open eye around that time; "
            "triangles mark "
            f"the {rate.n} blinks counted. Notice their timing and that both eyes move together. It does not show "
            "why a "
            "person blinks, and a glance down lowers the lids as a blink does.",
            f"Two line charts over time, one an eye, with {rate.n} dips marked as blinks.",
            table,
        )
    ]
