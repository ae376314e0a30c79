"""Shared drawing bits: the page's width, colours that keep their contrast, the time axis, what was not measured.

Okabe and Ito's colours, of which only these reach a contrast of 3:1 on white; two are nearly equal in grey, so each
series also has its own line style or marker and a direct label.
"""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Callable, Iterable, Mapping, Sized
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from forensics.text import Text, for_csv, for_html
from forensics.timeline import Interval, union

if TYPE_CHECKING:  # slow to import: not before something is drawn
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLACK, BLUE, ORANGE, GREEN, PINK = "#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7"
#: Grey of grids and of what was not measured; 3:1 on white.
GREY = "#8c8c8c"
_MM = 1 / 25.4
_STYLE: Any = {
    "font.size": 8.5,
    "axes.labelsize": 8.5,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "font.family": "DejaVu Sans",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "lines.linewidth": 1.1,
    "svg.hashsalt": "forensics",
    "svg.fonttype": "path",
    "hatch.linewidth": 0.5,
    "path.simplify": True,
    "agg.path.chunksize": 20000,
    "text.parse_math": False,
    "axes.unicode_minus": True,
}


@dataclass(frozen=True)
class Chart:
    """A figure with all that must stand beside it: what to notice and what it does not show, alt text, its data."""

    name: str
    figure: Figure
    caption: str
    alt: str
    table: Mapping[str, Any] = field(default_factory=dict)

    def _repr_html_(self) -> str:
        """As shown in a notebook: the picture with its alt text, the caption below."""
        picture = base64.b64encode(png(self.figure)).decode()
        return (
            f'<figure><img alt="{for_html(self.alt, len(self.alt))}" src="data:image/png;base64,{picture}">'
            f"<figcaption>{for_html(self.caption, len(self.caption))}</figcaption></figure>"
        )


_P = ParamSpec("_P")
_R = TypeVar("_R")


def styled(draw: Callable[_P, _R]) -> Callable[_P, _R]:
    """Decorator: draw in the house's style, whatever the reader's own settings are, and leave those as they were."""

    @functools.wraps(draw)
    def drawn(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        import matplotlib

        with matplotlib.rc_context():
            matplotlib.rcdefaults()  # else a grid of the reader's stands in a report's chart
            matplotlib.rcParams.update(_STYLE)
            return draw(*args, **kwargs)

    return drawn


@styled
def figure(rows: int = 1, row_mm: float = 48, columns: int = 1, **kwargs: Any) -> tuple[Figure, Any]:
    """A figure 160 mm wide, and its axes as ``plt.subplots`` gives them; text from outside is never parsed."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(160 * _MM, rows * row_mm * _MM), layout="constrained")
    return made, made.subplots(rows, columns, **kwargs)


def many(values: Sized) -> bool:
    """Whether so many points are better drawn as pixels inside the SVG: a long clip has hundreds of thousands."""
    return len(values) > 5000


def time_axis(ax: Axes, interval: Interval) -> None:
    ax.set_xlim(interval.start_s, interval.end_s)
    ax.set_xlabel("time on the presentation clock (s)")


def shade(ax: Axes, intervals: Iterable[Interval], label: str, colour: str = BLUE, alpha: float = 0.12) -> None:
    """Light vertical bands with one entry in the legend."""
    for k, interval in enumerate(union(intervals)):
        ax.axvspan(interval.start_s, interval.end_s, color=colour, alpha=alpha, lw=0, label=label if k == 0 else None)


def missing(ax: Axes, whole: Interval, covered: Iterable[Interval]) -> None:
    """Hatch the time of ``whole`` that is not covered: nothing was measured there."""
    at, gaps = whole.start_s, []
    for interval in [*union(covered), Interval(whole.end_s, whole.end_s)]:
        if interval.start_s > at + 1e-6:
            gaps.append(Interval(at, interval.start_s))
        at = max(at, interval.end_s)
    for k, gap in enumerate(gaps):
        ax.axvspan(
            gap.start_s,
            gap.end_s,
            facecolor="none",
            edgecolor=GREY,
            hatch="////",
            lw=0,
            label="not measured" if k == 0 else None,
        )


def legend(ax: Axes, columns: int = 2) -> None:
    """Legend above the axes, if anything is labelled."""
    handles, labels = ax.get_legend_handles_labels()
    if handles:
        ax.legend(
            handles,
            labels,
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            ncols=columns,
            frameon=False,
            borderaxespad=0.2,
            handlelength=2.2,
            columnspacing=1.2,
        )


def _place(fig: Figure) -> None:
    """Lay the figure out once for all: each further layout would start from the last and move things a little."""
    if (layout := fig.get_layout_engine()) is not None:
        layout.execute(fig)
        fig.set_layout_engine(None)  # not "none": with a placeholder for an engine each figure is drawn twice


@styled
def svg(fig: Figure) -> bytes:
    """The figure as SVG, the same bytes each time: no date, ids from a fixed salt."""
    _place(fig)
    buffer = io.BytesIO()
    fig.savefig(buffer, format="svg", dpi=200, metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


@styled
def png(fig: Figure) -> bytes:
    """The figure as PNG for screens: 110 dots an inch."""
    _place(fig)
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()


def csv(columns: Mapping[str, Any]) -> str:
    """Columns of equal length as CSV; a text that a spreadsheet would run as a formula is quoted as text."""
    import pandas as pd

    def inert(value: Any) -> Any:
        return for_csv(value) if isinstance(value, Text) else value

    return pd.DataFrame({name: [inert(v) for v in values] for name, values in columns.items()}).to_csv(
        index=False, float_format="%.10g", lineterminator="\n"
    )
