"""Charts of a person's blinks, drawn from the finding alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from forensics import plots
from forensics.analysis.blink.gaze import GAZE
from forensics.analysis.blink.rate import CHANCES, Absence
from forensics.finding import ASSESSED, Finding


def plot_rate(finding: Finding, axes: Any) -> None:
    """Relative openness of each eye with its blinks; what was not measured is hatched."""
    for ax, (eye, parts), colour, style in zip(
        axes, finding.evidence["eyes"].items(), (plots.BLUE, plots.ORANGE), ("-", (0, (4, 1))), strict=True
    ):
        for series in parts:
            ax.plot(series.t_s, series.values, color=colour, ls=style, rasterized=plots.many(series.t_s))
        for kind, marker, label in (("blink", "v", "blink counted"), ("wink", "x", "closes alone: not counted")):
            told = [e for e in finding.events if e.kind == kind and e.details["eye"] == eye]
            if told or kind == "blink":
                ax.plot(
                    [e.details["peak_s"] for e in told],
                    [1 - e.details["depth"] for e in told],
                    marker,
                    color=plots.BLACK,
                    ms=5,
                    ls="none",
                    label=label,
                )
            for event in told:  # from onset to offset
                ax.hlines(-0.06, event.interval.start_s, event.interval.end_s, color=plots.BLACK, lw=2)
        ax.axhline(1 - finding.settings.complete, color=plots.GREY, lw=0.8, ls=":", label="depth of a complete closure")
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


def plot_absence(finding: Finding, ax: Any) -> None:
    """Seconds without a blink that each task's lowest rate needs, beside the seconds in which the eyes were seen."""
    rows = finding.evidence["absences"]
    kinds = (
        ("steady", -0.27, plots.BLUE, "o", "no blink by chance, steady rate: 5 %, 1 %"),
        ("clustered", 0.0, plots.ORANGE, "s", "over-dispersed: 5 %, 1 %"),
    )
    for name, above, colour, marker, label in kinds:
        for k, row in enumerate(rows):
            seconds = getattr(row, name)
            ax.plot(seconds, [k + above] * len(seconds), marker, color=colour, ls=":", label=label if k == 0 else None)
            for s, side in zip(seconds, (-6, 6), strict=True):
                _seconds(ax, s, k + above, side)
    ax.plot(
        [row.marked for row in rows],
        np.arange(len(rows)) + 0.27,
        "D",
        color=plots.BLACK,
        ls="none",
        label="marked from here",
    )
    for k, row in enumerate(rows):
        _seconds(ax, row.marked, k + 0.27, 6)
    ax.axvline(finding.evidence["seen_s"], color=plots.GREY, lw=1.5, label="eyes seen here")
    ax.set_xscale("log")
    ax.set_xlim(3, 2000)
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set_xlabel("seconds in which the eyes are seen (s)")
    ax.set_yticks(range(len(rows)), [f"{row.task},\nfrom {row.lowest:g} per minute" for row in rows])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    plots.legend(ax)


def _seconds(ax: Any, seconds: float, row: float, side: float) -> None:
    """The number beside its mark, rounded up: fewer seconds do not suffice."""
    ax.annotate(
        f"{np.ceil(seconds):.0f}",
        (seconds, row),
        (side, 0),
        textcoords="offset points",
        ha="left" if side > 0 else "right",
        va="center",
        fontsize=8,
    )


def _lengths(rows: Sequence[Absence]) -> dict[str, list[Any]]:
    """The table in long form: one row a task and criterion."""
    cells = [
        (row.task, row.lowest, what, seconds)
        for row in rows
        for what, seconds in (
            *((f"no blink in {chance:.0%}, steady", s) for chance, s in zip(CHANCES, row.steady, strict=True)),
            *(
                (f"no blink in {chance:.0%}, over-dispersed", s)
                for chance, s in zip(CHANCES, row.clustered, strict=True)
            ),
            ("marked", row.marked),
        )
    ]
    columns = ("task", "lowest_rate_per_min", "criterion", "seconds_needed")
    return {name: list(column) for name, column in zip(columns, zip(*cells, strict=True), strict=True)}


@plots.styled
def absence(finding: Finding) -> plots.Chart:
    """How long a clip must be before an absence of blinks says anything, as a chart and a table."""
    rows = finding.evidence["absences"]
    fig, ax = plots.figure(row_mm=70)
    plot_absence(finding, ax)
    own = next(row for row in rows if row.task == finding.settings.task)
    steady, clustered = ([math.ceil(s) for s in seconds] for seconds in (own.steady, own.clustered))
    return plots.Chart(
        "blink-absence",
        fig,
        "How long the eyes must be seen without a blink before its absence says anything, at the lowest published rate "
        f"of each task (task here: {own.task}). Chance gives no blink in at most 5 % and 1 % from {steady[0]} and "
        f"{steady[1]} s on at a steady rate, from {clustered[0]} and {clustered[1]} s where the rate varies as one "
        f"person's does. An absence is marked from {math.ceil(own.marked)} s on (diamond), which "
        f"allows for blinks not found. Notice where the {finding.evidence['seen_s']:.1f} s seen here lie. It does not "
        "show why a person does not blink.",
        f"A chart of four tasks; seconds needed lie between {min(r.steady[0] for r in rows):.0f} and "
        f"{max(r.marked for r in rows):.0f}, the eyes were seen for {finding.evidence['seen_s']:.1f}.",
        _lengths(rows),
    )


@plots.styled
def charts(finding: Finding) -> list[plots.Chart]:
    """Both eyes' openness with the blinks counted, and what an absence needs, or their gaze; none of a refusal."""
    if finding.state != ASSESSED:
        return []
    if finding.question == GAZE.slug:
        return [gaze_chart(finding)]
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
            f"Openness of each eye of person {finding.person}, relative to the open eye around that time; triangles "
            f"mark the {rate.n} blinks counted, bars below them reach from onset to offset. Notice their timing and "
            "that both eyes move together. It does not show why a person blinks, and a glance down lowers the lids as "
            "a blink does.",
            f"Two line charts over time, one an eye, with {rate.n} dips marked as blinks.",
            table,
        ),
        absence(finding),
    ]


#: Rows of the chart of gaze: what is drawn of both eyes' ``Gaze``, and its axis.
_GAZE_ROWS = (
    ("azimuth", lambda g: g.head[:, :, 0], "sideways, deg\n(+ picture's right)"),
    ("elevation", lambda g: g.head[:, :, 1], "upwards, deg\n(+ up)"),
    ("iris", lambda g: g.iris, "iris over distance of\nouter corners (no unit)"),
)


def gaze_chart(finding: Finding) -> plots.Chart:
    """Direction of each eye in the head, vergence and iris diameter over time; what was not measured is hatched."""
    parts, examined = finding.evidence["gaze"], finding.evidence["examined"]
    fig, axes = plots.figure(rows=4, row_mm=34, sharex=True)
    table = {"t_s": np.concatenate([g.t_s for g in parts])}
    for ax, (name, values, label) in zip(axes, _GAZE_ROWS, strict=False):
        for k, (eye, colour, style) in enumerate((("right", plots.BLUE, "-"), ("left", plots.ORANGE, (0, (4, 1))))):
            for part, g in enumerate(parts):
                shown = np.where(g.seen, values(g)[:, k], np.nan)
                label_eye = f"{eye} eye" if part == 0 else None
                ax.plot(g.t_s, shown, color=colour, ls=style, label=label_eye, rasterized=plots.many(g.t_s))
            table[f"{eye}_{name}"] = np.concatenate([values(g)[:, k] for g in parts])
        ax.set_ylabel(label)
    for g in parts:
        axes[3].plot(g.t_s, np.where(g.seen, g.vergence, np.nan), color=plots.BLACK, rasterized=plots.many(g.t_s))
    axes[3].set_ylabel("vergence, deg\n(+ turned in)")
    table["vergence"] = np.concatenate([g.vergence for g in parts])
    for ax in axes:
        plots.missing(ax, examined, finding.covered)
        plots.time_axis(ax, examined)
        ax.set_xlabel("")
    axes[-1].set_xlabel("time on the presentation clock (s)")
    _gaze_error_bar(finding, axes[0])
    plots.legend(axes[0], columns=4)
    return plots.Chart(
        "blink-gaze",
        fig,
        f"Direction of each eye of person {finding.person} in the head, diameter of each iris and vergence. Notice "
        "whether both eyes move together. Absolute angles are off by some degrees; it does not show why a person "
        "looks aside, and a recording that was lip-synced keeps the eyes of its source.",
        "Four line charts over time: both eyes' sideways and upward direction, their irises' diameters, and vergence.",
        table,
    )


def _gaze_error_bar(finding: Finding, ax: Any) -> None:
    """How far the landmarks' own scatter moves one eye's curve, as a bar at its left end."""
    error = next((m for m in finding.measurements if m.name == "gaze_error"), None)
    if error is not None:
        examined, middle = finding.evidence["examined"], float(np.mean(ax.get_ylim()))
        at = examined.start_s + examined.duration / 100
        ax.errorbar(
            [at], [middle], [2 * error.value], color=plots.BLACK, capsize=3, lw=1, label="repeatability, ± 2 SD"
        )
