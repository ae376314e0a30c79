"""Charts of the findings on the sound, drawn from their evidence alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from forensics import plots
from forensics.analysis.voice.joins import EmptyBand
from forensics.analysis.voice.recording import LOWEST_DB
from forensics.finding import ASSESSED, Finding

#: Windows of the empty band drawn as one, their loudest: a page has some 600 places for a minute.
COARSE = 50


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
    outside: Any = dict(ls=(0, (4, 1)), lw=1.2, label="background, outside speech")
    ax.plot(quiet.t_s, quiet.values, color=plots.BLUE, **outside, **drawn)
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
    found = finding.evidence["found"]
    hz, db = found.hz, found.average_db()
    ax.plot(hz / 1000, db - db.max(), color=plots.BLUE)
    edge = finding.measurement("bandwidth")
    ax.axvline(edge.value / 1000, color=plots.BLACK, lw=0.8, ls=":", label=f"band limit {edge.value:.0f} Hz")
    ax.set_xlabel("frequency (kHz)")
    ax.set_ylabel("average power\n(dB re its maximum)")
    ax.set_xlim(0, hz[-1] / 1000)
    plots.legend(ax)


def plot_spectrogram(finding: Finding, ax: Any) -> Any:
    """Level over time and frequency to half the sampling rate, with the edge of each stretch and what was found."""
    found, course = finding.evidence["found"], finding.evidence["course"]
    heard = finding.evidence["heard"]
    db = 10 * np.log10(found.power.T + 1e-12)
    khz = found.hz / 1000
    bounds = np.concatenate([[heard.start_s], (found.t_s[1:] + found.t_s[:-1]) / 2, [heard.end_s]])
    drawn = ax.pcolormesh(bounds, np.append(khz, khz[-1]), db, cmap="cividis", vmin=-120, vmax=-30, rasterized=True)
    ax.plot(
        course.t_s, course.values / 1000, "_", color=plots.BLACK, mew=3.5, ms=9, ls="none", label="edge of the band"
    )
    ax.plot(course.t_s, course.values / 1000, "_", color="white", mew=1.5, ms=9, ls="none")
    for event in finding.events:
        low, high = (event.details.get(k, event.details.get("mirror_hz", 0)) / 1000 for k in ("low_hz", "high_hz"))
        ax.axhspan(low, max(high, low + khz[1]), facecolor="none", edgecolor="white", hatch="...", lw=0.8)
    ax.set_ylim(0, khz[-1])
    ax.set_ylabel("frequency (kHz)")
    plots.time_axis(ax, finding.evidence["examined"])
    return drawn


def plot_holes(finding: Finding, ax: Any) -> None:
    """Share of empty cells below the edge in each stretch of speech."""
    holes = finding.evidence["holes"]
    ax.plot(holes.t_s, holes.values, "o", ms=3, color=plots.BLUE, rasterized=plots.many(holes.t_s))
    ax.set_ylim(0, max(2.0, 1.1 * float(holes.values.max(initial=0))))
    ax.set_ylabel("empty cells (%)")
    plots.missing(ax, finding.evidence["examined"], [finding.evidence["heard"]])
    plots.time_axis(ax, finding.evidence["examined"])


def plot_band(finding: Finding, ax: Any) -> None:
    """Level in the band that is otherwise empty, with the joins."""
    band = finding.evidence["band"]
    loudest = _loudest(band)
    t_s = band.t_s[::COARSE]
    name = f"{band.low_hz / 1000:.1f} to {band.high_hz / 1000:.1f} kHz, loudest of {COARSE} ms"
    ax.plot(t_s, loudest, color=plots.BLUE, lw=0.8, rasterized=plots.many(t_s), label=name)
    joins = [e for e in finding.events if e.details["cue"] == "discontinuity"]
    at = [(e.interval.start_s + e.interval.end_s) / 2 for e in joins]
    if joins:
        ax.plot(at, [float(loudest.max())] * len(at), "v", color=plots.BLACK, ms=5, ls="none", label="join")
    ax.set_ylabel("level in the empty band\n(dB re full scale)")
    plots.missing(ax, finding.evidence["examined"], [finding.evidence["heard"]])
    plots.time_axis(ax, finding.evidence["examined"])
    plots.legend(ax)


def _loudest(band: EmptyBand) -> np.ndarray:
    """Of each ``COARSE`` ms: hours by the millisecond would fill a table of gigabytes."""
    return np.maximum.reduceat(band.level_db, np.arange(0, len(band.level_db), COARSE))


def plot_hum(finding: Finding, ax: Any) -> None:
    """Phase of the mains hum against a steady one."""
    hum = finding.evidence["hum"]
    name = f"{hum.multiple} × {hum.hz:.3f} Hz"
    ax.plot(hum.t_s, np.degrees(hum.phase), ".", ms=2, color=plots.GREEN, rasterized=plots.many(hum.t_s), label=name)
    ax.set_ylim(-185, 185)
    ax.set_ylabel("phase of the hum (°)")
    plots.missing(ax, finding.evidence["examined"], [finding.evidence["heard"]])
    plots.time_axis(ax, finding.evidence["examined"])
    plots.legend(ax)


def plot_synthesis(finding: Finding, ax: Any) -> None:
    """Scores of the pieces, their mean, and both groups of development voices."""
    rows = (("synthetic\ndevelopment", "synthetic", "^"), ("spoken\ndevelopment", "spoken", "o"))
    for height, (_, key, marker) in enumerate(rows):
        values = finding.evidence[key]
        ax.plot(values, np.full(len(values), height), marker, ms=4, mfc="none", mew=0.6, color=plots.BLUE)
    scores = finding.evidence["scores"]
    ax.plot(scores, np.full(len(scores), 2), "|", ms=9, color=plots.BLACK)
    ax.plot([scores.mean()], [2], "D", ms=5, color=plots.BLACK, label="mean of this recording's pieces")
    ax.set_yticks(range(3), [*(name for name, _, _ in rows), "this recording,\npieces"])
    ax.set_ylim(-0.6, 2.8)
    ax.set_xlabel("synthesis score (standard deviations of spoken voices)")
    plots.legend(ax)


@plots.styled
def charts(finding: Finding) -> list[plots.Chart]:
    """One chart a question; none of a refusal."""
    if finding.state != ASSESSED:
        return []
    return [
        {
            "voice.measures": _pitch,
            "voice.recording": _recording,
            "voice.take": _take,
            "voice.spectrum": _spectrogram,
            "voice.synthesis": _synthesis,
        }[finding.question](finding)
    ]


def _pitch(finding: Finding) -> plots.Chart:
    fig, ax = plots.figure(row_mm=50)
    plot_f0(finding, ax)
    return plots.Chart(
        "voice-f0",
        fig,
        "Fundamental frequency of the voice (Praat, autocorrelation). Notice its range and how "
        "it moves. It does not show who spoke, and jumps by an octave are the method's.",
        "Points of fundamental frequency over time with their median.",
        {k: finding.evidence[k] for k in ("t_s", "f0_hz")},
    )


def _recording(finding: Finding) -> plots.Chart:
    has_edge = any(m.name == "bandwidth" for m in finding.measurements)
    fig, axes = plots.figure(rows=1 + has_edge, row_mm=48, squeeze=False)
    plot_level(finding, axes[0, 0])
    if has_edge:
        plot_spectrum(finding, axes[1, 0])
    level = finding.evidence["level"]
    return plots.Chart(
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


def _take(finding: Finding) -> plots.Chart:
    band, hum = finding.evidence["band"], finding.evidence["hum"]
    drawn = [draw for draw, there in ((plot_band, band), (plot_hum, hum)) if there is not None]
    fig, axes = plots.figure(rows=len(drawn), row_mm=45, squeeze=False)
    for draw, ax in zip(drawn, axes[:, 0], strict=True):
        draw(finding, ax)
    table = (
        {"t_s": band.t_s[::COARSE], "loudest_db": _loudest(band)}
        if band is not None
        else {"t_s": hum.t_s, "phase_rad": hum.phase}
    )
    return plots.Chart(
        "voice-take",
        fig,
        "What sounds where the band is otherwise empty, and the phase of the mains hum where there is one. Notice "
        "instants that stand alone and steps of the phase. It does not show who made them: clicks, lost packets and "
        "honest editing do too, and a cross-fade leaves nothing to see.",
        "Level in the empty band over time with joins marked, and the phase of the mains hum where it was found.",
        table,
    )


def _spectrogram(finding: Finding) -> plots.Chart:
    has_cells = len(finding.evidence["holes"].t_s) > 0
    fig, axes = plots.figure(rows=1 + has_cells, row_mm=60, squeeze=False)
    drawn = plot_spectrogram(finding, axes[0, 0])
    fig.colorbar(drawn, ax=axes[0, 0], label="level (dB re full scale)", pad=0.01)
    plots.legend(axes[0, 0])
    if has_cells:
        plot_holes(finding, axes[1, 0])
    found = finding.evidence["found"]
    return plots.Chart(
        "voice-spectrum",
        fig,
        "Level over time and frequency, to half the sampling rate; below, the share of cells of time and frequency "
        "that are empty in each stretch of speech. Notice where the band ends, whether that changes, gaps (dotted), "
        "and stretches with more empty cells than others. It does not show what limited or emptied the band: codecs, "
        "telephones, noise suppression and converters do.",
        "Map of level over time and frequency with the edge of the band marked in each stretch; below, points of the "
        "share of empty cells over time.",
        {"frequency_hz": found.hz, "level_db": found.average_db()},
    )


def _synthesis(finding: Finding) -> plots.Chart:
    fig, ax = plots.figure(row_mm=50)
    plot_synthesis(finding, ax)
    return plots.Chart(
        "voice-synthesis",
        fig,
        "Synthesis score of each piece of speech, over those of development voices, each scored without its "
        "corpus. Notice where the pieces' mean lies and how far both groups overlap. It does not show that a "
        "voice was made or spoken.",
        "Points of the score, one row each for this recording, spoken and synthetic development voices.",
        {"score": finding.evidence["scores"]},
    )
