"""Charts of the light's direction and of how it follows the head, drawn from a finding's evidence alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from forensics import plots
from forensics.analysis.lighting.direction import direction
from forensics.closeup import RADII
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


def plot_two_lights(finding: Finding, ax: Any) -> None:
    """Directions of the light on two faces with their ellipses, on the half of the sphere that the camera sees."""
    turn = np.radians(np.linspace(0, 360, 181))
    ax.plot(np.cos(turn), np.sin(turn), color=plots.GREY, lw=0.8, ls="-.", label="from the side")
    for share in (30, 60):
        ax.plot(
            *(np.sin(np.radians(share)) * np.array([np.cos(turn), np.sin(turn)])),
            color=plots.GREY,
            lw=0.5,
            ls=":",
            label=f"{share}° from the camera",
        )
        ax.annotate(f"{share}°", (0, -np.sin(np.radians(share))), fontsize=8, color=plots.BLACK, ha="center")
    looks = ((plots.BLUE, "o", "-"), (plots.ORANGE, "s", "--"))
    both = zip(finding.evidence["names"], finding.evidence["lights"], finding.evidence["outlines"], looks, strict=True)
    for name, light, edge, (colour, marker, style) in both:
        x, y, _ = light / np.linalg.norm(light)
        ax.plot(x, y, marker, color=colour, ls="none", label=f"person {name}")
        ax.plot(*np.where(edge[:, 2:] >= 0, edge[:, :2], np.nan).T, color=colour, ls=style, label="its 95 % ellipse")
    ax.set_aspect("equal")
    ax.set_xlabel("towards the picture's right (sine of the angle)")
    ax.set_ylabel("upwards (sine of the angle)")
    plots.legend(ax, 1)


def plot_ring(finding: Finding, ax: Any) -> None:
    """The rim unrolled: detail by the spoke around the face and the way outwards; compared spokes are marked."""
    detail, spokes = finding.evidence["rim_detail"], finding.evidence["spokes"]
    step = (RADII[1] - RADII[0]) / 2
    extent = (-5.0, 355.0, RADII[0] - step, RADII[-1] + step)
    most = float(np.nanpercentile(detail, 95))
    shown = ax.imshow(detail.T, origin="lower", aspect="auto", extent=extent, cmap="cividis", vmin=0, vmax=most)
    ax.axhline(1.0, color=plots.BLACK, lw=0.9, ls="--", label="outline of the face")
    ax.plot(10.0 * spokes, np.full(len(spokes), 1.31), "v", ms=5, color=plots.BLACK, ls="none", label="compared")
    ax.set_xticks([0, 90, 180, 270], ["forehead", "picture's right", "chin", "picture's left"])
    ax.set_xlabel("around the face (36 places of its outline)")
    ax.set_ylabel("way outwards (1 = outline)")
    bar = ax.figure.colorbar(shown, ax=ax, fraction=0.05, pad=0.02)
    bar.set_label("finest detail\n(levels of 255)")
    bar.ax.tick_params(labelsize=8)
    plots.legend(ax)


def plot_surround(finding: Finding, ax: Any) -> None:
    """Light and detail around over those of the inner face, from look to look."""
    for which, colour, marker, style in (("light", plots.BLUE, "o", "-"), ("detail", plots.ORANGE, "s", "--")):
        told = finding.measurement(f"surround_{which}")
        each = np.exp(finding.evidence[which])
        ax.plot(finding.evidence["t_s"], each, marker, ms=2.5, color=colour, ls="none", label=f"{which}, each look")
        ax.axhline(told.value, color=colour, ls=style, label=f"{which}, pooled")
        ax.axhspan(told.low, told.high, color=colour, alpha=0.1, lw=0)
    plots.missing(ax, finding.evidence["examined"], finding.covered)
    ax.set_ylabel("around over inside (ratio)")
    plots.time_axis(ax, finding.evidence["examined"])
    plots.legend(ax)


def plot_highlights(finding: Finding, ax: Any) -> None:
    """Where the paired highlights lie on each iris."""
    turn = np.radians(np.linspace(0, 360, 181))
    ax.plot(50 * np.cos(turn), 50 * np.sin(turn), color=plots.GREY, lw=0.8, label="edge of the iris")
    for eye, colour, marker in (("left", plots.BLUE, "o"), ("right", plots.ORANGE, "s")):
        x, y = 100 * finding.evidence[eye].T
        ax.plot(x, y, marker, ms=3, color=colour, ls="none", mfc="none", label=f"picture's {eye} eye, each look")
    ax.set_aspect("equal")
    ax.invert_yaxis()
    ax.set_xlabel("sideways from the iris's centre (% of its diameter)")
    ax.set_ylabel("downwards (% of its diameter)")
    plots.legend(ax, 1)


@plots.styled
def charts(finding: Finding) -> list[plots.Chart]:
    """One chart for each question; none of a refusal."""
    if finding.state != ASSESSED:
        return []
    drawn = {
        "lighting.direction": _direction_chart,
        "lighting.head_fixed": _turning_chart,
        "lighting.between_faces": _faces_chart,
        "lighting.surround": _surround_chart,
        "lighting.highlights": _highlights_chart,
    }
    return [drawn[finding.question](finding)]


def _faces_chart(finding: Finding) -> plots.Chart:
    fig, ax = plots.figure(row_mm=90)
    plot_two_lights(finding, ax)
    (measured,), names, lights = finding.measurements, finding.evidence["names"], finding.evidence["lights"]
    edges = finding.evidence["outlines"]
    azimuth, elevation = direction(np.concatenate([lights[:, None], edges], 1).reshape(-1, 3))
    return plots.Chart(
        "lighting-faces",
        fig,
        f"Direction of the light on the faces of persons {names[0]} and {names[1]} while both are in view, as seen "
        "from the camera (middle: from the camera, edge: from the side), with 95 % ellipses that hold the systematic "
        "part. Notice whether the ellipses overlap. It does not show where lamps stood: one lamp near two persons "
        "lights them from different sides.",
        f"Two points with ellipses, {measured.value:g} degrees apart, inside a circle.",
        {
            "person": [name for name in names for _ in range(len(edges[0]) + 1)],
            "what": [what for _ in names for what in ("direction", *["edge"] * len(edges[0]))],
            "azimuth": azimuth,
            "elevation": elevation,
        },
    )


def _surround_chart(finding: Finding) -> plots.Chart:
    fig, axes = plots.figure(rows=2, row_mm=56)
    plot_surround(finding, axes[0])
    plot_ring(finding, axes[1])
    light, detail = (finding.measurement(f"surround_{which}") for which in ("light", "detail"))
    return plots.Chart(
        "lighting-surround",
        fig,
        f"Skin around the face of person {finding.person} over the skin of the inner face, by look (bands: 95 % "
        f"intervals), and the finest detail around the face's outline, {len(finding.evidence['t_s'])} looks. Notice "
        "steps over time, and a closed seam inside the outline where a face may have been blended in. It does not show "
        "an origin: necks lie in shade, make-up ends at the jaw, and hair is sharper than skin.",
        f"Points over time near {light.value:g} for light and {detail.value:g} for detail; a map of detail around the "
        "face.",
        {k: finding.evidence[k] for k in ("t_s", "light", "detail")},
    )


def _highlights_chart(finding: Finding) -> plots.Chart:
    fig, ax = plots.figure(row_mm=84)
    plot_highlights(finding, ax)
    x, y = (finding.measurement(f"highlight_shift_{axis}") for axis in "xy")
    left, right = (finding.evidence[eye] for eye in ("left", "right"))
    return plots.Chart(
        "lighting-highlights",
        fig,
        f"Highlights in both eyes of person {finding.person}, {len(left)} looks, by their place on the iris. Notice "
        f"whether both clouds lie at one place: the right eye's lies {x.value:g} % sideways and {y.value:g} % down "
        "from the left's. It does not show what is mirrored; of several highlights those that agree best are drawn.",
        f"Two clouds of points inside a circle, {x.value:g} and {y.value:g} per cent of the iris apart.",
        {
            "t_s": finding.evidence["t_s"],
            "left_x": left[:, 0],
            "left_y": left[:, 1],
            "right_x": right[:, 0],
            "right_y": right[:, 1],
        },
    )


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
