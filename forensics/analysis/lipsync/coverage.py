"""Speech while no followed mouth moves with it, and mouths that move as in speech while none is heard. Pure.

A mouth is away from the speech where its gap keeps still, or where over some seconds mouth and sound go together no
more than shifted sound does, at the clip's lag where it has one. Between speech a mouth moves as in speech where its
gap is as fast. Only what can be seen counts: a face out of view, small or turned tells nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from forensics.analysis.lipsync.measure import compare, searched, share_of_time, windowed
from forensics.analysis.lipsync.settings import COVERAGE_METHOD, Settings
from forensics.analysis.lipsync.signal import GRID_HZ, mouth_opening, smoothed
from forensics.analysis.lipsync.speaker import own_parts, sums, without
from forensics.finding import Event, Measurement
from forensics.timeline import FaceTrack, Interval, Series, inside, intersection, runs, total_s, union


@dataclass(frozen=True)
class Watched:
    """One person's mouth, in s: when a face is ``in_view`` and when its mouth can be measured (``seen``); of that when
    it is ``still``, when it goes ``apart`` from the speech, and when it is ``moving`` as in speech while none is heard.

    ``gap`` (n,) is that of the lips on the grid, NaN where it cannot be measured; ``speed`` (m,) is that of the gap in
    windows, ``z`` (w,) how far mouth and sound go together, by window's middle.
    """

    in_view: list[Interval]
    seen: list[Interval]
    still: list[Interval]
    apart: list[Interval]
    moving: list[Interval]
    gap: Series
    speed: Series
    z: Series

    @property
    def away(self) -> list[Interval]:
        """When the mouth does not move with the speech, if there is any."""
        return intersection([*self.still, *self.apart], self.seen)


def gap_on(tracks: Iterable[FaceTrack], grid: np.ndarray, settings: Settings) -> Series:
    """Gap of the inner lips over face height on ``grid`` (n,), smoothed; NaN where it cannot be measured."""
    made = np.full(len(grid), np.nan)
    for track in tracks:
        own = slice(*np.searchsorted(grid, (track.t_s[0], track.t_s[-1])))

        def on(series: Series, at: np.ndarray = grid[own]) -> np.ndarray:
            return series.at(at, settings.longest_gap_s)

        fit = (np.abs(on(track.quality["yaw"])) <= settings.widest_yaw) & (
            on(track.quality["face_height"]) >= settings.least_face_px
        )
        made[own] = np.where(fit, smoothed(on(mouth_opening(track)), settings.smoothing_s), np.nan)
    return Series("gap of the lips", grid, made, "of face height")


def stretches(mask: np.ndarray, grid: np.ndarray) -> list[Interval]:
    """Intervals in s where ``mask`` (n,) holds on ``grid`` (n,)."""
    return [Interval(float(grid[a]), float(grid[b - 1]) + 1 / GRID_HZ) for a, b in runs(mask)]


def watch(
    gap: Series,
    in_view: list[Interval],
    pair: tuple[Series, Series] | None,
    spoken: Sequence[Interval],
    quiet: Sequence[Interval],
    settings: Settings,
) -> Watched:
    """What the mouth does, from its ``gap`` on the grid.

    ``pair``: the weighted components of mouth and sound, None where these cannot be compared. ``quiet``: sound without
    speech in or near it.
    """
    size = round(settings.still_s * GRID_HZ)
    starts = np.arange(0, max(0, len(gap.t_s) - size + 1), size // 10)
    slope = np.gradient(gap.values) * GRID_HZ if len(gap.t_s) > 1 else gap.values
    moved = np.sqrt(np.maximum(_means(gap.values**2, starts, size) - _means(gap.values, starts, size) ** 2, 0))
    speed = np.sqrt(_means(slope**2, starts, size))
    hushed = _means(np.where(inside(gap.t_s, quiet), 1.0, np.nan), starts, size)

    def where(mask: np.ndarray) -> list[Interval]:
        return union(Interval(float(gap.t_s[k]), float(gap.t_s[k]) + settings.still_s) for k in starts[mask])

    # Where the landmarks scatter more than this a resting mouth is missed, and no moving one is taken for still.
    still = where(moved < settings.least_motion)
    moving = where((speed >= settings.least_speed) & np.isfinite(hushed))
    apart, z = beside(*pair, spoken, settings) if pair else ([], Series("z", np.zeros(0), np.zeros(0), "1"))
    middle_s = gap.t_s[starts] + settings.still_s / 2
    seen = stretches(np.isfinite(gap.values), gap.t_s)
    return Watched(in_view, seen, still, apart, moving, gap, Series("speed of the gap", middle_s, speed, "1/s"), z)


def beside(
    mouth: Series, sound: Series, spoken: Sequence[Interval], settings: Settings
) -> tuple[list[Interval], Series]:
    """When mouth and sound, components (n, k), do not go together though someone speaks; and z of each such window."""
    found, lags = windowed(mouth, sound, settings), searched(settings)
    size = round(settings.course_s * GRID_HZ)
    starts = np.round((found.start_s - mouth.t_s[0]) * GRID_HZ).astype(int)
    speech = sums(inside(mouth.t_s, spoken), starts, size) / size
    fit = (found.shown >= settings.least_in_view) & (speech >= settings.least_spoken)
    if not fit.any():
        return [], Series("z", np.zeros(0), np.zeros(0), "1")
    whole, z = compare(mouth.values, sound.values, settings), found.z[fit]
    near = np.ones(len(lags), bool)
    if whole.z >= settings.least_z:
        near = np.abs(lags - lags[whole.correlation.argmax()]) <= settings.lag_reach_ms / 1000 * GRID_HZ
    best = z[:, near].max(1)
    # What goes together at another lag is a jump of the sound, not speech without lips.
    apart = (best < settings.most_apart_z) & (z.max(1) < settings.least_z)
    first, last = own_parts(found.start_s[fit], settings.course_s)
    stretched = union((Interval(float(a), float(b)) for a, b in zip(first[apart], last[apart], strict=True)), 1e-9)
    return stretched, Series("z", found.start_s[fit] + settings.course_s / 2, best, "1")


def _means(values: np.ndarray, starts: np.ndarray, size: int) -> np.ndarray:
    """Mean of ``values`` over ``size`` steps from each start on; NaN where any is NaN."""
    holes = sums(~np.isfinite(values), starts, size) > 0
    return np.where(holes, np.nan, sums(np.nan_to_num(values), starts, size) / size)


# -- events and shares -------------------------------------------------------------------------------------------------


def accounted(watched: Watched, others: Iterable[Watched], unfollowed: Sequence[Interval]) -> list[Interval]:
    """When no other face may be the speaker: time in which this mouth is seen, and each other in view is away."""
    return without(watched.seen, [*unfollowed, *(i for other in others for i in without(other.in_view, other.away))])


def speech_without_lips(
    watched: Watched, alone: Sequence[Interval], spoken: Sequence[Interval], settings: Settings
) -> list[Event]:
    """Stretches in which someone speaks, this mouth is away from it, and no other can be the speaker."""
    found = []
    for stretch in intersection(watched.away, alone):
        heard = intersection(spoken, [stretch])
        if (speech_s := total_s(heard)) < settings.shortest_apart_s:
            continue
        still = total_s(intersection(watched.still, heard)) >= speech_s / 2
        found.append(
            Event(
                "speech_without_lips",
                Interval(heard[0].start_s, heard[-1].end_s),
                f"{speech_s:.1f} s of speech while the mouth "
                + ("keeps still." if still else "does not move with the sound more than with shifted sound."),
                details={"seconds": round(speech_s, 2), "mouth": "still" if still else "moves otherwise"},
            )
        )
    return found


def lips_without_speech(watched: Watched, settings: Settings) -> list[Event]:
    """Stretches in which this mouth moves as in speech and none is heard."""
    return [
        Event(
            "lips_without_speech",
            stretch,
            f"The mouth moves as fast as in speech for {stretch.duration:.1f} s while no speech is detected.",
            details={"seconds": round(stretch.duration, 2)},
        )
        for stretch in watched.moving
        if stretch.duration >= settings.shortest_apart_s
    ]


def measure_share(name: str, told_s: float, of_s: float, window_s: float, of: str) -> Measurement:
    """Share of ``of_s`` that the events cover."""
    reference = f"of {of_s:.1f} s of {of}; a fact, no published range; n windows of {window_s:g} s that do not overlap"
    return share_of_time(name, told_s, of_s, window_s, COVERAGE_METHOD, reference)
