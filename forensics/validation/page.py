"""``validation.html``: a pure function of ``validation.json``, in the report's page, with charts of calibrations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from forensics import plots
from forensics.calibration import measures
from forensics.plots import Chart
from forensics.report.html import environment
from forensics.report.plates import data_uri
from forensics.validation import wording
from forensics.validation.tables import AUTHENTIC
from forensics.validation.wording import ratio_bounds, scores, text

#: How each proposition is drawn: colour, line, marker.
SIDES = {"H1": (plots.ORANGE, "--", "s"), "H2": (plots.BLUE, "-", "o")}


def page(validation: Mapping[str, Any]) -> str:
    """One HTML5 file: no script, nothing loaded from anywhere."""
    counts: dict[str, list[Mapping[str, Any]]] = {}
    for row in validation["recordings"]:
        counts.setdefault(row["label"], []).append(row)
    classes = [
        (
            label,
            len(rows),
            len({r["unit"] for r in rows}),
            sum(bool(r["weak"]) for r in rows),
            sum(bool(r["refused"]) for r in rows),
        )
        for label, rows in sorted(counts.items())
    ]
    alarms = [row for row in validation["false_alarms"] if row["by"] == "all" or row["question"] is None]
    return (
        environment()
        .get_template("validation.html.j2")
        .render(
            validation=validation,
            classes=classes,
            alarms=alarms,
            compared=[c for c in validation["comparisons"] if c["by"] == "all" and c["auc"]],
            pairs=[(pair, [(m, _drawn(pair, m)) for m in pair["models"]]) for pair in validation["pairs"]],
            wording=wording,
            text=text,
            scores=scores,
            ratio_bounds=ratio_bounds,
            authentic=AUTHENTIC,
        )
    )


def _drawn(pair: Mapping[str, Any], model: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {"uri": data_uri("image/svg+xml", plots.svg(c.figure)), "caption": c.caption, "alt": c.alt}
        for c in charts(pair, model)
    ]


def charts(pair: Mapping[str, Any], model: Mapping[str, Any]) -> Iterator[Chart]:
    """Tippett, PAV and ECE of a set of scores, from its cross-fitted ratios alone; none where there are no figures."""
    if model["figures"] is None:
        return
    rows = model["figures"]["ratios"]
    ratios, labels = np.array([r["log10_lr"] for r in rows]), np.array([r["h1"] for r in rows])
    units = np.array([r["unit"] for r in rows])
    about = f"{pair['pair']}: {scores(model)}, n = {labels.sum()} of H1 and {(~labels).sum()} of H2, cross-fitted."
    yield _tippett(ratios, labels, about, model["figures"])
    yield _pav(ratios, labels, units, about)
    yield _ece(ratios, labels, units, about)


@plots.styled
def _tippett(ratios: np.ndarray, labels: np.ndarray, about: str, figures: Mapping[str, Any]) -> Chart:
    fig, ax = plots.figure(row_mm=62)
    reach = max(1.0, float(np.abs(ratios).max()) * 1.1)
    at = np.linspace(-reach, reach, 401)
    shares = measures.tippett(ratios, labels, at)
    for (name, (colour, line, _)), share in zip(SIDES.items(), shares, strict=True):
        ax.plot(at, 100 * share, line, color=colour, label=f"{name} holds")
    ax.axvline(0, color=plots.GREY, lw=0.7)
    for bound, name in zip(figures["bounds"], ("lower bound", "upper bound"), strict=True):
        ax.axvline(bound, color=plots.BLACK, lw=0.8, ls=":", label=f"{name} (ELUB) {bound:.2f}")
    ax.set_xlabel("log10 LR (no unit)")
    ax.set_ylabel("recordings at or above it (%)")
    plots.legend(ax)
    caption = (
        f"Tippett plot. {about} Notice where the lines cross LR = 1: what lies right of it under H2, or left of it "
        "under H1, misleads. It does not show how recordings of other kinds would lie."
    )
    return Chart(
        "tippett",
        fig,
        caption,
        f"shares of recordings by log10 LR. {about}",
        {"log10_lr": at, "h1": shares[0], "h2": shares[1]},
    )


@plots.styled
def _pav(ratios: np.ndarray, labels: np.ndarray, units: np.ndarray, about: str) -> Chart:
    fig, ax = plots.figure(row_mm=62)
    best = measures.pav(ratios, labels, measures.balanced(labels, units))
    shown = best[np.isfinite(best)]
    edge = max(1.0, float(np.abs(np.concatenate([ratios, shown])).max()) * 1.1)
    drawn = np.clip(best, -edge, edge)
    ax.plot([-edge, edge], [-edge, edge], color=plots.GREY, lw=0.7, label="well calibrated")
    for (name, (colour, _, marker)), side in zip(SIDES.items(), (labels, ~labels), strict=True):
        ax.plot(ratios[side], drawn[side], marker, color=colour, ms=4, mfc="none", label=f"{name} holds")
    ax.set_xlabel("log10 LR given (no unit)")
    ax.set_ylabel("log10 LR after PAV (no unit)")
    plots.legend(ax, 3)
    caption = (
        f"Recalibration by pool adjacent violators. {about} Notice how far the points lie from the line: nearer to 0 "
        "than the line, the ratios given are too bold. Points on the upper or lower edge are infinite. It does not "
        "show what recordings that are not here would do."
    )
    table = {"log10_lr": ratios, "h1": labels, "after_pav": best}
    return Chart(
        "pav", fig, caption, f"ratios after the best monotone recalibration against those given. {about}", table
    )


@plots.styled
def _ece(ratios: np.ndarray, labels: np.ndarray, units: np.ndarray, about: str) -> Chart:
    fig, ax = plots.figure(row_mm=62)
    found = measures.entropy(ratios, labels, measures.balanced(labels, units))
    odds = found.prior_log10_odds
    ax.plot(odds, found.given, "-", color=plots.ORANGE, label="as given")
    ax.plot(odds, found.recalibrated, "--", color=plots.BLUE, label="after PAV")
    ax.plot(odds, found.neutral, ":", color=plots.BLACK, label="LR = 1 always")
    ax.set_xlabel("prior log10 odds (no unit)")
    ax.set_ylabel("empirical cross-entropy (bit)")
    plots.legend(ax, 3)
    caption = (
        f"Empirical cross-entropy. {about} Notice where the ratios as given cost more than LR = 1 always: for such "
        "prior odds they do harm. At odds of 1 it is Cllr. It does not show which prior odds hold: those are the "
        "court's."
    )
    columns = {
        "prior_log10_odds": odds,
        "given": found.given,
        "after_pav": found.recalibrated,
        "neutral": found.neutral,
    }
    return Chart("ece", fig, caption, f"cross-entropy over prior odds. {about}", columns)
