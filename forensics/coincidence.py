"""Do breaks in picture, sound, light and the mouth's beat fall together more often than by chance?

One edit leaves several traces at one instant. Instants of four sources are taken from the other answers: picture (cuts,
repeated and left-out pictures, gaps), sound (joins, steps of its level, jumps of its packets), light (jumps) and
lips (jumps of the sound's place beside them). How many have one of another source near them is compared with the
same after each source is turned round the recording's time by an amount drawn at random.
Reference: a permutation test by circular shifts (own procedure, no publication).
Not to be trusted: where sources are not independent by nature, as a cut of an edited film that takes its sound with it.
A coincidence tells that something happened at once, not what, who or why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forensics import plots
from forensics.finding import ASSESSED, About, Event, Finding, Measurement, Question
from forensics.method import Method, setting
from forensics.timeline import Interval

if TYPE_CHECKING:
    from forensics.scene import Scene

ANALYSIS = "coincidence"
METHOD = Method("coincidence of breaks against circular shifts", "1", "permutation test; own procedure")
#: Kinds of events by their source; cuts come from the scene.
SOURCES: Mapping[str, tuple[str, ...]] = {
    "picture": ("repeated_pictures", "dropped_pictures", "picture_gap", "time_jump"),
    "sound": ("splice", "level_jump", "digital_silence", "sound_gap", "sound_overlap"),
    "light": ("light_jump",),
    "lips": ("offset_jump",),
}
#: Kinds whose event spans what was compared on both sides: the break lies in its middle, known to about a second.
BLURRED = ("offset_jump",)
MARKS = {"picture": "D", "sound": "s", "light": "^", "lips": "o"}

INSTANTS = Question(
    "coincidence.instants",
    "The recording was interrupted where breaks of several kinds fall together.",
    "Breaks of several kinds fall together by chance or for a common cause that is no interruption.",
    METHOD,
    (
        "Breaks are taken as the other questions tell them: what they miss is missing here.",
        "With few breaks even a perfect coincidence is not rare by chance: the interval of chance stands beside.",
    ),
    (
        "Published recordings are cut, and a cut takes picture and sound together; a camera that is switched on or "
        "off, a scene that changes, a lamp that is switched with a click; a call or network that stalls repeats "
        "pictures and silences the sound at once.",
    ),
)


@dataclass(frozen=True)
class Settings:
    near_s: float = setting(0.1, "s", "two to three pictures, and how far apart the other answers place one instant")
    shifts: int = setting(999, "1", "of each source; the finest step of the rank is 1 in 1000; seed 0")
    least_instants: int = setting(3, "1", "in at least two sources together: fewer leave nothing to compare")


def instants(scene: Scene, findings: Sequence[Finding], near_s: float) -> dict[str, np.ndarray]:
    """Instants in s of each source that has any, in order: both ends of an event, or its middle where that is known."""
    found: dict[str, set[float]] = {source: set() for source in SOURCES}
    found["picture"] |= {shot.start_s for shot in scene.shots[1:]}
    for finding in findings:
        for event in finding.events:
            for source, kinds in SOURCES.items():
                if event.kind in kinds:
                    start_s, end_s = event.interval.start_s, event.interval.end_s
                    found[source] |= {(start_s + end_s) / 2} if event.kind in BLURRED else {start_s, end_s}
    inside = scene.interval
    kept = {s: apart([t for t in at if inside.start_s < t < inside.end_s], near_s) for s, at in found.items()}
    return {source: at for source, at in kept.items() if len(at)}


def apart(at: Iterable[float], near_s: float) -> np.ndarray:
    """The instants in order, without those that lie near the one before: one break is seen on two persons."""
    kept: list[float] = []
    for t_s in sorted(at):
        if not kept or t_s - kept[-1] > near_s:
            kept.append(t_s)
    return np.array(kept)


def together(by_source: Mapping[str, np.ndarray], near_s: float) -> dict[str, np.ndarray]:
    """Which instants of each source have one of another source near them."""
    found = {}
    for source, at in by_source.items():
        others = np.sort(np.concatenate([t for other, t in by_source.items() if other != source] or [np.zeros(0)]))
        first, behind = np.searchsorted(others, at - near_s), np.searchsorted(others, at + near_s, side="right")
        found[source] = behind > first
    return found


def by_chance(by_source: Mapping[str, np.ndarray], whole: Interval, settings: Settings) -> np.ndarray:
    """Counts (shifts,) of instants that fall together after each source is turned round the time by chance."""
    random = np.random.default_rng(0)
    return np.array(
        [
            sum(
                near.sum()
                for near in together(
                    {
                        source: whole.start_s + np.sort((at - whole.start_s + turn) % whole.duration)
                        for (source, at), turn in zip(
                            by_source.items(), random.uniform(0, whole.duration, len(by_source)), strict=True
                        )
                    },
                    settings.near_s,
                ).values()
            )
            for _ in range(settings.shifts)
        ]
    )


def assess(scene: Scene, findings: Sequence[Finding], settings: Settings) -> Finding:
    """One finding about the recording as a whole, from the other ``findings``."""
    about = About(scene.interval, settings, [scene.interval], subjects=("picture", "sound"))
    at = instants(scene, findings, settings.near_s)
    if len(at) < 2 or sum(map(len, at.values())) < settings.least_instants:
        return INSTANTS.refuse(about, "too_few_breaks")
    near = together(at, settings.near_s)
    count, chance = int(sum(n.sum() for n in near.values())), by_chance(at, scene.interval, settings)
    n = int(sum(map(len, at.values())))
    low, high = np.percentile(chance, (2.5, 97.5))
    rank = 100 * (1 - (1 + (chance >= count).sum()) / (1 + settings.shifts))
    reference = f"none: a fact; by chance {low:g} to {high:g} of them in 95 % of {settings.shifts} shifts"
    events = [
        Event("coincidence", Interval(float(t), float(t)), f"A break of the {source} falls together with another.")
        for source, times in at.items()
        for t in times[near[source]]
    ]
    return INSTANTS.answer(
        about,
        measurements=(
            Measurement("breaks", n, "1", None, None, None, n, METHOD.name, "none: a fact"),
            Measurement("breaks_together", count, "1", None, None, None, n, METHOD.name, reference),
            Measurement(
                "coincidence_percentile",
                float(rank),
                "%",
                None,
                None,
                None,
                settings.shifts,
                METHOD.name,
                "none: a fact; share of circular shifts with fewer together",
            ),
        ),
        events=tuple(sorted(events, key=lambda e: e.interval.start_s)),
        evidence={"at": at, "near": near, "examined": scene.interval},
        score=float(rank),
        score_direction="higher = breaks fall together more often than by chance",
    )


@plots.styled
def charts(finding: Finding) -> list[plots.Chart]:
    """The instants of each source over time; those that fall together are filled."""
    if finding.state != ASSESSED:
        return []
    fig, ax = plots.figure(row_mm=50)
    at, near = finding.evidence["at"], finding.evidence["near"]
    for k, source in enumerate(at):
        for which, fill in ((~near[source], "none"), (near[source], plots.BLUE)):
            ax.plot(
                at[source][which], np.full(which.sum(), k), MARKS[source], ms=7, ls="none", color=plots.BLUE, mfc=fill
            )
    for t_s in np.concatenate([at[source][near[source]] for source in at]):
        ax.axvline(t_s, color=plots.GREY, lw=0.5, ls=":")
    ax.set_yticks(range(len(at)), list(at))
    ax.set_ylim(-0.6, len(at) - 0.4)
    plots.time_axis(ax, finding.evidence["examined"])
    count, rank = (finding.measurement(name) for name in ("breaks_together", "coincidence_percentile"))
    return [
        plots.Chart(
            "coincidence",
            fig,
            f"Breaks of picture, sound, light and of the sound's place beside the lips over time; {count.value:g} of "
            f"{count.n} (filled, dotted lines) have one of another kind within {finding.settings.near_s:g} s, more "
            f"than in {rank.value:g} % of shifted copies. Notice at which instants several kinds meet. It does not "
            "show what happened there: a cut takes picture and sound together in every edited recording.",
            f"Marks in {len(at)} rows over time; {count.value:g} of {count.n} fall together.",
            {
                "source": [source for source in at for _ in at[source]],
                "t_s": np.concatenate(list(at.values())),
                "together": np.concatenate([near[source] for source in at]),
            },
        )
    ]
