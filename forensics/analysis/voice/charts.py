"""Charts of the findings on the sound, drawn from their evidence alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from forensics import plots
from forensics.analysis.voice.recording import LOWEST_DB
from forensics.finding import ASSESSED, Finding


def plot_f0(finding: Finding, ax: Any) -> None:
    """F0 by Praat's autocorrelation, gaps where unvoiced."""
    t_s = finding.evidence["t_s"]
    ax.plot(t_s, finding.evidence["f0_hz"], ".", ms=2, color=plots.BLUE, rasterized=plots.many(t_s))
    median = finding.measurement("f0_median")
    ax.axhline(median.value, color=plots.BLACK, lw=0.8, ls="--", label=f"median {median.value} Hz")
    ax.set_ylabel("fundamental\nfrequency (Hz)")
    low, high = np.nanpercentile(finding.evidence["f0_hz"], (1, 99))
    ax.set_ylim(0.7 * low, 1.3 * high)
    plots.missing(ax, finding.evidence["examined"], finding.covered)
    plots.time_axis(ax, finding.evidence["examined"])
    plots.legend(ax)


def plot_level(finding: Finding, ax: Any) -> None:
    """Level over time, the background between words, and the events."""
    level, quiet = finding.evidence["level"], finding.evidence["quiet"]
    drawn: Any = dict(rasterized=plots.many(level.t_s))
    ax.plot(level.t_s, np.maximum(level.values, LOWEST_DB), color=plots.GREY, lw=0.6, label="level, 10 ms", **drawn)
    ax.plot(quiet.t_s, quiet.values, color=plots.BLUE, lw=1.2, label="background, outside speech", **drawn)
    jumps = [e for e in finding.events if e.kind == "level_jump"]
    ax.plot(
        [e.interval.end_s for e in jumps],
        [-10] * len(jumps),
        "v",
        color=plots.BLACK,
        ms=5,
        ls="none",
        label="level jump" if jumps else None,
    )
    plots.shade(ax, finding.evidence["spoken"], "speech detected")
    plots.missing(ax, finding.evidence["examined"], finding.covered)
    ax.set_ylabel("level (dB re full scale)")
    plots.time_axis(ax, finding.evidence["examined"])
    plots.legend(ax)


def plot_spectrum(finding: Finding, ax: Any) -> None:
    """Average spectrum to half the sampling rate with the band's edge."""
    hz, db, _ = finding.evidence["spectrum"]
    ax.plot(hz / 1000, db - db.max(), color=plots.BLUE)
    edge = finding.measurement("bandwidth")
    ax.axvline(edge.value / 1000, color=plots.BLACK, lw=0.8, ls=":", label=f"band limit {edge.value:.0f} Hz")
    ax.set_xlabel("frequency (kHz)")
    ax.set_ylabel("average power\n(dB re its maximum)")
    ax.set_xlim(0, hz[-1] / 1000)
    plots.legend(ax)


def plot_synthesis(finding: Finding, ax: Any) -> None:
    """Scores of the pieces, their mean, and both groups of development voices."""
    rows = (("synthetic\ndevelopment", "synthetic", "^"), ("authentic\ndevelopment", "authentic", "o"))
    for height, (_, key, marker) in enumerate(rows):
        values = finding.evidence[key]
        ax.plot(values, np.full(len(values), height), marker, ms=4, mfc="none", mew=0.6, color=plots.BLUE)
    scores = finding.evidence["scores"]
    ax.plot(scores, np.full(len(scores), 2), "|", ms=9, color=plots.BLACK)
    ax.plot([scores.mean()], [2], "D", ms=5, color=plots.BLACK, label="mean of this recording's pieces")
    ax.set_yticks(range(3), [*(name for name, _, _ in rows), "this recording,\npieces"])
    ax.set_ylim(-0.6, 2.8)
    ax.set_xlabel("synthesis score (standard deviations of authentic voices)")
    plots.legend(ax)


@plots.styled
def charts(finding: Finding) -> list[plots.Chart]:
    """One chart: of the pitch, or of level and band, by the question; none of a refusal."""
    if finding.state != ASSESSED:
        return []
    if finding.question == "voice.measures":
        fig, ax = plots.figure(row_mm=50)
        plot_f0(finding, ax)
        return [
            plots.Chart(
                "voice-f0",
                fig,
                "Fundamental frequency of the voice (Praat, autocorrelation). Notice its range and how "
                "it moves. It does not show who spoke, and jumps by an octave are the method's.",
                "Points of fundamental frequency over time with their median.",
                {k: finding.evidence[k] for k in ("t_s", "f0_hz")},
            )
        ]
    if finding.question == "voice.synthesis":
        fig, ax = plots.figure(row_mm=50)
        plot_synthesis(finding, ax)
        return [
            plots.Chart(
                "voice-synthesis",
                fig,
                "Synthesis score of each piece of speech, over those of development voices, each scored without its "
                "corpus. Notice where the pieces' mean lies and how far both groups overlap. It does not show that a "
                "voice was made or spoken.",
                "Points of the score, one row each for this recording, authentic and synthetic development voices.",
                {"score": finding.evidence["scores"]},
            )
        ]
    has_edge = any(m.name == "bandwidth" for m in finding.measurements)
    fig, axes = plots.figure(rows=1 + has_edge, row_mm=48, squeeze=False)
    plot_level(finding, axes[0, 0])
    if has_edge:
        plot_spectrum(finding, axes[1, 0])
    level = finding.evidence["level"]
    return [
        plots.Chart(
            "voice-recording",
            fig,
            "Level of the sound with the background between words, and the average spectrum. "
            "Notice steps of the background and edges of the band. It does not show why they are there: gates, codecs "
            "and scene changes make them too.",
            "Level over time with background marked; below, average power over frequency with the band's edge.",
            {
                "t_s": level.t_s,
                "level_db": np.maximum(level.values, LOWEST_DB),
                "background_db": finding.evidence["quiet"].values,
            },
        )
    ]
