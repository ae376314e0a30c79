"""The questioned value beside the references', each quantity in its own half-widths. Drawn from a finding alone."""

from __future__ import annotations

from typing import Any

from forensics import plots
from forensics.comparison.spread import Apart, Value
from forensics.comparison.verdict import Row
from forensics.finding import ASSESSED, Finding

#: Millimetres of one quantity, and of the axis and legend.
ROW_MM, REST_MM = 8, 26
#: How far the axis reaches at most: beyond it a mark is drawn at the edge, and the table holds the number.
FARTHEST = 6.0


@plots.styled
def charts(finding: Finding) -> list[plots.Chart]:
    """One chart of an assessed finding; none else."""
    if finding.state != ASSESSED:
        return []
    rows, found = finding.evidence["rows"], finding.evidence["apart"]
    fig, ax = plots.figure(row_mm=REST_MM + ROW_MM * len(rows))
    for k, row in enumerate(rows):
        _draw(ax, k, row, found[row.name], first=k == 0)
    for edge in (-1, 1):
        ax.axvline(edge, color=plots.GREY, lw=0.9, ls="--", label="edge of the interval" if edge < 0 else None)
    ax.axvline(0, color=plots.GREY, lw=0.6, ls=":", label="references' mean")
    reach = min(FARTHEST, max(1.5, *(abs(a.apart) / _half(a) for a in found.values())) * 1.15)
    ax.set_xlim(-reach, reach)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_yticks(range(len(rows)), [row.name.replace("_", " ") for row in rows])
    ax.set_xlabel(f"distance from the references' mean (half-widths of the {finding.settings.level:.0%} interval)")
    plots.legend(ax, columns=4)
    beyond = sum(a.beyond for a in found.values())
    what = finding.question.partition(".")[2]
    return [
        plots.Chart(
            f"comparison-{what}",
            fig,
            f"{what.capitalize()} of the recording beside its references, each quantity less the references' mean, in "
            "half-widths of the interval it is judged by: of one reference that of the difference, of more the "
            "prediction interval of one further recording. Bars: each recording's own interval. Notice which marks of "
            f"the recording lie outside the dashed lines, {beyond} of {len(rows)}. It does not show why, nor who is "
            "seen or heard; of one reference it does not show how far recordings differ anyhow.",
            f"{len(rows)} rows of marks, the recording's against its references'; {beyond} of the recording's lie "
            "outside the interval.",
            _table(rows, found),
        )
    ]


def _half(found: Apart) -> float:
    """Half-width of the interval on the side of the references' mean; of no width, one."""
    return (found.apart - found.low if found.apart > 0 else found.high - found.apart) or 1.0


def _draw(ax: Any, k: int, row: Row, found: Apart, first: bool) -> None:
    mean, half = row.questioned.value - found.apart, _half(found)

    def bar(value: Value, y: float, marker: str, colour: str, label: str) -> None:
        ends = ((v - mean) / half for v in (value.value, value.low, value.high))
        at, low, high = (min(max(v, -FARTHEST), FARTHEST) for v in ends)
        ax.errorbar(
            at,
            y,
            xerr=[[max(0.0, at - low)], [max(0.0, high - at)]],
            fmt=marker,
            color=colour,
            ms=5,
            lw=1.0,
            mfc=colour if marker == "o" else "none",
            label=label if first else None,
        )

    bar(row.questioned, k - 0.14, "o", plots.BLUE, "recording")
    step = min(0.08, 0.5 / len(row.references))
    for n, value in enumerate(row.references.values()):
        bar(value, k + 0.12 + step * n, "s", plots.ORANGE, "references" if n == 0 else "_")


def _table(rows: tuple[Row, ...], found: dict[str, Apart]) -> dict[str, list[Any]]:
    """A line for each recording and quantity."""
    lines: list[tuple[Any, ...]] = [
        (row.name, row.unit, who, v.value, v.low, v.high, found[row.name])
        for row in rows
        for who, v in (("recording", row.questioned), *row.references.items())
    ]
    names = ("quantity", "unit", "of", "value", "low", "high")
    return {name: [line[k] for line in lines] for k, name in enumerate(names)} | {
        "apart": [line[6].apart for line in lines],
        "apart_low": [line[6].low for line in lines],
        "apart_high": [line[6].high for line in lines],
    }
