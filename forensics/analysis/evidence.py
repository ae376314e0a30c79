"""What does the container tell of the recording's making and of its time line: gaps, jumps, repeats, what is left out?

Facts read off the file without an opinion: when each packet is to be shown and how it is coded, from the survey;
which decoded pictures repeat the one before, from the pass. Steps between pictures that are whole multiples of the
usual one tell of pictures left out where the rate is even; where it varies nothing can be told.
Reference: ISO/IEC 14496-12 (edit lists, times); SWGDE, best practices for digital video authentication, as practice.
Not to be trusted: whatever a file states of itself can be typed by anyone. Phones vary their rate, networks lose
packets, messengers and platforms encode anew: none of it tells who did something, or why.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forensics import plots
from forensics.credentials import fingerprint
from forensics.finding import ASSESSED, About, Event, Finding, Measurement, Question
from forensics.method import Method, setting
from forensics.timeline import Interval, runs, union

if TYPE_CHECKING:
    from forensics.scene import Scene
    from forensics.survey import Survey

ANALYSIS = "evidence"
METHOD = Method("container facts", "1", "ISO/IEC 14496-12; own procedure, no publication")

LIMITS = (
    "What a file states of itself (software, dates, names) is repeated as stated by the file; anyone can write it.",
    "That content credentials, tags or traces are absent says nothing: most software and platforms remove them.",
    "Who signed content credentials is told only against signers that the examiner trusts; none is shipped. Without "
    "a time stamp in them, validity is judged by the day of the examination.",
    "Encoding for a second time is not measured: what software names itself is all that is told of it.",
    "Boxes are read in MP4 and MOV files; of other containers only what is common to all is told.",
    "Pictures left out at a place where the time stamps were written anew leave no trace here.",
)
ALTERNATIVES = (
    "Messengers, platforms, players' downloads and phones' own editors encode anew, trim by edit lists and replace "
    "names and dates.",
    "Phones vary their picture rate with the light; loaded recorders and networks drop pictures and packets; a rate "
    "that was converted leaves double steps at regular distances.",
    "Pictures repeat where a rate was raised, in screen recordings, in animation and where nothing moves.",
)

CONTAINER = Question(
    "evidence.container",
    "The recording was interrupted, or put together from parts.",
    "The recording is continuous.",
    METHOD,
    LIMITS,
    ALTERNATIVES,
)


@dataclass(frozen=True)
class Settings:
    trusted_signers: str = setting("", "PEM", "certificates given with --trust; none is shipped", fingerprint)
    uneven: float = setting(0.2, "1", "share of the usual step; clocks of 1 ms round 33.4 ms to 33 or 34")
    even_share: float = setting(0.9, "1", "of steps near the usual one; below it the rate varies: dropping is unknown")
    gap_s: float = setting(0.5, "s", "a step this long reads as a pause to the eye; slide shows have them too")
    gap_steps: float = setting(5.0, "1", "usual steps that a gap has at least: 0.1 fps is no row of gaps")
    sound_jump_s: float = setting(0.010, "s", "as in decoding: clocks of 1 ms jitter, a lost AAC frame is 21 ms")
    most_events: int = setting(100, "1", "of a kind, the longest; all are counted in the measurements")


# -- signal ----------------------------------------------------------------------------------------------------------


def placed(packets: dict[str, np.ndarray], interval: Interval) -> dict[str, np.ndarray]:
    """Packets shown inside ``interval``, in the order of the file; without a presentation time at that of decoding."""
    t_s = np.where(np.isfinite(packets["t_s"]), packets["t_s"], packets["dts_s"])
    kept = np.isfinite(t_s) & ~packets["hidden"] & (t_s >= interval.start_s) & (t_s < interval.end_s)
    return {name: values[kept] for name, values in (packets | {"t_s": t_s}).items()}


def presented(packets: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The packets in the order of presentation."""
    order = np.argsort(packets["t_s"], kind="stable")
    return {name: values[order] for name, values in packets.items()}


def usual_step(t_s: np.ndarray, settings: Settings) -> tuple[float, bool]:
    """The usual step between pictures in s, and whether the rate is even, so that a missing picture would show."""
    steps = np.diff(t_s)
    usual = float(np.median(steps)) if len(steps) else 0.0
    near = np.abs(steps - usual) <= settings.uneven * usual
    return usual, bool(usual > 0 and near.mean() >= settings.even_share)


# -- events ----------------------------------------------------------------------------------------------------------


def gaps(t_s: np.ndarray, settings: Settings) -> list[Event]:
    """Steps between pictures far above the usual one."""
    usual, _ = usual_step(t_s, settings)
    steps = np.diff(t_s)
    found = np.flatnonzero((steps > settings.gap_s) & (steps > settings.gap_steps * usual))
    return [
        Event("picture_gap", Interval(float(t_s[k]), float(t_s[k + 1])), f"{steps[k]:.2f} s between two pictures")
        for k in found
    ]


def dropped(t_s: np.ndarray, settings: Settings) -> list[Event]:
    """Steps that are whole multiples of the usual one, in a stream of even rate; none where the rate varies."""
    usual, even = usual_step(t_s, settings)
    if not even:
        return []
    ratio = np.diff(t_s) / usual
    whole = np.round(ratio)
    found = np.flatnonzero((whole >= 2) & (np.abs(ratio - whole) <= settings.uneven))
    return [
        Event(
            "dropped_pictures",
            Interval(float(t_s[k]), float(t_s[k + 1])),
            f"{ratio[k]:.1f} usual steps to the next picture: room for {int(whole[k]) - 1} more",
            details={"pictures": int(whole[k]) - 1},
        )
        for k in found
    ]


def repeated(pictures: dict[str, Any], interval: Interval) -> list[Event]:
    """Runs of decoded pictures that repeat the one before them to the last bit."""
    t_s, again = np.asarray(pictures.get("t_s", ())), np.asarray(pictures.get("repeated", ()), bool)
    ends = np.append(t_s[1:], interval.end_s)
    return [
        Event(
            "repeated_pictures",
            Interval(float(t_s[a]), max(float(t_s[a]), float(ends[b - 1]))),
            f"{b - a} {'picture repeats' if b - a == 1 else 'pictures repeat'} the one before exactly",
            details={"pictures": b - a},
        )
        for a, b in (runs(again) if len(again) == len(t_s) else [])
    ]


def sound_jumps(packets: dict[str, np.ndarray], settings: Settings) -> list[Event]:
    """Where a packet of sound does not begin where the one before ends."""
    t_s, ends = packets["t_s"], packets["t_s"] + packets["duration_s"]
    jumps = t_s[1:] - ends[:-1]
    return [
        Event(
            "sound_gap" if jumps[k] > 0 else "sound_overlap",
            Interval(*sorted((float(ends[k]), float(t_s[k + 1])))),
            f"the next packet of sound begins {abs(jumps[k]):.3f} s too {'late' if jumps[k] > 0 else 'early'}",
        )
        for k in np.flatnonzero(np.abs(jumps) > settings.sound_jump_s)
    ]


def backward(packets: dict[str, np.ndarray], interval: Interval) -> list[Event]:
    """Where the decoding times of a stream, which only ever grow, step back in the order of the file."""
    dts = packets["dts_s"][np.isfinite(packets["dts_s"])]
    return [
        Event("time_jump", at, f"time stamps step back by {dts[k] - dts[k + 1]:.3f} s")
        for k in np.flatnonzero(np.diff(dts) < 0)
        if (at := Interval(float(dts[k + 1]), float(dts[k])) & interval)
    ]


def _longest(events: Iterable[Event], most: int) -> list[Event]:
    """The ``most`` longest, in the order of time."""
    kept = sorted(events, key=lambda e: -e.interval.duration)[:most]
    return sorted(kept, key=lambda e: (e.interval.start_s, e.kind))


# -- measurements ----------------------------------------------------------------------------------------------------


def _fact(name: str, value: Any, unit: str, n: int) -> Measurement:
    return Measurement(name, float(value), unit, None, None, None, n, METHOD.name)


def measure_pictures(packets: dict[str, np.ndarray], pictures: dict[str, Any], settings: Settings) -> list[Measurement]:
    """Key pictures, steps, what is left out and what repeats; ``packets`` as ``presented``."""
    steps, (usual, even) = np.diff(packets["t_s"]), usual_step(packets["t_s"], settings)
    found = []
    if len(keys_s := np.diff(packets["t_s"][packets["key"]])):
        found.append(_fact("key_picture_distance", float(np.median(keys_s)), "s", len(keys_s)))
    if usual > 0:
        found.append(
            _fact("uneven_steps", 100 * np.mean(np.abs(steps - usual) > settings.uneven * usual), "%", len(steps))
        )
        found.append(_fact("picture_gaps", len(gaps(packets["t_s"], settings)), "1", len(steps)))
    if even:
        lost = sum(e.details["pictures"] for e in dropped(packets["t_s"], settings))
        found.append(_fact("dropped_pictures", lost, "1", len(steps)))
    if "repeated" in pictures:
        found.append(_fact("repeated_pictures", np.sum(pictures["repeated"]), "1", len(pictures["repeated"])))
    return found


def measure_stored(survey: Survey) -> list[Measurement]:
    """Of the whole file: pictures that its index lists and that are not shown, and bytes that form no box."""
    found = []
    packets = survey.of(survey.picture)
    declared = next((s["declared_packets"] for s in survey.facts["streams"] if s["index"] == survey.picture), 0)
    boxes = survey.facts["boxes"]
    if boxes and not boxes["fragments"] and declared:
        found.append(_fact("pictures_not_shown", max(0, declared - int(np.sum(~packets["hidden"]))), "1", declared))
    if boxes:
        found.append(_fact("trailing_bytes", boxes["trailing_bytes"], "1", 1))
    return found


# -- verdict ---------------------------------------------------------------------------------------------------------


def assess(scene: Scene, settings: Settings) -> list[Finding]:
    """The one finding about the container; refused where it could not be surveyed."""
    survey, examined = scene.survey, scene.interval
    if survey is None:
        return [CONTAINER.refuse(About(examined, settings, subjects=("file",)), "container_not_surveyed")]
    picture = presented(placed(survey.of(survey.picture), examined))
    sound = placed(survey.of(survey.sound), examined)
    pictures = scene.observation.pictures
    kinds = {
        "gaps": gaps(picture["t_s"], settings),
        "dropped": dropped(picture["t_s"], settings),
        "repeated": repeated(pictures, examined),
        "sound": sound_jumps(sound, settings),
        "back": backward(survey.of(survey.picture), examined) + backward(survey.of(survey.sound), examined),
    }
    events = [e for found in kinds.values() for e in _longest(found, settings.most_events)]
    measurements = [*measure_pictures(picture, pictures, settings), *measure_stored(survey)]
    if len(sound["t_s"]) > 1:
        measurements.append(_fact("sound_jumps", len(kinds["sound"]), "1", len(sound["t_s"]) - 1))
    drawn = picture if len(picture["t_s"]) else sound
    return [
        CONTAINER.answer(
            About(examined, settings, _covered((picture, sound), examined), subjects=("file",)),
            measurements=tuple(measurements),
            events=tuple(sorted(events, key=lambda e: (e.interval.start_s, e.kind))),
            evidence={
                "t_s": drawn["t_s"],
                "size_bytes": drawn["size"],
                "key": drawn["key"],
                "of": "picture" if drawn is picture else "sound",
                "examined": examined,
            },
        )
    ]


def _covered(streams: Sequence[dict[str, np.ndarray]], examined: Interval) -> list[Interval]:
    """The time in which packets lie; one whose duration is not told lies at its instant."""
    lasting = [(s["t_s"], s["t_s"] + np.nan_to_num(s["duration_s"])) for s in streams if len(s["t_s"])]
    found = (Interval(float(starts.min()), float(ends.max())) & examined for starts, ends in lasting)
    return union(i for i in found if i is not None)


# -- charts ----------------------------------------------------------------------------------------------------------

#: How an event is drawn: marker and label.
MARKS = {
    "repeated_pictures": ("v", "repeats the one before"),
    "dropped_pictures": ("^", "room for pictures left out"),
    "sound_gap": ("s", "gap in the sound"),
    "sound_overlap": ("D", "overlap in the sound"),
    "time_jump": ("X", "time stamps step back"),
}


def plot_packets(finding: Finding, ax: Any) -> None:
    """Size of each packet over time, key pictures marked, gaps shaded, other events above."""
    t_s, size, key = (finding.evidence[name] for name in ("t_s", "size_bytes", "key"))
    kb = np.maximum(size, 1) / 1000
    pixels: Any = dict(rasterized=plots.many(t_s), ls="none")
    of = finding.evidence["of"]
    if of == "picture":
        ax.plot(t_s[~key], kb[~key], ".", color=plots.BLUE, ms=2.5, label="coded picture", **pixels)
        ax.plot(t_s[key], kb[key], "o", color=plots.BLACK, ms=4, mfc="none", label="key picture", **pixels)
    else:
        ax.plot(t_s, kb, ".", color=plots.BLUE, ms=2.5, label="packet of sound", **pixels)
    top = 2 * float(kb.max())
    for kind, (marker, label) in MARKS.items():
        at = [e.interval.start_s for e in finding.events if e.kind == kind]
        if at:
            ax.plot(at, [top] * len(at), marker, color=plots.ORANGE, ms=4, label=label, **pixels)
    plots.shade(
        ax, [e.interval for e in finding.events if e.kind == "picture_gap"], "gap between pictures", plots.ORANGE
    )
    plots.missing(ax, finding.evidence["examined"], finding.covered)
    ax.set_yscale("log")
    ax.set_ylim(10 ** np.floor(np.log10(kb.min())), 10 ** np.ceil(np.log10(top)))  # decades: each has its label
    ax.yaxis.set_major_formatter("{x:g}")  # the usual one writes mathematics, which is not parsed here
    ax.yaxis.set_minor_formatter("")
    ax.set_ylabel("size as stored (kB)")
    plots.time_axis(ax, finding.evidence["examined"])
    plots.legend(ax)


@plots.styled
def charts(finding: Finding) -> list[plots.Chart]:
    """The packets over time; none of a refusal or where nothing is to be shown."""
    if finding.state != ASSESSED or not len(finding.evidence["t_s"]):
        return []
    fig, ax = plots.figure(row_mm=62)
    plot_packets(finding, ax)
    return [
        plots.Chart(
            "evidence",
            fig,
            "Size of each packet as it is stored, at its time. Notice how regularly key pictures stand, and where "
            "pictures are missing or repeat. It does not show why: encoders set key pictures at cuts too, and phones "
            "and networks drop pictures.",
            "Points of packet sizes over time with key pictures, gaps, repeats and left-out pictures marked.",
            {name: finding.evidence[name] for name in ("t_s", "size_bytes", "key")},
        )
    ]
