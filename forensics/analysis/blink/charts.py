"""Charts of a person's blinks, drawn from the finding alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from forensics import plots
from forensics.analysis.blink.gaze import GAZE
from forensics.finding import ASSESSED, Finding


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
    """One chart, of both eyes' openness with the blinks counted or of their gaze; none of a refusal."""
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
            f"Openness of each eye of person {finding.person}, relative to the open eye around that time; "
            "triangles mark "
            f"the {rate.n} blinks counted. Notice their timing and that both eyes move together. It does not show "
            "why a "
            "person blinks, and a glance down lowers the lids as a blink does.",
            f"Two line charts over time, one an eye, with {rate.n} dips marked as blinks.",
            table,
        )
    ]


#: Rows of the chart of gaze: what is drawn of both eyes' ``Gaze``, and its axis.
_GAZE_ROWS = (
    ("azimuth", lambda g: g.head[:, :, 0], "sideways, deg\n(+ picture's right)"),
    ("elevation", lambda g: g.head[:, :, 1], "upwards, deg\n(+ up)"),
    ("iris", lambda g: g.iris, "iris over distance\nof outer corners"),
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
