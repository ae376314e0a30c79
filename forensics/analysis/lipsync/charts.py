"""Charts of the link between lips and sound and of who is heard, drawn from a finding's evidence alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from forensics import plots
from forensics.analysis.lipsync.closure import Closures
from forensics.analysis.lipsync.kinematics import ROW, Movement
from forensics.analysis.lipsync.measure import DETECTABLE_MS, Comparison, Course
from forensics.analysis.lipsync.model import standardised
from forensics.analysis.lipsync.speaker import Windows
from forensics.analysis.lipsync.words import (
    BETWEEN,
    CLOSED,
    MISSED,
    NOT_SEEN,
    STRUCK,
    UNCONFIRMED,
    Lips,
    states,
)
from forensics.finding import ASSESSED, Finding
from forensics.text import for_chart
from forensics.timeline import Interval

#: Events of the coverage; line style and marker of their bars.
AWAY = {"speech_without_lips": ("-", "|"), "lips_without_speech": ((0, (0.8, 0.4)), "")}
#: Colour, strength and, for print in grey, hatch of the shade of each p, b, m told, by what the lips do.
WORD_STATES = {
    CLOSED: (plots.GREEN, 0.3, ""),
    MISSED: (plots.ORANGE, 0.7, "xxx"),
    BETWEEN: (plots.BLUE, 0.15, "..."),
    UNCONFIRMED: (plots.PINK, 0.3, "|||"),
    NOT_SEEN: (plots.GREY, 0.3, "////"),
    STRUCK: (plots.GREY, 0.6, "+++"),
}
#: Seconds drawn in one row, so that words can be read, and rows at most.
ROW_S, MOST_ROWS = 4.0, 6
#: Colour and marker of each person, in turn.
LINES = ((plots.BLUE, "o"), (plots.ORANGE, "s"), (plots.GREEN, "^"), (plots.PINK, "v"))


def plot_link(finding: Finding, ax: Any) -> None:
    """Correlation over the searched lags against the clip's own null."""
    found: Comparison = finding.evidence["comparison"]
    ax.axhspan(
        found.null_mean - 2 * found.null_sd,
        found.null_mean + 2 * found.null_sd,
        color=plots.GREY,
        alpha=0.25,
        lw=0,
        label="shifted sound, ± 2 standard deviations",
    )
    ax.plot(found.lags_ms, found.correlation, color=plots.BLUE, label="this sound")
    ax.axhline(
        found.null_mean + finding.settings.least_z * found.null_sd,
        color=plots.BLACK,
        ls=":",
        lw=0.8,
        label="needed to read an offset",
    )
    ax.set_xlabel("lag of the sound (ms; positive = after the lips)")
    ax.set_ylabel("correlation")
    plots.legend(ax)


def plot_signals(finding: Finding, ax: Any) -> None:
    """The component that counts most of both, one below the other, with speech shaded and the rest hatched."""
    mouth, sound = finding.evidence["mouth"], finding.evidence["sound"]
    heaviest = int(np.nanstd(mouth.values, axis=0).argmax())
    drawn: Any = dict(lw=0.8, rasterized=plots.many(mouth.t_s))
    up, down = (standardised(side.values[:, [heaviest]])[:, 0] for side in (mouth, sound))
    ax.plot(mouth.t_s, up + 3, color=plots.ORANGE, **drawn)
    ax.plot(sound.t_s, down - 3, color=plots.BLUE, ls=(0, (4, 1)), **drawn)
    ax.set_yticks([-3, 3], ["sound", "mouth"])
    ax.set_ylim(-8, 8)
    ax.set_ylabel("first component (standard\ndeviations, shifted)")
    plots.shade(ax, finding.evidence["spoken"], "speech detected")
    plots.missing(ax, finding.evidence["examined"], finding.evidence["within"])
    plots.time_axis(ax, finding.evidence["examined"])
    plots.legend(ax)


def plot_opening(finding: Finding, ax: Any) -> None:
    """The gap of the lips as measured, with the band of its standard error where that was sampled."""
    error = 100 * finding.evidence["opening_error"]
    for k, opening in enumerate(finding.evidence["opening"]):
        t_s, gap = opening.t_s, 100 * opening.values
        ax.plot(t_s, gap, color=plots.BLACK, lw=0.7, rasterized=plots.many(t_s), label=None if k else "as measured")
        if np.isfinite(error):
            ax.fill_between(
                t_s,
                gap - error,
                gap + error,
                color=plots.ORANGE,
                alpha=0.35,
                lw=0,
                label=None if k else f"± standard error of one picture, {error:.2f} %",
                rasterized=plots.many(t_s),
            )
    ax.set_ylabel("gap of the lips\n(% of face height)")
    plots.shade(ax, finding.evidence["spoken"], "speech detected")
    seen = [Interval(float(o.t_s[0]), float(o.t_s[-1])) for o in finding.evidence["opening"]]
    plots.missing(ax, finding.evidence["examined"], seen)
    plots.time_axis(ax, finding.evidence["examined"])
    plots.legend(ax, columns=3)


def plot_course(finding: Finding, ax: Any) -> None:
    """The offset in windows that could be read, with that of the whole, its interval, and what viewers detect."""
    found: Course = finding.evidence["course"]
    whole, window_s = finding.measurement("av_offset"), finding.settings.course_s
    ax.axhspan(whole.low, whole.high, color=plots.GREY, alpha=0.25, lw=0, label="of the whole, 95 %")
    for end_ms, name in zip(DETECTABLE_MS, ("beyond: viewers detect it (ITU-R BT.1359)", None), strict=True):
        ax.axhline(end_ms, color=plots.BLACK, ls=":", lw=0.8, label=name)
    middle_s = found.start_s + window_s / 2
    ax.plot(middle_s, found.offset_ms, color=plots.BLUE, marker="o", ms=2.5, lw=0.8, label=f"windows of {window_s:g} s")
    for jump in finding.events:  # one at most
        ax.axvspan(jump.interval.start_s, jump.interval.end_s, color=plots.ORANGE, alpha=0.3, lw=0, label="a jump")
    ax.set_ylabel("offset of the sound\n(ms; positive = after the lips)")
    plots.shade(ax, finding.evidence["spoken"], "speech detected")
    plots.missing(ax, finding.evidence["examined"], finding.evidence["within"])
    plots.time_axis(ax, finding.evidence["examined"])
    plots.legend(ax, columns=3)


def plot_speaker(finding: Finding, ax: Any) -> None:
    """How each face moves with the sound, window by window; a bar on top of the turns of who is named."""
    windows: Windows = finding.evidence["windows"]
    middle_s = windows.start_s + finding.settings.window_s / 2
    persons = list(dict.fromkeys(finding.evidence["persons"]))
    top = max(finding.settings.least_window_z, float(np.nanmax(windows.z))) + 1
    for k, person in enumerate(persons):
        colour, marker = LINES[k % len(LINES)]
        for own in windows.z[[p == person for p in finding.evidence["persons"]]]:
            ax.plot(middle_s, own, color=colour, marker=marker, ms=2.5, lw=0.8, rasterized=plots.many(middle_s))
        ax.plot([], [], color=colour, marker=marker, ms=2.5, lw=0.8, label=f"face {for_chart(person)}")
        for turn in (turn for who, turn in finding.evidence["turns"] if who == person):
            ends: Any = dict(marker=marker, ms=5, lw=4, solid_capstyle="butt")
            ax.plot([turn.start_s, turn.end_s], [top + k, top + k], color=colour, **ends)
            name: Any = dict(xytext=(5, 3), textcoords="offset points", fontsize=8, va="bottom", annotation_clip=True)
            ax.annotate(for_chart(person), (turn.start_s, top + k), **name)
    ax.axhline(finding.settings.least_window_z, color=plots.BLACK, ls=":", lw=0.8, label="needed to name a speaker")
    ax.set_ylim(min(-3.0, float(np.nanmin(windows.z)) - 0.5), top + len(persons) + 0.8)
    ax.set_ylabel("mouth with sound\n(standard deviations)")
    plots.shade(ax, finding.evidence["spoken"], "speech detected")
    plots.missing(ax, finding.evidence["examined"], finding.covered)
    plots.time_axis(ax, finding.evidence["examined"])
    plots.legend(ax, columns=3)


def plot_speed(finding: Finding, ax: Any) -> None:
    """How fast the gap of the lips moves, with speech shaded, and bars where it and speech do not go together."""
    speed, top = finding.evidence["watched"].speed, 1.25
    fastest = float(np.nanmax(speed.values)) if np.isfinite(speed.values).any() else 1.0
    drawn: Any = dict(lw=0.8, rasterized=plots.many(speed.t_s))
    ax.plot(speed.t_s, speed.values, color=plots.BLACK, label="speed of the gap", **drawn)
    ax.axhline(finding.settings.least_speed, color=plots.BLACK, ls=":", lw=0.8, label="as fast as in speech")
    for (kind, (style, ends_in)), (colour, _), at in zip(AWAY.items(), LINES, (1.07, 1.17), strict=False):
        for k, event in enumerate(e for e in finding.events if e.kind == kind):
            ends = [event.interval.start_s, event.interval.end_s]
            name = None if k else kind.replace("_", " ")
            bar: Any = dict(
                ls=style, marker=ends_in, ms=9, lw=4, solid_capstyle="butt", dash_capstyle="butt", label=name
            )
            ax.plot(ends, [at * fastest] * 2, color=colour, **bar)
    ax.set_ylim(0, top * max(fastest, finding.settings.least_speed))
    ax.set_ylabel("speed of the lips' gap\n(face heights per s)")
    _time(finding, ax)


def plot_together(finding: Finding, ax: Any) -> None:
    """How far mouth and sound go together in windows, against the line under which a mouth is away from the sound."""
    z = finding.evidence["watched"].z
    ax.plot(z.t_s, z.values, color=plots.BLUE, marker="o", ms=2.5, lw=0.8, label="mouth with sound")
    ax.axhline(finding.settings.most_apart_z, color=plots.BLACK, ls=":", lw=0.8, label="below: away from the sound")
    ax.set_ylabel("mouth with sound\n(standard deviations)")
    _time(finding, ax)


def _time(finding: Finding, ax: Any) -> None:
    plots.shade(ax, finding.evidence["spoken"], "speech detected")
    plots.missing(ax, finding.evidence["examined"], finding.evidence["watched"].seen)
    plots.time_axis(ax, finding.evidence["examined"])
    plots.legend(ax, columns=3)


@plots.styled
def charts(finding: Finding) -> list[plots.Chart]:
    """A chart of each answer. The offset of a clip too short for windows is on the link's."""
    by_question = {
        "lipsync.link": _link_chart,
        "lipsync.offset": _offset_chart,
        "lipsync.closure": _closure_chart,
        "lipsync.words": _words_chart,
        "lipsync.coverage": _coverage_chart,
        "lipsync.kinematics": _kinematics_chart,
        "lipsync.speaker": _speaker_chart,
    }
    drawn = by_question.get(finding.question)
    chart = drawn(finding) if drawn and finding.state == ASSESSED else None
    return [chart] if chart else []


def _offset_chart(finding: Finding) -> plots.Chart | None:
    found: Course = finding.evidence["course"]
    if np.isfinite(found.offset_ms).sum() < 2:
        return None
    fig, ax = plots.figure(row_mm=50)
    plot_course(finding, ax)
    return plots.Chart(
        "lipsync-offset",
        fig,
        f"The offset of the sound from the lips of person {finding.person} in windows of {finding.settings.course_s:g} "
        "s that overlap; gaps where a window alone tells none. Notice whether it keeps within the grey band, drifts or "
        "jumps. It does not show why: cuts, editing software and faulty recorders shift sound too.",
        "Points of the offset over time, with a grey band for the whole clip and dotted lines at what viewers detect.",
        {"middle_s": found.start_s + finding.settings.course_s / 2, "offset_ms": found.offset_ms, "z": found.z},
    )


def _closure_chart(finding: Finding) -> plots.Chart:
    fig, ax = plots.figure(row_mm=50)
    found: Closures = finding.evidence["closures"]
    ax.plot(found.shifts_s, found.null, color=plots.BLUE, marker="o", ms=2.5, lw=0.8, label="shifted sound")
    ax.axhline(found.closeness, color=plots.ORANGE, ls="--", label="this sound")
    ax.set_xlabel("shift of the sound, round a circle (s)")
    ax.set_ylabel("closeness of the lips at\np, b, m (1 - rank of the gap)")
    plots.legend(ax)
    return plots.Chart(
        "lipsync-closure",
        fig,
        f"How close the lips of person {finding.person} are, on average, at {len(found.own)} recognised p, b, m, and "
        "at the same times shifted. Notice whether the broken line lies above all points. It does not show at which "
        "of them the lips are open: the recogniser mishears too many.",
        "A line of closeness over shifts, with a broken line for the sound as it is.",
        {"shift_s": found.shifts_s, "closeness": found.null},
    )


def plot_words(finding: Finding, ax: Any, row: Interval) -> None:
    """The gap of the lips in ``row`` (s), the words and phonemes told above it, each p, b, m with its state."""
    offset_s, drawn = finding.evidence["offset_s"], finding.evidence["gaps"]
    top = 100 * max((float(gap.max()) for gap in drawn.gaps), default=0.1)
    for track, gap in zip(drawn.tracks, drawn.gaps, strict=True):
        own = (track.t_s >= row.start_s) & (track.t_s <= row.end_s)
        ax.plot(track.t_s[own], 100 * gap[own], color=plots.BLACK, marker=".", ms=2, lw=0.7)
    before = ""
    for k, phoneme in enumerate(finding.evidence["told"].phonemes):
        at_s = (phoneme.interval.start_s + phoneme.interval.end_s) / 2 - offset_s
        if at_s in row:
            height = 1.04 if k % 2 else 1.18  # neighbours in quick speech are nearer than their letters are wide
            ax.text(at_s, height * top, phoneme.name, fontsize=8, ha="center", va="bottom", clip_on=True)
            if phoneme.word != before:
                word = for_chart(phoneme.word)
                ax.text(at_s, 1.38 * top, word, fontsize=8, ha="left", va="bottom", clip_on=True)
        before = phoneme.word
    for state, (colour, alpha, hatch) in WORD_STATES.items():
        own_state = [lips.interval for lips in finding.evidence["lips"] if lips.state == state and lips.interval & row]
        for k, interval in enumerate(own_state):
            label = None if k else f"p, b, m: {state}"
            shade: Any = dict(facecolor=(colour, alpha), edgecolor=plots.BLACK, hatch=hatch, lw=0, label=label)
            ax.axvspan(interval.start_s, interval.end_s, **shade)
    ax.set_ylim(0, 1.6 * top)
    ax.set_ylabel("gap of the lips\n(% of face height)")
    plots.time_axis(ax, row)
    plots.legend(ax, columns=3)


def _words_chart(finding: Finding) -> plots.Chart:
    found: list[Lips] = finding.evidence["lips"]
    rows = word_rows(found)
    fig, axes = plots.figure(rows=len(rows), row_mm=48, squeeze=False)
    for row, ax in zip(rows, axes[:, 0], strict=True):
        plot_words(finding, ax, row)
    return plots.Chart(
        "lipsync-words",
        fig,
        f"The gap of the lips of person {finding.person} over time, with the words and phonemes that the examiner's "
        f"transcript puts there; p, b, m shaded by what the lips do. {len(rows)} stretches of {ROW_S:g} s, those with "
        "missed closures first; the table holds every p, b, m. Notice whether the gap falls to its lowest at each "
        "shaded place or beside it. It does not show whether the words were spoken so.",
        "Lines of the lips' gap over time with words above and shaded p, b, m.",
        _columns(states(found)),
    )


def word_rows(found: list[Lips]) -> list[Interval]:
    """Stretches to draw, in order of time: those round missed closures first, then as they come."""
    rows: list[Interval] = []
    for lips in sorted(found, key=lambda lips: (lips.state != MISSED, lips.interval)):
        if len(rows) < MOST_ROWS and not any(lips.interval & row for row in rows):
            start_s = lips.interval.start_s - ROW_S / 8
            rows.append(Interval(start_s, start_s + ROW_S))
    return sorted(rows)


def _columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def _coverage_chart(finding: Finding) -> plots.Chart:
    fig, axes = plots.figure(rows=2, row_mm=44)
    plot_speed(finding, axes[0])
    plot_together(finding, axes[1])
    watched, settings = finding.evidence["watched"], finding.settings
    return plots.Chart(
        "lipsync-coverage",
        fig,
        f"Above: how fast the gap of the lips of person {finding.person} moves, root mean square over "
        f"{settings.still_s:g} s; bars where speech and lips do not go together. Below: how far mouth and sound go "
        f"together in windows of {settings.course_s:g} s. Notice speech in which the mouth rests or the lower line "
        "lies under its limit. It does not show who speaks, nor why: voice-over and dubbing do the same.",
        "Two charts over time with speech shaded: speed of the lips' gap; how far mouth and sound go together.",
        {"middle_s": watched.speed.t_s, "speed_1_per_s": watched.speed.values},
    )


def plot_movement(finding: Finding, ax: Any) -> None:
    """Opening of the lips and width of the mouth in the covered speech, with the gestures counted."""
    movement: Movement = finding.evidence["movement"]
    drawn: Any = dict(lw=0.8, rasterized=plots.many(movement.t_s))
    ax.plot(movement.t_s, movement.opening, color=plots.BLUE, label="opening", **drawn)
    ax.plot(movement.t_s, movement.spread, color=plots.ORANGE, ls=(0, (4, 1)), label="width", **drawn)
    at = finding.evidence["gestures"]
    ax.plot(movement.t_s[at], movement.opening[at], color=plots.BLACK, ls="", marker="v", ms=3, label="gesture")
    ax.set_ylim(bottom=0)
    ax.set_ylabel("opening, width\n(% of eyes' distance)")
    plots.missing(ax, finding.evidence["examined"], finding.covered)
    plots.time_axis(ax, finding.evidence["examined"])
    plots.legend(ax, columns=3)


def plot_speeds(finding: Finding, ax: Any) -> None:
    """Each row's speed of opening against that of spreading."""
    movement: Movement = finding.evidence["movement"]
    rows = np.flatnonzero(movement.measured)[::ROW]
    x, y = movement.opening_speed[rows], movement.spread_speed[rows]
    ax.plot(x, y, color=plots.BLUE, ls="", marker="o", ms=1.5, rasterized=plots.many(rows))
    ax.set_xlabel("speed of opening (% of eyes' distance per s)")
    ax.set_ylabel("speed of spreading\n(% of eyes' distance per s)")


def _kinematics_chart(finding: Finding) -> plots.Chart:
    fig, axes = plots.figure(rows=2, row_mm=50)
    plot_movement(finding, axes[0])
    plot_speeds(finding, axes[1])
    movement: Movement = finding.evidence["movement"]
    return plots.Chart(
        "lipsync-kinematics",
        fig,
        f"Above: how far the lips of person {finding.person} are open and the mouth is wide, in the speech measured; "
        f"{len(finding.evidence['gestures'])} opening gestures are marked. Below: how fast it opens and spreads at the "
        "same instant. Notice the sizes and whether both go together. It does not show how the movement was made: "
        "people differ as widely.",
        "Two charts: opening and width of the mouth over time with gestures marked; speed of spreading over speed of "
        "opening as points.",
        {"t_s": movement.t_s, "opening_percent": movement.opening, "width_percent": movement.spread},
    )


def _link_chart(finding: Finding) -> plots.Chart:
    fig, axes = plots.figure(rows=3, row_mm=44)
    plot_opening(finding, axes[0])
    plot_signals(finding, axes[1])
    plot_link(finding, axes[2])
    found = finding.evidence["comparison"]
    return plots.Chart(
        "lipsync",
        fig,
        f"Above: the gap of the lips of person {finding.person}, as measured. Middle: of the learned "
        "components the one that counts most, of mouth and sound. Below: the correlation of all at each lag, against "
        "the band that shifted sound gives. Notice whether "
        "one peak stands clear of the band, and where. It does not show who spoke, nor whether software made the "
        "mouth fit.",
        "Three charts: gap of the lips over time; a component of mouth and sound over time; correlation over lags with "
        "a grey band of chance.",
        {"lag_ms": found.lags_ms, "correlation": found.correlation},
    )


def _speaker_chart(finding: Finding) -> plots.Chart:
    windows: Windows = finding.evidence["windows"]
    fig, ax = plots.figure(row_mm=58)
    plot_speaker(finding, ax)
    middle_s = windows.start_s + finding.settings.window_s / 2
    named = ["" if k < 0 else finding.evidence["persons"][k] for k in windows.named]
    faces = {f"z_{name}": z for name, z in zip(finding.subjects, windows.z, strict=True)}
    return plots.Chart(
        "lipsync-speaker",
        fig,
        f"How each face moves with the sound in windows of {finding.settings.window_s:g} s, at the lag of "
        f"{windows.lag_ms:.0f} ms that all share, in standard deviations of shifted sound; bars on top where a speaker "
        f"is named. That lag stands {windows.lag_z:.1f} standard deviations out, {finding.settings.least_z:g} are "
        "needed. Notice where one face lies clearly above the line and above the others. It does not show whether "
        "software made a mouth fit, nor who is heard where no bar stands.",
        "A line a face of how it moves with the sound over time, with bars where a speaker is named.",
        {"middle_s": middle_s, **faces, "named": named},
    )
