"""Charts of the light's direction and of how it follows the head, drawn from a finding's evidence alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from forensics import plots
from forensics.finding import ASSESSED, Finding


def plot_sphere(finding: Finding, ax: Any) -> None:
    """A white ball under the estimated light, as the camera would see it."""
    even, *light = finding.evidence["light"]
    y, x = np.mgrid[1:-1:121j, -1:1:121j]
    z = np.sqrt(np.clip(1 - x * x - y * y, 0, None))
    shade = even + light[0] * x + light[1] * y + light[2] * z
    shown = np.where(x * x + y * y <= 1, np.clip(shade, 0, None) / max(shade.max(), 1e-9), np.nan)
    ax.imshow(shown, cmap="cividis", vmin=0, vmax=1, extent=(-1, 1, -1, 1))
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlabel("a white ball under this light")
    ax.spines[:].set_visible(False)
    bar = ax.figure.colorbar(ax.images[0], ax=ax, fraction=0.05, pad=0.02)
    bar.set_label("relative brightness")
    bar.ax.tick_params(labelsize=8)
    ax.plot(0, 0, "+", color=plots.BLACK, ms=6)
    edge = finding.evidence["outline"]
    ax.plot(*np.where(edge[:, 2:] >= 0, edge[:, :2], np.nan).T, color=plots.ORANGE, lw=1.2)  # what lies behind: unseen


def plot_residual(finding: Finding, ax: Any) -> None:
    """The face's landmarks by how much brighter they are than the light explains."""
    rest, points = finding.evidence["residual"], finding.evidence["points"]
    most = float(np.nanpercentile(np.abs(rest), 98)) + 1e-9
    shown = ax.scatter(*points.T, c=rest, cmap="cividis", vmin=-most, vmax=most, s=9, lw=0)
    ax.set_aspect("equal")
    ax.invert_yaxis()
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlabel("skin that one light\nleaves unexplained")
    ax.spines[:].set_visible(False)
    bar = ax.figure.colorbar(shown, ax=ax, fraction=0.05, pad=0.02)
    bar.set_label("brighter than the fit (%)")
    bar.ax.tick_params(labelsize=8)


def plot_direction(finding: Finding, ax: Any) -> None:
    """Direction over time: each picture by itself as points, the pooled value with its interval as band, the jumps."""
    for which, colour, marker, style in (("azimuth", plots.BLUE, "o", "-"), ("elevation", plots.ORANGE, "s", "--")):
        pooled = finding.measurement(f"light_{which}")
        ax.plot(
            finding.evidence["t_s"],
            finding.evidence[which],
            marker,
            ms=2.5,
            color=colour,
            ls="none",
            label=f"{which}, each picture",
        )
        ax.axhline(pooled.value, color=colour, ls=style, label=f"{which}, pooled")
        ax.axhspan(pooled.low, pooled.high, color=colour, alpha=0.1, lw=0)
    for k, jump in enumerate(finding.events):
        ax.axvline(jump.interval.end_s, color=plots.BLACK, ls="-.", lw=0.9, label=None if k else "the light jumps")
    plots.missing(ax, finding.evidence["examined"], finding.covered)
    ax.set_ylabel("direction of the light (deg)")
    plots.time_axis(ax, finding.evidence["examined"])
    plots.legend(ax)


def plot_turning(finding: Finding, ax: Any) -> None:
    """Azimuth of the light against yaw of the head, with the line of each hypothesis and the one measured."""
    yaw, azimuth = finding.evidence["yaw"], finding.evidence["azimuth"]
    value = finding.measurements[0].value
    ax.plot(yaw, azimuth, "o", ms=2.5, color=plots.BLUE, ls="none", label="each picture")
    ends = np.array([yaw.min(), yaw.max()])
    for slope, colour, style, label in (
        (0.0, plots.BLACK, "--", "stays with the place (0)"),
        (1.0, plots.ORANGE, ":", "turns with the head (1)"),
        (value, plots.BLUE, "-", f"measured ({value:g})"),
    ):
        ax.plot(ends, np.median(azimuth) + slope * (ends - np.median(yaw)), color=colour, ls=style, label=label)
    ax.set_xlabel("yaw of the head (deg; positive = to the picture's right)")
    ax.set_ylabel("azimuth of the light (deg)")
    plots.legend(ax)


@plots.styled
def charts(finding: Finding) -> list[plots.Chart]:
    """One chart for each question; none of a refusal."""
    if finding.state != ASSESSED:
        return []
    return [_direction_chart(finding) if finding.question == "lighting.direction" else _turning_chart(finding)]


def _direction_chart(finding: Finding) -> plots.Chart:
    fig, axes = plots.figure(rows=2, columns=2, row_mm=56)
    grid = axes[0, 0].get_gridspec()
    for ax in axes[0]:
        ax.remove()
    plot_direction(finding, fig.add_subplot(grid[0, :]))
    plot_sphere(finding, axes[1, 0])
    plot_residual(finding, axes[1, 1])
    azimuth, elevation = (finding.measurement(f"light_{which}").value for which in ("azimuth", "elevation"))
    return plots.Chart(
        "lighting",
        fig,
        f"Direction of the light on the face of person {finding.person} over time (bands: 95 % intervals with their "
        "systematic part), a ball under that light with the direction's 95 % ellipse, and the face's skin by what that "
        "light leaves unexplained. Notice whether points wander with the head or jump, and where skin is darker than "
        "the light makes it: shadows, beards, make-up. It does not show where the lamp stood, and an offset of all "
        "points may be skin colour.",
        f"Points over time for azimuth near {azimuth} and elevation near {elevation} degrees, with "
        f"{len(finding.events)} jumps marked; a shaded ball with an ellipse; a map of the unexplained.",
        {k: finding.evidence[k] for k in ("t_s", "azimuth", "elevation")},
    )


def _turning_chart(finding: Finding) -> plots.Chart:
    fig, ax = plots.figure(row_mm=68)
    plot_turning(finding, ax)
    (measured, misfit), n = finding.measurements, len(finding.evidence["t_s"])
    return plots.Chart(
        "lighting-turning",
        fig,
        f"Azimuth of the light on the face of person {finding.person} against the yaw of the head, {n} "
        "pictures, the skin's own colour taken out. Notice which line the points follow; light that stays leaves "
        f"{100 * misfit.value:.0f} % of the change of shading that light on the head leaves. The measured "
        f"line is fitted to the shading itself, nods included; its interval, {measured.low:g} to {measured.high:g}, "
        "holds what untouched recordings scatter. It does not show why shading follows a head.",
        f"Points of light azimuth against head yaw with three lines; measured slope {measured.value:g}.",
        {k: finding.evidence[k] for k in ("t_s", "yaw", "azimuth")},
    )
