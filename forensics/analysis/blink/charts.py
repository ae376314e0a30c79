"""Charts of a person's blinks, drawn from the finding alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from forensics import plots
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
            f"Openness of each eye of person {finding.person}, relative to the open eye around that time; triangles "
            f"mark the {rate.n} blinks counted, bars below them reach from onset to offset. Notice their timing and "
            "that both eyes move together. It does not show why a person blinks, and a glance down lowers the lids as "
            "a blink does.",
            f"Two line charts over time, one an eye, with {rate.n} dips marked as blinks.",
            table,
        )
    ]
