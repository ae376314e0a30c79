"""Charts of the link between lips and sound, drawn from a finding's evidence alone."""

from __future__ import annotations

from typing import Any

from forensics import plots
from forensics.analysis.lipsync.measure import Comparison
from forensics.finding import ASSESSED, Finding
from forensics.timeline import Interval


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
    """Both velocities over time, one below the other, with speech shaded and the rest hatched."""
    mouth, sound = finding.evidence["mouth"], finding.evidence["sound"]
    drawn: Any = dict(lw=0.8, rasterized=plots.many(mouth.t_s))
    ax.plot(mouth.t_s, mouth.values + 3, color=plots.ORANGE, **drawn)
    ax.plot(sound.t_s, sound.values - 3, color=plots.BLUE, ls=(0, (4, 1)), **drawn)
    ax.set_yticks([-3, 3], ["sound", "mouth"])
    ax.set_ylim(-8, 8)
    ax.set_ylabel("velocity (standard\ndeviations, shifted)")
    plots.shade(ax, finding.evidence["spoken"], "speech detected")
    plots.missing(ax, finding.evidence["examined"], [Interval(float(mouth.t_s[0]), float(mouth.t_s[-1]))])
    plots.time_axis(ax, finding.evidence["examined"])
    plots.legend(ax)


@plots.styled
def charts(finding: Finding) -> list[plots.Chart]:
    """One chart of both velocities and their correlation over lags, for the link; none of a refusal."""
    if finding.state != ASSESSED or finding.question != "lipsync.link":
        return []
    fig, axes = plots.figure(rows=2, row_mm=50)
    plot_signals(finding, axes[0])
    plot_link(finding, axes[1])
    found = finding.evidence["comparison"]
    return [
        plots.Chart(
            "lipsync",
            fig,
            f"Above: how fast the mouth of person {finding.person} opens and the sound rises. Below: their "
            "correlation at "
            "each lag, against the band that shifted sound gives. Notice whether one peak stands clear of the "
            "band, and "
            "where. It does not show who spoke, nor whether software made the mouth fit.",
            "Two charts: velocities of mouth and sound over time; correlation over lags with a grey band of chance.",
            {"lag_ms": found.lags_ms, "correlation": found.correlation},
        )
    ]
